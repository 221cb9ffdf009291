/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is told of made-up machines: hugepages, clock, IOMMU and cores, good and lacking, each with what
 * to do about it. None of it keeps Rill from running.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_root.h"
#include "machine.h"
#include "sysfs.h"

#define HUGEPAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define MB (1ull << 20)

static void
test_hugepages(void **state)
{
	struct check check;

	fake_begin();
	check = fake_check("machine");
	machine_check_memory(&check, 600 * MB);
	fake_expect(RILL_CHECK_MISSING, "knows none", "600 MiB", "CONFIG_HUGETLBFS");

	fake_file(HUGEPAGES, "299\n");
	check = fake_check("machine");
	machine_check_memory(&check, 600 * MB);
	fake_expect(RILL_CHECK_MISSING, "598 MiB are free and 600 are needed", "4 KiB", "hugepages.sh 300");

	fake_file(HUGEPAGES, "300\n");
	check = fake_check("machine");
	machine_check_memory(&check, 600 * MB);
	fake_expect(RILL_CHECK_OK, "machine: hugepages: 600 MiB are free", NULL, NULL);
	assert_int_equal(fake_findings_count, 1);
	assert_int_equal(check.err, 0);
}

static void
test_clock(void **state)
{
	static const struct {
		const char *source, *cpuinfo;
		enum rill_check_status status;
		const char *fact, *fix;
	} rows[] = {
		{"tsc\n", "processor: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n", RILL_CHECK_OK,
			"invariant, the kernel's source is tsc", ""},
		{"kvm-clock\n", "flags : constant_tsc nonstop_tsc\n", RILL_CHECK_OK, "kvm-clock", ""},
		{"hpet\n", "flags : constant_tsc nonstop_tsc\n", RILL_CHECK_MISSING, "does not trust the TSC",
			"tsc=reliable"},
		{"tsc\n", "flags : fpu tsc constant_tsc\n", RILL_CHECK_MISSING, "not invariant", "invtsc"},
		/* Not x86: there are no such flags. */
		{"arch_sys_counter\n", "processor : 0\nFeatures : fp asimd\n", RILL_CHECK_OK,
			"arch_sys_counter", ""},
		{"", "", RILL_CHECK_OK, "unknown", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct check check;

		fake_begin();
		fake_file(SOURCE, rows[i].source);
		fake_file("/proc/cpuinfo", rows[i].cpuinfo);
		check = fake_check("machine");
		machine_check_clock(&check);
		fake_expect(rows[i].status, rows[i].fact, rows[i].fix, NULL);
		assert_int_equal(fake_findings_count, 1);
	}
}

static void
test_iommu(void **state)
{
	struct check check;

	fake_begin();
	check = fake_check("machine");
	machine_check_iommu(&check);
	fake_expect(RILL_CHECK_MISSING, "none is active", "intel_iommu=on", "firmware");
	fake_folder("/sys/kernel/iommu_groups/0");
	fake_folder("/sys/kernel/iommu_groups/1");
	check = fake_check("machine");
	machine_check_iommu(&check);
	fake_expect(RILL_CHECK_OK, "2 groups", NULL, NULL);
}

static void
look_at_cores(const char *isolated, const char *tickless, const char *lanes, const char *allowed, bool polls)
{
	struct check check;
	cpu_set_t on, may;

	fake_begin();
	fake_file("/sys/devices/system/cpu/isolated", isolated);
	if (tickless != NULL)
		fake_file("/sys/devices/system/cpu/nohz_full", tickless);
	assert_true(sysfs_parse_cpus(lanes, &on) && sysfs_parse_cpus(allowed, &may));
	check = fake_check("machine");
	machine_check_cores(&check, &on, &may, polls);
	assert_int_equal(fake_findings_count, 1);
	assert_int_equal(check.err, 0);
}

static void
test_cores(void **state)
{
	look_at_cores("\n", NULL, "0-1", "0-7", true);
	fake_expect(RILL_CHECK_MISSING, "lanes run on 0-1", "no core is isolated",
		"isolcpus=6-7 nohz_full=6-7 rcu_nocbs=6-7");
	look_at_cores("\n", NULL, "0", "0", true); /* core 0 is never to be isolated */
	fake_expect(RILL_CHECK_MISSING, "lanes run on 0", "more cores than one", NULL);
	look_at_cores("2-5\n", "2-5\n", "0", "0-1", true);
	fake_expect(RILL_CHECK_MISSING, "lanes run on 0", "isolated are 2-5", "taskset -c 2-5");
	look_at_cores("2-5\n", "2-3\n", "3-4", "2-5", true);
	fake_expect(RILL_CHECK_MISSING, "tick interrupts 4", "nohz_full=4", NULL);
	look_at_cores("2-5\n", "(null)\n", "3", "2-5", true);
	fake_expect(RILL_CHECK_MISSING, "tick interrupts 3", NULL, NULL);
	look_at_cores("2-5\n", "2-5\n", "3-4", "2-5", true);
	fake_expect(RILL_CHECK_OK, "lanes run on 3-4, alone", NULL, NULL);
	look_at_cores("\n", NULL, "0", "0-1", false);
	fake_expect(RILL_CHECK_OK, "sleep while idle", NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hugepages),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_iommu),
		cmocka_unit_test(test_cores),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_end();
	return failed;
}
