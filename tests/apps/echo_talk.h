/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_ECHO_TALK_H
#define TESTS_ECHO_TALK_H

/*
 * Conversations with a protocol of rill-echo over the fake: what goes in must come out the same however
 * the bytes are split and merged, and however often the send queue refuses.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fake_rill.h"
#include "lane.h"
#include "settings.h"

enum talk_end {
	TALK_OPEN,   /* the server goes on */
	TALK_FIN,    /* it finished sending */
	TALK_RST,    /* it aborted */
};

struct talk {
	const char *name;
	const char *in;
	uint32_t in_len;
	bool eof; /* the peer finishes after in */
	const char *out;
	uint32_t out_len;
	enum talk_end end;
	uint64_t messages; /* that the lane counts; raw: not looked at */
};

/* EAL and one pool; the group's setup and teardown of cmocka. */
int talk_setup(void **state);
int talk_teardown(void **state);

/* Settings for the talks that follow, and a lane made from them. */
extern struct echo_settings talk_settings;
extern struct echo_lane *talk_lane;
void talk_begin(const char *protocol);
void talk_end(void);

/* Bytes as a chain of mbufs of at most seg_max bytes. */
struct rte_mbuf *talk_chain(const void *data, uint32_t len, uint32_t seg_max);

/* Opens the connection. */
void talk_open(uint64_t seed, unsigned int refuse_percent);

/* Lets happen what happens by itself. */
void talk_settle(void);

/* The connection is gone: nothing of it may be left. */
void talk_close(void);

/* The whole talk: as one piece, split in two at every byte, byte by byte, and at random with refusals. */
void talk_all_ways(const struct talk *talk);

#endif
