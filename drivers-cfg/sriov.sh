#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Virtual functions (VFs) of an SR-IOV NIC: makes them, configures them through their physical function
# (PF), and hands them to DPDK or back to the kernel.
#
#   drivers-cfg/sriov.sh [--dry-run] create PF COUNT      VFs of the PF, without a driver; 0 removes them
#   drivers-cfg/sriov.sh [--dry-run] set PF NUMBER KEY VALUE...   of a VF: mac ADDRESS, vlan ID (0: none),
#                                                         trust on|off, spoofchk on|off
#   drivers-cfg/sriov.sh [--dry-run] bind DEVICE [DRIVER]     to DRIVER, default vfio-pci
#   drivers-cfg/sriov.sh [--dry-run] unbind DEVICE        back to the kernel's own driver, if it has one
#   drivers-cfg/sriov.sh show [PF]                        the PFs of this machine and their VFs
#
# PF and DEVICE are an interface (eth0) or a PCI address (0000:03:10.0). An interface that carries the
# default route, or the way to whom this ssh session comes from, is not taken from the kernel. --dry-run
# changes nothing and prints what would be done.
#
# RILL_SYSFS and RILL_IP name another tree than /sys and another program than ip, for the test.
set -u

sysfs=${RILL_SYSFS:-/sys}
ip=${RILL_IP:-ip}
pci=$sysfs/bus/pci
dry_run=false
probe_tries=40 # of 50 ms: a driver's probe is over when the kernel has taken the request, as a rule

usage() {
	sed -n '4,18s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"
}

wrong() { # what was asked for makes no sense
	echo "sriov.sh: $*" >&2
	exit 2
}

fail() { # it makes sense, and cannot be done
	echo "sriov.sh: $*" >&2
	exit 1
}

need_root() {
	$dry_run || [ "$(id -u)" -eq 0 ] || [ -n "${RILL_SYSFS:-}" ] || fail "this needs root"
}

put() { # VALUE FILE
	if $dry_run; then
		echo "would write $1 to $2"
		return 0
	fi
	{ echo "$1" >"$2"; } 2>/dev/null
}

# The PCI address of an interface or a PCI address, shortened ones included.
address_of() { # NAME
	local link
	if [ -e "$pci/devices/$1" ]; then
		echo "$1"
	elif [ -e "$pci/devices/0000:$1" ]; then
		echo "0000:$1"
	elif link=$(readlink "$sysfs/class/net/$1/device"); then
		basename "$link"
	else
		wrong "$1: is neither a network interface of this machine nor a PCI address that lspci shows"
	fi
}

interfaces_of() { # ADDRESS
	ls "$pci/devices/$1/net" 2>/dev/null
}

driver_of() { # ADDRESS
	local link
	link=$(readlink "$pci/devices/$1/driver") && basename "$link"
}

pf_of() { # NAME: the same, of a device that can have VFs
	local address
	address=$(address_of "$1") || exit
	[ -e "$pci/devices/$address/sriov_numvfs" ] ||
		wrong "$1 ($address): has no virtual functions: it is not a PF, its driver ($(driver_of "$address" ||
			echo none)) does not offer SR-IOV, or SR-IOV is off in the firmware's setup"
	echo "$address"
}

# ---- what the machine is reached by

# The interfaces that must stay: those of default routes, and the one towards whom ssh comes from.
needed_interfaces() {
	"$ip" -o route show default 2>/dev/null | grep -o 'dev [^ ]*'
	"$ip" -o -6 route show default 2>/dev/null | grep -o 'dev [^ ]*'
	if [ -n "${SSH_CONNECTION:-}" ]; then
		"$ip" -o route get "${SSH_CONNECTION%% *}" 2>/dev/null | grep -o 'dev [^ ]*'
	fi
}

# Is it this interface, or one that lies on it: a bridge, a bond, a VLAN?
lies_on() { # INTERFACE LOWER
	local upper
	[ "$1" = "$2" ] && return 0
	for upper in "$sysfs/class/net/$2"/upper_*; do
		[ -e "$upper" ] && lies_on "$1" "${upper##*/upper_}" && return 0
	done
	return 1
}

refuse_if_needed() { # ADDRESS
	local interface word needed
	for interface in $(interfaces_of "$1"); do
		while read -r word needed; do
			[ "$word" = dev ] && lies_on "$needed" "$interface" &&
				fail "$interface ($1): $needed carries the default route or this ssh session: taken" \
					"from the kernel, this machine would not be reached any more; use another port, or a VF"
		done < <(needed_interfaces | sort -u)
	done
	return 0
}

# ---- commands

create() { # PF COUNT
	local address have total vf
	[ $# -eq 2 ] || wrong "create: give a PF and how many VFs it shall have"
	case $2 in *[!0-9]* | "") wrong "create: $2: is no number of VFs, such as 2" ;; esac
	address=$(pf_of "$1") || exit
	total=$(<"$pci/devices/$address/sriov_totalvfs")
	have=$(<"$pci/devices/$address/sriov_numvfs")
	[ "$2" -le "$total" ] || wrong "create: $2: $1 has $total VFs at most"
	if [ "$have" -eq "$2" ]; then
		echo "$1 ($address): has $have VFs already."
		return
	fi
	if [ "$have" -ne 0 ] && [ "$2" -ne 0 ]; then
		fail "$1 ($address): has $have VFs; their number cannot be changed while there are any:" \
			"end who uses them, remove them (create $1 0), and create $2"
	fi
	for vf in "$pci/devices/$address"/virtfn*; do
		[ -e "$vf" ] && refuse_if_needed "$(basename "$(readlink -f "$vf")")"
	done
	# Else the kernel's driver takes each VF as soon as it is there.
	[ ! -e "$pci/devices/$address/sriov_drivers_autoprobe" ] ||
		put 0 "$pci/devices/$address/sriov_drivers_autoprobe"
	put "$2" "$pci/devices/$address/sriov_numvfs" ||
		fail "$1 ($address): the kernel does not give it $2 VFs; dmesg may say why (no room for their" \
			"registers: pci=realloc on the kernel's command line)"
	$dry_run || echo "$1 ($address): has $(<"$pci/devices/$address/sriov_numvfs") VFs now."
	warn_if_down "$address"
}

warn_if_down() { # ADDRESS
	local interface
	for interface in $(interfaces_of "$1"); do
		case $(cat "$sysfs/class/net/$interface/flags" 2>/dev/null) in
		*[13579bdfBDF]) ;;
		*) echo "$interface: is down, and its VFs hear nothing until: ip link set $interface up" ;;
		esac
	done
}

check_pair() { # KEY VALUE
	case $1 in
	mac) [[ $2 =~ ^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$ ]] ||
		wrong "set: mac $2: is no address of one interface, such as 02:00:00:00:00:10" ;;
	vlan) [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -le 4094 ] || wrong "set: vlan $2: give 1 to 4094, or 0 for none" ;;
	trust | spoofchk) [ "$2" = on ] || [ "$2" = off ] || wrong "set: $1 $2: is neither on nor off" ;;
	*) wrong "set: $1: is none of mac, vlan, trust, spoofchk" ;;
	esac
}

set_vf() { # PF NUMBER KEY VALUE...
	local address interface number
	[ $# -ge 4 ] && [ $(($# % 2)) -eq 0 ] || wrong "set: give a PF, the number of a VF, and pairs of key and value"
	address=$(pf_of "$1") || exit
	interface=$(interfaces_of "$address" | head -n 1)
	[ -n "$interface" ] ||
		fail "$1 ($address): is not the kernel's ($(driver_of "$address")), and only it can configure its VFs"
	number=$2
	[ -e "$pci/devices/$address/virtfn$number" ] ||
		wrong "set: $1 has no VF number $number: it has $(<"$pci/devices/$address/sriov_numvfs"), from 0 on"
	shift 2
	local -a pairs=("$@")
	while [ $# -gt 0 ]; do
		check_pair "$1" "$2"
		shift 2
	done
	set -- "${pairs[@]}"
	while [ $# -gt 0 ]; do
		if $dry_run; then
			echo "would run: ip link set $interface vf $number $1 $2"
		else
			"$ip" link set "$interface" vf "$number" "$1" "$2" ||
				fail "$interface: its driver refuses $1 $2 for VF $number"
			echo "$interface: VF $number: $1 $2"
		fi
		shift 2
	done
}

# What vfio-pci needs and what is missing, in words.
check_vfio() { # ADDRESS
	local member address
	[ -e "$pci/devices/$1/iommu_group" ] ||
		fail "$1: has no IOMMU group: switch VT-d or AMD-Vi on in the firmware's setup, and give the" \
			"kernel intel_iommu=on (Intel) on its command line"
	for member in "$pci/devices/$1/iommu_group/devices"/*; do
		[ -e "$member" ] || continue
		address=$(basename "$member")
		case $(driver_of "$address" || echo none) in
		none | vfio-pci | pcieport) ;;
		*) [ "$address" = "$1" ] ||
			echo "$1: shares its IOMMU group with $address, which is the kernel's: DPDK cannot open" \
				"it until that is vfio-pci's or without a driver too" ;;
		esac
	done
}

leave_driver() { # ADDRESS
	local driver
	driver=$(driver_of "$1") || return 0
	put "$1" "$pci/devices/$1/driver/unbind" || fail "$1: $driver does not let it go"
}

wait_for_driver() { # ADDRESS DRIVER
	local tries=$probe_tries
	while [ "$(driver_of "$1")" != "$2" ] && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.05
	done
	[ "$(driver_of "$1")" = "$2" ]
}

bind() { # DEVICE [DRIVER]
	local address driver=${2:-vfio-pci}
	[ $# -eq 1 ] || [ $# -eq 2 ] || wrong "bind: give a device, and a driver if it is not to be vfio-pci"
	address=$(address_of "$1") || exit
	if [ "$(driver_of "$address")" = "$driver" ]; then
		echo "$1 ($address): is $driver's already."
		return
	fi
	refuse_if_needed "$address"
	if [ ! -e "$pci/drivers/$driver" ]; then
		if $dry_run; then
			echo "would run: modprobe $driver"
		else
			modprobe "$driver" 2>/dev/null
			[ -e "$pci/drivers/$driver" ] || fail "$driver: this kernel has no such driver for PCI devices"
		fi
	fi
	[ "$driver" != vfio-pci ] || check_vfio "$address"
	leave_driver "$address"
	put "$driver" "$pci/devices/$address/driver_override" ||
		fail "$address: the kernel does not take a driver for it by name"
	put "$address" "$pci/drivers_probe"
	$dry_run && return
	wait_for_driver "$address" "$driver" ||
		fail "$1 ($address): $driver has not taken it (it is $(driver_of "$address" || echo "nobody")'s); dmesg may say why"
	echo "$1 ($address): is $driver's now."
}

unbind() { # DEVICE
	local address
	[ $# -eq 1 ] || wrong "unbind: give a device"
	address=$(address_of "$1") || exit
	refuse_if_needed "$address"
	leave_driver "$address"
	put "" "$pci/devices/$address/driver_override"
	put "$address" "$pci/drivers_probe"
	$dry_run && return
	wait_for_driver "$address" "$(driver_of "$address")"
	echo "$1 ($address): is $(driver_of "$address" || echo nobody)'s now."
}

show_vfs() { # ADDRESS
	local vf address number=0
	while vf=$pci/devices/$1/virtfn$number && [ -e "$vf" ]; do
		address=$(basename "$(readlink -f "$vf")")
		echo "  VF $number $address driver $(driver_of "$address" || echo none)" \
			"interface $(interfaces_of "$address" | head -n 1 | grep . || echo none)" \
			"IOMMU group $(basename "$(readlink "$pci/devices/$address/iommu_group" || echo none)")"
		number=$((number + 1))
	done
}

show() { # [PF]
	local file address found=false
	for file in "$pci/devices"/*/sriov_numvfs; do
		[ -e "$file" ] || continue
		address=$(basename "${file%/sriov_numvfs}")
		[ $# -eq 0 ] || [ "$address" = "$(pf_of "$1")" ] || continue
		found=true
		echo "$address interface $(interfaces_of "$address" | head -n 1 | grep . || echo none)" \
			"driver $(driver_of "$address" || echo none)" \
			"VFs $(<"$file") of $(<"$pci/devices/$address/sriov_totalvfs")"
		show_vfs "$address"
	done
	$found || echo "No device here has virtual functions, or SR-IOV is off in the firmware's setup."
}

[ "${1-}" = --dry-run ] && dry_run=true && shift
command=${1-}
[ $# -eq 0 ] || shift
case $command in
create) need_root && create "$@" ;;
set) need_root && set_vf "$@" ;;
bind) need_root && bind "$@" ;;
unbind) need_root && unbind "$@" ;;
show)
	[ $# -eq 0 ] || pf_of "$1" >/dev/null || exit
	show "$@"
	;;
--help) usage ;;
"") usage >&2 && exit 2 ;;
*) wrong "$command: is none of create, set, bind, unbind, show" ;;
esac
