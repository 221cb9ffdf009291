/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_FAMILY_H
#define TEST_FAMILY_H

/*
 * Which family a test speaks: IPv4, or IPv6 where RILL_TEST_FAMILY is 6. Tests name hosts by their IPv4
 * addresses; in IPv6 these have the same numbers (wire.h). Links are as much longer as the header is, so
 * that segments have the same sizes.
 */

#include <stdbool.h>

#include <rill/types.h>

bool family_is_ip6(void);

/* 192.0.2.1 as it is, or as 2001:db8::c000:201. */
struct rill_addr family_addr(const char *ip4);
struct rill_addr family_addr_of(uint32_t host);
struct rill_prefix family_prefix(const char *ip4_and_len);

/* The MTU at which a segment carries what it does at this one of IPv4; 0: the default's, 1500. */
uint16_t family_mtu(uint16_t ip4_mtu);

#endif
