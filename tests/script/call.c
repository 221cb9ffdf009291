/* SPDX-License-Identifier: BSD-3-Clause */

/* What the application does. */

#include "script.h"

#include <string.h>

#include <rte_mbuf.h>

static struct rill_listener *last_listener;

/* "fails EPIPE" at the end of a call; 0: it must not fail. */
static int
take_failure(void)
{
	return take_if("fails") ? -(int)take_number("errno") : 0;
}

static void
must_return(const char *what, int rc, int want)
{
	peer_note("app   %s: %d", what, rc);
	if (rc != want)
		fails("%s returned %d, should be %d", what, rc, want);
	turn();
}

static struct rill_conn *
conn(void)
{
	if (app->conn == NULL)
		fails("the application has no connection on this flow");
	return app->conn;
}

static void
endpoint_of(struct rill_endpoint *endpoint, uint32_t addr, uint16_t port)
{
	*endpoint = (struct rill_endpoint){.port = port};
	if (addr != 0)
		endpoint->addr = family_addr_of(addr);
}

/* What listen and connect share: options of this listener or connection. */
static void
take_call_option(struct rill_options *options, bool *own)
{
	if (!*own)
		*options = at.setup.options.ttl != 0 ? at.setup.options : default_options();
	*own = true;
	take_option(options, take_word("option"));
}

void
do_listen(void)
{
	struct rill_options options;
	struct rill_endpoint on = {.port = LANE_PORT};
	uint32_t addr = 0;
	uint16_t port = LANE_PORT;
	bool own = false;
	int want = 0;

	while (words_left()) {
		if (take_if("on"))
			addr = take_addr();
		else if (take_if("port"))
			port = (uint16_t)take_number("port");
		else if (strcmp(at.line->words[at.word], "fails") == 0)
			want = take_failure();
		else
			take_call_option(&options, &own);
	}
	if (!script_runs())
		return;
	if (!at.touched) {
		script_touch();
		wait_for_iss(false);
	}
	endpoint_of(&on, addr, port);
	must_return("rill_lane_listen",
		rill_lane_listen(peer.lane, addr ? &on.addr : NULL, port, own ? &options : NULL,
			&app_handler, NULL, &last_listener),
		want);
}

void
do_unlisten(void)
{
	if (script_runs())
		must_return("rill_unlisten", rill_unlisten(last_listener), 0);
}

void
do_connect(void)
{
	struct rill_options options;
	struct rill_endpoint local, remote;
	uint32_t from = 0, to = PEER_ADDR;
	bool own = false;
	int want = 0, rc;

	while (words_left()) {
		if (take_if("from"))
			from = take_addr();
		else if (take_if("to"))
			to = take_addr();
		else if (strcmp(at.line->words[at.word], "fails") == 0)
			want = take_failure();
		else
			take_call_option(&options, &own);
	}
	if (!script_runs())
		return;
	if (!at.touched) {
		script_touch();
		wait_for_iss(true);
	}
	endpoint_of(&local, from, (uint16_t)(LANE_ACTIVE_PORT + (peer.flow - peer.flows)));
	endpoint_of(&remote, to, peer.flow->peer_port);
	rc = tries_to_connect(&local, &remote, own ? &options : NULL);
	if (rc != want)
		fails("rill_connect returned %d, should be %d", rc, want);
}

void
do_write(void)
{
	uint32_t len = take_u32("bytes");
	int want = take_if("takes") ? (int)take_number("bytes") : take_failure(), rc;

	if (!script_runs())
		return;
	conn();
	rc = tries_to_write(len);
	if (rc != (want != 0 ? want : (int)len))
		fails("rill_write returned %d", rc);
}

void
do_send(void)
{
	uint32_t len = take_u32("bytes");
	int want = take_failure(), rc;
	struct rte_mbuf *mbuf;

	if (!script_runs())
		return;
	conn();
	mbuf = app_buffer(1 + app->wrote, len);
	rc = rill_send(app->conn, mbuf);
	if (rc == 0)
		app->wrote += len;
	else
		rte_pktmbuf_free(mbuf);
	must_return("rill_send", rc, want);
}

void
do_urgent(void)
{
	uint32_t len = take_u32("bytes");

	if (!script_runs())
		return;
	conn();
	writes_urgent(len);
}

void
do_consume(void)
{
	uint32_t len = take_u32("bytes");
	int want = take_failure();

	if (script_runs())
		must_return("rill_consume", rill_consume(conn(), len), want);
}

void
do_set(void)
{
	const char *name = take_word("option");
	enum rill_option option = rill_option_by_name(name);
	int32_t value = take_option_value(option);
	int want = take_failure();

	if (option == RILL_OPT_COUNT)
		wrong("unknown option '%s'", name);
	if (script_runs())
		must_return("rill_set", rill_set(conn(), option, value), want);
}

void
do_call(const char *name, int (*call)(struct rill_conn *))
{
	int want = take_failure();

	if (script_runs())
		must_return(name, call(conn()), want);
}

void
do_echo(void)
{
	if (script_runs())
		app->echo = true;
}

/* One more address of the lane. */
void
do_address(void)
{
	const char *word = take_word("address with prefix length");
	struct rill_prefix prefix;

	if (rill_prefix_parse(word, &prefix) != 0)
		wrong("'%s' is no address such as 192.0.2.7/24", word);
	if (!script_runs())
		return;
	script_touch();
	prefix = family_prefix(word);
	must_return("rill_lane_addr_add", rill_lane_addr_add(peer.lane, &prefix), 0);
}

/* One more route. */
void
do_route(void)
{
	const char *word = take_word("prefix");
	struct rill_prefix prefix;
	struct rill_endpoint via;

	if (rill_prefix_parse(word, &prefix) != 0 || !take_if("via"))
		wrong("a route is PREFIX via ADDRESS");
	endpoint_of(&via, take_addr(), 0);
	if (!script_runs())
		return;
	script_touch();
	prefix = family_prefix(word);
	must_return("rill_lane_route_add", rill_lane_route_add(peer.lane, &prefix, &via.addr, 0), 0);
}
