/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Runs a file of packet scripts: script FILE [NAME], where NAME selects the tests whose names
 * contain it. README.md has the language.
 */

#include "script.h"

#include <stdio.h>
#include <string.h>

static struct script script;

static void do_advance(void);
static void do_flow(void);
static void do_forget(void);
static void do_hold(void);
static void do_release(void);
static void do_shutdown(void);
static void do_close(void);
static void do_abort(void);
static void do_family(void);
static void do_pause(void);
static void do_resume(void);

static const struct {
	const char *word;
	void (*fn)(void);
} commands[] = {
	{"with", do_with},
	{"in", do_in},
	{"flow", do_flow},
	{"peer", do_peer},
	{"icmp", do_icmp},
	{"icmp6", do_icmp6},
	{"family", do_family},
	{"raw", do_raw},
	{"lane", do_lane},
	{"silence", do_silence},
	{"skip", do_skip},
	{"advance", do_advance},
	{"listen", do_listen},
	{"unlisten", do_unlisten},
	{"connect", do_connect},
	{"write", do_write},
	{"send", do_send},
	{"urgent", do_urgent},
	{"shutdown", do_shutdown},
	{"close", do_close},
	{"abort", do_abort},
	{"pause", do_pause},
	{"resume", do_resume},
	{"consume", do_consume},
	{"set", do_set},
	{"echo", do_echo},
	{"address", do_address},
	{"route", do_route},
	{"state", do_state},
	{"info", do_info},
	{"count", do_count},
	{"drop", do_drop},
	{"app", do_app},
	{"closed", do_closed},
	{"alive", do_alive},
	{"forget", do_forget},
	{"hold", do_hold},
	{"release", do_release},
};

static void
do_advance(void)
{
	uint64_t us = take_duration();

	if (!script_runs())
		return;
	script_touch();
	advance_us(us);
}

static void
do_flow(void)
{
	uint32_t number = take_u32("flow number");
	uint16_t port = take_if("port") ? (uint16_t)take_number("port") : 0;

	if (number >= PEER_FLOWS)
		wrong("flows are numbered from 0 to %d", PEER_FLOWS - 1);
	if (!script_runs())
		return;
	script_touch();
	peer_uses_flow(number);
	if (port != 0)
		peer.flow->lane_port = port;
}

static void
do_forget(void)
{
	uint32_t ahead = take_u32("sequence numbers ahead");

	if (script_runs())
		peer_forgets(ahead);
}

static void
do_hold(void)
{
	uint32_t per_turn = take_u32("frames per turn");

	if (!script_runs())
		return;
	script_touch();
	peer_holds(per_turn);
}

static void
do_release(void)
{
	if (script_runs())
		peer_releases();
}

static void
do_shutdown(void)
{
	do_call("rill_shutdown", rill_shutdown);
}

static void
do_close(void)
{
	do_call("rill_close", rill_close);
}

static void
do_abort(void)
{
	do_call("rill_abort", rill_abort);
}

static void
do_pause(void)
{
	do_call("rill_pause", rill_pause);
}

static void
do_resume(void)
{
	do_call("rill_resume", rill_resume);
}

/* Says which family a test is about: see is_of_family. */
static void
do_family(void)
{
	uint32_t family = take_u32("family");

	if (family != 4 && family != 6)
		wrong("%u is no family: give 4 or 6", family);
}

/* ---- lines and blocks */

static void
run_line(void)
{
	const char *word = take_word("command");

	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].word, word) == 0) {
			commands[i].fn();
			if (at.run)
				script_find_app();
			else
				at.touched = commands[i].fn != do_with &&
					     commands[i].fn != do_family;
			return;
		}
	wrong("unknown word '%s'", word);
}

static void run_lines(unsigned int first, unsigned int end);

static void
run_block(unsigned int first)
{
	const struct script_line *line = &script.lines[first];
	bool burst = strcmp(take_word("block"), "burst") == 0;
	uint32_t times = burst ? 1 : take_u32("times");
	int64_t outer = at.i;

	(void)script_runs();
	if (at.run && burst) {
		script_touch();
		burst_begin();
	}
	if (!at.run)
		times = 1;
	for (at.i = burst ? outer : 0; times > 0; times--, at.i++)
		run_lines(first + 1, line->end);
	at.i = outer;
	if (at.run && burst) {
		burst_end();
		script_find_app();
	}
}

static void
run_lines(unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++) {
		at.line = &script.lines[i];
		at.word = 0;
		if (at.line->end != 0) {
			run_block(i);
			i = script.lines[i].end;
		} else {
			run_line();
		}
	}
}

static bool
is_synchronized(const struct script_test *test)
{
	for (unsigned int i = test->first; i < test->first + test->count; i++)
		if (script.lines[i].count == 2 && strcmp(script.lines[i].words[0], "in") == 0 &&
			strcmp(script.lines[i].words[1], "synchronized") == 0)
			return true;
	return false;
}

/* Does its first line say which family it is about? */
static bool
names_family(const struct script_test *test)
{
	const struct script_line *line = &script.lines[test->first];

	return test->count > 0 && line->count == 2 && strcmp(line->words[0], "family") == 0;
}

/* Is it about the family that is spoken now? So are all that do not say. */
static bool
is_of_family(const struct script_test *test)
{
	return !names_family(test) ||
	       (strcmp(script.lines[test->first].words[1], "6") == 0) == family_is_ip6();
}

static void
run_once(const struct script_test *test, const struct synchronized *sync)
{
	at.run = true;
	at.touched = false;
	at.sync = *sync;
	at.i = 0;
	memset(&at.setup, 0, sizeof(at.setup));
	script_forget_apps();
	run_lines(test->first + names_family(test), test->first + test->count);
}

static void
run_script_test(void **state)
{
	static const struct synchronized none;
	const struct script_test *test = *state;

	if (!is_synchronized(test)) {
		run_once(test, &none);
		return;
	}
	for (unsigned int i = 0; i < synchronized_count; i++) {
		if (i > 0)
			peer_restart(&(struct peer_setup){.mss = 0});
		run_once(test, &synchronized_states[i]);
	}
}

/* ---- checking and running the file */

static void
check_test(const struct script_test *test)
{
	at.run = at.touched = false;
	memset(&at.setup, 0, sizeof(at.setup));
	run_lines(test->first, test->first + test->count);
}

static int
setup(void **state)
{
	void *nothing = NULL;

	return peer_up(&nothing);
}

static int
teardown(void **state)
{
	void *nothing = NULL;

	return peer_down(&nothing);
}

int
main(int argc, char **argv)
{
	static struct CMUnitTest tests[SCRIPT_TESTS_MAX];
	unsigned int count = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE [NAME]\n", argv[0]);
		return 2;
	}
	script_read(&script, argv[1]);
	for (unsigned int i = 0; i < script.tests_count; i++)
		check_test(&script.tests[i]);
	for (unsigned int i = 0; i < script.tests_count; i++) {
		if ((argc > 2 && strstr(script.tests[i].name, argv[2]) == NULL) ||
			!is_of_family(&script.tests[i]))
			continue;
		tests[count++] = (struct CMUnitTest){.name = script.tests[i].name,
			.test_func = run_script_test,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = &script.tests[i]};
	}
	if (count == 0) {
		fprintf(stderr, "%s: no test of this family has '%s' in its name\n", argv[1],
			argc > 2 ? argv[2] : "");
		return 2;
	}
	return _cmocka_run_group_tests(script.file, tests, count, NULL, NULL);
}
