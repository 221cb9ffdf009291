#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# rill-echo on a virtual function of an SR-IOV NIC that QEMU emulates, on a Debian 12, as root: installs
# what is missing, builds what it runs, makes the guest, and runs the cases of sriov.py in it.
#
#   tests/sriov/run.sh [CASE...]     all, or some of them: echo, bulk, storm ...
#
# Ends with status 77, skipped, where QEMU 8 or later cannot be had, or no tap. Under meson, which names
# the programs in the environment, it builds nothing.
set -u
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cd "$here/../.." || exit 1
# shellcheck source=tests/tools/packages.sh
. tests/tools/packages.sh

skip() {
	echo "skipped: $*"
	exit 77
}

has_igb() {
	qemu-system-x86_64 -device help 2>/dev/null | grep -q '"igb"'
}

build() {
	local folder=build/release
	packages_install "${packages_build[@]}" || exit 1
	[ -f $folder/build.ninja ] || meson setup $folder || exit 1
	ninja -C $folder apps/rill-echo tests/tools/echo_client || exit 1
	export RILL_ECHO=$PWD/$folder/apps/rill-echo RILL_ECHO_CLIENT=$PWD/$folder/tests/tools/echo_client
	export RILL_SRIOV_DIR=$PWD/$folder/tests/sriov
}

[ "$(id -u)" -eq 0 ] && [ -e /dev/net/tun ] || skip "needs root and /dev/net/tun"
[ "$(uname -m)" = x86_64 ] || skip "the guest is an x86-64 machine, and its programs are this one's"
[ -n "${RILL_ECHO:-}" ] || build
packages_install "${packages_sriov[@]}" || skip "no packages to make a guest of"
has_igb || packages_install_backports "${packages_sriov_backports[@]}" || true
has_igb || skip "no QEMU with an SR-IOV NIC (igb): it needs 8 or later, as bookworm-backports has"
tests/sriov/image.sh "$RILL_SRIOV_DIR" "$RILL_ECHO" "$RILL_ECHO_CLIENT" ||
	skip "no guest can be made: apt gives no kernel (linux-image-amd64), or see above"
exec python3 tests/sriov/sriov.py "$@"
