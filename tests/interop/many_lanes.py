#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lanes behind one port with one queue: the first carries the frames of the others.

    kernel 10.9.0.1 ── echo_client ──► rill0 ─ port ─► lane 0 ─┬─ lane 1
                                                               ├─ lane 2   10.9.0.2:7000 rill-echo
                                                               └─ lane 3

usage: many_lanes.py tap | af_packet
tap: four lanes on net_tap. af_packet: two on net_af_packet, at the other end of a veth pair.

All at once, in large messages, one after another with every kind of end, and pinged meanwhile.
"""
import re
import sys

import rig


def serve():
    """The server, and how many lanes it has."""
    if sys.argv[1] == "tap":
        return rig.Echo("raw", "--lanes", "4"), 4
    rig.veth()
    return rig.Echo("raw", "--lanes", "2", device="net_af_packet{0},iface=far{0}"), 2


def test():
    echo, lanes = serve()
    before = echo.levels()
    start = echo.stats()
    count = rig.scaled(300, 100)
    report = rig.client("--connections", count, "--hold", "--messages", 20, "--size", "1-2000",
                        "--split")
    rig.expect(report["opened"] == count, f"{report['opened']} of {count} were opened")
    rig.client("--connections", 8, "--messages", rig.scaled(40, 10), "--size", "1-200000")
    total = rig.scaled(2000, 500)
    for seed, end in enumerate(("close", "half", "reset")):
        report = rig.client("--connections", 16, "--total", total, "--messages", 1,
                            "--seed", seed, "--end", end)
        rig.expect(report["ended_well"] == total, f"{report}")
    largest = 1500 - (48 if rig.IS_IP6 else 28)
    text = rig.run("ping", "-c", "5", "-i", "0.05", "-W", "5", "-s", str(largest), rig.rill_ip())
    rig.expect(re.search(r"\b5 received", text), text)
    stats = echo.stats()
    handed = (stats["frames_handed"] - start["frames_handed"]) / \
        (stats["rx_packets"] - start["rx_packets"])
    print(f"{handed:.2f} of the frames were other lanes'")
    rig.expect(abs(handed - (lanes - 1) / lanes) < 0.25, f"each of {lanes} lanes gets its share")
    rig.expect(stats["tcp_no_listener"] == start["tcp_no_listener"], "a lane got a stranger's frame")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
