/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim_run [--seed N] [--count M] [--replay] [--trace] [--hours H]
 *
 * Runs M seeds from N on. In each, hosts with a few lanes talk over hostile links through hostile
 * NICs, over IPv4, IPv6 or both, until every session has ended; see draw.h, invariants.h, monitor.h
 * and session.h. At the end both sides have ended as planned, no connection, TIME-WAIT, record,
 * side-car or buffer is left, and at no time did everything stand still for long. A failure prints its seed and the end of its
 * trace, and the seed alone replays it: --trace prints all of it. --replay runs each seed twice and
 * compares all frames and their times. --hours takes seeds from the clock and stops at the first
 * failure, or when the time is up.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include "draw.h"
#include "lane.h"
#include "mail.h"
#include "monitor.h"
#include "session.h"

#define STALL_US (400ull * SECOND) /* longest honest silence: a few lost retransmissions at 60 s   \
				    */
#define LAST_US (4000ull * SECOND) /* virtual time that a run may take */
#define LINGER_US                                                                                  \
	(500ull * SECOND) /* for TIME-WAIT, half-open ones and what else follows the last close */

static struct world world;
static struct sessions sessions;
static uint64_t seed_now;
static bool dying; /* this process runs the seed only for the end of its trace */

/* ---- one seed */

static bool
lane_is_quiet(const struct sim_lane *lane)
{
	struct rill_stats s;

	rill_lane_stats_read(lane->lane, &s);
	return s.conns == 0 && s.syn_received == 0 && s.time_wait == 0;
}

static bool
is_quiet(void)
{
	for (unsigned int h = 0; h < world.hosts_count; h++)
		for (unsigned int i = 0; i < world.hosts[h].setup.lanes; i++)
			if (!lane_is_quiet(&world.hosts[h].lanes[i]))
				return false;
	return true;
}

static void
check_nothing_left(const struct sim_lane *lane)
{
	struct rill_stats s;

	rill_lane_stats_read(lane->lane, &s);
	if (s.conns || s.syn_received || s.time_wait || s.sidecars || s.records)
		world_fail(&world,
			"host %u lane %u is left with %u connections, %u half-open, %u TIME-WAIT, %u side-cars, %u records",
			lane->host->number, lane->index, s.conns, s.syn_received, s.time_wait,
			s.sidecars, s.records);
}

/*
 * What comes behind extension headers, and what routers tell, is of use as it came: sent again it would
 * come without, and nobody would miss it. Only a bit that a link turned over may have spoilt it.
 */
static void
check_nothing_refused(const struct sim_lane *lane)
{
	static const enum rill_drop never[] = {RILL_DROP_ip_protocol, RILL_DROP_ip6_extension,
		RILL_DROP_ip6_option, RILL_DROP_ip6_routing, RILL_DROP_ip6_extensions_max,
		RILL_DROP_ip_fragment_malformed, RILL_DROP_ip_fragment_tiny, RILL_DROP_icmp_mtu_low,
		RILL_DROP_icmp_malformed, RILL_DROP_icmp_checksum, RILL_DROP_nd_malformed};
	const uint64_t *drops = lane->lane->counters.drops;

	for (unsigned int i = 0; i < RTE_DIM(never) && lane->host->down.setup.corrupt == 0; i++)
		if (drops[never[i]] != 0)
			world_fail(&world, "host %u lane %u dropped %" PRIu64 " packets as %s",
				lane->host->number, lane->index, drops[never[i]],
				rill_drop_name(never[i]));
}

static void
run_sessions(void)
{
	while (!world.failed && !(sessions_over(&sessions) && mail_is_over())) {
		if (!world_step(&world)) {
			world_fail(
				&world, "nothing will ever happen again, but not all have ended");
			sessions_print(&world, &sessions);
		} else if (world.now - world.progress_at > STALL_US || world.now > LAST_US) {
			world_fail(&world, "stalled since %.6f s", (double)world.progress_at / 1e6);
			sessions_print(&world, &sessions);
		}
	}
}

static void
check_lane(const struct sim_lane *lane)
{
	check_nothing_left(lane);
	check_nothing_refused(lane);
}

static bool
run(uint64_t seed)
{
	uint64_t over;

	seed_now = seed;
	monitor_reset();
	invariants_reset(sessions_each_held, &sessions);
	draw_world(&world, seed);
	world.watch = (struct world_watch){monitor_sent, monitor_got, invariants_turned};
	sessions_start(&world, &sessions);
	mail_start(&world);
	run_sessions();
	over = world.now;
	while (!world.failed && !is_quiet() && world.now - over < LINGER_US)
		if (!world_step(&world))
			break;
	if (!world.failed)
		sessions_check(&world, &sessions);
	for (unsigned int h = 0; h < world.hosts_count && !world.failed; h++)
		for (unsigned int i = 0; i < world.hosts[h].setup.lanes; i++)
			check_lane(&world.hosts[h].lanes[i]);
	sessions_let_go(&sessions);
	world_down(&world);
	return !world.failed;
}

/* ---- failures */

/* Runs a failed seed once more, now that it is worth a trace. */
static void
show_tail(uint64_t seed)
{
	if (trace_is_on())
		return;
	printf("the end of what happened (sim_run --seed %" PRIu64 " --trace prints all):\n", seed);
	trace_set(TRACE_TAIL);
	run(seed);
	trace_print_tail();
	trace_set(TRACE_OFF);
}

/* An assertion of the stack: this process is lost, so another one shows the end of the trace. */
static void
on_abort(int signal_number)
{
	char number[24];
	char *args[] = {"sim_run", "--seed", number, "--tail", NULL};

	if (dying) {
		trace_print_tail();
		_exit(1);
	}
	printf("seed %" PRIu64 " at %.6f s: an assertion failed; the end of what happened "
	       "(sim_run --seed %" PRIu64 " --trace prints all):\n",
		seed_now, (double)world.now / 1e6, seed_now);
	fflush(stdout);
	if (trace_is_on())
		_exit(1);
	snprintf(number, sizeof(number), "%" PRIu64, seed_now);
	execv("/proc/self/exe", args);
	_exit(1);
}

static void
catch_aborts(void)
{
	struct sigaction action = {.sa_handler = on_abort, .sa_flags = SA_NODEFER | SA_RESETHAND};

	sigaction(SIGABRT, &action, NULL);
}

/* ---- many seeds */

struct totals {
	uint64_t runs, failed, frames, lost, turns;
	uint64_t longest_seed, longest_us; /* in virtual time */
};

static bool
run_counted(uint64_t seed, bool replay, struct totals *totals)
{
	bool ok = run(seed);
	uint64_t hash = world.hash;

	totals->runs++;
	totals->frames += world.frames;
	totals->lost += world.lost;
	totals->turns += world.turns;
	if (world.now > totals->longest_us) {
		totals->longest_us = world.now;
		totals->longest_seed = seed;
	}
	if (ok && replay && (!run(seed) || world.hash != hash)) {
		printf("seed %" PRIu64 ": not the same frames when run again\n", seed);
		ok = false;
	} else if (!ok) {
		show_tail(seed);
	}
	totals->failed += !ok;
	return ok;
}

static void
run_hours(double hours, struct totals *totals)
{
	struct timespec time_now;
	uint64_t seed, end;

	clock_gettime(CLOCK_REALTIME, &time_now);
	seed = (uint64_t)time_now.tv_sec * 1000000;
	printf("seeds from %" PRIu64 " on\n", seed);
	end = (uint64_t)time_now.tv_sec + (uint64_t)(hours * 3600);
	while ((uint64_t)time_now.tv_sec < end && run_counted(seed++, false, totals))
		clock_gettime(CLOCK_REALTIME, &time_now);
}

static void
start_eal(void)
{
	char *args[] = {"sim_run", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
		"1024", "--log-level=*:error", "-l", "0"};

	if (rte_eal_init(RTE_DIM(args), args) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'}, {"replay", no_argument, NULL, 'r'},
		{"trace", no_argument, NULL, 't'}, {"tail", no_argument, NULL, 'e'},
		{"hours", required_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	uint64_t seed = 1, count = 1;
	struct totals totals = {0};
	bool replay = false;
	double hours = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'c')
			count = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			replay = true;
		else if (c == 't')
			trace_set(TRACE_ALL);
		else if (c == 'e')
			dying = true;
		else if (c == 'h')
			hours = strtod(optarg, NULL);
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	start_eal();
	catch_aborts();
	if (dying)
		trace_set(TRACE_TAIL);
	if (hours > 0)
		run_hours(hours, &totals);
	for (uint64_t i = 0; hours <= 0 && i < count; i++)
		run_counted(seed + i, replay, &totals);
	printf("%" PRIu64 " runs, %" PRIu64 " failed, %" PRIu64 " frames, %" PRIu64
	       " lost, %" PRIu64 " turns; the longest, seed %" PRIu64 ", took %" PRIu64 " s\n",
		totals.runs, totals.failed, totals.frames, totals.lost, totals.turns,
		totals.longest_seed, totals.longest_us / SECOND);
	return totals.failed != 0;
}
