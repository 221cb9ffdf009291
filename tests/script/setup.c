/* SPDX-License-Identifier: BSD-3-Clause */

/* How a test begins: what the lane and its peer are made from, and the state to start from. */

#include "script.h"

#include <stdio.h>
#include <string.h>

static struct app *app_of_flow[PEER_FLOWS];
static unsigned int apps_known;
static struct app nobody; /* the app of a flow on which nothing was opened yet */

/* ---- apps and flows */

void
script_forget_apps(void)
{
	memset(app_of_flow, 0, sizeof(app_of_flow));
	memset(&nobody, 0, sizeof(nobody));
	apps_known = 0;
}

/* The flow of a connection; where it has ended already, the one that is spoken of. */
static unsigned int
flow_of(const struct app *a)
{
	struct rill_conn_info now;

	if (a->conn == NULL || rill_conn_info(a->conn, &now) != 0 ||
		now.remote.port - PEER_PORT >= PEER_FLOWS)
		return (unsigned int)(peer.flow - peer.flows);
	return now.remote.port - PEER_PORT;
}

void
script_find_app(void)
{
	for (; apps_known < apps_count; apps_known++)
		app_of_flow[flow_of(&apps[apps_known])] = &apps[apps_known];
	app = app_of_flow[peer.flow - peer.flows];
	if (app == NULL)
		app = &nobody;
}

/* ---- with */

/* A number, or the name of a congestion control. */
int32_t
take_option_value(enum rill_option option)
{
	const char *name;

	if (option != RILL_OPT_congestion_control)
		return (int32_t)take_number("value");
	name = take_word("algorithm");
	if (rill_cc_by_name(name) == RILL_CC_COUNT)
		wrong("unknown congestion control '%s'", name);
	return rill_cc_by_name(name);
}

void
take_option(struct rill_options *options, const char *name)
{
	enum rill_option option = rill_option_by_name(name);
	int32_t value;

	if (option == RILL_OPT_COUNT)
		wrong("unknown word '%s'", name);
	value = take_option_value(option);
	((int32_t *)options)[option] =
		value; /* they are declared in this order, and nothing else */
	if (rill_options_check(options) != 0)
		wrong("%d is out of bounds for %s", value, name);
}

static bool
take_limit(struct rill_limits *limits)
{
#define LIMIT(name_)                                                                               \
	if (take_if(#name_)) {                                                                     \
		limits->name_ = take_u32(#name_);                                                  \
		return true;                                                                       \
	}
	LIMIT(max_conns)
	LIMIT(timewait_max)
	LIMIT(syn_max)
	LIMIT(sidecars)
	LIMIT(records)
	LIMIT(buffers)
	LIMIT(msl_ms)
#undef LIMIT
	return false;
}

/* What the peer offers in its SYN. */
static void
take_peer_setup(struct peer_setup *setup)
{
	while (words_left()) {
		if (take_if("mss")) {
			setup->mss = (uint16_t)take_number("mss");
		} else if (take_if("ts")) {
			setup->ts = true;
		} else if (take_if("sackOK")) {
			setup->sack = true;
		} else if (take_if("wscale")) {
			setup->ws = true;
			setup->wscale = (uint8_t)take_number("wscale");
		} else if (take_if("no")) {
			if (!take_if("mss"))
				wrong("only 'no mss' is known");
			setup->mss = 1;
		} else {
			wrong("unknown word '%s'", at.line->words[at.word]);
		}
	}
}

void
do_with(void)
{
	struct peer_setup *setup = &at.setup;

	if (at.touched)
		wrong("'with' comes first in a test");
	if (take_if("peer")) {
		take_peer_setup(setup);
		return;
	}
	if (!words_left())
		wrong("'option' is missing");
	while (words_left()) {
		if (take_if("mtu")) {
			setup->mtu = (uint16_t)take_number("mtu");
		} else if (!take_limit(&setup->limits)) {
			if (setup->options.ttl == 0)
				setup->options = default_options();
			take_option(&setup->options, take_word("option"));
		}
	}
}

void
script_touch(void)
{
	static const struct peer_setup defaults;

	if (at.touched)
		return;
	at.touched = true;
	if (memcmp(&at.setup, &defaults, sizeof(defaults)) != 0)
		peer_restart(&at.setup);
}

/* ---- in */

static const struct {
	const char *name;
	void (*enter)(void);
} fixtures[] = {
	{"listen", in_listen},
	{"syn_sent", in_syn_sent},
	{"syn_received", in_syn_received},
	{"syn_received_active", in_syn_received_active},
	{"established", in_established},
	{"established_active", in_established_active},
	{"fin_wait_1", in_fin_wait_1},
	{"fin_wait_2", in_fin_wait_2},
	{"close_wait", in_close_wait},
	{"closing", in_closing},
	{"last_ack", in_last_ack},
	{"time_wait", in_time_wait},
};

void
do_in(void)
{
	const char *name = take_word("state");
	void (*enter)(void) = NULL;
	bool synchronized = strcmp(name, "synchronized") == 0;

	for (unsigned int i = 0; i < RTE_DIM(fixtures); i++)
		if (strcmp(fixtures[i].name, name) == 0)
			enter = fixtures[i].enter;
	if (enter == NULL && !synchronized)
		wrong("unknown state '%s'", name);
	if (at.touched)
		wrong("'in' comes before what is said and called");
	if (!script_runs())
		return;
	script_touch();
	if (synchronized) {
		peer_note("---- %s", at.sync.name);
		enter = at.sync.enter;
	}
	enter();
	peer.seen = stats();
}
