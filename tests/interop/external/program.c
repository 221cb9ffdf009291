/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that knows of Rill what is installed: makes a lane, then a tap, and names all ports. */
#include <rill/rill.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>

int main(void)
{
	struct rill_lane_config config;
	struct rte_eth_dev_info info;
	struct rill_lane *lane;
	uint16_t port;

	rill_lane_config_default(&config);
	if (rill_lane_create(&config, &lane) != 0)
		return fprintf(stderr, "rill_lane_create: %s\n", rill_error()), 1;
	printf("rill %s\n", rill_version());
	if (rte_eal_hotplug_add("vdev", "net_tap0", "iface=external0") != 0)
		return fprintf(stderr, "DPDK cannot create net_tap0\n"), 1;
	RTE_ETH_FOREACH_DEV(port)
		if (rte_eth_dev_info_get(port, &info) == 0)
			printf("driver %s\n", info.driver_name);
	rte_eal_hotplug_remove("vdev", "net_tap0");
	rill_lane_destroy(lane);
	return 0;
}
