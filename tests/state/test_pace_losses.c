/* SPDX-License-Identifier: BSD-3-Clause */
/* BBR hears of every loss, whatever found it: an ACK, the reordering timer, a timeout, or three
 * duplicate ACKs without SACK. */
#include "bbr.h"
#include "conn.h"
#include "fixtures.h"

#define MSS 1460
#define RTT_US 20000

static struct bbr *
bbr_now(void)
{
	return bbr_of(&app->conn->cc);
}

/* Ten segments are out; the round trip is known, and BBR has heard of no loss. */
static void
ten_are_out(bool sack)
{
	struct peer_setup setup = {.options = default_options(), .sack = sack};

	setup.options.congestion_control = RILL_CC_BBR;
	setup.options.nodelay = true;
	peer_restart(&setup);
	in_syn_received();
	advance_us(RTT_US);
	peer_sends(ACK, 1, 1);
	writes(10 * MSS);
	for (unsigned int i = 0; i < 50 && info().snd_unsent > 0; i++)
		advance_us(1000);
	hears_all();
	check_equal(info().flight, 10 * MSS);
	check_equal(bbr_now()->rate.lost, 0);
}

static void
test_an_ack_finds_them(void **state)
{
	ten_are_out(true);
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{1 + MSS, 1 + 5 * MSS}});
	check(info().in_recovery);
	check_equal(bbr_now()->rate.lost, MSS);
	check(bbr_now()->loss_in_round);
	check_equal(bbr_now()->loss_events, 1);
}

static void
test_the_reordering_timer_finds_them(void **state)
{
	ten_are_out(true);
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{1 + MSS, 1 + 2 * MSS}});
	check(!info().in_recovery);
	check_equal(bbr_now()->rate.lost, 0);
	advance_us(RTT_US);
	check(info().in_recovery);
	check_equal(bbr_now()->rate.lost, MSS);
	check(bbr_now()->loss_in_round);
}

static void
test_a_timeout_finds_them(void **state)
{
	ten_are_out(true);
	sets(RILL_OPT_rto_min_us, 1000);
	while (stats().rtos == 0)
		advance_us(1000);
	hears_all();
	check_equal(bbr_now()->rate.lost, 10 * MSS);
	while (stats().rtos == 1)
		advance_us(1000);
	hears_all();
	check_equal(bbr_now()->rate.lost, 11 * MSS); /* the head was sent again */
}

static void
test_duplicate_acks_find_them(void **state)
{
	ten_are_out(false);
	for (unsigned int i = 0; i < 3; i++)
		peer_sends(ACK, 1, 1);
	check(info().in_recovery);
	check_equal(bbr_now()->rate.lost, MSS);
	hears_all();
	peer_sends(ACK, 1, 1 + 4 * MSS); /* the next hole */
	check_equal(bbr_now()->rate.lost, 2 * MSS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_an_ack_finds_them),
		dialogue(test_the_reordering_timer_finds_them),
		dialogue(test_a_timeout_finds_them),
		dialogue(test_duplicate_acks_find_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
