/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Rill has no use for is dropped and counted, or, where there is an exception path, handed on as it
 * came; what the kernel has to see too is held once more. Bounded: what finds no room is counted.
 */
#include "links.h"

#include "arp.h"
#include "ether.h"
#include "exceptions.h"
#include "neighbor.h"

static struct exceptions kernel;

static struct rte_mbuf *
a_frame(uint16_t type)
{
	uint8_t bytes[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, (uint8_t)(type >> 8), (uint8_t)type};

	return packets_cut(bytes, sizeof(bytes), sizeof(bytes), sizeof(bytes));
}

static void
reset(bool exceptions)
{
	link_reset(true, 0);
	kernel.count = 0;
	lnk.netif.exceptions = exceptions ? &kernel : NULL;
}

static void
free_kernels(void)
{
	rte_pktmbuf_free_bulk(kernel.frames, kernel.count);
	kernel.count = 0;
	packets_expect_none_in_use();
}

static void
test_refused(void **state)
{
	struct rte_mbuf *frame;

	reset(false);
	netif_refuse(&lnk.netif, a_frame(0x88cc), RILL_DROP_ether_type);
	expect_only_drops(RILL_DROP_ether_type, 1);
	packets_expect_none_in_use();

	reset(true);
	frame = a_frame(0x88cc);
	netif_refuse(&lnk.netif, frame, RILL_DROP_ether_type);
	expect_only_drops(RILL_DROP_COUNT, 0);
	assert_int_equal(kernel.count, 1);
	assert_ptr_equal(kernel.frames[0], frame);
	free_kernels();
}

static void
test_shared(void **state)
{
	struct rte_mbuf *frame = a_frame(0x0806);

	reset(false);
	netif_share(&lnk.netif, frame);
	assert_int_equal(rte_mbuf_refcnt_read(frame), 1);

	reset(true);
	netif_share(&lnk.netif, frame);
	assert_int_equal(rte_mbuf_refcnt_read(frame), 2);
	assert_ptr_equal(kernel.frames[0], frame);
	rte_pktmbuf_free(frame); /* our use of it is over */
	free_kernels();
}

static void
test_bound(void **state)
{
	struct rte_mbuf *frame = a_frame(0x0806);

	reset(true);
	for (unsigned int i = 0; i < EXCEPTIONS_MAX; i++)
		netif_share(&lnk.netif, frame);
	expect_only_drops(RILL_DROP_COUNT, 0);
	netif_share(&lnk.netif, frame);
	assert_int_equal(rte_mbuf_refcnt_read(frame), EXCEPTIONS_MAX + 1);
	netif_refuse(&lnk.netif, frame, RILL_DROP_ether_type);
	expect_only_drops(RILL_DROP_exception_full, 2);
	assert_int_equal(kernel.count, EXCEPTIONS_MAX);
	free_kernels();
}

/* Types that are not ours and groups that we have not joined go to the kernel; frames to others do not. */
static void
test_ether(void **state)
{
	const uint8_t group[] = {1, 0, 0x5e, 0, 0, 0xfb}, other[] = {2, 0, 0, 0, 0, 9};
	struct rte_mbuf *frame;
	uint16_t l2_len;
	bool is_group;

	reset(true);
	assert_int_equal(ether_input(&lnk.netif, a_frame(0x88cc), &l2_len, &is_group), ETHER_DROPPED);
	frame = a_frame(0x0800);
	memcpy(rte_pktmbuf_mtod(frame, char *), group, sizeof(group));
	assert_int_equal(ether_input(&lnk.netif, frame, &l2_len, &is_group), ETHER_DROPPED);
	assert_int_equal(kernel.count, 2);
	expect_only_drops(RILL_DROP_COUNT, 0);
	frame = a_frame(0x0800);
	memcpy(rte_pktmbuf_mtod(frame, char *), other, sizeof(other));
	assert_int_equal(ether_input(&lnk.netif, frame, &l2_len, &is_group), ETHER_DROPPED);
	assert_int_equal(kernel.count, 2);
	expect_only_drops(RILL_DROP_ether_not_ours, 1);
	lnk.netif.vlan_tci = 5; /* the kernel beside us is in that VLAN, as we are */
	frame = a_frame(0x0800);
	memcpy(rte_pktmbuf_mtod(frame, char *), group, sizeof(group));
	assert_int_equal(ether_input(&lnk.netif, frame, &l2_len, &is_group), ETHER_DROPPED);
	assert_int_equal(kernel.count, 2);
	assert_int_equal(lnk.counters.drops[RILL_DROP_vlan_foreign], 1);
	free_kernels();
}

static enum arp_whose
whose(const void *arg, const struct rill_addr *addr)
{
	return addr->u.ip4[3] == 1 ? ARP_OURS : ARP_THEIRS;
}

static void
hear_arp(uint16_t op, uint8_t target)
{
	static struct neighbors *neighbors;
	struct arp_claim claim = {.shared = false};
	struct arp_frame frame = arp_frame(op, mac_of(2), mac_of(1), ip4(10, 0, 0, 2), mac_of(1),
		ip4(10, 0, 0, target));

	neighbors = neighbors_create(&lnk.netif, &lnk.wheel, 1, &neighbors_key, -1);
	assert_non_null(neighbors);
	arp_input(neighbors, &lnk.netif, packets_cut((uint8_t *)&frame, sizeof(frame), sizeof(frame),
		sizeof(frame)), 14, whose, NULL, &claim, lnk.now, &lnk.outbox);
	link_flush();
	neighbors_destroy(neighbors);
}

/* Replies may be for the kernel, which asks as the same host; requests for our address are ours. */
static void
test_arp(void **state)
{
	reset(true);
	hear_arp(RTE_ARP_OP_REPLY, 1);
	assert_int_equal(kernel.count, 1);
	hear_arp(RTE_ARP_OP_REQUEST, 7);
	assert_int_equal(kernel.count, 2);
	hear_arp(RTE_ARP_OP_REQUEST, 1);
	assert_int_equal(kernel.count, 2);
	free_kernels();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_ether),
		cmocka_unit_test(test_arp),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
