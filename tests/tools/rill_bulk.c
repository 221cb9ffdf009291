/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bulk transfer by Rill: one connection that sends bytes which a seed fixes and then closes, or that
 * receives until its peer closes. Options of Rill are the defaults, but for those given by --set.
 *
 * Once its port exists it prints "created" and waits for a line on its standard input; so others can
 * get hold of the port before the first frame. At the end it prints JSON: when the transfer began
 * (sender: the connect call) and when the last byte was received (receiver), both in ns of
 * CLOCK_MONOTONIC; bytes, their SHA-256, and Rill's counters.
 */
#include "pattern.h"

#include <rill/rill.h>

#include <getopt.h>
#include <openssl/evp.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 4096

struct bulk {
	struct rill_stack *stack;
	struct rill_endpoint peer; /* sender: the receiver; receiver: the port to listen on */
	bool is_sender;
	uint64_t seed, bytes; /* bytes: to send */
	struct pattern pattern;
	uint8_t chunk[CHUNK];
	uint32_t chunk_at, chunk_len;
	uint64_t made, moved; /* made, and given to Rill; or received */
	uint64_t begun_ns, last_ns;
	bool ended;
	enum rill_close_reason why;
	EVP_MD_CTX *hash;
	struct rill_handler handler;
	struct rill_conn_info info; /* sender: when all had been acknowledged */
};

static struct bulk bulk;

static uint64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
make_chunk(void)
{
	uint64_t left = bulk.bytes - bulk.made;

	bulk.chunk_len = left < CHUNK ? (uint32_t)left : CHUNK;
	bulk.chunk_at = 0;
	pattern_fill(&bulk.pattern, bulk.chunk, bulk.chunk_len);
	bulk.made += bulk.chunk_len;
	EVP_DigestUpdate(bulk.hash, bulk.chunk, bulk.chunk_len);
}

static void
send_more(struct rill_conn *conn)
{
	int n;

	while (bulk.moved < bulk.bytes) {
		if (bulk.chunk_at == bulk.chunk_len)
			make_chunk();
		n = rill_write(conn, bulk.chunk + bulk.chunk_at, bulk.chunk_len - bulk.chunk_at);
		if (n <= 0)
			return;
		bulk.chunk_at += (uint32_t)n;
		bulk.moved += (uint32_t)n;
	}
	rill_shutdown(conn);
}

static void
on_open(struct rill_conn *conn)
{
	if (bulk.is_sender)
		send_more(conn);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	rill_conn_info(conn, &bulk.info);
	if (bulk.moved < bulk.bytes)
		send_more(conn);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct rte_mbuf *m;

	bulk.last_ns = clock_ns();
	bulk.moved += rte_pktmbuf_pkt_len(data);
	for (m = data; m != NULL; m = m->next)
		EVP_DigestUpdate(bulk.hash, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	rte_pktmbuf_free(data);
}

static void
on_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	bulk.why = why;
	bulk.ended = true;
	rill_stack_drain(bulk.stack, 100000);
}

static void
on_lane_start(struct rill_lane *lane, void *user)
{
	struct rill_conn *conn;

	if (!bulk.is_sender)
		return;
	bulk.begun_ns = clock_ns();
	if (rill_connect(lane, NULL, &bulk.peer, NULL, &bulk.handler, NULL, &conn) != 0) {
		fprintf(stderr, "rill_bulk: cannot connect: %s\n", rill_error());
		exit(1);
	}
}

static void
on_signal(int sig)
{
	rill_stack_stop(bulk.stack);
}

static const char usage[] =
	"usage: rill_bulk --dev DEVICE --ip ADDR/LEN --port PORT [--set OPTION=VALUE]...\n"
	"       [--idle-sleep US] [--timeout S] [--send BYTES --to ADDR [--seed N]]\n";

static void
bad(const char *what, const char *value)
{
	fprintf(stderr, "rill_bulk: %s: '%s'\n%s", what, value, usage);
	exit(2);
}

/* NAME=VALUE, of RILL_OPTION_LIST. */
static void
set_option(struct rill_options *set, char *text)
{
	char *equals = strchr(text, '=');
	enum rill_option option;

	if (equals == NULL)
		bad("--set", text);
	*equals = '\0';
	option = rill_option_by_name(text);
	if (option == RILL_OPT_COUNT)
		bad("no such option of Rill", text);
	((int32_t *)set)[option] = (int32_t)strtol(equals + 1, NULL, 10);
}

enum { OPT_DEV = 1, OPT_IP, OPT_PORT, OPT_SET, OPT_IDLE_SLEEP, OPT_TIMEOUT, OPT_SEND, OPT_TO,
	OPT_SEED };

static const struct option options[] = {
	{ "dev", 1, NULL, OPT_DEV }, { "ip", 1, NULL, OPT_IP }, { "port", 1, NULL, OPT_PORT },
	{ "set", 1, NULL, OPT_SET }, { "idle-sleep", 1, NULL, OPT_IDLE_SLEEP },
	{ "timeout", 1, NULL, OPT_TIMEOUT }, { "send", 1, NULL, OPT_SEND }, { "to", 1, NULL, OPT_TO },
	{ "seed", 1, NULL, OPT_SEED }, { NULL, 0, NULL, 0 }
};

static void
parse_option(int opt, struct rill_config *config)
{
	switch (opt) {
	case OPT_DEV:
		config->ports[0].name = optarg;
		break;
	case OPT_IP:
		if (rill_prefix_parse(optarg, &config->ports[0].addrs[0]) != 0)
			bad("--ip", optarg);
		config->ports[0].addrs_count = 1;
		break;
	case OPT_PORT:
		bulk.peer.port = (uint16_t)strtoul(optarg, NULL, 10);
		break;
	case OPT_SET:
		set_option(&config->options, optarg);
		break;
	case OPT_IDLE_SLEEP:
		config->idle_sleep_us = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case OPT_TIMEOUT:
		alarm((unsigned int)strtoul(optarg, NULL, 10));
		break;
	case OPT_SEND:
		bulk.is_sender = true;
		bulk.bytes = strtoull(optarg, NULL, 10);
		break;
	case OPT_TO:
		if (rill_addr_parse(optarg, &bulk.peer.addr) != 0)
			bad("--to", optarg);
		break;
	case OPT_SEED:
		bulk.seed = strtoull(optarg, NULL, 10);
		break;
	default:
		bad("unknown option", "");
	}
}

static void
create(const struct rill_config *config)
{
	struct rill_listener *listener;

	if (rill_stack_create(config, &bulk.stack) != 0 ||
		(!bulk.is_sender && rill_listen(bulk.stack, NULL, bulk.peer.port, NULL, &bulk.handler,
			NULL, &listener) != 0)) {
		fprintf(stderr, "rill_bulk: %s\n", rill_error());
		exit(1);
	}
	printf("created\n");
	fflush(stdout);
}

/* Nothing is polled before the line comes, so that nothing is received or sent either. */
static void
run(const sigset_t *held)
{
	char line[16];

	if (fgets(line, sizeof(line), stdin) == NULL)
		exit(1);
	signal(SIGALRM, on_signal);
	signal(SIGTERM, on_signal);
	sigprocmask(SIG_UNBLOCK, held, NULL);
	rill_stack_run(bulk.stack);
}

static void
report(void)
{
	struct rill_stats stats;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, len;

	rill_stats_read(bulk.stack, &stats);
	EVP_DigestFinal_ex(bulk.hash, digest, &len);
	printf("{\"begun_ns\": %llu, \"last_ns\": %llu, \"bytes\": %llu, \"ended\": %s, "
	       "\"close\": \"%s\", \"srtt_us\": %u, \"cwnd\": %u, \"mss\": %u, \"sha256\": \"",
		(unsigned long long)bulk.begun_ns, (unsigned long long)bulk.last_ns,
		(unsigned long long)bulk.moved, bulk.ended ? "true" : "false",
		rill_close_reason_name(bulk.why), bulk.info.srtt_us, bulk.info.cwnd, bulk.info.mss);
	for (i = 0; i < len; i++)
		printf("%02x", digest[i]);
	printf("\"");
	for (i = 0; rill_counter_name(i) != NULL; i++)
		if (rill_counter_value(&stats, i) != 0)
			printf(", \"%s\": %llu", rill_counter_name(i),
				(unsigned long long)rill_counter_value(&stats, i));
	for (i = 0; i < RILL_DROP_COUNT; i++)
		if (stats.drops[i] != 0)
			printf(", \"drop_%s\": %llu", rill_drop_name((enum rill_drop)i),
				(unsigned long long)stats.drops[i]);
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
	bulk.handler = (struct rill_handler){ .on_open = on_open, .on_data = on_data,
		.on_sent = on_sent, .on_eof = on_eof, .on_close = on_close };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(opt, &config);
	if (config.ports[0].addrs_count == 0 || bulk.peer.port == 0 ||
		(bulk.is_sender && bulk.peer.addr.family == 0))
		bad("missing", "--ip, --port, and --to of a sender");
	pattern_seed(&bulk.pattern, bulk.seed, 0);
	bulk.hash = EVP_MD_CTX_new();
	EVP_DigestInit_ex(bulk.hash, EVP_sha256(), NULL);
	create(&config);
	run(&held);
	report();
	rill_stack_destroy(bulk.stack);
	EVP_MD_CTX_free(bulk.hash);
	return bulk.ended && bulk.why == RILL_CLOSE_DONE ? 0 : 1;
}
