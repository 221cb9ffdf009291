/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sysfs.h"

#define MB (UINT64_C(1024) * 1024)
#define CPUS_TEXT 64

/* ---- memory */

void
machine_fix_hugepages(char fix[FINDING_FIX_MAX], uint64_t bytes)
{
	snprintf(fix, FINDING_FIX_MAX, "reserve some: drivers-cfg/hugepages.sh %" PRIu64,
		(bytes + 2 * MB - 1) / (2 * MB));
}

void
machine_check_memory(struct check *check, uint64_t bytes)
{
	uint64_t need_mb = (bytes + MB - 1) / MB, free_mb = sysfs_hugepages_free(check->root) / MB;
	char fix[FINDING_FIX_MAX];

	machine_fix_hugepages(fix, bytes);
	if (!sysfs_has(check->root, "/sys/kernel/mm/hugepages"))
		finding_tell(check, RILL_CHECK_MISSING, "hugepages",
			"use a kernel that has them (CONFIG_HUGETLBFS)",
			"this kernel knows none: %" PRIu64 " MiB will be in pages of 4 KiB, which is slower",
			need_mb);
	else if (free_mb < need_mb)
		finding_tell(check, RILL_CHECK_MISSING, "hugepages", fix,
			"%" PRIu64 " MiB are free and %" PRIu64
			" are needed: all memory will be in pages of 4 KiB, which is slower",
			free_mb, need_mb);
	else
		finding_tell(check, RILL_CHECK_OK, "hugepages", "",
			"%" PRIu64 " MiB are free, and %" PRIu64 " are needed", free_mb, need_mb);
}

/* ---- clock */

/* Only x86 has flags that say so; elsewhere the clock is invariant by architecture. */
static bool
has_uneven_tsc(const struct check *check)
{
	char path[SYSFS_PATH_MAX], line[4096];
	bool found = false, uneven = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", check->root);
	file = fopen(path, "r");
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		found = strncmp(line, "flags", 5) == 0;
		uneven = found && (strstr(line, " constant_tsc") == NULL ||
					  strstr(line, " nonstop_tsc") == NULL);
	}
	if (file != NULL)
		fclose(file);
	return uneven;
}

/* Sources that the kernel falls back to when it has caught the TSC going wrong. */
static bool
is_mistrusted(const char *source)
{
	return strcmp(source, "hpet") == 0 || strcmp(source, "acpi_pm") == 0 ||
	       strcmp(source, "jiffies") == 0 || strcmp(source, "refined-jiffies") == 0;
}

void
machine_check_clock(struct check *check)
{
	char source[64];

	sysfs_line(check->root, source, sizeof(source),
		"/sys/devices/system/clocksource/clocksource0/current_clocksource");
	if (is_mistrusted(source))
		finding_tell(check, RILL_CHECK_MISSING, "clock",
			"look for clocksource in dmesg; if the machine's TSC is sound, boot with "
			"tsc=reliable",
			"the kernel's clock source is %s: it does not trust the TSC, which lanes read", source);
	else if (has_uneven_tsc(check))
		finding_tell(check, RILL_CHECK_MISSING, "clock",
			"let the hypervisor pass an invariant TSC on (QEMU: -cpu host,+invtsc), or keep the "
			"cores at one frequency",
			"the TSC is not invariant (constant_tsc and nonstop_tsc of /proc/cpuinfo): timers may "
			"go at another pace than time");
	else
		finding_tell(check, RILL_CHECK_OK, "clock", "", "the TSC is invariant, the kernel's source is %s",
			source[0] != '\0' ? source : "unknown");
}

/* ---- IOMMU */

static bool
count_group(const char *name, void *arg)
{
	++*(unsigned int *)arg;
	return true;
}

void
machine_check_iommu(struct check *check)
{
	unsigned int groups = 0;

	sysfs_each(check->root, "/sys/kernel/iommu_groups", count_group, &groups);
	if (groups > 0)
		finding_tell(check, RILL_CHECK_OK, "IOMMU", "", "devices are in %u groups", groups);
	else
		finding_tell(check, RILL_CHECK_MISSING, "IOMMU",
			"switch it on in the firmware (VT-d, AMD-Vi, SMMU) and boot with intel_iommu=on "
			"iommu=pt, or iommu=pt alone",
			"none is active: a NIC can write anywhere, and vfio-pci takes one in its unsafe mode only");
}

/* ---- cores */

/* Those of `lanes` that are not in a list of the kernel's. */
static bool
missing_in(const struct check *check, const char *file, const cpu_set_t *lanes, cpu_set_t *listed,
	cpu_set_t *missing)
{
	char text[1024];

	sysfs_line(check->root, text, sizeof(text), "/sys/devices/system/cpu/%s", file);
	if (!sysfs_parse_cpus(text, listed))
		CPU_ZERO(listed); /* "(null)" where there is none */
	CPU_AND(missing, lanes, listed);
	CPU_XOR(missing, missing, lanes);
	return CPU_COUNT(missing) > 0;
}

/* The last n of these, but never core 0: the kernel keeps that to itself. */
static void
choose_isolated(const cpu_set_t *allowed, int n, cpu_set_t *chosen)
{
	CPU_ZERO(chosen);
	for (int cpu = CPU_SETSIZE - 1; cpu > 0 && CPU_COUNT(chosen) < n; cpu--)
		if (CPU_ISSET(cpu, allowed))
			CPU_SET(cpu, chosen);
}

/* Others may be isolated, which the process was not given: the kernel hands them out on demand only. */
static void
tell_isolated(struct check *check, const cpu_set_t *isolated, const cpu_set_t *missing, int lanes,
	const cpu_set_t *allowed)
{
	char fix[FINDING_FIX_MAX], shared[CPUS_TEXT], free[CPUS_TEXT];
	cpu_set_t chosen;

	choose_isolated(allowed, lanes, &chosen);
	sysfs_format_cpus(missing, shared, sizeof(shared));
	sysfs_format_cpus(CPU_COUNT(isolated) > 0 ? isolated : &chosen, free, sizeof(free));
	if (CPU_COUNT(isolated) > 0)
		snprintf(fix, sizeof(fix), "start it with taskset -c %s", free);
	else if (CPU_COUNT(&chosen) > 0)
		snprintf(fix, sizeof(fix),
			"boot with isolcpus=%s nohz_full=%s rcu_nocbs=%s, or give the process cores of its own "
			"(cpuset)",
			free, free, free);
	else
		snprintf(fix, sizeof(fix), "give it a machine with more cores than one");
	finding_tell(check, RILL_CHECK_MISSING, "isolated cores", fix,
		"lanes run on %s, where the kernel may run others too%s%s", shared,
		CPU_COUNT(isolated) == 0 ? "; no core is isolated" : "; isolated are ", free);
}

void
machine_check_cores(
	struct check *check, const cpu_set_t *lanes, const cpu_set_t *allowed, bool polls)
{
	char text[CPUS_TEXT], fix[FINDING_FIX_MAX];
	cpu_set_t listed, missing;

	if (!polls || CPU_COUNT(lanes) == 0) {
		finding_tell(check, RILL_CHECK_OK, "isolated cores", "",
			"lanes sleep while idle, and share cores with others");
		return;
	}
	if (missing_in(check, "isolated", lanes, &listed, &missing)) {
		tell_isolated(check, &listed, &missing, CPU_COUNT(lanes), allowed);
	} else if (missing_in(check, "nohz_full", lanes, &listed, &missing)) {
		sysfs_format_cpus(&missing, text, sizeof(text));
		snprintf(fix, sizeof(fix), "boot with nohz_full=%s too", text);
		finding_tell(check, RILL_CHECK_MISSING, "isolated cores", fix,
			"lanes run on isolated cores, and the kernel's tick interrupts %s", text);
	} else {
		finding_tell(check, RILL_CHECK_OK, "isolated cores", "", "lanes run on %s, alone",
			sysfs_format_cpus(lanes, text, sizeof(text)));
	}
}
