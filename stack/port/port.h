/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_PORT_H
#define RILL_PORT_PORT_H

/*
 * A port: where a lane's frames come from and go to. The only layer that knows ethdev.
 * The table of functions is called once per burst.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;
struct counters;
struct outbox;
struct port;
struct spreader;
struct steer;
struct strays;

/* Whether a port takes something of what waits for it. */
struct port_stall {
	bool stalled;      /* nothing, */
	uint32_t since_us; /* since this time (us32) */
};

struct port_ops {
	/* Up to n frames; returns how many. */
	uint16_t (*rx)(struct port *port, struct rte_mbuf **frames, uint16_t n);
	/* Takes a prefix of the frames; returns how many it took. */
	uint16_t (*tx)(struct port *port, struct rte_mbuf **frames, uint16_t n);
	void (*close)(struct port *port);
	/* Sends frames of other lanes (spread.h): twice in each turn, before its own frames and after
	 * them, since it changes who is first. Returns how many left. What the port does not take for
	 * PORT_STALL_US is dropped (us32 time). NULL: there are none. */
	uint32_t (*carry)(struct port *port, bool after_own, uint32_t now_us);
	/* Lends a frame that arrived here to the lane of this number whose it is, or drops and counts
	 * it. NULL: no fragment arrives here. */
	void (*hand)(struct port *port, unsigned int lane, struct rte_mbuf *frame);
	/* Do frames of other lanes wait to be sent? Where there is carry. */
	bool (*has_waiting)(const struct port *port);
};

struct port {
	const struct port_ops *ops;
	const struct port_ops *resumed_ops; /* while it is parked: those before, and after (restart.h) */
	uint16_t ethdev_id;
	uint16_t queue;
	bool configured; /* the ethdev is ours to close */
	bool running;    /* and it is started */
	/* What was asked of the device and granted. */
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint16_t netif_caps; /* NETIF_... of link/netif.h */
	uint16_t vlan_tci; /* that the device puts into what is sent; 0: none */
	uint16_t tx_chain_max;
	uint16_t tso_chain_max; /* 0 without NETIF_TX_TSO */
	uint16_t rx_desc, tx_desc;
	int numa_node;       /* -1: unknown */
	bool plugged;        /* a virtual device that we made, and so remove */
	bool full;           /* it took less than it was last offered */
	struct port_stall stall; /* of the lane's own frames */
	struct rte_device *device;
	char name[RTE_ETH_NAME_MAX_LEN]; /* of the ethdev */
	/* Where several lanes share the port: its queue (spread.h), or its queues (strays.h). */
	struct spreader *spreader;
	struct strays *strays;
	unsigned int lane;           /* number of this one's among them */
	struct rte_mempool *rx_pool; /* for copies of what others lend */
	uint32_t lent;               /* of who lends: buffers of its RX pool that others hold now */
	struct counters *counters;   /* the lane's; set once it is made */
};

#define PORT_BURST 64
#define PORT_PROBE 4 /* frames that a port is offered first that was full: it mostly still is */
#define PORT_DESC_DEFAULT 1024
#define PORT_STALL_US                                                                              \
	(1 * 1000 * 1000) /* a port that takes nothing for that long gets what waits no more */
#define PORT_CHAIN_MAX 32 /* mbuf segments of one frame, where the device allows more */
#define PORT_TSO_CHAIN_MAX 64  /* and of one that it cuts */
#define PORT_TSO_CHAIN_LEAST 4 /* with fewer it would hardly be larger */

struct port_setup {
	const char *name; /* ethdev name, with arguments after a comma if it is to be made, or PCI
			     address */
	uint16_t mtu;     /* 0: what it has */
	uint16_t vlan_tci; /* tag of our frames, which the device is to handle if it can; 0: none */
	uint16_t rx_desc, tx_desc; /* 0: PORT_DESC_DEFAULT, or what suits the driver better */
	bool all_groups;  /* frames to any group are wanted: the kernel joins others than we do */
	bool tso_off;     /* segments are not left to the device to cut */
};

/* Is this name a PCI address? */
bool port_name_is_pci(const char *name);

/*
 * Finds the port (a virtual device that does not exist yet is made, a PCI device probed) and what
 * it will be like: mac, mtu, rings within the device's limits, numa_node. Returns 0, with a port to
 * be closed; else a negative errno with an error sentence.
 */
int port_probe(struct port *port, const struct port_setup *setup);

/* Which of what a device offers can be used: NETIF_... of link/netif.h. */
uint16_t port_caps(const struct rte_eth_dev_info *info);

/* The mbuf segments that a frame which it cuts may have, so that several fit into a ring of so many
 * descriptors; less than PORT_TSO_CHAIN_LEAST: it is not worth while. */
uint16_t port_tso_chain_max(const struct rte_eth_dev_info *info, uint16_t tx_desc);

/*
 * Configures one RX and one TX queue, asks for the offloads that Rill uses (never MBUF_FAST_FREE:
 * it promises refcnt 1, which payload that waits for its ACK breaks) and starts. Returns 0 or a
 * negative errno with an error sentence; the port is then still to be closed.
 */
int port_open_ethdev(
	struct port *port, const struct port_setup *setup, struct rte_mempool *rx_pool);

/* Queues of a port, each a lane's, between which the NIC spreads by RSS (rss.h). */
struct port_queues {
	unsigned int count;                  /* of each kind */
	struct rte_mempool *const *rx_pools; /* of each RX queue */
	struct steer *steer;                 /* what it shall spread by; NULL: nothing */
};

/*
 * The same with several queues, of which number i gets, as the device says, what belongs to lane i of
 * the steer. Returns 0 with *device_key: has the steer taken the device's key instead of giving it its
 * own? Else a negative errno with an error sentence, -ENOTSUP if the device has no such thing or does
 * not agree: port_open_ethdev may then open it, and the steer is to be made anew.
 */
int port_open_rss(struct port *port, const struct port_setup *setup,
	const struct port_queues *queues, bool *device_key);

/* The same with several queues that nobody spreads between by RSS: it makes no difference who reads them, or
 * they fill all the same (rss.h), with any lane's segments on any. */
int port_open_queues(
	struct port *port, const struct port_setup *setup, const struct port_queues *queues);
bool port_is_spread_anyway(const struct port *port, unsigned int queues);

/* Does the device say that it can? Returns 0, or -ENOTSUP with an error sentence. The port is probed. */
int port_check_rss(const struct port *port, const struct port_setup *setup, unsigned int queues);

/* Makes the port of a further queue of a port that was opened so; closed before it, which has the
 * device. */
void port_of_queue(struct port *port, const struct port *first, uint16_t queue);

#define PORT_GROUPS_MAX 32 /* MACs that a device is told; with more it is asked for all groups */

/*
 * Lets frames to these groups in; n beyond PORT_GROUPS_MAX: to all. A device that cannot choose among
 * groups lets all of them in, and one that cannot do that either shows what it shows.
 */
void port_join(struct port *port, const struct rte_ether_addr *groups, unsigned int n);

/* Stops and closes the port, whatever state it is in; frames in its rings are freed. */
void port_close(struct port *port);

/* What an ethdev's port does; for ports that are made of one. */
uint16_t port_tx_ethdev(struct port *port, struct rte_mbuf **frames, uint16_t n);
void port_close_ethdev(struct port *port);

/*
 * Gives the port what waits in the outbox, oldest first, after the turn of time now_us; what it
 * does not take stays, in order. Sets the next turn's credit. Returns how many frames the port
 * took.
 */
uint32_t port_flush(
	struct port *port, struct outbox *outbox, struct counters *counters, uint32_t now_us);

/*
 * After a try to give the port something: `moved` if it took some of it, or if nothing waited. Has it
 * been stalled for PORT_STALL_US? What waits is then to be dropped, and the time begins anew.
 */
bool port_stall_over(struct port_stall *stall, bool moved, uint32_t now_us);

/* The lane clock: microseconds, monotonic, from the TSC (multiplier and shift, no division). */
void clock_init(void);
uint64_t clock_now_us(void);

#endif
