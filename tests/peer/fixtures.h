/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_FIXTURES_H
#define TEST_FIXTURES_H

/*
 * Dialogues that bring one connection into a state. Afterwards both sides' next sequence number is 1,
 * plus one for each FIN sent.
 *
 *   state               lane's next  peer's next
 *   syn_sent            1            0 (nothing said)
 *   syn_received*       1            1
 *   established*        1            1
 *   fin_wait_1          2            1   our FIN is not acknowledged
 *   fin_wait_2          2            1
 *   close_wait          1            2
 *   closing             2            2   our FIN is not acknowledged
 *   last_ack            2            2   our FIN is not acknowledged
 *   time_wait           2            2
 *
 * With option ecn in the set-up, both sides agree on ECN.
 */

#include <rte_common.h>

#include "app.h"
#include "peer.h"

/* Waits until the lane's next initial sequence number is the one that the environment wants; to be
 * called on a fresh lane, before the first listener or connection. The fixtures do. */
void wait_for_iss(bool active);

void in_listen(void);
void in_syn_sent(void);
void in_syn_received(void);        /* passive: the application knows nothing of it yet */
void in_syn_received_active(void); /* simultaneous open */
void in_established(void);         /* passive */
void in_established_active(void);
void in_fin_wait_1(void);          /* by rill_shutdown, as all below */
void in_fin_wait_2(void);
void in_close_wait(void);
void in_closing(void);
void in_last_ack(void);
void in_time_wait(void);

/* The states in which a connection has a handle and both sides' sequence numbers are known, to be
 * walked by tests of rules that hold in all of them [9293 3.4]. */
struct synchronized {
	const char *name;
	enum rill_state state;
	void (*enter)(void);
	uint32_t snd_una, snd_nxt, rcv_nxt; /* the lane's, relative */
	bool reads;                /* data is still accepted */
};
extern const struct synchronized synchronized_states[];
extern const unsigned int synchronized_count;

/* Runs body once per synchronized state, each on a fresh lane. */
void each_synchronized(void (*body)(const struct synchronized *state));

#endif
