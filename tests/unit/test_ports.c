/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source ports: from the whole range [RFC6056-2], by a keyed hash of the destination [RFC6056-1,
 * RFC6056-4], never one that is taken, and an error once all are [RFC6056-5].
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ports.h"

#define RANGE (PORT_LAST - PORT_FIRST + 1)

static const uint8_t secret[32] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t other_secret[32] = {1, 2, 3, 4, 5, 6, 7, 9};

/* The ports of one destination: which are taken, and how often was asked. */
struct world {
	uint32_t asked;
	struct tuple expected; /* but for the local port */
	bool taken[65536];
};

static struct world world;

static bool
is_free(void *arg, const struct tuple *tuple)
{
	struct world *w = arg;
	struct tuple given = *tuple;

	w->asked++;
	given.head.lport = w->expected.head.lport;
	assert_memory_equal(&given, &w->expected, sizeof(given));
	return !w->taken[rte_be_to_cpu_16(tuple->head.lport)];
}

static struct tuple
destination(uint32_t raddr, uint16_t rport)
{
	return (struct tuple){.head = {
		.laddr4 = rte_cpu_to_be_32(0x0a000001),
		.raddr4 = rte_cpu_to_be_32(raddr),
		.lport = 0xbeef, /* left over: has no influence */
		.rport = rte_cpu_to_be_16(rport),
		.family = AF_INET,
	}};
}

static struct world *
new_world(const struct tuple *tuple)
{
	memset(&world, 0, sizeof(world));
	world.expected = *tuple;
	return &world;
}

static uint16_t
choose(struct ports *ports, struct tuple tuple, struct world *w)
{
	uint16_t port;

	assert_int_equal(ports_choose(ports, &tuple, is_free, w), 0);
	port = rte_be_to_cpu_16(tuple.head.lport);
	assert_in_range(port, PORT_FIRST, PORT_LAST);
	assert_false(w->taken[port]);
	return port;
}

/* Two keys, and counters that begin anywhere in the range: all from the secret. */
static void
test_secret_makes_all_that_is_kept(void **state)
{
	struct ports ports, again, other;
	uint32_t upper = 0, same = 0;

	ports_init(&ports, secret);
	ports_init(&again, secret);
	ports_init(&other, other_secret);
	assert_memory_equal(&ports, &again, sizeof(ports));
	assert_true(ports.offset_key.k0 != ports.index_key.k0);
	assert_true(ports.offset_key.k0 != other.offset_key.k0);
	assert_true(ports.index_key.k0 != other.index_key.k0);
	for (unsigned int i = 0; i < PORT_COUNTERS; i++) {
		assert_true(ports.counters[i] < RANGE);
		upper += ports.counters[i] >= RANGE / 2;
		same += ports.counters[i] == other.counters[i];
	}
	assert_in_range(upper, PORT_COUNTERS / 2 - 48, PORT_COUNTERS / 2 + 48); /* six sigma */
	assert_true(same < 4);
}

static void
test_whole_range_is_handed_out_once_and_then_refused(void **state)
{
	struct tuple tuple = destination(0x0a000002, 80);
	struct world *w = new_world(&tuple);
	struct ports ports;

	ports_init(&ports, secret);
	for (uint32_t i = 0; i < RANGE; i++)
		w->taken[choose(&ports, tuple, w)] = true;
	assert_int_equal(w->asked, RANGE); /* as late as possible: never one that was just used */
	w->asked = 0;
	assert_int_equal(ports_choose(&ports, &tuple, is_free, w), -EADDRNOTAVAIL);
	assert_int_equal(w->asked, RANGE); /* bounded */
	assert_int_equal(tuple.head.lport, 0);
}

static void
test_the_one_free_port_is_found_wherever_it_is(void **state)
{
	static const uint16_t last_free[] = {
		PORT_FIRST, PORT_FIRST + 1, 30000, PORT_LAST - 1, PORT_LAST};
	struct tuple tuple = destination(0x0a000002, 80);
	struct ports ports;

	ports_init(&ports, secret);
	for (size_t i = 0; i < sizeof(last_free) / sizeof(last_free[0]); i++) {
		struct world *w = new_world(&tuple);

		memset(w->taken, true, sizeof(w->taken));
		w->taken[last_free[i]] = false;
		assert_int_equal(choose(&ports, tuple, w), last_free[i]);
	}
}

static void
test_what_is_left_in_lport_and_the_owner_has_no_influence(void **state)
{
	struct tuple a = destination(0x0a000002, 80), b = a;
	struct ports first, second;

	b.head.lport = 0x1234;
	b.head.owner[0] = 9;
	ports_init(&first, secret);
	ports_init(&second, secret);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			choose(&first, a, new_world(&a)), choose(&second, b, new_world(&b)));
}

/* First ports towards many destinations spread evenly, and move with the secret. */
static void
test_destinations_begin_at_unrelated_ports(void **state)
{
	enum { DESTINATIONS = 16128, BINS = 63 };
	uint32_t bins[BINS] = {0}, same = 0, successive = 0;
	struct ports ports, other;
	uint16_t before = 0;
	double chi = 0;

	ports_init(&ports, secret);
	ports_init(&other, other_secret);
	for (uint32_t i = 0; i < DESTINATIONS; i++) {
		struct tuple tuple = destination(0x0a000002 + i / 128, (uint16_t)(80 + i % 128));
		uint16_t port = choose(&ports, tuple, new_world(&tuple));

		same += port == choose(&other, tuple, &world);
		successive += port == before + 1;
		before = port;
		bins[(port - PORT_FIRST) / 1024]++;
	}
	for (unsigned int i = 0; i < BINS; i++) {
		double off = bins[i] - (double)DESTINATIONS / BINS;

		chi += off * off / ((double)DESTINATIONS / BINS);
	}
	assert_true(chi < 130); /* 62 degrees of freedom: one in a million */
	assert_true(same < 8);  /* 0.25 are expected */
	assert_true(successive < 8);
}

static bool
all_free(void *arg, const struct tuple *tuple)
{
	return true;
}

/* Using a destination does not show in the ports of others, but of the few that share a counter. */
static void
test_destinations_do_not_disturb_each_other(void **state)
{
	struct ports quiet, busy;
	uint32_t moved = 0;

	ports_init(&quiet, secret);
	ports_init(&busy, secret);
	for (int i = 0; i < 1000; i++) {
		struct tuple tuple = destination(0x0a000002, 80);

		assert_int_equal(ports_choose(&busy, &tuple, all_free, NULL), 0);
	}
	for (uint16_t i = 0; i < 2560; i++) {
		struct tuple a = destination(0x0a000003, (uint16_t)(1000 + i)), b = a;
		struct ports q = quiet, u = busy;

		assert_int_equal(ports_choose(&q, &a, all_free, NULL), 0);
		assert_int_equal(ports_choose(&u, &b, all_free, NULL), 0);
		moved += a.head.lport != b.head.lport;
	}
	assert_in_range(moved, 1, 40); /* 2560 / PORT_COUNTERS = 10 are expected */
}

static void
test_ipv6_destinations_count_by_their_addresses(void **state)
{
	struct ports ports;
	uint32_t different = 0;

	ports_init(&ports, secret);
	for (unsigned int i = 0; i < 64; i++) {
		struct tuple a = {.head = {.rport = 80, .family = AF_INET6}}, b = a;

		a.addrs6.raddr[i % 16] = 1;
		b.addrs6.raddr[i % 16] = (uint8_t)(2 + i);
		choose(&ports, a, new_world(&a));
		different += choose(&ports, a, new_world(&a)) != choose(&ports, b, new_world(&b));
	}
	assert_true(different > 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_makes_all_that_is_kept),
		cmocka_unit_test(test_whole_range_is_handed_out_once_and_then_refused),
		cmocka_unit_test(test_the_one_free_port_is_found_wherever_it_is),
		cmocka_unit_test(test_what_is_left_in_lport_and_the_owner_has_no_influence),
		cmocka_unit_test(test_destinations_begin_at_unrelated_ports),
		cmocka_unit_test(test_destinations_do_not_disturb_each_other),
		cmocka_unit_test(test_ipv6_destinations_count_by_their_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
