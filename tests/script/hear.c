/* SPDX-License-Identifier: BSD-3-Clause */

/* What the lane is expected to say, and when. */

#include "script.h"

#include <string.h>

#include "flags.h"

#define SLACK_US 1000 /* "after 40ms" ends a millisecond later: deadlines are exact to that */

/* Numbers of a segment that a line may speak of. */
enum field {
	FIELD_seq,
	FIELD_ack,
	FIELD_len,
	FIELD_wnd,
	FIELD_urg,
	FIELD_mss,
	FIELD_wscale,
	FIELD_tsval,
	FIELD_tsecr,
	FIELD_ttl,
	FIELD_dscp,
	FIELD_optlen,
	FIELD_uto,
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {"seq", "ack", "len", "wnd", "urg", "mss",
	"wscale", "tsval", "tsecr", "ttl", "dscp", "optlen", "uto"};

struct hearing {
	uint8_t flags, has, has_not;
	struct wanted fields[FIELD_COUNT];
	bool sack, ecn_given, no_psh;
	struct wire_sack blocks[WIRE_SACK_MAX];
	uint8_t blocks_count, ecn;
	uint32_t from, to;
	uint64_t after, within;
};

static int64_t
field_of(const struct wire *got, enum field field)
{
	const int64_t values[FIELD_COUNT] = {(int32_t)got->seq, (int32_t)got->ack, got->len,
		got->wnd, got->urg, got->mss, got->wscale, got->tsval, got->tsecr, got->ttl,
		got->tos >> 2, got->options_len, got->uto};

	return values[field];
}

static bool
take_number_field(struct hearing *h)
{
	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		if (take_if(field_names[i])) {
			h->fields[i] = take_wanted(field_names[i]);
			h->has |= i == FIELD_mss ? HAS_MSS : i == FIELD_wscale ? HAS_WSCALE : 0;
			h->has |= i == FIELD_uto ? HAS_UTO : 0;
			h->has |= i == FIELD_tsval || i == FIELD_tsecr ? HAS_TS : 0;
			if (i == FIELD_seq || i == FIELD_ack) /* relative, maybe across the wrap */
				h->fields[i].value = (int32_t)h->fields[i].value;
			return true;
		}
	return false;
}

static void
take_absent(struct hearing *h)
{
	static const char *const names[] = {"mss", "wscale", "sackOK", "ts", "uto", "sack", "psh"};
	static const uint8_t bits[] = {HAS_MSS, HAS_WSCALE, HAS_SACK_OK, HAS_TS, HAS_UTO};
	unsigned int i = take_name(names, RTE_DIM(names), "option");

	if (i < RTE_DIM(bits))
		h->has_not |= bits[i];
	else if (i == RTE_DIM(bits))
		h->sack = true;
	else
		h->no_psh = true;
}

static void
take_expectation(struct hearing *h)
{
	if (take_number_field(h))
		return;
	if (take_if("no")) {
		take_absent(h);
	} else if (take_if("sackOK")) {
		h->has |= HAS_SACK_OK;
	} else if (take_if("ts")) {
		h->has |= HAS_TS;
	} else if (take_if("sack")) {
		take_sack(h->blocks, &h->blocks_count);
		h->sack = true;
	} else if (take_if("ecn")) {
		h->ecn = take_ecn();
		h->ecn_given = true;
	} else if (take_if("from")) {
		h->from = take_addr();
	} else if (take_if("to")) {
		h->to = take_addr();
	} else if (take_if("after")) {
		h->after = take_duration();
	} else if (take_if("within")) {
		h->within = take_duration();
	} else {
		wrong("unknown word '%s'", at.line->words[at.word]);
	}
}

static void
compare_options(const struct hearing *h, const struct wire *got)
{
	if ((got->has & h->has) != h->has)
		fails("an option is missing");
	if (got->has & h->has_not)
		fails("an option is there that should not be");
	if (!h->sack)
		return;
	if (got->sack_count != h->blocks_count)
		fails("%u SACK blocks, should be %u", got->sack_count, h->blocks_count);
	for (unsigned int i = 0; i < h->blocks_count; i++)
		if (got->sack[i].left != h->blocks[i].left ||
			got->sack[i].right != h->blocks[i].right)
			fails("SACK block %u is %d:%d, should be %d:%d", i, (int)got->sack[i].left,
				(int)got->sack[i].right, (int)h->blocks[i].left,
				(int)h->blocks[i].right);
}

static void
compare(const struct hearing *h, const struct wire *got)
{
	char text[256];

	wire_text(text, sizeof(text), got);
	if (peer.got_flow != peer.flow)
		fails("another connection said %s", text);
	if ((got->flags & ~PSH) != (h->flags & ~PSH))
		fails("wrong flags: the lane said %s", text);
	if (h->flags & PSH && !(got->flags & PSH))
		fails("PSH is not set: %s", text);
	if (h->no_psh && got->flags & PSH)
		fails("PSH is set: %s", text);
	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		if (!is_wanted(&h->fields[i], field_of(got, i))) {
			peer_note("the lane said %s", text);
			must_be(&h->fields[i], field_names[i], field_of(got, i));
		}
	compare_options(h, got);
	if (h->ecn_given && (got->tos & 3) != h->ecn)
		fails("the ECN bits are %u, should be %u", got->tos & 3, h->ecn);
	if ((h->from && got->saddr != h->from) || (h->to && got->daddr != h->to))
		fails("wrong address: from %08x to %08x", got->saddr, got->daddr);
}

static void
wait_and_compare(const struct hearing *h, bool anything)
{
	uint64_t start = peer.now;

	if (!hears_within(h->within))
		fails("the lane is silent");
	if (peer.got_at < start + h->after)
		fails("said after %.3f ms, too early",
			(double)(int64_t)(peer.got_at - start) / 1000);
	if (!anything)
		compare(h, &peer.got);
}

static void
check_complete(const struct hearing *h, const bool *given)
{
	if (!given[FIELD_seq])
		wrong("'seq' is missing");
	if (h->flags & ACK && !given[FIELD_ack])
		wrong("'ack' is missing");
}

void
do_lane(void)
{
	struct hearing h = {.flags = 0};
	bool anything = take_if("any"), given[FIELD_COUNT] = {false};

	h.fields[FIELD_len].how = WANTED_EQ;
	if (!anything)
		h.flags = take_flags();
	while (words_left()) {
		for (unsigned int i = 0; i < FIELD_COUNT; i++)
			given[i] |= strcmp(at.line->words[at.word], field_names[i]) == 0;
		take_expectation(&h);
	}
	if (!anything)
		check_complete(&h, given);
	if (h.after > 0 && h.within == 0)
		h.within = h.after + SLACK_US;
	if (!script_runs())
		return;
	script_touch();
	wait_and_compare(&h, anything);
}

void
do_silence(void)
{
	uint64_t us = words_left() ? take_duration() : 0;

	if (!script_runs())
		return;
	script_touch();
	if (us > 0)
		advance_us(us);
	expect_silence_at(at.file, at.line->number);
}

void
do_skip(void)
{
	uint32_t n = take_if("all") ? UINT32_MAX : take_u32("number of segments");

	if (!script_runs())
		return;
	for (uint32_t i = 0; i < n; i++)
		if (!hears()) {
			if (n != UINT32_MAX)
				fails("only %u segments to skip", i);
			return;
		}
}
