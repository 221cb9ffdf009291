/* SPDX-License-Identifier: BSD-3-Clause */
/* The application of the fuzzed lane: it checks what it is told, and does what the input says, between
 * turns and inside callbacks. */
#include <string.h>

#include <rill/buf.h>
#include <rte_mbuf.h>

#include "world.h"

#define WRITE_MAX 32768
#define HELD_MAX 64

static struct rte_mbuf *held[HELD_MAX];
static unsigned int held_count;

static struct app *
app_at(const struct rill_conn *conn)
{
	return &world.apps[tcp_conn_index(&world.lane->tcp, conn)];
}

static struct flow *
flow_of(const struct rill_conn *conn)
{
	uint16_t lane_port = rte_be_to_cpu_16(conn->key.lport);
	uint16_t peer_port = rte_be_to_cpu_16(conn->key.rport);

	for (unsigned int i = 0; i < FLOWS_ALL; i++)
		if (world.flows[i].lane_port == lane_port && world.flows[i].peer_port == peer_port)
			return &world.flows[i];
	return NULL;
}

struct app *
app_of_flow(const struct flow *flow)
{
	for (unsigned int i = 0; i < CONNS_MAX; i++)
		if (world.apps[i].conn != NULL && world.apps[i].flow == flow)
			return &world.apps[i];
	return NULL;
}

/* ---- callbacks */

enum callback { CB_OPEN, CB_DATA, CB_SENT, CB_EOF, CB_URGENT, CB_ERROR, CB_CLOSE };

static void
reacts(struct app *app, enum callback callback, struct rte_mbuf *data)
{
	struct flow *flow = app->flow;
	bool due = flow != NULL && (flow->reaction & 7u) == (unsigned int)callback;
	enum app_action action = due ? flow->reaction >> 3 : ACT_NONE;

	if (world.in_callback)
		world_fail("callbacks nest");
	world.in_callback = true;
	if (action == ACT_ECHO && data != NULL) {
		flow->echoes = true;
		if (rill_send(app->conn, data) == 0)
			data = NULL;
	} else if (action == ACT_HOLD && data != NULL && held_count < HELD_MAX) {
		held[held_count++] = data;
		data = NULL;
	} else if (action != ACT_NONE) {
		app_acts(flow, action, (uint8_t)callback);
	}
	rte_pktmbuf_free(data);
	world.in_callback = false;
}

static struct app *
app_known(struct rill_conn *conn, const char *callback)
{
	struct app *app = app_at(conn);

	if (app->conn != conn)
		world_fail("%s of a connection that the application does not have", callback);
	if (!app->opened)
		world_fail("%s before on_open", callback);
	return app;
}

static void
on_open(struct rill_conn *conn)
{
	struct app *app = app_at(conn);

	if (app->conn != conn) { /* a child of the listener */
		if (app->conn != NULL)
			world_fail("a connection opens in the place of another");
		*app = (struct app){.conn = conn, .flow = flow_of(conn)};
	}
	if (app->opened)
		world_fail("on_open twice");
	app->opened = true;
	app->rcv_first = conn->rcv_nxt.n;
	app->snd_first = conn->snd_una.n;
	reacts(app, CB_OPEN, NULL);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct app *app = app_known(conn, "on_data");
	uint32_t at = app->rcv_first + app->received;

	if (app->eof || data->pkt_len == 0)
		world_fail("data after the end, or none");
	for (const struct rte_mbuf *piece = data; piece != NULL; piece = piece->next) {
		const uint8_t *bytes = rte_pktmbuf_mtod(piece, const uint8_t *);

		if (app->flow != NULL && !app->flow->wild)
			for (uint32_t i = 0; i < piece->data_len; i++)
				if (bytes[i] != pattern(at + i))
					world_fail("byte %u delivered is not what the peer sent",
						at + i - app->rcv_first);
		at += piece->data_len;
	}
	app->received += data->pkt_len;
	if (at != app->rcv_first + app->received)
		world_fail("pkt_len is not the sum of the pieces");
	reacts(app, CB_DATA, data);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct app *app = app_known(conn, "on_sent");

	app->acked += bytes_acked;
	if (app->flow != NULL && !app->flow->echoes && app->acked > app->wrote)
		world_fail("%u bytes acknowledged of %u", app->acked, app->wrote);
	reacts(app, CB_SENT, NULL);
}

static void
on_eof(struct rill_conn *conn)
{
	struct app *app = app_known(conn, "on_eof");

	if (app->eof)
		world_fail("on_eof twice");
	app->eof = true;
	reacts(app, CB_EOF, NULL);
}

static void
on_urgent(struct rill_conn *conn, uint32_t bytes_left)
{
	reacts(app_known(conn, "on_urgent"), CB_URGENT, NULL);
}

static void
on_error(struct rill_conn *conn, int err)
{
	struct app *app = app_at(conn);

	if (app->conn != conn || err <= 0)
		world_fail("on_error %d of nobody", err);
	reacts(app, CB_ERROR, NULL);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct app *app = app_at(conn);

	if (app->conn != conn || why >= RILL_CLOSE_REASON_COUNT)
		world_fail("on_close of nobody");
	reacts(app, CB_CLOSE, NULL);
	app->conn = NULL;
}

const struct rill_handler app_handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_sent = on_sent,
	.on_eof = on_eof,
	.on_urgent = on_urgent,
	.on_error = on_error,
	.on_close = on_close,
};

/* ---- calls */

static uint32_t
size_of(uint8_t arg)
{
	static const uint16_t sizes[16] = {1, 2, 10, 100, 535, 536, 537, 1447, 1448, 1449, 1460, 2000,
		4096, 9000, 20000, WRITE_MAX};

	return sizes[arg & 15] + (arg >> 4);
}

static void
fill(const struct app *app, uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(app->snd_first + app->wrote + i);
}

static void
writes(struct app *app, uint8_t arg, bool urgent)
{
	static uint8_t bytes[WRITE_MAX + 16];
	uint32_t len = size_of(arg);
	int rc;

	fill(app, bytes, len);
	rc = urgent ? rill_send_urgent(app->conn, bytes, len) : rill_write(app->conn, bytes, len);
	if (rc > (int)len)
		world_fail("rill_write took %d of %u bytes", rc, len);
	if (urgent && rc == 0)
		app->wrote += len;
	else if (!urgent && rc > 0)
		app->wrote += (uint32_t)rc;
}

/* A chain of two buffers, or one. */
static void
sends(struct app *app, uint8_t arg)
{
	uint32_t len = RTE_MIN(size_of(arg), rill_buf_room(world.lane));
	struct rte_mbuf *mbuf, *tail = NULL;

	if (rill_buf_alloc(world.lane, len, &mbuf) != 0)
		return;
	fill(app, rte_pktmbuf_mtod(mbuf, uint8_t *), len);
	if (arg & 0x10 && len > 1 && rill_buf_alloc(world.lane, len / 2, &tail) == 0) {
		memcpy(rte_pktmbuf_mtod(tail, uint8_t *),
			rte_pktmbuf_mtod_offset(mbuf, uint8_t *, len - len / 2), len / 2);
		rte_pktmbuf_trim(mbuf, (uint16_t)(len / 2));
		rte_pktmbuf_chain(mbuf, tail);
	}
	if (rill_send(app->conn, mbuf) == 0)
		app->wrote += len;
	else
		rte_pktmbuf_free(mbuf);
}

static void
sets(struct app *app, uint8_t arg)
{
	static const int32_t values[] = {0, 1, 2, 1000, 2048, 65536, 300000, 1 << 20};

	rill_set(app->conn, (enum rill_option)((arg >> 3) % RILL_OPT_COUNT), values[arg & 7]);
}

static void
connects(struct flow *flow)
{
	struct rill_endpoint local = {.port = flow->lane_port}, remote = {.port = flow->peer_port};
	struct rill_conn *conn;

	if (world.opens_left == 0)
		return;
	world.opens_left--;
	rill_addr_parse(flow->ip6 ? "2001:db8::c000:202" : "192.0.2.2", &remote.addr);
	if (rill_connect(world.lane, &local, &remote, NULL, &app_handler, NULL, &conn) != 0)
		return;
	if (app_at(conn)->conn != NULL)
		world_fail("rill_connect gives a connection that is in use");
	*app_at(conn) = (struct app){.conn = conn, .flow = flow};
}

static void
aborts(struct rill_conn *conn, void *unused)
{
	rill_abort(conn);
}

static void
hoards(uint8_t arg)
{
	struct rte_mempool *pool = world.lane->setup.buf_pool;
	unsigned int free_count = rte_mempool_avail_count(pool), leave = arg;

	while (free_count-- > leave && world.hoarded < RTE_DIM(world.hoard))
		world.hoard[world.hoarded++] = rte_pktmbuf_alloc(pool);
}

static void
looks(struct app *app)
{
	struct rill_conn_info info;

	rill_conn_info(app->conn, &info);
	if (info.snd_unsent > info.snd_queued)
		world_fail("%u bytes unsent of %u queued", info.snd_unsent, info.snd_queued);
	if (info.bytes_in > app->received)
		world_fail("bytes_in counts more than was delivered");
}

/* What concerns no connection. */
static void
acts_on_lane(struct flow *flow, enum app_action action, uint8_t arg)
{
	switch (action) {
	case ACT_CONNECT:
		connects(flow);
		return;
	case ACT_LISTEN:
		if (world.listener == NULL)
			rill_lane_listen(world.lane, NULL, LANE_PORT, NULL, &app_handler, NULL,
				&world.listener);
		return;
	case ACT_UNLISTEN:
		if (world.listener != NULL)
			rill_unlisten(world.listener);
		world.listener = NULL;
		return;
	case ACT_HOARD:
		hoards(arg);
		return;
	case ACT_GIVE_BACK:
		while (world.hoarded > 0)
			rte_pktmbuf_free(world.hoard[--world.hoarded]);
		return;
	case ACT_ABORT_ALL:
		rill_lane_each(world.lane, aborts, NULL);
		return;
	case ACT_RELEASE:
		app_release();
		return;
	default:
		return;
	}
}

void
app_release(void)
{
	while (held_count > 0)
		rte_pktmbuf_free(held[--held_count]);
}

void
app_acts(struct flow *flow, enum app_action action, uint8_t arg)
{
	struct app *app = app_of_flow(flow);

	acts_on_lane(flow, action, arg);
	if (app == NULL)
		return;
	switch (action) {
	case ACT_WRITE:
		writes(app, arg, false);
		return;
	case ACT_SEND:
		sends(app, arg);
		return;
	case ACT_URGENT:
		writes(app, arg, true);
		return;
	case ACT_SHUTDOWN:
		rill_shutdown(app->conn);
		return;
	case ACT_CLOSE:
		rill_close(app->conn);
		return;
	case ACT_ABORT:
		rill_abort(app->conn);
		return;
	case ACT_PAUSE:
		rill_pause(app->conn);
		return;
	case ACT_RESUME:
		rill_resume(app->conn);
		return;
	case ACT_CONSUME:
		rill_consume(app->conn, size_of(arg));
		return;
	case ACT_SET:
		sets(app, arg);
		return;
	case ACT_INFO:
		looks(app);
		return;
	default:
		return;
	}
}
