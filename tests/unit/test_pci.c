/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI device before DPDK is asked for it, on made-up machines: bound to the kernel's driver, to none,
 * to vfio in a group that can be handed out or not, without an IOMMU, not there at all. What is wrong
 * becomes the error's sentence, the first such, with what to do about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "fake_root.h"
#include "pci.h"

#define NIC "/sys/bus/pci/devices/0000:03:00.1"
#define OTHER "/sys/bus/pci/devices/0000:03:00.0"
#define NEED (64ull << 20)

static struct check check;

/* A NIC of this vendor with this driver; NULL: none. */
static void
machine(const char *vendor, const char *driver)
{
	char to[64];

	fake_begin();
	fake_file(NIC "/vendor", vendor);
	if (driver == NULL)
		return;
	snprintf(to, sizeof(to), "../../../bus/pci/drivers/%s", driver);
	fake_link(NIC "/driver", to);
}

/* It is in group 7, of this name, and vfio has a file of it. */
static void
group(const char *name, const char *file)
{
	fake_link(NIC "/iommu_group", "../../../kernel/iommu_groups/7");
	fake_file("/sys/kernel/iommu_groups/7/name", name);
	fake_file("/sys/kernel/iommu_groups/7/devices/0000:03:00.1", "");
	if (file != NULL)
		fake_file(file, "");
}

static void
look(const char *name)
{
	check = fake_check(name);
	pci_check(&check, name, NEED);
}

static void
expect_wrong(int err, const char *fact, const char *fix)
{
	fake_expect(RILL_CHECK_WRONG, fact, fix, NULL);
	assert_int_equal(check.err, err);
	if (strstr(rill_error(), fact) == NULL || strstr(rill_error(), fix) == NULL)
		fail_msg("\"%s\", \"%s\": not both in: %s", fact, fix, rill_error());
}

static void
test_who_holds_it(void **state)
{
	machine("0x8086\n", "ixgbevf");
	fake_folder(NIC "/net");
	fake_folder(NIC "/net/eth7");
	look("0000:03:00.1");
	expect_wrong(-ENODEV, "the kernel's ixgbevf (eth7) holds it",
		"dpdk-devbind.py --bind=vfio-pci 0000:03:00.1");
	assert_memory_equal(rill_error(), "0000:03:00.1: ", 14);

	machine("0x8086\n", NULL);
	look("03:00.1,arg=1"); /* however it is written */
	expect_wrong(-ENODEV, "no driver of the kernel holds it", "modprobe vfio-pci");

	look("0000:03:00.2");
	expect_wrong(-ENODEV, "no PCI device 0000:03:00.2", "lspci");

	machine("0x15b3\n", "mlx5_core");
	look("0000:03:00.1");
	fake_expect(RILL_CHECK_OK, "stays with mlx5_core", NULL, NULL);
	assert_int_equal(check.err, 0);
	machine("0x15b3\n", "vfio-pci");
	look("0000:03:00.1");
	expect_wrong(-ENODEV, "vfio-pci holds it", "--bind=mlx5_core");

	machine("0x8086\n", "igb_uio");
	look("0000:03:00.1");
	fake_expect(RILL_CHECK_OK, "igb_uio holds it", NULL, NULL);
	assert_int_equal(check.err, 0);

	fake_begin(); /* the kernel shows nothing: EAL may know more */
	look("0000:03:00.1");
	assert_int_equal(fake_findings_count, 0);
	look("net_tap0");
	assert_int_equal(check.err, 0);
}

static void
test_its_group(void **state)
{
	machine("0x8086\n", "vfio-pci");
	look("0000:03:00.1");
	expect_wrong(-ENODEV, "no IOMMU group", "enable_unsafe_noiommu_mode");

	machine("0x8086\n", "vfio-pci");
	group("\n", "/dev/vfio/7");
	look("0000:03:00.1");
	fake_expect(RILL_CHECK_OK, "IOMMU group: 7", NULL, NULL);
	assert_int_equal(check.err, 0);

	/* A bridge, and what nobody holds, do no harm; a sibling that the kernel holds does. */
	fake_file("/sys/kernel/iommu_groups/7/devices/0000:00:01.0", "");
	fake_link("/sys/bus/pci/devices/0000:00:01.0/driver", "../drivers/pcieport");
	fake_file("/sys/kernel/iommu_groups/7/devices/0000:03:00.0", "");
	look("0000:03:00.1");
	assert_int_equal(check.err, 0);
	fake_link(OTHER "/driver", "../drivers/igb");
	look("0000:03:00.1");
	expect_wrong(-ENODEV, "has 0000:03:00.0 too, which the kernel's igb holds",
		"--bind=vfio-pci 0000:03:00.0");

	machine("0x8086\n", "vfio-pci");
	group("\n", NULL);
	look("0000:03:00.1");
	expect_wrong(-ENODEV, "/dev/vfio/7 is not there", "container");
}

static void
test_without_an_iommu(void **state)
{
	machine("0x8086\n", "vfio-pci");
	group("vfio-noiommu\n", "/dev/vfio/noiommu-7");
	look("0000:03:00.1");
	expect_wrong(-ENOMEM, "needs hugepages: 0 MiB are free and 64 are needed", "hugepages.sh 32");
	fake_file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "32\n");
	look("0000:03:00.1");
	fake_expect(RILL_CHECK_MISSING, "unsafe mode", "IOMMU", NULL);
	assert_int_equal(check.err, 0);
}

static void
test_a_file_that_may_not_be_opened(void **state)
{
	uid_t user = geteuid();

	if (user == 0) /* who may open anything */
		assert_int_equal(seteuid(65534), 0);
	machine("0x8086\n", "vfio-pci");
	group("\n", "/dev/vfio/7");
	assert_int_equal(chmod(fake_path("/dev/vfio/7"), 0), 0);
	look("0000:03:00.1");
	assert_int_equal(seteuid(user), 0);
	expect_wrong(-ENODEV, "/dev/vfio/7 may not be opened by this user", "chown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_holds_it),
		cmocka_unit_test(test_its_group),
		cmocka_unit_test(test_without_an_iommu),
		cmocka_unit_test(test_a_file_that_may_not_be_opened),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_end();
	return failed;
}
