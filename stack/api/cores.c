/* SPDX-License-Identifier: BSD-3-Clause */
/* Which core drives which lane. */
#include <errno.h>
#include <stdio.h>

#include <numa.h>
#include <rte_lcore.h>

#include "errtext.h"
#include "finding.h"
#include "machine.h"
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

static bool
is_far(const struct runner *runner)
{
	return runner->core >= 0 && !is_near(runner->core, runner->port.numa_node);
}

static void
tell_far(struct check *check, const struct runner *runner)
{
	char fix[FINDING_FIX_MAX];

	snprintf(fix, sizeof(fix), "allow the process a core of node %d (taskset, or eal_args: --lcores)",
		runner->port.numa_node);
	finding_tell(check, RILL_CHECK_MISSING, "NUMA", fix,
		"lane %u runs on core %d of NUMA node %d, and its port %s is on node %d",
		runner->lane->index, runner->core, numa_node_of_cpu(runner->core), runner->port.name,
		runner->port.numa_node);
}

static void
warn(const struct rill_finding *finding, void *user)
{
	fprintf(stderr, "rill: %s: %s\n", finding->fact, finding->fix);
}

/* Of the first that is, and how many there are. */
static unsigned int
check_far(struct check *check, const struct rill_stack *stack)
{
	unsigned int far = 0;

	for (unsigned int i = 0; i < stack->lanes; i++)
		if (is_far(&stack->runners[i]) && far++ == 0)
			tell_far(check, &stack->runners[i]);
	return far;
}

int
cores_assign(struct rill_stack *stack)
{
	struct check warnings = {.tell = warn};
	cpu_set_t free;

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
	}
	check_far(&warnings, stack);
	return 0;
}

void
cores_check(struct check *check, const struct rill_stack *stack)
{
	cpu_set_t lanes, allowed;

	CPU_ZERO(&lanes);
	for (unsigned int i = 0; i < stack->lanes; i++)
		if (stack->runners[i].core >= 0)
			CPU_SET(stack->runners[i].core, &lanes);
	cores_of_eal(&allowed);
	machine_check_cores(check, &lanes, &allowed, stack->config.idle_sleep_us == 0);
	if (check_far(check, stack) == 0)
		finding_tell(check, RILL_CHECK_OK, "NUMA", "", "every lane is on its port's node");
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
