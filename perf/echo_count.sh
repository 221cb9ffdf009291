#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Instructions per 64-byte echo: 10,000 of them on one lane, from rill_lane_turn to rill_lane_take, under
# callgrind. The figure does not jitter: it changes with the code and the compiler only.
#
#   perf/echo_count.sh             prints it
#   perf/echo_count.sh --write     and stores it in perf/baseline/echo.json
#   perf/echo_count.sh --check     and fails if it is more than 3 % above the stored one
#
# BUILD names the build directory (release flags); without it build-perf is made.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build-perf}
baseline=$root/perf/baseline/echo.json
messages=10000
allowed_percent=3
mode=${1:-}

case $mode in
''|--write|--check) ;;
*) echo "usage: $0 [--write | --check]" >&2; exit 2 ;;
esac

if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" "$root" --buildtype=release >/dev/null
fi
ninja -C "$build" perf/echo_count >/dev/null

out=$(mktemp)
log=$(mktemp)
trap 'rm -f "$out" "$log"' EXIT
if ! valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$out" \
	"$build/perf/echo_count" $messages >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
total=$(awk '$1 == "totals:" || $1 == "summary:" { n = $2 } END { print n + 0 }' "$out")
if [ "$total" -eq 0 ]; then
	echo "$0: callgrind counted nothing" >&2
	exit 1
fi
now=$((total / messages))
echo "$now instructions per message"

case $mode in
--write)
	mkdir -p "$(dirname "$baseline")"
	printf '{"instructions_per_message": %d}\n' "$now" >"$baseline"
	;;
--check)
	was=$(sed -n 's/.*"instructions_per_message": *\([0-9]*\).*/\1/p' "$baseline")
	echo "baseline: $was"
	if [ $((now * 100)) -gt $((was * (100 + allowed_percent))) ]; then
		echo "$0: more than $allowed_percent % above the baseline" >&2
		exit 1
	fi
	;;
esac
