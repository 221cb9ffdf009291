/* SPDX-License-Identifier: BSD-3-Clause */

/* What things are called when they are shown: states, reasons, counters, the library itself. */

#include <rill/conn.h>
#include <rill/stats.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const state_names[] = {
	[RILL_CLOSED] = "CLOSED",
	[RILL_LISTEN] = "LISTEN",
	[RILL_SYN_SENT] = "SYN-SENT",
	[RILL_SYN_RECEIVED] = "SYN-RECEIVED",
	[RILL_ESTABLISHED] = "ESTABLISHED",
	[RILL_FIN_WAIT_1] = "FIN-WAIT-1",
	[RILL_FIN_WAIT_2] = "FIN-WAIT-2",
	[RILL_CLOSE_WAIT] = "CLOSE-WAIT",
	[RILL_CLOSING] = "CLOSING",
	[RILL_LAST_ACK] = "LAST-ACK",
	[RILL_TIME_WAIT] = "TIME-WAIT",
};

static const char *const close_reason_names[] = {
	[RILL_CLOSE_DONE] = "closed by both sides",
	[RILL_CLOSE_REFUSED] = "refused by peer",
	[RILL_CLOSE_RESET] = "reset by peer",
	[RILL_CLOSE_TIMEOUT] = "timed out",
	[RILL_CLOSE_UNREACHABLE] = "unreachable",
	[RILL_CLOSE_ABORTED] = "aborted by this side",
	[RILL_CLOSE_STOPPED] = "stack stopped",
};

static const struct {
	const char *name;
	size_t at;
} counters[] = {
#define X(name, text) {#name, offsetof(struct rill_stats, name)},
	RILL_COUNTER_LIST(X)
#undef X
};

const char *
rill_state_name(enum rill_state state)
{
	return (unsigned int)state < COUNT(state_names) ? state_names[state] : NULL;
}

const char *
rill_close_reason_name(enum rill_close_reason why)
{
	return (unsigned int)why < COUNT(close_reason_names) ? close_reason_names[why] : NULL;
}

const char *
rill_counter_name(unsigned int i)
{
	return i < COUNT(counters) ? counters[i].name : NULL;
}

uint64_t
rill_counter_value(const struct rill_stats *stats, unsigned int i)
{
	if (i >= COUNT(counters))
		return 0;
	return *(const uint64_t *)((const char *)stats + counters[i].at);
}

const char *
rill_version(void)
{
	return RILL_VERSION;
}
