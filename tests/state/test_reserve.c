/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data beyond a hole while buffers are scarce: the NIC's are at their reserve, so that what is kept is
 * copied; then there are none for copies either, and what comes is refused. Only what is kept is
 * reported by SACK. Windows that this held shut open again, and what had to be said is said later.
 */
#include "app.h"
#include "fixtures.h"
#include "lane.h"
#include "peer.h"

#define RESERVE UINT32_MAX /* more than any pool has: it is at its reserve from the next turn on */

static void
established_with_sack(void)
{
	struct peer_setup setup = {.options = default_options(), .sack = true};

	setup.options.timestamps = 0;
	peer_restart(&setup);
	in_established();
}

/* The pool of the peer's frames is the NIC's from now on; of which, and of the copies', some are kept. */
static void
keeps_free(uint32_t rx_reserve, uint32_t buf_reserve)
{
	struct tcp *tcp = &peer.lane->tcp;

	tcp->rx_pool = rte_mempool_lookup("peer_frames");
	check(tcp->rx_pool != NULL);
	/* Just at it: with half of it gone applications would get nothing either. */
	tcp->rx_reserve = RTE_MIN(rx_reserve, rte_mempool_avail_count(tcp->rx_pool) + 1);
	tcp->buf_reserve = buf_reserve;
}

/* [RFC2018-9] */
static void
test_what_the_reserve_refused_is_not_reported(void **state)
{
	established_with_sack();
	keeps_free(0, 0);
	peer_sends(ACK, 101, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 1, .sack = {{101, 201}});
	check_equal(stats().paused_copies, 0);

	keeps_free(RESERVE, 0);
	peer_sends(ACK, 301, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 2, .sack = {{301, 401}, {101, 201}});
	check_equal(stats().paused_copies, 1);

	keeps_free(RESERVE, RESERVE);
	peer_sends(ACK, 501, 1, .len = 100);
	expect_drop(tcp_rcv_reserve);
	expect(ACK, 1, 1, .sack_count = 2, .sack = {{301, 401}, {101, 201}});
	check_equal(peer.got.sack_count, 2);

	/* What is kept arrives; what was refused is asked for. */
	keeps_free(0, 0);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 201, .sack_count = 1, .sack = {{301, 401}});
	peer_sends(ACK, 201, 1, .len = 100);
	expect_within(500, ACK, 1, 401);
	check_equal(peer.got.sack_count, 0);
	expect_received(400);
}

static void
pauses_when_data_comes(struct app *a, enum app_event event)
{
	if (event == APP_DATA)
		check_equal(rill_pause(a->conn), 0);
}

/* What was reported must be dropped again: the application pauses when the hole is filled, and there is
 * no buffer into which to copy what it does not take. From then on it is not reported any more, and
 * comes again. [RFC2018-9] */
static void
test_what_the_reserve_takes_back_is_not_reported_any_more(void **state)
{
	established_with_sack();
	keeps_free(0, 0);
	app->hook = pauses_when_data_comes;
	peer_sends(ACK, 101, 1, .len = 100);
	peer_sends(ACK, 301, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 1, .sack = {{101, 201}});
	expect(ACK, 1, 1, .sack_count = 2, .sack = {{301, 401}, {101, 201}});

	keeps_free(RESERVE, RESERVE);
	peer_sends(ACK, 1, 1, .len = 100);
	expect_drop(tcp_rcv_reserve);
	expect_received(100);
	expect(ACK, 1, 101, .sack_count = 1, .sack = {{301, 401}});
	check_equal(peer.got.sack_count, 1);

	keeps_free(0, 0);
	app->hook = NULL;
	resumes();
	peer_sends(ACK, 101, 1, .len = 200);
	expect(ACK, 1, 401);
	check_equal(peer.got.sack_count, 0);
	expect_received(400);
}

/* No window opens while there are no buffers for what would come; and when there are, the peer need not
 * ask. [MUST-39] */
static void
test_windows_that_the_reserve_held_open_again(void **state)
{
	struct peer_setup setup = {.options = default_options()};

	setup.options.rcvbuf = 14600;
	peer_restart(&setup);
	in_established();
	keeps_free(RESERVE, RESERVE);
	for (uint32_t seq = 1; seq < 14601; seq += 1460)
		peer_sends(ACK, seq, 1, .len = 1460);
	expect_received(14600);
	hears_all();
	peer_sends(ACK, 14601, 1, .len = 1);
	expect(ACK, 1, 14601, .wnd = WND_ZERO);
	advance(1000);
	expect_silence();
	keeps_free(0, 0);
	expect_within(2, ACK, 1, 14601, .wnd = 14600);
	expect_silence();
}

/* Buffers come for a turn and are gone again, over and over: the last connections get some as well as
 * the first. [MUST-39] */
static void
test_no_window_waits_behind_all_others(void **state)
{
	struct peer_setup setup = {.options = default_options(), .limits = {.max_conns = 4096}};
	struct tcp *tcp;

	setup.options.rcvbuf = 14600;
	peer_restart(&setup);
	tcp = &peer.lane->tcp;
	tcp->conns.fresh = 3 * TCP_REOPENS_PER_TURN; /* so many have come and gone */
	in_established();
	keeps_free(RESERVE, RESERVE);
	for (uint32_t seq = 1; seq < 14601; seq += 1460)
		peer_sends(ACK, seq, 1, .len = 1460);
	hears_all();
	for (unsigned int i = 0; i < 4; i++) {
		keeps_free(0, 0);
		check(rill_lane_turn(peer.lane, ++peer.now, NULL, 0) >= 0);
		keeps_free(RESERVE, RESERVE);
		check(rill_lane_turn(peer.lane, ++peer.now, NULL, 0) >= 0);
	}
	turn();
	expect(ACK, 1, 14601, .wnd = 14600);
	expect_silence();
}

/* Whose window stayed open has nothing to say when buffers are back, and is not asked. */
static void
test_only_windows_that_may_open_are_spoken_of(void **state)
{
	struct tcp *tcp = &peer.lane->tcp;

	in_established();
	keeps_free(RESERVE, RESERVE);
	turn();
	keeps_free(0, 0);
	tcp_begin(tcp, tcp->now);
	check_equal(tcp->reopen_left, 0);
	check_equal(tcp->dirty.count, 0);
}

/* [MUST-29] One that was never sent says nothing of the peer: it leaves once there is a buffer. */
static void
test_a_keepalive_probe_waits_for_a_buffer(void **state)
{
	struct peer_setup setup = {.options = default_options()};
	static struct rte_mbuf *taken[65536];
	unsigned int n = 0;

	setup.options.keepalive_idle_ms = 10000;
	setup.options.keepalive_interval_ms = 1000;
	setup.options.keepalive_count = 1;
	peer_restart(&setup);
	in_established();
	while (n < RTE_DIM(taken) &&
		(taken[n] = rte_pktmbuf_alloc(peer.lane->tcp.control_pool)) != NULL)
		n++;
	check(n < RTE_DIM(taken));
	advance(10100);
	expect_silence();
	check(stats().drops[RILL_DROP_no_mbuf] > 0);
	rte_pktmbuf_free_bulk(taken, n);
	expect_within(2, ACK, 0, 1);
	expect_silence();
	peer_sends(ACK, 1, 1);
	advance(9000);
	expect_alive();
	check_equal(stats().keepalive_probes, 1);
	expect_silence();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_what_the_reserve_refused_is_not_reported),
		dialogue(test_what_the_reserve_takes_back_is_not_reported_any_more),
		dialogue(test_windows_that_the_reserve_held_open_again),
		dialogue(test_no_window_waits_behind_all_others),
		dialogue(test_only_windows_that_may_open_are_spoken_of),
		dialogue(test_a_keepalive_probe_waits_for_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
