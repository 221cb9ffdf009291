/* SPDX-License-Identifier: BSD-3-Clause */
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "errtext.h"
#include "port_state.h"
#include "restart.h"
#include "runner.h"

/* ---- words to the lanes: each is carried out on the lane's thread before the call returns */

static int
call(const struct runner *runner, int (*fn)(struct rill_lane *, void *), void *arg)
{
	return stack_call(
		runner->stack, (unsigned int)(runner - runner->stack->runners), fn, arg);
}

static void
call_all(const struct group *group, int (*fn)(struct rill_lane *, void *), void *arg)
{
	for (unsigned int i = 0; i < group->lanes; i++)
		call(&group->first[i], fn, arg);
}

static int
park(struct rill_lane *lane, void *port)
{
	port_park(port);
	return 0;
}

static int
resume(struct rill_lane *lane, void *port)
{
	container_of(port, struct runner, port)->groups_seen = 0; /* the device has forgotten them */
	port_resume(port);
	return 0;
}

static int
count(struct rill_lane *lane, void *offset)
{
	(*(uint64_t *)RTE_PTR_ADD(&lane->counters, (uintptr_t)offset))++;
	return 0;
}

#define COUNT(group, name)                                                                         \
	call((group)->first, count, (void *)(uintptr_t)offsetof(struct counters, name))

static int
ask(struct rill_lane *lane, void *arg)
{
	return lane_ask_neighbor(lane);
}

static int
announce(struct rill_lane *lane, void *arg)
{
	lane_announce(lane);
	return 0;
}

static int
set_mac(struct rill_lane *lane, void *mac)
{
	lane_set_mac(lane, mac);
	return 0;
}

static int
drop_of_others(struct rill_lane *lane, void *carrier)
{
	spread_drop_waiting(carrier);
	return 0;
}

static int
say_gone(struct rill_lane *lane, void *arg)
{
	lane_port_gone(lane);
	return 0;
}

/* ---- a port as a whole */

/* Lanes with a queue of the port: all, or the one that carries the others. */
static unsigned int
queues_of(const struct group *group)
{
	return group->strays != NULL ? group->lanes : 1;
}

static uint64_t
sum_of(const struct group *group, size_t counter)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < group->lanes; i++)
		sum += __atomic_load_n((const uint64_t *)RTE_PTR_ADD(
					       &group->first[i].lane->counters, counter),
			__ATOMIC_RELAXED);
	return sum;
}

/* Of others: some NICs give a port its own broadcasts back, whether it hears anybody else or not. */
static uint64_t
heard(const struct group *group)
{
	return sum_of(group, offsetof(struct counters, rx_packets)) -
		sum_of(group, offsetof(struct counters, rx_echoes));
}

static uint64_t
lost(const struct group *group)
{
	return sum_of(group, offsetof(struct counters, neighbors_lost));
}

static void
park_all(const struct group *group)
{
	for (unsigned int i = 0; i < queues_of(group); i++)
		call(&group->first[i], park, &group->first[i].port);
}

static void
resume_all(const struct group *group)
{
	for (unsigned int i = 0; i < queues_of(group); i++)
		call(&group->first[i], resume, &group->first[i].port);
}

/* Buffers leave the device's rings and enter them while lanes go on with theirs: their pools take it. */
static void
share_pools(const struct group *group, bool share)
{
	for (unsigned int i = 0; i < group->lanes; i++)
		pools_set_owner(&group->first[i].pools,
			share ? NULL : &group->first[i].lane->owner);
}

static void
hear_events(struct group *group)
{
	struct upkeep *upkeep = &group->upkeep;

	if (!upkeep->hears)
		upkeep->hears =
			port_events_hear(&upkeep->events, group->first->port.ethdev_id) == 0;
}

static void
ignore_events(struct group *group)
{
	if (group->upkeep.hears)
		port_events_ignore(&group->upkeep.events, group->first->port.ethdev_id);
	group->upkeep.hears = false;
}

/* ---- restarting it */

static int
restart_parked(struct group *group, enum port_restart how)
{
	const struct port_setup setup = group_port_setup(group);
	struct rte_mempool *rx_pools[RILL_PORT_LANES_MAX];
	const struct port_queues queues = {
		.count = queues_of(group),
		.rx_pools = rx_pools,
		.steer = group->strays != NULL && !group->is_random ? &group->steer : NULL,
	};
	int err;

	for (unsigned int i = 0; i < group->lanes; i++)
		rx_pools[i] = group->first[i].pools.rx;
	ignore_events(group);
	share_pools(group, true);
	err = port_restart(&group->first->port, &setup, &queues, how);
	share_pools(group, false);
	hear_events(group);
	for (unsigned int i = 1; err == 0 && i < group->lanes; i++)
		port_follow(&group->first[i].port, &group->first->port);
	return err;
}

/* What lanes send from is theirs, and changed by no other than this. */
static void
follow_mac(struct group *group)
{
	struct rte_ether_addr *mac = &group->first->port.mac;

	if (rte_is_same_ether_addr(mac, &group->first->lane->netif.mac) ||
		rte_is_zero_ether_addr(mac))
		return;
	call_all(group, set_mac, mac);
	if (group->spreader != NULL)
		call(group->first, drop_of_others, &group->first->port);
	exception_set_mac(group);
	COUNT(group, port_mac_changes);
	fprintf(stderr,
		"rill: port %s: has another MAC address now, " RTE_ETHER_ADDR_PRT_FMT "\n",
		group->first->port.name, RTE_ETHER_ADDR_BYTES(mac));
}

static void
restart(struct group *group, enum port_restart how, const char *why, ustime now)
{
	struct upkeep *upkeep = &group->upkeep;
	int err;

	park_all(group);
	err = restart_parked(group, how);
	upkeep->reset = false;
	upkeep->lost = err != 0;
	if (err != 0) {
		upkeep->retry_at = now + KEEPER_RETRY_US;
		COUNT(group, port_restarts_failed);
		fprintf(stderr, "rill: port %s: %s, and was restarted in vain: %s; again in %u s\n",
			group->first->port.name, why, rill_error(),
			KEEPER_RETRY_US / USEC_PER_SEC);
		return;
	}
	upkeep->retry_at = now + KEEPER_RESET_US;
	follow_mac(group);
	resume_all(group);
	call(group->first, announce, NULL); /* switches may have forgotten where we are */
	COUNT(group, port_restarts);
	fprintf(stderr, "rill: port %s: %s, and was restarted\n", group->first->port.name, why);
}

/* ---- what may become of it */

static void
give_up(struct group *group)
{
	park_all(group);
	ignore_events(group);
	share_pools(group, true);
	port_give_up(&group->first->port);
	share_pools(group, false);
	group->upkeep.gone = true;
	COUNT(group, port_removals);
	fprintf(stderr, "rill: port %s: its device is gone\n", group->first->port.name);
	call_all(group, say_gone, NULL);
}

/* While it was down others may have forgotten where we are. */
static void
look_at_link(struct group *group)
{
	bool up = port_link_is_up(&group->first->port);

	if (up == group->upkeep.link_up)
		return;
	group->upkeep.link_up = up;
	if (up)
		call(group->first, announce, NULL);
	else
		COUNT(group, port_link_downs);
	fprintf(stderr, "rill: port %s: its link is %s\n", group->first->port.name,
		up ? "up again" : "down");
}

static void
look_whether_deaf(struct group *group, ustime now)
{
	struct upkeep *upkeep = &group->upkeep;
	unsigned int lane = 0;

	switch (watch_look(&upkeep->watch, upkeep->link_up, heard(group), lost(group), now)) {
	case WATCH_FINE:
		return;
	case WATCH_ASK:
		while (lane < group->lanes && call(&group->first[lane], ask, NULL) == 0)
			lane++;
		watch_asked(&upkeep->watch, lane < group->lanes);
		return;
	case WATCH_RESTART:
		COUNT(group, port_deaf);
		restart(group,
			upkeep->watch.restarts == 0 ? PORT_RESTART_QUEUES : PORT_RESTART_DEVICE,
			"was deaf, though its link was up", now);
		watch_restarted(&upkeep->watch, true, now);
		return;
	}
}

static void
look(struct group *group, ustime now)
{
	struct upkeep *upkeep = &group->upkeep;
	unsigned int events = port_events_take(&upkeep->events);

	if (upkeep->gone)
		return;
	if (events & PORT_EVENT_REMOVED) {
		give_up(group);
		return;
	}
	if (events & PORT_EVENT_RESET) {
		upkeep->reset = true;
		COUNT(group, port_resets);
	}
	if ((upkeep->reset || upkeep->lost) && now >= upkeep->retry_at) {
		restart(group, PORT_RESTART_DEVICE,
			upkeep->reset ? "was reset" : "has no device that works", now);
		watch_restarted(&upkeep->watch, false, now);
	}
	if (upkeep->lost)
		return;
	look_at_link(group);
	if (upkeep->watched)
		look_whether_deaf(group, now);
}

void
keeper_look(struct rill_stack *stack, ustime now)
{
	for (unsigned int i = 0; i < stack->groups_count; i++)
		look(&stack->groups[i], now);
}

/* ---- its thread */

/* On a thread of EAL's, which is not to wait. */
static void
wake(void *arg)
{
	struct keeper *keeper = arg;

	sem_post(&keeper->woken);
}

void
keeper_begin(struct rill_stack *stack, ustime now)
{
	for (unsigned int i = 0; i < stack->groups_count; i++) {
		struct group *group = &stack->groups[i];
		struct upkeep *upkeep = &group->upkeep;
		bool gone = upkeep->gone, lost_before = upkeep->lost;

		memset(upkeep, 0, sizeof(*upkeep));
		upkeep->gone = gone;
		upkeep->lost = lost_before;
		if (gone)
			continue;
		upkeep->events.wake = wake;
		upkeep->events.arg = &stack->keeper;
		upkeep->watched = port_may_be_deaf(&group->first->port);
		upkeep->link_up = port_link_is_up(&group->first->port);
		watch_begin(&upkeep->watch, heard(group), lost(group), now);
		hear_events(group);
	}
}

void
keeper_end(struct rill_stack *stack)
{
	for (unsigned int i = 0; i < stack->groups_count; i++)
		ignore_events(&stack->groups[i]);
}

/* For a while, or until it is woken. */
static void
keeper_rest(struct keeper *keeper)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += KEEPER_LOOK_US * 1000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (sem_timedwait(&keeper->woken, &until) != 0 && errno == EINTR)
		;
}

static void *
keeper_main(void *arg)
{
	struct rill_stack *stack = arg;

	while (!atomic_load_explicit(&stack->keeper.stopping, memory_order_acquire)) {
		keeper_look(stack, clock_now_us());
		keeper_rest(&stack->keeper);
	}
	return NULL;
}

/* Signals are for the threads of the program. */
void
keeper_start(struct rill_stack *stack)
{
	struct keeper *keeper = &stack->keeper;
	sigset_t all, before;
	int err;

	atomic_store(&keeper->stopping, false);
	sem_init(&keeper->woken, 0, 0);
	keeper_begin(stack, clock_now_us());
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&keeper->thread, NULL, keeper_main, stack);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keeper->runs = err == 0;
	if (err != 0)
		fprintf(stderr,
			"rill: no thread for looking after the ports (%s): their resets go unnoticed\n",
			strerror(err));
}

void
keeper_stop(struct rill_stack *stack)
{
	struct keeper *keeper = &stack->keeper;

	atomic_store_explicit(&keeper->stopping, true, memory_order_release);
	sem_post(&keeper->woken);
	if (keeper->runs)
		pthread_join(keeper->thread, NULL);
	keeper->runs = false;
	keeper_end(stack);
	sem_destroy(&keeper->woken);
}
