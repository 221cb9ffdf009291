/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running a stack: each lane's loop on a thread and a core of its own. See the turn in
 * ARCHITECTURE.md; here it gets its time and its frames, and what it says goes to the port.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_errno.h>
#include <rte_lcore.h>

#include "errtext.h"
#include "runner.h"

#define WIND_UP_US 200000 /* for a lane's last frames to leave, at most */

/* ---- the loop of one lane */

static int
runner_command(const struct runner *runner)
{
	return atomic_load_explicit(&runner->stack->command, memory_order_relaxed);
}

static uint32_t
runner_carry(struct runner *runner, bool after_own, ustime now)
{
	struct port *port = &runner->port;

	return port->ops->carry == NULL ? 0 : port->ops->carry(port, after_own, us32(now));
}

/* Grows with each turn that had work of its own, and with each frame that came for another lane. */
static uint64_t
work_seen(const struct counters *counters)
{
	return counters->turns_busy + counters->frames_handed +
		counters->drops[RILL_DROP_spread_full];
}

/* What was put together from fragments here goes to the lanes whose it is. */
static void
runner_hand_over(struct runner *runner)
{
	struct joined *joined = &runner->lane->siblings.joined;

	for (unsigned int i = 0; i < joined->count; i++)
		runner->port.ops->hand(&runner->port, joined->lanes[i], joined->frames[i]);
	joined->count = 0;
}

static const char *const troubles[] = {
	[NET_TROUBLE_TAKEN] = "it is not used",
	[NET_TROUBLE_CONTESTED] = "both use it, and neither works well: give one of them another",
	[NET_TROUBLE_LOST] = "it is given up, and its connections are ended",
};

static void
runner_tell_of_trouble(struct runner *runner)
{
	const struct net_trouble *trouble = net_trouble(runner->lane->net);
	char text[RILL_ADDR_STRLEN];

	if (trouble->number == runner->trouble_seen)
		return;
	runner->trouble_seen = trouble->number;
	fprintf(stderr,
		"rill: port %s: another host, " RTE_ETHER_ADDR_PRT_FMT ", has our address %s: %s\n",
		runner->port.name, RTE_ETHER_ADDR_BYTES(&trouble->mac),
		rill_addr_format(&trouble->addr, text), troubles[trouble->kind]);
}

/*
 * The lanes of a port have the same addresses, and so the same groups: its first one tells it. With a
 * kernel behind it, it lets all of them in as it is. And people hear of an address that is taken.
 */
static void
runner_tell_of_addresses(struct runner *runner)
{
	struct rte_ether_addr groups[PORT_GROUPS_MAX];

	runner->groups_seen = runner->lane->netif.groups.changes;
	if (runner->lane->counters.nd_duplicates != runner->duplicates_seen &&
		runner == runner->group->first)
		fprintf(stderr,
			"rill: port %s: another host has an IPv6 address of ours: it is not used\n",
			runner->port.name);
	runner->duplicates_seen = runner->lane->counters.nd_duplicates;
	if (runner != runner->group->first)
		return;
	runner_tell_of_trouble(runner);
	if (runner->group->config->exception == NULL && runner->lane->netif.groups.joined)
		port_join(&runner->port, groups,
			net_groups(runner->lane->net, groups, PORT_GROUPS_MAX));
}

bool
runner_turn(struct runner *runner, ustime now, bool receive)
{
	struct rte_mbuf *in[RILL_BURST_MAX];
	struct rill_lane *lane = runner->lane;
	uint64_t seen = work_seen(&lane->counters);
	unsigned int n = 0;
	uint32_t sent = runner_carry(runner, false, now);

	if (receive)
		n = runner->port.ops->rx(&runner->port, in, RILL_BURST_MAX);
	lane_set_lent(lane, runner->port.lent);
	rill_lane_turn(lane, now, in, n);
	if (unlikely(lane->siblings.joined.count > 0))
		runner_hand_over(runner);
	sent += exception_exchange(runner);
	sent += port_flush(&runner->port, &lane->outbox, &lane->counters, us32(now));
	sent += runner_carry(runner, true, now);
	if (unlikely(lane->netif.groups.changes != runner->groups_seen))
		runner_tell_of_addresses(runner);
	return n > 0 || sent > 0 || work_seen(&lane->counters) != seen;
}

/* Has this lane frames of others to send? */
static bool
runner_has_waiting(const struct runner *runner)
{
	return runner->port.ops->carry != NULL && runner->port.ops->has_waiting(&runner->port);
}

ustime
runner_rest_until(const struct runner *runner, ustime now)
{
	ustime until = now + runner->stack->config.idle_sleep_us;
	ustime deadline = rill_lane_deadline(runner->lane);

	if (runner_has_waiting(runner))
		return now;
	if (runner->draining && runner->drain_at < until)
		until = runner->drain_at;
	return deadline < until ? deadline : until;
}

static void
runner_rest(const struct runner *runner, ustime now)
{
	ustime until = runner_rest_until(runner, now);
	struct timespec time;

	if (until <= now)
		return;
	time.tv_sec = (time_t)((until - now) / USEC_PER_SEC);
	time.tv_nsec = (long)((until - now) % USEC_PER_SEC * 1000);
	nanosleep(&time, NULL); /* a signal ends it early, and is welcome to */
}

static void
runner_start_drain(struct runner *runner, ustime now)
{
	uint64_t grace;

	atomic_thread_fence(memory_order_acquire); /* the deadline was written before the command */
	grace = atomic_load_explicit(&runner->stack->drain_us, memory_order_relaxed);
	runner->draining = true;
	runner->drain_at = now + grace < now ? USTIME_NEVER : now + grace;
	lane_stop_accepting(runner->lane);
}

static bool
runner_is_empty(const struct runner *runner)
{
	return lane_conns(runner->lane) == 0 && outbox_count(&runner->lane->outbox) == 0;
}

/* Are there lanes whose frames this one carries? */
static bool
runner_carries(const struct runner *runner)
{
	return runner->port.ops->carry != NULL &&
		atomic_load_explicit(&runner->group->running, memory_order_acquire) > 1;
}

static bool
runner_goes_on(struct runner *runner, ustime now)
{
	int command = runner_command(runner);

	if (command == STACK_GO)
		return true;
	if (command == STACK_STOP)
		return false;
	if (!runner->draining)
		runner_start_drain(runner, now);
	runner->late = now >= runner->drain_at && lane_conns(runner->lane) > 0;
	if (!runner->drained && runner_is_empty(runner)) {
		runner->drained = true;
		atomic_fetch_sub(&runner->group->undrained, 1);
	}
	/* Who is empty goes on refusing, for as long as one of the port's lanes has connections. */
	return !runner->late && now < runner->drain_at && atomic_load(&runner->group->undrained) > 0;
}

void
runner_wind_up(struct runner *runner)
{
	ustime now = clock_now_us(), end = now + WIND_UP_US;

	lane_stop_accepting(runner->lane);
	do {
		lane_abort_some(runner->lane, RILL_CLOSE_STOPPED);
		runner_turn(runner, now, false);
		now = clock_now_us();
		if (runner_carries(runner)) /* their time is bounded; then what they left behind */
			end = now + WIND_UP_US;
	} while (now < end && (!runner_is_empty(runner) || runner_carries(runner) ||
				      runner_has_waiting(runner)));
}

/*
 * Until it is known whether somebody else has our IPv6 addresses: clients connect from them. The
 * application hears of nothing meanwhile, neither of connections nor by mail.
 */
static void
runner_settle(struct runner *runner)
{
	ustime now = clock_now_us();

	runner->lane->tcp.starting = true;
	while (net_is_settling(runner->lane->net) && runner_goes_on(runner, now)) {
		if (!runner_turn(runner, now, true) && runner->stack->config.idle_sleep_us > 0)
			runner_rest(runner, clock_now_us());
		now = clock_now_us();
	}
	runner->lane->tcp.starting = false;
}

static void
runner_loop(struct runner *runner)
{
	const struct rill_config *config = &runner->stack->config;
	struct rill_lane *lane = runner->lane;
	ustime now = clock_now_us();

	lane->now = now;
	runner_settle(runner);
	now = lane->now;
	if (config->on_lane_start != NULL)
		config->on_lane_start(lane, config->user);
	while (runner_goes_on(runner, now)) {
		ustime began = now;
		bool busy = runner_turn(runner, now, true);

		if (!busy) {
			if (config->on_lane_idle != NULL)
				config->on_lane_idle(lane, config->user);
			if (config->idle_sleep_us > 0)
				runner_rest(runner, clock_now_us());
		}
		now = clock_now_us();
		lane->counters.busy_us += busy ? now - began : 0;
	}
	runner_wind_up(runner);
}

/* ---- threads */

static void
runner_end(struct runner *runner)
{
	call_retire(runner);
	atomic_fetch_sub_explicit(&runner->group->running, 1, memory_order_release);
}

/* Mempools keep a cache for each thread that EAL knows. */
static void
runner_main(struct runner *runner)
{
	bool foreign = rte_lcore_id() == LCORE_ID_ANY;
	struct owner *before;

	cores_pin(runner);
	if (foreign && rte_thread_register() != 0) {
		runner->result = error_set(-rte_errno, "EAL cannot register the thread of lane %u (%s)",
			runner->lane->index, rte_strerror(rte_errno));
		rill_stack_stop(runner->stack);
	} else {
		call_set_lane(runner->lane);
		before = owner_enter(&runner->lane->owner);
		runner_loop(runner);
		owner_leave(&runner->lane->owner, before);
	}
	runner_end(runner);
	call_set_lane(NULL);
	if (foreign)
		rte_thread_unregister();
}

static void *
thread_main(void *arg)
{
	runner_main(arg);
	return NULL;
}

/* Those that do not start have ended. */
static unsigned int
start_threads(struct rill_stack *stack)
{
	unsigned int i, started;

	for (i = 1; i < stack->lanes; i++) {
		struct runner *runner = &stack->runners[i];
		int err = pthread_create(&runner->thread, NULL, thread_main, runner);

		if (err != 0) {
			runner->result = error_set(-err, "the thread of lane %u does not start (%s)", i,
				strerror(err));
			rill_stack_stop(stack);
			break;
		}
	}
	started = i;
	for (; i < stack->lanes; i++)
		runner_end(&stack->runners[i]);
	return started;
}

static void
mark_live(struct rill_stack *stack, bool live)
{
	pthread_mutex_lock(&stack->lock);
	stack->running = live;
	for (unsigned int i = 0; i < stack->lanes; i++)
		stack->runners[i].live = live;
	for (unsigned int i = 0; live && i < stack->lanes; i++)
		stack->runners[i].drained = false;
	for (unsigned int i = 0; live && i < stack->groups_count; i++)
		stack->groups[i].running = stack->groups[i].undrained = stack->groups[i].lanes;
	for (unsigned int i = 0; live && i < stack->lanes; i++)
		__atomic_store_n(&stack->runners[i].lane->retired, false, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&stack->lock);
}

static int
result_of(const struct rill_stack *stack)
{
	int result = 0;

	for (unsigned int i = 0; i < stack->lanes; i++) {
		if (stack->runners[i].result != 0)
			return stack->runners[i].result;
		if (stack->runners[i].late)
			result = -ETIME;
	}
	return result;
}

int
rill_stack_run(struct rill_stack *stack)
{
	cpu_set_t cores;
	unsigned int started;

	pthread_getaffinity_np(pthread_self(), sizeof(cores), &cores);
	mark_live(stack, true);
	keeper_start(stack);
	started = start_threads(stack);
	runner_main(&stack->runners[0]);
	for (unsigned int i = 1; i < started; i++)
		pthread_join(stack->runners[i].thread, NULL);
	keeper_stop(stack);
	for (unsigned int i = 0; i < stack->groups_count; i++) {
		if (stack->groups[i].spreader != NULL)
			spreader_drain(stack->groups[i].spreader);
		if (stack->groups[i].strays != NULL)
			strays_drain(stack->groups[i].strays);
	}
	mark_live(stack, false);
	pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
	return result_of(stack);
}

/* ---- from anywhere, signal handlers included: lock-free atomics and nothing else */

void
rill_stack_drain(struct rill_stack *stack, uint64_t deadline_us)
{
	int go = STACK_GO;

	atomic_store_explicit(&stack->drain_us, deadline_us, memory_order_relaxed);
	atomic_compare_exchange_strong(&stack->command, &go, STACK_DRAIN);
}

void
rill_stack_stop(struct rill_stack *stack)
{
	atomic_store(&stack->command, STACK_STOP);
}
