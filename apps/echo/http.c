/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http: HTTP/1.1 [9110, 9112]. Each request is answered by its body, or by its own text if it has
 * none. One request is read at a time: the parser stops at its end, the answer is queued, and reading
 * goes on once nothing waits to be sent, so that pipelined requests are answered in order and a peer
 * that does not read costs one answer.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

#include <rte_mbuf.h>

#include "chain.h"
#include "proto.h"
#include "session.h"

static struct session *
session_of(http_parser *parser)
{
	return parser->data;
}

/* The request is refused; the value stops the parser. */
static int
refuse(struct http *h, uint16_t status, const char *reason)
{
	h->status = status;
	h->reason = reason;
	return -1;
}

static int
put(struct http *h, const char *data, size_t n)
{
	if (n > HTTP_HEADERS_MAX - (size_t)h->head_len) {
		if (h->piece == HTTP_PIECE_TARGET)
			return refuse(h, HTTP_STATUS_URI_TOO_LONG, "the request's target is too long");
		return refuse(h, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
			"the request's fields are too long");
	}
	memcpy(h->head + h->head_len, data, n);
	h->head_len += (uint16_t)n;
	return 0;
}

static int
put_text(struct http *h, const char *text)
{
	return put(h, text, strlen(text));
}

static int
begin(struct session *s)
{
	struct http *h = &s->u.http;

	if (h->head == NULL)
		h->head = pool_get(&s->lane->heads);
	if (h->head == NULL)
		return refuse(h, HTTP_STATUS_SERVICE_UNAVAILABLE, "no room for one more request");
	h->head_len = 0;
	return 0;
}

static int
on_message_begin(http_parser *parser)
{
	return begin(session_of(parser));
}

static int
on_url(http_parser *parser, const char *at, size_t n)
{
	struct http *h = &session_of(parser)->u.http;

	if (h->piece == HTTP_PIECE_NONE) {
		h->piece = HTTP_PIECE_TARGET;
		if (put_text(h, http_method_str((enum http_method)parser->method)) != 0 ||
			put_text(h, " ") != 0)
			return -1;
	}
	return put(h, at, n);
}

/* " HTTP/1.1" */
static int
end_request_line(http_parser *parser, struct http *h)
{
	char version[] = " HTTP/?.?\n";

	version[6] = (char)('0' + parser->http_major % 10);
	version[8] = (char)('0' + parser->http_minor % 10);
	/* Beyond the target, what is too long are the fields. */
	h->piece = HTTP_PIECE_VALUE;
	return put_text(h, version);
}

static bool
is_named(const struct http *h, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(h->value_off - h->name_off) == n + 2 &&
		strncasecmp(h->head + h->name_off, name, n) == 0;
}

/* A field is complete: "name: value" lies at name_off. */
static int
end_field(struct http *h)
{
	const char *value = h->head + h->value_off;
	uint16_t len = (uint16_t)(h->head_len - h->value_off);
	bool alone;

	if (is_named(h, "content-type")) {
		h->type_off = h->value_off;
		h->type_len = len;
	} else if (is_named(h, "host")) {
		h->hosts = h->hosts == 0 ? 1 : 2;
	} else if (is_named(h, "transfer-encoding")) {
		h->codings = h->codings == 0 ? 1 : 2;
		h->chunked_last = http_list_ends_with(value, len, "chunked", &alone);
		h->chunked_only = h->chunked_last && alone;
	} else if (is_named(h, "expect")) {
		if (http_list_ends_with(value, len, "100-continue", &alone) && alone)
			h->expects = true;
		else
			h->expects_other = true;
	}
	return put_text(h, "\n");
}

static int
on_header_field(http_parser *parser, const char *at, size_t n)
{
	struct http *h = &session_of(parser)->u.http;

	if (h->fields_done)
		return 0; /* trailers */
	if (h->piece == HTTP_PIECE_TARGET) {
		if (end_request_line(parser, h) != 0)
			return -1;
		h->name_off = h->head_len;
	} else if (h->piece == HTTP_PIECE_VALUE) {
		if (end_field(h) != 0)
			return -1;
		h->name_off = h->head_len;
	}
	h->piece = HTTP_PIECE_NAME;
	return put(h, at, n);
}

static int
on_header_value(http_parser *parser, const char *at, size_t n)
{
	struct http *h = &session_of(parser)->u.http;

	if (h->fields_done)
		return 0;
	if (h->piece == HTTP_PIECE_NAME) {
		h->piece = HTTP_PIECE_VALUE;
		if (put_text(h, ": ") != 0)
			return -1;
		h->value_off = h->head_len;
	}
	return put(h, at, n);
}

/* What the fields ask for that is wrong, or not here. */
static int
check(const struct session *s, struct http *h)
{
	const http_parser *parser = &h->parser;
	bool old = parser->http_minor == 0;

	if (parser->http_major != 1)
		return refuse(h, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED, "give HTTP/1.1");
	if (parser->method == HTTP_CONNECT)
		return refuse(h, HTTP_STATUS_NOT_IMPLEMENTED, "this is no proxy");
	if (h->hosts != 1 && !(old && h->hosts == 0)) /* [9112 3.2] */
		return refuse(h, HTTP_STATUS_BAD_REQUEST, "give one Host field");
	if (h->codings > 0 && (old || !h->chunked_last)) /* [9112 6.1, 6.3] */
		return refuse(h, HTTP_STATUS_BAD_REQUEST, "the body's end cannot be known");
	if (h->codings > 1 || (h->codings == 1 && !h->chunked_only)) /* [9112 6.1] */
		return refuse(h, HTTP_STATUS_NOT_IMPLEMENTED,
			"of the transfer codings there is only chunked");
	if (h->codings == 0 && (parser->flags & F_CONTENTLENGTH) != 0 &&
		parser->content_length > s->lane->max_message)
		return refuse(h, HTTP_STATUS_PAYLOAD_TOO_LARGE,
			"the body is longer than --max-message");
	if (h->expects_other && !old) /* [9110 10.1.1] */
		return refuse(h, HTTP_STATUS_EXPECTATION_FAILED, "expect 100-continue or nothing");
	return 0;
}

static int
on_headers_complete(http_parser *parser)
{
	struct session *s = session_of(parser);
	struct http *h = &s->u.http;
	bool has_body;

	if (h->piece == HTTP_PIECE_TARGET) {
		if (end_request_line(parser, h) != 0)
			return -1;
	} else if (end_field(h) != 0) {
		return -1;
	}
	h->fields_done = true;
	if (check(s, h) != 0)
		return -1;
	has_body = h->codings > 0 || (parser->flags & F_CONTENTLENGTH && parser->content_length > 0);
	if (h->expects && parser->http_minor > 0 && has_body)
		http_continue(s);
	return 0;
}

static int
on_body(http_parser *parser, const char *at, size_t n)
{
	struct session *s = session_of(parser);
	struct http *h = &s->u.http;

	if (n > s->lane->max_message - s->hold.len)
		return refuse(h, HTTP_STATUS_PAYLOAD_TOO_LARGE,
			"the body is longer than --max-message");
	if (bytes_append(&s->lane->blocks, &s->hold, at, (uint32_t)n) != 0) {
		ECHO_COUNT(s->lane, no_hold);
		return refuse(h, HTTP_STATUS_SERVICE_UNAVAILABLE,
			"no memory for unfinished requests (--hold)");
	}
	return 0;
}

static int
on_message_complete(http_parser *parser)
{
	struct http *h = &session_of(parser)->u.http;

	h->complete = true;
	h->keep_alive = http_should_keep_alive(parser) != 0;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings parser_settings = {
	.on_message_begin = on_message_begin,
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

/* Begins the next request anew. */
static void
reset(struct session *s)
{
	struct http *h = &s->u.http;

	if (h->head != NULL)
		pool_put(&s->lane->heads, h->head);
	memset(h, 0, sizeof(*h));
	http_parser_init(&h->parser, HTTP_REQUEST);
	h->parser.data = s;
}

static void
http_on_start(struct session *s)
{
	reset(s);
}

static void
http_on_end(struct session *s)
{
	if (s->u.http.head != NULL)
		pool_put(&s->lane->heads, s->u.http.head);
	s->u.http.head = NULL;
}

/* The rest of a line whose method the parser refused: what it is answered by shows at its end. */
static void
strange_line(struct session *s)
{
	struct http *h = &s->u.http;
	const struct rte_mbuf *m = s->in;
	const char *p = rte_pktmbuf_mtod(m, const char *);
	bool in_method = h->head_len == 0 || memchr(h->head, ' ', h->head_len) == NULL;
	uint32_t i;

	for (i = 0; i < m->data_len && h->status == 0; i++) {
		if (p[i] == ' ')
			in_method = false;
		if ((in_method && !http_is_tchar(p[i])) || h->head_len == HTTP_HEADERS_MAX) {
			refuse(h, HTTP_STATUS_BAD_REQUEST, "this is no request line");
			break;
		}
		h->head[h->head_len++] = p[i];
		if (p[i] == '\n')
			refuse(h, http_line_status(h->head, h->head_len),
				"this is no request line of HTTP/1 with a known method");
	}
	s->in = chain_skip(s->in, i);
}

static void
parser_failed(struct session *s, enum http_errno error)
{
	struct http *h = &s->u.http;

	if (h->status != 0)
		return;
	if (error == HPE_INVALID_METHOD) {
		h->strange = begin(s) == 0;
		return;
	}
	if (error == HPE_HEADER_OVERFLOW)
		refuse(h, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
			"the request's fields are too long");
	else
		refuse(h, HTTP_STATUS_BAD_REQUEST, http_errno_description(error));
}

static void
parse(struct session *s)
{
	struct http *h = &s->u.http;
	struct rte_mbuf *m = s->in;
	size_t used = http_parser_execute(
		&h->parser, &parser_settings, rte_pktmbuf_mtod(m, const char *), m->data_len);
	enum http_errno error = HTTP_PARSER_ERRNO(&h->parser);

	s->in = chain_skip(m, (uint32_t)used);
	if (error == HPE_PAUSED) {
		http_answer(s);
		reset(s);
	} else if (error != HPE_OK) {
		parser_failed(s, error);
	}
}

static void
http_on_sent(struct session *s)
{
	struct http *h = &s->u.http;

	if (h->strange)
		strange_line(s);
	else
		parse(s);
	if (h->status != 0)
		http_refuse(s);
}

static void
http_on_data(struct echo_lane *lane, struct rill_conn *conn, struct session *s, struct rte_mbuf *data)
{
	s = session_need(lane, conn);
	if (s == NULL) {
		rte_pktmbuf_free(data);
		return;
	}
	s->in = data;
	session_run(s);
}

static bool
http_is_resting(const struct session *s)
{
	return s->u.http.head == NULL;
}

static void
http_on_eof(struct session *s)
{
	if (http_is_resting(s))
		return;
	refuse(&s->u.http, HTTP_STATUS_BAD_REQUEST, "the request ended early");
	http_refuse(s);
}

const struct proto proto_http = {
	.name = "http",
	.on_data = http_on_data,
	.on_sent = http_on_sent,
	.on_eof = http_on_eof,
	.is_over = http_is_resting,
	.is_resting = http_is_resting,
	.on_start = http_on_start,
	.on_end = http_on_end,
};
