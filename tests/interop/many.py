#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many connections.

    kernel 10.9.0.1 ── echo_client ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo

usage: many.py at-once | one-after-another
at-once: 1,000 connections are open before the first message is sent; all are served.
one-after-another: 20,000 connects and closes, the side that closes first being the client by FIN,
by half-close and by RST in turn.
"""
import sys

import rig


def at_once(echo):
    count = rig.scaled(1000, 300)
    report = rig.client("--connections", count, "--hold", "--messages", 20, "--size", "1-2000",
                        "--split")
    rig.expect(report["opened"] == count, f"{report['opened']} of {count} were opened")


def one_after_another(echo):
    total = rig.scaled(20000, 1500)
    opens = echo.stats()["passive_opens"]
    for seed, (end, share) in enumerate((("close", 0.5), ("half", 0.25), ("reset", 0.25))):
        report = rig.client("--connections", 32, "--total", int(total * share), "--messages", 1,
                            "--seed", seed, "--end", end)
        rig.expect(report["ended_well"] == int(total * share), f"{report}")
    rig.expect(echo.stats()["passive_opens"] - opens == total, "each connect was one open")


def test():
    echo = rig.Echo("raw")
    before = echo.levels()
    {"at-once": at_once, "one-after-another": one_after_another}[sys.argv[1]](echo)
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
