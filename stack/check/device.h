/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_DEVICE_H
#define RILL_CHECK_DEVICE_H

/* What an ethdev says that it can do, and what of that Rill uses. */

struct check;
struct port;
struct port_setup;
struct rte_eth_dev_info;

/* The port has been probed. asked: what was asked of it. */
void device_check(struct check *check, const struct rte_eth_dev_info *info, const struct port *port,
	const struct port_setup *asked);

/* Whether a port that runs hears anybody: waits a little for a link that is coming up. */
void device_check_link(struct check *check, const struct port *port);

#endif
