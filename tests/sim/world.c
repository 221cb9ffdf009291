/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "wire.h"

#define POOL_FRAMES 4096
#define SPIN_MAX 100000 /* steps without time passing */

static struct rte_mempool *pools[HOSTS];

/* ---- chance */

void
chance_seed(struct chance *chance, uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	chance->state = z ? z : 1;
}

uint64_t
chance_next(struct chance *chance)
{
	uint64_t x = chance->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	chance->state = x;
	return x * 0x2545f4914f6cdd1du;
}

uint32_t
chance_below(struct chance *chance, uint32_t n)
{
	return (uint32_t)((chance_next(chance) >> 32) * n >> 32);
}

uint32_t
chance_size(struct chance *chance, uint32_t least, uint32_t most)
{
	uint32_t span = most - least, bits = 0;

	while (bits < 32 && span >> bits != 0)
		bits++;
	bits = chance_below(chance, bits + 1);
	if (bits == 0)
		return least;
	return least + RTE_MIN(span, (uint32_t)(chance_next(chance) >> (64 - bits)));
}

bool
chance_hit(struct chance *chance, uint32_t ppm)
{
	return ppm != 0 && chance_below(chance, 1000000) < ppm;
}

/* ---- telling */

void
world_fail(struct world *world, const char *format, ...)
{
	va_list args;

	world->failed = true;
	printf("seed %" PRIu64 " at %.6f s: ", world->seed, (double)world->now / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void
world_trace(const struct world *world, const char *format, ...)
{
	va_list args;

	if (!world->trace)
		return;
	printf("%14.6f ", (double)world->now / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static void
trace_frame(const struct world *world, unsigned int from, const uint8_t *bytes, size_t len,
	const char *fate)
{
	size_t l2 = world->ethernet ? 14 : 0;
	struct wire wire;
	char text[256];

	if (!world->trace)
		return;
	if (world->ethernet && (len < 14 || bytes[12] != 8 || bytes[13] != 0)) {
		world_trace(world, "%u> not IPv4, %zu bytes%s", from, len, fate);
		return;
	}
	wire_read(bytes + l2, len - l2, &wire);
	world_trace(world, "%u> %u:%u %s%s", from, wire.sport, wire.dport,
		wire_text(text, sizeof(text), &wire), fate);
}

/* ---- events: a binary heap by time and order */

static bool
event_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
heap_push(struct world *world, struct event event)
{
	size_t i = world->heap_len++;

	if (world->heap_len > world->heap_room) {
		world->heap_room = world->heap_room ? world->heap_room * 2 : 1024;
		world->heap = realloc(world->heap, world->heap_room * sizeof(event));
		if (world->heap == NULL)
			abort();
	}
	event.order = world->order++;
	while (i > 0 && event_before(&event, &world->heap[(i - 1) / 2])) {
		world->heap[i] = world->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	world->heap[i] = event;
}

static struct event
heap_pop(struct world *world)
{
	struct event first = world->heap[0], last = world->heap[--world->heap_len];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < world->heap_len) {
		if (child + 1 < world->heap_len &&
			event_before(&world->heap[child + 1], &world->heap[child]))
			child++;
		if (!event_before(&world->heap[child], &last))
			break;
		world->heap[i] = world->heap[child];
		i = child;
	}
	world->heap[i] = last;
	return first;
}

void
world_after(struct world *world, uint64_t delay_us, event_fn fn, void *arg, uint32_t value)
{
	heap_push(world, (struct event){.at = world->now + delay_us, .fn = fn, .arg = arg, .value = value});
}

/* ---- the wire */

void
faults_draw(struct world *world)
{
	struct chance *c = &world->net;
	struct faults *f = &world->faults;

	memset(f, 0, sizeof(*f));
	if (chance_below(c, 4) != 0)
		f->loss = 100 + chance_below(c, chance_below(c, 2) == 0 ? 100000 : 10000);
	if (chance_below(c, 2) != 0)
		f->duplicate = 100 + chance_below(c, 50000);
	if (chance_below(c, 2) != 0)
		f->reorder = 100 + chance_below(c, 200000);
	if (chance_below(c, 3) == 0)
		f->corrupt = 100 + chance_below(c, 20000);
	f->delay_us = chance_size(c, 5, 150 * MS);
	if (chance_below(c, 2) != 0)
		f->jitter_us = chance_size(c, 1, f->delay_us);
	f->reorder_us = chance_size(c, 1, 50 * MS);
	if (chance_below(c, 3) == 0) {
		f->bytes_per_ms = chance_size(c, 100, 100000);
		f->queue_us = chance_size(c, 20 * MS, 500 * MS) + 1600 * MS / f->bytes_per_ms * 4;
	}
	if (chance_below(c, 4) == 0) {
		f->outage_at = world->now + chance_size(c, 1, 2 * SECOND);
		f->outage_us = chance_size(c, MS, 3 * SECOND);
	}
	world->ethernet = f->outage_us == 0 && f->loss <= 20000 && chance_below(c, 2) == 0;
	world_trace(world,
		"loss %u duplicate %u reorder %u corrupt %u ppm, delay %u jitter %u us, rate %u B/ms, outage %" PRIu64 " us%s",
		f->loss, f->duplicate, f->reorder, f->corrupt, f->delay_us, f->jitter_us, f->bytes_per_ms,
		f->outage_us, world->ethernet ? ", Ethernet" : "");
}

/* Nothing but Ethernet's own checksum protects it, so a wire does not damage it unseen. */
static bool
is_arp(const struct world *world, const uint8_t *bytes)
{
	return world->ethernet && bytes[13] == 6;
}

static void
deliver(struct world *world, unsigned int from, const uint8_t *bytes, size_t len, uint64_t at)
{
	struct event event = {.at = at, .value = !from, .len = (uint32_t)len};

	event.bytes = malloc(len);
	if (event.bytes == NULL)
		abort();
	memcpy(event.bytes, bytes, len);
	if (chance_hit(&world->net, world->faults.corrupt) && !is_arp(world, bytes)) {
		/* One bit, behind the Ethernet header, whose checksum a NIC would check. */
		size_t first = world->ethernet ? 14 : 0;
		size_t bit = first * 8 + chance_below(&world->net, (uint32_t)(len - first) * 8);

		event.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		world->damaged++;
	}
	heap_push(world, event);
}

/* When a frame that is sent now leaves, by the rate of the wire; UINT64_MAX: the queue is full. */
static uint64_t
leaves_at(struct world *world, struct host *host, size_t len)
{
	const struct faults *f = &world->faults;

	if (f->bytes_per_ms == 0)
		return world->now;
	if (host->wire_free_at < world->now)
		host->wire_free_at = world->now;
	if (host->wire_free_at - world->now > f->queue_us)
		return UINT64_MAX;
	host->wire_free_at += 1 + len * MS / f->bytes_per_ms;
	return host->wire_free_at;
}

static void
transmit(struct world *world, unsigned int from, const uint8_t *bytes, size_t len)
{
	const struct faults *f = &world->faults;
	uint64_t at = leaves_at(world, &world->hosts[from], len);
	bool out = f->outage_us && world->now - f->outage_at < f->outage_us;

	world->frames++;
	world->hash = frame_hash(world->hash, &world->now, sizeof(world->now));
	world->hash = frame_hash(world->hash, &from, sizeof(from));
	world->hash = frame_hash(world->hash, bytes, len);
	if (at == UINT64_MAX || out || chance_hit(&world->net, f->loss)) {
		trace_frame(world, from, bytes, len, "  LOST");
		world->lost++;
		return;
	}
	trace_frame(world, from, bytes, len, "");
	at += f->delay_us;
	if (f->jitter_us)
		at += chance_below(&world->net, f->jitter_us);
	if (chance_hit(&world->net, f->reorder))
		at += chance_below(&world->net, f->reorder_us) + 1;
	deliver(world, from, bytes, len, at);
	if (chance_hit(&world->net, f->duplicate)) {
		deliver(world, from, bytes, len, at + chance_below(&world->net, f->reorder_us + 1));
		world->doubled++;
	}
}

/* ---- turns */

/* What the taken frames were is read at the end of a while, as a slow NIC would. */
static void
take_frames(struct world *world, unsigned int h)
{
	static uint8_t bytes[FRAME_MAX];
	struct rte_mbuf *out[64];
	unsigned int n;

	while ((n = rill_lane_take(world->hosts[h].lane, out, 1 + chance_below(&world->net, 64))) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			size_t len = frame_bytes(out[i], bytes);

			rte_pktmbuf_free(out[i]);
			transmit(world, h, bytes, len);
		}
	}
}

static void
host_turn(struct world *world, unsigned int h, struct rte_mbuf *in[], unsigned int n)
{
	if (rill_lane_turn(world->hosts[h].lane, world->now, in, n) < 0)
		world_fail(world, "turn of host %u failed", h);
	take_frames(world, h);
}

/* Everything that is due now: frames in bursts per host, application events between turns. */
static void
run_due(struct world *world)
{
	struct rte_mbuf *in[HOSTS][RILL_BURST_MAX];
	unsigned int n[HOSTS] = {0};

	while (world->heap_len > 0 && world->heap[0].at <= world->now) {
		struct event event;

		if (world->heap[0].fn == NULL && n[world->heap[0].value] == RILL_BURST_MAX)
			break;
		event = heap_pop(world);
		if (event.fn != NULL) {
			event.fn(event.arg, event.value);
			continue;
		}
		in[event.value][n[event.value]++] =
			frame_from_bytes(world->hosts[event.value].pool, event.bytes, event.len);
		free(event.bytes);
	}
	for (unsigned int h = 0; h < HOSTS; h++)
		if (n[h] > 0 || rill_lane_deadline(world->hosts[h].lane) <= world->now)
			host_turn(world, h, in[h], n[h]);
}

static uint64_t
next_moment(struct world *world)
{
	uint64_t next = world->heap_len ? world->heap[0].at : RILL_NEVER;

	for (unsigned int h = 0; h < HOSTS; h++)
		next = RTE_MIN(next, rill_lane_deadline(world->hosts[h].lane));
	return next;
}

bool
world_step(struct world *world)
{
	static uint64_t last;
	static unsigned int spins;
	uint64_t next = next_moment(world);

	if (next == RILL_NEVER)
		return false;
	if (next > world->now)
		world->now = next;
	spins = world->now == last ? spins + 1 : 0;
	last = world->now;
	if (spins > SPIN_MAX) {
		world_fail(world, "a lane wants turn after turn while no time passes");
		return false;
	}
	run_due(world);
	return true;
}

/* ---- up and down */

static void
host_up(struct world *world, unsigned int h)
{
	static const char *const addrs[HOSTS] = {"192.0.2.1/24", "192.0.2.2/24"};
	static const char *const names[HOSTS] = {"sim0", "sim1"};
	static const char *const pool_names[HOSTS] = {"sim0_in", "sim1_in"};
	uint8_t secret[RILL_SECRET_LEN];
	struct rill_lane_config config;
	struct rill_stats stats;
	int rc;

	for (unsigned int i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)chance_next(&world->net);
	rill_lane_config_default(&config);
	config.ethernet = world->ethernet;
	rill_prefix_parse(addrs[h], &config.addrs[0]);
	config.addrs_count = 1;
	config.limits.max_conns = 64;
	config.limits.buffers = 4096;
	config.limits.records = 8192;
	config.secret = secret;
	config.name = names[h];
	config.numa_node = -1;
	rc = rill_lane_create(&config, &world->hosts[h].lane);
	if (rc != 0) {
		fprintf(stderr, "no lane: %d %s\n", rc, rill_error());
		exit(2);
	}
	if (pools[h] == NULL)
		pools[h] = frames_pool(pool_names[h], POOL_FRAMES);
	world->hosts[h].pool = pools[h];
	world->hosts[h].frames_at_start = rte_mempool_in_use_count(pools[h]);
	host_turn(world, h, NULL, 0);
	rill_lane_stats_read(world->hosts[h].lane, &stats);
	world->hosts[h].mbufs_at_start = stats.mbufs;
}

void
world_up(struct world *world, uint64_t seed, bool trace)
{
	memset(world, 0, sizeof(*world));
	world->seed = seed;
	world->trace = trace;
	world->now = world->progress_at = SIM_START_US;
	world->hash = FRAME_HASH_START;
	chance_seed(&world->net, seed);
	chance_seed(&world->app, ~seed);
	faults_draw(world);
	for (unsigned int h = 0; h < HOSTS; h++)
		host_up(world, h);
}

void
world_down(struct world *world)
{
	while (world->heap_len > 0)
		free(heap_pop(world).bytes);
	free(world->heap);
	for (unsigned int h = 0; h < HOSTS; h++)
		rill_lane_destroy(world->hosts[h].lane);
	for (unsigned int h = 0; h < HOSTS; h++)
		if (rte_mempool_in_use_count(pools[h]) != world->hosts[h].frames_at_start)
			world_fail(world, "%u frames that host %u was given leaked",
				rte_mempool_in_use_count(pools[h]) - world->hosts[h].frames_at_start, h);
}
