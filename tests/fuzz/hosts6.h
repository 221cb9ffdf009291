/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_HOSTS6_H
#define FUZZ_HOSTS6_H

/*
 * The IPv6 hosts beside the lane: a peer, routers and strangers, who may say anything. They answer the
 * lane's solicitations, unless they are silent; what they say else is a step's: neighbour discovery,
 * router advertisements, redirects, ICMPv6 errors and echo, and floods of each. A step that says
 * nothing but its kind makes the plain message; each other byte moves one part of it.
 */

#include <stddef.h>

#include "say.h"

/* Whose address it is; n chooses one of several. */
enum host6 {
	HOST6_PEER,        /* 2001:db8::c000:202 */
	HOST6_PEER_NEAR,   /* its link-local one */
	HOST6_ROUTER,      /* fe80::fe:n */
	HOST6_STRANGER,    /* 2001:db8::n of the same network */
	HOST6_LANE,        /* 2001:db8::c000:201 */
	HOST6_LANE_NEAR,   /* the lane's link-local one */
	HOST6_LANE_AUTO,   /* what the lane makes of the router's network n */
	HOST6_FAR,         /* 2001:db8:ffff::n */
	HOST6_NOBODY,      /* :: */
	HOST6_ALL_NODES,
	HOST6_ALL_ROUTERS,
	HOST6_LANE_GROUP,  /* in which the lane is asked for, */
	HOST6_NEAR_GROUP,  /* by its link-local address, */
	HOST6_GROUP,       /* and somebody else */
	HOST6_LOOPBACK,
	HOST6_NETWORK,     /* 2001:db8:n:: */
	HOSTS6
};

void hosts6_addr(uint8_t *addr, unsigned int host, unsigned int n);

/* Is IPv6 on in this world? */
bool hosts6_are_there(void);

/* The lane sent this. Ends the program if it should not have. */
void hosts6_hear(const uint8_t *packet, size_t len);

/* What a step makes them say: see hosts6.c for its bytes. */
void hosts6_discover(struct flow *flow, const struct step *step);
void hosts6_advertise_router(struct flow *flow, const struct step *step);
void hosts6_complain(struct flow *flow, const struct step *step);
void hosts6_flood(struct flow *flow, const struct step *step);
/* The lane is given an address or a route, or loses one. */
void hosts6_change(const struct step *step);

/* "Are you there?", to this address of the lane's: hosts6_pongs counts the answers. */
void hosts6_ping(const uint8_t *lane_addr);
unsigned int hosts6_pongs(void);

#endif
