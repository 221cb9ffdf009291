/* SPDX-License-Identifier: BSD-3-Clause */
#include "tso.h"

#include "headers.h"
#include "loss.h"
#include "pace.h"
#include "txq.h"

/* i40e and its like take shorter segments for an attack, and igb refuses longer ones (seen in the
 * limits of DPDK 22.11's drivers). */
#define TSO_MSS_LEAST 256
#define TSO_MSS_MOST 9216

/* What IP's length field can say, and drivers take with the link header. */
#define TSO_FRAME_MAX 65535u

/* What has to leave first, or alone. */
#define TSO_FLAGS_UNFIT (CONN_TLP | CONN_PUSH_OUT | CONN_PROBING)
#define TSO_MODES_UNFIT (MODE_CWR_DUE | MODE_UTO_DUE)
#define TSO_SIDECAR_UNFIT (SIDECAR_URG_OUT | SIDECAR_DSACK)

/* The references that trains consist of are buffers of the control pool, which has them for so many
 * trains that wait for the port. */
static bool
is_room_for_another(const struct tcp *tcp)
{
	const struct tso *tso = &tcp->tso;

	return tso->count < TSO_WAITING_MAX ||
	       !outbox_waiting(tcp->outbox, tso->tickets[tso->count % TSO_WAITING_MAX]);
}

bool
tso_is_possible(const struct tcp *tcp, const struct rill_conn *conn, uint32_t mss)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return (tcp->netif->caps & NETIF_TX_TSO) && mss >= TSO_MSS_LEAST && mss <= TSO_MSS_MOST &&
	       !(conn->flags & TSO_FLAGS_UNFIT) && !(conn->modes & TSO_MODES_UNFIT) &&
	       (sidecar == NULL || !(sidecar->flags & TSO_SIDECAR_UNFIT)) && is_room_for_another(tcp);
}

void
tso_sent(struct tcp *tcp, uint32_t ticket)
{
	tcp->tso.tickets[tcp->tso.count++ % TSO_WAITING_MAX] = ticket;
	if (tcp->tso.count == 2 * TSO_WAITING_MAX) /* it only says where the next one goes */
		tcp->tso.count = TSO_WAITING_MAX;
	tcp->counters->tso_frames++;
}

/* The first record behind the train. */
static uint32_t
behind(const struct tcp *tcp, const struct train *train)
{
	uint32_t index = train->index;

	for (unsigned int i = 0; i < train->count; i++)
		index = tcp_record_at(tcp, index)->next;
	return index;
}

/*
 * One more segment of len bytes, from *index on, which then is what follows it. Returns false if it takes
 * more pieces than the port chains, or no record is left to cut one.
 */
static bool
add_segment(struct tcp *tcp, struct rill_conn *conn, struct train *train, uint32_t *index, uint32_t len)
{
	unsigned int room = tcp->netif->tso_chain_max - 1u, count = 0;
	uint32_t left = len, next = *index;

	room = room > train->count ? room - train->count : 0;
	room = RTE_MIN(room, tcp->netif->tx_chain_max - 1u);
	for (; left > 0; count++) {
		const struct record *record = tcp_record_at(tcp, next);

		if (count == room || (record->len > left && !txq_split(tcp, conn, next, left)))
			return false;
		left -= record->len;
		next = record->next;
	}
	train->count += count;
	train->segments++;
	train->len += len;
	*index = next;
	return true;
}

/* Payload bytes that windows leave to the train, its first segment included. */
static uint32_t
windows_allow(const struct tcp *tcp, const struct rill_conn *conn, uint32_t mss)
{
	int32_t usable = seq_diff(seq_add(conn->snd_una, conn->snd_wnd), conn->snd_nxt);
	uint32_t flight = loss_flight(tcp, conn), cwnd = conn->cc.cwnd;
	uint32_t window = flight < cwnd ? cwnd - flight : 0, half = RTE_MAX(cwnd / 2, 2 * mss);

	/* Half of cwnd at most: while one train is on its way, ACKs of another come. */
	window = RTE_MIN(window, half);
	return RTE_MIN(window, usable > 0 ? (uint32_t)usable : 0);
}

/* May less than a full segment leave behind full ones? As small_segment_may_leave has it. */
static bool
tail_may_leave(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct rill_options *options = conn_options(tcp, conn);

	return (conn->flags & CONN_FIN_QUEUED) || (options->nodelay && !options->cork);
}

/* Where the connection paces: would the next segment be let go, behind those of the train? */
static bool
pacer_lets_go(const struct tcp *tcp, struct pacer *ahead, bool paces, uint32_t before)
{
	if (!paces)
		return true;
	pacer_sent(ahead, before, tcp->now);
	return pacer_allows(ahead, tcp->now);
}

void
tso_grow(struct tcp *tcp, struct rill_conn *conn, struct train *train, uint32_t most)
{
	const struct neighbor *next_hop = neighbor_at(tcp->neighbors, conn->next_hop);
	uint32_t mss = train->mss, unsent = txq_unsent_bytes(conn), index, tail;
	uint32_t headers = headers_len(next_hop, headers_l3_len(conn), TCP_OPTIONS_MAX);
	bool paces = conn_paces(conn);
	struct pacer ahead = {0};

	most = RTE_MIN(most, TSO_FRAME_MAX - headers);
	most = RTE_MIN(most, windows_allow(tcp, conn, mss));
	most = RTE_MIN(most, unsent);
	if (most <= mss || train->count >= tcp->netif->tx_chain_max)
		return;
	if (paces)
		ahead = bbr_of(&conn->cc)->pacer;
	index = behind(tcp, train);
	while (train->len + mss <= most && pacer_lets_go(tcp, &ahead, paces, mss) &&
		add_segment(tcp, conn, train, &index, mss))
		;
	tail = unsent - train->len;
	if (tail > 0 && tail < mss && train->len + tail <= most && tail_may_leave(tcp, conn) &&
		pacer_lets_go(tcp, &ahead, paces, mss))
		add_segment(tcp, conn, train, &index, tail);
}
