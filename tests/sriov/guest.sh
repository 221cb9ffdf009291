#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
# The guest's init: mounts, loads modules, then runs what comes over its second serial port, a line at
# a time: a shell script in base64. Its output and a line with its status go back.
/bin/busybox --install -s /bin
export PATH=/programs:/usr/sbin:/usr/bin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/hugepages /dev/shm
mount -t hugetlbfs hugepages /dev/hugepages
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
while read -r module; do
	insmod "/modules/$module" || echo "$module cannot be loaded"
done </modules/order
# The shell of busybox would run an ip of its own.
ln -sf "$(command -v bash)" /bin/bash
rm -f /bin/ip
ln -s /bin/busybox /usr/bin/env
ip link set lo up
stty -F /dev/ttyS1 raw -echo
exec <>/dev/ttyS1 >&0
echo "=== ready"
while read -r line; do
	echo "$line" | base64 -d >/tmp/script
	bash /tmp/script >/tmp/output 2>&1 </dev/null
	status=$?
	cat /tmp/output
	echo "=== $status"
done
