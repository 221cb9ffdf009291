/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rill as the client: connects to an echo server of the kernel's, sends bytes that a seed fixes,
 * verifies every byte of the echo, ends as told, and begins again, N at once and M in all.
 */
#include "pattern.h"

#include <rill/rill.h>

#include <errno.h>
#include <getopt.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK 2048

enum ending {
	ENDING_HALF,  /* FIN at once after the last byte: the echo comes over the other half */
	ENDING_CLOSE, /* rill_close once all has come back */
	ENDING_RESET, /* rill_abort once all has come back */
};

/* One direction's bytes, made as they are needed. */
struct stream {
	struct pattern pattern;
	uint64_t made, at; /* bytes made and used */
	uint8_t chunk[CHUNK];
};

struct session {
	struct stream sent, got;
};

struct client {
	struct rill_stack *stack;
	struct rill_endpoint server;
	uint64_t bytes; /* of each connection */
	uint64_t connections, total;
	uint64_t begun, ended, active;
	enum ending ending;
	uint64_t opened, mismatches, bytes_verified, refused_calls;
	uint64_t closed[RILL_CLOSE_REASON_COUNT];
	struct rill_handler handler;
};

static struct client client;

/* Bytes that are made and not used; makes more when there are none. */
static uint32_t
stream_peek(struct stream *s, const uint8_t **data)
{
	uint64_t left = client.bytes - s->made;

	if (s->at == s->made) {
		pattern_fill(&s->pattern, s->chunk, left < CHUNK ? (size_t)left : CHUNK);
		s->made += left < CHUNK ? left : CHUNK;
	}
	*data = s->chunk + s->at % CHUNK;
	return (uint32_t)(s->made - s->at);
}

static void
send_more(struct rill_conn *conn, struct session *s)
{
	const uint8_t *data;
	uint32_t len;
	int n;

	while (s->sent.at < client.bytes) {
		len = stream_peek(&s->sent, &data);
		n = rill_write(conn, data, len);
		if (n <= 0)
			return;
		s->sent.at += (uint32_t)n;
		if (s->sent.at == client.bytes && client.ending == ENDING_HALF)
			rill_shutdown(conn);
	}
}

static void
on_open(struct rill_conn *conn)
{
	client.opened++;
	send_more(conn, rill_conn_user(conn));
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	send_more(conn, rill_conn_user(conn));
}

/* Returns 0 when the bytes are those that were sent. */
static int
verify(struct session *s, const uint8_t *data, uint32_t len)
{
	const uint8_t *want;
	uint32_t n;

	for (; len > 0; data += n, len -= n) {
		if (s->got.at == client.bytes)
			return -1;
		n = stream_peek(&s->got, &want);
		n = n < len ? n : len;
		if (memcmp(data, want, n) != 0)
			return -1;
		s->got.at += n;
		client.bytes_verified += n;
	}
	return 0;
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct session *s = rill_conn_user(conn);
	struct rte_mbuf *m;
	int wrong = 0;

	for (m = data; m != NULL && !wrong; m = m->next)
		wrong = verify(s, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	rte_pktmbuf_free(data);
	if (wrong) {
		client.mismatches++;
		rill_abort(conn);
	} else if (s->got.at == client.bytes && client.ending == ENDING_CLOSE) {
		rill_close(conn);
	} else if (s->got.at == client.bytes && client.ending == ENDING_RESET) {
		rill_abort(conn);
	}
}

static void
on_eof(struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);

	if (s->got.at == client.bytes)
		return;
	client.mismatches++;
	rill_abort(conn);
}

static void begin(struct rill_lane *lane);

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	free(rill_conn_user(conn));
	client.closed[why]++;
	client.ended++;
	client.active--;
	begin(rill_conn_lane(conn));
}

/* As many as there may be at once. */
static void
begin(struct rill_lane *lane)
{
	struct rill_conn *conn;
	struct session *s;

	while (client.begun < client.total && client.active < client.connections) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			abort();
		pattern_seed(&s->sent.pattern, 1, client.begun);
		pattern_seed(&s->got.pattern, 1, client.begun);
		client.begun++;
		if (rill_connect(lane, NULL, &client.server, NULL, &client.handler, s, &conn) != 0) {
			client.refused_calls++;
			client.ended++;
			free(s);
			continue;
		}
		client.active++;
	}
	if (client.ended == client.total)
		rill_stack_drain(client.stack, 5000000);
}

static void
on_lane_start(struct rill_lane *lane, void *user)
{
	begin(lane);
}

static void
on_signal(int sig)
{
	rill_stack_stop(client.stack);
}

static const char usage[] =
	"usage: rill_client --dev DEVICE --ip ADDR/LEN --server ADDR --port PORT\n"
	"       [--connections N] [--total N] [--bytes N] [--end half|close|reset]\n"
	"       [--idle-sleep US] [--msl MS] [--timeout S]\n";

static void
bad(const char *what, const char *value)
{
	fprintf(stderr, "rill_client: %s: '%s'\n%s", what, value, usage);
	exit(2);
}

enum { OPT_DEV = 1, OPT_IP, OPT_SERVER, OPT_PORT, OPT_CONNECTIONS, OPT_TOTAL, OPT_BYTES, OPT_END,
	OPT_IDLE_SLEEP, OPT_MSL, OPT_TIMEOUT };

static const struct option options[] = {
	{ "dev", 1, NULL, OPT_DEV }, { "ip", 1, NULL, OPT_IP }, { "server", 1, NULL, OPT_SERVER },
	{ "port", 1, NULL, OPT_PORT }, { "connections", 1, NULL, OPT_CONNECTIONS },
	{ "total", 1, NULL, OPT_TOTAL }, { "bytes", 1, NULL, OPT_BYTES }, { "end", 1, NULL, OPT_END },
	{ "idle-sleep", 1, NULL, OPT_IDLE_SLEEP }, { "msl", 1, NULL, OPT_MSL },
	{ "timeout", 1, NULL, OPT_TIMEOUT }, { NULL, 0, NULL, 0 }
};

static enum ending
parse_ending(const char *text)
{
	static const char *const names[] = { "half", "close", "reset" };
	int i;

	for (i = 0; i < 3; i++)
		if (strcmp(names[i], text) == 0)
			return (enum ending)i;
	bad("--end", text);
	return ENDING_HALF;
}

static void
parse_option(int opt, struct rill_config *config)
{
	uint64_t value = strtoull(optarg, NULL, 10);

	switch (opt) {
	case OPT_DEV:
		config->ports[0].name = optarg;
		break;
	case OPT_IP:
		if (rill_prefix_parse(optarg, &config->ports[0].addrs[0]) != 0)
			bad("--ip", optarg);
		config->ports[0].addrs_count = 1;
		break;
	case OPT_SERVER:
		if (rill_addr_parse(optarg, &client.server.addr) != 0)
			bad("--server", optarg);
		break;
	case OPT_PORT:
		client.server.port = (uint16_t)value;
		break;
	case OPT_CONNECTIONS:
		client.connections = value;
		break;
	case OPT_TOTAL:
		client.total = value;
		break;
	case OPT_BYTES:
		client.bytes = value;
		break;
	case OPT_END:
		client.ending = parse_ending(optarg);
		break;
	case OPT_IDLE_SLEEP:
		config->idle_sleep_us = (uint32_t)value;
		break;
	case OPT_MSL:
		config->limits.msl_ms = (uint32_t)value;
		break;
	case OPT_TIMEOUT:
		alarm((unsigned int)value);
		break;
	default:
		bad("unknown option", "");
	}
}

/* The timeout's signal may come only once there is a stack to stop. */
static void
run(const struct rill_config *config, sigset_t *held)
{
	if (rill_stack_create(config, &client.stack) != 0) {
		fprintf(stderr, "rill_client: %s\n", rill_error());
		exit(1);
	}
	signal(SIGALRM, on_signal);
	signal(SIGTERM, on_signal);
	sigprocmask(SIG_UNBLOCK, held, NULL);
	rill_stack_run(client.stack);
}

static void
report(void)
{
	struct rill_stats stats;
	int i;

	rill_stats_read(client.stack, &stats);
	printf("{\"opened\": %llu, \"ended\": %llu, \"mismatches\": %llu, \"bytes_verified\": %llu, "
	       "\"refused_calls\": %llu, \"conns\": %u, \"sidecars\": %u, \"mbufs\": %u",
		(unsigned long long)client.opened, (unsigned long long)client.ended,
		(unsigned long long)client.mismatches, (unsigned long long)client.bytes_verified,
		(unsigned long long)client.refused_calls, stats.conns, stats.sidecars, stats.mbufs);
	for (i = 0; i < RILL_CLOSE_REASON_COUNT; i++)
		printf(", \"%s\": %llu", rill_close_reason_name((enum rill_close_reason)i),
			(unsigned long long)client.closed[i]);
	printf("}\n");
}

int
main(int argc, char **argv)
{
	static struct rill_config config;
	sigset_t held;
	int opt;

	sigemptyset(&held);
	sigaddset(&held, SIGALRM);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, NULL);
	rill_config_default(&config);
	config.ports[0].name = "net_tap0,iface=rill0";
	config.ports_count = 1;
	config.on_lane_start = on_lane_start;
	client.connections = client.total = 1;
	client.handler = (struct rill_handler){ .on_open = on_open, .on_data = on_data,
		.on_sent = on_sent, .on_eof = on_eof, .on_close = on_close };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(opt, &config);
	if (config.ports[0].addrs_count == 0 || client.server.port == 0)
		bad("missing", "--ip, --server and --port");
	if (client.total < client.connections)
		client.total = client.connections;
	run(&config, &held);
	report();
	rill_stack_destroy(client.stack);
	return client.ended == client.total && client.mismatches == 0 ? 0 : 1;
}
