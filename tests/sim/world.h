/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

/*
 * Two lanes, a wire between them that loses, doubles, delays, reorders and damages frames, and a virtual
 * clock. Everything follows from one seed: the same seed gives the same frames, bit for bit.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/rill.h>
#include <rte_mbuf.h>

#define HOSTS 2
#define SIM_START_US 1000000u
#define MS 1000u
#define SECOND 1000000u

/* ---- chance: xorshift64*, seeded through splitmix64 */

struct chance {
	uint64_t state;
};

void chance_seed(struct chance *chance, uint64_t seed);
uint64_t chance_next(struct chance *chance);
/* 0 .. n - 1; n > 0. */
uint32_t chance_below(struct chance *chance, uint32_t n);
/* least .. most, small values as likely as large ones: uniform in the number of bits. */
uint32_t chance_size(struct chance *chance, uint32_t least, uint32_t most);
/* True in `ppm` of a million cases. */
bool chance_hit(struct chance *chance, uint32_t ppm);

/* ---- the wire, the same in both directions; parts of a million */

struct faults {
	uint32_t loss, duplicate, reorder, corrupt;
	uint32_t delay_us, jitter_us;
	uint32_t reorder_us;  /* a reordered frame comes so much later, at most */
	uint32_t bytes_per_ms; /* rate; 0: no limit */
	uint32_t queue_us;    /* a frame that would wait longer at that rate is dropped */
	uint64_t outage_at, outage_us; /* nothing passes in this time; 0: never */
};

/* ---- events */

typedef void (*event_fn)(void *arg, uint32_t value);

struct event {
	uint64_t at;
	uint64_t order;  /* among events of one moment */
	event_fn fn;     /* NULL: a frame arrives */
	void *arg;
	uint32_t value;  /* of fn; or the host that the frame arrives at */
	uint8_t *bytes;  /* the frame, malloc'ed */
	uint32_t len;
};

struct host {
	struct rill_lane *lane;
	struct rte_mempool *pool; /* frames that arrive */
	uint64_t wire_free_at;    /* when its end of the wire has sent what it was given */
	uint32_t mbufs_at_start;
	uint32_t frames_at_start; /* of pool; not 0 if an earlier run leaked */
	unsigned int frames_out;
};

struct world {
	uint64_t seed;
	uint64_t now;
	struct chance net, app;
	struct faults faults;
	bool ethernet;
	struct host hosts[HOSTS];
	struct event *heap;
	size_t heap_len, heap_room;
	uint64_t order;
	uint64_t hash;            /* of all frames and their times */
	unsigned int frames, lost, doubled, damaged;
	uint64_t progress_at;     /* when an application last got on */
	bool trace;
	bool failed;
};

/* The wire of a seed: some faults are off altogether in each run. */
void faults_draw(struct world *world);

/* Makes the lanes; the pools of arriving frames are made once and stay. */
void world_up(struct world *world, uint64_t seed, bool trace);
/* Ends it; everything must have been given back. */
void world_down(struct world *world);

/* Calls fn(arg, value) after delay_us, between turns. */
void world_after(struct world *world, uint64_t delay_us, event_fn fn, void *arg, uint32_t value);

/* One step to the next moment at which something happens. False: nothing ever will. */
bool world_step(struct world *world);

/* Something is wrong: says so with the seed, and the run has failed. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_trace(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
