/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <rte_mbuf.h>

#define WORLD_START_US 1000000ull
#define HELD_MAX 4096
#define WIRE_MBUFS 16383u

struct world world;

static struct rte_mempool *wire_pool;

/* What the server will say once it no longer stalls. */
static struct {
	struct rill_conn *conn;
	struct rte_mbuf *data;
} held[HELD_MAX];
static unsigned int held_count;

/* ---- the server */

static void
answer(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (world.is.lies)
		rte_pktmbuf_mtod(data, uint8_t *)[data->data_len - 1] ^= 1;
	if (world.is.silent || rill_send(conn, data) != 0)
		rte_pktmbuf_free(data);
}

static bool
is_stalling(void)
{
	return world.now_us >= world.is.stall_us && world.now_us < world.is.resume_us;
}

static void
note_source(struct rill_conn *conn)
{
	struct rill_conn_info info;
	uint32_t addr;

	rill_conn_info(conn, &info);
	memcpy(&addr, info.remote.addr.u.ip4, sizeof(addr));
	for (uint32_t i = 0; i < world.is.sources; i++)
		if (world.is.seen[i] == addr)
			return;
	assert_true(world.is.sources < 32);
	world.is.seen[world.is.sources++] = addr;
}

static void
server_on_open(struct rill_conn *conn)
{
	static const uint8_t talk[4096];

	world.is.accepted++;
	if (++world.is.open > world.is.open_most)
		world.is.open_most = world.is.open;
	note_source(conn);
	if (world.is.talks) {
		assert_int_equal(rill_write(conn, talk, world.is.talk_bytes), world.is.talk_bytes);
		rill_shutdown(conn);
	}
}

static void
server_on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	world.is.received += data->pkt_len;
	if (world.is.hangs_up) {
		world.is.hangs_up = false;
		world.is.resets++;
		rte_pktmbuf_free(data);
		rill_abort(conn);
	} else if (is_stalling()) {
		assert_true(held_count < HELD_MAX);
		held[held_count].conn = conn;
		held[held_count++].data = data;
	} else {
		answer(conn, data);
	}
}

static void
server_on_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static void
server_on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	world.is.open--;
	for (unsigned int i = 0; i < held_count; i++)
		if (held[i].conn == conn)
			held[i].conn = NULL;
}

static const struct rill_handler server_handler = {
	.on_open = server_on_open,
	.on_data = server_on_data,
	.on_eof = server_on_eof,
	.on_close = server_on_close,
};

static void
say_what_is_held(void)
{
	for (unsigned int i = 0; i < held_count; i++) {
		if (held[i].conn != NULL)
			answer(held[i].conn, held[i].data);
		else
			rte_pktmbuf_free(held[i].data);
	}
	held_count = 0;
}

/* ---- the wire */

/* All that one lane wants sent, to the other: as copies, for the frames are the sender's. */
static void
carry(struct rill_lane *from, struct rill_lane *to)
{
	struct rte_mbuf *out[RILL_BURST_MAX], *in[RILL_BURST_MAX];
	unsigned int n = rill_lane_take(from, out, RILL_BURST_MAX);

	for (unsigned int i = 0; i < n; i++) {
		in[i] = rte_pktmbuf_copy(out[i], wire_pool, 0, UINT32_MAX);
		assert_non_null(in[i]);
		rte_pktmbuf_free(out[i]);
	}
	rill_lane_turn(to, world.now_us, in, n);
}

static void
turn(void)
{
	world.now_us += WORLD_STEP_US;
	if (held_count > 0 && !is_stalling())
		say_what_is_held();
	carry(world.client, world.server);
	carry(world.server, world.client);
}

/* ---- the world */

static struct rill_lane *
make_lane(const struct rill_prefix *first, unsigned int addrs, const struct rill_options *options)
{
	static uint8_t secret[RILL_SECRET_LEN] = {1, 2, 3};
	struct rill_lane_config config;
	struct rill_lane *lane;

	rill_lane_config_default(&config);
	config.ethernet = false;
	config.secret = secret;
	config.options = options;
	config.limits.max_conns = 1024;
	config.limits.buffers = world.settings.buffers;
	config.limits.records = 2 * world.settings.buffers;
	config.addrs_count = addrs;
	for (unsigned int i = 0; i < addrs; i++)
		config.addrs[i] = first[i];
	if (rill_lane_create(&config, &lane) != 0)
		fail_msg("%s", rill_error());
	return lane;
}

void
world_reset(void)
{
	memset(&world, 0, sizeof(world));
	load_settings_default(&world.settings);
	world.settings.targets_count = 1;
	rill_addr_parse("10.0.0.2", &world.settings.targets[0].addr);
	world.settings.targets[0].first = world.settings.targets[0].last = WORLD_PORT;
	world.settings.connections = 10;
	world.settings.warmup_ms = 0;
	world.settings.time_ms = 1000;
	world.now_us = WORLD_START_US;
}

void
world_start(void)
{
	struct load_settings *settings = &world.settings;
	const char *text = settings->text_len > 0 ? settings->text : NULL;
	struct rill_prefix addrs[RILL_ADDRS_MAX], server;
	struct rill_listener *listener;
	struct rill_options options;
	unsigned int count;

	assert_int_equal(load_settings_finish(settings), OPTIONS_RUN);
	count = load_sources(settings, 0, addrs);
	load_conn_options(settings, 0, &options);
	world.client = make_lane(addrs, count, &options);
	rill_prefix_parse("10.0.0.2/24", &server);
	world.server = make_lane(&server, 1, NULL);
	if (wire_pool == NULL)
		wire_pool = rte_pktmbuf_pool_create("wire", WIRE_MBUFS, 0, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(wire_pool);
	if (!world.is.deaf)
		assert_int_equal(rill_lane_listen(world.server, NULL, WORLD_PORT, NULL, &server_handler,
			NULL, &listener), 0);
	assert_int_equal(payload_init(&world.payload, settings->request, text), 0);
	assert_int_equal(load_lane_init(&world.load, settings, &world.payload, 0, 1), 0);
	rill_lane_turn(world.client, world.now_us, NULL, 0);
	load_lane_start(&world.load, world.client);
}

void
world_run_until(uint64_t at_us)
{
	while (world.now_us < at_us)
		turn();
}

void
world_open(void)
{
	uint64_t end = world.now_us + 1000000;

	while (load_lane_open(&world.load) < load_lane_wanted(&world.load)) {
		assert_true(world.now_us < end);
		turn();
	}
}

void
world_load(void)
{
	if (world.load.phase == PHASE_OPENING)
		load_lane_begin(world.client, &world.load);
	while (!load_lane_is_finished(&world.load))
		turn();
}

void
world_end(void)
{
	if (world.client == NULL)
		return;
	world.is.silent = true;
	say_what_is_held();
	rill_lane_destroy(world.client);
	rill_lane_destroy(world.server);
	load_lane_fini(&world.load);
	payload_fini(&world.payload);
	world.client = NULL;
	assert_int_equal(rte_mempool_in_use_count(wire_pool), 0);
}
