/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is told of a device by what it says that it can do: in hardware what it offers, in software what it
 * does not, or is known to do wrong; rings that are not what was asked for. And of a link, that of DPDK's
 * null device, which is up. And how buffers lie that a device is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "device.h"
#include "eal.h"
#include "fake_root.h"
#include "pool_owner.h"
#include "port.h"

#define RX_ALL (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_ALL                                                                                     \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

static const struct port port = {.name = "a nic", .mtu = 1500, .rx_desc = 512, .tx_desc = 256};

static struct rte_eth_dev_info
device(const char *driver, uint64_t rx, uint64_t tx)
{
	return (struct rte_eth_dev_info){.driver_name = driver,
		.min_mtu = 68,
		.max_mtu = 9000,
		.max_rx_queues = 8,
		.max_tx_queues = 4,
		.rx_offload_capa = rx,
		.tx_offload_capa = tx,
		.rx_desc_lim = {.nb_max = 512, .nb_min = 64, .nb_align = 8},
		.tx_desc_lim = {.nb_max = 4096, .nb_min = 32, .nb_align = 1}};
}

static void
look(const struct rte_eth_dev_info *info, const struct port_setup *asked)
{
	struct check check = fake_check("nic0");

	device_check(&check, info, &port, asked);
	assert_int_equal(check.err, 0);
}

static void
test_what_is_offered_is_used(void **state)
{
	static const struct port_setup asked = {.name = "nic0"};
	struct rte_eth_dev_info info = device("net_nic", RX_ALL, TX_ALL | RTE_ETH_TX_OFFLOAD_TCP_TSO);

	look(&info, &asked);
	fake_expect(RILL_CHECK_OK, "nic0: device", "net_nic", "8 RX and 4 TX queues");
	fake_expect(RILL_CHECK_OK, "MTU: 1500", "68 .. 9000", NULL);
	fake_expect(RILL_CHECK_OK, "RX descriptors: 512", "64 .. 512", NULL);
	fake_expect(RILL_CHECK_OK, "TX descriptors: 256", "32 .. 4096", NULL);
	fake_expect(RILL_CHECK_OK, "checksums in: in hardware", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "IPv4 checksums out: in hardware", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "TCP checksums out: in hardware", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "chained buffers out: in hardware", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "segmentation: in hardware", "64 KiB", NULL);
}

/* Offered, but switched off; without what it takes; by a device that takes three buffers, or with a ring
 * that a frame would fill. */
static void
test_segmentation_that_is_not_used(void **state)
{
	static const struct port_setup off = {.name = "nic0", .tso_off = true}, asked = {.name = "nic0"};
	const uint64_t tx = TX_ALL | RTE_ETH_TX_OFFLOAD_TCP_TSO;
	struct rte_eth_dev_info info = device("net_nic", RX_ALL, tx);

	look(&info, &off);
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation: tso is off", "though the device could", NULL);
	info.tx_offload_capa = tx & ~(uint64_t)RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	look(&info, &asked);
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation", "but not the checksums", NULL);
	info.tx_offload_capa = tx & ~(uint64_t)RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	look(&info, &asked);
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation", "chained buffers", NULL);
	info.tx_offload_capa = tx;
	info.tx_desc_lim.nb_seg_max = 3;
	look(&info, &asked);
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation", "3 buffers in one frame", NULL);
	info.tx_desc_lim.nb_seg_max = 0; /* no limit */
	assert_int_equal(port_tso_chain_max(&info, 1024), PORT_TSO_CHAIN_MAX);
	assert_int_equal(port_tso_chain_max(&info, 128), 32);
	info.tx_desc_lim.nb_seg_max = 40;
	assert_int_equal(port_tso_chain_max(&info, 1024), 40);
}

static void
test_what_is_not_is_done_in_software(void **state)
{
	static const struct port_setup asked = {.name = "nic0"};
	/* Half of what verifying takes is none of it. */
	struct rte_eth_dev_info info = device("net_nic", RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, 0);

	look(&info, &asked);
	fake_expect(RILL_CHECK_SOFTWARE, "checksums in", "does not", "Rill verifies");
	fake_expect(RILL_CHECK_SOFTWARE, "IPv4 checksums out", "does not", "Rill computes");
	fake_expect(RILL_CHECK_SOFTWARE, "TCP checksums out", "does not", "Rill computes");
	fake_expect(RILL_CHECK_SOFTWARE, "chained buffers out", "does not", "Rill copies");
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation: the device does not do it", "Rill cuts", NULL);
}

static void
test_what_a_driver_does_wrong_is_not_used(void **state)
{
	static const struct port_setup asked = {.name = "net_tap0"};
	struct rte_eth_dev_info info = device("net_tap", RX_ALL, TX_ALL | RTE_ETH_TX_OFFLOAD_TCP_TSO);

	look(&info, &asked);
	fake_expect(RILL_CHECK_SOFTWARE, "segmentation", "but not the checksums", NULL);
	fake_expect(RILL_CHECK_SOFTWARE, "TCP checksums out", "known to do it wrong", "Rill computes");
	fake_expect(RILL_CHECK_OK, "IPv4 checksums out", NULL, NULL);
}

static void
test_rings_of_another_size_than_asked(void **state)
{
	static const struct port_setup asked = {.name = "nic0", .rx_desc = 4096, .tx_desc = 256};
	struct rte_eth_dev_info info = device("net_nic", 0, 0);

	look(&info, &asked);
	fake_expect(RILL_CHECK_MISSING, "RX descriptors: 512 instead of 4096", "64 .. 512", "steps of 8");
	fake_expect(RILL_CHECK_OK, "TX descriptors: 256", NULL, NULL);
}

static void
test_link(void **state)
{
	static const struct port_setup setup = {.name = "net_null5"};
	struct rte_mempool *pool = rte_pktmbuf_pool_create("frames", 2047, 0, 0, 2176, -1);
	struct check check = fake_check("net_null5");
	struct port null;

	assert_int_equal(port_probe(&null, &setup), 0);
	assert_int_equal(port_open_ethdev(&null, &setup, pool), 0);
	device_check_link(&check, &null);
	fake_expect(RILL_CHECK_OK, "link: up, 10000 Mbit/s", NULL, NULL);
	rte_eth_dev_set_link_down(null.ethdev_id);
	rte_eth_dev_stop(null.ethdev_id);
	check = fake_check("net_null5");
	device_check_link(&check, &null);
	fake_expect(RILL_CHECK_MISSING, "link: it is down", "cable", "PF up");
	port_close(&null);
}

static void
take_address(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	uintptr_t *ends = arg;

	ends[0] = index == 0 || (uintptr_t)object < ends[0] ? (uintptr_t)object : ends[0];
	ends[1] = index == 0 || (uintptr_t)object > ends[1] ? (uintptr_t)object : ends[1];
}

/* net_af_xdp tells the kernel of as much memory as that takes. */
static void
test_a_pool_has_no_gaps_where_addresses_are_virtual(void **state)
{
	struct rte_mempool *pool = pool_owner_create("packed", 2047, 0, 2176, -1);
	uintptr_t ends[2] = {0};

	assert_non_null(pool);
	assert_int_equal(rte_mempool_obj_iter(pool, take_address, ends), 2047);
	assert_int_equal(ends[1] - ends[0],
		2046ull * rte_mempool_calc_obj_size(pool->elt_size, pool->flags, NULL));
	assert_int_equal(rte_pktmbuf_data_room_size(pool), 2176);
	rte_mempool_free(pool);
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m128", "--log-level=*:critical"};
	const struct eal_setup setup = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_offered_is_used),
		cmocka_unit_test(test_segmentation_that_is_not_used),
		cmocka_unit_test(test_what_is_not_is_done_in_software),
		cmocka_unit_test(test_what_a_driver_does_wrong_is_not_used),
		cmocka_unit_test(test_rings_of_another_size_than_asked),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_a_pool_has_no_gaps_where_addresses_are_virtual),
	};

	return eal_start(&setup) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
