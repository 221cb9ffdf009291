/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes for embedders: EAL starts by itself, a lane can be made and ended a thousand times without
 * anything being left, two live side by side; the same secret gives the same bytes; frames are taken
 * in order and in bites; what cannot be is refused with a sentence and leaves nothing behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_ether.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <string.h>

#include <rill/lane.h>
#include <rill/stats.h>

#define LANES 1000
#define NOW 5000000

static const uint8_t secret[RILL_SECRET_LEN] = {1, 2, 3};

static void
small_config(struct rill_lane_config *config)
{
	rill_lane_config_default(config);
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config->addrs[0]), 0);
	assert_int_equal(rill_prefix_parse("198.51.100.1/24", &config->addrs[1]), 0);
	config->addrs_count = 2;
	config->limits.max_conns = 64;
	config->limits.buffers = 512;
	config->secret = secret;
}

static struct rill_lane *
make(const struct rill_lane_config *config)
{
	struct rill_lane *lane = NULL;

	if (rill_lane_create(config, &lane) != 0)
		fail_msg("%s", rill_error());
	assert_non_null(lane);
	return lane;
}

/* The first turn announces the lane's addresses [5227]. */
static unsigned int
first_frames(struct rill_lane *lane, struct rte_mbuf *out[], unsigned int cap)
{
	assert_true(rill_lane_turn(lane, NOW, NULL, 0) >= 0);
	return rill_lane_take(lane, out, cap);
}

static void
expect_same(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	assert_int_equal(a->pkt_len, b->pkt_len);
	assert_int_equal(a->data_len, b->data_len);
	assert_memory_equal(rte_pktmbuf_mtod(a, void *), rte_pktmbuf_mtod(b, void *), a->data_len);
}

struct usage {
	struct rte_malloc_socket_stats heap;
	unsigned int pools;
};

static void
count_pool(struct rte_mempool *pool, void *arg)
{
	(*(unsigned int *)arg)++;
}

static struct usage
usage(void)
{
	struct usage now = {.pools = 0};

	assert_int_equal(rte_malloc_get_socket_stats((int)rte_socket_id(), &now.heap), 0);
	rte_mempool_walk(count_pool, &now.pools);
	return now;
}

static void
expect_usage(const struct usage *before)
{
	struct usage now = usage();

	assert_int_equal(now.pools, before->pools);
	assert_int_equal(now.heap.alloc_count, before->heap.alloc_count);
	assert_int_equal(now.heap.heap_allocsz_bytes, before->heap.heap_allocsz_bytes);
}

static void
test_a_thousand_lanes_leave_nothing(void **state)
{
	struct rill_lane_config config;
	struct usage before;

	small_config(&config);
	assert_int_equal(rte_lcore_count(), 0);
	rill_lane_destroy(make(&config));
	assert_int_equal(rte_lcore_count(), 1); /* EAL runs now */
	before = usage();
	for (int i = 0; i < LANES; i++) {
		struct rill_lane *lane = make(&config);

		rill_lane_turn(lane, NOW, NULL, 0); /* with frames that nobody takes */
		rill_lane_destroy(lane);
	}
	expect_usage(&before);
}

static void
test_the_same_secret_gives_the_same_bytes(void **state)
{
	struct rill_lane_config config;
	struct rte_mbuf *a[8], *b[8], *c[8];
	struct rill_lane *lanes[3];
	const struct rte_ether_hdr *ether;
	unsigned int n;

	small_config(&config);
	lanes[0] = make(&config);
	lanes[1] = make(&config);
	config.secret = NULL; /* from the system */
	lanes[2] = make(&config);
	n = first_frames(lanes[0], a, 8);
	assert_int_equal(n, 2);
	assert_int_equal(first_frames(lanes[1], b, 8), n);
	assert_int_equal(first_frames(lanes[2], c, 8), n);
	for (unsigned int i = 0; i < n; i++) {
		expect_same(a[i], b[i]);
		assert_memory_not_equal(rte_pktmbuf_mtod(a[i], void *), rte_pktmbuf_mtod(c[i], void *),
			a[i]->data_len);
	}
	ether = rte_pktmbuf_mtod(a[0], const struct rte_ether_hdr *);
	assert_true(rte_is_local_admin_ether_addr(&ether->src_addr));
	assert_true(rte_is_unicast_ether_addr(&ether->src_addr));
	rte_pktmbuf_free_bulk(a, n);
	rte_pktmbuf_free_bulk(b, n);
	rte_pktmbuf_free_bulk(c, n);
	for (int i = 0; i < 3; i++)
		rill_lane_destroy(lanes[i]);
}

/* Two lanes say the same; from one the frames are taken at once, from the other one by one. */
/* The initial sequence number of a SYN to a given peer from a given port. */
static uint32_t
syn_number(const uint8_t *with_secret)
{
	static const struct rill_handler handler = {.on_open = NULL};
	struct rill_lane_config config;
	struct rill_endpoint local = {.port = 5000}, remote = {.port = 80};
	struct rill_lane *lane;
	struct rill_conn *conn;
	struct rte_mbuf *frame;
	rte_be32_t number;

	small_config(&config);
	config.ethernet = false;
	config.secret = with_secret;
	lane = make(&config);
	assert_int_equal(rill_addr_parse("192.0.2.9", &remote.addr), 0);
	assert_true(rill_lane_turn(lane, NOW, NULL, 0) >= 0);
	assert_int_equal(rill_connect(lane, &local, &remote, NULL, &handler, NULL, &conn), 0);
	assert_true(rill_lane_turn(lane, NOW, NULL, 0) >= 0);
	assert_int_equal(rill_lane_take(lane, &frame, 1), 1);
	memcpy(&number, rte_pktmbuf_mtod_offset(frame, void *, 20 + 4), sizeof(number));
	rte_pktmbuf_free(frame);
	rill_lane_destroy(lane);
	return rte_be_to_cpu_32(number);
}

static void
test_sequence_numbers_come_from_the_secret(void **state)
{
	/* [RFC6528-3, RFC6528-5, SHLD-1, MUST-9] Lanes that share 256 bits of secret and the clock agree;
	 * without one the system gives another each time. */
	uint32_t first = syn_number(NULL), second = syn_number(NULL), third = syn_number(NULL);

	assert_true(RILL_SECRET_LEN * 8 >= 128);
	assert_int_equal(syn_number(secret), syn_number(secret));
	assert_false(first == second && second == third);
	assert_int_not_equal(first, syn_number(secret));
}

static void
test_frames_are_taken_in_order_and_in_bites(void **state)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 9};
	struct rill_lane_config config;
	struct rte_mbuf *whole[4], *out[4];
	struct rill_lane *lane, *other;
	struct rill_stats stats;

	small_config(&config);
	memcpy(config.mac, mac, sizeof(mac));
	other = make(&config);
	lane = make(&config);
	assert_int_equal(first_frames(other, whole, 4), 2);
	assert_int_equal(first_frames(lane, out, 1), 1);
	assert_int_equal(rill_lane_take(lane, out + 1, 0), 0);
	assert_int_equal(rill_lane_take(lane, out + 1, 3), 1);
	assert_int_equal(rill_lane_take(lane, out + 2, 2), 0);
	expect_same(out[0], whole[0]);
	expect_same(out[1], whole[1]);
	assert_memory_equal(rte_pktmbuf_mtod(out[0], const struct rte_ether_hdr *)->src_addr.addr_bytes,
		mac, sizeof(mac));
	rill_lane_stats_read(lane, &stats);
	assert_int_equal(stats.tx_packets, 2);
	assert_int_equal(stats.tx_bytes, out[0]->pkt_len + out[1]->pkt_len);
	assert_int_equal(stats.mbufs, 2);
	rte_pktmbuf_free_bulk(out, 2);
	rte_pktmbuf_free_bulk(whole, 2);
	rill_lane_stats_read(lane, &stats);
	assert_int_equal(stats.mbufs, 0);
	rill_lane_destroy(lane);
	rill_lane_destroy(other);
	rill_lane_destroy(NULL);
}

static void
test_refusals_leave_nothing(void **state)
{
	struct rill_lane_config config;
	struct rill_lane *lane, *named;
	struct usage before;

	small_config(&config);
	config.name = "mine";
	named = make(&config);
	before = usage();
	assert_int_equal(rill_lane_create(&config, &lane), -EINVAL);
	assert_null(lane);
	assert_non_null(strstr(rill_error(), "name: \"mine\""));
	expect_usage(&before);
	config.name = NULL;
	config.limits.buffers = 1u << 24; /* more than there is */
	assert_int_equal(rill_lane_create(&config, &lane), -ENOMEM);
	assert_null(lane);
	assert_non_null(strstr(rill_error(), "limits.buffers: no memory for 16777216"));
	expect_usage(&before);
	config.limits.buffers = 0;
	config.limits.max_conns = 1u << 28;
	assert_int_equal(rill_lane_create(&config, &lane), -ENOMEM);
	assert_null(lane);
	assert_non_null(strstr(rill_error(), "max_conns"));
	expect_usage(&before);
	rill_lane_destroy(named);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thousand_lanes_leave_nothing),
		cmocka_unit_test(test_the_same_secret_gives_the_same_bytes),
		cmocka_unit_test(test_sequence_numbers_come_from_the_secret),
		cmocka_unit_test(test_frames_are_taken_in_order_and_in_bites),
		cmocka_unit_test(test_refusals_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
