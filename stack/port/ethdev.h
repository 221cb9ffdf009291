/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_ETHDEV_H
#define RILL_PORT_ETHDEV_H

/* The steps of bringing an ethdev up, for this layer's own files. Each returns 0 or a negative errno with
 * an error sentence. */

#include "port.h"

/* Sets ethdev_id, name and device of the PCI device of this name, which is probed if it has to be. */
int ethdev_find_pci(struct port *port, const char *name);

/* Configures a stopped device that was found, sets its queues up and starts it. */
int ethdev_bring_up(
	struct port *port, const struct port_setup *setup, const struct port_queues *queues);

/* Starts one that is configured, and asks for its MAC. */
int ethdev_start(struct port *port, const struct port_setup *setup);

#endif
