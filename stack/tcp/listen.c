/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners [9293 3.10.7.2]. */
#include <errno.h>

#include <rte_mbuf.h>

#include "cookies.h"
#include "half_open.h"
#include "input.h"
#include "isn.h"
#include "open.h"
#include "reply.h"

#define ISS_STEP 65536u /* how far an ISS is put above a TIME-WAIT's last sequence number */

/* "0.0.0.0" or "::": any of its family. */
static bool
is_any_of_family(const struct rill_addr *addr)
{
	static const struct rill_addr any;

	return addr->family != 0 && memcmp(&addr->u, &any.u, sizeof(addr->u)) == 0;
}

static enum listener_names
names_of(const struct rill_addr *addr)
{
	if (addr->family == 0)
		return LISTENER_ANY;
	return is_any_of_family(addr) ? LISTENER_FAMILY : LISTENER_ADDR;
}

static bool
listener_fits(const struct rill_listener *listener, const struct tuple *tuple)
{
	const struct rill_addr *addr = &listener->addr;

	if (listener->names == LISTENER_ANY)
		return true;
	if (addr->family != tuple->head.family)
		return false;
	if (listener->names == LISTENER_FAMILY)
		return true;
	if (addr->family == AF_INET)
		return memcmp(addr->u.ip4, &tuple->head.laddr4, sizeof(addr->u.ip4)) == 0;
	return memcmp(addr->u.ip6, tuple->addrs6.laddr, sizeof(addr->u.ip6)) == 0;
}

/* The listener of a tuple's local end: the more it names, the sooner it is the one. */
static struct rill_listener *
listener_find(const struct tcp *tcp, const struct tuple *tuple)
{
	uint32_t at = tcp->listener_by_port[rte_be_to_cpu_16(tuple->head.lport)];
	struct rill_listener *best = NULL;

	while (at != 0) {
		struct rill_listener *listener = &tcp->listeners[at - 1];

		if ((best == NULL || listener->names > best->names) &&
			listener_fits(listener, tuple))
			best = listener;
		at = listener->next;
	}
	return best;
}

/* Refuses what cannot be listened on; 0 if it can. */
static int
listen_refusal(const struct tcp *tcp, const struct rill_addr *addr, uint16_t port)
{
	if (port == 0)
		return -EINVAL;
	if (addr->family != 0 && addr->family != AF_INET && addr->family != AF_INET6)
		return -EINVAL;
	if (names_of(addr) == LISTENER_ADDR && !net_addr_is_ours(tcp->net, addr))
		return -EADDRNOTAVAIL;
	for (uint32_t at = tcp->listener_by_port[port]; at != 0; at = tcp->listeners[at - 1].next)
		if (memcmp(&tcp->listeners[at - 1].addr, addr, sizeof(*addr)) == 0)
			return -EADDRINUSE; /* [MUST-41] */
	return 0;
}

int
tcp_listen(struct tcp *tcp, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **out)
{
	struct rill_addr wanted = {0};
	struct rill_listener *listener;
	uint32_t i = 0;
	int rc, set, handler_index;

	if (handler == NULL || out == NULL || (options != NULL && rill_options_check(options) != 0))
		return -EINVAL;
	if (addr != NULL && addr->family != 0) {
		wanted.family = addr->family;
		memcpy(&wanted.u, &addr->u,
			addr->family == AF_INET ? sizeof(wanted.u.ip4) : sizeof(wanted.u.ip6));
	}
	rc = listen_refusal(tcp, &wanted, port);
	if (rc != 0)
		return rc;
	while (i < TCP_LISTENERS_MAX && tcp->listeners[i].tcp != NULL)
		i++;
	if (i == TCP_LISTENERS_MAX)
		return -ENOBUFS;
	handler_index = handler_get(tcp, handler);
	set = handler_index < 0 ? handler_index : option_set_get(tcp, options);
	if (set < 0) {
		if (handler_index >= 0)
			handler_put(tcp, (uint8_t)handler_index);
		return set;
	}
	listener = &tcp->listeners[i];
	*listener = (struct rill_listener){
		.tcp = tcp,
		.addr = wanted,
		.names = names_of(&wanted),
		.port = port,
		.option_set = (uint8_t)set,
		.handler = (uint8_t)handler_index,
		.user = user,
		.next = tcp->listener_by_port[port],
	};
	tcp->listener_by_port[port] = (uint16_t)(i + 1);
	*out = listener;
	return 0;
}

int
tcp_unlisten(struct tcp *tcp, struct rill_listener *listener)
{
	uint32_t number = (uint32_t)(listener - tcp->listeners) + 1;
	uint16_t *at = &tcp->listener_by_port[listener->port];

	if (listener->tcp != tcp)
		return -EINVAL;
	half_open_abort_all(tcp, listener);
	if (*at == number) {
		*at = (uint16_t)listener->next;
	} else {
		struct rill_listener *before = &tcp->listeners[*at - 1];

		while (before->next != number)
			before = &tcp->listeners[before->next - 1];
		before->next = listener->next;
	}
	option_set_put(tcp, listener->option_set);
	handler_put(tcp, listener->handler);
	*listener = (struct rill_listener){0};
	return 0;
}

/* Above a TIME-WAIT's last sequence number, so that old segments cannot be mistaken for new [9293
 * MAY-2]. */
static struct isn
choose_isn(struct tcp *tcp, const struct tuple *tuple, seq_t above, bool has_above)
{
	struct isn isn = isn_draw(&tcp->isn_key, tuple, tcp->now);

	if (has_above && seq_leq(isn.iss, above))
		isn.iss = seq_add(above, ISS_STEP);
	return isn;
}

/* A SYN for a listener: a half-open connection, or a cookie. */
static void
take_syn(struct tcp *tcp, struct rill_listener *listener, struct segment *segment,
	const struct isn *isn)
{
	struct agreement agreement = open_agree(listener_options(tcp, listener), segment);

	if (!half_open_begin(tcp, listener, segment, &agreement, isn) &&
		!cookies_answer(tcp, listener, segment, &agreement))
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_backlog_full);
}

void
input_listen(struct tcp *tcp, struct segment *segment, seq_t iss_above, bool has_iss_above)
{
	struct rill_listener *listener = listener_find(tcp, &segment->tuple);
	struct isn isn;

	if (listener == NULL && tcp->netif->exceptions != NULL) {
		netif_refuse(tcp->netif, segment->mbuf, RILL_DROP_tcp_no_listener);
		return;
	}
	if (unlikely(tcp->starting)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_lane_starting);
		return;
	}
	if (listener == NULL || !tcp->accepting) {
		reply_rst(tcp, segment, RILL_DROP_tcp_no_listener);
		return;
	}
	/* RST first, then ACK, then SYN [9293 3.10.7.2]. */
	if (segment->flags & TCP_RST) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_stray_rst);
	} else if (segment->flags & TCP_ACK) {
		if (!cookies_take_ack(tcp, listener, segment))
			reply_rst(tcp, segment, RILL_DROP_tcp_listen_ack);
	} else if ((segment->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_listen_flags);
	} else {
		isn = choose_isn(tcp, &segment->tuple, iss_above, has_iss_above);
		take_syn(tcp, listener, segment, &isn);
	}
}

bool
listen_reopens(const struct tcp *tcp, const struct segment *syn, bool had_ts)
{
	const struct rill_listener *listener = listener_find(tcp, &syn->tuple);

	if (listener == NULL || !tcp->accepting || (syn->flags & TCP_FIN))
		return false; /* nothing will come of it */
	return half_open_has_room(tcp, listener) || (had_ts && listen_offers_ts(tcp, syn));
}

bool
listen_offers_ts(const struct tcp *tcp, const struct segment *syn)
{
	const struct rill_listener *listener = listener_find(tcp, &syn->tuple);

	return listener != NULL && (syn->has & SEG_HAS_TS) &&
	       listener_options(tcp, listener)->timestamps;
}
