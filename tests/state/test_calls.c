/* SPDX-License-Identifier: BSD-3-Clause */
/* SEND, RECEIVE, CLOSE, ABORT and STATUS in each state that has a handle [9293 3.10.2 to 3.10.6]. */
#include "fixtures.h"

#include <errno.h>
#include <string.h>

struct handle_state {
	const char *name;
	enum rill_state state;
	void (*enter)(void);
	uint32_t snd_nxt, rcv_nxt;
	int send;     /* what rill_write of 10 bytes returns */
	int shutdown; /* what rill_shutdown returns */
	bool abort_sends_rst;
};

static const struct handle_state states[] = {
	{"SYN-SENT", RILL_SYN_SENT, in_syn_sent, 1, 0, -ENOTCONN, 1, false},
	{"SYN-RECEIVED", RILL_SYN_RECEIVED, in_syn_received_active, 1, 1, -ENOTCONN, 1, true},
	{"ESTABLISHED", RILL_ESTABLISHED, in_established, 1, 1, 10, 0, true},
	{"FIN-WAIT-1", RILL_FIN_WAIT_1, in_fin_wait_1, 2, 1, -EPIPE, -EPIPE, true},
	{"FIN-WAIT-2", RILL_FIN_WAIT_2, in_fin_wait_2, 2, 1, -EPIPE, -EPIPE, true},
	{"CLOSE-WAIT", RILL_CLOSE_WAIT, in_close_wait, 1, 2, 10, 0, true},
	{"CLOSING", RILL_CLOSING, in_closing, 2, 2, -EPIPE, -EPIPE, false},
	{"LAST-ACK", RILL_LAST_ACK, in_last_ack, 2, 2, -EPIPE, -EPIPE, false},
};

static void
each(void (*body)(const struct handle_state *state))
{
	for (unsigned int i = 0; i < RTE_DIM(states); i++) {
		peer_restart(&peer.setup);
		peer_note("---- %s", states[i].name);
		states[i].enter();
		body(&states[i]);
	}
}

static void
check_addr(const struct rill_addr *addr, uint32_t host)
{
	const struct rill_addr want = family_addr_of(host);

	check(memcmp(addr, &want, sizeof(want)) == 0);
}

static void
status_says_the_truth(const struct handle_state *s)
{
	struct rill_conn_info now = info();

	check_equal(now.state, s->state);
	expect_state(s->state);
	check_equal(now.local.port, peer.flow->lane_port);
	check_equal(now.remote.port, peer.flow->peer_port);
	check_addr(&now.local.addr, LANE_ADDR);
	check_addr(&now.remote.addr, PEER_ADDR);
	check_equal(now.snd_queued, 0);
	check_equal(now.bytes_in, 0);
	check(rill_conn_lane(app->conn) == peer.lane);
	check(rill_conn_user(app->conn) == app);
}

static void
test_status(void **state)
{
	/* [RFC9293-E42] */
	each(status_says_the_truth);
}

static void
send_returns_what_it_should(const struct handle_state *s)
{
	check_equal(tries_to_write(10), s->send);
	if (s->send == 10)
		expect(ACK, s->snd_nxt, s->rcv_nxt, .len = 10);
	expect_silence();
	check(rill_send_room(app->conn) > 0 || s->send < 0);
	expect_alive();
}

static void
test_send(void **state)
{
	each(send_returns_what_it_should);
}

static void
abort_resets(const struct handle_state *s)
{
	/* [RFC9293-E32] */
	aborts();
	if (s->abort_sends_rst) {
		check(hears() && peer.got.flags & RST);
		check_equal(peer.got.seq, s->snd_nxt);
	}
	expect_silence();
	expect_closed(ABORTED);
	expect_state(RILL_CLOSED);
	check_equal(stats().conns, 0);
}

static void
test_abort(void **state)
{
	each(abort_resets);
}

static void
close_closes(const struct handle_state *s)
{
	/* [RFC9293-E31] a second rill_close is refused, or the handle is gone */
	closes();
	if (s->state == RILL_ESTABLISHED || s->state == RILL_CLOSE_WAIT)
		expect(FIN | ACK, 1, s->rcv_nxt);
	if (s->state == RILL_SYN_RECEIVED) /* FIN at once, or after the handshake */
		hears_all();
	expect_silence();
	check_equal(app->closed, s->state == RILL_SYN_SENT);
	if (app->conn != NULL)
		check(info().state != RILL_CLOSED);
}

static void
test_close(void **state)
{
	each(close_closes);
}

static void
shutdown_sends_fin_once(const struct handle_state *s)
{
	if (s->shutdown > 0) /* before the handshake is done: not of interest here */
		return;
	check_equal(rill_shutdown(app->conn), s->shutdown);
	turn();
	if (s->shutdown == 0) {
		expect(FIN | ACK, s->snd_nxt, s->rcv_nxt);
		check_equal(rill_shutdown(app->conn), -EPIPE);
		check_equal(tries_to_write(1), -EPIPE);
	}
	expect_silence();
}

static void
test_shutdown(void **state)
{
	each(shutdown_sends_fin_once);
}

static void
pause_and_resume_do_no_harm(const struct handle_state *s)
{
	/* RECEIVE in each state */
	pauses();
	resumes();
	expect_silence();
	check_equal(info().state, s->state);
}

static void
test_pause_and_resume(void **state)
{
	each(pause_and_resume_do_no_harm);
}

static void
user_timeout_flushes(const struct handle_state *s)
{
	/* [RFC9293-E33, MUST-21] wherever something of ours waits for an acknowledgment */
	if (s->state == RILL_FIN_WAIT_2 || s->state == RILL_SYN_SENT || s->state == RILL_SYN_RECEIVED)
		return;
	sets(RILL_OPT_user_timeout_ms, 5000);
	if (s->send == 10)
		writes(10);
	advance(4500);
	expect_alive();
	advance(2000);
	expect_closed(TIMEOUT);
	expect_state(RILL_CLOSED);
	check_equal(stats().conns_timed_out, 1);
}

static void
test_user_timeout(void **state)
{
	each(user_timeout_flushes);
}

static void
dead_peer_ends_it(const struct handle_state *s)
{
	/* [MUST-20, SHLD-11, RFC9293-E33] retries run out */
	uint64_t start = peer.now;

	if (s->state == RILL_FIN_WAIT_2)
		return;
	if (s->send == 10)
		writes(10);
	advance(30 * 60 * 1000);
	hears_all();
	expect_closed(TIMEOUT);
	expect_state(RILL_CLOSED);
	check(peer.now - start > 100000000);
}

static void
test_a_dead_peer(void **state)
{
	each(dead_peer_ends_it);
}

static void
test_retries_bound_the_retransmissions(void **state)
{
	/* [MUST-20, SHLD-9, SHLD-10, RFC6298-14] told once after R1, ended after R2; each wait doubles */
	struct peer_setup setup = {.options = default_options()};
	unsigned int sent = 0;
	uint64_t last, gap = 1000000;

	setup.options.retries = 5;
	peer_restart(&setup);
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	last = peer.now;
	while (app->closed == 0) {
		advance(100);
		while (hears()) {
			if (peer.got.flags & RST)
				continue;
			check_equal(peer.got.seq, 1);
			if (sent++ > 0)
				check((peer.got_at - last) >= 2 * gap - 20000);
			gap = peer.got_at - last;
			last = peer.got_at;
			check_equal(app->errors, sent >= 3);
		}
	}
	check_equal(sent, 5);
	check_equal(app->error, ETIMEDOUT);
	expect_closed(TIMEOUT);
}

static void
test_soft_errors_can_be_turned_off(void **state)
{
	/* [SHLD-20] */
	struct peer_setup setup = {.options = default_options()};

	setup.options.soft_errors = 0;
	peer_restart(&setup);
	in_established();
	writes(10);
	advance(60000);
	hears_all();
	check_equal(app->errors, 0);
	expect_alive();
	check_equal(info().error, ETIMEDOUT);
	check_equal(info().error, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_status),
		dialogue(test_send),
		dialogue(test_abort),
		dialogue(test_close),
		dialogue(test_shutdown),
		dialogue(test_pause_and_resume),
		dialogue(test_user_timeout),
		dialogue(test_a_dead_peer),
		dialogue(test_retries_bound_the_retransmissions),
		dialogue(test_soft_errors_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
