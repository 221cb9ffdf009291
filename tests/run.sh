#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# All tests of Rill, on a Debian 12, as root: installs what is missing, builds, runs, and ends with
# one line that says how many passed, failed and were skipped.
#
#   tests/run.sh           everything: release, sanitizers, clang, fuzzing; 40 minutes on two cores at most
#   tests/run.sh --quick   release only, without the long tests against the kernel; 3 minutes
#
# Builds are kept in build/, so a second run is faster. Exit status: 0 if nothing failed, else 1.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=tests/tools/packages.sh
. tests/tools/packages.sh

passed=0
failed=0
skipped=0
failures=()

usage() {
	sed -n '4,11s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"
}

say() {
	printf '\n== %s\n' "$*"
}

# Counts one step of this script itself, such as a build.
count_step() { # NAME STATUS
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		failures+=("$1")
	fi
}

summary() {
	if [ ${#failures[@]} -gt 0 ]; then
		say "failed"
		printf '%s\n' "${failures[@]}"
	fi
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

# Configures and compiles build/NAME with the given meson options.
build() { # NAME OPTION...
	local name=$1
	shift
	say "build $name"
	if [ -f "build/$name/build.ninja" ]; then
		meson setup --reconfigure "build/$name" "$@" >"build/$name.log" 2>&1
	else
		rm -rf "build/$name"
		mkdir -p build
		meson setup "build/$name" "$@" >"build/$name.log" 2>&1
	fi && ninja -C "build/$name" >>"build/$name.log" 2>&1
	local status=$?
	[ $status -eq 0 ] || tail -n 60 "build/$name.log"
	count_step "build $name" $status
	return $status
}

# Adds the results of one run of meson test; a run without results is a failure.
count_results() { # LABEL LOG STATUS
	local lines
	lines=$(python3 tests/tools/results.py "$2") || lines=""
	if [ -z "$lines" ]; then
		count_step "$1: no test has run" 1
		return
	fi
	local result name before=$failed
	while read -r result name; do
		case $result in
		passed) passed=$((passed + 1)) ;;
		skipped) skipped=$((skipped + 1)) ;;
		*)
			failed=$((failed + 1))
			failures+=("$1: $name")
			;;
		esac
	done <<<"$lines"
	if [ "$3" -ne 0 ] && [ "$failed" -eq "$before" ]; then
		count_step "$1: meson test ended with status $3" 1
	fi
}

# Runs tests of build/NAME; the arguments choose which.
run_tests() { # NAME ARGUMENT...
	local name=$1 log="build/$1/meson-logs/testlog.json"
	shift
	say "test $name"
	rm -f "$log"
	meson test -C "build/$name" --no-rebuild --print-errorlogs "$@" </dev/null
	count_results "$name" "$log" $?
}

run_quick() {
	build release || return
	run_tests release --no-suite interop --no-suite sriov --no-suite long
	run_tests release interop_framing_raw interop_framing_http interop_ends interop_ping interop_vlan
}

run_all() {
	if build release; then
		run_tests release
	fi
	if build sanitize -Db_sanitize=address,undefined -Dbuildtype=debug -Db_lto=false \
		-Dbenchmarks=false; then
		run_tests sanitize --no-suite tidy --no-suite external --no-suite sriov
	fi
	CC=clang CXX=clang++ build clang -Dbuildtype=debug -Db_lto=false # for its warnings
	say "fuzz"
	tests/fuzz/run --minutes 4 --seed 1 # what is found by chance is for longer runs
	count_step "fuzz" $?
}

quick=false
case "${1-}" in
"") ;;
--quick) quick=true ;;
--help) usage && exit 0 ;;
*) echo "tests/run.sh: $1: is not an option; there is --quick" >&2 && exit 2 ;;
esac

# Undefined behaviour and errors in memory end the program that has them.
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export ASAN_OPTIONS=${ASAN_OPTIONS:-halt_on_error=1}

if ! packages_install "${packages_build[@]}" "${packages_test[@]}"; then
	count_step "install packages" 1
elif $quick; then
	run_quick
else
	run_all
fi
summary
