# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by tests/run.sh, tests/sriov/run.sh and apps/quickstart.sh: what they need of Debian 12, and how it is installed.

# To build Rill, rill-echo and the client that talks to it.
packages_build=(
	gcc libc6-dev meson ninja-build pkg-config python3
	libdpdk-dev libnuma-dev libhttp-parser-dev libssl-dev libcmocka-dev
	iproute2
)
# To run all tests as well: a second compiler with its sanitizers and libFuzzer, the micro-benchmarks,
# other people's clients, what DPDK's static libraries ask for, and what reads Kubernetes' manifests.
packages_test=(
	g++ clang libclang-rt-14-dev llvm binutils libbenchmark-dev valgrind
	curl wrk netcat-openbsd iputils-ping procps
	libsystemd-dev
	gnuplot-nox
	python3-yaml python3-jsonschema
)

# For tests/sriov: what its guest is made of, and the emulator, whose NIC with virtual functions Debian 12
# has in its backports only.
packages_sriov=(busybox-static cpio kmod bash)
packages_sriov_backports=(qemu-system-x86)

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

# The same from bookworm-backports, which is added to apt's sources if it is missing: nothing else ever
# comes from there unasked.
packages_install_backports() {
	local suite=bookworm-backports from
	local list=/etc/apt/sources.list.d/$suite.list

	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages of $suite: $*: run this as root, or install them" >&2
		return 1
	fi
	echo "installing from $suite: $*"
	if ! grep -rqs "$suite" /etc/apt/sources.list /etc/apt/sources.list.d; then
		from=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
			awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { print $2; exit }')
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $suite main" >"$list"
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update </dev/null &&
		apt-get -qq install -y --no-install-recommends -t "$suite" "$@" </dev/null >/dev/null
}
