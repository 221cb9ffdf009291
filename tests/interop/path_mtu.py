#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A path that is narrower than both of its ends: a transfer by Rill through a router of the kernel.

    rill_bulk 10.9.0.2 ── tap rill0, MTU 1500 ── router ── veth, MTU 1400 one way ── 10.9.0.200 kernel

The router answers ARP (or neighbour discovery) for either side. It tells of what it cannot pass on
[RFC1191-1, RFC8201-1]; or (silent) has no way for ICMP, so that only timeouts tell [RFC4821-2]. Contents
are compared by SHA-256.
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading

import impaired
import rig

FAR = rig.ip6(0, 200) if rig.IS_IP6 else rig.ip4(0, 200)
HOST_BITS = 128 if rig.IS_IP6 else 32
PATH_MTU = 1400
HEADERS = (40 if rig.IS_IP6 else 20) + 20 + 12  # IP, TCP, timestamps


def allow(name):
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write("1")


def forward():
    """The router forwards, and answers for who is on its other side."""
    if not rig.IS_IP6:
        for name in ("ip_forward", "conf/near/proxy_arp", "conf/rill0/proxy_arp"):
            allow(f"ipv4/{name}")
        return
    for name in ("all/forwarding", "near/proxy_ndp", "rill0/proxy_ndp"):
        allow(f"ipv6/conf/{name}")
    rig.run("ip", "neigh", "add", "proxy", FAR, "dev", "rill0")
    rig.run("ip", "neigh", "add", "proxy", rig.rill_ip(), "dev", "near")


def lay_path(far, silent):
    """The veth pair, its far end in the namespace `far`; forwarding, and ARP for the others."""
    rig.run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
    rig.run("ip", "link", "set", "far", "netns", far.path)
    rig.run("ip", "link", "set", "near", "mtu", str(PATH_MTU), "up")
    if rig.IS_IP6:  # from which it asks for who is there
        rig.run("ip", "addr", "add", "fe80::8:1/64", "dev", "near", "nodad")
    rig.run("ip", "route", "add", f"{FAR}/{HOST_BITS}", "dev", "near")
    forward()
    if silent:
        rig.run("ip", "rule", "add", "ipproto", "icmp", "priority", "1", "blackhole")
    with far:
        rig.run("ip", "addr", "add", f"{FAR}/{HOST_BITS}", "dev", "far",
                *(["nodad"] if rig.IS_IP6 else []))
        rig.run("ip", "link", "set", "far", "up")
        rig.run("ip", "-6" if rig.IS_IP6 else "-4", "route", "add", "default", "dev", "far")


class Receiver(threading.Thread):
    """The far end: one connection, read to its end."""

    def __init__(self, far):
        super().__init__(daemon=True)
        with far:
            self.listener = socket.create_server(
                (FAR, rig.PORT), family=socket.AF_INET6 if rig.IS_IP6 else socket.AF_INET)
        self.digest = None
        self.start()

    def run(self):
        sock, _ = self.listener.accept()
        with sock:
            self.digest = hashlib.sha256(rig.read_all(sock)).hexdigest()


def transfer(size):
    command = [rig.tool("RILL_BULK"), "--dev", "net_tap0,iface=rill0", "--ip", rig.rill_prefix(),
               "--port", str(rig.PORT), "--idle-sleep", "50", "--timeout", "60", "--send", str(size),
               "--to", FAR]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test():
    silent = sys.argv[1] == "silent"
    size = rig.scaled(4_000_000, 1_000_000)
    sender = transfer(size)
    far = impaired.Namespace()
    while (line := sender.stdout.readline()) != "created\n":
        rig.expect(line, f"rill_bulk ended with status {sender.wait()}")
    rig.tap_up()
    lay_path(far, silent)
    receiver = Receiver(far)
    text, _ = sender.communicate("go\n", timeout=90)
    rig.expect(sender.returncode == 0, f"rill_bulk: status {sender.returncode}: {text}")
    report = json.loads(text.splitlines()[-1])
    receiver.join(10)
    print(text.strip())
    rig.expect(receiver.digest == report["sha256"], "the contents are not the same")
    rig.expect(report["mss"] + HEADERS <= PATH_MTU,
               f"segments of {report['mss']} bytes do not fit {PATH_MTU}")
    if silent:
        rig.expect(report.get("pmtu_black_holes") == 1 and "pmtu_lowered" not in report,
                   "it was not timeouts that told")
    else:
        rig.expect(report.get("pmtu_lowered") == 1 and report["mss"] + HEADERS == PATH_MTU,
                   "the router's word was not taken exactly")
        rig.expect("rtos" not in report, f"{report.get('rtos')} timeouts, though the router told")


rig.main(test)
