/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_EXCEPTION_H
#define RILL_API_EXCEPTION_H

/*
 * The exception path: a second device beside a port, whose other end is an interface of the kernel's with
 * the port's MAC address. Frames that Rill has no use for go there, and what the kernel sends there
 * leaves by the port, so that both are one host to the world: sshd, routing daemons and DHCP work on as
 * they did while the kernel had the NIC.
 *
 * Each lane of the port has a queue of the device to itself. The kernel is never waited for: what it
 * does not take in a turn is dropped and counted, and what it sends leaves as far as there is room
 * behind the lane's own frames.
 */

#include <stdint.h>

struct group;
struct runner;

/* Makes and starts the device of config->exception, once the group's lanes are there. Without one does
 * nothing. Returns 0 or a negative errno with an error sentence. */
int exception_open(struct group *group);

/* Closes it, in whatever state exception_open has left it, before the lanes' pools are freed. */
void exception_close(struct group *group);

/* The port has another MAC address: the kernel's interface gets it too, if its driver can. */
void exception_set_mac(const struct group *group);

/* Between a lane's turn and the flush of its outbox: both ways. Returns how many frames moved. */
uint32_t exception_exchange(struct runner *runner);

#endif
