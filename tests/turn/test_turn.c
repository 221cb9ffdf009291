/* SPDX-License-Identifier: BSD-3-Clause */
/* The turn: bursts in which a connection comes and goes, and frames that the taker keeps. */
#include "fixtures.h"

#include <errno.h>

#include <rte_mbuf.h>

/* The lane is deterministic: what it says to this SYN tells what it will say to the next lane's. */
static void
learn_iss(void)
{
	struct peer_setup setup = peer.setup;
	uint32_t iss;

	listens();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	iss = peer.flow->iss;
	peer_restart(&setup);
	peer.flow->iss = iss;
	listens();
}

static void
test_a_whole_connection_in_one_burst(void **state)
{
	/* SYN, ACK, data and FIN: the lookup that was made for the burst is only a hint */
	learn_iss();
	burst_begin();
	peer_sends(SYN, 0, 0);
	peer_sends(ACK, 1, 1);
	peer_sends(ACK, 1, 1, .len = 100);
	peer_sends(FIN | ACK, 101, 1);
	burst_end();
	expect_opened();
	expect_received(100);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
	expect(SYN | ACK, 0, 1);
	expect(ACK, 1, 102);
	expect_silence();
	expect_no_drop();
}

static void
test_and_its_reset(void **state)
{
	learn_iss();
	burst_begin();
	peer_sends(SYN, 0, 0);
	peer_sends(ACK, 1, 1);
	peer_sends(ACK, 1, 1, .len = 100);
	peer_sends(RST, 101, 0);
	peer_sends(ACK, 101, 1, .len = 10);
	burst_end();
	expect_closed(RESET);
	expect_received(100);
	expect_state(RILL_CLOSED);
	check_equal(stats().conns, 0);
}

static void
test_rst_and_a_new_syn_in_one_burst(void **state)
{
	in_established();
	burst_begin();
	peer_sends(RST, 1, 0);
	peer_forgets(5000);
	peer_sends(SYN, 0, 0);
	burst_end();
	expect(SYN | ACK, 0, 1);
	check_equal(apps[0].closed, 1);
	check_equal(apps[0].why, RILL_CLOSE_RESET);
	peer_sends(ACK, 1, 1, .len = 7);
	check_equal(apps[1].received, 7);
	check_equal(apps_count, 2);
	check_equal(stats().conns, 1);
}

static void
test_data_rst_syn_data_in_one_burst(void **state)
{
	in_established();
	burst_begin();
	peer_sends(ACK, 1, 1, .len = 50);
	peer_sends(RST, 51, 0);
	peer_forgets(5000);
	peer_sends(SYN, 0, 0);
	peer_sends(SYN, 0, 0);
	burst_end();
	check_equal(apps[0].received, 50);
	check(hears_all() >= 1);
	check_equal(stats().syn_received, 1);
	peer_sends(ACK, 1, 1, .len = 7);
	check_equal(apps[1].received, 7);
}

static void
test_the_end_and_a_new_syn_in_one_burst(void **state)
{
	/* LAST-ACK's ACK, then a SYN for the same tuple */
	in_last_ack();
	burst_begin();
	peer_sends(ACK, 2, 2);
	peer_forgets(5000);
	peer_sends(SYN, 0, 0);
	burst_end();
	expect(SYN | ACK, 0, 1);
	check_equal(apps[0].closed, 1);
	check_equal(apps[0].why, RILL_CLOSE_DONE);
}

static void
test_time_wait_and_a_new_syn_in_one_burst(void **state)
{
	in_fin_wait_2();
	burst_begin();
	peer_sends(FIN | ACK, 1, 2);
	peer_forgets(5000);
	peer_sends(SYN, 0, 0);
	burst_end();
	check_equal(apps[0].closed, 1);
	hears_all();
	check_equal(stats().timewait_reused, 1);
	check_equal(stats().syn_received, 1);
}

static void
test_many_connections_interleaved_in_one_burst(void **state)
{
	listens();
	burst_begin();
	for (unsigned int i = 0; i < 64; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
	}
	burst_end();
	check_equal(hears_all(), 64);
	burst_begin();
	for (unsigned int i = 0; i < 64; i++) {
		peer_uses_flow(i % 32);
		peer_sends(ACK, 1 + i / 32 * 10, 1, .len = 10);
	}
	burst_end();
	check_equal(apps_count, 32);
	for (unsigned int i = 0; i < 32; i++)
		check_equal(apps[i].received, 20);
	check_equal(stats().syn_received, 32);
}

static void
test_a_taker_of_one_frame_a_turn(void **state)
{
	/* and who keeps them all, beyond their acknowledgment and the connection's end */
	uint32_t done = 0;

	in_established();
	peer_holds(1);
	writes(50000);
	while (done < 50000) {
		turn();
		while (hears())
			if (peer.got.seq + peer.got.len - 1 > done)
				done = peer.got.seq + peer.got.len - 1;
		advance(1);
		peer_sends(ACK, 1, 1 + done);
	}
	check_equal(app->acked, 50000);
	aborts();
	turn();
	peer_releases();
}

static void
test_held_frames_and_retransmission(void **state)
{
	/* every copy of the same bytes stays what it was when it was taken */
	in_established();
	peer_holds(3);
	for (unsigned int i = 0; i < 5; i++) {
		sends(500);
		writes(700);
	}
	advance(5000);
	peer_sends(ACK, 1, 1461);
	for (uint32_t done = 1461; done < 6001;) {
		advance(5000);
		while (hears())
			done = RTE_MAX(done, peer.got.seq + peer.got.len);
		peer_sends(ACK, 1, done);
	}
	hears_all();
	check_equal(info().snd_queued, 0);
	peer_releases();
}

static void
test_echoed_buffers_are_held_too(void **state)
{
	/* the very mbuf that came goes out, is kept by the taker, and comes back only when he frees it */
	in_established();
	apps[0].echo = true;
	peer_holds(64);
	for (unsigned int i = 0; i < 50; i++) {
		peer_sends(ACK, 1 + i * 100, 1 + i * 100, .len = 100);
		expect(ACK, 1 + i * 100, 101 + i * 100, .len = 100);
	}
	peer_releases();
}

static void
test_frames_that_nobody_takes_are_bounded(void **state)
{
	/* and once they are taken the connection goes on */
	uint32_t done = 0;
	unsigned int rounds = 0;

	in_established();
	peer_holds(0);
	writes(200000);
	for (unsigned int i = 0; i < 3000; i++) {
		check(rill_lane_turn(peer.lane, peer.now += 1000, NULL, 0) >= 0);
	}
	check(stats().mbufs < 4096);
	peer_releases();
	while (done < 200000 && rounds++ < 5000) {
		advance(1);
		while (hears())
			if (peer.got.len && peer.got.seq == done + 1)
				done += peer.got.len;
		peer_sends(ACK, 1, 1 + done);
	}
	check_equal(done, 200000);
	check_equal(app->acked, 200000);
}

static unsigned int fired;
static uint64_t fired_at;

static void
timer_fires(struct rill_lane *lane, struct rill_timer *timer)
{
	fired++;
	fired_at = rill_lane_now(lane);
}

static void
test_application_timers(void **state)
{
	/* never early, late by 8 µs at most, once, and not after stop */
	struct rill_timer timer = {.fn = timer_fires};
	static const uint64_t delays[] = {0, 1, 7, 8, 1000, 999999, 3600000000u, RILL_TIMER_MAX_US};

	for (unsigned int i = 0; i < RTE_DIM(delays); i++) {
		uint64_t start = peer.now;

		fired = 0;
		check_equal(rill_timer_start(peer.lane, &timer, delays[i]), 0);
		advance_us(delays[i] + 1100);
		check_equal(fired, 1);
		check(fired_at >= start + delays[i]);
		check(fired_at <= start + delays[i] + 1008);
	}
	check_equal(rill_timer_start(peer.lane, &timer, RILL_TIMER_MAX_US + 1), -ERANGE);
	check_equal(rill_timer_start(peer.lane, &timer, 1000), 0);
	check_equal(rill_timer_stop(peer.lane, &timer), 1);
	check_equal(rill_timer_stop(peer.lane, &timer), 0);
	fired = 0;
	advance(10);
	check_equal(fired, 0);
	check_equal(rill_lane_deadline(peer.lane), RILL_NEVER);
}

/* A machine that slept for an hour wakes up to more timers than one turn fires, or than are sorted
 * at once: those behind them still come, before a 32-bit deadline looks as if it lay ahead. */
static void
test_many_timers_are_due_after_a_long_sleep(void **state)
{
	static struct rill_timer timers[5000];
	static const struct {
		unsigned int timers;
		uint64_t delay_us;
	} cases[] = {{600, 1}, {5000, 1}, {5000, 900000}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		peer_restart(&(struct peer_setup){0});
		in_established();
		writes(10);
		expect(ACK, 1, 1, .len = 10);
		fired = 0;
		for (unsigned int n = 0; n < cases[i].timers; n++) {
			timers[n] = (struct rill_timer){.fn = timer_fires};
			check_equal(rill_timer_start(peer.lane, &timers[n], cases[i].delay_us), 0);
		}
		check(rill_lane_turn(peer.lane, peer.now += 3600000000u, NULL, 0) >= 0);
		check_equal(fired, cases[i].timers);
		expect(ACK, 1, 1, .len = 10);
		peer_sends(ACK, 1, 11);
	}
}

static struct rill_timer again;

static void
timer_starts_again(struct rill_lane *lane, struct rill_timer *timer)
{
	fired++;
	check_equal(rill_timer_start(lane, timer, 0), 0);
}

/* A timer that is always due does not hold the lane, however long it slept. */
static void
test_a_timer_that_is_always_due(void **state)
{
	again = (struct rill_timer){.fn = timer_starts_again};
	fired = 0;
	peer.now = (peer.now | 7) + 1; /* where the wheel's ticks begin: due within the same turn */
	check(rill_lane_turn(peer.lane, peer.now, NULL, 0) >= 0);
	check_equal(rill_timer_start(peer.lane, &again, 0), 0);
	check(rill_lane_turn(peer.lane, peer.now += 3600000000u, NULL, 0) >= 0);
	check(fired >= 4 && fired < 10000);
	check_equal(rill_timer_stop(peer.lane, &again), 1);
}

static void
posted(struct rill_lane *lane, void *arg)
{
	check(lane == peer.lane);
	++*(unsigned int *)arg;
}

static void
test_posts_run_in_a_turn(void **state)
{
	unsigned int runs = 0, taken = 0;

	for (unsigned int i = 0; i < 100; i++)
		taken += rill_lane_post(peer.lane, posted, &runs) == 0;
	check_equal(runs, 0);
	for (unsigned int i = 0; i < 100; i++)
		turn();
	check_equal(runs, taken);
	check(taken >= 64);
}

static void
abort_it(struct rill_conn *conn, void *arg)
{
	++*(unsigned int *)arg;
	check_equal(rill_abort(conn), 0);
}

static void
test_each_connection_can_be_aborted(void **state)
{
	unsigned int seen = 0;

	listens();
	for (unsigned int i = 0; i < 10; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		peer_sends(ACK, 1, 1);
	}
	hears_all();
	check_equal(rill_lane_each(peer.lane, abort_it, &seen), 10);
	check_equal(seen, 10);
	turn();
	check_equal(stats().conns, 0);
	for (unsigned int i = 0; i < 10; i++)
		check_equal(apps[i].closed, 1);
	check_equal(hears_all(), 10);
}

static void
test_an_idle_lane_wants_nothing(void **state)
{
	check_equal(rill_lane_deadline(peer.lane), RILL_NEVER);
	in_established();
	check_equal(rill_lane_deadline(peer.lane), RILL_NEVER);
	writes(10);
	check(rill_lane_deadline(peer.lane) <= peer.now + 1100000);
	check(rill_lane_deadline(peer.lane) > peer.now);
	hears_all();
}

/* An application that takes buffers in one go meets the reserve: frames can still be built. */
static void
test_buffers_are_taken_down_to_the_reserve(void **state)
{
	struct rte_mbuf *taken = NULL, *mbuf;
	struct rte_mempool *pool = NULL;

	while (rill_buf_alloc(peer.lane, 10, &mbuf) == 0) {
		pool = mbuf->pool;
		mbuf->next = taken;
		taken = mbuf;
	}
	check(pool != NULL && rte_mempool_avail_count(pool) >= pool->size / 16);
	while (taken != NULL) {
		mbuf = taken;
		taken = mbuf->next;
		mbuf->next = NULL;
		rte_pktmbuf_free(mbuf);
	}
	turn();
	check_equal(rill_buf_alloc(peer.lane, 10, &mbuf), 0);
	rte_pktmbuf_free(mbuf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_a_whole_connection_in_one_burst),
		dialogue(test_and_its_reset),
		dialogue(test_rst_and_a_new_syn_in_one_burst),
		dialogue(test_data_rst_syn_data_in_one_burst),
		dialogue(test_the_end_and_a_new_syn_in_one_burst),
		dialogue(test_time_wait_and_a_new_syn_in_one_burst),
		dialogue(test_many_connections_interleaved_in_one_burst),
		dialogue(test_a_taker_of_one_frame_a_turn),
		dialogue(test_held_frames_and_retransmission),
		dialogue(test_echoed_buffers_are_held_too),
		dialogue(test_frames_that_nobody_takes_are_bounded),
		dialogue(test_application_timers),
		dialogue(test_many_timers_are_due_after_a_long_sleep),
		dialogue(test_a_timer_that_is_always_due),
		dialogue(test_posts_run_in_a_turn),
		dialogue(test_each_connection_can_be_aborted),
		dialogue(test_an_idle_lane_wants_nothing),
		dialogue(test_buffers_are_taken_down_to_the_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
