/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#include <rte_mbuf.h>

#include "chain.h"
#include "session.h"

struct frame_scan
frame_scan_line(struct frame *frame, const uint8_t *data, uint32_t n, uint32_t max_message)
{
	struct frame_scan scan = {0};
	const uint8_t *newline;

	while ((newline = memchr(data + scan.end, '\n', n - scan.end)) != NULL) {
		uint32_t part = (uint32_t)(newline - (data + scan.end));

		if (part > max_message - frame->have) {
			scan.too_long = true;
			return scan;
		}
		frame->have = 0;
		scan.messages++;
		scan.end += part + 1;
	}
	if (n - scan.end > max_message - frame->have)
		scan.too_long = true;
	else
		frame->have += n - scan.end;
	return scan;
}

#define LENGTH_HEADER 4

struct frame_scan
frame_scan_length(struct frame *frame, const uint8_t *data, uint32_t n, uint32_t max_message)
{
	struct frame_scan scan = {0};
	uint32_t i = 0;

	while (i < n) {
		if (frame->have < LENGTH_HEADER) {
			frame->header = frame->header << 8 | data[i++];
			if (++frame->have < LENGTH_HEADER)
				continue;
			if (frame->header > max_message) {
				scan.too_long = true;
				return scan;
			}
		} else {
			uint32_t part = n - i < frame->header ? n - i : frame->header;

			frame->header -= part;
			i += part;
		}
		if (frame->header == 0) {
			frame->have = 0;
			scan.messages++;
			scan.end = i;
		}
	}
	return scan;
}

/* Scans a chain as if it were one piece. */
static struct frame_scan
scan_chain(frame_scanner scan, struct frame *frame, const struct rte_mbuf *chain, uint32_t max_message)
{
	struct frame_scan all = {0};
	uint32_t base = 0;

	for (; chain != NULL && !all.too_long; chain = chain->next) {
		struct frame_scan one = scan(frame, rte_pktmbuf_mtod(chain, const uint8_t *),
			chain->data_len, max_message);

		if (one.messages > 0)
			all.end = base + one.end;
		all.messages += one.messages;
		all.too_long = one.too_long;
		base += chain->data_len;
	}
	return all;
}

/* Complete messages go out; the bytes after them are held. */
static void
take(const struct framing *framing, struct session *s, struct rte_mbuf *data,
	const struct frame_scan *scan)
{
	uint32_t end = scan->end;
	bool refused = scan->too_long;

	if (end > 0)
		session_say_bytes(s, &s->hold);
	if (!refused)
		refused = session_hold(s, data, end) != 0;
	if (end > 0) {
		chain_trim(data, end);
		session_say_mbuf(s, data);
	} else {
		rte_pktmbuf_free(data);
	}
	if (refused)
		framing->refuse(s, scan->too_long);
}

void
frame_on_data(const struct framing *framing, struct echo_lane *lane, struct rill_conn *conn,
	struct session *s, struct rte_mbuf *data)
{
	struct frame frame = {0};
	struct frame_scan scan;
	bool held = s != NULL && s->hold.len > 0;

	if (held)
		frame = s->u.frame;
	scan = scan_chain(framing->scan, &frame, data, lane->max_message);
	ECHO_COUNT_N(lane, messages, scan.messages);
	if (!held && scan.end == data->pkt_len && rill_send(conn, data) == 0)
		return;
	s = session_need(lane, conn);
	if (s == NULL) {
		rte_pktmbuf_free(data);
		return;
	}
	s->u.frame = frame;
	take(framing, s, data, &scan);
	session_run(s);
}

void
frame_on_sent(const struct framing *framing, struct session *s)
{
	struct rte_mbuf *data = s->in;
	struct frame_scan scan = scan_chain(framing->scan, &s->u.frame, data, s->lane->max_message);

	s->in = NULL;
	ECHO_COUNT_N(s->lane, messages, scan.messages);
	take(framing, s, data, &scan);
}

void
frame_on_eof(struct session *s)
{
	session_say_bytes(s, &s->hold);
}

bool
frame_is_resting(const struct session *s)
{
	return s->hold.len == 0;
}
