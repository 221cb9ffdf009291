#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures Rill beside the limit and the kernel, in one run, by turns and repeatedly, and writes
# result.json and report.html (one page, with plots, that needs nothing else).
#
#   perf/run.sh                     everything; takes about half an hour
#   perf/run.sh --quick             less often and shorter, without the largest: under three minutes
#   perf/run.sh --only echo,rate    of echo rate bulk overload latency memory memif profile kernel
#   perf/run.sh --rounds N          how often each point is taken
#   perf/run.sh --out DIR           where to write                       [build-perf/report]
#   perf/run.sh --cores A,B         of the server and of the clients     [the first two allowed]
#
# Needs root: it installs what is missing, reserves hugepages where the system gives some (and gives back
# those that it added), and makes network namespaces, which end with it. BUILD names a build directory
# with release flags; without it build-perf is made, and but for --quick build-perf-stages, which times the
# stages of a turn. What the figures mean stands in the report.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD:-$root/build-perf}
programs=(perf/e2e/{wire_ring,wire_port,kernel_echo,kernel_load} apps/rill-{echo,load} perf/counts)
pages_kb=2048
pages_most=4096
quick=false
stages=()
# shellcheck source=../tests/tools/packages.sh
. "$root/tests/tools/packages.sh"

make_build() { # DIRECTORY OPTION...
	[ -f "$1/build.ninja" ] ||
		meson setup "$1" "$root" --buildtype=release -Ddefault_library=static "${@:2}" >/dev/null
}

make_builds() {
	make_build "$build"
	ninja -C "$build" "${programs[@]}" >/dev/null
	$quick && return
	make_build "$build-stages" -Dprofile=true
	ninja -C "$build-stages" perf/e2e/wire_ring >/dev/null
	stages=(--stages "$build-stages")
}

# A third of the memory, 8 GiB at most: the largest tables fit, and the kernel keeps enough for its own.
pages_wanted() {
	local nodes=(/sys/devices/system/node/node[0-9]*)
	awk -v kb="$pages_kb" -v most="$pages_most" -v nodes="${#nodes[@]}" '$1 == "MemTotal:" {
		n = int($2 / 3 / kb); print int((n < most ? n : most) / nodes) }' /proc/meminfo
}

# Of each node: the file that says how many pages are reserved, and how many that are now.
reserved_pages() {
	local file
	for file in /sys/devices/system/node/node[0-9]*/hugepages/"hugepages-${pages_kb}kB"/nr_hugepages; do
		[ -w "$file" ] && echo "$file $(<"$file")"
	done
	return 0
}

give_pages_back() {
	local file count
	while read -r file count; do
		[ -z "$file" ] || echo "$count" >"$file" || true
	done <<<"$pages_before"
	$mounted_before || umount -t hugetlbfs -a || true
}

for argument in "$@"; do
	case $argument in
	--help) sed -n '4,18s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
	--quick | --smoke) quick=true ;;
	esac
done
[ "$(id -u)" -eq 0 ] || { echo "perf/run.sh: needs root" >&2 && exit 1; }
packages_install "${packages_build[@]}" "${packages_test[@]}"
[ -n "${BUILD-}" ] || make_builds
pages_before=$(reserved_pages)
mounted_before=$(grep -q ' hugetlbfs ' /proc/mounts && echo true || echo false)
trap give_pages_back EXIT
"$root/drivers-cfg/hugepages.sh" "$(pages_wanted)"
python3 -u "$root/perf/e2e/run.py" --build "$build" --out "$build/report" "${stages[@]}" "$@"
