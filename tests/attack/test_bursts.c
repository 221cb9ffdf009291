/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same segments, one in a turn or up to 64, whole or cut into mbufs anywhere (empty ones
 * included), with whatever a driver leaves in the mbuf's metadata: the same bytes reach the
 * application, and the same marks, duplicates, holes and drops are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rill/rill.h>
#include <rte_mbuf.h>

#include "family.h"
#include "frames.h"
#include "wire.h"

#define LANE_ADDR 0xc0000201u
#define PEER_ADDR 0xc0000202u
#define PORT 80
#define SEGMENTS 3000u
#define PIECE_MAX 300u
#define FIRST 5000u /* the peer's initial sequence number */

/* What came of a run. */
struct outcome {
	uint64_t bytes, hash;
	unsigned int opened, eofs;
	uint32_t acked; /* the lane's last acknowledgment */
	bool echoed;    /* of a mark */
	struct rill_stats stats;
};

static struct rill_lane *lane;
static struct rte_mempool *pool;
static struct outcome outcome;
static uint32_t lane_next, seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void
app_open(struct rill_conn *conn)
{
	outcome.opened++;
}

static void
app_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	static uint8_t bytes[FRAME_MAX];
	size_t len = frame_bytes(data, bytes);

	for (size_t i = 0; i < len; i++) /* one by one: the same however they come */
		outcome.hash = frame_hash(outcome.hash, &bytes[i], 1);
	outcome.bytes += len;
	rte_pktmbuf_free(data);
}

static void
app_eof(struct rill_conn *conn)
{
	outcome.eofs++;
}

static const struct rill_handler handler = {.on_open = app_open, .on_data = app_data, .on_eof = app_eof};

static void
turn(uint64_t now, struct rte_mbuf *in[], unsigned int n)
{
	static uint8_t packet[FRAME_MAX];
	struct rte_mbuf *frame;

	rill_lane_turn(lane, now, in, n);
	while (rill_lane_take(lane, &frame, 1) == 1) {
		struct wire wire;

		assert_null(wire_read(packet, frame_bytes(frame, packet), &wire));
		rte_pktmbuf_free(frame);
		if (wire.flags & SYN)
			lane_next = wire.seq + 1;
		else
			outcome.echoed |= wire.flags & ECE;
		outcome.acked = wire.ack;
	}
}

/* Number i of the series: mostly in order, some again, some late, some marked; the last has FIN. */
static struct wire
segment_number(uint32_t i)
{
	static uint8_t data[65536 + PIECE_MAX];
	static uint32_t next;
	uint32_t len = 1 + draw(PIECE_MAX), what = draw(10);
	struct wire wire = {.ip6 = family_is_ip6(), .saddr = PEER_ADDR, .daddr = LANE_ADDR, .sport = 2000, .dport = PORT,
		.flags = ACK, .ack = lane_next, .wnd = 65535, .ttl = 64, .tos = ECT0};

	if (i == 0) {
		for (size_t at = 0; at < sizeof(data); at++)
			data[at] = (uint8_t)(at % 65536 * 2654435761u >> 24);
		next = FIRST + 1;
	}
	wire.seq = next;
	if (what == 0 && next - FIRST > 2000)
		wire.seq -= draw(1000); /* again, in part or all */
	else if (what == 1)
		wire.seq += 1 + draw(2000); /* beyond a hole */
	if (draw(16) == 0)
		wire.tos = CE;
	wire.flags |= draw(4) == 0 ? PSH : 0;
	wire.data = data + wire.seq % 65536;
	wire.len = len;
	if (i == SEGMENTS - 1) {
		wire.seq = next;
		wire.data = data + next % 65536;
		wire.flags |= FIN;
	}
	if (wire.seq - FIRST <= next - FIRST && wire.seq + len - FIRST > next - FIRST)
		next = wire.seq + len;
	return wire;
}

/* Pieces of any length, empty ones too, and metadata as careless drivers leave it. */
static struct rte_mbuf *
frame_cut(const uint8_t *packet, uint32_t len)
{
	struct rte_mbuf *head = NULL;

	for (uint32_t at = 0, pieces = 0; at < len || pieces == 0; pieces++) {
		uint32_t n = pieces < 6 ? draw(RTE_MIN(len - at, 40u) + 1) : len - at;
		struct rte_mbuf *piece = rte_pktmbuf_alloc(pool);

		assert_non_null(piece);
		memcpy(rte_pktmbuf_append(piece, (uint16_t)n), packet + at, n);
		at += n;
		if (head == NULL)
			head = piece;
		else
			assert_int_equal(rte_pktmbuf_chain(head, piece), 0);
	}
	head->l2_len = draw(128);
	head->l3_len = draw(512);
	head->l4_len = draw(256);
	head->tso_segsz = (uint16_t)draw(65536);
	head->packet_type = draw(1u << 24);
	head->ol_flags |= draw(2) ? RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_GOOD
				  : RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	return head;
}

static void
lane_up(void)
{
	static const uint8_t secret[RILL_SECRET_LEN] = "the same in each run";
	struct rill_lane_config config;
	struct rill_listener *listener;
	struct rill_options options;

	rill_lane_config_default(&config);
	rill_options_default(&options);
	options.ecn = 1;
	config.options = &options;
	config.ethernet = false;
	config.addrs[0] = family_prefix("192.0.2.1/24");
	config.mtu = family_mtu(0);
	config.addrs_count = 1;
	config.limits.max_conns = 16;
	config.limits.buffers = 2048;
	config.secret = secret;
	config.numa_node = -1;
	assert_int_equal(rill_lane_create(&config, &lane), 0);
	assert_int_equal(rill_lane_listen(lane, NULL, PORT, NULL, &handler, NULL, &listener), 0);
	if (pool == NULL)
		pool = frames_pool("bursts", 8192);
}

static struct outcome
run(uint32_t series, unsigned int burst_max, bool cut)
{
	static uint8_t packet[WIRE_HEADERS_MAX + PIECE_MAX];
	struct wire syn = {.ip6 = family_is_ip6(), .saddr = PEER_ADDR, .daddr = LANE_ADDR, .sport = 2000, .dport = PORT,
		.flags = SYN | ECE | CWR, .seq = FIRST, .wnd = 65535, .ttl = 64,
		.has = HAS_MSS | HAS_SACK_OK, .mss = 1460};
	struct rte_mbuf *in[RILL_BURST_MAX];
	uint64_t now = 1000000;
	unsigned int n = 0;

	outcome = (struct outcome){.hash = FRAME_HASH_START};
	lane_up();
	in[0] = frame_from_bytes(pool, packet, wire_write(packet, &syn));
	turn(now, in, 1);
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		struct wire wire;
		size_t len;

		seed = series * SEGMENTS + i;
		wire = segment_number(i);
		len = wire_write(packet, &wire);
		in[n++] = cut ? frame_cut(packet, (uint32_t)len) : frame_from_bytes(pool, packet, len);
		if (n < burst_max && i + 1 < SEGMENTS)
			continue;
		turn(now += 10, in, n);
		n = 0;
	}
	turn(now + 100000, in, 0);
	rill_lane_stats_read(lane, &outcome.stats);
	rill_lane_destroy(lane);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	return outcome;
}

static void
expect_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->bytes, b->bytes);
	assert_true(a->hash == b->hash);
	assert_int_equal(a->eofs, b->eofs);
	assert_int_equal(a->acked, b->acked);
	assert_int_equal(a->echoed, b->echoed);
	assert_int_equal(a->stats.segs_in, b->stats.segs_in);
	assert_int_equal(a->stats.bytes_in, b->stats.bytes_in);
	assert_int_equal(a->stats.ecn_marks_in, b->stats.ecn_marks_in);
	assert_int_equal(a->stats.out_of_order_in, b->stats.out_of_order_in);
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		assert_int_equal(a->stats.drops[i], b->stats.drops[i]);
}

/* [ATK-42, ATK-43] */
static void
test_bursts_and_cuts_change_nothing(void **state)
{
	for (uint32_t series = 1; series <= 5; series++) {
		struct outcome single = run(series, 1, false);

		printf("series %u: %u bytes\n", series, (unsigned int)single.bytes);
		assert_int_equal(single.opened, 1);
		assert_int_equal(single.eofs, 1);
		assert_int_equal(single.bytes, single.acked - FIRST - 2);
		assert_true(single.bytes > SEGMENTS * PIECE_MAX / 4);
		assert_true(single.echoed && single.stats.out_of_order_in > 100);
		for (unsigned int way = 1; way < 4; way++) {
			struct outcome other = run(series, way & 1 ? RILL_BURST_MAX : 1, way & 2);

			expect_same(&single, &other);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bursts_and_cuts_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
