/* SPDX-License-Identifier: BSD-3-Clause */
#include "events.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

static const struct {
	enum rte_eth_event_type type;
	unsigned int event;
} kinds[] = {
	{RTE_ETH_EVENT_INTR_RESET, PORT_EVENT_RESET},
	{RTE_ETH_EVENT_INTR_RMV, PORT_EVENT_REMOVED},
	{RTE_ETH_EVENT_INTR_LSC, PORT_EVENT_LINK},
};

static int
note(uint16_t ethdev_id, enum rte_eth_event_type type, void *arg, void *more)
{
	struct port_events *events = arg;

	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		if (kinds[i].type == type)
			atomic_fetch_or_explicit(
				&events->noted, kinds[i].event, memory_order_release);
	events->wake(events->arg);
	return 0;
}

int
port_events_hear(struct port_events *events, uint16_t ethdev_id)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		if (rte_eth_dev_callback_register(ethdev_id, kinds[i].type, note, events) != 0) {
			port_events_ignore(events, ethdev_id);
			return -ENOMEM;
		}
	return 0;
}

/* One that is running is waited for. */
void
port_events_ignore(struct port_events *events, uint16_t ethdev_id)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		while (rte_eth_dev_callback_unregister(
			       ethdev_id, kinds[i].type, note, events) == -EAGAIN)
			rte_pause();
}
