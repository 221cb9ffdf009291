/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_RESTART_H
#define RILL_PORT_RESTART_H

/*
 * Restarting a port under its lanes. First each lane that has a queue of it parks its port, on its own
 * thread: from then on it gets no frame and what it sends waits, as it does for a NIC that is full. Then
 * the device is restarted, and then each lane resumes.
 */

#include "port.h"

/* From now on the port takes and gives nothing. Once more does no harm. */
void port_park(struct port *port);
void port_resume(struct port *port);

enum port_restart {
	PORT_RESTART_QUEUES, /* the device is stopped and started, */
	PORT_RESTART_DEVICE, /* or reset by its driver, or else, one on the PCI bus, found anew */
};

/*
 * Restarts the device of the port; all that share it are parked. Frames in its rings are lost. setup and
 * queues are those that it was opened with. Returns 0; ethdev_id, device and mac may be others then. Else
 * a negative errno with an error sentence: the port may be restarted again, or closed.
 */
int port_restart(struct port *port, const struct port_setup *setup,
	const struct port_queues *queues, enum port_restart how);

/* The port of a queue follows that of the first one, which was restarted. */
void port_follow(struct port *port, const struct port *first);

/* The device is gone. */
void port_give_up(struct port *port);

/* Is it a device of the PCI bus, which may have become deaf without telling? */
bool port_may_be_deaf(const struct port *port);

/* A driver that does not say has it up; a device that is gone has none. */
bool port_link_is_up(const struct port *port);

#endif
