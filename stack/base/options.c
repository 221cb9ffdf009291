/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "check.h"
#include "errtext.h"

struct option {
	const char *name, *text;
	int32_t initial, least, most;
};

static const struct option list[] = {
#define X(name, def, least, most, text) {#name, text, def, least, most},
	RILL_OPTION_LIST(X)
#undef X
};

/* The members follow one another in the list's order: number i stands at i * 4 bytes. */
#define X(name, def, least, most, text)                                                            \
	static_assert(offsetof(struct rill_options, name) == RILL_OPT_##name * sizeof(int32_t),    \
		"in the order of the list");                                                       \
	static_assert((least) <= (def) && (def) <= (most), "the default is within the bounds");
RILL_OPTION_LIST(X)
#undef X

static bool
option_exists(enum rill_option option)
{
	return (unsigned int)option < RILL_OPT_COUNT;
}

static bool
option_allows(enum rill_option option, int32_t value)
{
	return value >= list[option].least && value <= list[option].most;
}

int32_t
options_get(const struct rill_options *options, enum rill_option option)
{
	RILL_ASSERT(option_exists(option));
	return ((const int32_t *)options)[option];
}

int
options_set(struct rill_options *options, enum rill_option option, int32_t value)
{
	if (!option_exists(option) || !option_allows(option, value))
		return -EINVAL;
	((int32_t *)options)[option] = value;
	return 0;
}

void
rill_options_default(struct rill_options *options)
{
#define X(name, def, least, most, text) options->name = def;
	RILL_OPTION_LIST(X)
#undef X
}

int
rill_options_check(const struct rill_options *options)
{
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++) {
		int32_t value = options_get(options, i);

		if (!option_allows(i, value))
			return error_set(-EINVAL,
				"option %s is %d, but must be from %d to %d (%s)", list[i].name,
				value, list[i].least, list[i].most, list[i].text);
	}
	return 0;
}

const char *
rill_option_name(enum rill_option option)
{
	return option_exists(option) ? list[option].name : NULL;
}

enum rill_option
rill_option_by_name(const char *name)
{
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++)
		if (strcmp(list[i].name, name) == 0)
			return i;
	return RILL_OPT_COUNT;
}
