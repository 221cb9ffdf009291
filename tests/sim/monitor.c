/* SPDX-License-Identifier: BSD-3-Clause */
#include "monitor.h"

#include <string.h>

#include "wire.h"

#define FLOWS 1024 /* a power of two: connections of one run, with room to spare */

/* What one end has been given and has said. */
struct end_seen {
	bool has_iss, has_edge, has_got, has_acked;
	bool wscale_offered;
	uint8_t wscale; /* that it asks others to apply to its windows */
	uint32_t iss;
	uint32_t edge;     /* furthest right edge that it has been offered */
	uint32_t got;      /* end of the furthest segment that has come to it */
	uint32_t got_seq;  /* where the furthest one began */
	uint32_t got_ack;  /* furthest ACK that has come to it */
	uint32_t wnd_most; /* largest window that it has been offered */
	uint32_t acked;    /* furthest ACK that it has sent */
	uint32_t offered;  /* furthest right edge that it has offered */
};

struct flow {
	uint32_t ip[2];
	uint16_t port[2];
	bool used;
	bool confused; /* several incarnations at once: nothing can be told */
	struct end_seen ends[2];
};

static struct flow flows[FLOWS];

void
monitor_reset(void)
{
	memset(flows, 0, sizeof(flows));
}

/* The flow of a segment, and which of its ends is the sender. NULL: there are too many. */
static struct flow *
flow_of(const struct wire *wire, unsigned int *sender)
{
	bool swap = wire->saddr > wire->daddr ||
		    (wire->saddr == wire->daddr && wire->sport > wire->dport);
	uint32_t ip[2] = {swap ? wire->daddr : wire->saddr, swap ? wire->saddr : wire->daddr};
	uint16_t port[2] = {swap ? wire->dport : wire->sport, swap ? wire->sport : wire->dport};
	uint32_t at = (ip[0] * 31 + ip[1] * 17 + port[0] * 7919u + port[1]) * 2654435761u >> 16;

	*sender = swap;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow *flow = &flows[(at + i) % FLOWS];

		if (!flow->used) {
			*flow = (struct flow){
				{ip[0], ip[1]}, {port[0], port[1]}, true, false, {{0}}};
			return flow;
		}
		if (memcmp(flow->ip, ip, sizeof(ip)) == 0 &&
			memcmp(flow->port, port, sizeof(port)) == 0)
			return flow;
	}
	return NULL;
}

static bool
is_beyond(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static uint32_t
segment_end(const struct wire *wire)
{
	return wire->seq + wire->len + ((wire->flags & SYN) != 0) + ((wire->flags & FIN) != 0);
}

/* By how much a window field of this segment's sender is shifted. */
static unsigned int
shift_of(const struct flow *flow, unsigned int sender, const struct wire *wire)
{
	if ((wire->flags & SYN) || !flow->ends[0].wscale_offered || !flow->ends[1].wscale_offered)
		return 0;
	return flow->ends[sender].wscale > 14 ? 14 : flow->ends[sender].wscale;
}

static void
note_syn(struct flow *flow, unsigned int sender, const struct wire *wire)
{
	struct end_seen *end = &flow->ends[sender];

	if (end->has_iss && end->iss == wire->seq)
		return;
	if (end->has_iss)
		flow->confused = true;
	end->has_iss = true;
	end->iss = wire->seq;
	end->wscale_offered = (wire->has & HAS_WSCALE) != 0;
	end->wscale = wire->wscale;
}

static void
complain(struct world *world, const struct host *host, const struct wire *wire, const char *what)
{
	char text[220];

	world_fail(world, "host %u sent %u > %u %s: %s", host->number, wire->sport, wire->dport,
		wire_text(text, sizeof(text), wire), what);
}

static void
check_window(struct world *world, const struct host *host, const struct end_seen *end,
	const struct wire *wire)
{
	/* A probe of a closed window is one byte [9293 3.8.6.1], and a FIN may follow the data. */
	uint32_t slack = 1 + ((wire->flags & FIN) != 0);

	if (wire->len == 0)
		return;
	if (!end->has_edge)
		complain(world, host, wire, "data before any window was offered");
	else if (is_beyond(segment_end(wire), end->edge + slack))
		complain(world, host, wire, "data beyond the offered window");
}

static void
check_ack(struct world *world, const struct host *host, struct flow *flow, unsigned int sender,
	const struct wire *wire)
{
	struct end_seen *end = &flow->ends[sender];
	unsigned int shift = shift_of(flow, sender, wire);
	uint32_t edge = wire->ack + ((uint32_t)wire->wnd << shift);

	if (!end->has_got || is_beyond(wire->ack, end->got))
		complain(world, host, wire, "acknowledges what has not come");
	if (end->has_acked && is_beyond(end->acked, wire->ack))
		complain(world, host, wire, "acknowledges less than before");
	/* What the shift cuts off is not taken back. */
	if (end->has_acked && is_beyond(end->offered, edge + (1u << shift) - 1))
		complain(world, host, wire, "takes back a part of its window [SHLD-14]");
	if (!end->has_acked || is_beyond(edge, end->offered))
		end->offered = edge;
	end->acked = wire->ack;
	end->has_acked = true;
}

/* Ethernet carries other things too. */
static bool
is_tcp(const uint8_t *ip, uint32_t len)
{
	if (len >= WIRE_IP6_LEN && ip[0] >> 4 == 6)
		return ip[6] == 6;
	return len >= WIRE_IP4_LEN && ip[0] >> 4 == 4 && ip[9] == 6;
}

void
monitor_sent(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len)
{
	struct wire wire;
	unsigned int sender;
	const char *complaint;
	struct flow *flow;

	if (!is_tcp(ip, len))
		return;
	complaint = wire_read(ip, len, &wire);
	if (complaint != NULL) {
		world_fail(world, "host %u sent %u bytes: %s", host->number, len, complaint);
		return;
	}
	flow = flow_of(&wire, &sender);
	if (flow == NULL)
		return;
	if (wire.flags & SYN)
		note_syn(flow, sender, &wire);
	if (flow->confused || (wire.flags & RST))
		return;
	check_window(world, host, &flow->ends[sender], &wire);
	if (wire.flags & ACK)
		check_ack(world, host, flow, sender, &wire);
}

/*
 * The right edge that a segment offers. An older one, sent again with a newer ACK, moves the edge
 * along with SND.UNA, since it does not update SND.WND [9293 3.10.7.4].
 */
static void
note_edge(struct end_seen *end, const struct wire *wire, unsigned int shift)
{
	uint32_t wnd = (uint32_t)wire->wnd << shift, edge;

	if (wnd > end->wnd_most)
		end->wnd_most = wnd;
	edge = wire->ack + wnd;
	if (!end->has_edge || is_beyond(edge, end->edge))
		end->edge = edge;
	if (!end->has_edge || is_beyond(wire->ack, end->got_ack))
		end->got_ack = wire->ack;
	if (!end->has_edge || is_beyond(wire->seq, end->got_seq))
		end->got_seq = wire->seq;
	end->has_edge = true;
}

void
monitor_got(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len)
{
	struct wire wire;
	unsigned int sender;
	struct end_seen *end;
	struct flow *flow;

	if (len < 40 || !is_tcp(ip, len) || wire_read(ip, len, &wire) != NULL || wire.daddr != host->ip)
		return;
	flow = flow_of(&wire, &sender);
	if (flow == NULL || (wire.flags & RST))
		return;
	end = &flow->ends[!sender];
	if (!end->has_got || is_beyond(segment_end(&wire), end->got))
		end->got = segment_end(&wire);
	end->has_got = true;
	if (wire.flags & ACK)
		note_edge(end, &wire, shift_of(flow, sender, &wire));
}
