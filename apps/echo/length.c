/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * length: a message is a big-endian 32-bit length and that many bytes; it is echoed with its length.
 * One of more than --max-message bytes ends the connection by RST: no answer could be framed.
 */
#include <stddef.h>

#include "proto.h"
#include "session.h"

static void
length_refuse(struct session *s, bool too_long)
{
	if (too_long)
		ECHO_COUNT(s->lane, too_long);
	session_end(s, ENDING_ABORT, NULL);
}

static const struct framing framing = {frame_scan_length, length_refuse};

static void
length_on_data(struct echo_lane *lane, struct rill_conn *conn, struct session *s, struct rte_mbuf *data)
{
	frame_on_data(&framing, lane, conn, s, data);
}

static void
length_on_sent(struct session *s)
{
	frame_on_sent(&framing, s);
}

const struct proto proto_length = {
	.name = "length",
	.on_data = length_on_data,
	.on_sent = length_on_sent,
	.on_eof = frame_on_eof,
	.is_resting = frame_is_resting,
};
