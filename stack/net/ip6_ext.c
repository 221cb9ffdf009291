/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip6_ext.h"

#include "ip6.h"

#define EXT_UNIT 8u      /* lengths are in these, beyond the first */
#define NEXT_HEADER_AT 6 /* in the IPv6 header */

enum {
	OPTION_PAD1 = 0,
	OPTION_PADN = 1,
	OPTION_ROUTER_ALERT = 5,
};

/* What to do about an option that is not known: the highest two bits of its type [8200 4.2]. */
enum {
	ACTION_SKIP,
	ACTION_DROP,
	ACTION_TELL,
	ACTION_TELL_UNLESS_GROUP,
};

enum {
	ROUTING_TYPE_AT = 2,
	ROUTING_LEFT_AT = 3,
};

static uint32_t
length_of(const uint8_t *header, uint8_t kind)
{
	return kind == IPPROTO_FRAGMENT ? EXT_UNIT : (header[1] + 1u) * EXT_UNIT;
}

/* One of several: an offset, or more to come. */
static bool
is_piece(const uint8_t *fragment)
{
	return fragment[2] != 0 || (fragment[3] & 0xf9) != 0;
}

static enum rill_drop
tell(struct ip6_chain *chain, uint8_t code, uint32_t at, enum rill_drop reason)
{
	chain->tell = true;
	chain->code = code;
	chain->pointer = (uint16_t)(IP6_HEADER_LEN + at);
	return reason;
}

/* The option of an unknown type that stands at `at`. */
static enum rill_drop
unknown_option(uint8_t type, uint32_t at, struct ip6_chain *chain)
{
	switch (type >> 6) {
	case ACTION_SKIP:
		return RILL_DROP_COUNT;
	case ACTION_DROP:
		return RILL_DROP_ip6_option;
	default:
		chain->tell_groups = type >> 6 == ACTION_TELL;
		return tell(chain, IP6_PROBLEM_OPTION, at, RILL_DROP_ip6_option);
	}
}

/* The options of a header of len bytes that begins at `at`. */
static enum rill_drop
walk_options(const uint8_t *bytes, uint32_t at, uint32_t len, struct ip6_chain *chain)
{
	uint32_t end = at + len;

	for (at += 2; at < end;) {
		uint8_t type = bytes[at];
		enum rill_drop reason;

		if (type == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || bytes[at + 1] > end - at - 2)
			return RILL_DROP_ip6_extension;
		chain->router_alert |= type == OPTION_ROUTER_ALERT && bytes[at + 1] == 2;
		reason = type == OPTION_PADN ? RILL_DROP_COUNT : unknown_option(type, at, chain);
		if (reason != RILL_DROP_COUNT)
			return reason;
		at += 2u + bytes[at + 1];
	}
	return RILL_DROP_COUNT;
}

/* One whole header. */
static enum rill_drop
walk_header(const uint8_t *bytes, uint32_t at, uint32_t len, uint8_t kind, struct ip6_chain *chain)
{
	switch (kind) {
	case IPPROTO_ROUTING:
		if (bytes[at + ROUTING_LEFT_AT] == 0)
			return RILL_DROP_COUNT;
		return tell(chain, IP6_PROBLEM_FIELD, at + ROUTING_TYPE_AT, RILL_DROP_ip6_routing);
	case IPPROTO_FRAGMENT:
		chain->has_fragment = true;
		chain->fragment_at = (uint16_t)(IP6_HEADER_LEN + at);
		return is_piece(bytes + at) ? IP6_EXT_PIECE : RILL_DROP_COUNT;
	default:
		return walk_options(bytes, at, len, chain);
	}
}

enum rill_drop
ip6_ext_walk(const uint8_t *bytes, uint32_t payload_len, uint8_t next, struct ip6_chain *chain)
{
	uint32_t at = 0;

	*chain = (struct ip6_chain){.next_at = NEXT_HEADER_AT};
	for (unsigned int headers = 0; ip6_ext_is(next); headers++) {
		enum rill_drop reason;
		uint32_t len;

		if (next == IPPROTO_HOPOPTS && at > 0) { /* only the first may be one [8200 4.1] */
			chain->tell = true;
			chain->code = IP6_PROBLEM_NEXT_HEADER;
			chain->pointer = chain->next_at;
			return RILL_DROP_ip6_extension;
		}
		if (headers == IP6_EXT_HEADERS_MAX)
			return RILL_DROP_ip6_extensions_max;
		if (payload_len - at < EXT_UNIT)
			return RILL_DROP_ip6_extension;
		if (at + EXT_UNIT > IP6_EXT_BYTES_MAX)
			return RILL_DROP_ip6_extensions_max;
		len = length_of(bytes + at, next);
		if (len > payload_len - at)
			return RILL_DROP_ip6_extension;
		if (at + len > IP6_EXT_BYTES_MAX)
			return RILL_DROP_ip6_extensions_max;
		reason = walk_header(bytes, at, len, next, chain);
		if (reason != RILL_DROP_COUNT)
			return reason;
		chain->next_at = (uint16_t)(IP6_HEADER_LEN + at);
		next = bytes[at];
		at += len;
	}
	chain->protocol = next;
	chain->len = (uint16_t)at;
	return RILL_DROP_COUNT;
}

int
ip6_ext_skip(const uint8_t *bytes, uint32_t len, uint8_t next, uint32_t *at)
{
	*at = 0;
	for (unsigned int headers = 0; ip6_ext_is(next); headers++) {
		uint32_t header_len;

		if (headers == IP6_EXT_HEADERS_MAX || len - *at < EXT_UNIT)
			return -1;
		if (next == IPPROTO_FRAGMENT && (bytes[*at + 2] != 0 || bytes[*at + 3] >= EXT_UNIT))
			return -1;
		header_len = length_of(bytes + *at, next);
		if (header_len > len - *at)
			return -1;
		next = bytes[*at];
		*at += header_len;
	}
	return next;
}
