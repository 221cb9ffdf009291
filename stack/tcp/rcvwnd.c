/* SPDX-License-Identifier: BSD-3-Clause */
#include "rcvwnd.h"

#include "headers.h"

uint16_t
rcvwnd_mss_to_offer(const struct tcp *tcp, const struct rill_options *options, uint8_t family)
{
	uint32_t mtu = family == AF_INET6 ? tcp->netif->mtu6 : tcp->netif->mtu;
	uint32_t mss = mtu - (uint32_t)headers_ip_len(family) - TCP_HEADER_LEN;

	if (options->mss != 0 && (uint32_t)options->mss < mss)
		mss = (uint32_t)options->mss;
	return (uint16_t)mss;
}

unsigned int
rcvwnd_scale_for(uint32_t rcvbuf)
{
	unsigned int shift = 0;

	while (shift < TCP_WSCALE_MAX && rcvbuf >> shift > 65535)
		shift++;
	return shift;
}

uint32_t
rcvwnd_space(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t rcvbuf = (uint32_t)conn_options(tcp, conn)->rcvbuf;
	uint32_t used = (conn->flags & CONN_APP_CLOSED) ? 0 : conn->unread, space;
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar != NULL) {
		used += sidecar->kept_bytes;
		/* Small segments that wait must not pin many times their bytes. */
		if (sidecar->kept_true / TCP_TRUE_FACTOR > used)
			used = sidecar->kept_true / TCP_TRUE_FACTOR;
	}
	/* What is kept pins buffers: while they are scarce the window stops opening. */
	if (tcp_windows_held(tcp))
		return 0;
	space = used < rcvbuf ? rcvbuf - used : 0;
	return RTE_MIN(space, 65535u << conn->rcv_wscale); /* what the field can say */
}

uint32_t
rcvwnd_step(const struct tcp *tcp, const struct rill_options *options, uint8_t family)
{
	uint32_t half = (uint32_t)options->rcvbuf / 2;
	uint32_t mss = rcvwnd_mss_to_offer(tcp, options, family);

	return half < mss ? half : mss;
}

/* What the right edge may grow by now; negative where more is offered than there is room. */
static int32_t
window_growth(const struct tcp *tcp, const struct rill_conn *conn)
{
	return seq_diff(seq_add(conn->rcv_nxt, rcvwnd_space(tcp, conn)), conn->rcv_adv);
}

uint16_t
rcvwnd_advertise(struct tcp *tcp, struct rill_conn *conn)
{
	int32_t space = (int32_t)rcvwnd_space(tcp, conn);
	int32_t offered = seq_diff(conn->rcv_adv, conn->rcv_nxt), growth = space - offered;
	uint32_t open, field, shift = conn->rcv_wscale, unit = 1u << shift;

	if (growth > 0 && (uint32_t)growth >= conn_window_step(tcp, conn)) {
		conn->rcv_adv = seq_add(conn->rcv_nxt, (uint32_t)space);
		offered = space;
		growth = 0;
	}
	open = (uint32_t)RTE_MAX(offered, 0);
	/*
	 * The field rounds: up, so that the edge does not move back by what the shift cuts off [7323
	 * 2.4]; but not once more than a unit is offered that is not there, or each ACK would open
	 * the window of a paused application a little more.
	 */
	field = (open + (growth > -(int32_t)unit ? unit - 1 : 0)) >> shift;
	if (field > 65535)
		field = 65535;
	if (field << shift > open)
		conn->rcv_adv = seq_add(conn->rcv_nxt, field << shift);
	return (uint16_t)field;
}

__rte_cold void
rcvwnd_reopen(struct tcp *tcp)
{
	for (unsigned int n = 0; n < TCP_REOPENS_PER_TURN && tcp->reopen_left > 0; n++) {
		struct rill_conn *conn;

		if (tcp->reopen_next >= tcp->conns.fresh)
			tcp->reopen_next = 0;
		conn = tcp_conn_at(tcp, tcp->reopen_next++);
		tcp->reopen_left--;
		if ((conn->flags & (CONN_LIVE | CONN_ENDED | CONN_FINISHED)) != CONN_LIVE ||
			!conn_can_receive(conn) || !rcvwnd_update_due(tcp, conn))
			continue;
		conn->flags |= CONN_WINDOW_UPDATE;
		conn_mark_dirty(tcp, conn);
	}
}

bool
rcvwnd_update_due(const struct tcp *tcp, const struct rill_conn *conn)
{
	int32_t growth = window_growth(tcp, conn);
	int32_t open = seq_diff(conn->rcv_adv, conn->rcv_nxt);

	return growth > 0 && (uint32_t)growth >= conn_window_step(tcp, conn) &&
	       open <= conn_options(tcp, conn)->rcvbuf / 2;
}
