/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The groups that a lane joins reach its port's device [RFC4861-17]: as a list where it takes one, else
 * by letting all groups in.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "port.h"

static struct {
	int refuses; /* what the device says to a list */
	unsigned int listed;
	struct rte_ether_addr list[PORT_GROUPS_MAX];
	bool all;
} device;

__rte_used int __wrap_rte_eth_dev_set_mc_addr_list(
	uint16_t port, struct rte_ether_addr *list, uint32_t n);
__rte_used int __wrap_rte_eth_allmulticast_enable(uint16_t port);
__rte_used int __wrap_rte_eth_allmulticast_disable(uint16_t port);

int
__wrap_rte_eth_dev_set_mc_addr_list(uint16_t port, struct rte_ether_addr *list, uint32_t n)
{
	if (device.refuses != 0)
		return device.refuses;
	assert_in_range(n, 0, PORT_GROUPS_MAX);
	memcpy(device.list, list, n * sizeof(list[0]));
	device.listed = n;
	return 0;
}

int
__wrap_rte_eth_allmulticast_enable(uint16_t port)
{
	device.all = true;
	return 0;
}

int
__wrap_rte_eth_allmulticast_disable(uint16_t port)
{
	device.all = false;
	return 0;
}

static void
test_join(void **state)
{
	static const struct {
		unsigned int n;
		int refuses;
		bool all;
	} rows[] = {
		{2, 0, false},
		{PORT_GROUPS_MAX, 0, false},
		{PORT_GROUPS_MAX + 1, 0, true},
		{2, -ENOTSUP, true},
		{2, -ENOSPC, true},
		{2, 0, false},
	};
	struct rte_ether_addr groups[PORT_GROUPS_MAX] = {{{0x33, 0x33, 0, 0, 0, 1}},
		{{0x33, 0x33, 0xff, 0, 0, 1}}};
	struct port port = {.ethdev_id = 0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		device.refuses = rows[i].refuses;
		device.listed = 0;
		port_join(&port, groups, rows[i].n);
		assert_int_equal(device.all, rows[i].all);
		if (rows[i].all)
			continue;
		assert_int_equal(device.listed, rows[i].n);
		assert_memory_equal(device.list, groups, sizeof(groups));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_join)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
