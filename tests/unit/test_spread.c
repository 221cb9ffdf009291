/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three lanes on a port with one queue (DPDK's ring device, which receives what it sends): each
 * gets the segments of its connections, in order, in buffers of its own pool; what is no segment
 * stays with the carrier; what lanes send leaves in one piece and in order; who is behind loses
 * frames up to a bound, and nobody else does; a NIC that takes little takes as much of each, and from
 * one that takes nothing nothing is left waiting; every buffer comes back to its pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <string.h>

#include <rill/types.h>

#include "counters.h"
#include "eal.h"
#include "netif.h"
#include "spread.h"

#define LANES 3
#define FRAMES 2047
#define FRAME_LEN 70

struct tcp_frame {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
	uint8_t payload[FRAME_LEN - 54];
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct tcp_frame) == FRAME_LEN, "as on the wire");

static struct rte_mempool *pools[LANES], *blank_pool;
static struct counters counters[LANES];
static struct port ports[LANES];
static struct spreader *spreader;
static struct steer steer;
static uint32_t now_us;

static int
begin(void **state)
{
	static const struct port_setup port = {.name = "net_ring7"};
	static const uint8_t secret[32] = {1};
	const struct spread_setup setup = {.name = "test",
		.numa_node = -1,
		.lanes = LANES,
		.steer = &steer,
		.blank_pool = blank_pool};

	memset(counters, 0, sizeof(counters));
	steer_init(&steer, secret, LANES);
	if (port_probe(&ports[0], &port) != 0 || port_open_ethdev(&ports[0], &port, pools[0]) != 0)
		return -1;
	spreader = spreader_create(&setup);
	if (spreader == NULL)
		return -1;
	spread_carrier(&ports[0], spreader);
	for (unsigned int i = 0; i < LANES; i++) {
		if (i > 0)
			spread_port(&ports[i], &ports[0], i, pools[i]);
		ports[i].counters = &counters[i];
	}
	return 0;
}

static int
end(void **state)
{
	spreader_destroy(spreader);
	for (int i = LANES - 1; i >= 0; i--)
		port_close(&ports[i]);
	for (int i = 0; i < LANES; i++)
		assert_int_equal(rte_mempool_in_use_count(pools[i]), 0);
	assert_int_equal(rte_mempool_in_use_count(blank_pool), 0);
	return 0;
}

static struct tcp_frame
segment(uint16_t rport, uint8_t mark)
{
	struct tcp_frame frame = {
		.ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.ip = {.version_ihl = 0x45,
			.total_length = rte_cpu_to_be_16(FRAME_LEN - RTE_ETHER_HDR_LEN),
			.next_proto_id = IPPROTO_TCP,
			.src_addr = rte_cpu_to_be_32(0x0a000001),
			.dst_addr = rte_cpu_to_be_32(0x0a000002)},
		.tcp = {.src_port = rte_cpu_to_be_16(rport), .dst_port = rte_cpu_to_be_16(80)},
	};

	memset(frame.payload, mark, sizeof(frame.payload));
	return frame;
}

static unsigned int
lane_of_port(uint16_t rport)
{
	struct tcp_frame frame = segment(rport, 0);
	struct tuple tuple = {.head = {.laddr4 = frame.ip.dst_addr,
		.raddr4 = frame.ip.src_addr,
		.lport = frame.tcp.dst_port,
		.rport = frame.tcp.src_port,
		.family = AF_INET}};

	return steer_lane(&steer, &tuple);
}

/* A port of the peer's whose connections are this lane's. */
static uint16_t
port_of_lane(unsigned int lane)
{
	uint16_t port = 5000;

	while (lane_of_port(port) != lane)
		port++;
	return port;
}

/* A frame on the wire. */
static void
arrive(const void *bytes, uint16_t len)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pools[0]);

	memcpy(rte_pktmbuf_append(frame, len), bytes, len);
	assert_int_equal(rte_eth_tx_burst(ports[0].ethdev_id, 0, &frame, 1), 1);
}

static uint16_t
receive(unsigned int lane, struct rte_mbuf **frames)
{
	return ports[lane].ops->rx(&ports[lane], frames, PORT_BURST);
}

static void
test_each_lane_gets_its_own_in_order(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];
	uint8_t next[LANES] = {0};

	for (uint8_t i = 0; i < 20; i++)
		for (unsigned int lane = 0; lane < LANES; lane++) {
			struct tcp_frame frame = segment(port_of_lane(lane), i);

			arrive(&frame, sizeof(frame));
		}
	for (unsigned int lane = 0; lane < LANES; lane++) {
		uint16_t n = receive(lane, frames);

		assert_int_equal(n, 20);
		for (uint16_t i = 0; i < n; i++) {
			const struct tcp_frame *frame =
				rte_pktmbuf_mtod(frames[i], struct tcp_frame *);

			assert_ptr_equal(frames[i]->pool, pools[lane]);
			assert_int_equal(frames[i]->pkt_len, FRAME_LEN);
			assert_int_equal(rte_be_to_cpu_16(frame->tcp.src_port), port_of_lane(lane));
			assert_int_equal(frame->payload[0], next[lane]++);
		}
		rte_pktmbuf_free_bulk(frames, n);
	}
	assert_int_equal(counters[0].frames_handed, 2 * 20);
	/* What was lent has come back when the carrier looks the next time. */
	assert_int_equal(rte_mempool_in_use_count(pools[0]), 2 * 20);
	assert_int_equal(receive(0, frames), 0);
	assert_int_equal(rte_mempool_in_use_count(pools[0]), 0);
}

static void
expect_stays_here(struct tcp_frame frame, uint16_t len, const char *what)
{
	struct rte_mbuf *got[PORT_BURST];

	arrive(&frame, len);
	if (receive(0, got) != 1 || receive(1, got + 1) + receive(2, got + 1) != 0)
		fail_msg("%s went elsewhere", what);
	rte_pktmbuf_free(got[0]);
}

static void
test_what_is_no_segment_stays_with_the_carrier(void **state)
{
	struct tcp_frame good = segment(port_of_lane(1), 0), bad;

	bad = good;
	bad.ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	expect_stays_here(bad, FRAME_LEN, "ARP");
	bad = good;
	bad.ip.next_proto_id = IPPROTO_ICMP;
	expect_stays_here(bad, FRAME_LEN, "ICMP");
	bad = good;
	bad.ip.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG);
	expect_stays_here(bad, FRAME_LEN, "the first fragment");
	bad = good;
	bad.ip.fragment_offset = rte_cpu_to_be_16(100);
	expect_stays_here(bad, FRAME_LEN, "a later fragment");
	bad = good;
	bad.ip.version_ihl = 0x44;
	expect_stays_here(bad, FRAME_LEN, "a short IP header");
	bad.ip.version_ihl = 0x4f;
	expect_stays_here(bad, FRAME_LEN, "an IP header that ends beyond the frame");
	for (uint16_t len = 1; len < RTE_ETHER_HDR_LEN + 20 + 4; len++)
		expect_stays_here(good, len, "a truncated frame");
}

/* A priority tag and IP options move the ports, which are found all the same. */
static void
test_tags_and_options_are_passed_over(void **state)
{
	static const char *const tags[] = {"\x81\x00\xe0\x00\x08\x00", "\x88\xa8\xe0\x00\x08\x00"};
	struct tcp_frame frame = segment(port_of_lane(1), 7);
	uint8_t bytes[FRAME_LEN + 8] = {0};

	memcpy(bytes, &frame, 12);
	memcpy(bytes + 18, &frame.ip, 20);
	bytes[18] = 0x46;
	memset(bytes + 38, 1, 4); /* NOPs */
	memcpy(bytes + 42, &frame.tcp, FRAME_LEN - 34);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct rte_mbuf *got[PORT_BURST];

		memcpy(bytes + 12, tags[i], 6);
		arrive(bytes, sizeof(bytes));
		assert_int_equal(receive(0, got), 0);
		assert_int_equal(receive(1, got), 1);
		assert_memory_equal(rte_pktmbuf_mtod(got[0], void *), bytes, sizeof(bytes));
		rte_pktmbuf_free(got[0]);
	}
}

static void
test_who_is_behind_loses_what_is_beyond_the_bound(void **state)
{
	struct tcp_frame slow = segment(port_of_lane(1), 0), quick = segment(port_of_lane(2), 0);
	struct rte_mbuf *got[PORT_BURST];
	uint32_t n = 0, one;

	for (int i = 0; i < SPREAD_LOANS + 10; i++) {
		arrive(&slow, sizeof(slow));
		arrive(&quick, sizeof(quick));
		assert_int_equal(receive(0, got), 0);
		assert_int_equal(receive(2, got), 1);
		rte_pktmbuf_free(got[0]);
	}
	assert_int_equal(counters[0].drops[RILL_DROP_spread_full], 10);
	for (; (one = receive(1, got)) > 0; n += one)
		rte_pktmbuf_free_bulk(got, one);
	assert_int_equal(n, SPREAD_LOANS);
	/* It has caught up, and gets frames again once the carrier has seen that. */
	arrive(&slow, sizeof(slow));
	assert_int_equal(receive(0, got), 0);
	assert_int_equal(receive(1, got), 1);
	rte_pktmbuf_free(got[0]);
}

static void
test_without_a_buffer_of_its_own_a_lane_drops(void **state)
{
	static struct rte_mbuf *all[FRAMES];
	struct tcp_frame frame = segment(port_of_lane(1), 0);
	struct rte_mbuf *got[PORT_BURST];

	assert_int_equal(rte_pktmbuf_alloc_bulk(pools[1], all, FRAMES), 0);
	arrive(&frame, sizeof(frame));
	assert_int_equal(receive(0, got), 0);
	assert_int_equal(receive(1, got), 0);
	assert_int_equal(counters[1].drops[RILL_DROP_no_mbuf], 1);
	rte_pktmbuf_free_bulk(all, FRAMES);
}

/* A turn of a carrier that has nothing of its own to send. */
static uint32_t
carry(void)
{
	uint32_t sent = ports[0].ops->carry(&ports[0], false, now_us);

	return sent + ports[0].ops->carry(&ports[0], true, now_us);
}

/* A chain of two, whose first may be shared with others: only its bytes are taken. */
static struct rte_mbuf *
chain(unsigned int lane, uint8_t mark)
{
	struct tcp_frame frame = segment(port_of_lane(0), mark); /* back to the carrier */
	struct rte_mbuf *head = rte_pktmbuf_alloc(pools[lane]),
			*tail = rte_pktmbuf_alloc(pools[lane]);

	memcpy(rte_pktmbuf_append(head, 54), &frame, 54);
	memcpy(rte_pktmbuf_append(tail, FRAME_LEN - 54), frame.payload, FRAME_LEN - 54);
	assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
	return head;
}

static void
test_what_a_lane_sends_leaves_in_order(void **state)
{
	struct rte_mbuf *frames[PORT_BURST], *got[PORT_BURST];

	for (uint8_t i = 0; i < 20; i++)
		frames[i] = chain(1, i);
	assert_int_equal(ports[1].ops->tx(&ports[1], frames, 20), 20);
	assert_int_equal(rte_mempool_in_use_count(pools[1]), 0);
	assert_int_equal(receive(0, got), 0);
	assert_int_equal(carry(), 20);
	assert_int_equal(receive(0, got), 20);
	for (uint8_t i = 0; i < 20; i++) {
		struct tcp_frame want = segment(port_of_lane(0), i);

		assert_ptr_equal(got[i]->pool, blank_pool);
		assert_int_equal(got[i]->nb_segs, 1);
		assert_int_equal(got[i]->pkt_len, FRAME_LEN);
		assert_memory_equal(rte_pktmbuf_mtod(got[i], void *), &want, FRAME_LEN);
	}
	rte_pktmbuf_free_bulk(got, 20);
}

/* Without blanks a lane waits; it gets more as the carrier sends what it wrote. */
static void
test_a_lane_waits_for_blanks(void **state)
{
	struct rte_mbuf *frame, *got[PORT_BURST];
	unsigned int taken = 0, back = 0, n;

	for (;; taken++) {
		frame = chain(2, 0);
		if (ports[2].ops->tx(&ports[2], &frame, 1) == 0)
			break;
	}
	assert_int_equal(taken, SPREAD_LOANS);
	while (carry() > 0)
		for (; (n = receive(0, got)) > 0; back += n)
			rte_pktmbuf_free_bulk(got, n);
	assert_int_equal(back, SPREAD_LOANS);
	assert_int_equal(ports[2].ops->tx(&ports[2], &frame, 1), 1);
}

/* ---- a NIC that takes little */

static uint16_t appetite; /* what the NIC takes in this turn */
static const struct rte_eth_rxtx_callback *appetite_callback;

static uint16_t
eat(uint16_t port, uint16_t queue, struct rte_mbuf *frames[], uint16_t n, void *arg)
{
	n = RTE_MIN(n, appetite);
	appetite -= n;
	return n;
}

static int
begin_hungry(void **state)
{
	if (begin(state) != 0)
		return -1;
	appetite = UINT16_MAX;
	appetite_callback = rte_eth_add_tx_callback(ports[0].ethdev_id, 0, eat, NULL);
	return appetite_callback == NULL ? -1 : 0;
}

static int
end_hungry(void **state)
{
	rte_eth_remove_tx_callback(ports[0].ethdev_id, 0, appetite_callback);
	return end(state);
}

/* As many as the port takes of this lane's frames, which are marked with its number. */
static void
send_what_goes(unsigned int lane, unsigned int most)
{
	struct rte_mbuf *frame;

	for (unsigned int i = 0; i < most; i++) {
		frame = chain(lane, (uint8_t)lane);
		if (ports[lane].ops->tx(&ports[lane], &frame, 1) == 1)
			continue;
		rte_pktmbuf_free(frame);
		return;
	}
}

/* What the lanes of the mask got through a NIC that takes `bite` frames in each of so many turns. */
static void
send_under_pressure(unsigned int mask, uint16_t bite, unsigned int turns, unsigned int got[LANES])
{
	struct rte_mbuf *sent[PORT_BURST];
	uint16_t n;

	memset(got, 0, LANES * sizeof(got[0]));
	for (unsigned int turn = 0; turn < turns; turn++) {
		for (unsigned int lane = 1; lane < LANES; lane++)
			if (mask & (1u << lane))
				send_what_goes(lane, UINT16_MAX);
		appetite = bite;
		ports[0].ops->carry(&ports[0], false, now_us);
		if (mask & 1)
			send_what_goes(0, UINT16_MAX);
		ports[0].ops->carry(&ports[0], true, now_us);
		while ((n = rte_eth_rx_burst(ports[0].ethdev_id, 0, sent, PORT_BURST)) > 0) {
			for (uint16_t i = 0; i < n; i++) {
				uint8_t copy;

				got[*(const uint8_t *)rte_pktmbuf_read(
					sent[i], FRAME_LEN - 1, 1, &copy)]++;
			}
			rte_pktmbuf_free_bulk(sent, n);
		}
	}
}

static void
test_a_slow_nic_takes_as_much_of_each_lane(void **state)
{
	static const uint16_t bites[] = {1, 8, 64, 100};
	unsigned int got[LANES];

	for (size_t i = 0; i < sizeof(bites) / sizeof(bites[0]); i++)
		for (unsigned int mask = 3; mask < 1u << LANES; mask++) {
			unsigned int most = 0, least = UINT32_MAX;

			if (__builtin_popcount(mask) < 2)
				continue;
			send_under_pressure(mask, bites[i], 40 * PORT_BURST, got);
			for (unsigned int lane = 0; lane < LANES; lane++) {
				if (!(mask & (1u << lane)))
					continue;
				most = RTE_MAX(most, got[lane]);
				least = RTE_MIN(least, got[lane]);
			}
			if (most - least > 2 * PORT_BURST)
				fail_msg("%u in each turn, lanes %x: %u, %u and %u", bites[i], mask, got[0],
					got[1], got[2]);
		}
}

static unsigned int
count_sent(void)
{
	struct rte_mbuf *frames[PORT_BURST];
	unsigned int n, all = 0;

	for (; (n = rte_eth_rx_burst(ports[0].ethdev_id, 0, frames, PORT_BURST)) > 0; all += n)
		rte_pktmbuf_free_bulk(frames, n);
	return all;
}

/* The link is down: what lanes wrote is dropped after a second, and is not sent when it is back. */
static void
test_a_stalled_nic_pins_nothing(void **state)
{
	now_us = UINT32_MAX - PORT_STALL_US / 2; /* across the end of 32 bits */
	send_what_goes(1, UINT16_MAX);
	appetite = 1;
	assert_int_equal(carry(), 1);
	send_what_goes(1, UINT16_MAX);
	appetite = 0;
	now_us += 5; /* it moved: the second begins only now */
	carry();
	send_what_goes(2, 3);
	now_us += PORT_STALL_US - 1;
	carry();
	assert_int_equal(counters[0].drops[RILL_DROP_tx_stalled], 0);
	now_us++;
	carry();
	assert_int_equal(counters[0].drops[RILL_DROP_tx_stalled], SPREAD_LOANS + PORT_BURST - 1);
	/* Lane 2's have not waited for so long. */
	assert_true(ports[0].ops->has_waiting(&ports[0]));
	now_us += PORT_STALL_US - 2;
	carry();
	assert_int_equal(counters[0].drops[RILL_DROP_tx_stalled], SPREAD_LOANS + PORT_BURST - 1);
	now_us++;
	carry();
	assert_int_equal(counters[0].drops[RILL_DROP_tx_stalled], SPREAD_LOANS + PORT_BURST + 2);
	assert_false(ports[0].ops->has_waiting(&ports[0]));
	/* The link is back: what is sent now leaves, and nothing else. */
	appetite = UINT16_MAX;
	assert_int_equal(count_sent(), 1);
	send_what_goes(1, 2);
	assert_int_equal(carry(), 2);
	assert_int_equal(count_sent(), 2);
}

/* A frame in each ring when all ends: begin and end look for what is missing. */
static void
test_nothing_is_lost_in_the_rings(void **state)
{
	struct tcp_frame frame = segment(port_of_lane(1), 0);
	struct rte_mbuf *got[PORT_BURST], *out = chain(1, 0);

	arrive(&frame, sizeof(frame));
	assert_int_equal(receive(0, got), 0);
	assert_int_equal(receive(1, got), 1); /* now in `back` */
	rte_pktmbuf_free(got[0]);
	arrive(&frame, sizeof(frame));
	arrive(&frame, sizeof(frame));
	assert_int_equal(receive(0, got), 0); /* now in `in` */
	assert_int_equal(ports[1].ops->tx(&ports[1], &out, 1), 1);
	spreader_drain(spreader);
	assert_int_equal(rte_mempool_in_use_count(pools[0]), 0);
	/* All goes on from there. */
	arrive(&frame, sizeof(frame));
	assert_int_equal(receive(0, got), 0);
	assert_int_equal(receive(1, got), 1);
	rte_pktmbuf_free(got[0]);
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m256", "--log-level=*:critical"};
	const struct eal_setup setup = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		ROW(test_each_lane_gets_its_own_in_order),
		ROW(test_what_is_no_segment_stays_with_the_carrier),
		ROW(test_tags_and_options_are_passed_over),
		ROW(test_who_is_behind_loses_what_is_beyond_the_bound),
		ROW(test_without_a_buffer_of_its_own_a_lane_drops),
		ROW(test_what_a_lane_sends_leaves_in_order),
		ROW(test_a_lane_waits_for_blanks),
		cmocka_unit_test_setup_teardown(
			test_a_slow_nic_takes_as_much_of_each_lane, begin_hungry, end_hungry),
		cmocka_unit_test_setup_teardown(
			test_a_stalled_nic_pins_nothing, begin_hungry, end_hungry),
		ROW(test_nothing_is_lost_in_the_rings),
	};

	if (eal_start(&setup) != 0)
		return 1;
	for (unsigned int i = 0; i < LANES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "frames%u", i);
		pools[i] =
			rte_pktmbuf_pool_create(name, FRAMES, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
		if (pools[i] == NULL)
			return 1;
	}
	blank_pool = rte_pktmbuf_pool_create(
		"blanks", SPREAD_BLANKS(LANES) + PORT_BURST, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	return blank_pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
