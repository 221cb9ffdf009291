/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel tells is read as it stands there, and what is not there, too long or nonsense is
 * told from it: files, links, lists of cores, free hugepages of all sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_root.h"
#include "sysfs.h"

static void
test_lists_of_cores_go_both_ways(void **state)
{
	static const struct {
		const char *text, *back;
		int count;
	} rows[] = {{"", "", 0}, {"3", "3", 1}, {"0-3", "0-3", 4}, {"0,2-4,7\n", "0,2-4,7", 5},
		{"1,2,3", "1-3", 3}, {"1023", "1023", 1}};
	static const char *const wrong[] = {"(null)", "-", "1-", "1;2", "a", "0-3x"};
	char text[64];
	cpu_set_t set;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(sysfs_parse_cpus(rows[i].text, &set));
		assert_int_equal(CPU_COUNT(&set), rows[i].count);
		assert_string_equal(sysfs_format_cpus(&set, text, sizeof(text)), rows[i].back);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(sysfs_parse_cpus(wrong[i], &set));
	/* As many as there are, and not beyond; a text that is too short is cut. */
	assert_true(sysfs_parse_cpus("1020-99999999", &set));
	assert_int_equal(CPU_COUNT(&set), 4);
	assert_true(sysfs_parse_cpus("0,2,4,6,8,10,12", &set));
	assert_int_equal(strlen(sysfs_format_cpus(&set, text, 8)), 7);
}

static void
test_files_and_links_are_read(void **state)
{
	char text[16], longest[SYSFS_PATH_MAX + 1];

	fake_begin();
	fake_file("/sys/a/b", "first\nsecond\n");
	fake_file("/sys/a/empty", "");
	fake_link("/sys/a/driver", "../../drivers/vfio-pci");
	fake_link("/sys/a/alone", "alone");
	assert_true(sysfs_line(fake_root, text, sizeof(text), "/sys/%s/b", "a"));
	assert_string_equal(text, "first");
	assert_false(sysfs_line(fake_root, text, sizeof(text), "/sys/a/empty"));
	assert_false(sysfs_line(fake_root, text, sizeof(text), "/sys/a/none"));
	assert_string_equal(text, "");
	assert_true(sysfs_link(fake_root, text, sizeof(text), "/sys/a/driver"));
	assert_string_equal(text, "vfio-pci");
	assert_true(sysfs_link(fake_root, text, sizeof(text), "/sys/a/alone"));
	assert_string_equal(text, "alone");
	assert_false(sysfs_link(fake_root, text, sizeof(text), "/sys/a/b"));
	assert_string_equal(text, "");
	memset(longest, 'x', SYSFS_PATH_MAX);
	longest[SYSFS_PATH_MAX] = '\0';
	assert_false(sysfs_has(fake_root, "/%s", longest));
	assert_false(sysfs_line(fake_root, text, sizeof(text), "/%s", longest));
}

static void
test_free_hugepages_of_all_sizes_are_added(void **state)
{
	fake_begin();
	assert_int_equal(sysfs_hugepages_free(fake_root), 0);
	fake_file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3\n");
	fake_file("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "2\n");
	fake_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "99\n");
	fake_folder("/sys/kernel/mm/hugepages/hugepages-64kB");
	assert_int_equal(sysfs_hugepages_free(fake_root), 3 * (2ull << 20) + 2 * (1ull << 30));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_of_cores_go_both_ways),
		cmocka_unit_test(test_files_and_links_are_read),
		cmocka_unit_test(test_free_hugepages_of_all_sizes_are_added),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_end();
	return failed;
}
