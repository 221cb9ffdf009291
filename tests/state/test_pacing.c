/* SPDX-License-Identifier: BSD-3-Clause */
/* BBR on a connection: segments are paced, the path's rate is found and kept, its state is bounded. */
#include "fixtures.h"

#define MSS 1460
#define RTT_US 20000

/* What the peer heard and will acknowledge: until when, up to where. */
static struct {
	uint64_t at;
	uint32_t end;
} heard[65536];
static uint32_t head, tail;

static void
up_with_bbr(uint32_t bbrs)
{
	struct peer_setup setup = {.options = default_options(), .limits.bbrs = bbrs, .sack = true,
		.ws = true, .wscale = 7};

	setup.options.congestion_control = RILL_CC_BBR;
	setup.options.sndbuf = 4 << 20;
	peer_restart(&setup);
	head = tail = 0;
}

/*
 * The peer acknowledges each segment a round trip after it came, for so long; how many bytes came.
 * `burst` is the most that came at one moment.
 */
static uint32_t
acknowledge_for(uint64_t duration_us, uint32_t step_us, uint32_t *burst)
{
	uint32_t total = 0;
	uint64_t end = peer.now + duration_us;

	*burst = 0;
	while (peer.now < end) {
		uint32_t now_bytes = 0, ack = 0;

		while (hears()) {
			if (peer.got.len == 0)
				continue;
			heard[tail % 65536].at = peer.now + RTT_US;
			heard[tail++ % 65536].end = peer.got.seq + peer.got.len;
			now_bytes += peer.got.len;
		}
		total += now_bytes;
		*burst = RTE_MAX(*burst, now_bytes);
		for (; head != tail && heard[head % 65536].at <= peer.now; head++)
			ack = heard[head % 65536].end;
		if (ack != 0)
			peer_sends(ACK, 1, ack);
		else
			advance_us(step_us);
	}
	return total;
}

/* The initial window does not leave at once but at 2.77 times the window per round trip, in bursts
 * of two segments, once the round trip is known [BBR-8, RFC6928-9]. */
static void
test_the_initial_window_is_paced(void **state)
{
	uint32_t bytes, burst;

	up_with_bbr(0);
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	assert_string_equal(info().congestion_control, "bbr");
	writes(10 * MSS);
	bytes = hears_all();
	check(bytes >= 2 && bytes <= 5); /* segments */
	bytes = acknowledge_for(RTT_US / 2, 100, &burst);
	check(bytes > 0);
	check(burst <= 3 * MSS);
}

/* With more data than leaves, more of it leaves round by round, and never in one heap. */
static void
test_startup_grows(void **state)
{
	uint32_t first, second, burst;

	up_with_bbr(0);
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	writes(1 << 20);
	first = acknowledge_for(2 * RTT_US, 50, &burst);
	second = acknowledge_for(2 * RTT_US, 50, &burst);
	peer_note("%u, then %u bytes", first, second);
	check(second > 2 * first);
	check(burst < second / 4);
}

/* Between messages the application sends nothing: that is no slow path, and no restart window. */
static void
test_application_limited(void **state)
{
	uint32_t burst, before;

	up_with_bbr(0);
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	writes(1 << 20);
	acknowledge_for(20 * RTT_US, 50, &burst);
	check_equal(info().snd_unsent, 0);
	before = info().cwnd;
	for (unsigned int i = 0; i < 20; i++) {
		writes(100);
		acknowledge_for(2 * RTT_US, 1000, &burst);
	}
	check(info().cwnd >= before / 2);
	advance(3000);
	writes(100);
	acknowledge_for(2 * RTT_US, 1000, &burst);
	check(info().cwnd > 10 * MSS);
}

/* A second connection finds no state left: CUBIC, and counted. What is given back is used again. */
static void
test_state_is_bounded(void **state)
{
	up_with_bbr(1);
	in_established();
	assert_string_equal(info().congestion_control, "bbr");
	check_equal(stats().bbr_fallbacks, 0);
	sets(RILL_OPT_congestion_control, RILL_CC_CUBIC);
	assert_string_equal(info().congestion_control, "cubic");
	sets(RILL_OPT_congestion_control, RILL_CC_BBR);
	assert_string_equal(info().congestion_control, "bbr");
	hears_all();
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	app = &apps[1];
	assert_string_equal(info().congestion_control, "cubic");
	check_equal(stats().bbr_fallbacks, 1);
}

/* BBR may be chosen with data in flight, and left again. */
static void
test_it_may_be_chosen_at_work(void **state)
{
	uint32_t burst, bytes;

	peer_restart(&(struct peer_setup){.sack = true});
	head = tail = 0;
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	writes(200000);
	acknowledge_for(RTT_US, 100, &burst);
	sets(RILL_OPT_congestion_control, RILL_CC_BBR);
	acknowledge_for(3 * RTT_US, 100, &burst);
	sets(RILL_OPT_congestion_control, RILL_CC_NEWRENO);
	bytes = acknowledge_for(20 * RTT_US, 100, &burst);
	check(bytes > 0);
	check_equal(app->acked, 200000);
}

/* A timeout with BBR: the segment is sent again, and the rest follows. */
static void
test_a_timeout_is_survived(void **state)
{
	uint32_t burst;

	up_with_bbr(0);
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	writes(100000);
	advance(10000); /* nobody answers */
	hears_all();
	peer_sends(ACK, 1, 1 + MSS);
	check(stats().rtos > 0);
	acknowledge_for(60000000, 1000, &burst);
	check_equal(app->acked, 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_the_initial_window_is_paced),
		dialogue(test_startup_grows),
		dialogue(test_application_limited),
		dialogue(test_state_is_bounded),
		dialogue(test_it_may_be_chosen_at_work),
		dialogue(test_a_timeout_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
