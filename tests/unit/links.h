/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_LINKS_H
#define RILL_TESTS_LINKS_H

/*
 * An interface for tests of link/ and net/: its counters, an outbox, a wheel and a clock that are
 * driven by hand, and the frames that come out. Peers have MACs 02:00:00:00:00:N.
 */

#include <assert.h>
#include <stdlib.h>

#include "packets.h"

#include <rte_arp.h>
#include <rte_ether.h>

#include "netif.h"
#include "outbox.h"
#include "siphash.h"
#include "wheel.h"

#define LINK_START 5000000007ull

static const struct siphash_key neighbors_key = {1, 2};

static struct link {
	struct counters counters;
	struct netif netif;
	struct wheel wheel;
	struct outbox outbox;
	ustime now;
} lnk;

static inline struct rte_ether_addr
mac_of(uint8_t n)
{
	return (struct rte_ether_addr){{2, 0, 0, 0, 0, n}};
}

static inline struct rill_addr
ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct rill_addr){.family = AF_INET, .u.ip4 = {a, b, c, d}};
}

static inline void
link_reset(bool ethernet, uint16_t caps)
{
	memset(&lnk, 0, sizeof(lnk));
	lnk.now = LINK_START;
	wheel_init(&lnk.wheel, lnk.now);
	lnk.netif = (struct netif){.ethernet = ethernet,
		.mac = mac_of(1),
		.mtu = 1500,
		.caps = caps,
		.tx_chain_max = 8,
		.control_pool = control_pool,
		.wait_pool = control_pool,
		.counters = &lnk.counters};
}

/* The next frame that was sent; NULL: none. */
static inline struct rte_mbuf *
link_take(void)
{
	if (outbox_count(&lnk.outbox) == 0)
		return NULL;
	return lnk.outbox.ring[lnk.outbox.taken++ & (OUTBOX_SIZE - 1)];
}

static inline void
expect_silence(void)
{
	assert_int_equal(outbox_count(&lnk.outbox), 0);
}

/* The next frame is exactly this. */
static inline void
expect_frame(const void *bytes, uint32_t len)
{
	struct rte_mbuf *mbuf = link_take();

	assert_non_null(mbuf);
	packets_expect_bytes(mbuf, bytes, len);
	rte_pktmbuf_free(mbuf);
}

/* Drops what waits to be sent; returns how many frames. */
static inline uint32_t
link_flush(void)
{
	uint32_t count = 0;

	for (struct rte_mbuf *mbuf; (mbuf = link_take()) != NULL; count++)
		rte_pktmbuf_free(mbuf);
	return count;
}

struct arp_frame {
	struct rte_ether_hdr ether;
	struct rte_arp_hdr arp;
};
static_assert(sizeof(struct arp_frame) == 42, "as on the wire");

static inline struct arp_frame
arp_frame(uint16_t op, struct rte_ether_addr src, struct rte_ether_addr dst, struct rill_addr spa,
	struct rte_ether_addr tha, struct rill_addr tpa)
{
	struct arp_frame frame = {
		.ether = {dst, src, rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)},
		.arp = {rte_cpu_to_be_16(1), rte_cpu_to_be_16(0x0800), 6, 4, rte_cpu_to_be_16(op)},
	};

	frame.arp.arp_data.arp_sha = src;
	frame.arp.arp_data.arp_tha = tha;
	memcpy(&frame.arp.arp_data.arp_sip, spa.u.ip4, 4);
	memcpy(&frame.arp.arp_data.arp_tip, tpa.u.ip4, 4);
	return frame;
}

static const struct rte_ether_addr mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct rte_ether_addr mac_zero;

/* Drops counted so far, all reasons but this one being 0. */
static inline void
expect_only_drops(enum rill_drop reason, uint64_t count)
{
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++) {
		if (lnk.counters.drops[i] != (i == reason ? count : 0))
			fail_msg("%s: %llu", rill_drop_name(i),
				(unsigned long long)lnk.counters.drops[i]);
	}
}

#endif
