/* SPDX-License-Identifier: BSD-3-Clause */
#include "restart.h"

#include <errno.h>

#include <rte_errno.h>

#include "errtext.h"
#include "ethdev.h"
#include "rss.h"
#include "strays.h"

/* ---- parked */

static uint16_t
parked_burst(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	return 0;
}

static void
parked_close(struct port *port)
{
	port_resume(port);
	port->ops->close(port);
}

/* No affair of the device's: it was received before. */
static void
parked_hand(struct port *port, unsigned int lane, struct rte_mbuf *frame)
{
	port->resumed_ops->hand(port, lane, frame);
}

static const struct port_ops parked_ops = {
	.rx = parked_burst, .tx = parked_burst, .close = parked_close, .hand = parked_hand};

void
port_park(struct port *port)
{
	if (port->ops == &parked_ops)
		return;
	port->resumed_ops = port->ops;
	port->ops = &parked_ops;
}

void
port_resume(struct port *port)
{
	if (port->ops == &parked_ops)
		port->ops = port->resumed_ops;
}

/* ---- restarting */

static int
stop(struct port *port)
{
	int err = port->running ? rte_eth_dev_stop(port->ethdev_id) : 0;

	if (err != 0)
		return error_set(err, "port \"%s\": does not stop (%s)", port->name,
			rte_strerror(-err));
	port->running = false;
	return 0;
}

/* Given back and found anew, as if the program had been started again. */
static int
find_anew(struct port *port, const struct port_setup *setup, const struct port_queues *queues)
{
	int err;

	port_close_ethdev(port);
	err = ethdev_find_pci(port, setup->name);
	return err == 0 ? ethdev_bring_up(port, setup, queues) : err;
}

static int
restart_device(struct port *port, const struct port_setup *setup, const struct port_queues *queues)
{
	int err = port->configured ? rte_eth_dev_reset(port->ethdev_id) : -ENODEV;

	if (err == 0) {
		port->running = false;
		return ethdev_bring_up(port, setup, queues);
	}
	if (port_name_is_pci(setup->name))
		return find_anew(port, setup, queues);
	err = stop(port);
	return err == 0 ? ethdev_start(port, setup) : err;
}

int
port_restart(struct port *port, const struct port_setup *setup,
	const struct port_queues *queues, enum port_restart how)
{
	uint16_t caps = port->netif_caps, chain_max = port->tx_chain_max;
	uint16_t tso_max = port->tso_chain_max;
	int err;

	if (how == PORT_RESTART_DEVICE || !port->configured)
		err = restart_device(port, setup, queues);
	else if ((err = stop(port)) == 0)
		err = ethdev_start(port, setup);
	if (err != 0)
		return err;
	if (port->netif_caps != caps || port->tx_chain_max != chain_max ||
		port->tso_chain_max != tso_max)
		return error_set(-EPROTO, "port \"%s\": can do other things than before its restart",
			port->name);
	if (port->strays != NULL)
		strays_restarted(port->strays, queues->steer != NULL &&
			rss_restore(port->ethdev_id, queues->count, queues->steer));
	return 0;
}

void
port_follow(struct port *port, const struct port *first)
{
	port->ethdev_id = first->ethdev_id;
	port->device = first->device;
	port->mac = first->mac;
}

void
port_give_up(struct port *port)
{
	port_close_ethdev(port);
}

bool
port_may_be_deaf(const struct port *port)
{
	return port_name_is_pci(port->name);
}

bool
port_link_is_up(const struct port *port)
{
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_UP};

	return port->configured &&
		(rte_eth_link_get_nowait(port->ethdev_id, &link) != 0 ||
			link.link_status == RTE_ETH_LINK_UP);
}
