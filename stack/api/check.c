/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at what a configuration would meet: rill/check.h, and the part of it that refuses a start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "abi.h"
#include "device.h"
#include "eal.h"
#include "errtext.h"
#include "finding.h"
#include "machine.h"
#include "pci.h"
#include "runner.h"

int
check_pci_ports(struct check *check, const struct rill_config *config)
{
	const char *subject = check->subject;

	for (unsigned int i = 0; i < config->ports_count; i++) {
		if (!port_name_is_pci(config->ports[i].name))
			continue;
		check->subject = config->ports[i].name;
		pci_check(check, config->ports[i].name, stack_bytes(config));
	}
	check->subject = subject;
	return check->err;
}

/* ---- the machine */

static bool
is_eal_ours(const struct rill_config *config)
{
	return config->eal_args == NULL && rte_lcore_count() == 0;
}

bool
check_has_pci_port(const struct rill_config *config)
{
	for (unsigned int i = 0; i < config->ports_count; i++)
		if (port_name_is_pci(config->ports[i].name))
			return true;
	return false;
}

static void
check_machine(struct check *check, const struct rill_config *config)
{
	check->subject = "machine";
	if (is_eal_ours(config))
		machine_check_memory(check, eal_bytes(stack_bytes(config)));
	machine_check_clock(check);
	if (check_has_pci_port(config))
		machine_check_iommu(check);
	check_pci_ports(check, config);
}

/* What EAL has made of it. chosen: by Rill, which then has told of hugepages already. */
static void
check_eal(struct check *check, bool chosen)
{
	check->subject = "machine";
	if (!chosen && rte_eal_has_hugepages())
		finding_tell(check, RILL_CHECK_OK, "hugepages", "", "EAL has them, as it was told");
	else if (!chosen)
		finding_tell(check, RILL_CHECK_MISSING, "hugepages",
			"start EAL without --no-huge, and reserve some (drivers-cfg/hugepages.sh)",
			"EAL was told to do without: all memory is in pages of 4 KiB, which is slower");
	finding_tell(check, RILL_CHECK_OK, "IOVA mode", "", "devices are given %s addresses",
		rte_eal_iova_mode() == RTE_IOVA_PA ? "physical" : "virtual");
}

/* ---- the ports */

static void
check_port(struct check *check, const struct port *port, const struct rill_port_config *config)
{
	const struct port_setup asked = {.name = config->name,
		.mtu = config->mtu,
		.rx_desc = config->rx_desc,
		.tx_desc = config->tx_desc};
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port->ethdev_id, &info) == 0)
		device_check(check, &info, port, &asked);
}

/* Where the stack did not start: what can be said of the ports all the same. */
static void
check_ports_alone(struct check *check, const struct rill_config *config)
{
	for (unsigned int i = 0; i < config->ports_count; i++) {
		const struct port_setup setup = {.name = config->ports[i].name, .mtu = config->ports[i].mtu};
		struct port port;

		if (port_probe(&port, &setup) != 0)
			continue;
		check->subject = config->ports[i].name;
		check_port(check, &port, &config->ports[i]);
		port_close(&port);
	}
}

/* What a second lane would meet, which nobody has asked for. */
static void
check_spread_alone(struct check *check, const struct port *port)
{
	const struct port_setup setup = {.name = check->subject};

	if (port_check_rss(port, &setup, 2) == 0)
		finding_tell(check, RILL_CHECK_OK, "lanes", "",
			"one, which needs no RSS; it says that it could spread between more");
	else
		finding_tell(check, RILL_CHECK_OK, "lanes", "",
			"one, which needs no RSS; more would be carried by the first (%s)", rill_error());
}

static void
check_spread(struct check *check, const struct group *group)
{
	if (group->lanes == 1)
		check_spread_alone(check, &group->first->port);
	else if (group->spreader != NULL)
		finding_tell(check, RILL_CHECK_SOFTWARE, "lanes",
			"where one core is not enough for that: one lane, and several ports (--dev), such as "
			"virtual functions",
			"%s", group->spread);
	else if (group->is_random)
		finding_tell(check, RILL_CHECK_SOFTWARE, "lanes", "",
			"%s: lanes hand over what is another's", group->spread);
	else
		finding_tell(check, RILL_CHECK_OK, "lanes", "",
			"%s: by its key and its table, as it tells them, connections arrive where Rill "
			"expects them",
			group->spread);
}

static void
check_buffers(struct check *check, const struct group *group)
{
	const struct runner *first = group->first;

	finding_tell(check, RILL_CHECK_OK, "buffers", "",
		"%u of each lane, of which its rings and bursts take %u",
		first->stack->config.limits.buffers, first->pools.rx_reserve + first->port.tx_desc);
}

static void
check_vlan(struct check *check, const struct group *group)
{
	unsigned int vlan = group->config->vlan;

	if (vlan != 0 && group->first->port.vlan_tci != 0)
		finding_tell(check, RILL_CHECK_OK, "VLAN", "", "tags of VLAN %u in hardware", vlan);
	else if (vlan != 0)
		finding_tell(check, RILL_CHECK_SOFTWARE, "VLAN", "",
			"the device does not handle tags: Rill writes and reads those of VLAN %u", vlan);
}

static void
check_exception(struct check *check, const struct group *group)
{
	if (group->config->exception != NULL)
		finding_tell(check, RILL_CHECK_OK, "exception path", "",
			"%s takes to the kernel what Rill has no use for",
			group->config->exception);
}

static void
check_group(struct check *check, const struct group *group)
{
	check->subject = group->config->name;
	check_port(check, &group->first->port, group->config);
	check_buffers(check, group);
	check_spread(check, group);
	check_vlan(check, group);
	check_exception(check, group);
	device_check_link(check, &group->first->port);
}

/* ---- the stack */

static void
check_stack(struct check *check, const struct rill_config *config)
{
	char why[ERRTEXT_MAX];
	struct rill_stack *stack;
	bool chosen = is_eal_ours(config);
	int err = rill_stack_create(config, &stack);

	snprintf(why, sizeof(why), "%s", rill_error());
	if (rte_lcore_count() > 0)
		check_eal(check, chosen);
	if (err != 0) {
		if (rte_lcore_count() > 0)
			check_ports_alone(check, config);
		check->subject = "stack";
		error_set(err, "%s", why);
		finding_error(check, err, "start");
		return;
	}
	for (unsigned int i = 0; i < stack->groups_count; i++)
		check_group(check, &stack->groups[i]);
	check->subject = "machine";
	cores_check(check, stack);
	rill_stack_destroy(stack);
}

int
rill_check(const struct rill_config *config, rill_check_fn tell, void *user)
{
	struct check check = {.tell = tell, .user = user, .root = "", .subject = "stack"};
	struct rill_config *filled = malloc(sizeof(*filled));
	int err = abi_check(rte_version());

	if (err == 0)
		err = config_check(config);
	if (err == 0 && filled == NULL)
		err = error_set(-ENOMEM, "no memory for a stack");
	if (err != 0) {
		finding_error(&check, err, "configuration");
	} else {
		*filled = *config;
		config_fill_limits(&filled->limits);
		check_machine(&check, filled);
		if (check.err == 0)
			check_stack(&check, config);
	}
	free(filled);
	return check.err;
}
