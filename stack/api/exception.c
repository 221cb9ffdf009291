/* SPDX-License-Identifier: BSD-3-Clause */
#include "exception.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "errtext.h"
#include "exceptions.h"
#include "runner.h"

#define EXCEPTION_BURST 32 /* frames of the kernel's that a lane takes in one turn */
#define EXCEPTION_SPEC_LEN 512
/* What frames that arrived, or that the kernel built, say means nothing for the wire they leave by. */
#define EXCEPTION_FLAGS                                                                            \
	(RTE_MBUF_F_TX_OFFLOAD_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)

/* The drivers whose other end is an interface of the kernel's. */
static bool
leads_to_kernel(const char *name)
{
	static const char *const drivers[] = {"net_tap", "net_virtio_user", "virtio_user"};

	for (unsigned int i = 0; i < RTE_DIM(drivers); i++)
		if (strncmp(name, drivers[i], strlen(drivers[i])) == 0)
			return true;
	return false;
}

/* The kernel's end gets the port's own address: both are one host. */
static int
choose_device(const struct group *group, char *spec, size_t size)
{
	const char *name = group->config->exception;
	const struct rte_ether_addr *mac = &group->first->lane->netif.mac;
	int len;

	if (!leads_to_kernel(name))
		return error_set(-EINVAL,
			"port \"%s\": exception: \"%s\" is no way to the kernel: give net_tap or "
			"net_virtio_user with a number and its interface, such as net_tap9,iface=host0",
			group->config->name, name);
	len = snprintf(spec, size, "%s,mac=" RTE_ETHER_ADDR_PRT_FMT, name, RTE_ETHER_ADDR_BYTES(mac));
	if (len < 0 || (size_t)len >= size)
		return error_set(-EINVAL, "port \"%s\": exception: is too long: give at most %zu bytes",
			group->config->name, size - 32);
	return 0;
}

static int
make_pools(struct group *group, const struct port *device)
{
	int err = 0;

	for (unsigned int i = 0; err == 0 && i < group->lanes; i++) {
		struct runner *runner = &group->first[i];
		const struct pools_setup setup = {
			.name = runner->name,
			.numa_node = runner->port.numa_node,
			.mtu = device->mtu,
			.rx_desc = device->rx_desc,
			.tx_desc = runner->port.tx_desc,
		};

		err = pools_add_exception(&runner->pools, &setup, &runner->lane->owner);
	}
	return err;
}

int
exception_open(struct group *group)
{
	struct port *device = &group->first->exception;
	struct rte_mempool *pools[RILL_PORT_LANES_MAX];
	const struct port_queues queues = {.count = group->lanes, .rx_pools = pools};
	char spec[EXCEPTION_SPEC_LEN];
	struct port_setup setup = {.name = spec, .mtu = group->first->port.mtu};
	int err;

	if (group->config->exception == NULL)
		return 0;
	err = choose_device(group, spec, sizeof(spec));
	if (err == 0)
		err = port_probe(device, &setup);
	if (err == 0)
		err = make_pools(group, device);
	for (unsigned int i = 0; i < group->lanes; i++)
		pools[i] = group->first[i].pools.exception;
	if (err == 0)
		err = port_open_queues(device, &setup, &queues);
	for (unsigned int i = 1; err == 0 && i < group->lanes; i++)
		port_of_queue(&group->first[i].exception, device, (uint16_t)i);
	return err;
}

void
exception_close(struct group *group)
{
	for (unsigned int i = group->lanes; i-- > 0;)
		port_close(&group->first[i].exception);
}

void
exception_set_mac(const struct group *group)
{
	const struct port *device = &group->first->exception;
	struct rte_ether_addr mac = group->first->port.mac;

	if (device->ops != NULL)
		rte_eth_dev_default_mac_addr_set(device->ethdev_id, &mac);
}

static void
clear_offload(struct rte_mbuf *frames[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		frames[i]->ol_flags &= ~EXCEPTION_FLAGS;
		frames[i]->tx_offload = 0;
	}
}

/*
 * The kernel's interface is in the VLAN as a whole: where Rill writes tags itself, it takes them off here.
 * What came to be handed over has ours.
 */
static uint16_t
take_tags_off(struct rill_lane *lane, struct rte_mbuf *frames[], uint16_t n)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->data_len > RTE_ETHER_HDR_LEN + NETIF_TAG_LEN &&
			rte_vlan_strip(frames[i]) == 0)
			frames[kept++] = frames[i];
		else
			drop_packet(&lane->counters, frames[i], RILL_DROP_vlan_foreign);
	return kept;
}

static uint16_t
put_tags_in(struct rill_lane *lane, struct rte_mbuf *frames[], uint16_t n)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		frames[i]->vlan_tci = lane->netif.vlan_tci;
		if (rte_vlan_insert(&frames[i]) == 0)
			frames[kept++] = frames[i];
		else
			drop_packet(&lane->counters, frames[i], RILL_DROP_no_mbuf);
	}
	return kept;
}

static uint32_t
hand_over(struct port *device, struct rill_lane *lane)
{
	struct exceptions *exceptions = &lane->exceptions;
	uint16_t n = (uint16_t)exceptions->count, took;

	if (unlikely(netif_is_tagged(&lane->netif)))
		n = take_tags_off(lane, exceptions->frames, n);
	clear_offload(exceptions->frames, n);
	took = n > 0 ? device->ops->tx(device, exceptions->frames, n) : 0;
	lane->counters.exception_out += took;
	for (unsigned int i = took; i < n; i++)
		drop_packet(&lane->counters, exceptions->frames[i], RILL_DROP_exception_full);
	exceptions->count = 0;
	return took;
}

static uint32_t
take_over(struct port *device, struct rill_lane *lane)
{
	struct rte_mbuf *frames[EXCEPTION_BURST];
	uint16_t n;

	if (outbox_count(&lane->outbox) + EXCEPTION_BURST > OUTBOX_SIZE - OUTBOX_CONTROL_ROOM)
		return 0;
	n = device->ops->rx(device, frames, EXCEPTION_BURST);
	if (unlikely(netif_is_tagged(&lane->netif)))
		n = put_tags_in(lane, frames, n);
	clear_offload(frames, n);
	for (unsigned int i = 0; i < n; i++)
		outbox_put(&lane->outbox, frames[i]);
	lane->counters.exception_in += n;
	return n;
}

uint32_t
exception_exchange(struct runner *runner)
{
	struct port *device = &runner->exception;

	if (likely(device->ops == NULL))
		return 0;
	return hand_over(device, runner->lane) + take_over(device, runner->lane);
}
