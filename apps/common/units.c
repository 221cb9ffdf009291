/* SPDX-License-Identifier: BSD-3-Clause */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Digits only: no sign, no blank, no 0x, as strtoull would take. */
static int
parse_digits(const char *text, uint64_t *value, const char **end)
{
	uint64_t sum = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
			__builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
			return -EINVAL;
	*value = sum;
	*end = text;
	return 0;
}

int
units_parse_count(const char *text, uint64_t *value)
{
	const char *end;

	if (parse_digits(text, value, &end) != 0 || *end != '\0')
		return -EINVAL;
	return 0;
}

int
units_parse_bytes(const char *text, uint64_t *value)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} suffixes[] = {
		{"", 1}, {"B", 1},
		{"k", 1 << 10}, {"KiB", 1 << 10},
		{"M", 1 << 20}, {"MiB", 1 << 20},
		{"G", 1 << 30}, {"GiB", 1 << 30},
	};
	const char *end;

	if (parse_digits(text, value, &end) != 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcasecmp(end, suffixes[i].suffix) == 0)
			return __builtin_mul_overflow(*value, suffixes[i].factor, value) ? -EINVAL : 0;
	return -EINVAL;
}

int
units_parse_seconds(const char *text, uint64_t *ms)
{
	const char *end;

	if (parse_digits(text, ms, &end) != 0 || __builtin_mul_overflow(*ms, 1000, ms))
		return -EINVAL;
	if (*end == '.') {
		uint64_t unit = 100;

		if (!isdigit((unsigned char)end[1]))
			return -EINVAL;
		for (end++; isdigit((unsigned char)*end) && unit > 0; end++, unit /= 10)
			if (__builtin_add_overflow(*ms, (uint64_t)(*end - '0') * unit, ms))
				return -EINVAL;
	}
	return *end == '\0' ? 0 : -EINVAL;
}

const char *
units_format(double value, char *buf)
{
	static const char *const suffixes[] = {"", "k", "M", "G", "T"};
	size_t i = 0;

	/* 999.95 would round to "1000.0". */
	while (value >= 999.95 && i + 1 < sizeof(suffixes) / sizeof(suffixes[0])) {
		value /= 1000;
		i++;
	}
	snprintf(buf, UNITS_STRLEN, i == 0 ? "%.0f%s" : "%.1f%s", value, suffixes[i]);
	return buf;
}
