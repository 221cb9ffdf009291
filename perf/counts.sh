#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Instructions per piece of work, counted under callgrind: per 64-byte echo (alone in its turn, and 64 in
# one), per connection, per bulk segment each way; echoes and connections over IPv6 too. See
# perf/e2e/counts.c. The figures do not jitter: they change with the code and the compiler only.
#
#   perf/counts.sh             prints them beside the baseline
#   perf/counts.sh --write     and stores them in perf/baseline/counts.json
#   perf/counts.sh --check     and fails if one is more than 3 % above the baseline
#
# BUILD names a build directory with release flags; without it build-perf is made. A speed-up lowers the
# baseline in its own commit; raising it is a commit of its own that says what was bought.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD:-$root/build-perf}
baseline=$root/perf/baseline/counts.json
allowed_percent=3
mode=${1-}
works=(echo:4000 echo_burst:6400 echo_burst_ip6:6400 connection:1000 connection_ip6:1000 bulk_in:6400 bulk_out:6400)

case $mode in
"" | --write | --check) ;;
*) echo "usage: $0 [--write | --check]" >&2 && exit 2 ;;
esac

if [ -z "${BUILD-}" ]; then
	[ -f "$build/build.ninja" ] || meson setup "$build" "$root" --buildtype=release >/dev/null
	ninja -C "$build" perf/counts >/dev/null
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Instructions per piece.
count() { # WORK N
	local pieces
	valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$scratch/out" \
		"$build/perf/counts" "$1" "$2" >"$scratch/pieces" 2>"$scratch/log" ||
		{ cat "$scratch/log" >&2 && return 1; }
	pieces=$(tail -n 1 "$scratch/pieces")
	awk -v pieces="$pieces" '$1 == "totals:" || $1 == "summary:" { n = $2 }
		END { if (!n) exit 1; printf "%d\n", n / pieces }' "$scratch/out"
}

# What the baseline says, 0 if nothing.
was() { # WORK
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$baseline" 2>/dev/null | grep . || echo 0
}

status=0
lines=()
for entry in "${works[@]}"; do
	work=${entry%:*}
	now=$(count "$work" "${entry#*:}") || { echo "$0: $work was not counted" >&2 && exit 1; }
	before=$(was "$work")
	printf '%-14s %6d instructions, baseline %d\n' "$work" "$now" "$before"
	lines+=("  \"$work\": $now")
	if [ "$mode" = --check ] && [ $((now * 100)) -gt $((before * (100 + allowed_percent))) ]; then
		echo "$0: $work: more than $allowed_percent % above the baseline" >&2
		status=1
	fi
done
if [ "$mode" = --write ]; then
	(IFS=$',\n' && printf '{\n' && printf '%s' "${lines[0]}" && printf ',\n%s' "${lines[@]:1}" && printf '\n}\n') >"$baseline"
fi
exit $status
