/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * raw: bytes as they come. The very mbuf that was received is sent; there is no message, so there is
 * no limit but the send queue: while it is full, reading is paused.
 */
#include <stddef.h>

#include <rte_mbuf.h>

#include "proto.h"
#include "session.h"

static void
raw_on_data(struct echo_lane *lane, struct rill_conn *conn, struct session *s, struct rte_mbuf *data)
{
	ECHO_COUNT(lane, messages);
	if (rill_send(conn, data) == 0)
		return;
	s = session_need(lane, conn);
	if (s == NULL) {
		rte_pktmbuf_free(data);
		return;
	}
	session_say_mbuf(s, data);
	session_run(s);
}

static void
raw_on_sent(struct session *s)
{
	session_say_mbuf(s, s->in);
	s->in = NULL;
	ECHO_COUNT(s->lane, messages);
}

static bool
raw_is_resting(const struct session *s)
{
	return true;
}

const struct proto proto_raw = {
	.name = "raw",
	.on_data = raw_on_data,
	.on_sent = raw_on_sent,
	.is_resting = raw_is_resting,
};
