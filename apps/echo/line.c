/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line: a message ends with "\n", and is echoed with it. One of more than --max-message bytes before
 * its "\n" is answered by a line that says so, and the end.
 */
#include <stddef.h>

#include "proto.h"
#include "session.h"

static void
line_refuse(struct session *s, bool too_long)
{
	if (too_long)
		ECHO_COUNT(s->lane, too_long);
	session_end(s, ENDING_LINGER, too_long ? s->lane->too_long :
		"error: no memory for unfinished messages (--hold)\n");
}

static const struct framing framing = {frame_scan_line, line_refuse};

static void
line_on_data(struct echo_lane *lane, struct rill_conn *conn, struct session *s, struct rte_mbuf *data)
{
	frame_on_data(&framing, lane, conn, s, data);
}

static void
line_on_sent(struct session *s)
{
	frame_on_sent(&framing, s);
}

const struct proto proto_line = {
	.name = "line",
	.on_data = line_on_data,
	.on_sent = line_on_sent,
	.on_eof = frame_on_eof,
	.is_resting = frame_is_resting,
};
