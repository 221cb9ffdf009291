/* SPDX-License-Identifier: BSD-3-Clause */
/* A port on an ethdev: bring-up and the two bursts. */
#include <errno.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_pci.h>

#include "errtext.h"
#include "ethdev.h"
#include "netif.h"
#include "port.h"
#include "rss.h"

/*
 * net_tap reads each frame with one readv over the buffers of all its descriptors: beyond what one
 * frame needs, more of them only make that call slower. Frames wait in the kernel's queue.
 */
#define TAP_RX_DESC 8

#define RX_CKSUM (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define RX_VLAN RTE_ETH_RX_OFFLOAD_VLAN_STRIP
#define TX_VLAN RTE_ETH_TX_OFFLOAD_VLAN_INSERT
#define TX_WANTED                                                                                  \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |                            \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO)
/* What a device that cuts segments has to do besides: their checksums, of frames in several pieces. */
#define TSO_NEEDS (TX_WANTED & ~(uint64_t)RTE_ETH_TX_OFFLOAD_TCP_TSO)
#define TSO_RING_SHARE 4 /* part of the ring that one frame may fill */

static uint16_t
ethdev_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	return rte_eth_rx_burst(port->ethdev_id, port->queue, frames, n);
}

uint16_t
port_tx_ethdev(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	for (uint16_t i = 0; unlikely(port->vlan_tci != 0) && i < n; i++) {
		frames[i]->ol_flags |= RTE_MBUF_F_TX_VLAN;
		frames[i]->vlan_tci = port->vlan_tci;
	}
	return rte_eth_tx_burst(port->ethdev_id, port->queue, frames, n);
}

/* A device may carry several ports: is this one's used by another? */
static bool
device_is_used(const struct rte_device *device)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (rte_eth_dev_info_get(id, &info) == 0 && info.device == device)
			return true;
	}
	return false;
}

/* A device that was not touched is left as it was found. The others go, so that they can be found anew. */
void
port_close_ethdev(struct port *port)
{
	bool remove = port->plugged || port->configured;

	if (port->running)
		rte_eth_dev_stop(port->ethdev_id);
	if (remove) {
		rte_eth_dev_close(port->ethdev_id);
		if (port->device != NULL && !device_is_used(port->device))
			rte_dev_remove(port->device);
	}
	port->running = port->configured = port->plugged = false;
}

static const struct port_ops ethdev_ops = {
	.rx = ethdev_rx,
	.tx = port_tx_ethdev,
	.close = port_close_ethdev,
};

void
port_close(struct port *port)
{
	if (port->ops != NULL)
		port->ops->close(port);
	port->ops = NULL;
}

bool
port_name_is_pci(const char *name)
{
	struct rte_pci_addr addr;

	return rte_pci_addr_parse(name, &addr) == 0;
}

/* ---- finding it */

static int
find_pci(struct port *port, const char *name)
{
	struct rte_dev_iterator each;
	uint16_t id;
	bool probed = false;

	do {
		RTE_ETH_FOREACH_MATCHING_DEV(id, name, &each)
		{
			rte_eth_iterator_cleanup(&each);
			port->ethdev_id = id;
			return rte_eth_dev_get_name_by_port(id, port->name);
		}
		if (probed || rte_dev_probe(name) != 0)
			break;
		probed = true;
	} while (true);
	return error_set(-ENODEV,
		"port \"%s\": no driver took this PCI device: bind it to vfio-pci (dpdk-devbind.py), see "
		"that EAL was started without --no-pci, and that DPDK has a driver for it",
		name);
}

int
ethdev_find_pci(struct port *port, const char *name)
{
	struct rte_eth_dev_info info;
	int err = find_pci(port, name);

	if (err == 0)
		err = rte_eth_dev_info_get(port->ethdev_id, &info);
	port->device = err == 0 ? info.device : NULL;
	return err;
}

static int
make_vdev(struct port *port, const char *args)
{
	int err;

	if (strncmp(port->name, "net_", 4) != 0)
		return error_set(-ENODEV,
			"port \"%s\": no such port; a name is that of an ethdev (net_tap0), which is made "
			"if it begins with net_, or a PCI address (0000:03:00.0)",
			port->name);
	err = rte_eal_hotplug_add("vdev", port->name, args);
	if (err != 0)
		return error_set(-ENODEV,
			"port \"%s\": DPDK cannot make this device with the arguments \"%s\" (%s): a name is a "
			"driver's with a number, as net_tap0, with its arguments after a comma",
			port->name, args, rte_strerror(-err));
	port->plugged = true;
	return 0;
}

/* "net_tap0" or "net_tap0,iface=rill0". */
static int
find_named(struct port *port, const char *name)
{
	const char *comma = strchr(name, ',');
	size_t len = comma != NULL ? (size_t)(comma - name) : strlen(name);
	int err;

	if (len == 0 || len >= sizeof(port->name))
		return error_set(-EINVAL, "port \"%s\": a name has 1 to %zu characters", name,
			sizeof(port->name) - 1);
	memcpy(port->name, name, len);
	port->name[len] = 0;
	if (rte_eth_dev_get_port_by_name(port->name, &port->ethdev_id) == 0) {
		if (comma != NULL)
			return error_set(-EEXIST,
				"port \"%s\": %s exists already: leave the arguments after the comma out",
				name, port->name);
		return 0;
	}
	err = make_vdev(port, comma != NULL ? comma + 1 : "");
	if (err == 0 && rte_eth_dev_get_port_by_name(port->name, &port->ethdev_id) != 0) {
		rte_eal_hotplug_remove("vdev", port->name);
		err = error_set(-ENODEV, "port \"%s\": the device has no ethdev", name);
	}
	return err;
}

/* ---- what it will be like */

static void
size_rings(struct port *port, const struct port_setup *setup, const struct rte_eth_dev_info *info)
{
	uint16_t rx = PORT_DESC_DEFAULT, tx = PORT_DESC_DEFAULT;

	if (strcmp(info->driver_name, "net_tap") == 0)
		rx = TAP_RX_DESC;
	port->rx_desc = setup->rx_desc != 0 ? setup->rx_desc : rx;
	port->tx_desc = setup->tx_desc != 0 ? setup->tx_desc : tx;
	rte_eth_dev_adjust_nb_rx_tx_desc(port->ethdev_id, &port->rx_desc, &port->tx_desc);
}

static int
check_mtu(const struct port_setup *setup, const struct rte_eth_dev_info *info)
{
	if (setup->mtu != 0 && (setup->mtu < info->min_mtu || setup->mtu > info->max_mtu))
		return error_set(-EINVAL, "port \"%s\": mtu: %u is not within %u .. %u, which %s allows",
			setup->name, setup->mtu, info->min_mtu, info->max_mtu, info->driver_name);
	return 0;
}

int
port_probe(struct port *port, const struct port_setup *setup)
{
	struct rte_eth_dev_info info;
	int err;

	*port = (struct port){.ops = &ethdev_ops, .numa_node = -1};
	err = port_name_is_pci(setup->name) ? find_pci(port, setup->name)
					    : find_named(port, setup->name);
	if (err != 0) {
		port->ops = NULL;
		return err;
	}
	err = rte_eth_dev_info_get(port->ethdev_id, &info);
	port->device = err == 0 ? info.device : NULL;
	if (err != 0)
		err = error_set(err, "port \"%s\": the device does not say what it can do (%s)",
			setup->name, rte_strerror(-err));
	else
		err = check_mtu(setup, &info);
	if (err != 0) {
		port_close(port);
		return err;
	}
	port->numa_node = rte_eth_dev_socket_id(port->ethdev_id);
	port->mtu = setup->mtu;
	if (port->mtu == 0)
		rte_eth_dev_get_mtu(port->ethdev_id, &port->mtu);
	size_rings(port, setup, &info);
	return 0;
}

/* ---- bring-up */

static uint16_t
caps_of(uint64_t rx, uint64_t tx)
{
	uint16_t caps = 0;

	if ((rx & RX_CKSUM) == RX_CKSUM)
		caps |= NETIF_RX_CKSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		caps |= NETIF_TX_IP4_CKSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
		caps |= NETIF_TX_TCP_CKSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		caps |= NETIF_TX_CHAINS;
	if (tx & RTE_ETH_TX_OFFLOAD_TCP_TSO)
		caps |= NETIF_TX_TSO;
	return caps;
}

static uint16_t
chain_max_of(uint16_t caps, const struct rte_eth_desc_lim *limits)
{
	uint16_t most = limits->nb_mtu_seg_max;

	if (!(caps & NETIF_TX_CHAINS))
		return 1;
	return most == 0 || most > PORT_CHAIN_MAX ? PORT_CHAIN_MAX : most;
}

uint16_t
port_tso_chain_max(const struct rte_eth_dev_info *info, uint16_t tx_desc)
{
	uint16_t most = info->tx_desc_lim.nb_seg_max;

	if (most == 0 || most > PORT_TSO_CHAIN_MAX)
		most = PORT_TSO_CHAIN_MAX;
	return RTE_MIN(most, (uint16_t)(tx_desc / TSO_RING_SHARE));
}

static int
set_up_queue(struct port *port, uint16_t queue, const struct rte_eth_dev_info *info,
	const struct rte_eth_conf *conf, struct rte_mempool *rx_pool)
{
	struct rte_eth_rxconf rx = info->default_rxconf;
	struct rte_eth_txconf tx = info->default_txconf;
	unsigned int node = port->numa_node < 0 ? (unsigned int)SOCKET_ID_ANY
						: (unsigned int)port->numa_node;
	int err;

	rx.offloads = conf->rxmode.offloads;
	tx.offloads = conf->txmode.offloads;
	err = rte_eth_rx_queue_setup(port->ethdev_id, queue, port->rx_desc, node, &rx, rx_pool);
	if (err != 0)
		return error_set(err, "port \"%s\": rx_desc: %s refuses a ring of %u (%s); it allows %u .. %u",
			port->name, info->driver_name, port->rx_desc, rte_strerror(-err),
			info->rx_desc_lim.nb_min, info->rx_desc_lim.nb_max);
	err = rte_eth_tx_queue_setup(port->ethdev_id, queue, port->tx_desc, node, &tx);
	if (err != 0)
		return error_set(err, "port \"%s\": tx_desc: %s refuses a ring of %u (%s); it allows %u .. %u",
			port->name, info->driver_name, port->tx_desc, rte_strerror(-err),
			info->tx_desc_lim.nb_min, info->tx_desc_lim.nb_max);
	return 0;
}

/* A driver without a call for it has been told by rte_eth_dev_configure. */
static int
set_mtu(struct port *port)
{
	int err = rte_eth_dev_set_mtu(port->ethdev_id, port->mtu);

	if (err == 0 || err == -ENOTSUP)
		return 0;
	return error_set(err, "port \"%s\": mtu: the device does not take %u (%s): leave it at 0", port->name,
		port->mtu, rte_strerror(-err));
}

/*
 * What the device may do on transmission: what it offers, less what it is known to do wrong. net_tap
 * sums each mbuf of a chain as if it began at an even offset, so that the TCP checksum of a chain with
 * an odd piece before its end is wrong; and of the frames that it is to cut, none arrives (both seen with
 * DPDK 22.11). Without the one it is not asked for the other.
 */
static uint64_t
tx_offloads(const struct rte_eth_dev_info *info)
{
	uint64_t offered = info->tx_offload_capa & TX_WANTED;

	if (strcmp(info->driver_name, "net_tap") == 0)
		offered &= ~(uint64_t)RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if ((offered & TSO_NEEDS) != TSO_NEEDS)
		offered &= ~(uint64_t)RTE_ETH_TX_OFFLOAD_TCP_TSO;
	return offered;
}

static uint64_t
rx_offloads(const struct rte_eth_dev_info *info)
{
	return (info->rx_offload_capa & RX_CKSUM) == RX_CKSUM ? RX_CKSUM : 0;
}

/* igb's VFs say of frames that their PF's VLAN tag was taken off, unasked (seen with DPDK 22.11). */
uint16_t
port_caps(const struct rte_eth_dev_info *info)
{
	uint16_t caps = caps_of(rx_offloads(info), tx_offloads(info));

	if (strcmp(info->driver_name, "net_e1000_igb_vf") == 0)
		caps |= NETIF_PF_VLAN;
	return caps;
}

/* A device that refuses the key may take RSS with one of its own. */
static int
configure_device(struct port *port, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf,
	const struct port_queues *queues)
{
	uint16_t n = (uint16_t)queues->count;
	int err;

	if (queues->steer != NULL)
		rss_ask(conf, info, queues->steer);
	err = rte_eth_dev_configure(port->ethdev_id, n, n, conf);
	if (err != 0 && err != -EBUSY && queues->steer != NULL) {
		conf->rx_adv_conf.rss_conf.rss_key = NULL;
		conf->rx_adv_conf.rss_conf.rss_key_len = 0;
		err = rte_eth_dev_configure(port->ethdev_id, n, n, conf);
	}
	if (err == -EBUSY)
		return error_set(err, "port \"%s\": is in use by another stack of this process",
			port->name);
	if (err != 0)
		return error_set(err, "port \"%s\": %s refuses %u queue(s) with mtu %u (%s)", port->name,
			info->driver_name, n, port->mtu, rte_strerror(-err));
	port->configured = true;
	return 0;
}

/* Tags are the device's if it can both take them off and put them in. One that can sort frames out by
 * their VLAN may do so by itself, and is told ours (start). */
static void
ask_for_vlan(struct port *port, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf,
	uint16_t tci)
{
	conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	if (!(info->rx_offload_capa & RX_VLAN) || !(info->tx_offload_capa & TX_VLAN))
		return;
	conf->rxmode.offloads |= RX_VLAN;
	conf->txmode.offloads |= TX_VLAN;
	port->vlan_tci = tci;
}

static int
configure(struct port *port, const struct port_setup *setup, const struct rte_eth_dev_info *info,
	const struct port_queues *queues)
{
	struct rte_eth_conf conf = {.rxmode.mtu = port->mtu};
	int err;

	conf.rxmode.offloads = rx_offloads(info);
	/* Who has no such interrupts is asked for its link now and then. */
	conf.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
	conf.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	conf.txmode.offloads = tx_offloads(info);
	port->tso_chain_max = port_tso_chain_max(info, port->tx_desc);
	if (setup->tso_off || port->tso_chain_max < PORT_TSO_CHAIN_LEAST)
		conf.txmode.offloads &= ~(uint64_t)RTE_ETH_TX_OFFLOAD_TCP_TSO;
	port->vlan_tci = 0;
	if (setup->vlan_tci != 0)
		ask_for_vlan(port, info, &conf, setup->vlan_tci);
	err = configure_device(port, info, &conf, queues);
	if (err != 0)
		return err;
	err = set_mtu(port);
	for (uint16_t i = 0; err == 0 && i < queues->count; i++)
		err = set_up_queue(port, i, info, &conf, queues->rx_pools[i]);
	port->netif_caps = port_caps(info) | (port->vlan_tci != 0 ? NETIF_VLAN : 0);
	if (!(conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO)) {
		port->netif_caps &= (uint16_t)~NETIF_TX_TSO;
		port->tso_chain_max = 0;
	}
	port->tx_chain_max = chain_max_of(port->netif_caps, &info->tx_desc_lim);
	return err;
}

/* A device that sorts frames out by their VLAN is told ours. */
static int
let_vlan_in(const struct port *port, const struct port_setup *setup)
{
	uint16_t vlan = setup->vlan_tci & NETIF_VLAN_ID;
	struct rte_eth_dev_info info;
	int err = 0;

	if (vlan != 0 && rte_eth_dev_info_get(port->ethdev_id, &info) == 0 &&
		(info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER))
		err = rte_eth_dev_vlan_filter(port->ethdev_id, vlan, 1);
	if (err == 0)
		return 0;
	return error_set(err, "port \"%s\": vlan: the device refuses to let VLAN %u in (%s)",
		setup->name, vlan, rte_strerror(-err));
}

int
ethdev_start(struct port *port, const struct port_setup *setup)
{
	int err = rte_eth_dev_start(port->ethdev_id);

	if (err != 0)
		return error_set(err, "port \"%s\": its device does not start (%s)", setup->name,
			rte_strerror(-err));
	port->running = true;
	/* Frames for others would only be dropped; a driver that cannot choose shows them anyway. */
	rte_eth_promiscuous_disable(port->ethdev_id);
	if (setup->all_groups)
		rte_eth_allmulticast_enable(port->ethdev_id);
	else
		rte_eth_allmulticast_disable(port->ethdev_id);
	rte_eth_dev_set_link_up(port->ethdev_id);
	err = let_vlan_in(port, setup);
	if (err != 0)
		return err;
	err = rte_eth_macaddr_get(port->ethdev_id, &port->mac);
	if (err != 0)
		return error_set(err, "port \"%s\": has no MAC address (%s)", setup->name,
			rte_strerror(-err));
	return 0;
}

/* The kernel fans out over all sockets of a net_af_packet, also those that nobody reads (seen with DPDK
 * 22.11). */
static int
check_all_read(
	const struct port_setup *setup, const struct rte_eth_dev_info *info, unsigned int queues)
{
	if (strcmp(info->driver_name, "net_af_packet") != 0 || info->max_rx_queues == queues)
		return 0;
	return error_set(-EINVAL,
		"port \"%s\": the kernel fills all of its %u queues, and %u would be read: give it as many as "
		"it has lanes (qpairs=), or one",
		setup->name, info->max_rx_queues, queues);
}

void
port_join(struct port *port, const struct rte_ether_addr *groups, unsigned int n)
{
	struct rte_ether_addr list[PORT_GROUPS_MAX];
	bool listed = n <= PORT_GROUPS_MAX;

	if (listed) {
		memcpy(list, groups, n * sizeof(list[0]));
		listed = rte_eth_dev_set_mc_addr_list(port->ethdev_id, list, n) == 0;
	}
	if (listed)
		rte_eth_allmulticast_disable(port->ethdev_id);
	else
		rte_eth_allmulticast_enable(port->ethdev_id);
}

int
ethdev_bring_up(
	struct port *port, const struct port_setup *setup, const struct port_queues *queues)
{
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(port->ethdev_id, &info);

	if (err == 0 && queues->steer != NULL)
		err = rss_check_claims(setup->name, &info, queues->count);
	if (err == 0)
		err = check_all_read(setup, &info, queues->count);
	if (err == 0)
		err = configure(port, setup, &info, queues);
	return err == 0 ? ethdev_start(port, setup) : err;
}

int
port_open_ethdev(struct port *port, const struct port_setup *setup, struct rte_mempool *rx_pool)
{
	const struct port_queues one = {.count = 1, .rx_pools = &rx_pool};

	return ethdev_bring_up(port, setup, &one);
}

int
port_open_queues(
	struct port *port, const struct port_setup *setup, const struct port_queues *queues)
{
	return ethdev_bring_up(port, setup, queues);
}

int
port_open_rss(struct port *port, const struct port_setup *setup, const struct port_queues *queues,
	bool *device_key)
{
	int err = ethdev_bring_up(port, setup, queues);

	if (err == 0)
		err = rss_agree(setup->name, port->ethdev_id, queues->count, queues->steer, device_key);
	if (err != 0 && port->running) {
		rte_eth_dev_stop(port->ethdev_id);
		port->running = false;
	}
	return err;
}

bool
port_is_spread_anyway(const struct port *port, unsigned int queues)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(port->ethdev_id, &info) == 0 && rss_is_spread_anyway(&info, queues);
}

int
port_check_rss(const struct port *port, const struct port_setup *setup, unsigned int queues)
{
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(port->ethdev_id, &info);

	if (err != 0)
		return error_set(-ENOTSUP, "port \"%s\": the device does not say what it can do (%s)",
			setup->name, rte_strerror(-err));
	return rss_check_claims(setup->name, &info, queues);
}

/* The device is the first one's to close. */
static void
queue_close(struct port *port)
{
}

void
port_of_queue(struct port *port, const struct port *first, uint16_t queue)
{
	static const struct port_ops ops = {
		.rx = ethdev_rx, .tx = port_tx_ethdev, .close = queue_close};

	*port = *first;
	port->ops = &ops;
	port->queue = queue;
	port->configured = port->running = port->plugged = false;
}
