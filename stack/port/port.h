/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_PORT_H
#define RILL_PORT_PORT_H

/*
 * A port: where a lane's frames come from and go to. The only layer that knows ethdev.
 * The table of functions is called once per burst.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;
struct port;

struct port_ops {
	/* Up to n frames; returns how many. */
	uint16_t (*rx)(struct port *port, struct rte_mbuf **frames, uint16_t n);
	/* Takes a prefix of the frames; returns how many it took. */
	uint16_t (*tx)(struct port *port, struct rte_mbuf **frames, uint16_t n);
	void (*close)(struct port *port);
};

struct port {
	const struct port_ops *ops;
	uint16_t ethdev_id;
	uint16_t queue;
	bool running; /* the ethdev is started */
	/* What was asked of the device and granted. */
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint16_t netif_caps;   /* NETIF_... of link/netif.h */
	uint16_t tx_chain_max;
	uint16_t rx_desc, tx_desc;
	int numa_node;         /* -1: unknown */
};

#define PORT_TX_BURST 64

struct port_setup {
	const char *name;    /* ethdev name or PCI address */
	uint16_t mtu;        /* 0: what it has */
	uint16_t rx_desc, tx_desc; /* 0: 1024, within the port's limits */
	struct rte_mempool *rx_pool;
};

/* What a port is like before it is set up: for placing its pools. -ENODEV with an error sentence. */
int port_probe(const char *name, struct port *port);

/*
 * Configures one RX and one TX queue, asks for the offloads that Rill uses (never MBUF_FAST_FREE: it
 * promises refcnt 1, which payload that waits for its ACK breaks) and starts. Returns 0 or a negative
 * errno with an error sentence (error_set).
 */
int port_open_ethdev(struct port *port, const struct port_setup *setup);

/* The lane clock: microseconds, monotonic, from the TSC (multiplier and shift, no division). */
void clock_init(void);
uint64_t clock_now_us(void);

#endif
