/* SPDX-License-Identifier: BSD-3-Clause */
#include "ether.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

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
	if (*first >> IP_VERSION_SHIFT == 4)
		return ETHER_IP4;
	if (*first >> IP_VERSION_SHIFT == 6)
		return ETHER_IP6;
	return drop(netif, mbuf, RILL_DROP_ip_version);
}

/* The tag in a frame; NULL if it is cut off. */
static const struct rte_vlan_hdr *
tag_read(const struct rte_mbuf *mbuf, struct rte_vlan_hdr *copy)
{
	return rte_pktmbuf_read(mbuf, RTE_ETHER_HDR_LEN, sizeof(*copy), copy);
}

/*
 * The VLAN that a frame is in, 0 for none, wherever its tag is; and *type, the EtherType behind that,
 * where the packet begins. Below 0 if it is cut off.
 */
static int
vlan_of(const struct netif *netif, const struct rte_mbuf *mbuf, rte_be16_t *type,
	uint16_t *l2_len)
{
	struct rte_vlan_hdr copy;
	const struct rte_vlan_hdr *tag;
	int stripped = 0;

	if ((mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
		(netif->caps & (NETIF_VLAN | NETIF_PF_VLAN)) != NETIF_PF_VLAN)
		stripped = mbuf->vlan_tci & NETIF_VLAN_ID;
	if (!ether_is_tag(*type))
		return stripped;
	tag = tag_read(mbuf, &copy);
	if (tag == NULL)
		return -1;
	*type = tag->eth_proto;
	*l2_len += sizeof(*tag);
	return stripped != 0 ? stripped : rte_be_to_cpu_16(tag->vlan_tci) & (int)NETIF_VLAN_ID;
}

/* Is it where our frames have their tag? */
static bool
tag_is_in_place(const struct netif *netif, uint16_t l2_len)
{
	return netif->vlan_tci == 0 || l2_len == netif_l2_len(netif);
}

enum ether_verdict
ether_input(const struct netif *netif, struct rte_mbuf *mbuf, uint16_t *l2_len, bool *group)
{
	struct rte_ether_hdr copy;
	const struct rte_ether_hdr *ether;
	bool not_joined = false;
	rte_be16_t type;
	int vlan;

	*l2_len = 0;
	*group = false;
	if (!netif->ethernet)
		return bare_input(netif, mbuf);
	ether = rte_pktmbuf_read(mbuf, 0, sizeof(copy), &copy);
	if (unlikely(ether == NULL))
		return drop(netif, mbuf, RILL_DROP_ether_short);
	if (unlikely(!rte_is_same_ether_addr(&ether->dst_addr, &netif->mac))) {
		if (!rte_is_multicast_ether_addr(&ether->dst_addr))
			return drop(netif, mbuf, RILL_DROP_ether_not_ours);
		*group = rte_is_broadcast_ether_addr(&ether->dst_addr) ||
			 netif_group_is_joined(netif, &ether->dst_addr);
		not_joined = !*group;
	}
	if (unlikely(rte_is_multicast_ether_addr(&ether->src_addr)))
		return drop(netif, mbuf, RILL_DROP_ether_bad_source);
	netif->counters->rx_echoes += rte_is_same_ether_addr(&ether->src_addr, &netif->mac);
	type = ether->ether_type;
	*l2_len = RTE_ETHER_HDR_LEN;
	vlan = vlan_of(netif, mbuf, &type, l2_len);
	if (unlikely(vlan < 0))
		return drop(netif, mbuf, RILL_DROP_ether_short);
	if (unlikely(vlan != (int)(netif->vlan_tci & NETIF_VLAN_ID) ||
		    !tag_is_in_place(netif, *l2_len)))
		return drop(netif, mbuf, RILL_DROP_vlan_foreign);
	if (unlikely(not_joined)) {
		netif_refuse(netif, mbuf, RILL_DROP_ether_not_ours); /* the kernel may have joined */
		return ETHER_DROPPED;
	}
	if (likely(type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		return ETHER_IP4;
	if (likely(type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)))
		return ETHER_IP6;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return ETHER_ARP;
	netif_refuse(netif, mbuf, RILL_DROP_ether_type);
	return ETHER_DROPPED;
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

bool
ether_is_plain_tagged(const struct netif *netif, const struct rte_mbuf *mbuf, uint16_t type)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);
	const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(ether + 1);
	bool stripped = mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
	uint16_t tci = stripped ? mbuf->vlan_tci : rte_be_to_cpu_16(tag->vlan_tci);

	if (stripped == netif_is_tagged(netif) ||
		(!stripped && ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)))
		return false;
	return (tci & NETIF_VLAN_ID) == (netif->vlan_tci & NETIF_VLAN_ID) &&
	       (stripped ? ether->ether_type : tag->eth_proto) == rte_cpu_to_be_16(type) &&
	       rte_is_same_ether_addr(&ether->dst_addr, &netif->mac) &&
	       !rte_is_multicast_ether_addr(&ether->src_addr);
}

uint8_t
ether_write_header(const struct netif *netif, const struct rte_ether_addr *dst, uint16_t type,
	uint8_t *header)
{
	struct rte_ether_hdr ether = {*dst, netif->mac, rte_cpu_to_be_16(type)};
	struct rte_vlan_hdr tag = {rte_cpu_to_be_16(netif->vlan_tci), rte_cpu_to_be_16(type)};

	if (netif_is_tagged(netif)) {
		ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		memcpy(header + sizeof(ether), &tag, sizeof(tag));
	}
	memcpy(header, &ether, sizeof(ether));
	return (uint8_t)netif_l2_len(netif);
}
