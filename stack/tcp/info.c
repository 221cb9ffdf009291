/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application can ask and set [9293 3.10.6]. */
#include <errno.h>

#include "loss.h"
#include "misuse.h"
#include "open.h"
#include "options.h"
#include "pace.h"
#include "tcp.h"
#include "timers.h"
#include "txq.h"
#include "uto.h"

static void
info_endpoints(const struct rill_conn *conn, struct rill_conn_info *info)
{
	info->local.addr = tuple_local(&conn->key, &conn->addrs6);
	info->remote.addr = tuple_remote(&conn->key, &conn->addrs6);
	info->local.port = rte_be_to_cpu_16(conn->key.lport);
	info->remote.port = rte_be_to_cpu_16(conn->key.rport);
}

int
rill_conn_info(struct rill_conn *conn, struct rill_conn_info *info)
{
	const struct tcp *tcp = conn_tcp(conn);
	const struct sidecar *sidecar;

	MISUSE_CHECK(conn, -ENOTCONN);
	*info = (struct rill_conn_info){0};
	info_endpoints(conn, info);
	info->state = (enum rill_state)conn->state;
	sidecar = conn_sidecar(tcp, conn);
	info->congestion_control = cc_ops(conn->cc.algorithm)->name;
	info->cwnd = conn->cc.cwnd;
	info->ssthresh = conn->cc.ssthresh;
	info->flight = loss_flight(tcp, conn);
	info->srtt_us = conn->rtt.srtt_us;
	info->rttvar_us = conn->rtt.rttvar_us;
	info->rto_us = timers_rto_us(tcp, conn);
	info->mss = conn->mss;
	info->snd_wnd = conn->snd_wnd;
	info->rcv_wnd =
		seq_gt(conn->rcv_adv, conn->rcv_nxt) ? conn->rcv_adv.n - conn->rcv_nxt.n : 0;
	info->snd_queued = conn->txq_bytes;
	info->snd_unsent = txq_unsent_bytes(conn);
	info->rcv_queued = sidecar != NULL ? sidecar->kept_bytes : 0;
	info->rcv_unread = (conn->flags & CONN_APP_CLOSED) ? 0 : conn->unread;
	info->out_of_order = sidecar != NULL ? sidecar->ranges_bytes : 0;
	info->retransmits = conn->retransmits;
	info->retries = conn->retries;
	info->in_recovery = (conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)) != 0;
	info->sack = (conn->flags & CONN_SACK) != 0;
	info->timestamps = (conn->flags & CONN_TS) != 0;
	info->ecn = (conn->modes & MODE_ECN) != 0;
	info->snd_wscale = conn->snd_wscale;
	info->rcv_wscale = conn->rcv_wscale;
	info->bytes_in = (uint64_t)conn->bytes_in_high << 32 | conn->bytes_in_low;
	info->bytes_out = (uint64_t)conn->bytes_out_high << 32 | conn->bytes_out_low;
	info->error = conn->error;
	conn->error = 0;
	return 0;
}

/* Does the SYN settle it? One that is sent again must not say something else. (The user timeout, which
 * it tells as well, may change at any time [5482 3.2].) */
static bool
is_in_handshake(enum rill_option option)
{
	return option == RILL_OPT_mss || option == RILL_OPT_rcvbuf ||
	       option == RILL_OPT_window_scale || option == RILL_OPT_sack ||
	       option == RILL_OPT_timestamps || option == RILL_OPT_ecn;
}

int
rill_set(struct rill_conn *conn, enum rill_option option, int32_t value)
{
	struct tcp *tcp = conn_tcp(conn);
	struct rill_options options;
	int rc, set;

	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & (CONN_ENDED | CONN_FINISHED))
		return -ENOTCONN;
	if (!conn_is_synchronized(conn) && is_in_handshake(option))
		return -EBUSY;
	options = *conn_options(tcp, conn);
	rc = options_set(&options, option, value);
	if (rc != 0)
		return rc;
	set = option_set_get(tcp, &options);
	if (set < 0)
		return set;
	option_set_put(tcp, conn->option_set);
	conn->option_set = (uint8_t)set;
	if (option == RILL_OPT_congestion_control)
		pace_choose(tcp, conn, (unsigned int)value, 0);
	if (option == RILL_OPT_user_timeout_ms || option == RILL_OPT_user_timeout_option)
		uto_changed(tcp, conn);
	/* Deadlines and what may be sent depend on options. */
	timers_review(tcp, conn);
	conn->flags |= CONN_WINDOW_UPDATE;
	conn_mark_dirty(tcp, conn);
	return 0;
}

void *
rill_conn_user(const struct rill_conn *conn)
{
	(void)conn_tcp(conn); /* asserts whose it is */
	return conn->user;
}

void
rill_conn_set_user(struct rill_conn *conn, void *user)
{
	(void)conn_tcp(conn); /* asserts whose it is */
	conn->user = user;
}

struct rill_lane *
rill_conn_lane(const struct rill_conn *conn)
{
	return conn_tcp(conn)->lane;
}
