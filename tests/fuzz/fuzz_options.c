/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser of TCP headers and options: an input is one byte of choices, then a header with its options,
 * or with the first bit of the choices the options alone. It lies at the end of its memory, so that
 * reading on is found. What is parsed must be plausible, the same however the parser is reached, and
 * survive being written and read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "fuzz.h"
#include "segment.h"

#define HEADER_MAX (TCP_HEADER_LEN + TCP_OPTIONS_MAX)

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz: not so: %s\n", what);
	abort();
}

static void
check_plausible(const struct segment *segment)
{
	bool syn = segment->flags & TCP_SYN;

	must(segment->sack_count <= SEG_SACK_MAX, "no more blocks than fit");
	must(!(segment->has & ~(SEG_HAS_MSS | SEG_HAS_WSCALE | SEG_HAS_SACK_OK | SEG_HAS_TS | SEG_HAS_UTO)),
		"only known options");
	must(!(segment->has & SEG_HAS_UTO) || segment->uto_s > 0, "no user timeout of zero");
	must(syn || !(segment->has & ~(SEG_HAS_TS | SEG_HAS_UTO)), "what belongs to a SYN comes in one");
	must(!syn || segment->sack_count == 0, "no blocks in a SYN");
	must(!(segment->has & SEG_HAS_WSCALE) || segment->wscale <= TCP_WSCALE_MAX, "scale in bounds");
}

static void
check_same(const struct segment *a, const struct segment *b, unsigned int blocks)
{
	must(a->has == b->has, "the same options");
	must(!(a->has & SEG_HAS_MSS) || a->mss == b->mss, "the same MSS");
	must(!(a->has & SEG_HAS_WSCALE) || a->wscale == b->wscale, "the same scale");
	must(!(a->has & SEG_HAS_TS) || (a->tsval == b->tsval && a->tsecr == b->tsecr),
		"the same timestamps");
	must(!(a->has & SEG_HAS_UTO) || a->uto_s == b->uto_s, "the same user timeout");
	for (unsigned int i = 0; i < blocks; i++)
		must(seq_eq(a->sack[i].left, b->sack[i].left) &&
				seq_eq(a->sack[i].right, b->sack[i].right), "the same blocks");
}

/* Writes what was read; what then is read must be the same, but for blocks that had no room. */
static void
check_round_trip(const struct segment *segment)
{
	struct segment_options options = {.has = segment->has, .wscale = segment->wscale,
		.mss = segment->mss, .tsval = segment->tsval, .tsecr = segment->tsecr, .uto_s = segment->uto_s,
		.sack_count = segment->sack_count};
	struct segment again = {.flags = segment->flags};
	uint8_t bytes[TCP_OPTIONS_MAX];
	unsigned int len;

	memcpy(options.sack, segment->sack, sizeof(options.sack));
	len = segment_write_options(bytes, &options);
	must(len % 4 == 0 && len <= sizeof(bytes), "a length that TCP can have");
	must(segment_parse_options(&again, bytes, len), "what is written can be read");
	must(again.sack_count <= segment->sack_count, "no blocks made up");
	check_same(segment, &again, again.sack_count);
}

static void
run_options(uint8_t flags, const uint8_t *data, size_t size)
{
	unsigned int len = size < TCP_OPTIONS_MAX ? (unsigned int)size : TCP_OPTIONS_MAX;
	struct segment segment = {.flags = flags};
	uint8_t *exact = malloc(len > 0 ? len : 1);

	if (exact == NULL)
		return;
	memcpy(exact, data, len);
	if (segment_parse_options(&segment, exact, len)) {
		check_plausible(&segment);
		check_round_trip(&segment);
	}
	free(exact);
}

static void
run_header(const uint8_t *data, size_t size)
{
	uint16_t len = (uint16_t)(size < HEADER_MAX ? size : HEADER_MAX);
	uint8_t *exact = malloc(len > 0 ? len : 1);
	struct rte_mbuf mbuf = {.buf_addr = exact, .buf_len = len, .data_len = len, .pkt_len = len,
		.nb_segs = 1};
	struct segment segment = {.mbuf = &mbuf}, plain;
	enum rill_drop reason;

	if (exact == NULL)
		return;
	memcpy(exact, data, len);
	reason = segment_parse(&segment, true);
	if (reason == RILL_DROP_COUNT) {
		must(segment.header_len + segment.payload_len == len, "every byte is header or payload");
		plain = (struct segment){.flags = segment.flags};
		must(segment_parse_options(&plain, exact + TCP_HEADER_LEN,
			     segment.header_len - TCP_HEADER_LEN), "the shortcut takes what the parser takes");
		must(plain.sack_count == segment.sack_count, "and the same blocks");
		check_same(&segment, &plain, plain.sack_count);
		check_plausible(&segment);
		check_round_trip(&segment);
	}
	free(exact);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		run_options(data[0] & 2 ? TCP_SYN : TCP_ACK, data + 1, size - 1);
	else
		run_header(data + 1, size - 1);
	return 0;
}
