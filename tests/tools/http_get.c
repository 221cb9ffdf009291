/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_get.h"

#include <errno.h>
#include <http_parser.h>
#include <inttypes.h>
#include <limits.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rill/rill.h>

#include "host.h"
#include "pattern.h"

#define PROGRAM "rill_get"
#define HEAD_MAX 256
#define PATH "/page/%" PRIu64
#define BODIES 1024 /* that differ: each begins a byte later in the same bytes */

struct settings {
	struct host host;
	struct rill_endpoint server;
	uint32_t connections, total, post, timeout_ms;
};

enum phase { PHASE_GET, PHASE_POST, PHASE_DONE };

struct session {
	struct http_parser parser;
	uint64_t number;
	enum phase phase;
	char head[HEAD_MAX]; /* of the request */
	uint32_t head_len, head_at;
	const uint8_t *body; /* of the request; of a GET there is none */
	uint32_t body_len, body_at;
	uint64_t said_len; /* what the answer's Content-Length is, */
	uint64_t got;      /* and what has come of its body */
	const char *wrong; /* what was not as it should be */
	bool complete;
};

/* What a lane did: no other touches it before the stack has stopped. */
struct tally {
	uint64_t to_begin, active;
	uint64_t opened, gets, posts, bytes, failed;
	const char *why; /* of the first that failed */
};

static struct settings settings;
static struct tally tallies[RILL_LANES_MAX];
static struct rill_stack *stack;
static uint8_t *bodies;
static atomic_uint lanes_left;
static unsigned int lanes;

static struct tally *
tally_of(const struct rill_conn *conn)
{
	return &tallies[rill_lane_index(rill_conn_lane(conn))];
}

/* ---- asking */

static void
push(struct rill_conn *conn, struct session *s)
{
	int n;

	while (s->head_at < s->head_len) {
		n = rill_write(conn, s->head + s->head_at, s->head_len - s->head_at);
		if (n <= 0)
			return;
		s->head_at += (uint32_t)n;
	}
	while (s->body_at < s->body_len) {
		n = rill_write(conn, s->body + s->body_at, s->body_len - s->body_at);
		if (n <= 0)
			return;
		s->body_at += (uint32_t)n;
	}
}

static void
ask(struct rill_conn *conn, struct session *s)
{
	bool is_post = s->phase == PHASE_POST;

	s->body_len = is_post ? settings.post : 0;
	s->head_len = (uint32_t)snprintf(s->head, sizeof(s->head),
		"%s " PATH " HTTP/1.1\r\nHost: rill\r\nContent-Length: %" PRIu32 "\r\n%s\r\n",
		is_post ? "POST" : "GET", s->number, s->body_len, is_post ? "Connection: close\r\n" : "");
	s->head_at = s->body_at = 0;
	s->got = 0;
	s->complete = false;
	http_parser_init(&s->parser, HTTP_RESPONSE);
	s->parser.data = s;
	push(conn, s);
}

/* ---- the answer, as the parser tells it; not 0 stops it */

static int
wrong(struct session *s, const char *what)
{
	if (s->wrong == NULL)
		s->wrong = what;
	return 1;
}

static int
on_headers(struct http_parser *parser)
{
	struct session *s = parser->data;

	s->said_len = parser->content_length;
	if (parser->status_code != HTTP_STATUS_OK)
		return wrong(s, "a status that is not 200");
	if (parser->content_length == ULLONG_MAX || parser->flags & F_CHUNKED)
		return wrong(s, "an answer without Content-Length");
	if (s->phase == PHASE_POST && s->said_len != s->body_len)
		return wrong(s, "a Content-Length that is not that of the body that was sent");
	return 0;
}

static int
on_body(struct http_parser *parser, const char *at, size_t len)
{
	struct session *s = parser->data;
	size_t line = strcspn(s->head, "\r"), same = len;
	const void *expected = s->phase == PHASE_POST ? (const void *)(s->body + s->got)
						      : (const void *)(s->head + s->got);

	if (s->phase == PHASE_GET) /* the rest is as the server writes it */
		same = s->got >= line ? 0 : len < line - s->got ? len : line - s->got;
	if (memcmp(at, expected, same) != 0)
		return wrong(s, "a body that is not the one expected");
	s->got += len;
	return 0;
}

static int
on_message(struct http_parser *parser)
{
	struct session *s = parser->data;

	if (s->got != s->said_len || s->got < strcspn(s->head, "\r"))
		return wrong(s, "a body that is not as long as it should be");
	s->complete = true;
	return 0;
}

static const struct http_parser_settings parser_calls = {
	.on_headers_complete = on_headers, .on_body = on_body, .on_message_complete = on_message};

/* ---- a connection's calls */

static void
go_on(struct rill_conn *conn, struct session *s)
{
	struct tally *tally = tally_of(conn);

	tally->bytes += s->got;
	if (s->phase == PHASE_GET) {
		tally->gets++;
		s->phase = PHASE_POST;
		ask(conn, s);
	} else {
		tally->posts++;
		s->phase = PHASE_DONE;
		s->complete = false;
	}
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct session *s = rill_conn_user(conn);

	for (struct rte_mbuf *m = data; m != NULL && s->wrong == NULL; m = m->next) {
		size_t n = http_parser_execute(
			&s->parser, &parser_calls, rte_pktmbuf_mtod(m, const char *), m->data_len);

		if (n != m->data_len)
			wrong(s, http_errno_description(HTTP_PARSER_ERRNO(&s->parser)));
	}
	rte_pktmbuf_free(data);
	if (s->wrong != NULL)
		rill_abort(conn);
	else if (s->complete)
		go_on(conn, s);
}

static void
on_eof(struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);

	if (s->phase != PHASE_DONE)
		wrong(s, "an end before all was answered");
	rill_close(conn);
}

static void
on_open(struct rill_conn *conn)
{
	tally_of(conn)->opened++;
	ask(conn, rill_conn_user(conn));
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	push(conn, rill_conn_user(conn));
}

static void begin_some(struct rill_lane *lane);

static void
failed(struct tally *tally, const char *why)
{
	tally->failed++;
	if (tally->why == NULL)
		tally->why = why;
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct session *s = rill_conn_user(conn);
	struct tally *tally = tally_of(conn);

	if (s->wrong != NULL)
		failed(tally, s->wrong);
	else if (why != RILL_CLOSE_DONE || s->phase != PHASE_DONE)
		failed(tally, rill_close_reason_name(why));
	free(s);
	tally->active--;
	begin_some(rill_conn_lane(conn));
}

static const struct rill_handler handler = {.on_open = on_open,
	.on_data = on_data,
	.on_sent = on_sent,
	.on_eof = on_eof,
	.on_close = on_close};

static bool
begin_one(struct rill_lane *lane, struct tally *tally)
{
	struct session *s = calloc(1, sizeof(*s));
	struct rill_conn *conn;

	if (s == NULL)
		abort();
	s->number = tally->to_begin--;
	s->body = bodies + s->number % BODIES;
	if (rill_connect(lane, NULL, &settings.server, NULL, &handler, s, &conn) == 0)
		return true;
	failed(tally, rill_error());
	free(s);
	return false;
}

/* Each lane has its share of what there is to do, at one time and in all; the last one ends the run. */
static void
begin_some(struct rill_lane *lane)
{
	struct tally *tally = &tallies[rill_lane_index(lane)];
	uint64_t most = (settings.connections + lanes - 1) / lanes;

	while (tally->to_begin > 0 && tally->active < most)
		tally->active += begin_one(lane, tally);
	if (tally->active == 0 && tally->to_begin == 0 && atomic_fetch_sub(&lanes_left, 1) == 1)
		rill_stack_drain(stack, 5000000);
}

static void
on_lane_start(struct rill_lane *lane, void *user)
{
	begin_some(lane);
}

/* ---- settings */

/* "ADDR", of either family. */
static int
set_server(void *s, const struct option_def *def, const char *value, char *why)
{
	if (rill_addr_parse(value, &((struct settings *)s)->server.addr) != 0)
		return option_wrong(why, "is not an address; give the server's, such as 10.0.0.2");
	return 0;
}

static int
set_port(void *s, const struct option_def *def, const char *value, char *why)
{
	uint32_t port;
	int rc = option_set_count(&port, def, value, why);

	((struct settings *)s)->server.port = (uint16_t)port;
	return rc;
}

#define FIELD(name) offsetof(struct settings, name)

static const struct option_def defs[] = {
	{"server", "ADDR", "the server", set_server},
	{"port", "N", "its port (default 7000)", set_port, 0, 1, 65535},
	{"connections", "N", "at one time (default 1)", option_set_count, FIELD(connections), 1, 1024},
	{"total", "N", "in all (default 1)", option_set_count, FIELD(total), 1, 1u << 30},
	{"post", "BYTES", "of what is sent by POST (default 1000)", option_set_bytes, FIELD(post), 256,
		1u << 20},
	{"timeout", "S", "until all has to be done (default 60)", option_set_seconds,
		FIELD(timeout_ms), 1000, 1u << 30},
	HOST_OPTION_ROWS("the addresses of a port"),
};

static void
set_default(void *s)
{
	*(struct settings *)s = (struct settings){.host.congestion_control = RILL_CC_CUBIC,
		.server.port = 7000,
		.connections = 1,
		.total = 1,
		.post = 1000,
		.timeout_ms = 60000};
}

static enum options_result
finish(void *s)
{
	struct settings *got = s;

	host_default_dev(&got->host);
	if (got->server.addr.family != 0)
		return host_check(&got->host, PROGRAM);
	fprintf(stderr, PROGRAM ": --server: is missing; give the server's address\n");
	return OPTIONS_WRONG;
}

static const struct options options = {
	.program = PROGRAM,
	.about = "asks rill-echo by HTTP, on Rill and a DPDK device",
	.version = "of the tests",
	.defs = defs,
	.count = sizeof(defs) / sizeof(defs[0]),
	.set_default = set_default,
	.finish = finish,
};

/* ---- its life */

struct rill_stack *
http_get_open(int argc, char *argv[])
{
	struct rill_config config;
	struct pattern pattern;

	if (options_parse(&options, &settings, argc, argv) != OPTIONS_RUN)
		return NULL;
	lanes = settings.host.lanes > 0 ? settings.host.lanes : settings.host.devs_count;
	bodies = malloc(settings.post + BODIES);
	if (bodies == NULL)
		abort();
	pattern_seed(&pattern, 1, 1);
	pattern_fill(&pattern, bodies, settings.post + BODIES);
	for (unsigned int i = 0; i < lanes; i++)
		tallies[i].to_begin = settings.total / lanes + (i < settings.total % lanes);
	atomic_init(&lanes_left, lanes);
	host_configure(&settings.host, &config);
	config.on_lane_start = on_lane_start;
	return host_create_stack(&settings.host, PROGRAM, &config, &stack) == 0 ? stack : NULL;
}

static void
on_alarm(int sig)
{
	rill_stack_stop(stack);
}

int
http_get_run(void)
{
	int rc;

	signal(SIGALRM, on_alarm);
	alarm(settings.timeout_ms / 1000);
	rc = rill_stack_run(stack);
	alarm(0);
	return rc == 0 ? 0 : host_failed(PROGRAM, "the stack stopped", rc);
}

int
http_get_close(int rc)
{
	struct tally all = {.why = NULL};

	for (unsigned int i = 0; i < lanes; i++) {
		all.opened += tallies[i].opened;
		all.gets += tallies[i].gets;
		all.posts += tallies[i].posts;
		all.bytes += tallies[i].bytes;
		all.failed += tallies[i].failed;
		if (all.why == NULL)
			all.why = tallies[i].why;
	}
	printf("IPv%c: %" PRIu64 " connections, %" PRIu64 " GETs, %" PRIu64 " POSTs, %" PRIu64
	       " bytes of bodies; %" PRIu64 " failed%s%s\n",
		settings.server.addr.family == AF_INET6 ? '6' : '4', all.opened, all.gets, all.posts,
		all.bytes, all.failed, all.why == NULL ? "" : ": ", all.why == NULL ? "" : all.why);
	if (rc == 0 && (all.failed > 0 || all.posts < settings.total))
		rc = -EPROTO;
	rill_stack_destroy(stack);
	free(bodies);
	return host_exit_status(rc);
}
