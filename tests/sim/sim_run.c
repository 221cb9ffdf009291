/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim_run [--seed N] [--count M] [--replay] [--trace]
 *
 * Runs M seeds from N on. In each, two lanes talk over a hostile wire until every session has ended; then
 * every stream must have arrived unharmed, both sides have ended as planned, no connection, TIME-WAIT,
 * record, side-car or buffer be left, and at no time may everything have stood still for long. A
 * failure prints its seed, and the seed alone replays it. --replay runs each seed twice and compares all
 * frames and their times.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "session.h"

#define STALL_US (400ull * SECOND)   /* longest honest silence: a few lost retransmissions at 60 s */
#define LAST_US (4000ull * SECOND)   /* virtual time that a run may take */
#define LINGER_US (200ull * SECOND)  /* for TIME-WAIT and what follows the last close */

static bool trace;

static bool
quiet(struct world *world)
{
	for (unsigned int h = 0; h < HOSTS; h++) {
		struct rill_stats s;

		rill_lane_stats_read(world->hosts[h].lane, &s);
		if (s.conns || s.syn_received || s.time_wait)
			return false;
	}
	return true;
}

static void
check_nothing_left(struct world *world)
{
	for (unsigned int h = 0; h < HOSTS; h++) {
		struct rill_stats s;

		rill_lane_stats_read(world->hosts[h].lane, &s);
		if (s.conns || s.syn_received || s.time_wait || s.sidecars || s.records ||
			s.mbufs != world->hosts[h].mbufs_at_start)
			world_fail(world,
				"host %u is left with %u connections, %u half-open, %u TIME-WAIT, %u side-cars, %u records, %u buffers (%u at start)",
				h, s.conns, s.syn_received, s.time_wait, s.sidecars, s.records, s.mbufs,
				world->hosts[h].mbufs_at_start);
	}
}

static void
run_sessions(struct world *world, struct sessions *sessions)
{
	while (!world->failed && !sessions_over(sessions)) {
		if (!world_step(world)) {
			world_fail(world, "nothing will ever happen again, but not all have ended");
			sessions_print(world, sessions);
		} else if (world->now - world->progress_at > STALL_US || world->now > LAST_US) {
			world_fail(world, "stalled since %.6f s", (double)world->progress_at / 1e6);
			sessions_print(world, sessions);
		}
	}
}

static bool
run(uint64_t seed, uint64_t *hash, struct world *world)
{
	static struct sessions sessions;
	uint64_t over;

	world_up(world, seed, trace);
	sessions_start(world, &sessions);
	run_sessions(world, &sessions);
	over = world->now;
	while (!world->failed && !quiet(world) && world->now - over < LINGER_US)
		if (!world_step(world))
			break;
	if (!world->failed) {
		sessions_check(world, &sessions);
		check_nothing_left(world);
	}
	*hash = world->hash;
	sessions_let_go(&sessions);
	world_down(world);
	return !world->failed;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'}, {"replay", no_argument, NULL, 'r'},
		{"trace", no_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	uint64_t seed = 1, count = 1, failed = 0, frames = 0, lost = 0;
	bool replay = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'c')
			count = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			replay = true;
		else if (c == 't')
			trace = true;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (uint64_t i = 0; i < count; i++) {
		struct world world;
		uint64_t hash, again;
		bool ok = run(seed + i, &hash, &world);

		if (ok && replay && (!run(seed + i, &again, &world) || again != hash)) {
			printf("seed %" PRIu64 ": not the same frames when run again\n", seed + i);
			ok = false;
		}
		failed += !ok;
		frames += world.frames;
		lost += world.lost;
	}
	printf("%" PRIu64 " runs, %" PRIu64 " failed, %" PRIu64 " frames, %" PRIu64 " lost\n", count, failed,
		frames, lost);
	return failed != 0;
}
