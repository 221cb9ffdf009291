/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "finding.h"
#include "netif.h"
#include "port.h"

/* How long a link may take to come up; autonegotiation takes a second or two. */
#define LINK_TRIES 30
#define LINK_TRY_US 100000

static void
check_queues(struct check *check, const struct rte_eth_dev_info *info, const struct port *port)
{
	finding_tell(check, RILL_CHECK_OK, "device", "", "%s is DPDK's driver of %s: %u RX and %u TX queues",
		info->driver_name, port->name, info->max_rx_queues, info->max_tx_queues);
}

static void
check_mtu(struct check *check, const struct rte_eth_dev_info *info, const struct port *port)
{
	finding_tell(check, RILL_CHECK_OK, "MTU", "", "%u, of %u .. %u that it allows", port->mtu,
		info->min_mtu, info->max_mtu);
}

static void
check_ring(struct check *check, const char *what, uint16_t asked, uint16_t has,
	const struct rte_eth_desc_lim *limits)
{
	if (asked == 0 || asked == has)
		finding_tell(check, RILL_CHECK_OK, what, "", "%u, of %u .. %u that it allows", has,
			limits->nb_min, limits->nb_max);
	else
		finding_tell(check, RILL_CHECK_MISSING, what, "ask for what it allows",
			"%u instead of %u: it allows %u .. %u, in steps of %u", has, asked, limits->nb_min,
			limits->nb_max, limits->nb_align);
}

/* ---- offloads */

/* offered: by the device; used: by Rill, which leaves alone what is known to go wrong. */
static void
check_offload(struct check *check, const char *what, bool offered, bool used, const char *software)
{
	if (used)
		finding_tell(check, RILL_CHECK_OK, what, "", "in hardware");
	else if (offered)
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "",
			"the device offers it, and is known to do it wrong: %s", software);
	else
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "", "the device does not do it: %s", software);
}

/* As check_offload; and a device may lack what goes with it, or nobody wants it. */
static void
check_segmentation(struct check *check, const struct rte_eth_dev_info *info, const struct port *port,
	const struct port_setup *asked)
{
	static const char what[] = "segmentation", software[] = "Rill cuts segments itself";
	bool offered = (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0;
	bool usable = (port_caps(info) & NETIF_TX_TSO) != 0;
	uint16_t pieces = port_tso_chain_max(info, port->tx_desc);

	if (usable && asked->tso_off)
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "",
			"tso is off, though the device could: %s", software);
	else if (usable && pieces < PORT_TSO_CHAIN_LEAST)
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "",
			"the device would take %u buffers in one frame only: %s", pieces, software);
	else if (usable)
		finding_tell(check, RILL_CHECK_OK, what, "",
			"in hardware: it cuts frames of up to 64 KiB (TSO)");
	else if (offered)
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "",
			"the device offers it, but not the checksums and chained buffers that it takes: %s",
			software);
	else
		finding_tell(check, RILL_CHECK_SOFTWARE, what, "", "the device does not do it: %s",
			software);
}

static void
check_offloads(struct check *check, const struct rte_eth_dev_info *info)
{
	static const struct {
		const char *what;
		uint64_t rx, tx; /* what the device must offer, all of it */
		uint16_t cap;
		const char *software;
	} rows[] = {
		{"checksums in", RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM, 0,
			NETIF_RX_CKSUM, "Rill verifies them"},
		{"IPv4 checksums out", 0, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, NETIF_TX_IP4_CKSUM,
			"Rill computes them"},
		{"TCP checksums out", 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM, NETIF_TX_TCP_CKSUM,
			"Rill computes them"},
		{"chained buffers out", 0, RTE_ETH_TX_OFFLOAD_MULTI_SEGS, NETIF_TX_CHAINS,
			"Rill copies headers and payload together"},
	};
	uint16_t caps = port_caps(info);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_offload(check, rows[i].what,
			(info->rx_offload_capa & rows[i].rx) == rows[i].rx &&
				(info->tx_offload_capa & rows[i].tx) == rows[i].tx,
			(caps & rows[i].cap) != 0, rows[i].software);
}

void
device_check(struct check *check, const struct rte_eth_dev_info *info, const struct port *port,
	const struct port_setup *asked)
{
	check_queues(check, info, port);
	check_mtu(check, info, port);
	check_ring(check, "RX descriptors", asked->rx_desc, port->rx_desc, &info->rx_desc_lim);
	check_ring(check, "TX descriptors", asked->tx_desc, port->tx_desc, &info->tx_desc_lim);
	check_offloads(check, info);
	check_segmentation(check, info, port, asked);
}

void
device_check_link(struct check *check, const struct port *port)
{
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};
	int err = 0;

	for (int i = 0; i < LINK_TRIES && err == 0 && link.link_status == RTE_ETH_LINK_DOWN; i++) {
		if (i > 0)
			usleep(LINK_TRY_US);
		err = rte_eth_link_get_nowait(port->ethdev_id, &link);
	}
	if (err != 0)
		finding_tell(check, RILL_CHECK_OK, "link", "", "the device does not tell");
	else if (link.link_status == RTE_ETH_LINK_DOWN)
		finding_tell(check, RILL_CHECK_MISSING, "link",
			"see the cable and the switch; a virtual function's is its PF's (ip link set PF up), a "
			"memif's or vhost's the other side's",
			"it is down: nothing will arrive until it is up");
	else if (link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN || link.link_speed == 0)
		finding_tell(check, RILL_CHECK_OK, "link", "", "up");
	else
		finding_tell(check, RILL_CHECK_OK, "link", "", "up, %u Mbit/s", link.link_speed);
}
