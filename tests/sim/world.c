/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"
#include "wire.h"

#define FIRST_IP 0xc0000201 /* 192.0.2.1 */
#define EXTRA_SEED 0x6a09e667f3bcc908u

void
world_fail(struct world *world, const char *format, ...)
{
	va_list args;

	world->failed = true;
	va_start(args, format);
	if (trace_is_on()) {
		trace_vline(world->now, format, args);
	} else if (!world->silent) {
		printf("seed %" PRIu64 " at %.6f s: ", world->seed, (double)world->now / 1e6);
		vprintf(format, args);
		printf("\n");
	}
	va_end(args);
}

void
world_trace(const struct world *world, const char *format, ...)
{
	va_list args;

	if (!trace_is_on())
		return;
	va_start(args, format);
	trace_vline(world->now, format, args);
	va_end(args);
}

void
world_after(struct world *world, uint64_t delay_us, event_fn fn, void *arg, uint64_t value)
{
	events_plan(&world->events, world->now + delay_us, fn, arg, value);
}

void
world_init(struct world *world, uint64_t seed, bool ethernet)
{
	struct events empty = {.heap = NULL};

	world->seed = seed;
	world->now = world->progress_at = SIM_START_US;
	world->ethernet = ethernet;
	chance_seed(&world->net, seed);
	chance_seed(&world->app, ~seed);
	chance_seed(&world->extra, seed ^ EXTRA_SEED);
	world->families = family_is_ip6() ? FAMILY_IP6 : FAMILY_IP4;
	world->extensions = 0;
	world->events = empty;
	memset(&world->watch, 0, sizeof(world->watch));
	world->hosts_count = 0;
	world->hash = world->frames = world->lost = world->turns = 0;
	world->failed = world->silent = false;
}

static void
link_up(struct world *world, struct link *link, const struct link_setup *setup, event_fn arrives,
	struct host *host)
{
	*link = (struct link){
		.setup = *setup, .arrives = arrives, .arg = host, .l2_len = world_l2_len(world)};
}

struct host *
world_add_host(struct world *world, const struct host_setup *setup, uint32_t buffers)
{
	struct host *host = &world->hosts[world->hosts_count];

	host->world = world;
	host->number = world->hosts_count++;
	host->ip = FIRST_IP + host->number;
	memcpy(host->mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(host->number + 1)},
		sizeof(host->mac));
	host->setup = *setup;
	link_up(world, &host->up, &setup->up, router_gets, host);
	link_up(world, &host->down, &setup->down, host_link_gives, host);
	host_up(world, host, buffers);
	return host;
}

struct rill_addr
host_addr(const struct host *host, bool ip6)
{
	struct rill_addr addr = {.family = ip6 ? AF_INET6 : AF_INET};

	if (ip6) {
		wire_put_ip6(addr.u.ip6, host->ip);
		return addr;
	}
	for (unsigned int i = 0; i < 4; i++)
		addr.u.ip4[i] = (uint8_t)(host->ip >> (24 - 8 * i));
	return addr;
}

void
world_down(struct world *world)
{
	for (unsigned int i = 0; i < world->hosts_count; i++)
		host_down(world, &world->hosts[i]);
	while (world->events.len > 0) {
		struct event event = events_take(&world->events);

		if (event.fn == router_gets || event.fn == host_link_gives)
			free((struct packet *)(uintptr_t)event.value);
	}
	events_free(&world->events);
}

/* Those that want a turn by now. */
static unsigned int
lanes_due(struct world *world, struct sim_lane *due[])
{
	unsigned int n = 0;

	for (unsigned int h = 0; h < world->hosts_count; h++)
		for (unsigned int i = 0; i < world->hosts[h].setup.lanes; i++)
			if (lane_wants(world, &world->hosts[h].lanes[i]) <= world->now)
				due[n++] = &world->hosts[h].lanes[i];
	return n;
}

/* Lanes run beside each other: any order is as good as another. */
static void
turn_lanes(struct world *world)
{
	struct sim_lane *due[HOSTS_MAX * LANES_MAX];

	for (unsigned int n = lanes_due(world, due); n > 0; n--) {
		unsigned int i = chance_below(&world->net, n);

		lane_turn(world, due[i]);
		due[i] = due[n - 1];
	}
}

static uint64_t
next_moment(struct world *world)
{
	uint64_t next = events_next(&world->events);

	for (unsigned int h = 0; h < world->hosts_count; h++)
		for (unsigned int i = 0; i < world->hosts[h].setup.lanes; i++) {
			uint64_t at = lane_wants(world, &world->hosts[h].lanes[i]);

			next = at < next ? at : next;
		}
	return next;
}

bool
world_step(struct world *world)
{
	uint64_t next = next_moment(world);

	if (next == RILL_NEVER)
		return false;
	if (next > world->now)
		world->now = next;
	while (events_next(&world->events) <= world->now) {
		struct event event = events_take(&world->events);

		event.fn(event.arg, event.value);
	}
	turn_lanes(world);
	return true;
}
