/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixtures.h"

#include <stdlib.h>

#include <rte_common.h>

/*
 * The lane's initial sequence number moves with time, one every 4 µs [9293 MUST-8], so waiting moves it
 * to where the environment wants it. How long to wait is measured once per role on a lane of its own.
 */
void
wait_for_iss(bool active)
{
	static uint32_t wait_ticks[2];
	static bool measured[2];
	const char *want = getenv("RILL_TEST_ISS");
	struct peer_setup setup = peer.setup;
	void (*hook)(struct app *, enum app_event) = app_default_hook;

	if (want == NULL)
		return;
	if (!measured[active]) {
		if (active) {
			connects();
		} else {
			listens();
			peer_sends(SYN, 0, 0);
		}
		check(peer.flow->iss_known);
		wait_ticks[active] = (uint32_t)strtoul(want, NULL, 0) - peer.flow->iss;
		measured[active] = true;
		peer_restart(&setup);
		app_default_hook = hook;
	}
	if (peer.now == START_US && peer.flow == &peer.flows[0])
		advance_us((uint64_t)wait_ticks[active] * 4);
}

/* The flags by which ECN is asked for and agreed to, if the lane's options want it. */
static uint8_t
ecn_flags(uint8_t flags)
{
	return peer.setup.options.ecn ? flags : 0;
}

void
in_listen(void)
{
	wait_for_iss(false);
	listens();
}

void
in_syn_sent(void)
{
	wait_for_iss(true);
	connects();
	expect(SYN | ecn_flags(ECE | CWR), 0, 0);
}

void
in_syn_received(void)
{
	in_listen();
	peer_sends(SYN | ecn_flags(ECE | CWR), 0, 0);
	expect(SYN | ACK | ecn_flags(ECE), 0, 1);
	expect_state(RILL_SYN_RECEIVED);
}

void
in_syn_received_active(void)
{
	in_syn_sent();
	peer_sends(SYN | ecn_flags(ECE | CWR), 0, 0);
	expect(SYN | ACK | ecn_flags(ECE), 0, 1);
	expect_state(RILL_SYN_RECEIVED);
}

void
in_established(void)
{
	in_syn_received();
	peer_sends(ACK, 1, 1);
	expect_silence();
	expect_opened();
	expect_state(RILL_ESTABLISHED);
}

void
in_established_active(void)
{
	in_syn_sent();
	peer_sends(SYN | ACK | ecn_flags(ECE), 0, 1);
	expect(ACK, 1, 1);
	expect_silence();
	expect_opened();
	expect_state(RILL_ESTABLISHED);
}

void
in_fin_wait_1(void)
{
	in_established();
	shuts_down();
	expect(FIN | ACK, 1, 1);
	expect_state(RILL_FIN_WAIT_1);
}

void
in_fin_wait_2(void)
{
	in_fin_wait_1();
	peer_sends(ACK, 1, 2);
	expect_silence();
	expect_state(RILL_FIN_WAIT_2);
}

void
in_close_wait(void)
{
	in_established();
	peer_sends(FIN | ACK, 1, 1);
	expect(ACK, 1, 2);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
}

void
in_closing(void)
{
	in_fin_wait_1();
	peer_sends(FIN | ACK, 1, 1);
	expect(ACK, 2, 2);
	expect_state(RILL_CLOSING);
}

void
in_last_ack(void)
{
	in_close_wait();
	shuts_down();
	expect(FIN | ACK, 1, 2);
	expect_state(RILL_LAST_ACK);
}

void
in_time_wait(void)
{
	in_fin_wait_2();
	peer_sends(FIN | ACK, 1, 2);
	expect(ACK, 2, 2);
	expect_state(RILL_TIME_WAIT);
	expect_closed(DONE);
}

const struct synchronized synchronized_states[] = {
	{"ESTABLISHED", RILL_ESTABLISHED, in_established, 1, 1, 1, true},
	{"ESTABLISHED by active open", RILL_ESTABLISHED, in_established_active, 1, 1, 1, true},
	{"FIN-WAIT-1", RILL_FIN_WAIT_1, in_fin_wait_1, 1, 2, 1, true},
	{"FIN-WAIT-2", RILL_FIN_WAIT_2, in_fin_wait_2, 2, 2, 1, true},
	{"CLOSE-WAIT", RILL_CLOSE_WAIT, in_close_wait, 1, 1, 2, false},
	{"CLOSING", RILL_CLOSING, in_closing, 1, 2, 2, false},
	{"LAST-ACK", RILL_LAST_ACK, in_last_ack, 1, 2, 2, false},
};
const unsigned int synchronized_count = RTE_DIM(synchronized_states);

void
each_synchronized(void (*body)(const struct synchronized *state))
{
	struct peer_setup setup = peer.setup;

	for (unsigned int i = 0; i < synchronized_count; i++) {
		peer_restart(&setup);
		peer_note("---- %s", synchronized_states[i].name);
		synchronized_states[i].enter();
		peer.seen = stats();
		body(&synchronized_states[i]);
	}
}
