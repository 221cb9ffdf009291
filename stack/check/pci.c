/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_pci.h>

#include "finding.h"
#include "machine.h"
#include "sysfs.h"

#define DEVICES "/sys/bus/pci/devices"
#define GROUPS "/sys/kernel/iommu_groups"
#define TEXT 64
#define MB (UINT64_C(1024) * 1024)

#define VENDOR_MELLANOX "0x15b3"

struct device {
	char addr[PCI_PRI_STR_SIZE + 1];
	char driver[TEXT]; /* empty: none */
	char vendor[TEXT];
	char group[TEXT];  /* number of its IOMMU group; empty: none */
	bool is_unsafe;    /* the group is vfio's own: there is no IOMMU behind it */
};

/* Drivers that stay, and let DPDK's use the device through them. */
static bool
is_shared_driver(const char *driver)
{
	return strcmp(driver, "mlx5_core") == 0 || strcmp(driver, "mlx4_core") == 0 ||
	       strcmp(driver, "mana") == 0;
}

/* Drivers that hand the device to a program. */
static bool
is_handing_driver(const char *driver)
{
	return strstr(driver, "vfio") != NULL || strstr(driver, "uio") != NULL;
}

static void
device_read(struct device *device, const struct check *check)
{
	char name[TEXT];

	sysfs_link(check->root, device->driver, sizeof(device->driver), DEVICES "/%s/driver",
		device->addr);
	sysfs_line(check->root, device->vendor, sizeof(device->vendor), DEVICES "/%s/vendor",
		device->addr);
	sysfs_link(check->root, device->group, sizeof(device->group), DEVICES "/%s/iommu_group",
		device->addr);
	sysfs_line(check->root, name, sizeof(name), GROUPS "/%s/name", device->group);
	device->is_unsafe = device->group[0] != '\0' && strcmp(name, "vfio-noiommu") == 0;
}

/* ---- the driver */

static bool
take_name(const char *name, void *arg)
{
	snprintf(arg, TEXT, " (%s)", name);
	return false;
}

/* True: it can be used as it is bound. */
static bool
check_driver(struct check *check, const struct device *device)
{
	bool mellanox = strcmp(device->vendor, VENDOR_MELLANOX) == 0;
	char fix[FINDING_FIX_MAX], path[SYSFS_PATH_MAX], interface[TEXT] = "";

	if (mellanox ? is_shared_driver(device->driver)
		     : is_handing_driver(device->driver) || is_shared_driver(device->driver)) {
		finding_tell(check, RILL_CHECK_OK, "driver", "",
			mellanox ? "it stays with %s, through which DPDK uses it" : "%s holds it for DPDK",
			device->driver);
		return true;
	}
	snprintf(path, sizeof(path), DEVICES "/%s/net", device->addr);
	sysfs_each(check->root, path, take_name, interface);
	snprintf(fix, sizeof(fix), "%sdpdk-devbind.py --bind=%s %s",
		mellanox ? "" : "modprobe vfio-pci; ", mellanox ? "mlx5_core" : "vfio-pci", device->addr);
	if (device->driver[0] == '\0')
		finding_wrong(check, -ENODEV, "driver", fix, "no driver of the kernel holds it");
	else
		finding_wrong(check, -ENODEV, "driver", fix,
			mellanox ? "%s%s holds it, and DPDK uses it through mlx5_core only"
				 : "the kernel's %s%s holds it, and so DPDK cannot",
			device->driver, interface);
	return false;
}

/* ---- its group */

struct neighbours {
	const struct check *check;
	char addr[TEXT], driver[TEXT]; /* of one that keeps vfio from the group; empty: none does */
};

/* vfio opens a group when every device in it is its own, nobody's, or a bridge [vfio.rst: a viable group]. */
static bool
is_viable(const char *addr, void *arg)
{
	struct neighbours *n = arg;
	char driver[TEXT];

	sysfs_link(n->check->root, driver, sizeof(driver), DEVICES "/%s/driver", addr);
	if (driver[0] == '\0' || strstr(driver, "vfio") != NULL || strcmp(driver, "pcieport") == 0 ||
		strcmp(driver, "pci-stub") == 0)
		return true;
	snprintf(n->addr, sizeof(n->addr), "%s", addr);
	snprintf(n->driver, sizeof(n->driver), "%s", driver);
	return false;
}

static void
check_viable(struct check *check, const struct device *device)
{
	struct neighbours n = {.check = check};
	char path[SYSFS_PATH_MAX], fix[FINDING_FIX_MAX];

	snprintf(path, sizeof(path), GROUPS "/%s/devices", device->group);
	sysfs_each(check->root, path, is_viable, &n);
	if (n.addr[0] == '\0')
		return;
	snprintf(fix, sizeof(fix),
		"bind that to vfio-pci too (dpdk-devbind.py --bind=vfio-pci %s), or use a slot with a group "
		"of its own",
		n.addr);
	finding_wrong(check, -ENODEV, "IOMMU group", fix,
		"its IOMMU group %s has %s too, which the kernel's %s holds", device->group, n.addr, n.driver);
}

/* vfio's file of the group, which the program opens. */
static void
check_access(struct check *check, const struct device *device)
{
	char path[SYSFS_PATH_MAX], fix[FINDING_FIX_MAX];
	size_t skip = strlen(check->root);
	bool is_absent;

	snprintf(path, sizeof(path), "%s/dev/vfio/%s%s", check->root,
		device->is_unsafe ? "noiommu-" : "", device->group);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0)
		return;
	is_absent = errno == ENOENT;
	snprintf(fix, sizeof(fix),
		is_absent ? "hand %s into this container, with /dev/vfio/vfio"
			  : "run as root, or give %s to this user (chown)",
		path + skip);
	finding_wrong(check, -ENODEV, "IOMMU group", fix, "%s %s", path + skip,
		is_absent ? "is not there" : "may not be opened by this user");
}

/* Without an IOMMU the NIC writes to physical addresses, which only hugepages keep. */
static void
check_unsafe(struct check *check, const struct device *device, uint64_t bytes)
{
	uint64_t free_mb = sysfs_hugepages_free(check->root) / MB, need_mb = (bytes + MB - 1) / MB;
	char fix[FINDING_FIX_MAX];

	if (free_mb >= need_mb) {
		finding_tell(check, RILL_CHECK_MISSING, "IOMMU group",
			"switch the IOMMU on, where there is one",
			"there is no IOMMU behind its group %s (vfio's unsafe mode): it can write anywhere",
			device->group);
		return;
	}
	machine_fix_hugepages(fix, bytes);
	finding_wrong(check, -ENOMEM, "IOMMU group", fix,
		"without an IOMMU it needs hugepages: %" PRIu64 " MiB are free and %" PRIu64 " are needed",
		free_mb, need_mb);
}

static void
check_group(struct check *check, const struct device *device, uint64_t bytes)
{
	int before = check->err;

	if (strstr(device->driver, "vfio") == NULL)
		return;
	if (device->group[0] == '\0') {
		finding_wrong(check, -ENODEV, "IOMMU group",
			"switch the IOMMU on (firmware, and intel_iommu=on iommu=pt at boot); where there is "
			"none: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, and bind again",
			"it has no IOMMU group, so that vfio cannot hand it out");
		return;
	}
	if (device->is_unsafe)
		check_unsafe(check, device, bytes);
	else
		check_viable(check, device);
	if (check->err == before)
		check_access(check, device);
	if (check->err == before && !device->is_unsafe)
		finding_tell(check, RILL_CHECK_OK, "IOMMU group", "", "%s, which vfio can hand out",
			device->group);
}

void
pci_check(struct check *check, const char *name, uint64_t bytes)
{
	struct device device = {.driver = ""};
	struct rte_pci_addr addr;
	char only[TEXT];

	snprintf(only, sizeof(only), "%.*s", (int)strcspn(name, ","), name);
	if (!sysfs_has(check->root, DEVICES) || rte_pci_addr_parse(only, &addr) != 0)
		return;
	rte_pci_device_name(&addr, device.addr, sizeof(device.addr));
	if (!sysfs_has(check->root, DEVICES "/%s", device.addr)) {
		finding_wrong(check, -ENODEV, "device", "give one of those that lspci -D lists",
			"there is no PCI device %s here", device.addr);
		return;
	}
	device_read(&device, check);
	if (check_driver(check, &device))
		check_group(check, &device, bytes);
}
