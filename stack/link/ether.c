/* SPDX-License-Identifier: BSD-3-Clause */
#include "ether.h"

#include <rte_ether.h>
#include <rte_mbuf.h>

#define VLAN_ID_MASK 0xfff
#define IP_VERSION_SHIFT 4

static enum ether_verdict
drop(const struct netif *netif, struct rte_mbuf *mbuf, enum rill_drop reason)
{
	drop_packet(netif->counters, mbuf, reason);
	return ETHER_DROPPED;
}

static enum ether_verdict
bare_input(const struct netif *netif, struct rte_mbuf *mbuf)
{
	uint8_t copy;
	const uint8_t *first = rte_pktmbuf_read(mbuf, 0, 1, &copy);

	if (first == NULL)
		return drop(netif, mbuf, RILL_DROP_ether_short);
	if (*first >> IP_VERSION_SHIFT != 4)
		return drop(netif, mbuf, RILL_DROP_ip_version);
	return ETHER_IP4;
}

/* Is the frame, whose tag may have been taken off by the NIC, of a VLAN that we are not in? */
static bool
stripped_tag_is_foreign(const struct rte_mbuf *mbuf)
{
	return (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
	       (mbuf->vlan_tci & VLAN_ID_MASK) != 0;
}

/* The EtherType behind a priority tag; 0 when there is none or the tag is of a foreign VLAN. */
static rte_be16_t
type_behind_tag(const struct rte_mbuf *mbuf)
{
	struct rte_vlan_hdr copy;
	const struct rte_vlan_hdr *vlan =
		rte_pktmbuf_read(mbuf, RTE_ETHER_HDR_LEN, sizeof(copy), &copy);

	if (vlan == NULL || (rte_be_to_cpu_16(vlan->vlan_tci) & VLAN_ID_MASK) != 0)
		return 0;
	return vlan->eth_proto;
}

enum ether_verdict
ether_input(const struct netif *netif, struct rte_mbuf *mbuf, uint16_t *l2_len, bool *group)
{
	struct rte_ether_hdr copy;
	const struct rte_ether_hdr *ether;
	rte_be16_t type;

	*l2_len = 0;
	*group = false;
	if (!netif->ethernet)
		return bare_input(netif, mbuf);
	ether = rte_pktmbuf_read(mbuf, 0, sizeof(copy), &copy);
	if (unlikely(ether == NULL))
		return drop(netif, mbuf, RILL_DROP_ether_short);
	if (unlikely(!rte_is_same_ether_addr(&ether->dst_addr, &netif->mac))) {
		*group = rte_is_broadcast_ether_addr(&ether->dst_addr);
		if (!*group)
			return drop(netif, mbuf, RILL_DROP_ether_not_ours);
	}
	if (unlikely(rte_is_multicast_ether_addr(&ether->src_addr)))
		return drop(netif, mbuf, RILL_DROP_ether_bad_source);
	if (unlikely(stripped_tag_is_foreign(mbuf)))
		return drop(netif, mbuf, RILL_DROP_vlan_foreign);
	type = ether->ether_type;
	*l2_len = RTE_ETHER_HDR_LEN;
	if (unlikely(ether_is_tag(type))) {
		if (mbuf->pkt_len < RTE_ETHER_HDR_LEN + sizeof(struct rte_vlan_hdr))
			return drop(netif, mbuf, RILL_DROP_ether_short);
		type = type_behind_tag(mbuf);
		*l2_len += sizeof(struct rte_vlan_hdr);
		if (type == 0)
			return drop(netif, mbuf, RILL_DROP_vlan_foreign);
	}
	if (likely(type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		return ETHER_IP4;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return ETHER_ARP;
	return drop(netif, mbuf, RILL_DROP_ether_type);
}

void
ether_reply(const struct netif *netif, struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

	if (!netif->ethernet)
		return;
	ether->dst_addr = ether->src_addr;
	ether->src_addr = netif->mac;
}
