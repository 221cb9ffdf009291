/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agreement with a device on who gets what: DPDK's null device, with the RSS of a NIC put in front
 * of it that takes or refuses keys and tables as each test wants. Where a port opens with several
 * queues, that NIC's choice of queue is the steer's choice of lane, for any connection; else a
 * sentence says why, and the port still opens with one queue. A device that spreads nothing is not
 * believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_mbuf.h>
#include <rte_thash.h>
#include <stdalign.h>
#include <string.h>

#include <rill/types.h>

#include "eal.h"
#include "port.h"
#include "rng.h"
#include "rss.h"
#include "rss_calls.h"

#define QUEUES 4

/* ---- a NIC's RSS */

static struct {
	bool absent; /* the device itself answers */
	const char *driver; /* NULL: the device's own */
	uint16_t queues;
	uint64_t types;
	uint8_t key_len;
	uint16_t reta_size;
	bool refuses_key_on_configure, refuses_key, hides_key, hashes_addresses_only;
	bool refuses_reta, forgets_reta;
	alignas(uint32_t) uint8_t key[RSS_KEY_MOST]; /* DPDK reads it by words */
	uint16_t reta[2 * RSS_RETA_MOST];
} nic;

int
__wrap_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info)
{
	int err = __real_rte_eth_dev_info_get(id, info);

	if (nic.absent)
		return err;
	if (nic.driver != NULL)
		info->driver_name = nic.driver;
	info->max_rx_queues = info->max_tx_queues = nic.queues;
	info->flow_type_rss_offloads = nic.types;
	info->hash_key_size = nic.key_len;
	info->reta_size = nic.reta_size;
	return err;
}

int
__wrap_rte_eth_dev_configure(uint16_t id, uint16_t rx, uint16_t tx, const struct rte_eth_conf *conf)
{
	const struct rte_eth_rss_conf *rss = &conf->rx_adv_conf.rss_conf;

	if (conf->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) {
		assert_int_equal(rss->rss_hf & ~nic.types, 0);
		if (nic.refuses_key_on_configure && rss->rss_key != NULL)
			return -EINVAL;
	}
	return __real_rte_eth_dev_configure(id, rx, tx, conf);
}

int
__wrap_rte_eth_dev_rss_hash_update(uint16_t id, struct rte_eth_rss_conf *conf)
{
	if (nic.refuses_key)
		return -ENOTSUP;
	assert_int_equal(conf->rss_key_len, nic.key_len);
	memcpy(nic.key, conf->rss_key, nic.key_len);
	return 0;
}

int
__wrap_rte_eth_dev_rss_hash_conf_get(uint16_t id, struct rte_eth_rss_conf *conf)
{
	if (nic.hides_key)
		return -ENOTSUP;
	assert_true(conf->rss_key_len >= nic.key_len);
	memcpy(conf->rss_key, nic.key, nic.key_len);
	conf->rss_key_len = nic.key_len;
	conf->rss_hf = nic.hashes_addresses_only ? RTE_ETH_RSS_IPV4 : nic.types;
	return 0;
}

int
__wrap_rte_eth_dev_rss_reta_update(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size)
{
	if (nic.refuses_reta)
		return -ENOTSUP;
	assert_int_equal(size, nic.reta_size);
	for (unsigned int i = 0; i < size && !nic.forgets_reta; i++)
		if (groups[i / 64].mask >> i % 64 & 1)
			nic.reta[i] = groups[i / 64].reta[i % 64];
	return 0;
}

int
__wrap_rte_eth_dev_rss_reta_query(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size)
{
	assert_int_equal(size, nic.reta_size);
	for (unsigned int i = 0; i < size; i++)
		if (groups[i / 64].mask >> i % 64 & 1)
			groups[i / 64].reta[i % 64] = nic.reta[i];
	return 0;
}

/* Where it puts what arrives for this connection. */
static unsigned int
nic_queue(const struct tuple *tuple)
{
	unsigned int n = 0, addr_words = tuple->head.family == AF_INET ? 1 : 4;
	uint32_t words[9];

	if (addr_words == 1) {
		words[n++] = rte_be_to_cpu_32(tuple->head.raddr4);
		words[n++] = rte_be_to_cpu_32(tuple->head.laddr4);
	} else {
		rte_be32_t wire[8];

		memcpy(wire, tuple->addrs6.raddr, 16);
		memcpy(wire + 4, tuple->addrs6.laddr, 16);
		for (; n < 8; n++)
			words[n] = rte_be_to_cpu_32(wire[n]);
	}
	words[n++] = (uint32_t)rte_be_to_cpu_16(tuple->head.rport) << 16 |
		     rte_be_to_cpu_16(tuple->head.lport);
	return nic.reta[rte_softrss(words, n, nic.key) & (nic.reta_size - 1u)];
}

/* One that does all it says, with a key of its own until it gets another. */
static void
nic_reset(void)
{
	struct rng rng;

	memset(&nic, 0, sizeof(nic));
	nic.queues = 16;
	nic.types = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_FRAG_IPV4 |
		    RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	nic.key_len = 40;
	nic.reta_size = 128;
	rng_init(&rng, (struct siphash_key){7, 2});
	for (unsigned int i = 0; i < sizeof(nic.key); i++)
		nic.key[i] = (uint8_t)rng_next(&rng);
	for (unsigned int i = 0; i < sizeof(nic.reta) / sizeof(nic.reta[0]); i++)
		nic.reta[i] = UINT16_MAX;
}

/* ---- opening a port on it */

static const struct port_setup setup = {.name = "net_null3"};
static const uint8_t secret[32] = {1, 2, 3};
static struct rte_mempool *pools[QUEUES];
static struct steer steer;
static bool device_key;

static int
open_rss(struct port *port, unsigned int lanes)
{
	const struct port_queues queues = {.count = lanes, .rx_pools = pools, .steer = &steer};

	steer_init(&steer, secret, lanes);
	assert_int_equal(port_probe(port, &setup), 0);
	return port_open_rss(port, &setup, &queues, &device_key);
}

static void
expect_same_choice(unsigned int lanes)
{
	unsigned int counts[QUEUES] = {0};
	struct rng rng;

	rng_init(&rng, (struct siphash_key){1, 2});
	for (int i = 0; i < 2000; i++) {
		struct tuple tuple = {.head = {.rport = (uint16_t)rng_next(&rng),
					      .lport = (uint16_t)rng_next(&rng),
					      .family = i % 2 == 0 ? AF_INET : AF_INET6}};

		if (i % 2 == 0) {
			tuple.head.raddr4 = (uint32_t)rng_next(&rng);
			tuple.head.laddr4 = (uint32_t)rng_next(&rng);
		}
		for (unsigned int at = 0; at < sizeof(tuple.addrs6); at++)
			((uint8_t *)&tuple.addrs6)[at] = (uint8_t)rng_next(&rng);
		assert_in_range(nic_queue(&tuple), 0, lanes - 1);
		assert_int_equal(nic_queue(&tuple), steer_lane(&steer, &tuple));
		counts[nic_queue(&tuple)]++;
	}
	for (unsigned int i = 0; i < lanes; i++)
		assert_in_range(counts[i], 2000 / lanes / 2, 2000);
}

static void
expect_all_back(void)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(rte_mempool_in_use_count(pools[i]), 0);
}

/* RSS over several queues is refused with this in the sentence; one queue works as ever. */
static void
expect_refusal(const char *words)
{
	struct rte_mbuf *frames[PORT_BURST];
	struct port port;

	assert_int_equal(open_rss(&port, QUEUES), -ENOTSUP);
	if (strstr(rill_error(), words) == NULL || strstr(rill_error(), setup.name) == NULL)
		fail_msg("\"%s\" is not in: %s", words, rill_error());
	assert_false(port.running);
	if (port_open_ethdev(&port, &setup, pools[0]) != 0)
		fail_msg("%s", rill_error());
	assert_true(port.running);
	assert_int_equal(port.ops->rx(&port, frames, PORT_BURST), PORT_BURST);
	rte_pktmbuf_free_bulk(frames, PORT_BURST);
	port_close(&port);
	expect_all_back();
}

/* ---- the tests */

static void
test_nic_and_steer_agree_under_our_key(void **state)
{
	static const struct {
		uint8_t key_len;
		uint16_t reta_size;
		unsigned int lanes;
	} rows[] = {{40, 128, 4}, {52, 128, 4}, {40, 512, 4}, {52, 512, 3}, {40, 64, 3}, {40, 4, 3},
		{40, 128, 2}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port port;

		nic_reset();
		nic.key_len = rows[i].key_len;
		nic.reta_size = rows[i].reta_size;
		if (open_rss(&port, rows[i].lanes) != 0)
			fail_msg("%s", rill_error());
		assert_false(device_key);
		assert_memory_equal(nic.key, steer.key, nic.key_len);
		/* a table of few entries for three lanes gives one of them twice as much */
		if (rows[i].reta_size >= 64)
			expect_same_choice(rows[i].lanes);
		for (unsigned int at = 0; at < nic.reta_size; at++)
			assert_int_equal(nic.reta[at], steer_lane_of_hash(&steer, at));
		port_close(&port);
	}
	expect_all_back();
}

static void
test_the_steer_takes_the_key_of_a_nic_that_keeps_its_own(void **state)
{
	for (int round = 0; round < 2; round++) {
		struct port port;
		uint8_t own[RSS_KEY_MOST];

		nic_reset();
		memcpy(own, nic.key, sizeof(own));
		nic.refuses_key = true;
		nic.refuses_key_on_configure = round == 1;
		if (open_rss(&port, QUEUES) != 0)
			fail_msg("%s", rill_error());
		assert_true(device_key);
		assert_memory_equal(steer.key, own, nic.key_len);
		expect_same_choice(QUEUES);
		port_close(&port);
	}
}

static void
test_a_key_that_is_not_known_or_not_fit_is_none(void **state)
{
	nic_reset();
	nic.hides_key = true;
	expect_refusal("does not tell the key");
	nic_reset();
	nic.refuses_key = nic.hides_key = true;
	expect_refusal("does not tell the key");
	nic_reset();
	nic.hashes_addresses_only = true;
	expect_refusal("does not hash TCP");
	nic_reset();
	nic.refuses_key = true;
	memset(nic.key, 0, sizeof(nic.key)); /* everything would go to one queue */
	expect_refusal("does not take a key");
}

static void
test_a_table_that_is_not_the_steers_is_none(void **state)
{
	static const uint16_t sizes[] = {0, 2, 100, 4096};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		nic_reset();
		nic.reta_size = sizes[i];
		expect_refusal("table of");
	}
	nic_reset();
	nic.refuses_reta = true;
	expect_refusal("does not take a table");
	nic_reset();
	nic.forgets_reta = true;
	expect_refusal("does not tell the table");
}

static void
test_a_device_that_does_not_claim_enough_is_not_asked(void **state)
{
	nic_reset();
	nic.queues = QUEUES - 1;
	expect_refusal("3 RX and 3 TX queues");
	nic_reset();
	nic.types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	expect_refusal("no RSS of TCP");
	nic_reset();
	nic.key_len = 39;
	expect_refusal("39 bytes");
	nic_reset();
	nic.key_len = 53;
	expect_refusal("53 bytes");
	/* A driver that is known to do nothing of what it takes. */
	nic_reset();
	nic.driver = "net_tap";
	expect_refusal("no RSS that works");
	/* The null device itself claims RSS, and spreads nothing. */
	nic_reset();
	nic.absent = true;
	expect_refusal("key of 0 bytes");
}

/* Queues that fill without RSS, as many as there are. */
static void
test_some_devices_are_spread_anyway(void **state)
{
	static const struct {
		const char *driver;
		bool is;
	} rows[] = {{"net_memif", true}, {"net_vhost", true}, {"net_virtio_user", true},
		{"net_af_packet", true}, {"net_virtio", true}, {"net_tap", false}, {"net_e1000_igb_vf", false},
		{"net_null", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port port;

		nic_reset();
		nic.driver = rows[i].driver;
		nic.queues = QUEUES;
		assert_int_equal(port_probe(&port, &setup), 0);
		assert_int_equal(port_is_spread_anyway(&port, QUEUES), rows[i].is);
		assert_false(port_is_spread_anyway(&port, QUEUES + 1));
		port_close(&port);
	}
}

/* Each queue has its own buffers, which all come back when the port closes. */
static void
test_each_queue_is_a_port(void **state)
{
	struct port ports[QUEUES];
	struct rte_mbuf *frames[PORT_BURST];

	nic_reset();
	if (open_rss(&ports[0], QUEUES) != 0)
		fail_msg("%s", rill_error());
	for (uint16_t i = 1; i < QUEUES; i++)
		port_of_queue(&ports[i], &ports[0], i);
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(ports[i].ops->rx(&ports[i], frames, PORT_BURST), PORT_BURST);
		for (unsigned int k = 0; k < PORT_BURST; k++)
			assert_ptr_equal(frames[k]->pool, pools[i]);
		assert_int_equal(ports[i].ops->tx(&ports[i], frames, PORT_BURST), PORT_BURST);
	}
	for (unsigned int i = QUEUES; i-- > 1;)
		port_close(&ports[i]);
	assert_int_equal(ports[0].ops->rx(&ports[0], frames, PORT_BURST), PORT_BURST);
	rte_pktmbuf_free_bulk(frames, PORT_BURST);
	port_close(&ports[0]);
	expect_all_back();
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m128", "--log-level=*:critical"};
	const struct eal_setup eal = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nic_and_steer_agree_under_our_key),
		cmocka_unit_test(test_the_steer_takes_the_key_of_a_nic_that_keeps_its_own),
		cmocka_unit_test(test_a_key_that_is_not_known_or_not_fit_is_none),
		cmocka_unit_test(test_a_table_that_is_not_the_steers_is_none),
		cmocka_unit_test(test_a_device_that_does_not_claim_enough_is_not_asked),
		cmocka_unit_test(test_some_devices_are_spread_anyway),
		cmocka_unit_test(test_each_queue_is_a_port),
	};

	if (eal_start(&eal) != 0)
		return 1;
	for (unsigned int i = 0; i < QUEUES; i++) {
		char name[] = {'q', (char)('0' + i), 0};

		pools[i] = rte_pktmbuf_pool_create(name, 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
		if (pools[i] == NULL)
			return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
