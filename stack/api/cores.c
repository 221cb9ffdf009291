/* SPDX-License-Identifier: BSD-3-Clause */
/* Which core drives which lane. */
#include <errno.h>
#include <stdio.h>

#include <numa.h>
#include <rte_lcore.h>

#include "errtext.h"
#include "runner.h"

/* All that EAL's lcores may use. */
static void
cores_of_eal(cpu_set_t *all)
{
	unsigned int lcore;

	CPU_ZERO(all);
	RTE_LCORE_FOREACH(lcore)
	{
		rte_cpuset_t set = rte_lcore_cpuset(lcore);

		CPU_OR(all, all, &set);
	}
}

static bool
is_near(int core, int node)
{
	return node < 0 || numa_available() < 0 || numa_node_of_cpu(core) == node;
}

/* The lowest near core, else the lowest. */
static int
choose_core(const cpu_set_t *free, int node)
{
	int first = -1;

	for (int core = 0; core < CPU_SETSIZE; core++) {
		if (!CPU_ISSET(core, free))
			continue;
		if (is_near(core, node))
			return core;
		if (first < 0)
			first = core;
	}
	return first;
}

static void
warn_far(const struct runner *runner)
{
	fprintf(stderr,
		"rill: lane %u runs on core %d of NUMA node %d, and its port %s is on node %d: allow the "
		"process a core of node %d (taskset, or eal_args: --lcores)\n",
		runner->lane->index, runner->core, numa_node_of_cpu(runner->core), runner->port.name,
		runner->port.numa_node, runner->port.numa_node);
}

int
cores_assign(struct rill_stack *stack)
{
	cpu_set_t free;
	bool warned = false;

	cores_of_eal(&free);
	if (stack->lanes > (unsigned int)CPU_COUNT(&free)) {
		if (stack->config.idle_sleep_us == 0)
			return error_set(-EINVAL,
				"lanes: %u lanes that poll need as many cores, and this process may use %d: "
				"allow it more (taskset, or eal_args: --lcores), or set idle_sleep_us",
				stack->lanes, CPU_COUNT(&free));
		for (unsigned int i = 0; i < stack->lanes; i++)
			stack->runners[i].core = -1;
		return 0;
	}
	for (unsigned int i = 0; i < stack->lanes; i++) {
		struct runner *runner = &stack->runners[i];

		runner->core = choose_core(&free, runner->port.numa_node);
		CPU_CLR(runner->core, &free);
		if (!warned && !is_near(runner->core, runner->port.numa_node)) {
			warn_far(runner);
			warned = true;
		}
	}
	return 0;
}

void
cores_pin(const struct runner *runner)
{
	cpu_set_t set;

	if (runner->core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(runner->core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}
