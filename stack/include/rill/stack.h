/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_STACK_H
#define RILL_STACK_H

/**
 * @file
 * A stack: lanes that run together, each on a core of its own with a NIC queue of its own.
 *
 * Each lane serves one port (an ethdev). Several lanes may share a port: each connection then belongs
 * to one of them, chosen by a hash of its addresses and ports under a key that nobody outside knows,
 * and listeners, addresses and routes are those of all.
 */

#include <rill/lane.h>
#include <rill/options.h>
#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Ports of one stack, lanes of one port, and lanes of one stack. */
#define RILL_PORTS_MAX 16
#define RILL_PORT_LANES_MAX 16
#define RILL_LANES_MAX 64

/** Who cuts TCP segments out of what is sent? */
enum rill_tso {
	RILL_TSO_AUTO, /**< the port, where it can do that and their checksums; else Rill */
	RILL_TSO_OFF,  /**< Rill */
	RILL_TSO_COUNT
};

struct rill_port_config {
	const char *name;          /**< ethdev name ("net_tap0") or PCI address ("0000:03:10.0") */
	struct rill_prefix addrs[RILL_ADDRS_MAX]; /**< it answers for these only, not for those of
	                                               other ports: the strong model [1122 3.3.4.2] */
	unsigned int addrs_count;
	struct rill_addr gateway;  /**< IPv4's default route; family 0: none */
	struct rill_addr gateway6; /**< IPv6's: on the network of one of addrs, or link-local */
	struct rill_route routes[RILL_ROUTES_MAX]; /**< more, each to a gateway on a network of addrs */
	unsigned int routes_count;
	uint16_t vlan;             /**< the VLAN that the port is in, 1 .. 4094: what it sends bears its tag,
	                                what does not is dropped [802.1Q]; 0: frames have no tag. The port
	                                handles tags if it can, else Rill does */
	uint8_t vlan_priority;     /**< of what it sends in that VLAN, 0 .. 7 */
	enum rill_tso tso;         /**< segmentation offload; default RILL_TSO_AUTO */
	bool ip6_autoconf;         /**< listen to IPv6 routers, as in rill_lane_config */
	bool ip6_unprobed;         /**< use IPv6 addresses at once, as in rill_lane_config */
	bool ip4_probe;            /**< ask for IPv4 addresses before they are used, as in rill_lane_config */
	bool ip4_yield;            /**< give up those that another host claims, as in rill_lane_config */
	uint16_t mtu;              /**< 0: what the port has */
	/**
	 * A device that leads to the kernel, by whose interface that has what Rill does not want of this
	 * port's frames: "net_tap9,iface=host0", or net_virtio_user where the kernel has vhost-net. The
	 * interface gets the port's MAC address; give it the port's IP addresses and set it up. What
	 * belongs to no connection and no listener of Rill's is then the kernel's to answer. NULL: none.
	 */
	const char *exception;
	uint16_t rx_desc, tx_desc; /**< descriptors; 0: 1024 each, within what the port allows */
};

struct rill_config {
	struct rill_port_config ports[RILL_PORTS_MAX];
	unsigned int ports_count;
	unsigned int lanes;           /**< 0: one per port; else a multiple of ports_count, each port
	                                   is shared by as many: the first ones serve port 0 */
	struct rill_limits limits;    /**< of each lane */
	struct rill_options options;  /**< defaults of connections */
	uint32_t idle_sleep_us;       /**< a lane with nothing to do sleeps this long at most; 0: polls */
	const uint8_t *secret;        /**< RILL_SECRET_LEN bytes, shared by the lanes; NULL: from the system */
	const char *const *eal_args;  /**< arguments for EAL, used if it does not run yet; NULL: chosen */
	unsigned int eal_args_count;
	void *user;                   /**< given to the two callbacks */
	void (*on_lane_start)(struct rill_lane *lane, void *user); /**< on the lane's thread, before its first
	                                           turn, but for those until the addresses that it asks for are seen to be free */
	void (*on_lane_idle)(struct rill_lane *lane, void *user);  /**< after a turn that did nothing */
};

/** Writes the defaults. */
RILL_API void rill_config_default(struct rill_config *config);

/**
 * Starts EAL if it does not run, brings the ports up and makes the lanes. Nothing is sent yet.
 * Returns 0; else a negative errno, with rill_error() naming the option, its value and what would be
 * right: -EINVAL, -ENODEV (no such port), -ENOMEM, -ENOTSUP, -EPROTO (built for another DPDK ABI).
 */
RILL_API int rill_stack_create(const struct rill_config *config, struct rill_stack **stack);

/**
 * Runs every lane on a core of its own, lane 0 on the caller's; returns when all have stopped.
 * Returns 0 after rill_stack_stop, or once rill_stack_drain has emptied the stack; -ETIME when its
 * deadline passed and connections were aborted.
 */
RILL_API int rill_stack_run(struct rill_stack *stack);

/**
 * Ends gracefully: lanes stop accepting, and stop by themselves once no connection is left, or after
 * deadline_us, aborting the rest. Async-signal-safe; from any thread.
 */
RILL_API void rill_stack_drain(struct rill_stack *stack, uint64_t deadline_us);

/** Aborts every connection and stops. Async-signal-safe; from any thread. */
RILL_API void rill_stack_stop(struct rill_stack *stack);

/** Frees all, closes the ports. The stack must not be running. EAL is left running. */
RILL_API void rill_stack_destroy(struct rill_stack *stack);

RILL_API unsigned int rill_stack_lanes(const struct rill_stack *stack);

/**
 * Who spreads what arrives on a port, number `port` of the configuration, over its lanes, in words for
 * the operator: "4 lanes, spread by the NIC", or "4 lanes, spread by lane 0 (why the NIC does not)". Empty
 * if the port has one lane. The stack's. NULL beyond the last port.
 */
RILL_API const char *rill_stack_spread(const struct rill_stack *stack, unsigned int port);

RILL_API struct rill_lane *rill_stack_lane(const struct rill_stack *stack, unsigned int index);

/**
 * As rill_lane_addr_add and its kin, on all lanes of port number `port`, or on none. Before the
 * stack runs at once; while it runs from any thread but a lane's own, carried by mail and waited for.
 */
RILL_API int rill_addr_add(struct rill_stack *stack, unsigned int port, const struct rill_prefix *addr);
RILL_API int rill_addr_del(struct rill_stack *stack, unsigned int port, const struct rill_addr *addr);
RILL_API int rill_route_add(struct rill_stack *stack, unsigned int port,
	const struct rill_prefix *dst, const struct rill_addr *gateway, uint32_t metric);
RILL_API int rill_route_del(struct rill_stack *stack, unsigned int port,
	const struct rill_prefix *dst, const struct rill_addr *gateway);

#ifdef __cplusplus
}
#endif

#endif
