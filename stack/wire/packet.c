/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <string.h>

#include <rte_tcp.h>

#include "check.h"
#include "segment.h"

#define OWNERSHIP_FLAGS (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)

/* Has somebody else a reference to one of these mbufs, so that their fields must not change? */
static bool
is_shared(const struct rte_mbuf *mbuf)
{
	for (; mbuf != NULL; mbuf = mbuf->next) {
		if (rte_mbuf_refcnt_read(mbuf) > 1)
			return true;
	}
	return false;
}

/* Puts a copy of the first len bytes in the packet's place. */
static bool
replace_by_copy(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(*mbuf, pool, 0, len);

	if (copy == NULL)
		return false;
	rte_pktmbuf_free(*mbuf);
	*mbuf = copy;
	return true;
}

/* Takes the first len bytes off a chain, mbufs that become empty included; returns what is left. */
static struct rte_mbuf *
chain_skip(struct rte_mbuf *mbuf, uint32_t len, uint16_t *segs)
{
	while (mbuf != NULL && mbuf->data_len <= len) {
		struct rte_mbuf *next = mbuf->next;

		len -= mbuf->data_len;
		rte_pktmbuf_free_seg(mbuf);
		(*segs)--;
		mbuf = next;
	}
	if (len > 0) {
		mbuf->data_off += len;
		mbuf->data_len -= len;
	}
	return mbuf;
}

static void
copy_metadata(struct rte_mbuf *to, const struct rte_mbuf *from)
{
	to->port = from->port;
	to->ol_flags = from->ol_flags & ~OWNERSHIP_FLAGS;
	to->packet_type = from->packet_type;
	to->vlan_tci = from->vlan_tci;
	to->hash = from->hash;
}

static bool
pull_in_front(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(pool);
	uint32_t pkt_len = (*mbuf)->pkt_len;
	uint16_t segs = (*mbuf)->nb_segs;
	const void *bytes;
	char *head;

	if (first == NULL)
		return false;
	head = rte_pktmbuf_append(first, (uint16_t)len);
	if (head == NULL) {
		rte_pktmbuf_free(first);
		return false;
	}
	bytes = rte_pktmbuf_read(*mbuf, 0, len, head);
	if (bytes != head) /* all in one mbuf, behind empty ones */
		memcpy(head, bytes, len);
	copy_metadata(first, *mbuf);
	first->next = chain_skip(*mbuf, len, &segs);
	first->nb_segs = segs + 1;
	first->pkt_len = pkt_len;
	*mbuf = first;
	return true;
}

bool
packet_pull_cold(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	RILL_DCHECK(len <= (*mbuf)->pkt_len);
	if (!is_shared(*mbuf))
		return pull_in_front(mbuf, len, pool);
	if (rte_pktmbuf_data_room_size(pool) < RTE_PKTMBUF_HEADROOM + len)
		return false;
	return replace_by_copy(mbuf, UINT32_MAX, pool);
}

bool
packet_pull_tcp_cold(struct rte_mbuf **mbuf, uint32_t off, struct rte_mempool *pool)
{
	uint32_t room = (*mbuf)->pkt_len - off;
	const struct rte_tcp_hdr *tcp;

	if (!packet_pull(mbuf, off + RTE_MIN(room, (uint32_t)TCP_HEADER_LEN), pool))
		return false;
	if (room < TCP_HEADER_LEN)
		return true;
	tcp = rte_pktmbuf_mtod_offset(*mbuf, const struct rte_tcp_hdr *, off);
	return packet_pull(mbuf, off + RTE_MIN(room, (tcp->data_off >> 4) * 4u), pool);
}

bool
packet_trim_cold(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	struct rte_mbuf *last = *mbuf;
	uint32_t left = len;
	uint16_t segs = 1;

	RILL_DCHECK(len > 0 && len <= (*mbuf)->pkt_len);
	if (is_shared(*mbuf))
		return replace_by_copy(mbuf, len, pool);
	while (left > last->data_len) {
		left -= last->data_len;
		last = last->next;
		segs++;
	}
	last->data_len = (uint16_t)left;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	(*mbuf)->nb_segs = segs;
	(*mbuf)->pkt_len = len;
	return true;
}
