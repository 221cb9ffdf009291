/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MONITOR_H
#define SIM_MONITOR_H

/*
 * Someone who stands at every host's NIC and reads along. Of every segment that a host sends: it is
 * well formed; its data lies within the window that the host has been offered (and one probe's
 * byte); it acknowledges nothing that has not come and never less than before; and the window that
 * it offers takes nothing back [9293 SHLD-14].
 */

#include "world.h"

/* Begins with no connection known. */
void monitor_reset(void);

/* For world_watch. */
void monitor_sent(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len);
void monitor_got(struct world *world, const struct host *host, const uint8_t *ip, uint32_t len);

#endif
