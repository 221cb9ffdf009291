/* SPDX-License-Identifier: BSD-3-Clause */
#include "netif.h"

#include "exceptions.h"

void
netif_refuse(const struct netif *netif, struct rte_mbuf *frame, enum rill_drop reason)
{
	if (netif->exceptions == NULL)
		drop_packet(netif->counters, frame, reason);
	else if (!exceptions_put(netif->exceptions, frame))
		drop_packet(netif->counters, frame, RILL_DROP_exception_full);
}

void
netif_share(const struct netif *netif, struct rte_mbuf *frame)
{
	if (netif->exceptions == NULL)
		return;
	if (exceptions_put(netif->exceptions, frame))
		rte_pktmbuf_refcnt_update(frame, 1);
	else
		count_drop(netif->counters, RILL_DROP_exception_full);
}
