/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <string.h>

#include <rte_mbuf.h>

#include "peer_inner.h"

struct app apps[APPS];
struct app *app = &apps[0];
unsigned int apps_count;
void (*app_default_hook)(struct app *app, enum app_event event);

static bool used_urgent, in_callback;

void
app_reset(void)
{
	memset(apps, 0, sizeof(apps));
	app = &apps[0];
	apps_count = 0;
	app_default_hook = NULL;
	used_urgent = false;
	in_callback = false;
}

bool
app_used_urgent(void)
{
	return used_urgent;
}

/* ---- callbacks */

static struct app *
new_app(struct rill_conn *conn)
{
	struct app *fresh = &apps[apps_count];

	check(apps_count < APPS);
	apps_count++;
	fresh->conn = conn;
	fresh->hook = app_default_hook;
	return fresh;
}

static void
tell(struct app *a, enum app_event event)
{
	check(!in_callback); /* callbacks never nest */
	if (a->hook == NULL)
		return;
	in_callback = true;
	a->hook(a, event);
	in_callback = false;
}

static struct app *
app_of(struct rill_conn *conn)
{
	struct app *a = rill_conn_user(conn);

	check(a != NULL);
	check(a->conn == conn);
	check(a->closed == 0);
	check(rill_conn_lane(conn) == peer.lane || peer.lane == NULL);
	return a;
}

static void
on_open(struct rill_conn *conn)
{
	struct app *a;

	if (rill_conn_user(conn) == NULL)
		rill_conn_set_user(conn, new_app(conn));
	a = app_of(conn);
	peer_note("app   on_open");
	check_equal(a->opened++, 0);
	tell(a, APP_OPEN);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct app *a = app_of(conn);
	uint32_t len = data->pkt_len, at = a->received;

	peer_note("app   on_data %u", len);
	check_equal(a->opened, 1);
	check_equal(a->eofs, 0);
	check(len > 0);
	for (const struct rte_mbuf *piece = data; piece != NULL; piece = piece->next)
		for (uint32_t i = 0; i < piece->data_len; i++, at++)
			if (rte_pktmbuf_mtod(piece, const uint8_t *)[i] != pattern(1 + at))
				peer_fail(__FILE__, __LINE__, "byte %u delivered is not what the peer sent", at);
	a->received += len;
	check_equal(a->received, at);
	if (!a->echo || rill_send(conn, data) != 0)
		rte_pktmbuf_free(data);
	tell(a, APP_DATA);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct app *a = app_of(conn);

	peer_note("app   on_sent %u", bytes_acked);
	a->acked += bytes_acked;
	check(a->echo || a->acked <= a->wrote);
	tell(a, APP_SENT);
}

static void
on_eof(struct rill_conn *conn)
{
	struct app *a = app_of(conn);

	peer_note("app   on_eof");
	check_equal(a->opened, 1);
	check_equal(a->eofs++, 0);
	tell(a, APP_EOF);
}

static void
on_urgent(struct rill_conn *conn, uint32_t bytes_left)
{
	struct app *a = app_of(conn);

	peer_note("app   on_urgent %u", bytes_left);
	a->urgents++;
	a->urgent_left = bytes_left;
	tell(a, APP_URGENT);
}

static void
on_error(struct rill_conn *conn, int err)
{
	struct app *a = app_of(conn);

	peer_note("app   on_error %d", err);
	a->errors++;
	a->error = err;
	tell(a, APP_ERROR);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct app *a = rill_conn_user(conn);

	peer_note("app   on_close: %s", rill_close_reason_name(why));
	if (a == NULL || peer.lane == NULL) /* the lane itself is being ended */
		return;
	app_of(conn);
	a->why = why;
	tell(a, APP_CLOSE);
	a->closed++;
	a->conn = NULL;
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

static void
done(const char *what, int rc)
{
	peer_note("app   %s", what);
	if (rc != 0)
		peer_fail(__FILE__, __LINE__, "%s returned %d", what, rc);
	if (!in_callback)
		turn();
}

struct rill_listener *
listens_with(const struct rill_options *options)
{
	struct rill_listener *listener = NULL;

	done("rill_lane_listen", rill_lane_listen(peer.lane, NULL, LANE_PORT, options,
					 &app_handler, NULL, &listener));
	return listener;
}

struct rill_listener *
listens(void)
{
	return listens_with(NULL);
}

int
tries_to_connect(const struct rill_endpoint *local, const struct rill_endpoint *remote,
	const struct rill_options *options)
{
	struct rill_endpoint here = {.port = 0}, there;
	struct app *a = new_app(NULL);
	int rc;

	peer.flow->lane_port = (uint16_t)(LANE_ACTIVE_PORT + (peer.flow - peer.flows));
	here.port = peer.flow->lane_port;
	memset(&there, 0, sizeof(there));
	there.addr = family_addr_of(PEER_ADDR);
	there.port = peer.flow->peer_port;
	rc = rill_connect(peer.lane, local != NULL ? local : &here, remote != NULL ? remote : &there,
		options, &app_handler, a, &a->conn);
	if (rc != 0)
		apps_count--;
	peer_note("app   rill_connect: %d", rc);
	if (!in_callback)
		turn();
	return rc;
}

struct app *
connects_with(const struct rill_options *options)
{
	check_equal(tries_to_connect(NULL, NULL, options), 0);
	return &apps[apps_count - 1];
}

struct app *
connects(void)
{
	return connects_with(NULL);
}

int
tries_to_write(uint32_t len)
{
	static uint8_t bytes[1 << 20];
	int rc;

	check(len <= sizeof(bytes));
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(1 + app->wrote + i);
	rc = rill_write(app->conn, bytes, len);
	if (rc > 0)
		app->wrote += (uint32_t)rc;
	peer_note("app   rill_write %u: %d", len, rc);
	if (!in_callback)
		turn();
	return rc;
}

void
writes(uint32_t len)
{
	check_equal(tries_to_write(len), len);
}

void
writes_urgent(uint32_t len)
{
	static uint8_t bytes[128 * 1024];

	check(len <= sizeof(bytes));
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(1 + app->wrote + i);
	used_urgent = true;
	app->wrote += len;
	done("rill_send_urgent", rill_send_urgent(app->conn, bytes, len));
}

struct rte_mbuf *
app_buffer(uint32_t seq, uint32_t len)
{
	struct rte_mbuf *mbuf = NULL;
	uint8_t *bytes;

	check_equal(rill_buf_alloc(peer.lane, len, &mbuf), 0);
	bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(seq + i);
	return mbuf;
}

void
sends(uint32_t len)
{
	struct rte_mbuf *mbuf = app_buffer(1 + app->wrote, len);

	app->wrote += len;
	done("rill_send", rill_send(app->conn, mbuf));
}

void
shuts_down(void)
{
	done("rill_shutdown", rill_shutdown(app->conn));
}

void
closes(void)
{
	done("rill_close", rill_close(app->conn));
}

void
aborts(void)
{
	done("rill_abort", rill_abort(app->conn));
}

void
pauses(void)
{
	done("rill_pause", rill_pause(app->conn));
}

void
resumes(void)
{
	done("rill_resume", rill_resume(app->conn));
}

void
sets(enum rill_option option, int32_t value)
{
	done("rill_set", rill_set(app->conn, option, value));
}

struct rill_conn_info
info(void)
{
	struct rill_conn_info now;

	check(app->conn != NULL);
	check_equal(rill_conn_info(app->conn, &now), 0);
	return now;
}
