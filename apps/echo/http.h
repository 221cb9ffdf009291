/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_HTTP_H
#define ECHO_HTTP_H

/*
 * What `http` knows of a connection: the parser, and the request in progress.
 *
 * The text of a request (method, target, version and fields, one per line) is collected in one piece
 * in a buffer of the lane's `heads`, which the connection has only while a request is in progress: it
 * is where fields are looked at, and the body of the answer if the request has none.
 */

#include <stdbool.h>
#include <stdint.h>

#include <http_parser.h>

/* The text of one request: more is answered by 414 (its target alone) or 431. */
#define HTTP_HEADERS_MAX 16384

struct session;

enum http_piece { HTTP_PIECE_NONE, HTTP_PIECE_TARGET, HTTP_PIECE_NAME, HTTP_PIECE_VALUE };

struct http {
	struct http_parser parser;
	char *head;          /* HTTP_HEADERS_MAX bytes; NULL between requests */
	uint16_t head_len;   /* bytes of it in use */
	uint16_t name_off;   /* where the last field's name begins */
	uint16_t value_off;  /* and its value */
	uint16_t type_off, type_len; /* the value of Content-Type; length 0: none */
	uint16_t status;     /* the request is refused by this; 0: it is not */
	const char *reason;  /* why, in words */
	enum http_piece piece : 8; /* what was collected last */
	uint8_t hosts;       /* Host fields, 2 meaning more than one */
	uint8_t codings;     /* Transfer-Encoding fields, 2 meaning more than one */
	bool chunked_only;   /* the last of them is "chunked" alone */
	bool chunked_last;   /* it ends with "chunked" */
	bool expects;        /* Expect: 100-continue */
	bool expects_other;  /* Expect: anything else */
	bool fields_done;    /* what follows is body and trailers */
	bool complete;       /* the request has come in whole */
	bool keep_alive;
	bool strange;        /* a method that the parser does not know: its line is being collected */
};

/* http_reply.c. Answers the request that is complete. */
void http_answer(struct session *s);

/* Answers by s->u.http.status, and ends. */
void http_refuse(struct session *s);

/* Says that the body may come [9110 10.1.1]. */
void http_continue(struct session *s);

/* http_line.c. Whether a method may contain this byte: a tchar [9110 5.6.2]. */
bool http_is_tchar(char c);

/* The status for a request line (the end of its method first) whose method the parser refused: 501 if
 * it is a request line of HTTP/1 otherwise, 505 if it is one of another version, else 400. */
uint16_t http_line_status(const char *line, uint32_t len);

/* The value's comma-separated list ends with this token; *alone: it is the only one. */
bool http_list_ends_with(const char *value, uint32_t len, const char *token, bool *alone);

#endif
