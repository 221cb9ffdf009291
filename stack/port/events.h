/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_EVENTS_H
#define RILL_PORT_EVENTS_H

/*
 * What a device tells of itself, whenever it likes, on EAL's interrupt thread: that only notes it and
 * wakes whoever takes it.
 */

#include <stdatomic.h>
#include <stdint.h>

enum {
	PORT_EVENT_RESET = 0x01,   /* the device was reset, a VF by its PF: it is to be restarted */
	PORT_EVENT_REMOVED = 0x02, /* it is gone */
	PORT_EVENT_LINK = 0x04,    /* its link may have changed */
};

struct port_events {
	atomic_uint noted;
	void (*wake)(void *arg); /* on a thread of EAL's: must not wait */
	void *arg;
};

/* Notes the device's events until port_events_ignore. A driver that tells nothing is no error: 0 or
 * -ENOMEM. events stay where they are meanwhile. */
int port_events_hear(struct port_events *events, uint16_t ethdev_id);
void port_events_ignore(struct port_events *events, uint16_t ethdev_id);

/* Those noted since the last call. From any thread. */
static inline unsigned int
port_events_take(struct port_events *events)
{
	return atomic_exchange_explicit(&events->noted, 0, memory_order_acquire);
}

#endif
