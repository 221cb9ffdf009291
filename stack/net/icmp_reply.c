/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp_reply.h"

#include "packet.h"

bool
icmp_make_reusable(const struct netif *netif, struct rte_mbuf **mbuf, uint32_t headers,
	bool split)
{
	struct rte_mbuf *copy;

	if (!packet_pull(mbuf, headers, netif->control_pool))
		return false;
	if (packet_is_exclusive(*mbuf) && (split || netif_takes_chain(netif, *mbuf)))
		return true;
	copy = rte_pktmbuf_copy(*mbuf, netif->control_pool, 0, UINT32_MAX);
	if (copy == NULL)
		return false;
	if (copy->data_len < headers || (!split && !netif_takes_chain(netif, copy))) {
		rte_pktmbuf_free(copy);
		return false;
	}
	rte_pktmbuf_free(*mbuf);
	*mbuf = copy;
	return true;
}
