/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_RILL_H
#define RILL_RILL_H

/**
 * @file
 * Rill, a TCP stack that lives beside the kernel.
 *
 * The tour, in the order in which a program meets things:
 *
 *   rill/stack.h   a *stack* is a set of *lanes*; each lane is one core with its NIC queue and all
 *                  the connections that the queue feeds. Configure, create, run, stop.
 *   rill/conn.h    listen, connect, send, receive, close: what a program does with connections.
 *   rill/lane.h    a lane without a port, a thread or a clock: for embedders, who hand it packets
 *                  and time and take packets back (simulators, fuzzers, other event loops).
 *   rill/buf.h     buffers are DPDK mbufs; how to get one and who owns it when.
 *   rill/options.h what can be set per stack, per listener and per connection.
 *   rill/stats.h   counters, and the reasons for which packets are dropped.
 *   rill/check.h   what a machine and its ports give to a stack, and what they lack.
 *
 * Rules that hold everywhere:
 *
 * - A connection belongs to one lane. Its calls are made on that lane's thread only: from a
 *   callback, from a function given to rill_lane_post(), or, for an embedder, between turns.
 *   rill_lane_post(), rill_stack_stop() and rill_stack_drain() may be called from any thread.
 * - Callbacks never nest: a call made inside a callback changes state and queues events, which are
 *   delivered after the callback has returned.
 * - Every call returns a negative errno value on failure; 0 or the documented count otherwise.
 *   Getters return their value.
 */

#include <rill/buf.h>
#include <rill/check.h>
#include <rill/conn.h>
#include <rill/lane.h>
#include <rill/options.h>
#include <rill/stack.h>
#include <rill/stats.h>
#include <rill/types.h>

#endif
