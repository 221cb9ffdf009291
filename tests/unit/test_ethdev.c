/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port on a real ethdev, DPDK's ring device, which receives what it sends: it is made by its name,
 * brought up, carries frames, gives every buffer back when closed, and can then be made anew. What
 * cannot be had is refused with a sentence that names the port or option. The clock goes at the
 * system's pace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>
#include <time.h>

#include <rill/types.h>

#include "eal.h"
#include "netif.h"
#include "port.h"

#define FRAMES 2047

static struct rte_mempool *pool;

static void
expect_sentence(const char *a, const char *b)
{
	if (strstr(rill_error(), a) == NULL || strstr(rill_error(), b) == NULL)
		fail_msg("\"%s\", \"%s\": not both in: %s", a, b, rill_error());
}

static void
open_port(struct port *port, const struct port_setup *setup)
{
	if (port_probe(port, setup) != 0 || port_open_ethdev(port, setup, pool) != 0)
		fail_msg("%s", rill_error());
}

static void
expect_all_back(void)
{
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

/* Sends n frames, and receives them. */
static void
carry(struct port *port, uint16_t n)
{
	struct rte_mbuf *frames[PORT_BURST];
	uint16_t got;

	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, frames, n), 0);
	for (uint16_t i = 0; i < n; i++) {
		assert_non_null(rte_pktmbuf_append(frames[i], 60));
		memset(rte_pktmbuf_mtod(frames[i], void *), i, 60);
	}
	assert_int_equal(port->ops->tx(port, frames, n), n);
	got = port->ops->rx(port, frames, PORT_BURST);
	assert_int_equal(got, n);
	for (uint16_t i = 0; i < got; i++)
		assert_int_equal(*rte_pktmbuf_mtod(frames[i], uint8_t *), i);
	rte_pktmbuf_free_bulk(frames, got);
}

static void
test_a_port_is_made_carries_frames_and_goes(void **state)
{
	static const struct port_setup setup = {.name = "net_ring7"};

	for (int round = 0; round < 3; round++) {
		struct rte_eth_dev_info info;
		struct port port;
		uint16_t id;

		open_port(&port, &setup);
		assert_true(port.running && port.mtu >= 1500 && port.rx_desc > 0 && port.tx_desc > 0);
		assert_int_equal(rte_eth_dev_info_get(port.ethdev_id, &info), 0);
		assert_int_equal(!!(port.netif_caps & NETIF_TX_CHAINS),
			!!(info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS));
		assert_in_range(port.tx_chain_max, 1, PORT_CHAIN_MAX);
		carry(&port, 8);
		port_close(&port);
		assert_int_equal(rte_eth_dev_get_port_by_name("net_ring7", &id), -ENODEV);
		port_close(&port); /* once more does no harm */
		expect_all_back();
	}
}

/* Its rings are full of buffers from the pool when it is closed. */
static void
test_closing_gives_back_what_is_in_the_rings(void **state)
{
	static const struct port_setup setup = {
		.name = "net_null7,size=100", .rx_desc = 256, .tx_desc = 128};
	struct rte_mbuf *frames[PORT_BURST];
	struct port port;
	uint16_t n;

	open_port(&port, &setup);
	assert_int_equal(port.rx_desc, 256);
	assert_int_equal(port.tx_desc, 128);
	assert_string_equal(port.name, "net_null7");
	n = port.ops->rx(&port, frames, PORT_BURST);
	assert_int_equal(n, PORT_BURST);
	assert_int_equal(frames[0]->pkt_len, 100); /* the argument after the comma has arrived */
	assert_int_equal(port.ops->tx(&port, frames, n), n);
	port_close(&port);
	expect_all_back();
}

static void
test_a_port_that_was_only_looked_at_is_gone_if_we_made_it(void **state)
{
	static const struct port_setup setup = {.name = "net_null8"};
	struct port port;
	uint16_t id;

	assert_int_equal(port_probe(&port, &setup), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null8", &id), 0);
	port_close(&port);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null8", &id), -ENODEV);
}

static void
test_a_device_of_the_application_is_used_and_left_alone_until_then(void **state)
{
	static const struct port_setup setup = {.name = "net_null9"},
				       with_args = {.name = "net_null9,size=64"};
	struct port port, second;
	uint16_t id;

	assert_int_equal(rte_eal_hotplug_add("vdev", "net_null9", ""), 0);
	assert_int_equal(port_probe(&port, &with_args), -EEXIST);
	expect_sentence("net_null9,size=64", "leave the arguments");
	assert_int_equal(port_probe(&port, &setup), 0);
	port_close(&port);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null9", &id), 0);

	open_port(&port, &setup);
	assert_int_equal(port_probe(&second, &setup), 0);
	assert_int_equal(port_open_ethdev(&second, &setup, pool), -EBUSY);
	expect_sentence("net_null9", "in use");
	port_close(&second); /* does not take the first one's device away */
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null9", &id), 0);
	port_close(&port);
	expect_all_back();
}

static void
test_what_cannot_be_had_is_refused_by_name(void **state)
{
	static const struct {
		struct port_setup setup;
		int err;
		const char *words[2];
	} rows[] = {
		{{.name = "eth0"}, -ENODEV, {"eth0", "net_tap0"}},
		{{.name = "net_tpa0"}, -ENODEV, {"net_tpa0", "driver's with a number"}},
		{{.name = "0000:ff:1f.7"}, -ENODEV, {"0000:ff:1f.7", "vfio-pci"}},
		{{.name = ",iface=x"}, -EINVAL, {",iface=x", "1 to"}},
		{{.name = "net_null7", .mtu = 45}, -EINVAL, {"mtu: 45", "46 .. 65535"}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port port;
		uint16_t id;

		assert_int_equal(port_probe(&port, &rows[i].setup), rows[i].err);
		expect_sentence(rows[i].words[0], rows[i].words[1]);
		assert_int_equal(rte_eth_dev_get_port_by_name("net_null7", &id), -ENODEV);
	}
}

static void
test_pci_addresses_are_told_from_names(void **state)
{
	assert_true(port_name_is_pci("0000:03:10.0") && port_name_is_pci("03:10.0"));
	assert_false(port_name_is_pci("net_tap0") || port_name_is_pci("") || port_name_is_pci("0000:03"));
}

static uint64_t
system_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Both clocks are read inside and outside of each other, so that no pause between reads matters. */
static void
test_the_clock_goes_at_the_systems_pace(void **state)
{
	uint64_t outer, inner, first, last, before;

	clock_init();
	outer = system_us();
	first = clock_now_us();
	inner = system_us();
	for (before = first; system_us() - inner < 50000; before = last) {
		last = clock_now_us();
		assert_true(last >= before);
	}
	inner = system_us() - inner;
	last = clock_now_us();
	outer = system_us() - outer;
	assert_in_range(last - first, inner - inner / 50, outer + outer / 50);
	clock_init(); /* once more: time does not start anew */
	assert_true(clock_now_us() >= last);
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m128", "--log-level=*:critical"};
	const struct eal_setup setup = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_is_made_carries_frames_and_goes),
		cmocka_unit_test(test_closing_gives_back_what_is_in_the_rings),
		cmocka_unit_test(test_a_port_that_was_only_looked_at_is_gone_if_we_made_it),
		cmocka_unit_test(test_a_device_of_the_application_is_used_and_left_alone_until_then),
		cmocka_unit_test(test_what_cannot_be_had_is_refused_by_name),
		cmocka_unit_test(test_pci_addresses_are_told_from_names),
		cmocka_unit_test(test_the_clock_goes_at_the_systems_pace),
	};

	if (eal_start(&setup) != 0)
		return 1;
	pool = rte_pktmbuf_pool_create("frames", FRAMES, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
