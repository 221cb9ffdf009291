/* SPDX-License-Identifier: BSD-3-Clause */
/* What `http` says. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http.h"
#include "session.h"

/* Status line and fixed fields: bounded by the longest status and numbers. */
#define HEAD_FIXED_MAX 512
static_assert(ECHO_SCRATCH_LEN >= HEAD_FIXED_MAX + HTTP_HEADERS_MAX, "any answer's head fits");

struct reply {
	uint16_t status;
	const char *type;
	uint32_t type_len;
	uint32_t body_len;       /* what Content-Length says */
	const char *connection;  /* the Connection field, line end included; or "" */
};

/* Writes the head into the lane's scratch; returns its length. */
static uint32_t
write_head(struct echo_lane *lane, const struct reply *reply)
{
	char *p = lane->scratch;
	size_t room = sizeof(lane->scratch);
	int n = snprintf(p, room,
		"HTTP/1.1 %u %s\r\nServer: rill-echo\r\nDate: %s\r\nContent-Length: %u\r\n%s"
		"Content-Type: ", reply->status,
		http_status_str((enum http_status)reply->status), lane->date, reply->body_len,
		reply->connection);

	assert(n > 0 && n + 4 <= HEAD_FIXED_MAX);
	memcpy(p + n, reply->type, reply->type_len);
	n += (int)reply->type_len;
	memcpy(p + n, "\r\n\r\n", 4);
	return (uint32_t)n + 4;
}

static const char *
connection_field(const struct http *h, bool close)
{
	if (close)
		return "Connection: close\r\n";
	return h->parser.http_minor == 0 ? "Connection: keep-alive\r\n" : "";
}

/* Says head and body with as few writes as can be. */
static void
say_body(struct session *s, uint32_t head_len, struct bytes *body)
{
	char *scratch = s->lane->scratch;

	if (body->len <= ECHO_SCRATCH_LEN - head_len) {
		uint32_t len = body->len;

		bytes_take(&s->lane->blocks, body, scratch + head_len);
		session_say(s, scratch, head_len + len);
		return;
	}
	session_say(s, scratch, head_len);
	session_say_bytes(s, body);
}

void
http_answer(struct session *s)
{
	struct echo_lane *lane = s->lane;
	struct http *h = &s->u.http;
	bool has_body = s->hold.len > 0, close = !h->keep_alive || lane->draining;
	struct reply reply = {
		.status = HTTP_STATUS_OK,
		.type = "text/plain",
		.type_len = sizeof("text/plain") - 1,
		.body_len = has_body ? s->hold.len : h->head_len,
		.connection = connection_field(h, close),
	};
	uint32_t n;

	if (has_body && h->type_len > 0) {
		reply.type = h->head + h->type_off;
		reply.type_len = h->type_len;
	} else if (has_body) {
		reply.type = "application/octet-stream";
		reply.type_len = sizeof("application/octet-stream") - 1;
	}
	n = write_head(lane, &reply);
	if (h->parser.method == HTTP_HEAD) {
		bytes_drop(&lane->blocks, &s->hold, s->hold.len);
		session_say(s, lane->scratch, n);
	} else if (has_body) {
		say_body(s, n, &s->hold);
	} else {
		memcpy(lane->scratch + n, h->head, h->head_len);
		session_say(s, lane->scratch, n + h->head_len);
	}
	ECHO_COUNT(lane, messages);
	if (close && s->ending == ENDING_NONE)
		session_end(s, ENDING_LINGER, NULL);
}

/*
 * Is the request that is refused a HEAD, whose answer has no body? The parser guesses a method from its
 * first letter; it is sure once the target has begun, which is told late if the target is what is wrong.
 */
static bool
refuses_head(const struct http *h)
{
	return h->parser.method == HTTP_HEAD && !h->strange &&
		(h->piece != HTTP_PIECE_NONE || HTTP_PARSER_ERRNO(&h->parser) == HPE_INVALID_URL);
}

void
http_refuse(struct session *s)
{
	struct echo_lane *lane = s->lane;
	struct http *h = &s->u.http;
	char text[HEAD_FIXED_MAX];
	int len = snprintf(text, sizeof(text), "%u %s: %s\n", h->status,
		http_status_str((enum http_status)h->status), h->reason);
	struct reply reply = {
		.status = h->status,
		.type = "text/plain",
		.type_len = sizeof("text/plain") - 1,
		.body_len = (uint32_t)len,
		.connection = "Connection: close\r\n",
	};
	uint32_t n = write_head(lane, &reply);

	ECHO_COUNT(lane, http_refused);
	if (h->status == HTTP_STATUS_PAYLOAD_TOO_LARGE)
		ECHO_COUNT(lane, too_long);
	if (!refuses_head(h)) {
		memcpy(lane->scratch + n, text, (size_t)len);
		n += (uint32_t)len;
	}
	session_say(s, lane->scratch, n);
	if (s->ending == ENDING_NONE)
		session_end(s, ENDING_LINGER, NULL);
}

void
http_continue(struct session *s)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	session_say(s, text, sizeof(text) - 1);
}
