/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_FRAME_H
#define ECHO_FRAME_H

/*
 * Framing: where messages end in a stream of bytes. What `line` and `length` share.
 *
 * Messages that are complete within what just arrived go back in the very mbufs; only the bytes of
 * the one that is unfinished at the end are copied, into the session's hold, and written from there
 * once the rest has come.
 */

#include <stdbool.h>
#include <stdint.h>

struct echo_lane;
struct rill_conn;
struct rte_mbuf;
struct session;

/* How far the scan is within a message; all zero between two. */
struct frame {
	uint32_t have;   /* line: its bytes so far; length: the header's bytes so far */
	uint32_t header; /* length: the header's value so far, then the message's missing bytes */
};

struct frame_scan {
	uint32_t end;      /* the last message that got complete ends before this byte; 0: none did */
	uint32_t messages; /* how many got complete */
	bool too_long;     /* the message after them is longer than allowed */
};

/* Scans n bytes that follow those scanned before. */
typedef struct frame_scan (*frame_scanner)(
	struct frame *frame, const uint8_t *data, uint32_t n, uint32_t max_message);

struct frame_scan frame_scan_line(
	struct frame *frame, const uint8_t *data, uint32_t n, uint32_t max_message);
struct frame_scan frame_scan_length(
	struct frame *frame, const uint8_t *data, uint32_t n, uint32_t max_message);

/* What a protocol of frames is made of. */
struct framing {
	frame_scanner scan;
	void (*refuse)(struct session *s, bool too_long); /* else: no memory to hold it */
};

/* on_data and on_sent of such a protocol. */
void frame_on_data(const struct framing *framing, struct echo_lane *lane, struct rill_conn *conn,
	struct session *s, struct rte_mbuf *data);
void frame_on_sent(const struct framing *framing, struct session *s);

/* on_eof and is_resting: an unfinished message is echoed as it is. */
void frame_on_eof(struct session *s);
bool frame_is_resting(const struct session *s);

#endif
