/* SPDX-License-Identifier: BSD-3-Clause */
/* The http protocol answers each stream of requests by the same bytes and the same end however it is
 * split, merged and refused: bodies and texts, persistence, pipelining, chunked bodies, and each kind
 * of request that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "echo_talk.h"
#include "proto.h"
#include "session.h"

#define MAX_MESSAGE 64
#define REPLIES_MAX 4
#define EXPECTED_MAX 65536
#define IN_MAX 40000

/* One answer: status line's end, Connection value or NULL, type, body; for HEAD the body only counts. */
struct reply {
	const char *status, *connection, *type, *body;
	bool head;
};

struct http_talk {
	const char *name, *in;
	bool eof;
	enum talk_end end;
	struct reply replies[REPLIES_MAX];
};

#define CONTINUE {"100", NULL, NULL, NULL}
#define OK_TEXT(body) {"200 OK", NULL, "text/plain", body}
#define OK_LAST(body) {"200 OK", "close", "text/plain", body}
#define OK_BYTES(body) {"200 OK", NULL, "application/octet-stream", body}
#define REFUSED(status, why) {status, "close", "text/plain", status ": " why "\n"}
#define HOST "Host: a\r\n"
#define END "\r\n"

static const struct http_talk talks[] = {
	{"a request without a body is answered by its text",
		"GET /x?y=1 HTTP/1.1\r\n" HOST "X-Y: z\r\n" END, false, TALK_OPEN,
		{OK_TEXT("GET /x?y=1 HTTP/1.1\nHost: a\nX-Y: z\n")}},
	{"a body comes back with its type",
		"POST / HTTP/1.1\r\n" HOST "Content-Type: text/x; charset=y\r\nContent-Length: 5\r\n" END
		"a\nb\r\n", false, TALK_OPEN, {{"200 OK", NULL, "text/x; charset=y", "a\nb\r\n"}}},
	{"a body without a type", "PUT /p HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END "ab", false,
		TALK_OPEN, {OK_BYTES("ab")}},
	{"an empty body is none", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END, false, TALK_OPEN,
		{OK_TEXT("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n")}},
	{"names of fields in any case",
		"POST / HTTP/1.1\r\nhOST: a\r\ncontent-TYPE: t/t\r\ncontent-length: 1\r\n" END "x",
		false, TALK_OPEN, {{"200 OK", NULL, "t/t", "x"}}},
	{"a field without a value", "GET / HTTP/1.1\r\n" HOST "X:\r\n" END, false, TALK_OPEN,
		{OK_TEXT("GET / HTTP/1.1\nHost: a\nX: \n")}},
	{"no method is strange that is known", "M-SEARCH * HTTP/1.1\r\n" HOST END, false, TALK_OPEN,
		{OK_TEXT("M-SEARCH * HTTP/1.1\nHost: a\n")}},
	{"pipelined requests are answered in order",
		"GET /1 HTTP/1.1\r\n" HOST END "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "two"
		"GET /3 HTTP/1.1\r\n" HOST END, false, TALK_OPEN,
		{OK_TEXT("GET /1 HTTP/1.1\nHost: a\n"), OK_BYTES("two"),
			OK_TEXT("GET /3 HTTP/1.1\nHost: a\n")}},
	{"blank lines before a request", "\r\n\r\nGET / HTTP/1.1\r\n" HOST END "\r\n", true, TALK_FIN,
		{OK_TEXT("GET / HTTP/1.1\nHost: a\n")}},
	{"a chunked body, with extensions and trailers",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Type: a/b\r\n" END
		"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\nHost: b\r\n\r\nGET /n HTTP/1.1\r\n" HOST
		END, false, TALK_OPEN,
		{{"200 OK", NULL, "a/b", "abcdefg"}, OK_TEXT("GET /n HTTP/1.1\nHost: a\n")}},
	{"an empty chunked body is none",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked \r\n" END "0\r\n\r\n", false,
		TALK_OPEN, {OK_TEXT("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked \n")}},
	{"HEAD tells the length and not the body", "HEAD / HTTP/1.1\r\n" HOST END "GET / HTTP/1.1\r\n" HOST
		END, false, TALK_OPEN,
		{{"200 OK", NULL, "text/plain", "HEAD / HTTP/1.1\nHost: a\n", true},
			OK_TEXT("GET / HTTP/1.1\nHost: a\n")}},
	{"HEAD with a body", "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "abc", false, TALK_OPEN,
		{{"200 OK", NULL, "application/octet-stream", "abc", true}}},
	{"Connection: close ends it, and what follows is not read",
		"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n" END "GET /2 HTTP/1.1\r\n" HOST END,
		false, TALK_FIN, {OK_LAST("GET / HTTP/1.1\nHost: a\nConnection: close\n")}},
	{"HTTP/1.0 ends it", "GET / HTTP/1.0\r\n" END, false, TALK_FIN, {OK_LAST("GET / HTTP/1.0\n")}},
	{"HTTP/1.0 may keep it", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END, false, TALK_OPEN,
		{{"200 OK", "keep-alive", "text/plain",
			"GET / HTTP/1.0\nConnection: keep-alive\n"}}},
	{"the peer's end after a request", "GET / HTTP/1.1\r\n" HOST END, true, TALK_FIN,
		{OK_TEXT("GET / HTTP/1.1\nHost: a\n")}},
	{"the peer's end without a request", "", true, TALK_FIN, {{NULL}}},
	{"the peer's end within a request", "GET / HT", true, TALK_FIN,
		{REFUSED("400 Bad Request", "the request ended early")}},
	{"the peer's end within a body", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "ab", true,
		TALK_FIN, {REFUSED("400 Bad Request", "the request ended early")}},
	{"100-continue", "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n" END
		"ab", false, TALK_OPEN, {CONTINUE, OK_BYTES("ab")}},
	{"100-continue for a chunked body", "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
		"Transfer-Encoding: chunked\r\n" END "1\r\nx\r\n0\r\n\r\n", false, TALK_OPEN,
		{CONTINUE, OK_BYTES("x")}},
	{"100-continue is not for HTTP/1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
		"Content-Length: 2\r\n" END "ab", false, TALK_FIN,
		{{"200 OK", "close", "application/octet-stream", "ab"}}},
	{"100-continue without a body", "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n" END, false,
		TALK_OPEN, {OK_TEXT("GET / HTTP/1.1\nHost: a\nExpect: 100-continue\n")}},
	{"100-continue for what is too long", "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
		"Content-Length: 65\r\n" END, false, TALK_FIN,
		{REFUSED("413 Payload Too Large", "the body is longer than --max-message")}},
	{"another expectation", "GET / HTTP/1.1\r\n" HOST "Expect: miracles\r\n" END, false, TALK_FIN,
		{REFUSED("417 Expectation Failed", "expect 100-continue or nothing")}},
	{"an offer to upgrade is ignored", "GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n"
		END "GET /2 HTTP/1.1\r\n" HOST END, false, TALK_OPEN,
		{OK_TEXT("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\n"),
			OK_TEXT("GET /2 HTTP/1.1\nHost: a\n")}},

	{"no Host [RFC 9112 3.2]", "GET / HTTP/1.1\r\n" END, false, TALK_FIN,
		{REFUSED("400 Bad Request", "give one Host field")}},
	{"two Hosts", "GET / HTTP/1.1\r\n" HOST HOST END, false, TALK_FIN,
		{REFUSED("400 Bad Request", "give one Host field")}},
	{"no request line", "hello world\r\n", false, TALK_FIN,
		{REFUSED("400 Bad Request",
			"this is no request line of HTTP/1 with a known method")}},
	{"bytes that are no text", "\x16\x03\x01", false, TALK_FIN,
		{REFUSED("400 Bad Request", "this is no request line")}},
	{"a line without blanks", "GETAWAY\r\n", false, TALK_FIN,
		{REFUSED("400 Bad Request", "this is no request line")}},
	{"an unknown method", "FETCH /x HTTP/1.1\r\n" HOST END, false, TALK_FIN,
		{REFUSED("501 Not Implemented",
			"this is no request line of HTTP/1 with a known method")}},
	{"an unknown method that begins as a known one", "GETS /x HTTP/1.1\r\n" HOST END, false, TALK_FIN,
		{REFUSED("501 Not Implemented",
			"this is no request line of HTTP/1 with a known method")}},
	{"methods are case-sensitive", "get / HTTP/1.1\r\n" HOST END, false, TALK_FIN,
		{REFUSED("501 Not Implemented",
			"this is no request line of HTTP/1 with a known method")}},
	{"CONNECT", "CONNECT a:1 HTTP/1.1\r\n" HOST END, false, TALK_FIN,
		{REFUSED("501 Not Implemented", "this is no proxy")}},
	{"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false, TALK_FIN,
		{REFUSED("505 HTTP Version Not Supported",
			"this is no request line of HTTP/1 with a known method")}},
	{"HTTP/3.0", "GET / HTTP/3.0\r\n" HOST END, false, TALK_FIN,
		{REFUSED("505 HTTP Version Not Supported", "give HTTP/1.1")}},
	{"a transfer coding that is not here", "POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: gzip, chunked\r\n" END, false, TALK_FIN,
		{REFUSED("501 Not Implemented", "of the transfer codings there is only chunked")}},
	{"a transfer coding without an end [RFC 9112 6.3]", "POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked, gzip\r\n" END, false, TALK_FIN,
		{REFUSED("400 Bad Request", "the body's end cannot be known")}},
	{"a body of exactly --max-message", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 64\r\n" END
		"1234567890123456789012345678901234567890123456789012345678901234", false, TALK_OPEN,
		{OK_BYTES("1234567890123456789012345678901234567890123456789012345678901234")}},
	{"a body that is longer", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n" END "12", false,
		TALK_FIN, {REFUSED("413 Payload Too Large", "the body is longer than --max-message")}},
	{"a chunked body that gets longer", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END
		"30\r\n123456789012345678901234567890123456789012345678\r\n11\r\n12345678901234567\r\n",
		false, TALK_FIN,
		{REFUSED("413 Payload Too Large", "the body is longer than --max-message")}},
	{"HEAD refused for its target has no body", "HEAD on HTTP/1.1\r\n", false, TALK_FIN,
		{{"400 Bad Request", "close", "text/plain", "400 Bad Request: invalid URL\n", true}}},
	{"HEAD refused has no body", "HEAD / HTTP/1.1\r\n" END, false, TALK_FIN,
		{{"400 Bad Request", "close", "text/plain", "400 Bad Request: give one Host field\n",
			true}}},
	{"good requests before a bad one are answered", "GET / HTTP/1.1\r\n" HOST END "?\r\n", false,
		TALK_FIN, {OK_TEXT("GET / HTTP/1.1\nHost: a\n"),
			REFUSED("400 Bad Request", "this is no request line")}},
};

static char expected[EXPECTED_MAX];

/* What the replies look like on the wire. */
static uint32_t
render(const struct reply replies[])
{
	char *p = expected, *end = expected + sizeof(expected);

	for (size_t i = 0; i < REPLIES_MAX && replies[i].status != NULL; i++) {
		const struct reply *r = &replies[i];

		if (strcmp(r->status, "100") == 0) {
			p += snprintf(p, (size_t)(end - p), "HTTP/1.1 100 Continue\r\n\r\n");
			continue;
		}
		p += snprintf(p, (size_t)(end - p),
			"HTTP/1.1 %s\r\nServer: rill-echo\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			"Content-Length: %zu\r\n%s%s%sContent-Type: %s\r\n\r\n%s", r->status,
			strlen(r->body), r->connection != NULL ? "Connection: " : "",
			r->connection != NULL ? r->connection : "", r->connection != NULL ? "\r\n" : "",
			r->type, r->head ? "" : r->body);
		assert_true(p < end);
	}
	return (uint32_t)(p - expected);
}

static void
begin(uint32_t max_message)
{
	talk_begin("http");
	talk_end();
	talk_settings.max_message = max_message;
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
}

static void
talk_http(const struct http_talk *t)
{
	struct talk talk = {.name = t->name, .in = t->in, .in_len = (uint32_t)strlen(t->in),
		.eof = t->eof, .out = expected, .end = t->end};

	talk.out_len = render(t->replies);
	for (size_t i = 0; i < REPLIES_MAX && t->replies[i].status != NULL; i++)
		talk.messages += strncmp(t->replies[i].status, "200", 3) == 0;
	talk_all_ways(&talk);
}

static void
test_conversations(void **state)
{
	begin(MAX_MESSAGE);
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		talk_http(&talks[i]);
	talk_end();
}

/* Each request, and everything that is in the parser's way, in front of each other one that keeps the
 * connection: the state of one request never reaches the next. */
static void
test_requests_do_not_reach_into_each_other(void **state)
{
	size_t n = sizeof(talks) / sizeof(talks[0]);
	static char in[IN_MAX];

	begin(MAX_MESSAGE);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct http_talk both = talks[j];
			size_t k = 0, l = 0;

			if (talks[i].end != TALK_OPEN)
				continue;
			while (k < REPLIES_MAX && talks[i].replies[k].status != NULL)
				k++;
			while (k + l < REPLIES_MAX && talks[j].replies[l].status != NULL)
				l++;
			if (k + l == REPLIES_MAX)
				continue;
			memcpy(both.replies, talks[i].replies, k * sizeof(struct reply));
			memcpy(both.replies + k, talks[j].replies, l * sizeof(struct reply));
			snprintf(in, sizeof(in), "%s%s", talks[i].in, talks[j].in);
			both.in = in;

			struct talk talk = {.name = both.name, .in = in, .in_len = (uint32_t)strlen(in),
				.eof = both.eof, .out = expected, .end = both.end};

			talk.out_len = render(both.replies);
			talk_open(i * n + j, 40);
			for (uint32_t at = 0; at < talk.in_len; at += 100)
				fake_deliver(talk_chain(in + at,
					talk.in_len - at < 100 ? talk.in_len - at : 100, 33));
			if (talk.eof)
				fake_eof();
			talk_settle();
			if (fake.sent_len != talk.out_len ||
				memcmp(fake.sent, expected, talk.out_len) != 0)
				fail_msg("\"%s\" then \"%s\"", talks[i].name, talks[j].name);
			talk_close();
		}
	}
	talk_end();
}

/* A field, or a target, of a given length; the answer's status. */
static void
oversize(const char *before, const char *after, size_t len, const char *status)
{
	static char in[IN_MAX];
	size_t at = strlen(before);

	memcpy(in, before, at);
	memset(in + at, 'x', len);
	strcpy(in + at + len, after);
	for (uint64_t seed = 0; seed < 20; seed++) {
		talk_open(seed, seed % 3 * 30);
		for (uint32_t i = 0, n; in[i] != '\0'; i += n) {
			n = 1 + fake_random(4000);
			n = n < strlen(in + i) ? n : (uint32_t)strlen(in + i);
			fake_deliver(talk_chain(in + i, n, 1000));
		}
		talk_settle();
		assert_memory_equal(fake.sent + 9, status, 3);
		talk_close();
	}
}

static void
test_request_text_is_bounded(void **state)
{
	begin(MAX_MESSAGE);
	/* The text of this request is as long as it may be. */
	oversize("GET / HTTP/1.1\r\n" HOST "X: ", "\r\n\r\n",
		HTTP_HEADERS_MAX - strlen("GET / HTTP/1.1\nHost: a\nX: \n"), "200");
	oversize("GET / HTTP/1.1\r\n" HOST "X: ", "\r\n\r\n",
		HTTP_HEADERS_MAX - strlen("GET / HTTP/1.1\nHost: a\nX: \n") + 1, "431");
	oversize("GET / HTTP/1.1\r\n" HOST "X", ":\r\n\r\n", HTTP_HEADERS_MAX, "431");
	oversize("GET /", " HTTP/1.1\r\n\r\n", HTTP_HEADERS_MAX, "414");
	oversize("FETCH /", " HTTP/1.1\r\n\r\n", HTTP_HEADERS_MAX, "400");
	/* An answer's head has room for any type. */
	oversize("PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Type: ", "\r\n\r\nx", 16000, "200");
	talk_end();
}

/* Bodies beyond the send queue, one after another on one connection. */
static void
test_large_bodies(void **state)
{
	enum { BODY = 400000, EACH = BODY + 400 };
	char *in = malloc(2 * EACH), *out = malloc(2 * EACH), *body = malloc(BODY + 1);
	struct talk talk = {.name = "large bodies", .in = in, .out = out, .end = TALK_OPEN, .messages = 2};

	for (size_t i = 0; i < BODY; i++)
		body[i] = (char)('a' + i * 5 % 26 + i / 4099 % 4);
	body[BODY] = '\0';
	for (int i = 0; i < 2; i++) {
		talk.in_len += (uint32_t)snprintf(in + talk.in_len, EACH,
			"POST / HTTP/1.1\r\n" HOST "Content-Length: %d\r\n" END "%s", BODY, body);
		talk.out_len += (uint32_t)snprintf(out + talk.out_len, EACH,
			"HTTP/1.1 200 OK\r\nServer: rill-echo\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			"Content-Length: %d\r\nContent-Type: application/octet-stream\r\n\r\n%s", BODY,
			body);
	}
	begin(1u << 20);
	talk_all_ways(&talk);
	talk_end();
	free(body);
	free(out);
	free(in);
}

/* When the server is to stop: connections between two requests end at once, those within one after
 * its answer, which says so. */
static void
test_drain_ends_idle_connections(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST END;
	static char first_half[] = "GET / HTT";

	begin(MAX_MESSAGE);
	talk_open(0, 0);
	fake_deliver(talk_chain(request, sizeof(request) - 1, 100));
	talk_lane->draining = true;
	fake.in_callback = true;
	session_drain(NULL, NULL);
	assert_true(fake.fin);
	/* Once is enough. */
	session_drain(NULL, NULL);
	fake_eof();
	talk_settle();
	assert_true(fake.close_told);
	assert_int_equal(fake.end, FAKE_OPEN);
	talk_close();

	talk_open(0, 0);
	fake_deliver(talk_chain(request, 9, 100));
	assert_memory_equal(request, first_half, 9);
	fake.in_callback = true;
	session_drain(NULL, NULL);
	assert_false(fake.fin);
	fake_deliver(talk_chain(request + 9, sizeof(request) - 10, 100));
	assert_true(fake.fin);
	fake.sent[fake.sent_len] = '\0';
	assert_non_null(strstr((char *)fake.sent, "Connection: close\r\n"));
	talk_close();
	talk_end();
}

/* A peer that asks and does not read costs one answer. */
static void
test_unread_answers_are_bounded(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST END;

	begin(MAX_MESSAGE);
	talk_open(0, 0);
	fake.sndbuf = 2048;
	for (unsigned int i = 0; i < 2000; i++)
		fake_deliver(talk_chain(request, sizeof(request) - 1, 100));
	assert_true(fake.paused);
	assert_in_range(talk_lane->blocks.used, 1, 1);
	talk_settle();
	assert_int_equal(talk_lane->count.messages, 2000);
	talk_close();
	talk_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_requests_do_not_reach_into_each_other),
		cmocka_unit_test(test_request_text_is_bounded),
		cmocka_unit_test(test_large_bodies),
		cmocka_unit_test(test_drain_ends_idle_connections),
		cmocka_unit_test(test_unread_answers_are_bounded),
	};

	return cmocka_run_group_tests(tests, talk_setup, talk_teardown);
}
