/* SPDX-License-Identifier: BSD-3-Clause */
#include "say.h"

#include <string.h>

#include <rte_mbuf.h>

#include "frames.h"
#include "hosts6.h"
#include "twist.h"
#include "wire.h"

#define PAYLOAD_MAX 4000
#define PIECE_MAX 1600 /* of a frame in one buffer */
#define PIECES_MAX 15

/* The flow as the lane has it now; what was last known where it has nothing. */
struct view {
	const struct rill_conn *conn; /* NULL: half-open, TIME-WAIT or nothing */
	const struct sidecar *sidecar;
	uint32_t rcv_nxt, rcv_edge, snd_una, snd_nxt, ts_recent, tsval, mss, wnd_max, recover;
	uint8_t snd_wscale;
	bool ts;
};

static void
flow_tuple(const struct flow *flow, struct tuple *tuple)
{
	*tuple = (struct tuple){.head = {
		.lport = rte_cpu_to_be_16(flow->lane_port),
		.rport = rte_cpu_to_be_16(flow->peer_port),
		.family = flow->ip6 ? AF_INET6 : AF_INET,
	}};
	if (flow->ip6) {
		wire_put_ip6(tuple->addrs6.laddr, LANE_ADDR);
		wire_put_ip6(tuple->addrs6.raddr, PEER_ADDR);
	} else {
		tuple->head.laddr4 = rte_cpu_to_be_32(LANE_ADDR);
		tuple->head.raddr4 = rte_cpu_to_be_32(PEER_ADDR);
	}
}

static void
view_conn(struct view *view, const struct rill_conn *conn)
{
	view->conn = conn;
	view->sidecar = conn_sidecar(&world.lane->tcp, conn);
	view->rcv_nxt = conn->rcv_nxt.n;
	view->rcv_edge = conn->rcv_adv.n;
	view->snd_una = conn->snd_una.n;
	view->snd_nxt = conn->snd_nxt.n;
	view->ts_recent = conn->ts_recent;
	view->tsval = conn_tsval(conn, world.now);
	view->mss = conn->mss;
	view->wnd_max = conn->snd_wnd_max;
	view->recover = conn->recover.n;
	view->snd_wscale = conn->snd_wscale;
	view->ts = conn->flags & CONN_TS;
}

static struct view
view_of(struct flow *flow)
{
	struct tcp *tcp = &world.lane->tcp;
	struct view view = {.mss = 1448, .rcv_nxt = flow->rcv_nxt, .rcv_edge = flow->rcv_edge,
		.snd_una = flow->snd_una, .snd_nxt = flow->snd_nxt, .ts_recent = flow->ts_recent,
		.tsval = flow->tsval, .ts = flow->ts};
	const struct half_open *half_open;
	const struct timewait *timewait;
	struct tuple tuple;
	uint32_t handle;

	flow_tuple(flow, &tuple);
	handle = table_lookup(tcp->table, &tuple);
	if (handle == TABLE_MISS)
		return view;
	switch (table_kind(handle)) {
	case TABLE_SYN_RECEIVED:
		half_open = slab_at(&tcp->half_opens, table_index(handle));
		view.rcv_nxt = half_open->irs.n + 1;
		view.rcv_edge = view.rcv_nxt + half_open->rcv_wnd;
		view.snd_una = half_open->iss.n;
		view.snd_nxt = half_open->iss.n + 1;
		view.ts_recent = half_open->ts_recent;
		view.tsval = ms32(world.now) + half_open->ts_offset;
		view.ts = half_open->has & SEG_HAS_TS;
		break;
	case TABLE_TIME_WAIT:
		timewait = slab_at(&tcp->timewaits, table_index(handle));
		view.rcv_nxt = timewait->rcv_nxt.n;
		view.snd_una = view.snd_nxt = timewait->snd_nxt.n;
		view.ts_recent = timewait->ts_recent;
		view.ts = timewait->flags & TIMEWAIT_TS;
		break;
	default:
		view_conn(&view, tcp_conn_at(tcp, table_index(handle)));
	}
	flow->rcv_nxt = view.rcv_nxt;
	flow->rcv_edge = view.rcv_edge;
	flow->snd_una = view.snd_una;
	flow->snd_nxt = view.snd_nxt;
	flow->ts_recent = view.ts_recent;
	return view;
}

/* ---- places */

/* The low bits of what say in what steps to count; delta says how many, to either side. */
static uint32_t
beside(uint8_t what, uint8_t delta, uint32_t mss)
{
	const uint32_t units[4] = {1, mss, 256, 65536};

	return (uint32_t)((int32_t)(int8_t)delta * (int32_t)units[what >> 6]);
}

static uint32_t
place_seq(const struct view *view, uint8_t what, uint8_t delta)
{
	uint32_t window = view->rcv_edge - view->rcv_nxt, at = view->rcv_nxt;
	const struct sidecar *sidecar = view->sidecar;

	switch (what & 15) {
	case 8:
		at = view->rcv_edge;
		break;
	case 9:
		at += window / 2;
		break;
	case 10:
	case 11:
		if (sidecar != NULL && sidecar->ranges_count > 0)
			at = (what & 1 ? sidecar->ranges[(what >> 4 & 3) % sidecar->ranges_count].end
				       : sidecar->ranges[(what >> 4 & 3) % sidecar->ranges_count].start).n;
		break;
	case 12:
		if (sidecar != NULL && sidecar->has_fin)
			at = sidecar->fin_seq.n;
		break;
	case 13:
		at -= window;
		break;
	case 14:
		at += 0x80000000u;
		break;
	case 15:
		at = 0;
		break;
	default:
		break;
	}
	return at + beside(what, delta, view->mss);
}

static uint32_t
place_ack(const struct view *view, uint8_t what, uint8_t delta)
{
	uint32_t at = view->snd_nxt;

	switch (what & 15) {
	case 8:
	case 9:
		at = view->snd_una;
		break;
	case 10:
		at -= view->mss;
		break;
	case 11:
		at = view->recover;
		break;
	case 12:
		at = view->snd_una - view->wnd_max;
		break;
	case 13:
		at = view->snd_una + (view->snd_nxt - view->snd_una) / 2;
		break;
	case 14:
		at += 0x80000000u;
		break;
	case 15:
		at = 0;
		break;
	default:
		break;
	}
	return at + beside(what, delta, view->mss);
}

static uint32_t
payload_len(uint8_t what, uint32_t mss)
{
	const uint32_t window_scraps[4] = {mss, mss / 2, 2 * mss, mss + 1};

	if (what < 0x80)
		return what & 0x40 ? (what & 0x3fu) * 32 : what & 0x3fu;
	return RTE_MIN(window_scraps[what & 3] + (what >> 4 & 3), (uint32_t)PAYLOAD_MAX);
}

static uint16_t
window(const struct view *view, uint8_t what)
{
	if (what == 0)
		return (uint16_t)RTE_MIN(65535u, 65536u >> view->snd_wscale << (what & 1));
	if (what < 0x40)
		return what - 1; /* tiny windows, scaled by the receiver */
	if (what < 0x80)
		return (uint16_t)((view->mss * (what & 7u) + (what >> 3 & 7)) >> view->snd_wscale);
	return (uint16_t)(what << 8 | 0xff);
}

/* Blocks near what is in flight: whole segments most of the time. */
static void
put_sacks(struct wire *wire, const struct view *view, const struct step *step)
{
	uint32_t stride = (1 + (step->sack_shape & 3u)) * view->mss;
	uint32_t len = (1 + (step->sack_shape >> 2 & 3u)) * view->mss;
	uint32_t left = view->snd_una + (step->sack_from & 31u) * view->mss;

	wire->sack_count = step->options >> 1 & 7;
	if (wire->sack_count > WIRE_SACK_MAX)
		wire->sack_count = step->options & 0x40 ? 0 : 1;
	for (unsigned int i = 0; i < wire->sack_count; i++, left += len + stride) {
		wire->sack[i] = (struct wire_sack){left, left + len};
		/* No further than what was sent, as an honest peer. */
		if (step->sack_shape >> 4 < 8 && (int32_t)(left + len - view->snd_nxt) > 0)
			wire->sack[i] = (struct wire_sack){view->snd_nxt - len, view->snd_nxt};
	}
	if (wire->sack_count == 0)
		return;
	switch (step->sack_shape >> 4) {
	case 10:
		wire->sack[0].left--;
		break;
	case 11:
		wire->sack[0].right++;
		break;
	case 12:
		wire->sack[0].right = wire->sack[0].left - len;
		break;
	case 13: /* a duplicate [2883 4] */
		wire->sack[0] = (struct wire_sack){view->snd_una - len, view->snd_una};
		break;
	case 14:
		wire->sack[0].right = view->snd_nxt + len;
		break;
	case 15:
		wire->sack[0].right = wire->sack[0].left;
		break;
	default:
		break;
	}
}

static const uint8_t raw_options[][12] = {
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	{8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10},
	{5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 5, 40},
	{2, 4, 0, 0, 3, 3, 255, 4, 2, 0, 0, 0},
	{2, 4, 0, 88, 3, 3, 14, 1, 4, 2, 1, 1},
	{254, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	{34, 2, 28, 4, 0x80, 100, 1, 1, 19, 0, 0, 0},
	{0, 255, 255, 255, 8, 10, 1, 2, 3, 4, 5, 6},
};

static void
put_options(struct wire *wire, const struct view *view, const struct step *step)
{
	static const int32_t units[4] = {1, 1000, 60000, 0x2000000};

	/* Timestamps are there when they must, unless the step says otherwise. */
	if (view->ts != (bool)(step->options & 1))
		wire->has |= HAS_TS;
	wire->tsval = view->ts_recent +
		(uint32_t)((int64_t)((int8_t)step->ts_delta / 4) * units[step->ts_delta & 3]);
	wire->tsecr = view->tsval - (step->options >> 4 & 3);
	if (step->flags & SYN)
		wire->has |= HAS_MSS | HAS_WSCALE | HAS_SACK_OK;
	wire->mss = (uint16_t)(step->extra << 3);
	wire->wscale = step->extra & 15;
	put_sacks(wire, view, step);
	if (step->options & 0x80) {
		wire->options = raw_options[step->ts_delta % RTE_DIM(raw_options)];
		wire->options_len = sizeof(raw_options[0]);
	}
}

/* ---- packets */

void
put_frame(const uint8_t *packet, size_t len, uint16_t type, uint32_t piece, uint8_t marks)
{
	static uint8_t frame[FRAME_MAX + TWIST_ROOM + 14];
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	const uint64_t marked[4] = {0, RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD,
		RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_L4_CKSUM_BAD};
	size_t l2 = world.lane->netif.ethernet ? 14 : 0;
	struct rte_mbuf *head = NULL;

	piece = RTE_MAX(piece, (uint32_t)(len + l2) / PIECES_MAX + 1);
	memcpy(frame, macs, sizeof(macs));
	if (type == 0x86dd && len >= WIRE_IP6_LEN && packet[24] == 0xff) {
		memcpy(frame, (const uint8_t[]){0x33, 0x33}, 2);
		memcpy(frame + 2, packet + 36, 4);
	}
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + l2, packet, len);
	len += l2;
	for (size_t at = 0; at < len || head == NULL;) {
		size_t n = RTE_MIN(len - at, (size_t)piece);
		struct rte_mbuf *mbuf = world_mbuf(frame + at, (uint32_t)n);

		at += n;
		if (head == NULL)
			head = mbuf;
		else
			rte_pktmbuf_chain(head, mbuf);
	}
	head->ol_flags |= marked[marks & 3];
	world_frame(head);
}

/* Ports, addresses and a payload that its place decides. */
static size_t
finish(uint8_t *packet, const struct flow *flow, struct wire *wire)
{
	static uint8_t data[PAYLOAD_MAX];
	uint32_t first = wire->seq + (wire->flags & SYN ? 1 : 0);

	for (uint32_t i = 0; i < wire->len; i++)
		data[i] = pattern(first + i);
	wire->ip6 = flow->ip6;
	wire->saddr = PEER_ADDR;
	wire->daddr = LANE_ADDR;
	wire->sport = flow->peer_port;
	wire->dport = flow->lane_port;
	wire->data = data;
	return wire_write(packet, wire);
}

/* As it is. */
static void
put_packet(const uint8_t *packet, size_t len)
{
	put_frame(packet, len, packet[0] >> 4 == 6 ? 0x86dd : 0x0800, PIECE_MAX, 0);
}

void
peer_says(struct flow *flow, const struct step *step)
{
	static uint8_t packet[FRAME_MAX + TWIST_ROOM];
	const struct view view = view_of(flow);
	struct wire wire = {
		.flags = step->flags,
		.seq = place_seq(&view, step->seq, step->seq_delta),
		.ack = place_ack(&view, step->ack, step->ack_delta),
		.len = payload_len(step->len, view.mss),
		.wnd = window(&view, step->wnd),
		.urg = step->urg < 0x80 ? step->urg : (uint16_t)(step->urg << 8 | 0xff),
	};

	put_options(&wire, &view, step);
	if (wire.has & HAS_TS && wire.sack_count > 3)
		wire.sack_count = 3;
	if (step->flags & SYN && wire.sack_count > 1)
		wire.sack_count = 1;
	twist_and_put(flow, packet, finish(packet, flow, &wire), step);
}

void
peer_plain(struct flow *flow, uint8_t flags, uint32_t ahead, uint32_t len)
{
	uint8_t packet[WIRE_HEADERS_MAX + PAYLOAD_MAX];
	const struct view view = view_of(flow);
	struct wire wire = {
		.flags = flags,
		.seq = view.rcv_nxt + ahead,
		.ack = view.snd_nxt,
		.len = RTE_MIN(len, (uint32_t)PAYLOAD_MAX),
		.wnd = window(&view, 0),
		.has = view.ts ? HAS_TS : 0,
		.tsval = view.ts_recent + 1,
		.tsecr = view.tsval,
	};

	put_packet(packet, finish(packet, flow, &wire));
}

void
peer_agrees(struct flow *flow, uint32_t len)
{
	peer_plain(flow, ACK, 0, len);
}

void
peer_opens(struct flow *flow, uint8_t flags, uint32_t seq, uint8_t shape)
{
	static const uint16_t sizes[8] = {1460, 1460, 536, 88, 9000, 1, 1200, 65535};
	uint8_t packet[WIRE_HEADERS_MAX];
	struct view view = view_of(flow);
	struct wire wire = {
		.flags = flags,
		.seq = seq,
		.ack = flags & ACK ? view.snd_nxt : 0,
		.wnd = shape & 0x40 ? 1000 : 65535,
		.has = HAS_MSS | (shape & 1 ? HAS_TS : 0) | (shape & 2 ? HAS_SACK_OK : 0) |
			(shape & 4 ? HAS_WSCALE : 0),
		.wscale = shape & 0x80 ? 14 : 7,
		.mss = sizes[shape >> 3 & 7],
		.tsval = 0x7ffffff0,
		.tsecr = flags & ACK ? view.tsval : 0,
	};

	put_packet(packet, finish(packet, flow, &wire));
}

size_t
peer_heard(struct flow *flow, const struct step *step, uint8_t *packet)
{
	const struct view view = view_of(flow);
	struct wire wire = {.ip6 = flow->ip6, .saddr = LANE_ADDR, .daddr = PEER_ADDR,
		.sport = flow->lane_port, .dport = flow->peer_port,
		.seq = place_ack(&view, step->ack, step->ack_delta), .flags = ACK, .wnd = 1000};

	return wire_write(packet, &wire);
}

void
peer_complains(struct flow *flow, const struct step *step)
{
	uint8_t packet[WIRE_HEADERS_MAX + 256] = {0x45}, quote[WIRE_HEADERS_MAX];
	size_t quoted = RTE_MIN(peer_heard(flow, step, quote), (size_t)(step->len % 64));
	size_t len = 28 + quoted;
	uint16_t sum;

	packet[3] = (uint8_t)len;
	packet[8] = 64;
	packet[9] = 1;
	memcpy(packet + 12, (const uint8_t[]){192, 0, 2, step->seq & 1 ? 254 : 2, 192, 0, 2, 1}, 8);
	packet[20] = step->flags % 20;
	packet[21] = step->wnd % 16;
	packet[26] = step->urg; /* next-hop MTU, or a pointer */
	packet[27] = step->extra;
	memcpy(packet + 28, quote, quoted);
	if (step->twist % 32 == STEP_FLIPS)
		twist_byte(packet, 20 + step->extra % 64, len, step->urg);
	sum = wire_fold(wire_sum(packet + 20, len - 20, 0));
	packet[22] = (uint8_t)(sum >> 8);
	packet[23] = (uint8_t)sum;
	twist_fix_ip4(packet);
	put_frame(packet, len, 0x0800, twist_piece_len(step), 0);
}

void
peer_mumbles(struct flow *flow, const struct step *step)
{
	const uint8_t *bytes = (const uint8_t *)step;
	uint8_t arp[46] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1};
	uint8_t noise[64];

	if (step->flags & 1) {
		arp[7] = step->seq & 3;
		arp[17] = step->ack;
		arp[27] = step->len;
		twist_byte(arp, step->extra, sizeof(arp), step->urg);
		put_frame(arp, step->flags & 2 ? 28 : 46, 0x0806, PIECE_MAX, 0);
		return;
	}
	for (unsigned int i = 0; i < sizeof(noise); i++)
		noise[i] = bytes[i % STEP_LEN];
	noise[0] = step->flags & 4 ? 0x45 : noise[0];
	put_frame(noise, step->len % sizeof(noise), step->flags & 8 ? 0x86dd : 0x0800, twist_piece_len(step), 0);
}
