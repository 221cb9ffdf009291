/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Reads of one readiness: others get their turn. */
#define READS_MAX 8

uint64_t
flow_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static size_t
bytes_len(const struct bytes *b)
{
	return b->end - b->start;
}

/* Room for len more bytes at the end. */
static uint8_t *
bytes_grow(struct bytes *b, size_t len)
{
	if (b->start > 0 && b->end + len > b->room) {
		memmove(b->data, b->data + b->start, bytes_len(b));
		b->end -= b->start;
		b->start = 0;
	}
	if (b->end + len > b->room) {
		b->room = (b->end + len) * 2;
		b->data = realloc(b->data, b->room);
		if (b->data == NULL) {
			fputs("echo_client: out of memory\n", stderr);
			exit(1);
		}
	}
	b->end += len;
	return b->data + b->end - len;
}

static void
bytes_add(struct bytes *b, const void *data, size_t len)
{
	memcpy(bytes_grow(b, len), data, len);
}

static void
bytes_drop(struct bytes *b, size_t len)
{
	b->start += len;
	if (b->start == b->end)
		b->start = b->end = 0;
}

static void
flow_release(struct flow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->state = FLOW_ENDED;
}

void
flow_fail(struct flow *f, struct tally *tally, const char *why)
{
	tally->failed++;
	if (tally->first_error[0] == '\0')
		snprintf(tally->first_error, sizeof(tally->first_error),
			"connection %llu, after %llu messages and %llu bytes back: %s",
			(unsigned long long)f->number, (unsigned long long)f->done,
			(unsigned long long)f->got_total, why);
	flow_release(f);
}

static void
flow_fail_errno(struct flow *f, struct tally *tally, const char *call, int err)
{
	char why[80];

	snprintf(why, sizeof(why), "%s: %s", call, strerror(err));
	flow_fail(f, tally, why);
}

void
flow_free(struct flow *f)
{
	flow_release(f);
	free(f->out.data);
	free(f->want.data);
	EVP_MD_CTX_free(f->sent_digest);
	EVP_MD_CTX_free(f->got_digest);
}

static void
flow_reset(struct flow *f, const struct plan *plan, uint64_t number)
{
	f->number = number;
	f->made = f->done = 0;
	f->out.start = f->out.end = f->want.start = f->want.end = 0;
	f->want_total = f->got_total = 0;
	f->cut = 0;
	f->body_failed = false;
	f->bulk_left = plan->bulk_bytes;
	pattern_seed(&f->pattern, plan->seed, number);
	http_parser_init(&f->parser, HTTP_RESPONSE);
	if (plan->bulk_bytes == 0)
		return;
	if (f->sent_digest == NULL) {
		f->sent_digest = EVP_MD_CTX_new();
		f->got_digest = EVP_MD_CTX_new();
	}
	EVP_DigestInit_ex(f->sent_digest, EVP_sha256(), NULL);
	EVP_DigestInit_ex(f->got_digest, EVP_sha256(), NULL);
}

int
flow_open(struct flow *f, const struct plan *plan, struct tally *tally, uint64_t number)
{
	int one = 1;

	flow_reset(f, plan, number);
	f->fd = socket(plan->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f->fd < 0) {
		flow_fail_errno(f, tally, "socket", errno);
		return -1;
	}
	setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	f->state = FLOW_CONNECTING;
	f->wants_write = true;
	if (connect(f->fd, (const struct sockaddr *)&plan->server, sizeof(plan->server)) == 0 ||
		errno == EINPROGRESS)
		return 0;
	flow_fail_errno(f, tally, "connect", errno);
	return -1;
}

/* An HTTP request; its body is the message, with a length or in chunks as the seed says. */
static void
make_http(struct flow *f, const uint8_t *body, uint32_t len)
{
	bool chunked = pattern_next(&f->pattern) & 1;
	uint32_t piece, at;
	char head[160];
	int n;

	n = snprintf(head, sizeof(head), "POST /echo/%llu HTTP/1.1\r\nHost: rill\r\n",
		(unsigned long long)f->made);
	bytes_add(&f->out, head, (size_t)n);
	if (!chunked) {
		n = snprintf(head, sizeof(head), "Content-Length: %u\r\n\r\n", len);
		bytes_add(&f->out, head, (size_t)n);
		bytes_add(&f->out, body, len);
		return;
	}
	bytes_add(&f->out, "Transfer-Encoding: chunked\r\n\r\n", 30);
	for (at = 0; at < len; at += piece) {
		piece = pattern_between(&f->pattern, 1, len - at);
		n = snprintf(head, sizeof(head), "%x\r\n", piece);
		bytes_add(&f->out, head, (size_t)n);
		bytes_add(&f->out, body + at, piece);
		bytes_add(&f->out, "\r\n", 2);
	}
	bytes_add(&f->out, "0\r\n\r\n", 5);
}

static void
make_message(struct flow *f, const struct plan *plan)
{
	uint32_t len = pattern_between(&f->pattern, plan->size_min, plan->size_max), i;
	uint32_t wire = htonl(len);
	size_t before = bytes_len(&f->want);
	uint8_t *payload;

	if (plan->framing == FRAMING_LENGTH)
		bytes_add(&f->want, &wire, sizeof(wire));
	payload = bytes_grow(&f->want, len);
	pattern_fill(&f->pattern, payload, len);
	if (plan->framing == FRAMING_LINE) {
		for (i = 0; i < len; i++)
			payload[i] = payload[i] == '\n' ? ' ' : payload[i];
		bytes_add(&f->want, "\n", 1);
	}
	f->want_total += bytes_len(&f->want) - before;
	if (plan->framing == FRAMING_HTTP)
		make_http(f, f->want.data + f->want.end - len, len);
	else
		bytes_add(&f->out, f->want.data + f->want.start + before,
			bytes_len(&f->want) - before);
	f->waiting[f->made % FLOW_PIPELINE_MAX].want_end = f->want_total;
	f->waiting[f->made % FLOW_PIPELINE_MAX].began_us = flow_clock_us();
	f->made++;
}

static bool
flow_all_made(const struct flow *f, const struct plan *plan, bool stop)
{
	if (plan->bulk_bytes > 0)
		return f->bulk_left == 0;
	return stop || (plan->messages > 0 && f->made >= plan->messages);
}

/* Something to send, if there is more. */
static void
flow_refill(struct flow *f, const struct plan *plan, bool stop)
{
	uint8_t *to;
	size_t len;

	if (plan->bulk_bytes == 0) {
		while (!flow_all_made(f, plan, stop) && f->made - f->done < plan->pipeline)
			make_message(f, plan);
		return;
	}
	if (bytes_len(&f->out) > 0 || f->bulk_left == 0)
		return;
	len = f->bulk_left < FLOW_CHUNK ? (size_t)f->bulk_left : FLOW_CHUNK;
	to = bytes_grow(&f->out, len);
	pattern_fill(&f->pattern, to, len);
	EVP_DigestUpdate(f->sent_digest, to, len);
	f->bulk_left -= len;
}

static size_t
flow_cut(struct flow *f, const struct plan *plan, size_t len)
{
	static const uint32_t longest[] = { 1, 3, 17, 100, 1448, 1461, 5000 };

	if (!plan->split)
		return len;
	if (f->cut == 0)
		f->cut = pattern_between(&f->pattern, 1,
			longest[pattern_next(&f->pattern) % (sizeof(longest) / sizeof(longest[0]))]);
	return len < f->cut ? len : f->cut;
}

/* Sends until the socket is full or nothing is left. Returns 0, or -1 when the connection failed. */
static int
flow_send(struct flow *f, const struct plan *plan, struct tally *tally, bool stop)
{
	ssize_t n;

	f->wants_write = false;
	for (flow_refill(f, plan, stop); bytes_len(&f->out) > 0; flow_refill(f, plan, stop)) {
		n = send(f->fd, f->out.data + f->out.start, flow_cut(f, plan, bytes_len(&f->out)),
			MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			f->wants_write = true;
			return 0;
		}
		if (n < 0) {
			flow_fail_errno(f, tally, "send", errno);
			return -1;
		}
		f->cut = 0;
		tally->bytes_sent += (uint64_t)n;
		bytes_drop(&f->out, (size_t)n);
	}
	return 0;
}

/* Compares what came with what must come. */
static int
flow_compare(struct flow *f, struct tally *tally, const uint8_t *data, size_t len)
{
	if (len > bytes_len(&f->want) || memcmp(f->want.data + f->want.start, data, len) != 0) {
		tally->mismatches++;
		return -1;
	}
	bytes_drop(&f->want, len);
	f->got_total += len;
	tally->bytes_verified += len;
	return 0;
}

static void
flow_message_done(struct flow *f, struct tally *tally)
{
	histogram_add(&tally->latency_us,
		flow_clock_us() - f->waiting[f->done % FLOW_PIPELINE_MAX].began_us);
	f->done++;
	tally->messages++;
}

struct http_context {
	struct flow *flow;
	struct tally *tally;
};

static int
http_body(http_parser *parser, const char *at, size_t len)
{
	struct http_context *context = parser->data;

	return flow_compare(context->flow, context->tally, (const uint8_t *)at, len);
}

static int
http_complete(http_parser *parser)
{
	struct http_context *context = parser->data;
	struct flow *f = context->flow;

	if (parser->status_code != 200 || f->done == f->made ||
		f->waiting[f->done % FLOW_PIPELINE_MAX].want_end != f->got_total)
		return -1;
	flow_message_done(f, context->tally);
	return 0;
}

/* Takes bytes that came. Returns 0, or -1 when they are not what was sent. */
static int
flow_take(struct flow *f, const struct plan *plan, struct tally *tally, const uint8_t *data, size_t len)
{
	static const http_parser_settings settings = { .on_body = http_body,
		.on_message_complete = http_complete };
	struct http_context context = { f, tally };

	if (plan->bulk_bytes > 0) {
		EVP_DigestUpdate(f->got_digest, data, len);
		f->got_total += len;
		return 0;
	}
	if (plan->framing == FRAMING_HTTP) {
		f->parser.data = &context;
		return http_parser_execute(&f->parser, &settings, (const char *)data, len) == len &&
				HTTP_PARSER_ERRNO(&f->parser) == HPE_OK ? 0 : -1;
	}
	if (flow_compare(f, tally, data, len) != 0)
		return -1;
	while (f->done < f->made && f->waiting[f->done % FLOW_PIPELINE_MAX].want_end <= f->got_total)
		flow_message_done(f, tally);
	return 0;
}

static bool
bulk_is_equal(struct flow *f, const struct plan *plan)
{
	uint8_t sent[EVP_MAX_MD_SIZE], got[EVP_MAX_MD_SIZE];
	unsigned int len;

	EVP_DigestFinal_ex(f->sent_digest, sent, &len);
	EVP_DigestFinal_ex(f->got_digest, got, &len);
	return f->got_total == plan->bulk_bytes && memcmp(sent, got, len) == 0;
}

/* The server's FIN. */
static void
flow_eof(struct flow *f, const struct plan *plan, struct tally *tally)
{
	if (f->state != FLOW_ENDING) {
		flow_fail(f, tally, "the server closed while echoes were due");
		return;
	}
	if (plan->bulk_bytes > 0) {
		if (!bulk_is_equal(f, plan)) {
			tally->mismatches++;
			flow_fail(f, tally, "SHA-256 or length of what came back differs");
			return;
		}
		tally->bytes_verified += f->got_total;
	}
	tally->ended_well++;
	flow_release(f);
}

/* Returns 0, or -1 when the connection has ended. */
static int
flow_receive(struct flow *f, const struct plan *plan, struct tally *tally)
{
	static uint8_t chunk[FLOW_CHUNK];
	ssize_t n;
	int i;

	for (i = 0; i < READS_MAX; i++) {
		n = recv(f->fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			flow_fail_errno(f, tally, "recv", errno);
			return -1;
		}
		if (n == 0) {
			flow_eof(f, plan, tally);
			return -1;
		}
		if (flow_take(f, plan, tally, chunk, (size_t)n) != 0) {
			flow_fail(f, tally, "the echo differs from what was sent");
			return -1;
		}
		if ((size_t)n < sizeof(chunk))
			return 0;
	}
	return 0;
}

/* All echoed, or for bulk all sent: ends as planned. */
static void
flow_end(struct flow *f, const struct plan *plan, struct tally *tally)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (plan->bulk_bytes > 0 || plan->ending == ENDING_HALF) {
		shutdown(f->fd, SHUT_WR);
		f->state = FLOW_ENDING;
		return;
	}
	if (plan->ending == ENDING_RESET)
		setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	tally->ended_well++;
	flow_release(f);
}

static int
flow_connected(struct flow *f, struct tally *tally)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err != 0) {
		flow_fail_errno(f, tally, "connect", err);
		return -1;
	}
	f->state = FLOW_OPEN;
	tally->opened++;
	return 0;
}

void
flow_ready(struct flow *f, const struct plan *plan, struct tally *tally, bool stop)
{
	bool all_echoed;

	if (f->state == FLOW_CONNECTING && flow_connected(f, tally) != 0)
		return;
	if (flow_receive(f, plan, tally) != 0 || f->state == FLOW_ENDING)
		return;
	if (flow_send(f, plan, tally, stop) != 0)
		return;
	all_echoed = plan->bulk_bytes > 0 || f->done == f->made;
	if (flow_all_made(f, plan, stop) && bytes_len(&f->out) == 0 && all_echoed)
		flow_end(f, plan, tally);
}
