/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options [9293 3.2, 7323 2.2 and 3.2, 2018 2 and 3, 5482 3.3], read and written. */
#include <string.h>

#include <rte_byteorder.h>

#include "check.h"
#include "segment.h"

enum {
	OPTION_EOL = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	OPTION_TS = 8,
	OPTION_UTO = 28,
};

#define MSS_LEN 4
#define WSCALE_LEN 3
#define SACK_OK_LEN 2
#define SACK_FIXED_LEN 2
#define SACK_BLOCK_LEN 8
#define TS_LEN 10
#define UTO_LEN 4
#define UTO_MINUTES 0x8000u /* the granularity bit, above 15 bits of value */
#define UTO_VALUE_MAX 0x7fffu
static_assert((TCP_OPTIONS_MAX - SACK_FIXED_LEN) / SACK_BLOCK_LEN == SEG_SACK_MAX,
	"what fits on the wire fits into a segment, in however many SACK options it comes");

static uint16_t
load_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
load_be32(const uint8_t *at)
{
	return (uint32_t)load_be16(at) << 16 | load_be16(at + 2);
}

/* A SACK option of an impossible length is passed over as if it were unknown [RFC2018-10]. */
static void
parse_sack(struct segment *segment, const uint8_t *option, unsigned int len)
{
	if ((len - SACK_FIXED_LEN) % SACK_BLOCK_LEN != 0 || (segment->flags & TCP_SYN))
		return;
	for (unsigned int at = SACK_FIXED_LEN; at < len; at += SACK_BLOCK_LEN) {
		RILL_DCHECK(segment->sack_count < SEG_SACK_MAX);
		segment->sack[segment->sack_count++] = (struct sack_block){
			.left = seq(load_be32(option + at)),
			.right = seq(load_be32(option + at + 4)),
		};
	}
}

/* Another length, or a value of zero, is passed over as if the option were unknown [5482 3.3]. */
static void
parse_uto(struct segment *segment, const uint8_t *option, unsigned int len)
{
	uint32_t value;

	if (len != UTO_LEN)
		return;
	value = load_be16(option + 2);
	if ((value & UTO_VALUE_MAX) == 0)
		return;
	segment->uto_s = (value & UTO_VALUE_MAX) * ((value & UTO_MINUTES) ? 60 : 1);
	segment->has |= SEG_HAS_UTO;
}

/* One option of len bytes, all of them there. Returns false if its kind never has that length. */
static bool
parse_option(struct segment *segment, const uint8_t *option, unsigned int len)
{
	bool syn = segment->flags & TCP_SYN;

	switch (option[0]) {
	case OPTION_MSS:
		if (len != MSS_LEN)
			return false;
		if (syn) {
			segment->has |= SEG_HAS_MSS;
			segment->mss = load_be16(option + 2);
		}
		return true;
	case OPTION_WSCALE:
		if (len != WSCALE_LEN)
			return false;
		if (syn) {
			segment->has |= SEG_HAS_WSCALE;
			segment->wscale = option[2] < TCP_WSCALE_MAX ? option[2] : TCP_WSCALE_MAX;
		}
		return true;
	case OPTION_SACK_OK:
		if (len != SACK_OK_LEN)
			return false;
		if (syn)
			segment->has |= SEG_HAS_SACK_OK;
		return true;
	case OPTION_TS:
		if (len != TS_LEN)
			return false;
		segment->has |= SEG_HAS_TS;
		segment->tsval = load_be32(option + 2);
		segment->tsecr = load_be32(option + 6);
		return true;
	case OPTION_SACK:
		parse_sack(segment, option, len);
		return true;
	case OPTION_UTO:
		parse_uto(segment, option, len);
		return true;
	default:
		return true;
	}
}

bool
segment_parse_options(struct segment *segment, const uint8_t *options, unsigned int len)
{
	unsigned int at = 0;

	segment->has = 0;
	segment->sack_count = 0;
	while (at < len) {
		unsigned int option_len;

		if (options[at] == OPTION_EOL)
			return true;
		if (options[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 == len)
			return false;
		option_len = options[at + 1];
		if (option_len < 2 || option_len > len - at ||
			!parse_option(segment, options + at, option_len))
			return false;
		at += option_len;
	}
	return true;
}

static uint8_t *
store_be16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return out + 2;
}

static uint8_t *
store_be32(uint8_t *out, uint32_t value)
{
	rte_be32_t word = rte_cpu_to_be_32(value);

	memcpy(out, &word, sizeof(word));
	return out + sizeof(word);
}

static uint8_t *
store_kind(uint8_t *out, uint8_t kind, unsigned int len)
{
	out[0] = kind;
	out[1] = (uint8_t)len;
	return out + 2;
}

static uint8_t *
store_nops(uint8_t *out, unsigned int count)
{
	memset(out, OPTION_NOP, count);
	return out + count;
}

/* Bytes of all but SACK blocks. SACK-permitted takes the place of the timestamps' two NOPs. */
static unsigned int
fixed_len(uint8_t has)
{
	unsigned int len = 0;

	if (has & SEG_HAS_MSS)
		len += MSS_LEN;
	if (has & SEG_HAS_TS)
		len += 2 + TS_LEN;
	else if (has & SEG_HAS_SACK_OK)
		len += 2 + SACK_OK_LEN;
	if (has & SEG_HAS_WSCALE)
		len += 1 + WSCALE_LEN;
	if (has & SEG_HAS_UTO)
		len += UTO_LEN;
	return len;
}

/* SACK blocks that fit beside the rest. */
static unsigned int
sack_blocks(const struct segment_options *options)
{
	unsigned int room = TCP_OPTIONS_MAX - fixed_len(options->has) - 2 - SACK_FIXED_LEN;
	unsigned int fit = room / SACK_BLOCK_LEN;

	return options->sack_count < fit ? options->sack_count : fit;
}

unsigned int
segment_options_len(const struct segment_options *options)
{
	unsigned int blocks = sack_blocks(options);

	return fixed_len(options->has) +
	       (blocks > 0 ? 2 + SACK_FIXED_LEN + blocks * SACK_BLOCK_LEN : 0);
}

/* Rounded up: data is never given up before the time that was told. */
static uint16_t
uto_value(uint32_t seconds)
{
	uint32_t minutes;

	if (seconds <= UTO_VALUE_MAX)
		return (uint16_t)seconds;
	minutes = (seconds + 59) / 60;
	return (uint16_t)(UTO_MINUTES | (minutes < UTO_VALUE_MAX ? minutes : UTO_VALUE_MAX));
}

static uint8_t *
write_sack(uint8_t *out, const struct segment_options *options)
{
	unsigned int blocks = sack_blocks(options);

	if (blocks == 0)
		return out;
	out = store_nops(out, 2);
	out = store_kind(out, OPTION_SACK, SACK_FIXED_LEN + blocks * SACK_BLOCK_LEN);
	for (unsigned int i = 0; i < blocks; i++) {
		out = store_be32(out, options->sack[i].left.n);
		out = store_be32(out, options->sack[i].right.n);
	}
	return out;
}

unsigned int
segment_write_options(uint8_t *out, const struct segment_options *options)
{
	const uint8_t *start = out;

	if (options->has & SEG_HAS_MSS)
		out = store_be16(store_kind(out, OPTION_MSS, MSS_LEN), options->mss);
	if (options->has & SEG_HAS_SACK_OK) {
		if (!(options->has & SEG_HAS_TS))
			out = store_nops(out, 2);
		out = store_kind(out, OPTION_SACK_OK, SACK_OK_LEN);
	} else if (options->has & SEG_HAS_TS) {
		out = store_nops(out, 2);
	}
	if (options->has & SEG_HAS_TS) {
		out = store_be32(store_kind(out, OPTION_TS, TS_LEN), options->tsval);
		out = store_be32(out, options->tsecr);
	}
	if (options->has & SEG_HAS_WSCALE) {
		out = store_kind(store_nops(out, 1), OPTION_WSCALE, WSCALE_LEN);
		*out++ = options->wscale;
	}
	if (options->has & SEG_HAS_UTO)
		out = store_be16(
			store_kind(out, OPTION_UTO, UTO_LEN), uto_value(options->uto_s));
	out = write_sack(out, options);
	RILL_DCHECK((unsigned int)(out - start) == segment_options_len(options));
	return (unsigned int)(out - start);
}
