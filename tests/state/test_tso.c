/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segmentation offload: what the lane hands down in large frames is, once the port has cut it, what it
 * would have sent itself, and DPDK's own cutter makes the same of it; what is lost of it is found and sent
 * again segment by segment; what stands in one segment only leaves alone.
 */
#include <rte_ethdev.h>
#include <rte_gso.h>

#include "fixtures.h"
#include "frames.h"
#include "lane.h"
#include "offload.h"

#define MSS (family_is_ip6() ? 1440u : 1460u)
#define ALL_CAPS (NETIF_TX_IP4_CKSUM | NETIF_TX_TCP_CKSUM | NETIF_TX_CHAINS | NETIF_TX_TSO)

/* Established, with a port that cuts. */
static void
up(struct peer_setup setup)
{
	setup.mss = setup.mss != 0 ? setup.mss : (uint16_t)MSS;
	peer_restart(&setup);
	peer.lane->netif.caps |= ALL_CAPS;
	peer.lane->netif.tso_chain_max = 64;
	in_established();
	sets(RILL_OPT_congestion_control, RILL_CC_NEWRENO);
}

static uint32_t
at(unsigned int segment)
{
	return 1 + segment * MSS;
}

static uint64_t
frames(void)
{
	return stats().tso_frames;
}

/* rill_send, of which nothing leaves before the next turn. */
static void
queues(uint32_t len)
{
	check(rill_send(app->conn, app_buffer(1 + app->wrote, len)) == 0);
	app->wrote += len;
}

/* What was written leaves as these segments. */
static void
expect_segments(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		expect(ACK, at(from), 1, .len = MSS);
}

static void
test_segments_share_frames(void **state)
{
	uint32_t segments[2] = {0, 0}, index; /* that begin where others end, in a frame and with it */
	const struct tcp *tcp;
	uint64_t before;

	up((struct peer_setup){.ts = true});
	before = stats().segs_out;
	writes(10 * MSS - 120); /* with timestamps, a segment has 12 bytes less: ten of them */
	check_equal(frames(), 2); /* each has half of the window */
	for (unsigned int i = 0; i < 10; i++)
		expect(ACK, 1 + i * (MSS - 12), 1, .len = MSS - 12, .psh = i == 9);
	expect_silence();
	check_equal(stats().segs_out - before, 10);
	tcp = &peer.lane->tcp;
	for (index = app->conn->txq_head; index != SLAB_NONE; index = tcp_record_at(tcp, index)->next) {
		uint8_t flags = tcp_record_at(tcp, index)->flags;

		check(!(flags & RECORD_CONTINUES));
		segments[(flags & RECORD_CUT) != 0]++;
	}
	check_equal(segments[0], 2);
	check_equal(segments[1], 8);
	peer_sends(ACK, 1, 1 + 10 * (MSS - 12));
	check_equal(app->acked, 10 * (MSS - 12));
	check_equal(stats().records, 0);
}

/* PSH and FIN are the last one's, which is short; and it may go along where Nagle does not hold it. */
static void
test_the_tail_goes_along(void **state)
{
	up((struct peer_setup){0});
	for (unsigned int i = 0; i < 3; i++)
		queues(MSS);
	queues(100);
	rill_shutdown(app->conn);
	turn();
	check_equal(frames(), 1);
	for (unsigned int i = 0; i < 3; i++) {
		expect(ACK, at(i), 1, .len = MSS);
		check((peer.got.flags & (PSH | FIN)) == 0);
	}
	expect(FIN | ACK, at(3), 1, .len = 100, .psh = true);
	peer_sends(ACK, 1, at(3) + 101);
	expect_state(RILL_FIN_WAIT_2);
}

/* Nagle: what is behind full segments waits for their ACK [9293 3.7.4]. */
static void
test_nagle_holds_the_tail(void **state)
{
	up((struct peer_setup){0});
	writes(3 * MSS + 100);
	check_equal(frames(), 1);
	expect_segments(0, 3);
	expect_silence();
	peer_sends(ACK, 1, at(3));
	expect(ACK, at(3), 1, .len = 100, .psh = true);
	check_equal(frames(), 1);
}

/* Buffers of other sizes than a segment's: bytes and boundaries are right all the same. */
static void
test_buffers_of_other_sizes(void **state)
{
	uint32_t seq = 1 + 4 * 1900 + 20 * 51;

	up((struct peer_setup){0});
	for (unsigned int i = 0; i < 4; i++)
		queues(1900);
	for (unsigned int i = 0; i < 20; i++)
		queues(51);
	turn();
	check_equal(frames(), 1); /* five; then what is in small pieces */
	expect_segments(0, (seq - 1) / MSS);
	peer_sends(ACK, 1, at((seq - 1) / MSS));
	expect(ACK, at((seq - 1) / MSS), 1, .len = (seq - 1) % MSS);
	peer_sends(ACK, 1, seq);
	check_equal(app->acked, seq - 1);
}

/* No frame has more pieces than the port takes. */
static void
test_chains_are_as_long_as_the_port_allows(void **state)
{
	up((struct peer_setup){0});
	peer.lane->netif.tso_chain_max = 4; /* the headers, and three segments */
	writes(10 * MSS);
	check_equal(frames(), 3);
	expect_segments(0, 10);
}

static void
test_windows_bound_frames(void **state)
{
	/* The peer's, of two segments and a half. */
	up((struct peer_setup){0});
	peer_sends(ACK, 1, 1, .wnd = (int32_t)(2 * MSS + MSS / 2));
	writes(8 * MSS);
	expect_segments(0, 2);
	check_equal(frames(), 1);
	peer_sends(ACK, 1, at(2), .wnd = (int32_t)MSS);
	expect_segments(2, 3);
	check_equal(frames(), 1);
	peer_sends(ACK, 1, at(3)); /* wide open */
	expect_segments(3, 8);
	check_equal(frames(), 2);

	/* cwnd, which is one segment after a timeout; then it grows by slow start. */
	up((struct peer_setup){0});
	sets(RILL_OPT_black_hole_retries, 0);
	writes(12 * MSS);
	expect_segments(0, 10);
	check_equal(frames(), 2);
	expect_within(2000, ACK, at(0), 1, .len = MSS);
	check_equal(info().cwnd, MSS);
	check_equal(frames(), 2);
}

/* A window that the peer takes back while a large frame is out: nothing beyond it, until it opens. */
static void
test_a_window_that_shrinks(void **state)
{
	up((struct peer_setup){0});
	writes(10 * MSS);
	expect_segments(0, 10);
	writes(4 * MSS);
	peer_sends(ACK, 1, at(4), .wnd = (int32_t)MSS);
	expect_silence();
	peer_sends(ACK, 1, at(10), .wnd = WND_ZERO);
	expect_silence();
	peer_sends(ACK, 1, at(10));
	expect_segments(10, 14);
	check_equal(frames(), 3);
}

/* Parts out of the middle of large frames arrived: the others, and only they, go again, each alone
 * [2018 5, 8985 6.2]. */
static void
test_holes_in_large_frames(void **state)
{
	up((struct peer_setup){.sack = true});
	writes(10 * MSS);
	expect_segments(0, 10);
	check_equal(frames(), 2);
	advance(1);
	peer_sends(ACK, 1, at(0), .sack_count = 2, .sack = {{at(6), at(10)}, {at(1), at(3)}});
	check(hears());
	check_equal(peer.got.seq, at(0));
	check_equal(peer.got.len, MSS);
	while (hears())
		check(peer.got.len == MSS && peer.got.seq >= at(3) && peer.got.seq < at(6));
	advance(1);
	peer_sends(ACK, 1, at(3), .sack_count = 1, .sack = {{at(6), at(10)}});
	hears_all();
	check_equal(stats().retransmits, 4);
	check_equal(frames(), 2);
	peer_sends(ACK, 1, at(10));
	check_equal(app->acked, 10 * MSS);
	check_equal(stats().rtos, 0);

	/* Once all is repaired, large frames leave again. */
	writes(2 * MSS);
	expect_segments(10, 12);
	check_equal(frames(), 3);
}

/* The end of a large frame is lost: the loss probe sends its last segment again [8985 7.3]. */
static void
test_the_end_of_a_large_frame(void **state)
{
	up((struct peer_setup){.sack = true});
	writes(4 * MSS);
	expect_segments(0, 4);
	check_equal(frames(), 1);
	advance(10);
	peer_sends(ACK, 1, at(2));
	expect_within(1000, ACK, at(3), 1, .len = MSS);
	check_equal(stats().loss_probes, 1);
	advance(10);
	peer_sends(ACK, 1, at(2), .sack_count = 1, .sack = {{at(3), at(4)}});
	expect_within(100, ACK, at(2), 1, .len = MSS);
	check_equal(frames(), 1);
}

/* A router says that segments are too long while large frames are out: those are sent again in shorter
 * ones, and frames are cut into these from then on. */
static void
test_the_path_is_narrower(void **state)
{
	uint32_t shorter = 1260, end; /* of either family, as peer_sends_icmp has it */

	up((struct peer_setup){.sack = true});
	writes(10 * MSS);
	expect_segments(0, 10);
	peer_sends_icmp(&(struct icmp_say){.type = 3, .code = 4, .mtu = 1300, .seq = at(2)});
	check_equal(stats().pmtu_lowered, 1);
	for (end = 1; hears(); end = peer.got.seq + peer.got.len)
		check(peer.got.len <= shorter && peer.got.seq == end);
	check_equal(frames(), 2);
	peer_sends(ACK, 1, at(10));
	while (hears())
		;
	sets(RILL_OPT_pmtu_probing, 0);
	writes(3 * shorter);
	for (unsigned int i = 0; i < 3; i++)
		expect(ACK, at(10) + i * shorter, 1, .len = shorter);
	check_equal(frames(), 3);
}

/* ECE is in each segment; CWR in one, which leaves alone [3168 6.1.2]. */
static void
test_cwr_leaves_alone(void **state)
{
	struct peer_setup setup = {.options = default_options()};

	setup.options.ecn = 1;
	up(setup);
	writes(10 * MSS);
	expect_segments(0, 10);
	check_equal(frames(), 2);
	writes(6 * MSS);
	peer_sends(ACK | ECE, 1, at(10));
	expect(CWR | ACK, at(10), 1, .len = MSS, .ecn = ECT0);
	for (unsigned int i = 11; hears(); i++)
		check(peer.got.seq == at(i) && !(peer.got.flags & CWR));
	check(frames() >= 3);
}

/* Its pointer is relative to each segment [9293 3.8.5]. */
static void
test_urgent_data_leaves_alone(void **state)
{
	up((struct peer_setup){0});
	writes_urgent(3 * MSS);
	for (unsigned int i = 0; i < 3; i++)
		expect(URG | ACK, at(i), 1, .len = MSS);
	check_equal(frames(), 0);
}

/* Segments that drivers would not cut. */
static void
test_short_segments_leave_alone(void **state)
{
	up((struct peer_setup){.mss = 255});
	writes(4 * 255);
	check_equal(hears_all(), 4);
	check_equal(frames(), 0);
}

/* So many wait for the port already; or there are no buffers that refer to payload. */
static void
test_bounds(void **state)
{
	static struct rte_mbuf *taken[32768];
	struct tcp *tcp;
	unsigned int n = 0;

	up((struct peer_setup){0});
	tcp = &peer.lane->tcp;
	tcp->tso.count = TSO_WAITING_MAX;
	tcp->tso.tickets[0] = tcp->outbox->put + 1000;
	writes(4 * MSS);
	expect_segments(0, 4);
	check_equal(frames(), 0);
	peer_sends(ACK, 1, at(4));
	tcp->tso.tickets[0] = tcp->outbox->taken - 1;
	while (n < RTE_DIM(taken) && (taken[n] = rte_pktmbuf_alloc(tcp->control_pool)) != NULL)
		n++;
	check(n < RTE_DIM(taken));
	writes(4 * MSS);
	expect_segments(4, 8);
	check_equal(frames(), 0);
	expect_no_drop(); /* what had no room left alone */
	rte_pktmbuf_free_bulk(taken, n);
	peer_sends(ACK, 1, at(8));
	for (unsigned int i = 8; i < 8 + 3 * TSO_WAITING_MAX; i++) { /* its ring goes round */
		writes(2 * MSS);
		expect_segments(2 * i - 8, 2 * i - 6);
		peer_sends(ACK, 1, at(2 * i - 6));
	}
	check_equal(frames(), 3 * TSO_WAITING_MAX);
}

/* ---- what DPDK's cutter makes of it */

#define CUT_MAX 16

static struct {
	uint8_t bytes[CUT_MAX][2048];
	uint32_t len[CUT_MAX];
	unsigned int count;
} cut;

static void
keep(void *arg, const uint8_t *bytes, uint32_t len)
{
	check(cut.count < CUT_MAX && len <= sizeof(cut.bytes[0]));
	memcpy(cut.bytes[cut.count], bytes, len);
	cut.len[cut.count++] = len;
}

#define IP4_ID 4

static void
test_dpdk_cuts_it_alike(void **state)
{
	struct rte_mbuf *frame, *segments[CUT_MAX];
	struct rte_gso_ctx gso = {.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO};
	static uint8_t bytes[FRAME_MAX];
	int n;

	if (family_is_ip6())
		return; /* which it cannot cut */
	up((struct peer_setup){.ts = true});
	gso.direct_pool = frames_pool("gso_direct", 64);
	gso.indirect_pool = frames_pool("gso_indirect", 64);
	gso.gso_size = (uint16_t)(20 + 32 + MSS - 12);
	for (unsigned int i = 0; i < 4; i++)
		queues(MSS - 12);
	check(rill_lane_turn(peer.lane, peer.now, NULL, 0) == 1);
	check_equal(rill_lane_take(peer.lane, &frame, 1), 1);
	check_equal(frame->tso_segsz, MSS - 12);
	check(offload_frame(frame, keep, NULL) == NULL);
	check_equal(cut.count, 4);
	n = rte_gso_segment(frame, &gso, segments, CUT_MAX);
	check_equal(n, 4);
	for (int i = 0; i < n; i++) {
		check_equal(frame_bytes(segments[i], bytes), cut.len[i]);
		/* It counts IDs on, and leaves checksums to others. */
		memcpy(bytes + IP4_ID, cut.bytes[i] + IP4_ID, 2);
		wire_fix_checksums(bytes, cut.len[i]);
		check(memcmp(bytes, cut.bytes[i], cut.len[i]) == 0);
	}
	rte_pktmbuf_free_bulk(segments, (unsigned int)n);
	rte_pktmbuf_free(frame);
	aborts();
	hears_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_segments_share_frames),
		dialogue(test_the_tail_goes_along),
		dialogue(test_nagle_holds_the_tail),
		dialogue(test_buffers_of_other_sizes),
		dialogue(test_chains_are_as_long_as_the_port_allows),
		dialogue(test_windows_bound_frames),
		dialogue(test_a_window_that_shrinks),
		dialogue(test_holes_in_large_frames),
		dialogue(test_the_end_of_a_large_frame),
		dialogue(test_the_path_is_narrower),
		dialogue(test_cwr_leaves_alone),
		dialogue(test_urgent_data_leaves_alone),
		dialogue(test_short_segments_leave_alone),
		dialogue(test_bounds),
		dialogue(test_dpdk_cuts_it_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
