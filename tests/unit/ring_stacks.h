/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_RING_STACKS_H
#define RILL_TESTS_RING_STACKS_H

/* Whole stacks on DPDK's ring devices, driven by hand: what the tests of these have in common. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <string.h>

#include <rill/rill.h>

#include "eal.h"
#include "runner.h"

#define WIRE_RING 4096

static inline struct rte_ring *
make_ring(const char *name)
{
	struct rte_ring *ring = rte_ring_create(name, WIRE_RING, -1, 0);

	assert_non_null(ring);
	return ring;
}

/* A frame comes out of the wire, into a buffer of the runner's. */
static inline void
arrive_copy(const struct rte_mbuf *frame, const struct runner *runner, struct rte_ring *ring)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(frame, runner->pools.rx, 0, UINT32_MAX);

	assert_non_null(copy);
	copy->ol_flags = 0;
	assert_int_equal(rte_ring_enqueue(ring, copy), 0);
}

static inline void
arrive(struct rte_mbuf *frame, const struct runner *runner, struct rte_ring *ring)
{
	arrive_copy(frame, runner, ring);
	rte_pktmbuf_free(frame);
}

/* One port, with an address of each family that may be used at once. */
static inline void
config_init(struct rill_config *config, const char *name, const char *ip4, const char *ip6,
	unsigned int lanes)
{
	rill_config_default(config);
	config->ports_count = 1;
	config->ports[0].name = name;
	assert_int_equal(rill_prefix_parse(ip4, &config->ports[0].addrs[0]), 0);
	assert_int_equal(rill_prefix_parse(ip6, &config->ports[0].addrs[1]), 0);
	config->ports[0].addrs_count = 2;
	config->ports[0].ip6_unprobed = true;
	config->lanes = lanes;
	config->limits.buffers = 4096;
	config->limits.msl_ms = 10;
	config->idle_sleep_us = 1000; /* more lanes than cores are fine */
}

static inline struct rill_stack *
stack_of(const struct rill_config *config)
{
	struct rill_stack *stack;

	if (rill_stack_create(config, &stack) != 0)
		fail_msg("%s", rill_error());
	return stack;
}

/* A server that echoes. */
static inline void
serve_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	assert_int_equal(rill_send(conn, data), 0);
}

static inline void
serve_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

#endif
