/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending: segment sizes, PSH, Nagle, the peer's window in all its moods, probes [9293 3.7, 3.8.6]. */
#include "fixtures.h"

#include <errno.h>

#include <rte_mbuf.h>

static struct peer_setup
setup_with(enum rill_option option, int32_t value)
{
	struct peer_setup setup = {.options = default_options()};

	((int32_t *)&setup.options)[option] = value;
	return setup;
}

static void
up_with(enum rill_option option, int32_t value)
{
	struct peer_setup setup = setup_with(option, value);

	peer_restart(&setup);
}

static void
test_one_byte_leaves_at_once(void **state)
{
	/* [MUST-60, MUST-61] */
	in_established();
	writes(1);
	expect(ACK, 1, 1, .len = 1, .psh = true);
}

static void
test_bulk_goes_in_full_segments_with_psh_at_the_end(void **state)
{
	/* [SHLD-28, MUST-61, RFC6928-1] */
	in_established();
	writes(5 * 1460 + 10);
	for (unsigned int i = 0; i < 5; i++)
		expect(ACK, 1 + i * 1460, 1, .len = 1460);
	peer_sends(ACK, 1, 1 + 5 * 1460);
	expect(ACK, 7301, 1, .len = 10, .psh = true);
	expect_silence();
}

static void
test_nagle_holds_small_segments(void **state)
{
	/* [SHLD-7] */
	in_established();
	writes(1);
	expect(ACK, 1, 1, .len = 1);
	writes(1);
	writes(1);
	writes(1);
	expect_silence();
	peer_sends(ACK, 1, 2);
	expect(ACK, 2, 1, .len = 3);
}

static void
test_nodelay_does_not(void **state)
{
	/* [MUST-17] on this connection only */
	in_established();
	sets(RILL_OPT_nodelay, 1);
	for (unsigned int i = 0; i < 4; i++) {
		writes(1);
		expect(ACK, 1 + i, 1, .len = 1);
	}
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	app = &apps[1];
	writes(1);
	expect(ACK, 1, 1, .len = 1);
	writes(1);
	expect_silence();
}

static void
test_cork_holds_for_a_while(void **state)
{
	/* [MAY-16] until uncorked, or 200 ms */
	in_established();
	sets(RILL_OPT_cork, 1);
	writes(100);
	writes(100);
	expect_silence();
	sets(RILL_OPT_cork, 0);
	expect(ACK, 1, 1, .len = 200);
	peer_sends(ACK, 1, 201);
	sets(RILL_OPT_cork, 1);
	writes(50);
	advance(190);
	expect_silence();
	expect_within(30, ACK, 201, 1, .len = 50);
}

static void
test_corked_full_segments_leave(void **state)
{
	in_established();
	sets(RILL_OPT_cork, 1);
	writes(1500);
	expect(ACK, 1, 1, .len = 1460);
	expect_silence();
}

static void
test_zero_copy_and_copied_writes_mix(void **state)
{
	/* [SHLD-28] small pieces gather into full segments */
	in_established();
	writes(700);
	expect(ACK, 1, 1, .len = 700);
	sends(300);
	writes(100);
	sends(1200);
	expect(ACK, 701, 1, .len = 1460);
	expect_silence();
	peer_sends(ACK, 1, 2161);
	expect(ACK, 2161, 1, .len = 140);
}

static void
test_a_shared_buffer_goes_out_on_many_connections(void **state)
{
	struct rte_mbuf *original;

	in_established();
	original = app_buffer(1, 500);
	for (unsigned int i = 1; i < 4; i++) {
		struct rte_mbuf *clone;

		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1);
		clone = rte_pktmbuf_clone(original, original->pool);
		check(clone != NULL);
		check_equal(rill_send(apps[i].conn, clone), 0);
		apps[i].wrote = 500;
		turn();
		expect(ACK, 1, 1, .len = 500);
	}
	rte_pktmbuf_free(original);
	advance(300);
	hears_all();
	for (unsigned int i = 1; i < 4; i++) {
		peer_uses_flow(i);
		peer_sends(ACK, 1, 501);
		check_equal(apps[i].acked, 500);
	}
}

static void
test_a_full_queue_says_so_and_tells_when_there_is_room(void **state)
{
	up_with(RILL_OPT_sndbuf, 10000);
	in_established();
	check_equal(tries_to_write(12000), 10000);
	check_equal(tries_to_write(1), -EAGAIN);
	check_equal(rill_send_room(app->conn), 0);
	hears_all();
	peer_sends(ACK, 1, 5001);
	check_equal(app->acked, 5000);
	check_equal(rill_send_room(app->conn), 5000);
	check_equal(info().snd_queued, 5000);
	check_equal(tries_to_write(6000), 5000);
}

static void
test_messages_longer_than_the_queue_are_refused(void **state)
{
	struct rte_mbuf *mbuf;

	up_with(RILL_OPT_sndbuf, 2048);
	in_established();
	mbuf = app_buffer(1, 1500);
	rte_pktmbuf_chain(mbuf, app_buffer(1501, 1500));
	check_equal(rill_send(app->conn, mbuf), -EMSGSIZE);
	rte_pktmbuf_free(mbuf);
	check_equal(rill_buf_alloc(peer.lane, 1u << 20, &mbuf), -EMSGSIZE);
}

static void
test_an_empty_buffer_is_taken(void **state)
{
	in_established();
	check_equal(rill_send(app->conn, app_buffer(1, 0)), 0);
	turn();
	expect_silence();
}

static void
test_the_peers_window_binds(void **state)
{
	/* [RFC6928-10, RFC5681-1, MUST-1] */
	in_established();
	peer_sends(ACK, 1, 1, .wnd = 3000);
	writes(6000);
	expect(ACK, 1, 1, .len = 1460);
	expect(ACK, 1461, 1, .len = 1460);
	advance(10);
	expect_silence();
	peer_sends(ACK, 1, 2921, .wnd = 3000);
	expect(ACK, 2921, 1, .len = 1460);
	expect(ACK, 4381, 1, .len = 1460);
}

static void
test_a_large_unscaled_window_is_not_negative(void **state)
{
	/* [MUST-1, RFC1122-1] 0x8000 and above */
	up_with(RILL_OPT_initial_window, 10);
	in_established();
	peer_sends(ACK, 1, 1, .wnd = 0x8000);
	writes(14600);
	check_equal(hears_all(), 10);
}

static void
test_a_window_update_out_of_order_is_ignored(void **state)
{
	/* [RFC9293-E21] older SEQ, or older ACK at the same SEQ */
	in_established();
	peer_sends(ACK, 11, 1, .len = 1, .wnd = 5000);
	peer_sends(ACK, 1, 1, .len = 10, .wnd = 1000);
	hears_all();
	check_equal(info().snd_wnd, 5000);
	writes(100);
	hears_all();
	peer_sends(ACK, 12, 101, .wnd = 4000);
	peer_sends(ACK, 12, 51, .wnd = 9000);
	check_equal(info().snd_wnd, 4000);
}

static void
test_a_shrunken_window_stops_new_data(void **state)
{
	/* [MUST-34, SHLD-15, SHLD-16] and when it opens, all goes on */
	in_established();
	writes(20000);
	check_equal(hears_all(), 10);
	peer_sends(ACK, 1, 1461, .wnd = 2920);
	expect_silence();
	peer_sends(ACK, 1, 2921, .wnd = 1460);
	expect_silence();
	check(info().flight <= 14600);
	expect_within(1100, ACK, 2921, 1, .len = 1460);
	peer_sends(ACK, 1, 14601);
	expect(ACK, 14601, 1, .len = 1460);
	expect_alive();
}

static void
test_a_window_shrunk_to_zero_is_probed(void **state)
{
	/* [MUST-35, SHLD-17] data outstanding, window 0: no death while the peer answers */
	in_established();
	writes(10000);
	hears_all();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	for (unsigned int i = 0; i < 40; i++) {
		advance(61000);
		check(hears_all() > 0);
		peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	}
	expect_alive();
	hears_all();
	peer_sends(ACK, 1, 1);
	expect_within(1000, ACK, 1, 1, .len = 1460);
}

static void
test_a_zero_window_is_probed_with_backoff_for_ever(void **state)
{
	/* [MUST-36, MUST-37, SHLD-29, SHLD-30] */
	uint64_t last, gap = 0;

	in_established();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	writes(100);
	expect_silence();
	last = peer.now;
	for (unsigned int i = 0; i < 50; i++) {
		uint64_t wait;

		check(hears() == false);
		while (!hears())
			advance(50);
		check(peer.got.len <= 1);
		check(peer.got.seq == 1 || peer.got.seq == 0);
		wait = peer.got_at - last;
		if (i == 0)
			check(wait >= 190000 && wait <= 1100000);
		else
			check(wait >= RTE_MIN(2 * gap, 60000000u) - 100000);
		check(wait <= 61000000);
		last = peer.got_at;
		gap = wait;
		peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	}
	expect_alive();
	check(stats().window_probes >= 50);
	check_equal(stats().fast_recoveries, 0);
	peer_sends(ACK, 1, 1);
	check(hears() && peer.got.seq == 1);
	if (peer.got.len == 1) { /* the octet that was refused, again */
		peer_sends(ACK, 1, 2);
		check(hears());
	}
	check_equal(peer.got.seq + peer.got.len, 101);
}

static void
test_an_unanswered_probe_ends_the_connection_at_last(void **state)
{
	/* [MUST-37] only answered probes keep it */
	in_established();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	writes(100);
	advance(3600 * 1000);
	hears_all();
	expect_closed(TIMEOUT);
}

static void
test_acks_stay_acceptable_while_a_probe_is_out(void **state)
{
	/* [MUST-66] the peer's window is closed and ours may be too: an ACK numbered behind the probe's octet would
	 * be outside it, and what it acknowledges would go unheard [9293 3.10.7.4] */
	in_established();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	writes(100);
	expect_within(1100, ACK, 1, 1, .len = 1);
	peer_sends(ACK, 1, 1, .len = 100, .wnd = WND_ZERO);
	expect_within(50, ACK, 1, 101);
}

static void
test_silly_windows_are_not_used(void **state)
{
	/* [MUST-38, RFC1122-9] 100 bytes of 1000: nothing at once, but after the override timer */
	in_established();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	writes(1000);
	peer_sends(ACK, 1, 1, .wnd = 100);
	expect_silence();
	expect_within(1000, ACK, 1, 1, .len = 100);
	check(peer.got_at - START_US > 0);
	peer_sends(ACK, 1, 101, .wnd = 1000);
	expect(ACK, 101, 1, .len = 900);
}

static void
test_half_the_largest_window_is_not_silly(void **state)
{
	/* [MUST-38] the peer never offered more than 600 */
	in_syn_received();
	peer_sends(ACK, 1, 1, .wnd = 600);
	peer_sends(ACK, 1, 1, .wnd = 600);
	writes(2000);
	check(hears() && peer.got.len >= 300);
}

static void
test_the_peers_scale_applies_after_the_handshake(void **state)
{
	/* [RFC7323-4, RFC7323-5, REC-1] the SYN's window is raw */
	peer_restart(&(struct peer_setup){.ws = true, .wscale = 7});
	in_listen();
	peer_sends(SYN, 0, 0, .wnd = 1000);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1, .wnd = 1000);
	check_equal(info().snd_wnd, 128000);
	check_equal(info().snd_wscale, 7);
}

static void
test_a_scale_above_14_is_14(void **state)
{
	/* [RFC7323-6] */
	peer_restart(&(struct peer_setup){.ws = true, .wscale = 200});
	in_established();
	check_equal(info().snd_wscale, 14);
	check_equal(info().snd_wnd, 65535u << 14);
}

static void
test_window_fields_of_ours_are_scaled(void **state)
{
	/* [RFC7323-4, RFC7323-5] */
	struct peer_setup setup = setup_with(RILL_OPT_rcvbuf, 4 << 20);

	setup.ws = true;
	peer_restart(&setup);
	in_syn_received();
	check(peer.got.wnd >= 14600);
	peer_sends(ACK, 1, 1, .len = 10);
	check_equal(info().rcv_wscale, peer.flow->lane_wscale);
	check(peer.flow->lane_wscale >= 6);
	expect_within(50, ACK, 1, 11);
	check(((uint32_t)peer.got.wnd << peer.flow->lane_wscale) > (4u << 20) - 1000);
}

static void
test_ttl_and_dscp_are_in_every_segment(void **state)
{
	/* [MUST-48, MUST-49, SHLD-21, SHLD-22, RFC791-11] */
	struct peer_setup setup = setup_with(RILL_OPT_ttl, 3);

	setup.options.dscp = 46;
	peer_restart(&setup);
	in_listen();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check_equal(peer.got.ttl, 3);
	check_equal(peer.got.tos, 46 << 2);
	peer_sends(ACK, 1, 1);
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	check_equal(peer.got.ttl, 3);
	check_equal(peer.got.tos, 46 << 2);
	sets(RILL_OPT_dscp, 10);
	sets(RILL_OPT_nodelay, 1);
	writes(10);
	expect(ACK, 11, 1, .len = 10);
	check_equal(peer.got.tos, 10 << 2);
}

static void
test_values_out_of_bounds_are_refused(void **state)
{
	in_established();
	check_equal(rill_set(app->conn, RILL_OPT_ttl, 0), -EINVAL);
	check_equal(rill_set(app->conn, RILL_OPT_ttl, 256), -EINVAL);
	check_equal(rill_set(app->conn, RILL_OPT_COUNT, 1), -EINVAL);
	check_equal(info().state, RILL_ESTABLISHED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_one_byte_leaves_at_once),
		dialogue(test_bulk_goes_in_full_segments_with_psh_at_the_end),
		dialogue(test_nagle_holds_small_segments),
		dialogue(test_nodelay_does_not),
		dialogue(test_cork_holds_for_a_while),
		dialogue(test_corked_full_segments_leave),
		dialogue(test_zero_copy_and_copied_writes_mix),
		dialogue(test_a_shared_buffer_goes_out_on_many_connections),
		dialogue(test_a_full_queue_says_so_and_tells_when_there_is_room),
		dialogue(test_messages_longer_than_the_queue_are_refused),
		dialogue(test_an_empty_buffer_is_taken),
		dialogue(test_the_peers_window_binds),
		dialogue(test_a_large_unscaled_window_is_not_negative),
		dialogue(test_a_window_update_out_of_order_is_ignored),
		dialogue(test_a_shrunken_window_stops_new_data),
		dialogue(test_a_window_shrunk_to_zero_is_probed),
		dialogue(test_a_zero_window_is_probed_with_backoff_for_ever),
		dialogue(test_an_unanswered_probe_ends_the_connection_at_last),
		dialogue(test_acks_stay_acceptable_while_a_probe_is_out),
		dialogue(test_silly_windows_are_not_used),
		dialogue(test_half_the_largest_window_is_not_silly),
		dialogue(test_the_peers_scale_applies_after_the_handshake),
		dialogue(test_a_scale_above_14_is_14),
		dialogue(test_window_fields_of_ours_are_scaled),
		dialogue(test_ttl_and_dscp_are_in_every_segment),
		dialogue(test_values_out_of_bounds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
