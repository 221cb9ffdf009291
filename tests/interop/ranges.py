#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A port with a /16 of addresses, for two lanes: each is found by ARP, pinged, and served; and when another
host claims one of them, that is said once, and it is defended [RFC5227-5].

    kernel 10.77.0.1/16 ── rill0 ── tap ── 10.77.0.2-10.77.255.254 rill-echo, two lanes
"""
import re
import socket
import struct
import time

import rig

FIRST, LAST = "10.77.0.2", "10.77.255.254"
SOME = (FIRST, "10.77.0.255", "10.77.1.0", "10.77.99.99", "10.77.200.1", LAST)
STRANGER = bytes.fromhex("020000000066")


def up(n):
    rig.tap_up(n)
    rig.run("ip", "addr", "replace", "10.77.0.1/16", "dev", f"rill{n}")


def claim(addr):
    """Another host says to all that this address is its own."""
    ip = socket.inet_aton(addr)
    frame = b"\xff" * 6 + STRANGER + struct.pack(">HHHBBH", 0x806, 1, 0x800, 6, 4, 1) + \
        STRANGER + ip + bytes(6) + ip
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("rill0", 0))
        sock.send(frame)


def test():
    rig.rill_prefixes = lambda n=0: f"{rig.ip4(n, 2)}/24,{FIRST}-{LAST}/16"
    echo = rig.Echo("raw", "--lanes", "2", up=up)
    rig.expect(f"{FIRST}-{LAST}/16: raw on TCP port" in echo.text(), f"which addresses: {echo.text()}")
    before = echo.levels()
    for addr in SOME:
        text = rig.run("ping", "-c", "2", "-i", "0.2", "-W", "5", addr)
        rig.expect(re.search(r"\b2 received", text), text)
        report = rig.client("--connections", 8, "--hold", "--messages", 5, "--size", "1-2000", ip=addr)
        rig.expect(report["opened"] == 8, f"{addr}: {report}")
    rig.expect("lladdr" in rig.run("ip", "neigh", "show", LAST), "found by ARP")
    for _ in range(5):
        claim("10.77.99.99")
        time.sleep(0.1)
    echo.wait_for("another host, 02:00:00:00:00:66, has our address 10.77.99.99")
    rig.expect(echo.text().count("has our address") == 1, "said once")
    rig.expect(echo.stats()["arp_conflicts"] == 10, "noticed by both lanes")
    rig.expect(rig.accepts("10.77.99.99"), "it is served on")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
