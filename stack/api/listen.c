/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners, addresses and routes of a stack: the same call on its lanes. */
#include <errno.h>

#include "errtext.h"
#include "runner.h"

struct listen_args {
	const struct rill_addr *addr;
	uint16_t port;
	const struct rill_options *options;
	const struct rill_handler *handler;
	void *user;
	struct rill_listener *listener; /* out */
};

static int
listen_on(struct rill_lane *lane, void *arg)
{
	struct listen_args *args = arg;

	return rill_lane_listen(lane, args->addr, args->port, args->options, args->handler, args->user,
		&args->listener);
}

static int
unlisten_on(struct rill_lane *lane, void *arg)
{
	return lane_unlisten(arg);
}

static void
unlisten_by_post(struct rill_lane *lane, void *arg)
{
	lane_unlisten(arg);
}

/* One of a group. A lane's thread does not wait for others: to them it posts. */
static int
unlisten_one(struct rill_listener *listener)
{
	struct rill_lane *lane = listener->tcp->lane, *here = call_lane();

	if (lane->stack == NULL || lane == here)
		return lane_unlisten(listener);
	if (here != NULL && here->stack == lane->stack)
		return rill_lane_post(lane, unlisten_by_post, listener);
	return stack_call(lane->stack, lane->index, unlisten_on, listener);
}

int
rill_unlisten(struct rill_listener *listener)
{
	int err = listener == NULL ? -EINVAL : 0;

	while (listener != NULL) {
		struct rill_listener *next = listener->group;
		int one = listener->tcp == NULL ? -EINVAL : unlisten_one(listener);

		if (one != 0)
			err = one;
		listener = next;
	}
	return err;
}

/* On each lane that has the address; the listeners form a list through group. */
static int
listen_on_all(struct rill_stack *stack, struct listen_args *args, struct rill_listener **first)
{
	struct rill_listener **end = first;

	*first = NULL;
	for (unsigned int i = 0; i < stack->lanes; i++) {
		int err = stack_call(stack, i, listen_on, args);

		if (err == -EADDRNOTAVAIL)
			continue; /* it is another lane's port that has it */
		if (err != 0)
			return err;
		*end = args->listener;
		end = &args->listener->group;
	}
	return *first == NULL ? -EADDRNOTAVAIL : 0;
}

int
rill_listen(struct rill_stack *stack, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **listener)
{
	struct listen_args args = {
		.addr = addr, .port = port, .options = options, .handler = handler, .user = user};
	int err;

	if (listener == NULL || handler == NULL)
		return -EINVAL;
	err = listen_on_all(stack, &args, listener);

	if (err != 0 && *listener != NULL) {
		rill_unlisten(*listener);
		*listener = NULL;
	}
	return err;
}

/* ---- addresses and routes */

struct net_args {
	const struct rill_prefix *prefix;
	const struct rill_addr *addr;
	uint32_t metric;
};

static int
addr_add_on(struct rill_lane *lane, void *arg)
{
	return rill_lane_addr_add(lane, ((struct net_args *)arg)->prefix);
}

static int
addr_del_on(struct rill_lane *lane, void *arg)
{
	return rill_lane_addr_del(lane, ((struct net_args *)arg)->addr);
}

static int
route_add_on(struct rill_lane *lane, void *arg)
{
	struct net_args *args = arg;

	return rill_lane_route_add(lane, args->prefix, args->addr, args->metric);
}

static int
route_del_on(struct rill_lane *lane, void *arg)
{
	struct net_args *args = arg;

	return rill_lane_route_del(lane, args->prefix, args->addr);
}

/*
 * On the first n lanes of a port: the one that answers for all of them, where they share a queue, is
 * number 0. On the last n instead, the last one first, if that one is to come last.
 */
static int
call_some(struct rill_stack *stack, const struct group *group, bool last_lane_first,
	unsigned int n, int (*fn)(struct rill_lane *, void *), struct net_args *args,
	unsigned int *done)
{
	unsigned int first = (unsigned int)(group->first - stack->runners);
	int err = 0;

	for (*done = 0; err == 0 && *done < n; *done += err == 0)
		err = stack_call(stack,
			first + (last_lane_first ? group->lanes - 1 - *done : *done), fn, args);
	return err;
}

/*
 * On all lanes of a port or, by undoing what was done, on none. What is added is there on all lanes
 * before the first of them tells anybody, and what is taken away is untold first.
 */
static int
call_port(struct rill_stack *stack, unsigned int port, int (*fn)(struct rill_lane *, void *),
	int (*undo)(struct rill_lane *, void *), struct net_args args)
{
	bool adds = undo != NULL, last_lane_first = adds;
	const struct group *group;
	unsigned int done, undone;
	int err;

	if (port >= stack->groups_count)
		return error_set(-EINVAL, "port: %u is not within 0 .. %u", port, stack->groups_count - 1);
	group = &stack->groups[port];
	err = call_refuse(stack);
	if (err != 0)
		return err; /* a lane that waited for the lock might be waited for by who has it */
	pthread_mutex_lock(&stack->changing);
	err = call_some(stack, group, last_lane_first, group->lanes, fn, &args, &done);
	if (err != 0 && adds)
		call_some(stack, group, last_lane_first, done, undo, &args, &undone);
	pthread_mutex_unlock(&stack->changing);
	return err;
}

int
rill_addr_add(struct rill_stack *stack, unsigned int port, const struct rill_prefix *addr)
{
	return call_port(stack, port, addr_add_on, addr_del_on,
		(struct net_args){.prefix = addr, .addr = &addr->addr});
}

/* What one lane has to delete, all have: only addresses of a lane alone (rill_lane_addr_add) differ. */
int
rill_addr_del(struct rill_stack *stack, unsigned int port, const struct rill_addr *addr)
{
	return call_port(stack, port, addr_del_on, NULL, (struct net_args){.addr = addr});
}

int
rill_route_add(struct rill_stack *stack, unsigned int port, const struct rill_prefix *dst,
	const struct rill_addr *gateway, uint32_t metric)
{
	return call_port(stack, port, route_add_on, route_del_on,
		(struct net_args){.prefix = dst, .addr = gateway, .metric = metric});
}

int
rill_route_del(struct rill_stack *stack, unsigned int port, const struct rill_prefix *dst,
	const struct rill_addr *gateway)
{
	return call_port(stack, port, route_del_on, NULL,
		(struct net_args){.prefix = dst, .addr = gateway});
}
