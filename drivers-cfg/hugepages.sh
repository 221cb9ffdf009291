#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Reserves hugepages for DPDK on every NUMA node, mounts them if nothing is mounted yet, and says what
# it did. What is reserved already is kept.
#
#   drivers-cfg/hugepages.sh [--dry-run] [PAGES_PER_NODE]     default: 512 pages of 2 MiB, 1 GiB a node
#
# Where hugepages cannot be had it says so and why, and ends with status 0: Rill then starts without
# them, by itself. --dry-run changes nothing and says what would be done.
#
# RILL_SYSFS and RILL_MOUNTS name other trees than /sys and /proc/mounts, for the test.
set -u

size_kb=2048
pages=512
dry_run=false
sysfs=${RILL_SYSFS:-/sys}
mounts=${RILL_MOUNTS:-/proc/mounts}
mount_point=/dev/hugepages

without() {
	echo "No hugepages: $*."
	echo "Rill starts without them (EAL with --no-huge): slower in TLB misses, but nothing else changes."
	exit 0
}

wrong() {
	echo "hugepages.sh: $*" >&2
	exit 2
}

# The kernel gives as many pages as it finds; what it gave is read back.
reserve_on() { # NODE-DIRECTORY
	local node=${1##*/} file have got
	file=$1/hugepages/hugepages-${size_kb}kB/nr_hugepages
	[ -r "$file" ] || return 1
	have=$(<"$file")
	if [ "$have" -ge "$pages" ]; then
		echo "$node: $have pages of $size_kb kB are reserved already; $pages were asked for."
		return 0
	fi
	if $dry_run; then
		echo "$node: would raise the reservation from $have to $pages pages of $size_kb kB."
		return 0
	fi
	{ echo "$pages" >"$file"; } 2>/dev/null || return 1
	got=$(<"$file")
	echo "$node: reserved $got pages of $size_kb kB ($pages asked for, $have before)."
	[ "$got" -gt 0 ]
}

mount_if_needed() {
	local where
	where=$(awk '$3 == "hugetlbfs" { print $2; exit }' "$mounts")
	if [ -n "$where" ]; then
		echo "hugetlbfs is mounted at $where."
	elif $dry_run; then
		echo "would mount hugetlbfs at $mount_point."
	elif mkdir -p "$mount_point" && mount -t hugetlbfs hugetlbfs "$mount_point"; then
		echo "mounted hugetlbfs at $mount_point."
	else
		without "hugetlbfs cannot be mounted at $mount_point"
	fi
}

for argument in "$@"; do
	case $argument in
	--dry-run) dry_run=true ;;
	--help) sed -n '4,12s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
	*[!0-9]* | "") wrong "$argument: is neither --dry-run nor a number of pages, such as 512" ;;
	*) pages=$argument ;;
	esac
done
[ "$pages" -gt 0 ] || wrong "$pages: is no number of pages to reserve; give 1 or more"

nodes=("$sysfs"/devices/system/node/node[0-9]*)
[ -d "${nodes[0]}/hugepages/hugepages-${size_kb}kB" ] ||
	without "this kernel offers none of $size_kb kB under $sysfs/devices/system/node"
$dry_run || [ "$(id -u)" -eq 0 ] || without "reserving them needs root"

reserved=0
for node in "${nodes[@]}"; do
	if reserve_on "$node"; then
		reserved=$((reserved + 1))
	else
		echo "${node##*/}: the kernel gave no page of $size_kb kB."
	fi
done
[ "$reserved" -gt 0 ] || without "no node has memory for them, or this system does not let them be set"
mount_if_needed
