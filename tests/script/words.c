/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
take_word(const char *what)
{
	if (!words_left())
		wrong("'%s' is missing", what);
	return at.line->words[at.word++];
}

bool
take_if(const char *word)
{
	bool is = words_left() && strcmp(at.line->words[at.word], word) == 0;

	at.word += is;
	return is;
}

bool
words_left(void)
{
	return at.word < at.line->count;
}

bool
script_runs(void)
{
	if (words_left())
		wrong("unknown word '%s'", at.line->words[at.word]);
	return at.run;
}

/* ---- numbers */

static const struct {
	const char *name;
	int value;
} errnos[] = {
#define X(name_)                                                                                   \
	{                                                                                          \
#name_, name_                                                                      \
	}
	X(EADDRINUSE),
	X(EADDRNOTAVAIL),
	X(EBUSY),
	X(EAGAIN),
	X(ECONNABORTED),
	X(ECONNREFUSED),
	X(ECONNRESET),
	X(EEXIST),
	X(EHOSTUNREACH),
	X(EINVAL),
	X(EMSGSIZE),
	X(ENETUNREACH),
	X(ENOBUFS),
	X(ENOENT),
	X(ENOPROTOOPT),
	X(ENOTCONN),
	X(ENOTSUP),
	X(EPIPE),
	X(EPROTO),
	X(ERANGE),
	X(ETIMEDOUT),
#undef X
};

static int64_t
variable(const char *name, size_t len)
{
	const struct {
		const char *name;
		int64_t value;
	} variables[] = {
		{"i", at.i},
		{"snd_una", at.sync.snd_una},
		{"snd_nxt", at.sync.snd_nxt},
		{"rcv_nxt", at.sync.rcv_nxt},
		{"now_ms", at.run ? (uint32_t)(peer.now / 1000) : 0},
		{"lane_ts", at.run ? peer.flow->lane_tsval : 0},
	};

	for (unsigned int i = 0; i < RTE_DIM(variables); i++)
		if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0)
			return variables[i].value;
	for (unsigned int i = 0; i < RTE_DIM(errnos); i++)
		if (strlen(errnos[i].name) == len && memcmp(errnos[i].name, name, len) == 0)
			return errnos[i].value;
	wrong("unknown name '%.*s'", (int)len, name);
}

static int64_t
operand(const char **text)
{
	const char *start = *text;
	size_t len =
		strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
	char *end;
	int64_t value;

	*text = start + len;
	if (!isdigit((unsigned char)*start))
		return len > 0 ? variable(start, len) : (wrong("'%s' is no number", start), 0);
	value = (int64_t)strtoull(start, &end, 0);
	if (end != *text)
		wrong("'%s' is no number", start);
	return value;
}

static int64_t
product(const char **text)
{
	int64_t value = operand(text);

	while (**text == '*') {
		++*text;
		value *= operand(text);
	}
	return value;
}

int64_t
expression(const char *text)
{
	int64_t value = 0;
	int sign = 1;

	if (*text == '-') {
		sign = -1;
		text++;
	}
	for (;;) {
		value += sign * product(&text);
		if (*text == 0)
			return value;
		if (*text != '+' && *text != '-')
			wrong("'%s' does not belong into a number", text);
		sign = *text++ == '-' ? -1 : 1;
	}
}

int64_t
take_number(const char *what)
{
	return expression(take_word(what));
}

uint32_t
take_u32(const char *what)
{
	return (uint32_t)take_number(what);
}

uint64_t
take_duration(void)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}, {"h", 3600000000}};
	const char *word = take_word("duration");
	char *unit;
	uint64_t value = strtoull(word, &unit, 10);

	for (unsigned int i = 0; i < RTE_DIM(units) && unit != word; i++)
		if (strcmp(unit, units[i].name) == 0)
			return value * units[i].us;
	wrong("'%s' is no duration such as 40ms, 200us, 3s, 5min or 2h", word);
}

uint32_t
take_addr(void)
{
	const char *word = take_word("address");
	struct rill_addr addr;

	if (rill_addr_parse(word, &addr) != 0 || addr.family != AF_INET)
		wrong("'%s' is no IPv4 address", word);
	return (uint32_t)addr.u.ip4[0] << 24 | (uint32_t)addr.u.ip4[1] << 16 |
	       (uint32_t)addr.u.ip4[2] << 8 | addr.u.ip4[3];
}

size_t
take_hex(uint8_t *bytes, size_t room)
{
	const char *word = take_word("hexadecimal bytes");
	size_t len = strlen(word) / 2;

	if (len > room || strspn(word, "0123456789abcdefABCDEF") != 2 * len || word[2 * len] != 0)
		wrong("'%s' is not hexadecimal, or too long", word);
	for (size_t i = 0; i < len; i++) {
		char digits[3] = {word[2 * i], word[2 * i + 1], 0};

		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

unsigned int
take_name(const char *const names[], unsigned int count, const char *what)
{
	const char *word = take_word(what);

	for (unsigned int i = 0; i < count; i++)
		if (names[i] != NULL && strcmp(names[i], word) == 0)
			return i;
	wrong("unknown %s '%s'", what, word);
}

/* ---- what a value must be */

static const char *const comparisons[] = {
	[WANTED_ANY] = "any",
	[WANTED_EQ] = "=",
	[WANTED_NE] = "!=",
	[WANTED_LT] = "<",
	[WANTED_LE] = "<=",
	[WANTED_GT] = ">",
	[WANTED_GE] = ">=",
};

struct wanted
take_wanted(const char *what)
{
	struct wanted wanted = {.how = WANTED_EQ};

	if (take_if("any")) {
		wanted.how = WANTED_ANY;
		return wanted;
	}
	for (unsigned int i = WANTED_EQ; i < RTE_DIM(comparisons); i++)
		if (take_if(comparisons[i])) {
			wanted.how = i;
			break;
		}
	wanted.value = take_number(what);
	return wanted;
}

bool
is_wanted(const struct wanted *wanted, int64_t value)
{
	switch (wanted->how) {
	case WANTED_EQ:
		return value == wanted->value;
	case WANTED_NE:
		return value != wanted->value;
	case WANTED_LT:
		return value < wanted->value;
	case WANTED_LE:
		return value <= wanted->value;
	case WANTED_GT:
		return value > wanted->value;
	case WANTED_GE:
		return value >= wanted->value;
	default:
		return true;
	}
}

void
must_be(const struct wanted *wanted, const char *what, int64_t value)
{
	if (!is_wanted(wanted, value))
		fails("%s is %ld, should be %s %ld", what, (long)value, comparisons[wanted->how],
			(long)wanted->value);
}
