/* SPDX-License-Identifier: BSD-3-Clause */
#include "cookie.h"

#include "check.h"

#define MAC_BITS 28
#define MAC_MASK ((1u << MAC_BITS) - 1)
#define INDEX_MASK 7u
#define PARITY_SHIFT 31

/* TSval's low bits. */
#define TSVAL_MASK ((1u << COOKIE_TSVAL_BITS) - 1)
#define TSVAL_WSCALE 15u /* as value: no window scaling */
#define TSVAL_SACK 16u
#define TSVAL_ECN 32u

/*
 * Ascending: the floor, the value of a SYN without the option, IPv6's least MTU, tunnels, PPPoE's
 * and IPv6's Ethernet rounded down, Ethernet, jumbo frames.
 */
static const uint16_t mss_table[] = {COOKIE_MSS_LEAST, 536, 1220, 1300, 1360, 1440, 1460, 8940};

static_assert(sizeof(mss_table) / sizeof(mss_table[0]) == INDEX_MASK + 1, "three bits");

void
cookies_init(struct cookies *cookies, struct siphash_key master)
{
	*cookies = (struct cookies){.master = master};
	cookies->secrets[0].slot = cookies->secrets[1].slot = UINT64_MAX; /* none is known yet */
}

static const struct siphash_key *
slot_secret(struct cookies *cookies, uint64_t slot)
{
	uint64_t message[2] = {slot, 0};

	if (cookies->secrets[slot & 1].slot != slot) {
		cookies->secrets[slot & 1].slot = slot;
		cookies->secrets[slot & 1].key.k0 =
			siphash(&cookies->master, message, sizeof(message));
		message[1] = 1;
		cookies->secrets[slot & 1].key.k1 =
			siphash(&cookies->master, message, sizeof(message));
	}
	return &cookies->secrets[slot & 1].key;
}

static uint32_t
cookie_mac(const struct siphash_key *key, const struct tuple *tuple, seq_t irs, uint32_t index,
	bool has_ts)
{
	struct {
		uint64_t tuple;
		uint32_t irs, rest;
	} message = {siphash_tuple(key, tuple), irs.n, index << 1 | has_ts};

	return (uint32_t)siphash(key, &message, sizeof(message)) & MAC_MASK;
}

static uint32_t
mss_index(uint16_t mss)
{
	uint32_t i = INDEX_MASK;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

seq_t
cookie_make(struct cookies *cookies, const struct tuple *tuple, seq_t irs,
	const struct cookie_syn *syn, ustime now)
{
	uint64_t slot = now >> COOKIE_SLOT_SHIFT;
	uint32_t index = mss_index(syn->mss);

	RILL_DCHECK(syn->mss >= COOKIE_MSS_LEAST);
	return seq((uint32_t)(slot & 1) << PARITY_SHIFT | index << MAC_BITS |
		   cookie_mac(slot_secret(cookies, slot), tuple, irs, index, syn->has_ts));
}

bool
cookie_check(struct cookies *cookies, const struct tuple *tuple, seq_t irs, seq_t iss,
	struct cookie_syn *syn, ustime now)
{
	uint64_t slot = now >> COOKIE_SLOT_SHIFT;
	uint32_t index = iss.n >> MAC_BITS & INDEX_MASK;

	if ((slot & 1) != iss.n >> PARITY_SHIFT) { /* made in the slot before, if at all */
		if (slot == 0)
			return false;
		slot--;
	}
	if ((iss.n & MAC_MASK) !=
		cookie_mac(slot_secret(cookies, slot), tuple, irs, index, syn->has_ts))
		return false;
	syn->mss = mss_table[index];
	return true;
}

uint32_t
cookie_tsval(uint32_t tsval, const struct cookie_options *options)
{
	uint32_t bits = options->has_wscale ? options->wscale : TSVAL_WSCALE, coded;

	if (options->has_sack)
		bits |= TSVAL_SACK;
	if (options->ecn)
		bits |= TSVAL_ECN;
	coded = (tsval & ~TSVAL_MASK) | bits;
	return bits <= (tsval & TSVAL_MASK) ? coded : coded - (TSVAL_MASK + 1);
}

struct cookie_options
cookie_options_of(uint32_t tsval)
{
	uint32_t wscale = tsval & TSVAL_WSCALE;

	return (struct cookie_options){
		.has_wscale = wscale != TSVAL_WSCALE,
		.wscale = wscale != TSVAL_WSCALE ? (uint8_t)wscale : 0,
		.has_sack = tsval & TSVAL_SACK,
		.ecn = tsval & TSVAL_ECN,
	};
}
