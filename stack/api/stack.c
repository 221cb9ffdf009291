/* SPDX-License-Identifier: BSD-3-Clause */
/* Making stacks and taking them down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mempool.h>
#include <rte_version.h>

#include "abi.h"
#include "eal.h"
#include "errtext.h"
#include "finding.h"
#include "runner.h"

static unsigned int
lanes_of_port(const struct rill_config *config)
{
	return config->lanes == 0 ? 1 : config->lanes / config->ports_count;
}

uint64_t
stack_bytes(const struct rill_config *config)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < config->ports_count; i++) {
		const struct rill_port_config *port = &config->ports[i];

		bytes += pools_bytes(&config->limits, port->mtu, lanes_of_port(config));
		if (port->exception != NULL)
			bytes += pools_exception_bytes(port->mtu, lanes_of_port(config));
		if (lanes_of_port(config) > 1) /* each may have a queue */
			bytes += pools_queue_bytes(port->mtu, lanes_of_port(config));
	}
	return bytes;
}

static int
start_eal(const struct rill_config *config)
{
	const struct eal_setup setup = {
		.args = config->eal_args,
		.args_count = config->eal_args_count,
		.pci = check_has_pci_port(config),
		.telemetry = true,
		.bytes = stack_bytes(config),
	};
	struct check silent = {.root = ""};
	int err = check_pci_ports(&silent, config);

	return err == 0 ? eal_start(&setup) : err;
}

/* ---- one lane */

static void
runner_fill_config(const struct runner *runner, const struct rill_port_config *from,
	struct rill_lane_config *config)
{
	const struct rill_stack *stack = runner->stack;

	rill_lane_config_default(config);
	memcpy(config->mac, &runner->port.mac, sizeof(config->mac));
	if (rte_is_zero_ether_addr(&runner->port.mac))
		secret_mac(stack->secret, config->mac); /* virtual devices may have none */
	config->mtu = runner->port.mtu;
	config->vlan = from->vlan;
	config->vlan_priority = from->vlan_priority;
	memcpy(config->addrs, from->addrs, sizeof(config->addrs));
	config->addrs_count = from->addrs_count;
	config->gateway = from->gateway;
	config->gateway6 = from->gateway6;
	memcpy(config->routes, from->routes, sizeof(config->routes));
	config->routes_count = from->routes_count;
	config->ip6_autoconf = from->ip6_autoconf;
	config->ip6_unprobed = from->ip6_unprobed;
	config->ip4_probe = from->ip4_probe;
	config->ip4_yield = from->ip4_yield;
	config->limits = stack->config.limits;
	config->options = &stack->config.options;
	config->secret = stack->secret;
	config->name = runner->name;
	config->numa_node = runner->port.numa_node;
}

static int
runner_make_lane(struct runner *runner, unsigned int index)
{
	const struct port *port = &runner->port;
	struct lane_setup setup = {
		.stack = runner->stack,
		.index = index,
		.netif_caps = port->netif_caps,
		.silent = runner != runner->group->first,
		.exceptions = runner->group->config->exception != NULL,
		.tx_chain_max = port->tx_chain_max,
		.tso_chain_max = port->tso_chain_max,
		.rx_pool = runner->pools.rx,
		.rx_reserve = runner->pools.rx_reserve,
		.rx_posted = rte_mempool_in_use_count(runner->pools.rx),
		.buf_pool = runner->pools.buf,
		.control_pool = runner->pools.control,
		.now = clock_now_us(),
	};
	int err;

	runner_fill_config(runner, runner->group->config, &setup.config);
	err = lane_create(&setup, &runner->lane);
	if (err != 0)
		return err;
	runner->port.counters = &runner->lane->counters;
	pools_set_owner(&runner->pools, &runner->lane->owner);
	return 0;
}

static struct pools_setup
runner_pools(const struct runner *runner, unsigned int lends_to)
{
	const struct port *port = &runner->group->first->port;

	return (struct pools_setup){
		.name = runner->name,
		.numa_node = port->numa_node,
		.mtu = port->mtu,
		.buffers = runner->stack->config.limits.buffers,
		.rx_desc = port->rx_desc,
		.tx_desc = port->tx_desc,
		.lends_to = lends_to,
	};
}

/* Of a lane that has a queue of the port, whose buffers it may lend to so many others. */
static int
runner_make_pools(struct runner *runner, unsigned int lends_to)
{
	const struct pools_setup pools = runner_pools(runner, lends_to);

	pools_choose_name(runner->name, sizeof(runner->name));
	return pools_create(&runner->pools, &pools);
}

/* Of a lane that another carries. */
static int
runner_make_carried_pools(struct runner *runner)
{
	struct pools_setup pools = runner_pools(runner, 0);

	pools.rx_desc = pools.tx_desc = SPREAD_LOANS;
	pools.is_carried = true;
	pools_choose_name(runner->name, sizeof(runner->name));
	return pools_create(&runner->pools, &pools);
}

/* ---- the lanes of one port */

struct port_setup
group_port_setup(const struct group *group)
{
	const struct rill_port_config *from = group->config;

	return (struct port_setup){.name = from->name,
		.mtu = from->mtu,
		.vlan_tci = (uint16_t)(from->vlan_priority << 13 | from->vlan),
		.rx_desc = from->rx_desc,
		.tx_desc = from->tx_desc,
		.all_groups = from->exception != NULL,
		.tso_off = from->tso == RILL_TSO_OFF};
}

static int
group_open_queues(struct group *group, bool *device_key)
{
	struct port *port = &group->first->port;
	const struct port_setup setup = group_port_setup(group);
	struct rte_mempool *rx_pools[RILL_PORT_LANES_MAX];
	const struct port_queues queues = {
		.count = group->lanes,
		.rx_pools = rx_pools,
		.steer = group->is_random ? NULL : &group->steer};
	int err = 0;

	for (unsigned int i = 0; err == 0 && i < group->lanes; i++) {
		err = runner_make_pools(&group->first[i], group->lanes - 1);
		rx_pools[i] = group->first[i].pools.rx;
	}
	if (err == 0)
		return group->is_random ? port_open_queues(port, &setup, &queues)
					: port_open_rss(port, &setup, &queues, device_key);
	for (unsigned int i = 0; i < group->lanes; i++)
		pools_free(&group->first[i].pools);
	return err;
}

/* Does the NIC spread by RSS, or whoever is at the port's other end, at random? -ENOTSUP, with a sentence:
 * neither. */
static int
group_check_queues(struct group *group)
{
	const struct port_setup setup = group_port_setup(group);
	const struct port *port = &group->first->port;
	int err = port_check_rss(port, &setup, group->lanes);

	group->is_random = err != 0 && port_is_spread_anyway(port, group->lanes);
	if (!group->is_random)
		return err;
	snprintf(group->spread, sizeof(group->spread), "%u lanes, each with a queue that others fill (%s)",
		group->lanes, rill_error());
	error_set(0, "%s", ""); /* it was no failure */
	return 0;
}

/*
 * Each lane has a queue, between which the NIC spreads, or others do. A negative errno, with a sentence, if
 * nobody does. The lanes' pools may have been made then, and do for a carrier and its lanes too; the device
 * holds buffers of theirs until it is opened anew.
 */
static int
group_spread_over_queues(struct group *group)
{
	struct runner *first = group->first;
	struct strays_setup setup = {
		.name = first->name,
		.numa_node = first->port.numa_node,
		.lanes = group->lanes,
		.steer = &group->steer,
	};
	bool device_key = false;
	int err = group_check_queues(group);

	if (err == 0)
		err = group_open_queues(group, &device_key);
	if (err != 0)
		return err;
	setup.is_random = group->is_random;
	group->strays = strays_create(&setup);
	if (group->strays == NULL)
		return error_set(-ENOMEM, "lanes: no memory for the rings of %u lanes", group->lanes);
	for (unsigned int i = 0; i < group->lanes; i++) {
		if (i > 0)
			port_of_queue(&first[i].port, &first->port, (uint16_t)i);
		strays_port(&first[i].port, group->strays, first[i].pools.rx);
	}
	if (!group->is_random)
		snprintf(group->spread, sizeof(group->spread), "%u lanes, spread by the NIC%s",
			group->lanes, device_key ? " under a key of its own" : "");
	return 0;
}

/* The only queue is the first lane's. */
static int
group_open_one_queue(struct group *group)
{
	const struct port_setup setup = group_port_setup(group);
	struct runner *first = group->first;
	int err = 0;

	if (first->pools.rx == NULL)
		err = runner_make_pools(first, group->lanes - 1);
	return err == 0 ? port_open_ethdev(&first->port, &setup, first->pools.rx) : err;
}

/* The first lane carries the frames of the others. */
static int
group_spread_by_carrier(struct group *group)
{
	struct runner *first = group->first;
	const struct pools_setup pools = runner_pools(first, group->lanes - 1);
	struct spread_setup setup = {
		.name = first->name,
		.numa_node = first->port.numa_node,
		.lanes = group->lanes,
		.steer = &group->steer,
	};
	int err = pools_add_blank(&first->pools, &pools);

	if (err != 0)
		return err;
	setup.blank_pool = first->pools.blank;
	group->spreader = spreader_create(&setup);
	if (group->spreader == NULL)
		return error_set(-ENOMEM, "lanes: no memory for the rings of %u lanes", group->lanes);
	spread_carrier(&first->port, group->spreader);
	for (unsigned int i = 1; err == 0 && i < group->lanes; i++) {
		if (first[i].pools.rx == NULL)
			err = runner_make_carried_pools(&first[i]);
		if (err == 0)
			spread_port(&first[i].port, &first->port, i, first[i].pools.rx);
	}
	return err;
}

/* Over several queues if there are; the steer is then what both agreed on, else made anew. */
static int
group_spread(struct group *group)
{
	const uint8_t *secret = group->first->stack->secret;
	int err;

	steer_init(&group->steer, secret, group->lanes);
	err = group_spread_over_queues(group);
	if (err == 0 || group->first->port.running || err == -EBUSY)
		return err;
	snprintf(group->spread, sizeof(group->spread), "%u lanes, spread by lane 0 (%s)", group->lanes,
		rill_error());
	error_set(0, "%s", ""); /* it was no failure */
	steer_init(&group->steer, secret, group->lanes);
	err = group_open_one_queue(group);
	return err == 0 ? group_spread_by_carrier(group) : err;
}

static int
group_open_port(struct group *group)
{
	const struct port_setup setup = group_port_setup(group);
	int err = port_probe(&group->first->port, &setup);

	if (err != 0)
		return err;
	return group->lanes > 1 ? group_spread(group) : group_open_one_queue(group);
}

static int
group_create(struct rill_stack *stack, struct group *group)
{
	int err = group_open_port(group);

	for (unsigned int i = 0; err == 0 && i < group->lanes; i++) {
		struct runner *runner = &group->first[i];

		err = runner_make_lane(runner, (unsigned int)(runner - stack->runners));
		group->members[i] = runner->lane;
	}
	if (err == 0 && group->lanes > 1 &&
		siblings_join(group->members, group->lanes, &group->steer) != 0)
		err = error_set(-ENOMEM, "lanes: no memory for the rings of %u lanes", group->lanes);
	return err == 0 ? exception_open(group) : err;
}

/* In whatever state group_create has left it. Lanes first: the port may hold their buffers. */
static void
group_destroy(struct group *group)
{
	for (unsigned int i = group->lanes; i-- > 0;) {
		pools_set_owner(&group->first[i].pools, NULL);
		if (group->first[i].lane != NULL)
			lane_destroy(group->first[i].lane);
		group->first[i].lane = NULL;
	}
	spreader_destroy(group->spreader);
	strays_destroy(group->strays);
	group->spreader = NULL;
	group->strays = NULL;
	exception_close(group);
	for (unsigned int i = group->lanes; i-- > 0;)
		port_close(&group->first[i].port);
	for (unsigned int i = group->lanes; i-- > 0;)
		pools_free(&group->first[i].pools);
}

/* ---- the stack */

static void
group_fill(struct rill_stack *stack, unsigned int port)
{
	struct group *group = &stack->groups[port];

	group->config = &stack->config.ports[port];
	group->lanes = stack->lanes / stack->groups_count;
	group->first = &stack->runners[port * group->lanes];
	for (unsigned int i = 0; i < group->lanes; i++) {
		group->first[i].stack = stack;
		group->first[i].group = group;
	}
}

static int
stack_fill(struct rill_stack *stack, const struct rill_config *config)
{
	int err = 0;

	stack->config = *config;
	config_fill_limits(&stack->config.limits);
	stack->lanes = config->ports_count * lanes_of_port(config);
	stack->groups_count = config->ports_count;
	pthread_mutex_init(&stack->lock, NULL);
	pthread_mutex_init(&stack->changing, NULL);
	pthread_cond_init(&stack->answered, NULL);
	if (config->secret != NULL)
		memcpy(stack->secret, config->secret, sizeof(stack->secret));
	else
		err = secret_draw(stack->secret);
	stack->config.secret = stack->secret;
	for (unsigned int i = 0; i < stack->groups_count; i++)
		group_fill(stack, i);
	return err;
}

static int
stack_bring_up(struct rill_stack *stack, const struct rill_config *config)
{
	int err = stack_fill(stack, config);

	if (err == 0)
		err = start_eal(&stack->config);
	if (err != 0)
		return err;
	stack->config.eal_args = NULL; /* the caller's, who may take them back now */
	clock_init();
	for (unsigned int i = 0; err == 0 && i < stack->groups_count; i++)
		err = group_create(stack, &stack->groups[i]);
	return err == 0 ? cores_assign(stack) : err;
}

int
rill_stack_create(const struct rill_config *config, struct rill_stack **stack)
{
	int err = abi_check(rte_version());

	*stack = NULL;
	if (err == 0)
		err = config_check(config);
	if (err != 0)
		return err;
	*stack = calloc(1, sizeof(**stack));
	if (*stack == NULL)
		return error_set(-ENOMEM, "no memory for a stack");
	err = stack_bring_up(*stack, config);
	if (err != 0) {
		rill_stack_destroy(*stack);
		*stack = NULL;
	}
	return err;
}

void
rill_stack_destroy(struct rill_stack *stack)
{
	if (stack == NULL)
		return;
	RILL_ASSERT(!stack->running);
	for (unsigned int i = stack->groups_count; i-- > 0;)
		group_destroy(&stack->groups[i]);
	pthread_cond_destroy(&stack->answered);
	pthread_mutex_destroy(&stack->changing);
	pthread_mutex_destroy(&stack->lock);
	free(stack);
}

unsigned int
rill_stack_lanes(const struct rill_stack *stack)
{
	return stack->lanes;
}

struct rill_lane *
rill_stack_lane(const struct rill_stack *stack, unsigned int index)
{
	return index < stack->lanes ? stack->runners[index].lane : NULL;
}

const char *
rill_stack_spread(const struct rill_stack *stack, unsigned int port)
{
	return port < stack->groups_count ? stack->groups[port].spread : NULL;
}

static void
stats_add(struct rill_stats *sum, const struct rill_stats *one)
{
#define X(name, text) sum->name += one->name;
	RILL_COUNTER_LIST(X)
#undef X
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum->drops[i] += one->drops[i];
	sum->conns += one->conns;
	sum->conns_limit += one->conns_limit;
	sum->syn_received += one->syn_received;
	sum->time_wait += one->time_wait;
	sum->sidecars += one->sidecars;
	sum->records += one->records;
	sum->mbufs += one->mbufs;
	sum->neighbors += one->neighbors;
}

int
rill_stats_read(struct rill_stack *stack, struct rill_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (unsigned int i = 0; i < stack->lanes; i++) {
		struct rill_stats one;

		rill_lane_stats_read(stack->runners[i].lane, &one);
		stats_add(stats, &one);
	}
	return 0;
}
