/* SPDX-License-Identifier: BSD-3-Clause */
#include "pools.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "errtext.h"
#include "outbox.h"
#include "pool_owner.h"
#include "port.h"
#include "spread.h"
#include "strays.h"
#include "tcp.h"

#define POOLS_CACHE 256

/* Payload room of a buffer: that of most NICs, or what one frame of the MTU needs, with a VLAN tag. */
#define POOLS_ROOM_LEAST 2048
#define POOLS_FRAME_EXTRA (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)

/* Control frames are headers, ARP, and ICMP errors of at most 576 bytes [1812 4.3.2.3]. */
#define POOLS_CONTROL_ROOM 640

/* What an object costs beside its bytes: mempool's header, trailer and ring, rounded. */
#define POOLS_OBJECT_EXTRA 128
#define POOLS_PAGE 4096ull
#define POOLS_FIXED (2u << 20) /* mempool's caches for every lcore */
#define POOLS_PER_CONN 1024    /* connection, table, TIME-WAIT, records, its share of side-cars */

/* What large frames that wait for the port refer to. */
#define POOLS_TSO (TSO_WAITING_MAX * PORT_TSO_CHAIN_MAX)

/* Everything that may wait in the outbox and in the port's ring, as a header and what it refers to. */
static uint32_t
control_count(uint16_t tx_desc)
{
	return 2 * (OUTBOX_SIZE + tx_desc) + POOLS_TSO + 2 * POOLS_CACHE;
}

/* What lanes and the carrier hold, and what lies in the port's ring. */
static uint32_t
blank_count(unsigned int lanes, uint16_t tx_desc)
{
	return SPREAD_BLANKS(lanes) + tx_desc + 2 * POOLS_CACHE;
}

/* What lies in the device's ring and in the port's, and what waits between them. */
static uint32_t
exception_count(uint16_t rx_desc, uint16_t tx_desc)
{
	return rx_desc + tx_desc + OUTBOX_SIZE + 2 * POOLS_CACHE;
}

static uint16_t
room_of(uint16_t mtu)
{
	uint32_t room = RTE_MAX((uint32_t)POOLS_ROOM_LEAST, (uint32_t)mtu + POOLS_FRAME_EXTRA);

	return (uint16_t)(RTE_PKTMBUF_HEADROOM + RTE_ALIGN_CEIL(room, RTE_CACHE_LINE_SIZE));
}

/*
 * Where devices have physical addresses no object crosses a page: without hugepages one of more than half a
 * page has its own. EAL has not chosen yet when this is asked.
 */
static uint64_t
buffer_bytes(uint16_t mtu)
{
	return RTE_ALIGN_CEIL(
		sizeof(struct rte_mbuf) + room_of(mtu) + POOLS_OBJECT_EXTRA, POOLS_PAGE);
}

uint64_t
pools_bytes(const struct rill_limits *limits, uint16_t mtu, unsigned int lanes)
{
	uint64_t buffer = buffer_bytes(mtu);
	uint64_t control = sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + POOLS_CONTROL_ROOM +
		POOLS_OBJECT_EXTRA;

	uint64_t lane = 2 * limits->buffers * buffer + control_count(PORT_DESC_DEFAULT) * control +
		3 * (uint64_t)POOLS_FIXED + (uint64_t)POOLS_PER_CONN * limits->max_conns +
		(uint64_t)POOLS_PER_CONN * limits->syn_max;

	if (lanes == 1)
		return lane;
	return lanes * lane + POOLS_FIXED +
		(SPREAD_LENT_MAX(lanes) + blank_count(lanes, PORT_DESC_DEFAULT)) * buffer;
}

uint64_t
pools_queue_bytes(uint16_t mtu, unsigned int lanes)
{
	return lanes * SPREAD_LENT_MAX(lanes) * buffer_bytes(mtu) + strays_bytes(lanes);
}

uint64_t
pools_exception_bytes(uint16_t mtu, unsigned int lanes)
{
	return lanes * exception_count(PORT_DESC_DEFAULT, PORT_DESC_DEFAULT) * buffer_bytes(mtu);
}

void
pools_choose_name(char *name, size_t size)
{
	static atomic_uint number;

	snprintf(name, size, "rill%u", atomic_fetch_add(&number, 1));
}

/* Without hugepages all memory is of one kind, which EAL calls node 0. */
static int
node_of(int node)
{
	return node < 0 || !rte_eal_has_hugepages() ? SOCKET_ID_ANY : node;
}

static struct rte_mempool *
make(const struct pools_setup *setup, const char *what, uint32_t count, uint16_t room)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;
	int node = node_of(setup->numa_node);

	snprintf(name, sizeof(name), "%s_%s", setup->name, what);
	pool = pool_owner_create(name, count, POOLS_CACHE, room, node);
	if (pool == NULL && rte_errno == ENOMEM && node != SOCKET_ID_ANY)
		pool = pool_owner_create(name, count, POOLS_CACHE, room, SOCKET_ID_ANY);
	return pool;
}

static int
check_rings(const struct pools_setup *setup, uint32_t reserve)
{
	uint32_t least = reserve + setup->tx_desc + 2 * POOLS_CACHE;

	if (setup->rx_desc == 0 || setup->buffers >= least)
		return 0;
	if (setup->is_carried)
		return error_set(-EINVAL,
			"limits.buffers: %u are too few for a lane that shares its port's only queue with "
			"others: give %u or more, or one lane for each port (lanes)",
			setup->buffers, least);
	return error_set(-EINVAL,
		"limits.buffers: %u are too few for rings of %u and %u descriptors: give %u or more, or smaller "
		"rings (rx_desc, tx_desc)",
		setup->buffers, setup->rx_desc, setup->tx_desc, least);
}

/* What other lanes hold of rx for a moment comes on top, in the pool and in the reserve. */
static bool
make_all(struct pools *pools, const struct pools_setup *setup)
{
	uint32_t lent = SPREAD_LENT_MAX(setup->lends_to + 1);
	uint16_t room = room_of(setup->mtu);

	pools->rx_reserve += lent;
	pools->control = make(setup, "ctl", control_count(setup->tx_desc),
		RTE_PKTMBUF_HEADROOM + POOLS_CONTROL_ROOM);
	if (pools->control != NULL)
		pools->buf = make(setup, "buf", setup->buffers, room);
	if (pools->buf == NULL || setup->rx_desc == 0)
		return pools->buf != NULL;
	pools->rx = make(setup, "rx", setup->buffers + lent, room);
	return pools->rx != NULL;
}

static int
refused(const struct pools_setup *setup, int err)
{
	if (err == -EEXIST)
		return error_set(-EINVAL, "name: \"%s\" is another lane's: choose a different one",
			setup->name);
	return error_set(-ENOMEM,
		"limits.buffers: no memory for %u buffers of %u bytes (%s): give fewer, or EAL more memory "
		"(eal_args: -m, or hugepages)",
		setup->buffers, room_of(setup->mtu), rte_strerror(-err));
}

int
pools_create(struct pools *pools, const struct pools_setup *setup)
{
	int err;

	*pools = (struct pools){.rx_reserve = setup->rx_desc + 2u * RILL_BURST_MAX};
	err = check_rings(setup, pools->rx_reserve);
	if (err != 0 || make_all(pools, setup))
		return err;
	err = -rte_errno;
	pools_free(pools);
	return refused(setup, err);
}

int
pools_add_blank(struct pools *pools, const struct pools_setup *setup)
{
	pools->blank = make(setup, "blank", blank_count(setup->lends_to + 1, setup->tx_desc),
		room_of(setup->mtu));
	return pools->blank != NULL ? 0 : refused(setup, -rte_errno);
}

int
pools_add_exception(struct pools *pools, const struct pools_setup *setup, struct owner *owner)
{
	uint32_t count = exception_count(setup->rx_desc, setup->tx_desc);

	pools->exception = make(setup, "exc", count, room_of(setup->mtu));
	if (pools->exception == NULL)
		return error_set(-ENOMEM,
			"exception: no memory for %u buffers of %u bytes (%s): give EAL more (eal_args: -m, "
			"or hugepages)",
			count, room_of(setup->mtu), rte_strerror(rte_errno));
	pool_owner_set(pools->exception, owner);
	return 0;
}

void
pools_set_owner(struct pools *pools, struct owner *owner)
{
	pool_owner_set(pools->rx, owner);
	pool_owner_set(pools->buf, owner);
	pool_owner_set(pools->control, owner);
	pool_owner_set(pools->blank, owner);
	pool_owner_set(pools->exception, owner);
}

void
pools_free(struct pools *pools)
{
	rte_mempool_free(pools->rx);
	rte_mempool_free(pools->exception);
	rte_mempool_free(pools->buf);
	rte_mempool_free(pools->control);
	rte_mempool_free(pools->blank);
	*pools = (struct pools){.rx = NULL};
}
