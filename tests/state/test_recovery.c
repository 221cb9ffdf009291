/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses of what we sent: RTO [6298], fast retransmit and NewReno [5681, 6582], SACK sent and used [2018, 6675]. */
#include "fixtures.h"

#define MSS 1460

static void
up_with_sack(void)
{
	peer_restart(&(struct peer_setup){.sack = true});
}

/* Established; the windows are NewReno's. */
static void
in_newreno(void)
{
	in_established();
	sets(RILL_OPT_congestion_control, RILL_CC_NEWRENO);
}

/* With n full segments out, none of them acknowledged, and all heard. */
static void
with_flight(unsigned int n)
{
	in_newreno();
	writes(n * MSS);
	check_equal(hears_all(), n);
}

static uint32_t
at(unsigned int segment)
{
	return 1 + segment * MSS;
}

static void
test_rto_sends_the_head_only_and_doubles(void **state)
{
	/* [RFC6298-1, RFC6298-10, RFC6298-13, RFC6298-14, RFC5681-9, RFC6928-4, RFC1122-5] */
	uint64_t last;

	with_flight(5);
	sets(RILL_OPT_black_hole_retries, 0);
	last = peer.now;
	for (unsigned int i = 0; i < 4; i++) {
		expect_within(20000, ACK, 1, 1, .len = MSS);
		check(peer.got_at - last >= (200000u << i));
		if (i > 0)
			check(peer.got_at - last >= (i == 1 ? 2 : 1) * 200000u);
		last = peer.got_at;
		expect_silence();
		check_equal(info().cwnd, MSS);
	}
	check_equal(stats().rtos, 4);
}

static void
test_rto_is_never_early(void **state)
{
	/* [RFC6298-2, RFC6298-4, RFC6298-9] RTT 100 ms: 300 ms */
	in_syn_received();
	advance(100);
	peer_sends(ACK, 1, 1);
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	advance(299);
	expect_silence();
	expect_within(5, ACK, 1, 1, .len = 10);
}

/* The same over a path of 100 ms, the last of which have just passed. */
static void
with_slow_flight(unsigned int n)
{
	listens();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	advance(100);
	peer_sends(ACK, 1, 1);
	writes(n * MSS);
	check_equal(hears_all(), n);
	advance(100);
}

static void
test_rto_has_a_floor(void **state)
{
	/* [RFC6298-4, RFC6298-8] 300 samples of 10 ms: RTO stays at rto_min; a deviation: 200 ms */
	in_established();
	for (unsigned int i = 0; i < 300; i++) {
		writes(1);
		expect(ACK, 1 + i, 1, .len = 1);
		advance(10);
		peer_sends(ACK, 1, 2 + i);
	}
	check(info().srtt_us >= 9000 && info().srtt_us <= 11000);
	check(info().rto_us >= 200000);
	writes(1);
	expect(ACK, 301, 1, .len = 1);
	advance(199);
	expect_silence();
	expect_within(5, ACK, 301, 1, .len = 1);
}

static void
test_an_ack_of_everything_stops_the_timer(void **state)
{
	/* [RFC6298-11] */
	with_flight(3);
	peer_sends(ACK, 1, at(3));
	advance(3600 * 1000);
	expect_silence();
	check_equal(stats().rtos, 0);
}

static void
test_new_acks_restart_the_timer_and_others_do_not(void **state)
{
	/* [RFC6298-12, ATK-50] */
	uint32_t rto_ms;
	uint64_t start;

	with_flight(4);
	advance(100);
	peer_sends(ACK, 1, at(1));
	start = peer.now;
	rto_ms = info().rto_us / 1000;
	for (unsigned int i = 0; i < 9; i++) {
		advance(rto_ms / 10);
		peer_sends(ACK, 1, at(1), .wnd = 60000 + (int32_t)i); /* window updates */
		expect_silence();
	}
	expect_within(rto_ms, ACK, at(1), 1, .len = MSS);
	check(peer.got_at - start >= rto_ms * 1000);
	check(peer.got_at - start <= (rto_ms + 5) * 1000);
}

static void
test_karn(void **state)
{
	/* [RFC6298-6, RFC6298-16, MUST-18] no sample from what was sent twice; the back-off stays */
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	expect_within(3100, ACK, 1, 1, .len = 10);
	advance(50);
	peer_sends(ACK, 1, 11);
	check(info().srtt_us < 40000);
	writes(10);
	expect(ACK, 11, 1, .len = 10);
	advance(350);
	expect_silence();
	expect_within(2000, ACK, 11, 1, .len = 10);
}

static void
test_slow_start_after_rto(void **state)
{
	/* [RFC5681-8, RFC5681-9] and no second copy of what arrives */
	with_flight(10);
	expect_within(1100, ACK, 1, 1, .len = MSS);
	check_equal(info().cwnd, MSS);
	check_equal(info().ssthresh, 5 * MSS);
	peer_sends(ACK, 1, at(1));
	expect(ACK, at(1), 1, .len = MSS);
	expect(ACK, at(2), 1, .len = MSS);
	expect_silence();
	peer_sends(ACK, 1, at(10));
	expect_silence();
	check_equal(info().flight, 0);
}

static void
test_ssthresh_changes_once_per_loss(void **state)
{
	/* [RFC5681-10] */
	with_flight(10);
	sets(RILL_OPT_black_hole_retries, 0);
	for (unsigned int i = 0; i < 3; i++) {
		expect_within(20000, ACK, 1, 1, .len = MSS);
		check_equal(info().ssthresh, 5 * MSS);
	}
}

static void
test_initial_window_and_slow_start(void **state)
{
	/* [RFC5681-2, RFC5681-3, RFC5681-5, RFC5681-6, RFC6928-1, RFC6928-2] */
	in_established();
	writes(100 * MSS);
	check_equal(hears_all(), 10);
	check_equal(info().cwnd, 10 * MSS);
	peer_sends(ACK, 1, at(1));
	check_equal(hears_all(), 2);
	check_equal(info().cwnd, 11 * MSS);
	for (unsigned int i = 1; i <= 10; i++) /* [ATK-27] ACK division: bytes count, not ACKs */
		peer_sends(ACK, 1, at(1) + i * 10);
	check_equal(info().cwnd, 11 * MSS + 100);
}

static void
test_limited_transmit_and_fast_retransmit(void **state)
{
	/* [RFC5681-13, RFC5681-14, RFC5681-16, RFC6582-2] without SACK */
	in_newreno();
	writes(20 * MSS);
	check_equal(hears_all(), 10);
	peer_sends(ACK, 1, 1);
	expect(ACK, at(10), 1, .len = MSS);
	peer_sends(ACK, 1, 1);
	expect(ACK, at(11), 1, .len = MSS);
	expect_silence();
	peer_sends(ACK, 1, 1);
	expect(ACK, at(0), 1, .len = MSS);
	check(info().in_recovery);
	check_equal(info().ssthresh, 5 * MSS);
	check_equal(stats().fast_recoveries, 1);
	hears_all();
	peer_sends(ACK, 1, at(12));
	check(!info().in_recovery);
	check(info().cwnd <= 6 * MSS);
	hears_all();
}

static void
test_not_every_repeated_ack_is_a_duplicate(void **state)
{
	/* [RFC5681-17] with payload, with another window, or with nothing outstanding */
	with_flight(10);
	for (unsigned int i = 0; i < 5; i++)
		peer_sends(ACK, 1 + i, 1, .len = 1);
	hears_all();
	check(!info().in_recovery);
	for (unsigned int i = 0; i < 5; i++)
		peer_sends(ACK, 6, 1, .wnd = 50000 + (int32_t)i);
	hears_all();
	check(!info().in_recovery);
	peer_sends(ACK, 6, at(10));
	for (unsigned int i = 0; i < 5; i++)
		peer_sends(ACK, 6, at(10));
	hears_all();
	check(!info().in_recovery);
	check_equal(stats().retransmits, 0);
}

static void
test_newreno_repairs_several_losses(void **state)
{
	/* [RFC6582-3, RFC6582-4] segments 0, 3 and 6 of 10 lost: one repaired per partial ACK, no RTO */
	with_flight(10);
	for (unsigned int i = 0; i < 7; i++)
		peer_sends(ACK, 1, 1);
	expect(ACK, at(0), 1, .len = MSS);
	peer_sends(ACK, 1, at(3));
	expect(ACK, at(3), 1, .len = MSS);
	check(info().in_recovery);
	peer_sends(ACK, 1, at(6));
	expect(ACK, at(6), 1, .len = MSS);
	peer_sends(ACK, 1, at(10));
	expect_silence();
	check(!info().in_recovery);
	check_equal(stats().rtos, 0);
	check_equal(stats().fast_recoveries, 1);
	check_equal(info().retransmits, 3);
}

static void
test_duplicates_after_a_timeout_do_not_start_recovery(void **state)
{
	/* [RFC6582-1, RFC6582-6] */
	with_flight(10);
	expect_within(1100, ACK, 1, 1, .len = MSS);
	for (unsigned int i = 0; i < 5; i++)
		peer_sends(ACK, 1, 1);
	hears_all();
	check_equal(stats().fast_recoveries, 0);
}

static void
test_spoofed_duplicates_do_not_open_the_window(void **state)
{
	/* [RFC5681-15, ATK-28] */
	unsigned int sent;

	in_established();
	writes(170 * MSS);
	check_equal(hears_all(), 10);
	for (unsigned int i = 0; i < 1000; i++)
		peer_sends(ACK, 1, 1);
	sent = hears_all();
	peer_note("%u segments sent", sent);
	check(sent <= 65535 / MSS); /* what the peer's window takes, all in all */
	check(info().cwnd <= 10 * MSS);
}

static void
test_sack_blocks_name_what_came(void **state)
{
	/* [RFC2018-3, RFC2018-4, RFC2018-5] newest first, four without timestamps */
	up_with_sack();
	in_established();
	peer_sends(ACK, 101, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 1, .sack = {{101, 201}});
	peer_sends(ACK, 301, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 2, .sack = {{301, 401}, {101, 201}});
	peer_sends(ACK, 501, 1, .len = 100);
	peer_sends(ACK, 701, 1, .len = 100);
	peer_sends(ACK, 901, 1, .len = 100);
	check_equal(hears_all(), 3);
	check_equal(peer.got.sack_count, 4);
	check_equal(peer.got.sack[0].left, 901);
	check_equal(peer.got.sack[1].left, 701);
	check_equal(peer.got.sack[3].left, 301);
	peer_sends(ACK, 201, 1, .len = 100);
	expect(ACK, 1, 1, .sack_count = 4, .sack = {{101, 401}, {901, 1001}, {701, 801}, {501, 601}});
	peer_sends(ACK, 1, 1, .len = 100);
	check(hears() && peer.got.ack == 401 && peer.got.sack_count == 3);
}

static void
test_sack_leaves_room_for_timestamps(void **state)
{
	/* [RFC2018-11] three blocks with timestamps */
	peer_restart(&(struct peer_setup){.sack = true, .ts = true});
	in_established();
	for (unsigned int i = 0; i < 5; i++)
		peer_sends(ACK, 101 + 200 * i, 1, .len = 100);
	hears_all();
	check_equal(peer.got.sack_count, 3);
	check_equal(peer.got.sack[0].left, 901);
}

static void
test_data_carries_sack_too(void **state)
{
	/* [RFC2018-5] */
	up_with_sack();
	in_established();
	peer_sends(ACK, 101, 1, .len = 100);
	hears_all();
	writes(10);
	expect(ACK, 1, 1, .len = 10, .sack_count = 1, .sack = {{101, 201}});
}

static void
test_only_what_is_missing_is_sent_again(void **state)
{
	/* [RFC6675-2, RFC6675-4, RFC6675-5, RFC6675-7, RFC6675-8] segments 0 and 4 lost */
	up_with_sack();
	with_slow_flight(10);
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{at(1), at(2)}});
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{at(1), at(3)}});
	expect_silence(); /* a quarter of the round trip has not passed */
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{at(1), at(4)}});
	expect(ACK, at(0), 1, .len = MSS);
	check(info().in_recovery);
	for (unsigned int i = 6; i <= 10; i++)
		peer_sends(ACK, 1, 1, .sack_count = 2, .sack = {{at(5), at(i)}, {at(1), at(4)}});
	expect(ACK, at(4), 1, .len = MSS);
	expect_silence();
	peer_sends(ACK, 1, at(4), .sack_count = 1, .sack = {{at(5), at(10)}});
	expect_silence();
	check(info().in_recovery);
	peer_sends(ACK, 1, at(10));
	check(!info().in_recovery);
	check_equal(info().retransmits, 2);
	check_equal(stats().rtos, 0);
}

static void
test_one_ack_with_three_segments_starts_recovery(void **state)
{
	/* [RFC6675-5] */
	up_with_sack();
	with_flight(10);
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{at(1), at(5)}});
	expect(ACK, at(0), 1, .len = MSS);
}

static void
test_a_third_lost_of_many_is_repaired_without_timeout(void **state)
{
	/* [RFC6675-7] */
	uint32_t una = 0;
	bool have[60] = {false};
	unsigned int rounds = 0;

	up_with_sack();
	in_established();
	writes(60 * MSS);
	while (una < 60 && rounds++ < 200) {
		struct say say = {.flags = ACK, .seq = 1};

		while (hears()) {
			unsigned int i = (peer.got.seq - 1) / MSS;

			if (!have[i])
				have[i] = rounds != 3 || i % 3 != 0; /* one flight loses a third */
		}
		while (una < 60 && have[una])
			una++;
		say.ack = at(una);
		for (unsigned int i = una; i < 60 && say.sack_count < WIRE_SACK_MAX; i++)
			if (have[i]) {
				say.sack[say.sack_count].left = at(i);
				while (i < 60 && have[i])
					i++;
				say.sack[say.sack_count++].right = at(i);
			}
		advance(20);
		peer_say(&say);
	}
	check_equal(una, 60);
	check_equal(stats().rtos, 0);
	check_equal(stats().fast_recoveries, 1);
}

static void
test_sacked_data_is_not_forgotten(void **state)
{
	/* [RFC2018-7, RFC2018-8] the peer reneges: after the timeout everything goes again */
	up_with_sack();
	with_flight(4);
	sets(RILL_OPT_black_hole_retries, 0);
	peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {{at(1), at(4)}});
	hears_all();
	advance(1100);
	hears_all();
	for (unsigned int i = 1; i < 4; i++) {
		peer_sends(ACK, 1, at(i));
		advance(60000);
		check(hears() && peer.got.seq == at(i) && peer.got.len == MSS);
		hears_all();
	}
	peer_sends(ACK, 1, at(4));
	check_equal(info().snd_queued, 0);
}

static void
test_impossible_sack_blocks_are_ignored(void **state)
{
	/* [RFC2018-10] */
	const struct wire_sack bad[] = {{at(9) + 1, at(1)}, {at(20), at(21)}, {at(5), at(5)},
		{at(5), at(30)}, {(uint32_t)-5000, (uint32_t)-4000}, {0x80000000, 0x80001000}};

	up_with_sack();
	with_flight(10);
	for (unsigned int i = 0; i < 30; i++)
		peer_sends(ACK, 1, 1, .sack_count = 1, .sack = {bad[i % RTE_DIM(bad)]});
	check(info().cwnd <= 10 * MSS);
	check(stats().sack_bad_blocks > 0);
	hears_all();
	peer_sends(ACK, 1, at(10));
	check_equal(info().snd_queued, 0);
	check_equal(info().flight, 0);
}

static void
test_many_little_sack_blocks_are_bounded(void **state)
{
	/* [RFC6675-11, ATK-4] odd bytes everywhere: the records stay bounded, the data is delivered */
	uint32_t before = stats().records;

	up_with_sack();
	with_flight(10);
	for (unsigned int i = 0; i < 3000; i++)
		peer_sends(ACK, 1, 1, .sack_count = 2, .sack = {{3 + 4 * i % 14000, 4 + 4 * i % 14000},
			{7 + 4 * i % 14000, 8 + 4 * i % 14000}});
	hears_all();
	peer_note("%u records", stats().records);
	check(stats().records - before <= 14600 / 2);
	peer_sends(ACK, 1, at(10));
	check_equal(stats().records, before);
}

static void
test_idle_restarts_from_the_initial_window(void **state)
{
	/* [RFC5681-18, RFC6928-6] */
	in_established();
	writes(100 * MSS);
	while (app->acked < 100 * MSS) {
		while (hears())
			;
		peer_sends(ACK, 1, peer.got.seq + peer.got.len);
	}
	check(info().cwnd > 12 * MSS);
	advance(3000);
	writes(100 * MSS);
	check_equal(hears_all(), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_rto_sends_the_head_only_and_doubles),
		dialogue(test_rto_is_never_early),
		dialogue(test_rto_has_a_floor),
		dialogue(test_an_ack_of_everything_stops_the_timer),
		dialogue(test_new_acks_restart_the_timer_and_others_do_not),
		dialogue(test_karn),
		dialogue(test_slow_start_after_rto),
		dialogue(test_ssthresh_changes_once_per_loss),
		dialogue(test_initial_window_and_slow_start),
		dialogue(test_limited_transmit_and_fast_retransmit),
		dialogue(test_not_every_repeated_ack_is_a_duplicate),
		dialogue(test_newreno_repairs_several_losses),
		dialogue(test_duplicates_after_a_timeout_do_not_start_recovery),
		dialogue(test_spoofed_duplicates_do_not_open_the_window),
		dialogue(test_sack_blocks_name_what_came),
		dialogue(test_sack_leaves_room_for_timestamps),
		dialogue(test_data_carries_sack_too),
		dialogue(test_only_what_is_missing_is_sent_again),
		dialogue(test_one_ack_with_three_segments_starts_recovery),
		dialogue(test_a_third_lost_of_many_is_repaired_without_timeout),
		dialogue(test_sacked_data_is_not_forgotten),
		dialogue(test_impossible_sack_blocks_are_ignored),
		dialogue(test_many_little_sack_blocks_are_bounded),
		dialogue(test_idle_restarts_from_the_initial_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
