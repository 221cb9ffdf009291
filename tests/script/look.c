/* SPDX-License-Identifier: BSD-3-Clause */

/* Looking at states, counters and what the application was told. */

#include "script.h"

#include <string.h>

#include <rte_common.h>

void
do_state(void)
{
	const char *word = take_word("state");
	unsigned int state = 0;

	while (state < RILL_STATE_COUNT && strcmp(rill_state_name(state), word) != 0)
		state++;
	if (state == RILL_STATE_COUNT && strcmp(word, "same") != 0)
		wrong("unknown state '%s'", word);
	if (script_runs())
		expect_state_at(at.file, at.line->number,
			state == RILL_STATE_COUNT ? at.sync.state : state);
}

#define INFO_FIELDS(X)                                                                             \
	X(cwnd)                                                                                    \
	X(ssthresh) X(flight) X(srtt_us) X(rttvar_us) X(rto_us) X(mss) X(snd_wnd) X(rcv_wnd)       \
		X(snd_queued) X(snd_unsent) X(rcv_queued) X(rcv_unread) X(out_of_order)            \
			X(retransmits) X(retries) X(in_recovery) X(sack) X(timestamps) X(ecn)      \
				X(snd_wscale) X(rcv_wscale) X(bytes_in) X(bytes_out) X(error)

void
do_info(void)
{
	static const char *const names[] = {
#define X(name) #name,
		INFO_FIELDS(X)
#undef X
	};
	struct rill_conn_info now;

	memset(&now, 0, sizeof(now));
	if (at.run) {
		script_find_app();
		if (app->conn == NULL)
			fails("the application has no connection on this flow");
		now = info();
	}
	if (!words_left())
		wrong("'field' is missing");
	while (words_left()) {
		const int64_t values[] = {
#define X(name) (int64_t) now.name,
			INFO_FIELDS(X)
#undef X
		};
		unsigned int i = take_name(names, RTE_DIM(names), "field");
		struct wanted wanted = take_wanted(names[i]);

		if (at.run)
			must_be(&wanted, names[i], values[i]);
	}
}

/* A counter or level by its name; false: no such. */
static bool
counter(const struct rill_stats *now, const char *name, int64_t *value)
{
	const struct {
		const char *name;
		uint32_t value;
	} levels[] = {{"conns", now->conns}, {"syn_received", now->syn_received},
		{"time_wait", now->time_wait}, {"sidecars", now->sidecars},
		{"records", now->records}, {"mbufs", now->mbufs}};
	const char *known;

	for (unsigned int i = 0; i < RTE_DIM(levels); i++)
		if (strcmp(levels[i].name, name) == 0) {
			*value = levels[i].value;
			return true;
		}
	for (unsigned int i = 0; (known = rill_counter_name(i)) != NULL; i++)
		if (strcmp(known, name) == 0) {
			*value = (int64_t)rill_counter_value(now, i);
			return true;
		}
	return false;
}

/* Counters since the lane began. */
void
do_count(void)
{
	struct rill_stats now;

	memset(&now, 0, sizeof(now));
	if (at.run)
		now = stats();
	if (!words_left())
		wrong("'counter' is missing");
	while (words_left()) {
		const char *name = take_word("counter");
		struct wanted wanted = take_wanted(name);
		int64_t value = 0;

		if (!counter(&now, name, &value))
			wrong("unknown counter '%s'", name);
		if (at.run)
			must_be(&wanted, name, value);
	}
}

static unsigned int
take_drop(void)
{
	const char *name = take_word("drop reason");

	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		if (strcmp(rill_drop_name(i), name) == 0)
			return i;
	wrong("unknown drop reason '%s'", name);
}

/* Packets dropped since this was last asked, or since the fixture: these and no others. */
void
do_drop(void)
{
	struct wanted wanted[RILL_DROP_COUNT] = {{.how = WANTED_ANY}};
	struct rill_stats now;

	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		wanted[i] = (struct wanted){.how = WANTED_EQ};
	if (!take_if("none"))
		do {
			unsigned int i = take_drop();
			bool plain = !words_left() || rill_drop_name(0) == NULL;

			for (unsigned int k = 0; k < RILL_DROP_COUNT && words_left(); k++)
				plain |= strcmp(rill_drop_name(k), at.line->words[at.word]) == 0;
			wanted[i] = plain ? (struct wanted){.how = WANTED_EQ, .value = 1}
					  : take_wanted("number");
		} while (words_left());
	if (!script_runs())
		return;
	now = stats();
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		must_be(&wanted[i], rill_drop_name(i),
			(int64_t)(now.drops[i] - peer.seen.drops[i]));
	peer.seen = now;
}

void
do_app(void)
{
	static const char *const names[] = {"opened", "eofs", "urgents", "errors", "closed",
		"error", "urgent_left", "received", "acked", "wrote", "apps"};

	if (!words_left())
		wrong("'field' is missing");
	while (words_left()) {
		const int64_t values[] = {app->opened, app->eofs, app->urgents, app->errors,
			app->closed, app->error, app->urgent_left, app->received, app->acked,
			app->wrote, apps_count};
		unsigned int i = take_name(names, RTE_DIM(names), "field");
		struct wanted wanted = take_wanted(names[i]);

		if (at.run)
			must_be(&wanted, names[i], values[i]);
	}
}

void
do_closed(void)
{
	static const char *const names[RILL_CLOSE_REASON_COUNT] = {
		[RILL_CLOSE_DONE] = "DONE",
		[RILL_CLOSE_REFUSED] = "REFUSED",
		[RILL_CLOSE_RESET] = "RESET",
		[RILL_CLOSE_TIMEOUT] = "TIMEOUT",
		[RILL_CLOSE_UNREACHABLE] = "UNREACHABLE",
		[RILL_CLOSE_ABORTED] = "ABORTED",
		[RILL_CLOSE_STOPPED] = "STOPPED",
	};
	unsigned int why = take_name(names, RTE_DIM(names), "close reason");

	if (!script_runs())
		return;
	if (app->closed != 1)
		fails("on_close ran %u times", app->closed);
	if (app->why != why)
		fails("closed as %s, should be %s", names[app->why], names[why]);
}

void
do_alive(void)
{
	if (script_runs() && app->closed != 0)
		fails("the connection was closed: %s", rill_close_reason_name(app->why));
}
