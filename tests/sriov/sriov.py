#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rill-echo on a virtual function, in a guest whose NIC QEMU emulates; see vm.py for what is where.

    host 10.9.0.1 ── sriov0 ══ PF 10.9.0.3 (guest's kernel)
                            ╚═ VF 10.9.0.2 (rill-echo, igbvf)

The clients are the guest's kernel on the PF and the host's on the tap: both have their bytes echoed.
"""
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../interop"))
import rig  # noqa: E402
import vm  # noqa: E402

PF_IP = "10.9.0.3"
VF_MAC = "02:00:00:00:00:10"
CASES = []


def case(test):
    CASES.append(test)
    return test


class Lab:
    """The guest with its VFs, and rill-echo on the first."""

    def __init__(self, folder):
        self.guest = vm.boot(folder)
        rig.run("ip", "addr", "add", f"{rig.kernel_ip()}/24", "dev", vm.TAP)
        run = self.guest.run
        self.pf = run("basename $(ls -d /sys/bus/pci/drivers/igb/*/net/*)").strip()
        # The PF first: VFs hear nothing before it is up.
        run(f"ip link set {self.pf} up && ip addr add {PF_IP}/24 dev {self.pf}")
        print(run(f"sriov.sh create {self.pf} 2 && sriov.sh set {self.pf} 0 mac {VF_MAC}"))
        self.vf = run(f"basename $(readlink /sys/class/net/{self.pf}/device/virtfn0)").strip()
        print(run(f"sriov.sh bind {self.vf} && sriov.sh show"))
        self.start_echo()

    def start_echo(self):
        self.guest.run(
            f"rill-echo --dev {self.vf} --ip {rig.rill_ip()}/24 --port {rig.PORT} --protocol raw "
            f"--idle-sleep 200 --msl {rig.MSL_MS} --max-conns 2048 --log-level quiet "
            ">/tmp/echo.log 2>&1 & echo $! >/tmp/echo.pid")
        try:
            rig.eventually(60, "rill-echo does not accept", lambda: rig.accepts(rig.rill_ip()))
        except rig.Failure:
            print(self.log())
            raise

    def log(self):
        return self.guest.run("cat /tmp/echo.log")

    def stats(self):
        """All counters of rill-echo."""
        text = self.guest.run("before=$(grep -c 'end of counters' /tmp/echo.log); "
                              "kill -USR1 $(cat /tmp/echo.pid); i=0; "
                              "while [ $(grep -c 'end of counters' /tmp/echo.log) = $before ] && "
                              "[ $((i += 1)) -lt 100 ]; do sleep 0.05; done; tail -n 400 /tmp/echo.log")
        return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, flags=re.M)}

    def guest_client(self, *args, seconds=60):
        """echo_client in the guest, on the kernel's TCP over the PF; its report, good or a failure."""
        words = " ".join(str(arg) for arg in args)
        text = self.guest.run(f"echo_client --host {rig.rill_ip()} --port {rig.PORT} --json "
                              f"--timeout {seconds} {words}", seconds=seconds + 30)
        print("guest:", words, "->", text.strip())


@case
def echo(lab):
    """Messages of all sizes come back whole, from the guest's kernel and the host's."""
    lab.guest_client("--connections", 8, "--messages", 50, "--size", "1-4000", "--seed", 1)
    rig.client("--connections", 8, "--messages", 50, "--size", "1-4000", "--seed", 2)


@case
def bulk(lab):
    """Megabytes both ways at once, compared by SHA-256; what comes back was cut into segments by the VF."""
    before = lab.stats()
    lab.guest_client("--bulk", "4000000", "--seed", 3)
    rig.client("--bulk", "4000000", "--seed", 4)
    after = lab.stats()
    grown = {name: after[name] - before[name] for name in ("segs_out", "tso_frames", "retransmits")}
    print("bulk:", grown)
    rig.expect(grown["tso_frames"] > 0, f"no frame was left to the VF to cut: {grown}")


@case
def storm(lab):
    """Connections one after another, in many places at once: all are served, none is left."""
    lab.guest_client("--connections", 50, "--total", 1000, "--messages", 1, "--size", "64", "--seed", 5)
    rig.client("--connections", 50, "--total", 1000, "--messages", 1, "--size", "64", "--seed", 6)
    rig.eventually(rig.SETTLE_S, "connections are left", lambda: lab.stats()["conns"] == 0)


class Open:
    """Connections of the host's kernel that are held open, and echo when asked to."""

    def __init__(self, count):
        self.socks = [rig.connect(timeout=90) for _ in range(count)]
        self.said = 0
        self.expect_echo()

    def expect_echo(self):
        """All of them, one message each."""
        self.said += 1
        began = time.monotonic()
        messages = [f"{number} says {self.said} ".encode() * 20 for number in range(len(self.socks))]
        for sock, message in zip(self.socks, messages):
            sock.sendall(message)
        for sock, message in zip(self.socks, messages):
            rig.expect(sock.recv(len(message), socket.MSG_WAITALL) == message, "not what was sent")
        print(f"{len(self.socks)} connections echoed after {time.monotonic() - began:.1f} s")

    def close(self):
        for sock in self.socks:
            sock.close()


def expect_counted(lab, before, seconds=40, **least):
    """The counters have grown by so much at least, or do within that time."""
    now = {}

    def have():
        now.update(lab.stats())
        return all(now[name] - before[name] >= more for name, more in least.items())
    rig.eventually(seconds, lambda: f"{least} more: {[(name, now[name] - before[name]) for name in least]}",
                   have)
    return now


class Sources:
    """The MACs from which Rill's frames reach the tap, while it is open."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.sock.bind((vm.TAP, 0))
        self.sock.setblocking(False)
        self.ip = socket.inet_aton(rig.rill_ip())

    def seen(self):
        macs = set()
        while True:
            try:
                frame = self.sock.recv(64)
            except BlockingIOError:
                return macs
            arp = frame[12:14] == b"\x08\x06"
            if frame[28:32] == self.ip if arp else frame[26:30] == self.ip:
                macs.add(frame[6:12].hex(":"))
                if arp:
                    macs.add(frame[22:28].hex(":"))


def survives(lab, fault, seconds=40, restarts=1, **least):
    """100 open connections, and the fault that fault() makes: all of them echo afterwards."""
    before = lab.stats()
    open_ones = Open(100)
    sources = Sources()
    fault()
    open_ones.expect_echo()
    after = expect_counted(lab, before, seconds, port_restarts=restarts, **least)
    open_ones.expect_echo()
    for name in ("conns_reset", "conns_timed_out"):
        rig.expect(after[name] == before[name], f"{name}: {after[name] - before[name]} more")
    open_ones.close()
    lab.guest_client("--connections", 8, "--messages", 5, "--size", "1-4000", "--seed", 7)
    return sources


@case
def pf_down_up(lab):
    """The PF is taken down and up: the VF hears nothing while its link is up. It is restarted."""
    sources = survives(lab, lambda: lab.guest.run(
        f"ip link set {lab.pf} down; sleep 0.5; ip link set {lab.pf} up"))
    seen = sources.seen()
    rig.expect(seen == {VF_MAC}, f"frames of Rill's came from {seen}")


@case
def vf_reset(lab):
    """The VF itself is reset, by its function's reset register."""
    survives(lab, lambda: lab.guest.run(f"echo 1 >/sys/bus/pci/devices/{lab.vf}/reset"))


@case
def pf_reset(lab):
    """The PF resets itself, as it does for a new MTU."""
    survives(lab, lambda: lab.guest.run(f"ip link set {lab.pf} mtu 1600; ip link set {lab.pf} mtu 1500"))


@case
def link_flaps(lab):
    """The link comes and goes."""
    before = lab.stats()
    survives(lab, lambda: lab.guest.run(
        f"for i in 1 2 3; do ip link set {lab.pf} down; sleep 1; ip link set {lab.pf} up; sleep 1; done"))
    expect_counted(lab, before, port_link_downs=1)


@case
def vlan(lab):
    """A VLAN that the PF sets is the NIC's affair: Rill sends and gets what it always did."""
    run = lab.guest.run
    run(f"sriov.sh set {lab.pf} 0 vlan 5 && ip link add link {lab.pf} name vlan5 type vlan id 5 && "
        f"ip addr del {PF_IP}/24 dev {lab.pf} && ip link set vlan5 up && ip addr add {PF_IP}/24 dev vlan5")
    lab.guest_client("--connections", 8, "--messages", 20, "--size", "1-4000", "--seed", 8)
    rig.expect(not rig.accepts(rig.rill_ip()), "who is not in the VLAN reaches the VF")
    run(f"ip link del vlan5 && sriov.sh set {lab.pf} 0 vlan 0 && ip addr add {PF_IP}/24 dev {lab.pf}")
    rig.eventually(30, "nobody is served without the VLAN", lambda: rig.accepts(rig.rill_ip()))
    lab.guest_client("--connections", 8, "--messages", 5, "--size", "1-4000", "--seed", 9)


@case
def mac_changed(lab):
    """The PF gives the VF another address. Nothing tells Rill, which is deaf then, and finds it out; from
    then on nothing comes from the old one."""
    other = "02:00:00:00:00:11"
    sources = survives(lab, lambda: lab.guest.run(f"sriov.sh set {lab.pf} 0 mac {other}"), seconds=60,
                       port_mac_changes=1)
    sources.seen()
    rig.client("--connections", 8, "--messages", 20, "--size", "1-4000", "--seed", 10)
    seen = sources.seen()
    rig.expect(seen == {other}, f"frames of Rill's came from {seen}")


@case
def end(lab):
    """It ends as it is told to, and gives the VF back."""
    lab.guest.run("kill $(cat /tmp/echo.pid); i=0; while kill -0 $(cat /tmp/echo.pid) 2>/dev/null && "
                  "[ $((i += 1)) -lt 200 ]; do sleep 0.05; done; ! kill -0 $(cat /tmp/echo.pid) 2>/dev/null")
    rig.expect("connections accepted" in lab.log(), f"no summary: {lab.log()[-2000:]}")


def test():
    folder = rig.tool("RILL_SRIOV_DIR")
    lab = Lab(folder)
    only = sys.argv[1:]
    try:
        for one in CASES:
            if only and one.__name__ not in only:
                continue
            began = time.monotonic()
            one(lab)
            print(lab.guest.run("grep ^rill: /tmp/echo.log", check=False).strip())
            print(f"== {one.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    except Exception:
        print("--- counters", {name: value for name, value in lab.stats().items() if value})
        print("--- the end of rill-echo's log\n" + lab.guest.run(
            "grep -v '^[a-z_0-9]* [0-9]*$' /tmp/echo.log | tail -n 40", check=False))
        print("--- the end of the guest's kernel log\n" + lab.guest.run("dmesg | tail -n 20", check=False))
        raise
    finally:
        lab.guest.end()


rig.main(test)
