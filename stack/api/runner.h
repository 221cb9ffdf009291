/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_RUNNER_H
#define RILL_API_RUNNER_H

/*
 * The stack and its runners. A runner is a lane with its port, its pools and, while the stack runs,
 * its thread. The runners of one port are a group: each has a queue of the port to itself if the NIC
 * spreads between them, else the first carries the others' frames.
 */

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <rill/stack.h>

#include "config.h"
#include "events.h"
#include "exception.h"
#include "keeper.h"
#include "lane.h"
#include "pools.h"
#include "port.h"
#include "spread.h"
#include "steer.h"
#include "strays.h"
#include "watch.h"

static_assert(RILL_PORT_LANES_MAX <= SPREAD_LANES_MAX, "any number of lanes can be carried");

struct check;

enum stack_command {
	STACK_GO,
	STACK_DRAIN, /* stop accepting, end when empty or late */
	STACK_STOP,
};

#define GROUP_SPREAD_LEN 512

/* What is known of a port while its lanes run; the keeper's alone (keeper.h). */
struct upkeep {
	struct port_events events;
	struct watch watch;
	bool hears;       /* events */
	bool watched;     /* for being deaf */
	bool link_up;
	bool reset;       /* it was reset, and not restarted since */
	bool lost;        /* it was restarted in vain: it has no device now, */
	ustime retry_at;  /* and is restarted again at this time */
	bool gone;        /* for ever */
};

/* The lanes of one port. */
struct group {
	const struct rill_port_config *config;
	struct runner *first;
	unsigned int lanes;
	struct rill_lane *members[RILL_PORT_LANES_MAX]; /* by number within the group */
	struct steer steer;          /* where connections belong, if lanes > 1 */
	struct spreader *spreader;   /* of one queue; NULL: each lane has one */
	struct strays *strays;       /* of several queues */
	bool is_random;              /* which fill without RSS */
	char spread[GROUP_SPREAD_LEN]; /* who spreads, and why not the NIC, for people */
	struct upkeep upkeep;
	atomic_uint running;         /* runners that have not ended yet */
	atomic_uint undrained;       /* of a drain: those that still have connections */
};

struct runner {
	struct rill_stack *stack;
	struct group *group;
	struct rill_lane *lane;
	struct port port;
	struct port exception;       /* without ops: there is none */
	struct pools pools;
	char name[CONFIG_NAME_MAX + 1];
	int core;             /* -1: none of its own, the kernel places its thread */
	pthread_t thread;     /* but for the first, which runs on the caller's */
	bool live;            /* mail to the lane is read; under the stack's lock */
	bool draining;        /* it has seen STACK_DRAIN */
	bool drained;         /* and has no connection left */
	uint32_t groups_seen; /* of the lane's netif, when the port was last told them */
	uint64_t duplicates_seen; /* of the lane's counters, likewise */
	uint32_t trouble_seen;    /* with addresses of the lane's: its number */
	bool late;            /* the drain's deadline passed with connections left */
	ustime drain_at;
	int result;           /* 0 or a negative errno: its thread could not do its work */
};

struct rill_stack {
	struct rill_config config;
	uint8_t secret[RILL_SECRET_LEN];
	unsigned int lanes;
	struct runner runners[RILL_LANES_MAX];
	unsigned int groups_count;
	struct group groups[RILL_PORTS_MAX]; /* by port */
	atomic_int command;          /* enum stack_command */
	atomic_uint_fast64_t drain_us;
	struct keeper keeper;
	bool running;                /* under lock */
	pthread_mutex_t lock;
	pthread_cond_t answered;     /* a call to a lane was carried out, or a lane ended */
	pthread_mutex_t changing;    /* held while addresses or routes change, on one lane after the other */
};

/* ---- run.c */

/*
 * One turn of a lane with its port, which it takes frames from unless the run is to end. Returns
 * whether the turn did something.
 */
bool runner_turn(struct runner *runner, ustime now, bool receive);

/*
 * Until when a lane may sleep after a turn that did nothing: its next deadline, at most as long as
 * configured, and not at all while it has frames to send.
 */
ustime runner_rest_until(const struct runner *runner, ustime now);

/*
 * Aborts what is left; on_close is told, and RSTs leave. A carrier goes on for as long as it carries
 * others, and until their frames have left. Then there is a bound to it, whatever the port does.
 */
void runner_wind_up(struct runner *runner);

/* ---- stack.c */

/* Memory that a stack of this configuration asks EAL for, about. Its limits are filled in. */
uint64_t stack_bytes(const struct rill_config *config);

/* As its port is to be opened. */
struct port_setup group_port_setup(const struct group *group);

/* ---- check.c */

bool check_has_pci_port(const struct rill_config *config);

/* Looks at the PCI devices among the ports, before EAL does. Returns 0, or a negative errno with an error
 * sentence: what is wrong with one. */
int check_pci_ports(struct check *check, const struct rill_config *config);

/* ---- cores.c */

/*
 * Gives each runner a core of its own among those that EAL's lcores may use, on the node of its port
 * where there is one left. Fewer cores than lanes: fine when idle lanes sleep, else refused with a
 * sentence.
 */
int cores_assign(struct rill_stack *stack);

/* Tells how the cores that lanes were given suit them. */
void cores_check(struct check *check, const struct rill_stack *stack);

/* Ties the calling thread to the runner's core, if it has one. */
void cores_pin(const struct runner *runner);

/* ---- call.c */

/*
 * Runs fn(lane, arg) on a lane and waits for its result: by mail while the lane's thread runs, else
 * right here. Not from a lane's thread: -EDEADLK.
 */
int stack_call(struct rill_stack *stack, unsigned int index, int (*fn)(struct rill_lane *, void *),
	void *arg);

/* -EDEADLK, with a sentence, on a lane's thread; else 0. */
int call_refuse(const struct rill_stack *stack);

/* The runner's thread will not read its mail any more; what had come is carried out. */
void call_retire(struct runner *runner);

/* Which lane the calling thread drives; NULL: none. */
void call_set_lane(struct rill_lane *lane);
struct rill_lane *call_lane(void);

/* ---- secret.c */

/* From the system. Returns 0, or a negative errno with an error sentence. */
int secret_draw(uint8_t secret[RILL_SECRET_LEN]);

/* A locally administered unicast address, the same for the same secret. */
void secret_mac(const uint8_t secret[RILL_SECRET_LEN], uint8_t mac[6]);

#endif
