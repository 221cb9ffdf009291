/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TYPES_H
#define RILL_TYPES_H

/**
 * @file
 * Addresses, endpoints and the opaque handles.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h> /* AF_INET, AF_INET6 */

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared library exports; everything else is hidden. */
#define RILL_API __attribute__((visibility("default")))

struct rill_stack;    /**< several lanes that run together */
struct rill_lane;     /**< one core and everything that it owns */
struct rill_conn;     /**< one connection; valid until its on_close has returned */
struct rill_listener; /**< a listening endpoint; valid until rill_unlisten */
struct rte_mbuf;

/** An IP address; all bytes in network order. Zero-initialise it before filling it in. */
struct rill_addr {
	uint8_t family; /**< AF_INET or AF_INET6; 0: unspecified, any address */
	uint8_t reserved[3];
	union {
		uint8_t ip4[4];
		uint8_t ip6[16];
	} u;
};

/** An address and a port in host byte order. */
struct rill_endpoint {
	struct rill_addr addr;
	uint16_t port;
};

/** An address with the length of its network's prefix, in bits. */
struct rill_prefix {
	struct rill_addr addr;
	uint8_t len;
	uint32_t more; /**< of a range, which has so many addresses after addr, of IPv4; else 0 */
};

/** A way to a network; of several to the same one, that with the lowest metric whose gateway answers. */
struct rill_route {
	struct rill_prefix dst; /**< length 0: the default route */
	struct rill_addr gateway;
	uint32_t metric;
};

/** "192.0.2.1" or "2001:db8::1" to an address. Returns 0, or -EINVAL and *addr stays as it was. */
RILL_API int rill_addr_parse(const char *text, struct rill_addr *addr);

/** "192.0.2.1/24" to a prefix; a missing length means a host. Returns as rill_addr_parse does. */
RILL_API int rill_prefix_parse(const char *text, struct rill_prefix *prefix);

/** The same, or a range, "10.1.0.1-10.1.255.254/16": both in one network of IPv4, the first one first. */
RILL_API int rill_range_parse(const char *text, struct rill_prefix *range);

/** Room that rill_addr_format needs, final NUL included. */
#define RILL_ADDR_STRLEN 46

/** Writes an address ("any" for family 0) into buf, of RILL_ADDR_STRLEN bytes; returns buf. */
RILL_API const char *rill_addr_format(const struct rill_addr *addr, char *buf);

/** The version of the library that runs, such as "0.1.0". */
RILL_API const char *rill_version(void);

/**
 * The sentence that explains this thread's last failure of a call that documents it: it names the
 * option, its value, and what would be right. Never NULL; empty when there was none.
 */
RILL_API const char *rill_error(void);

#ifdef __cplusplus
}
#endif

#endif
