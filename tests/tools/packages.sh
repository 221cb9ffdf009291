# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by tests/run.sh and apps/quickstart.sh: what they need of Debian 12, and how it is installed.

# To build Rill, rill-echo and the client that talks to it.
packages_build=(
	gcc libc6-dev meson ninja-build pkg-config python3
	libdpdk-dev libnuma-dev libhttp-parser-dev libssl-dev libcmocka-dev
	iproute2
)
# To run all tests as well: a second compiler with its sanitizers and libFuzzer, the micro-benchmarks,
# other people's clients, and what DPDK's static libraries ask for.
packages_test=(
	g++ clang libclang-rt-14-dev llvm binutils libbenchmark-dev valgrind
	curl wrk netcat-openbsd iputils-ping procps
	libsystemd-dev
	gnuplot-nox
)

# Installs those of the named packages that are missing. Says what it does; asks nothing.
packages_install() {
	local package missing=()

	for package in "$@"; do
		if ! dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
			missing+=("$package")
		fi
	done
	if [ ${#missing[@]} -eq 0 ]; then
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages: ${missing[*]}: run this as root, or install them" >&2
		return 1
	fi
	echo "installing: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update </dev/null &&
		apt-get -qq install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
