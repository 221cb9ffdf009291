/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_mbuf.h>

#include "ether.h"

#define IP4_CLASS_D 224 /* first byte: multicast, reserved and broadcast from here on */
#define IP4_LOOPBACK 127

static struct rill_addr
addr4(const rte_be32_t *ip)
{
	struct rill_addr addr = {.family = AF_INET};

	memcpy(addr.u.ip4, ip, sizeof(addr.u.ip4));
	return addr;
}

/* Builds an ARP packet from nothing and puts it into the outbox. Returns false if it could not. */
static bool
arp_send(const struct netif *netif, uint16_t op, const struct rill_addr *source,
	const struct rill_addr *target, const struct rte_ether_addr *dst,
	const struct rte_ether_addr *target_mac, struct outbox *outbox)
{
	struct rte_mbuf *mbuf = NULL;
	struct rte_ether_hdr *ether;
	struct rte_arp_hdr *arp;

	if (!outbox_has_control_room(outbox)) {
		count_drop(netif->counters, RILL_DROP_outbox_full);
		return false;
	}
	mbuf = rte_pktmbuf_alloc(netif->control_pool);
	if (mbuf == NULL) {
		count_drop(netif->counters, RILL_DROP_no_mbuf);
		return false;
	}
	ether = (struct rte_ether_hdr *)rte_pktmbuf_append(mbuf, sizeof(*ether) + sizeof(*arp));
	arp = (struct rte_arp_hdr *)(ether + 1);
	ether->dst_addr = *dst;
	ether->src_addr = netif->mac;
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = sizeof(rte_be32_t);
	arp->arp_opcode = rte_cpu_to_be_16(op);
	arp->arp_data.arp_sha = netif->mac;
	memcpy(&arp->arp_data.arp_sip, source->u.ip4, sizeof(rte_be32_t));
	arp->arp_data.arp_tha = *target_mac;
	memcpy(&arp->arp_data.arp_tip, target->u.ip4, sizeof(rte_be32_t));
	ether_tag(netif, mbuf);
	outbox_put(outbox, mbuf);
	return true;
}

void
arp_request(const struct netif *netif, const struct rill_addr *source,
	const struct rill_addr *target, const struct rte_ether_addr *mac, struct outbox *outbox)
{
	static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, none;

	if (arp_send(netif, RTE_ARP_OP_REQUEST, source, target, mac != NULL ? mac : &broadcast,
		    &none, outbox))
		netif->counters->arp_requests_out++;
}

void
arp_announce(const struct netif *netif, const struct rill_addr *addr, struct outbox *outbox)
{
	arp_request(netif, addr, addr, NULL, outbox);
}

/* Returns RILL_DROP_COUNT if it is ARP for IPv4 over Ethernet, request or reply. */
static enum rill_drop
arp_check_form(const struct rte_arp_hdr *arp)
{
	uint16_t op = rte_be_to_cpu_16(arp->arp_opcode);

	if (arp->arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp->arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != sizeof(rte_be32_t) ||
		(op != RTE_ARP_OP_REQUEST && op != RTE_ARP_OP_REPLY))
		return RILL_DROP_arp_malformed;
	return RILL_DROP_COUNT;
}

/* May this be the address of some other host? 0.0.0.0, of a probe, has been dealt with. */
static bool
is_host(const struct rill_addr *addr)
{
	return addr->u.ip4[0] != 0 && addr->u.ip4[0] != IP4_LOOPBACK &&
	       addr->u.ip4[0] < IP4_CLASS_D;
}

/* A host that is not this one has an address of ours, or wants it at the same time. */
static void
note_conflict(const struct netif *netif, const struct rill_addr *addr,
	const struct rte_ether_addr *mac, struct arp_claim *claim)
{
	if (rte_is_same_ether_addr(mac, &netif->mac)) /* an echo */
		return;
	claim->addr = *addr;
	claim->mac = *mac;
	claim->is_on_us = true;
}

/* The sender has an address of its own. Returns whether anybody had use for that. */
static bool
learn(struct neighbors *neighbors, const struct rill_addr *sender,
	const struct rte_ether_addr *mac, bool asks_us, struct arp_claim *claim, ustime now,
	struct outbox *outbox)
{
	claim->addr = *sender;
	claim->mac = *mac;
	claim->asks_us = asks_us;
	/* Perhaps not by this lane, but then that is not for it to say. */
	return neighbor_learn(neighbors, sender, mac, asks_us, now, outbox) || claim->shared;
}

/* Handles a packet of good form. Returns RILL_DROP_COUNT if it was of use. */
static enum rill_drop
arp_handle(struct neighbors *neighbors, const struct netif *netif, const struct rte_arp_hdr *header,
	struct rte_mbuf *frame, enum arp_whose (*whose)(const void *arg, const struct rill_addr *addr),
	const void *arg, struct arp_claim *claim, ustime now, struct outbox *outbox)
{
	const struct rte_arp_ipv4 *arp = &header->arp_data;
	struct rill_addr sender = addr4(&arp->arp_sip), target = addr4(&arp->arp_tip);
	bool request = header->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST);
	enum arp_whose asked = request ? whose(arg, &target) : ARP_THEIRS;
	bool asks_us = asked == ARP_OURS, known = false;

	if (!asks_us) /* which the kernel may have asked for itself, or may have to answer */
		netif_share(netif, frame);
	if (!rte_is_valid_assigned_ether_addr(&arp->arp_sha))
		return RILL_DROP_arp_bad_sender;
	if (arp->arp_sip != 0 || !request) {
		if (!is_host(&sender))
			return RILL_DROP_arp_bad_sender;
		if (whose(arg, &sender) != ARP_THEIRS) {
			note_conflict(netif, &sender, &arp->arp_sha, claim);
			return RILL_DROP_arp_bad_sender;
		}
		known = learn(neighbors, &sender, &arp->arp_sha, asks_us, claim, now, outbox);
	} else if (asked == ARP_PROBED) {
		note_conflict(netif, &target, &arp->arp_sha, claim);
		known = claim->is_on_us;
	}
	if (asks_us && arp_send(netif, RTE_ARP_OP_REPLY, &target, &sender, &arp->arp_sha,
			       &arp->arp_sha, outbox))
		netif->counters->arp_replies_out++;
	return known || asks_us ? RILL_DROP_COUNT : RILL_DROP_arp_not_ours;
}

void
arp_input(struct neighbors *neighbors, const struct netif *netif, struct rte_mbuf *mbuf,
	uint16_t l2_len, enum arp_whose (*whose)(const void *arg, const struct rill_addr *addr),
	const void *arg, struct arp_claim *claim, ustime now, struct outbox *outbox)
{
	struct rte_arp_hdr copy;
	const struct rte_arp_hdr *arp = rte_pktmbuf_read(mbuf, l2_len, sizeof(copy), &copy);
	enum rill_drop reason = RILL_DROP_arp_malformed;

	netif->counters->arp_in++;
	*claim = (struct arp_claim){.shared = claim->shared};
	if (arp != NULL)
		reason = arp_check_form(arp);
	if (reason == RILL_DROP_COUNT)
		reason = arp_handle(neighbors, netif, arp, mbuf, whose, arg, claim, now, outbox);
	if (reason != RILL_DROP_COUNT)
		drop_packet(netif->counters, mbuf, reason);
	else
		rte_pktmbuf_free(mbuf);
}
