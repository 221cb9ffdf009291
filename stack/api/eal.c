/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "errtext.h"
#include "sysfs.h"

#define EAL_ARGS_MAX 64
#define EAL_TEXT_MAX 1024
/* Without hugepages EAL maps this much once, and never more; pages that nobody touches cost nothing. */
#define EAL_MEMORY_LEAST_MB 512
#define MB (1024ull * 1024)

struct args {
	char *v[EAL_ARGS_MAX + 1];
	int count;
	char text[EAL_TEXT_MAX]; /* what v points into */
	size_t used;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint64_t
eal_bytes(uint64_t bytes)
{
	return bytes < EAL_MEMORY_LEAST_MB * MB ? EAL_MEMORY_LEAST_MB * MB : bytes;
}

static int
args_add(struct args *args, const char *arg)
{
	size_t len = strlen(arg) + 1;

	if (args->count == EAL_ARGS_MAX || args->used + len > sizeof(args->text))
		return error_set(-EINVAL, "eal_args: more than %u arguments or %zu bytes: give fewer",
			EAL_ARGS_MAX - 1, sizeof(args->text));
	args->v[args->count++] = memcpy(args->text + args->used, arg, len);
	args->used += len;
	return 0;
}

/* Lcore 0 on all cores that this thread may use: EAL would else tie it to one of them. */
static int
add_lcores(struct args *args)
{
	char text[EAL_TEXT_MAX] = "--lcores=0@(";
	size_t used = strlen(text);
	cpu_set_t set;
	int first = -1;

	if (pthread_getaffinity_np(pthread_self(), sizeof(set), &set) != 0)
		return 0;
	for (int cpu = 0; cpu <= CPU_SETSIZE; cpu++) {
		bool in = cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set);

		if (in && first < 0)
			first = cpu;
		if (in || first < 0)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d-%d",
			text[used - 1] == '(' ? "" : ",", first, cpu - 1);
		if (used + 2 > sizeof(text))
			return 0; /* so scattered a set cannot be told: EAL chooses */
		first = -1;
	}
	memcpy(text + used, ")", 2);
	return args_add(args, text);
}

/* Memory without hugepages: no more than the machine has, or EAL dies of it. */
static int
add_memory(struct args *args, uint64_t mb)
{
	uint64_t have_mb = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / MB;
	char memory[32];

	if (mb > have_mb)
		return error_set(-ENOMEM,
			"limits: %" PRIu64 " MiB are needed, and the machine has %" PRIu64
			": lower max_conns, records, timewait_max or buffers",
			mb, have_mb);
	snprintf(memory, sizeof(memory), "-m%" PRIu64, mb);
	return args_add(args, memory);
}

/*
 * --in-memory is what hugepages want from a program that shares nothing with other processes. EAL
 * refuses it together with --no-huge; what it stands for is then asked for one by one.
 */
static int
choose_args(struct args *args, const struct eal_setup *setup)
{
	uint64_t mb = (eal_bytes(setup->bytes) + MB - 1) / MB;
	int err = 0;

	if (sysfs_hugepages_free("") >= mb * MB) {
		err = args_add(args, "--in-memory");
	} else {
		err = add_memory(args, mb);
		if (err == 0)
			err = args_add(args, "--no-huge");
		if (err == 0)
			err = args_add(args, "--no-shconf");
	}
	if (err == 0 && !setup->pci)
		err = args_add(args, "--no-pci");
	if (err == 0 && !setup->pci) /* EAL would choose physical ones for want of devices (pool_owner.c) */
		err = args_add(args, "--iova-mode=va");
	if (err == 0 && !setup->telemetry)
		err = args_add(args, "--no-telemetry");
	if (err == 0)
		err = args_add(args, "--log-level=*:warning");
	return err == 0 ? add_lcores(args) : err;
}

static int
init(struct args *args)
{
	char shown[EAL_TEXT_MAX];
	size_t used = 0;
	cpu_set_t before;
	int err = 0;

	shown[0] = 0;
	for (int i = 1; i < args->count; i++)
		used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%s", i > 1 ? " " : "",
			args->v[i]);
	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	if (rte_eal_init(args->count, args->v) < 0 && rte_errno != EALREADY)
		err = error_set(rte_errno > 0 ? -rte_errno : -EINVAL,
			"eal_args: EAL does not start with \"%s\" (%s); its own messages on stderr say more",
			shown, rte_strerror(rte_errno));
	pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
	return err;
}

static int
start(const struct eal_setup *setup)
{
	struct args args = {.count = 0};
	int err = args_add(&args, "rill");

	if (err == 0 && setup->args == NULL)
		err = choose_args(&args, setup);
	for (unsigned int i = 0; err == 0 && setup->args != NULL && i < setup->args_count; i++)
		err = args_add(&args, setup->args[i]);
	return err == 0 ? init(&args) : err;
}

int
eal_start(const struct eal_setup *setup)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (rte_lcore_count() == 0) /* EAL has not been started: else there is at least the main lcore */
		err = start(setup);
	pthread_mutex_unlock(&lock);
	return err;
}
