/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_COOKIE_H
#define RILL_GUARD_COOKIE_H

/*
 * SYN cookies [4987 3.6]: what a half-open connection would remember, put into the SYN,ACK's own
 * numbers, so that a listener whose backlog is full answers without keeping anything.
 *
 *   sequence number   bit 31     the slot's parity: time is cut into slots of 67 s
 *                     30 .. 28   index into a table of MSS values
 *                     27 .. 0    SipHash of tuple, the peer's number, the index and whether there
 *                                are timestamps, under the slot's secret
 *   TSval             5 .. 0     window scale (15: none), SACK, ECN
 *
 * A cookie is good in its slot and in the next one: for 67 to 134 s. A slot's secret is derived
 * from the stack's and the slot's number, so that all lanes have the same, and two live at a time.
 * A guess succeeds once in 2^28. What TSval says is not protected: a peer that changes it deceives
 * itself about its own window scale, and can get nothing that our options do not offer.
 *
 * What is lost: the SYN,ACK is not repeated, MSS is rounded down to the table, and without
 * timestamps there is neither window scale nor SACK nor ECN.
 */

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"
#include "siphash.h"
#include "tuple.h"
#include "ustime.h"

#define COOKIE_SLOT_SHIFT 26                            /* a slot is 2^26 us: 67 s */
#define COOKIE_LIFE_US ((ustime)2 << COOKIE_SLOT_SHIFT) /* no cookie is good for longer */
#define COOKIE_MSS_LEAST 216u                           /* a peer that takes less gets no cookie */
#define COOKIE_TSVAL_BITS 6

/* The secrets of the last slots that were asked for. */
struct cookies {
	struct siphash_key master;
	struct {
		uint64_t slot;
		struct siphash_key key;
	} secrets[2]; /* by the slot's parity */
};

/* What a cookie keeps of a SYN. */
struct cookie_syn {
	uint16_t mss; /* bytes; a cookie keeps the largest of its table that is not above it */
	bool has_ts;
};

/* What TSval's low bits keep of its options. */
struct cookie_options {
	bool has_wscale, has_sack, ecn;
	uint8_t wscale; /* 0 .. 14, with has_wscale */
};

void cookies_init(struct cookies *cookies, struct siphash_key master);

/* The initial sequence number for a SYN with number irs; syn->mss >= COOKIE_MSS_LEAST. */
seq_t cookie_make(struct cookies *cookies, const struct tuple *tuple, seq_t irs,
	const struct cookie_syn *syn, ustime now);

/*
 * Is iss a cookie of ours for this tuple, the peer's irs and syn->has_ts, made COOKIE_LIFE_US ago
 * at most? Then syn->mss is set.
 */
bool cookie_check(struct cookies *cookies, const struct tuple *tuple, seq_t irs, seq_t iss,
	struct cookie_syn *syn, ustime now);

/* The latest TSval, not ahead of tsval, whose low bits say so; and what the low bits say. */
uint32_t cookie_tsval(uint32_t tsval, const struct cookie_options *options);
struct cookie_options cookie_options_of(uint32_t tsval);

#endif
