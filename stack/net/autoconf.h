/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_AUTOCONF_H
#define RILL_NET_AUTOCONF_H

/*
 * What routers say [4861 6.3, 4862 5.5], if it is asked for: which of them will pass packets on,
 * which networks are on the link, what addresses we may have there, and the link's parameters. All
 * of it ends with the lifetime that it was given.
 *
 * Bounds: NET6_ROUTERS_MAX routers, NET6_PREFIXES_MAX networks, NET6_AUTO_MAX addresses: what comes
 * beyond is ignored, and counted, so that nobody displaces what is in use.
 */

#include "net6.h"

/* Asks for routers, from now on [4861 6.3.7]. */
void autoconf_start(struct net *net, ustime now);

void autoconf_router(struct net *net, const struct ndp_router *said, ustime now);
void autoconf_prefix(struct net *net, const struct ndp_prefix *said, ustime now);

/* An advertisement of this neighbour says that it is no router any more [4861 7.2.5]. */
void autoconf_router_gone(struct net *net, const uint8_t *ip, ustime now);

/* The default router to use: one that is known to be there before one that is not; NULL if there is
 * none [4861 6.3.6]. */
const uint8_t *autoconf_router_choose(const struct net *net);

/* Nobody answers at addr. Returns true if it is a router, and there is another: it is let go. */
bool autoconf_router_failed(struct net *net, const struct rill_addr *addr);

void autoconf_timer(struct net *net, ustime now, struct outbox *outbox);
ustime autoconf_deadline(const struct net6 *ip6);

#endif
