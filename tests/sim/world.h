/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

/*
 * Hosts around a router, each with a link to it and one back, and a virtual clock. A host has a few
 * lanes, each behind a queue of its own of the simulated NIC. Everything follows from one seed: the
 * same seed gives the same frames at the same times, bit for bit.
 *
 *	host 0 --up-->        --down--> host 1
 *	         <--down--  router  ...
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/rill.h>

#include "chance.h"
#include "events.h"
#include "link.h"
#include "nic.h"
#include "pools.h"
#include "trace.h"

#define HOSTS_MAX 11
#define LANES_MAX 3 /* of one host */
#define HOGS_MAX 1024
#define SIM_START_US 1000000u
#define MS 1000u
#define SECOND 1000000u
#define PATH_MTU_LEAST 576u /* that a faulty path carries, */
#define PATH_MTU_LEAST6 1280u /* and one that IPv6 takes [8200 5] */

/* Which families the hosts of a world speak; each has the same number in both (wire.h). */
enum families {
	FAMILY_IP4,
	FAMILY_IP6,
	FAMILY_BOTH, /* each session one of them */
};

struct world;
struct host;

struct host_setup {
	unsigned int lanes;
	unsigned int turn_max; /* frames that one turn takes: 1 to RILL_BURST_MAX */
	uint32_t turn_us;      /* time that a turn takes: at least 1 */
	uint32_t poll_us;      /* how often a lane whose frames the NIC does not take looks again */
	uint64_t stall_at, stall_us; /* its threads get no core in this time */
	uint32_t hogs;               /* buffers of each pool that an application sits on for good */
	struct nic_setup nic;
	struct link_setup up, down;
	struct rill_limits limits;
};

struct sim_lane {
	struct host *host;
	unsigned int index; /* of the host's */
	struct rill_lane *lane;
	struct nic nic;
	struct pools *pools;
	uint64_t free_at;   /* its core is busy until then */
	unsigned int spins; /* turns in a row that did nothing and wanted another at once */
	struct rte_mbuf *hogs[HOGS_MAX];
	unsigned int hogs_count;
};

struct host {
	struct world *world;
	unsigned int number;
	uint32_t ip;
	uint8_t mac[6];
	struct host_setup setup;
	struct sim_lane lanes[LANES_MAX];
	struct link up, down;
};

/* Who looks on; each may be NULL. */
struct world_watch {
	/* A host sent a frame, or its NIC got one: IP packets, without a link header. */
	void (*sent)(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len);
	void (*got)(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len);
	/* A turn is over, and what it said was offered to the NIC. */
	void (*turned)(struct world *world, struct sim_lane *lane);
};

struct world {
	uint64_t seed;
	uint64_t now;
	bool ethernet;
	enum families families;
	uint32_t extensions;    /* chance that an IPv6 packet comes with extension headers, ppm */
	struct chance net, app; /* of the world, and of those who live in it */
	struct events events;
	struct world_watch watch;
	struct host hosts[HOSTS_MAX];
	unsigned int hosts_count;
	struct chance extra; /* of what only IPv6 has: a world of IPv4 is what it was without it */
	uint64_t hash; /* of all frames and their times */
	uint64_t frames, lost, turns;
	uint64_t progress_at; /* when an application last got on */
	bool failed, silent;  /* silent: a failure prints nothing */
};

/* A world without hosts, of the family that tests speak (family.h); before hosts come it may be changed. */
void world_init(struct world *world, uint64_t seed, bool ethernet);

/* One more host; buffers: of each lane's pools. Its lanes are up when it returns. */
struct host *world_add_host(struct world *world, const struct host_setup *setup, uint32_t buffers);

/* Ends it; everything must have been given back. */
void world_down(struct world *world);

/* Calls fn(arg, value) after delay_us, between turns. */
void world_after(struct world *world, uint64_t delay_us, event_fn fn, void *arg, uint64_t value);

/* One step to the next moment at which something happens. False: nothing ever will. */
bool world_step(struct world *world);

/* A host's address, in the family of the world or, if there are both, in this one. */
struct rill_addr host_addr(const struct host *host, bool ip6);

/* The lane of a host that the NIC gives segments to: as RSS does, by addresses and ports. */
struct sim_lane *host_lane_of(
	struct host *host, uint32_t peer_ip, uint16_t port, uint16_t peer_port);

/* Something is wrong: says so with the seed, and the run has failed. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_trace(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- host.c */

/* Bytes in front of the IP header. */
size_t world_l2_len(const struct world *world);

/* When the lane wants its next turn and can have it. */
uint64_t lane_wants(const struct world *world, struct sim_lane *lane);
void lane_turn(struct world *world, struct sim_lane *lane);

void host_up(struct world *world, struct host *host, uint32_t buffers);
void host_down(struct world *world, struct host *host);

/* A frame has come to the host's end of its link. */
void host_gets(struct host *host, const struct packet *packet);

/* ---- router.c */

/* Events of a packet at the router, or at a host; value is the packet. */
void router_gets(void *host, uint64_t packet);
void host_link_gives(void *host, uint64_t packet);

/* A host's frame enters its link. */
void host_sends(struct host *host, const uint8_t *bytes, uint32_t len);

#endif
