#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Rill at work, on a bare Debian 12, as root: installs what is missing, builds, starts rill-echo on a
# tap in a network namespace made for it, lets the kernel's TCP talk to it, and prints what it saw.
#
#   apps/quickstart.sh          a load of a few seconds for each framing, then cleans up
#   apps/quickstart.sh --stay   keeps rill-echo (HTTP) running, says how to talk to it; Ctrl-C ends it
#
#   namespace rill-PID:   kernel 10.9.0.1 ── rill0 ─ tap ── 10.9.0.2:7000 rill-echo
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=tests/tools/packages.sh
. tests/tools/packages.sh

namespace=rill-$$
server_ip=10.9.0.2
port=7000
build=build/quickstart
echo_pid=""
log=""

fail() {
	echo "quickstart: $*" >&2
	exit 1
}

# Whatever way this script ends: the server, its tap and the namespace go.
clean_up() {
	trap - EXIT INT TERM HUP
	stop_echo
	ip netns del "$namespace" 2>/dev/null
	[ -z "$log" ] || rm -f "$log"
}

build_all() {
	echo "building in $build"
	mkdir -p build
	if [ ! -f "$build/build.ninja" ]; then
		rm -rf "$build"
		meson setup "$build" -Dbenchmarks=false >build/quickstart.log 2>&1 || return
	fi
	meson compile -C "$build" rill-echo echo_client >>build/quickstart.log 2>&1
}

inside() {
	ip netns exec "$namespace" "$@"
}

# A namespace for the tap, with settings that let one client open many connections.
make_namespace() {
	if [ ! -e /dev/net/tun ]; then
		modprobe tun 2>/dev/null
		[ -e /dev/net/tun ] || fail "no /dev/net/tun: the kernel has no tun/tap driver"
	fi
	ip netns add "$namespace" || fail "no network namespace can be made here"
	ip -n "$namespace" link set lo up
	inside sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
}

# The driver gives both ends of the tap the same MAC address, so the kernel's end gets another one.
configure_tap() {
	local i
	for ((i = 0; i < 300; i++)); do
		ip -n "$namespace" link show rill0 >/dev/null 2>&1 && break
		kill -0 "$echo_pid" 2>/dev/null || return 1
		sleep 0.1
	done
	ip -n "$namespace" link set rill0 address 02:00:00:00:01:00 &&
		ip -n "$namespace" addr replace 10.9.0.1/24 dev rill0 &&
		ip -n "$namespace" link set rill0 up
}

# Asks by bash's own TCP client.
is_listening() {
	inside timeout 1 bash -c "exec 3<>/dev/tcp/$server_ip/$port" 2>/dev/null
}

start_echo() { # PROTOCOL
	local i
	log=${log:-$(mktemp)}
	# Not through inside(): $! is to be the server itself, so that signals reach it.
	ip netns exec "$namespace" "$build/apps/rill-echo" --dev net_tap0,iface=rill0 \
		--ip "$server_ip/24" --port "$port" --protocol "$1" --idle-sleep 100 \
		>"$log" 2>&1 </dev/null &
	echo_pid=$!
	if configure_tap; then
		for ((i = 0; i < 50; i++)); do
			is_listening && return
			sleep 0.1
		done
	fi
	tail -n 20 "$log" >&2
	fail "rill-echo does not answer"
}

# SIGTERM drains; one that does not leave is killed.
stop_echo() {
	local i
	[ -n "$echo_pid" ] || return 0
	kill -TERM "$echo_pid" 2>/dev/null
	for ((i = 0; i < 100; i++)); do
		kill -0 "$echo_pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$echo_pid" 2>/dev/null
	wait "$echo_pid" 2>/dev/null
	echo_pid=""
}

field() { # JSON NAME
	sed -n "s/.*\"$2\": \"\{0,1\}\([^,\"}]*\).*/\1/p" <<<"$1"
}

# One row of the table.
measure() { # LABEL PROTOCOL CLIENT-ARGUMENT...
	local label=$1 protocol=$2 report
	shift 2
	start_echo "$protocol"
	report=$(inside "$build/tests/tools/echo_client" --host "$server_ip" --port "$port" \
		--protocol "$protocol" --json "$@") || fail "$label: $report"
	printf '%-26s %11s %9s %9s %11s %15s\n' "$label" "$(field "$report" messages_per_s)" \
		"$(field "$report" p50_us)" "$(field "$report" p99_us)" \
		"$(field "$report" mbit_per_s)" "$(field "$report" bytes_verified)"
	stop_echo
}

measure_all() {
	local load=(--connections 16 --messages 0 --seconds 2)
	echo
	printf '%-26s %11s %9s %9s %11s %15s\n' "rill-echo on a tap" "messages/s" "p50 us" "p99 us" \
		"Mbit/s" "bytes verified"
	measure "raw, 64 bytes" raw "${load[@]}"
	measure "line, 1-2000 bytes, split" line "${load[@]}" --size 1-2000 --split
	measure "length, 1-2000 bytes" length "${load[@]}" --size 1-2000 --pipeline 4
	measure "http, 1-2000 bytes" http "${load[@]}" --size 1-2000
	measure "raw, 256 MiB both ways" raw --bulk 268435456
	echo
	echo "Every byte that came back was compared with what was sent. The client is the kernel's TCP"
	echo "on the same cores, and net_tap is a driver for trying things out, not for speed."
}

stay() {
	start_echo http
	cat <<-END

		rill-echo --protocol http listens on $server_ip:$port, in the network namespace $namespace.
		In another shell:

		  ip netns exec $namespace curl -s http://$server_ip:$port/hello
		  ip netns exec $namespace curl -s --data-binary 'some bytes' http://$server_ip:$port/
		  printf 'GET /by-nc HTTP/1.1\r\nHost: rill\r\nConnection: close\r\n\r\n' |
		      ip netns exec $namespace nc $server_ip $port
		  ip netns exec $namespace ping $server_ip

		Its log is $log. Ctrl-C ends it and cleans up.
	END
	wait "$echo_pid"
}

stay=false
case "${1-}" in
"") ;;
--stay) stay=true ;;
--help) sed -n '4,10s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
*) echo "quickstart: $1: is not an option; there is --stay" >&2 && exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || fail "needs root: it makes a network namespace and a tap"

wanted=("${packages_build[@]}" procps)
! $stay || wanted+=(curl netcat-openbsd)
packages_install "${wanted[@]}" || fail "packages could not be installed"

if ! build_all; then
	tail -n 40 build/quickstart.log >&2
	fail "the build failed"
fi

trap clean_up EXIT
trap 'exit 130' INT TERM HUP
make_namespace
if $stay; then
	stay
else
	measure_all
fi
