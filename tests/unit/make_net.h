/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_MAKE_NET_H
#define RILL_TESTS_MAKE_NET_H

/* A net without addresses on the interface of links.h. */

#include "links.h"

#include "net_state.h"

#define NEIGHBOR_KIND 3
#define ANNOUNCE_KIND 4
#define FRAGMENTS_KIND 5

static inline struct net *
net_make(void)
{
	static const uint8_t secret[32] = {1, 2, 3};
	const struct net_setup setup = {
		.netif = &lnk.netif,
		.wheel = &lnk.wheel,
		.neighbor_kind = NEIGHBOR_KIND,
		.announce_kind = ANNOUNCE_KIND,
		.fragments_kind = FRAGMENTS_KIND,
		.secret = secret,
		.name = "test",
		.numa_node = SOCKET_ID_ANY,
		.now = lnk.now,
	};
	struct net *made = net_create(&setup);

	assert_non_null(made);
	return made;
}

/* Fragments that wait are given up without a word. */
static inline void
fragments_give_up(struct net *of)
{
	struct fragments_late late;

	while (fragments_expire(of->fragments, USTIME_NEVER, &late))
		rte_pktmbuf_free(late.first);
}

#endif
