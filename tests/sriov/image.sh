#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes what the guest of tests/sriov boots, of this machine's packages and of Rill's programs:
#
#   image.sh FOLDER PROGRAM...   FOLDER/vmlinuz, FOLDER/initrd and, once for all, FOLDER/kernel
#
# The kernel is Debian's, unpacked and not installed. What a program is linked to comes with it, and so do
# DPDK's drivers for the NIC, from the folder in which EAL looks for them. Needs apt, dpkg, kmod, cpio.
set -eu

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
folder=$(realpath "$1")
shift
kernel=$folder/kernel
modules=(igb vfio_iommu_type1 vfio_pci 8021q)
drivers=(bus_pci bus_vdev mempool_ring net_e1000)
pmds=$(echo /usr/lib/*-linux-gnu/dpdk/pmds-*)
libraries=$(dirname "$(dirname "$pmds")")

unpack_kernel() {
	local package fresh=$folder/kernel.new
	package=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')
	rm -rf "$fresh"
	mkdir -p "$fresh"
	(cd "$fresh" && apt-get -qq download "$package" 2>/dev/null && dpkg -x ./*.deb root)
	rm -f "$fresh"/*.deb
	depmod -b "$fresh/root" "$(ls "$fresh/root/lib/modules")"
	mv "$fresh/root" "$kernel"
	rmdir "$fresh"
}

# A program or library, and all that it is linked to, where they are on this machine.
put() { # FILE...
	local file
	for file in "$@"; do
		echo "$file"
		ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true
	done | xargs realpath -s | sort -u | while read -r file; do
		mkdir -p "$root$(dirname "$file")"
		[ -e "$root$file" ] || cp -L "$file" "$root$file"
	done
}

# EAL loads the drivers by their names here; what they are linked to must be the same file.
put_drivers() {
	local name file
	mkdir -p "$root$pmds"
	for name in "${drivers[@]}"; do
		file=$(basename "$pmds"/librte_"$name".so.*.*)
		put "$libraries/$file"
		ln -s "../../$file" "$root$pmds/$file"
	done
	# The name by which libraries ask for one another is that of the same file too.
	for file in "$root$libraries"/librte_*.so.*.*; do
		ln -sf "$(basename "$file")" "${file%.*}"
	done
}

put_modules() {
	local module version
	version=$(ls "$kernel/lib/modules")
	mkdir -p "$root/modules"
	for module in "${modules[@]}"; do
		modprobe -d "$kernel" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
		cp "$module" "$root/modules/"
		basename "$module"
	done >"$root/modules/order"
}

mkdir -p "$folder"
[ -d "$kernel" ] || unpack_kernel
cp "$kernel"/boot/vmlinuz-* "$folder/vmlinuz"
root=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,run,tmp,var,etc,usr/lib,usr/lib64,usr/bin,usr/sbin,programs}
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
ln -s ../run "$root/var/run"
cp -L "$(command -v busybox)" "$root/bin/busybox"
# libgcc_s is asked for only when a thread is cancelled.
put "$(command -v ip)" "$(command -v bash)" "$@" "$libraries/libgcc_s.so.1"
for program in "$@"; do
	ln -s "$(realpath -s "$program")" "$root/programs/$(basename "$program")"
done
cp "$here/../../drivers-cfg/sriov.sh" "$root/programs/"
put_drivers
put_modules
install -m 755 "$here/guest.sh" "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 >"$folder/initrd"
