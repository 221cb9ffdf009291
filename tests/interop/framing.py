#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Echo in one framing: messages of random length, cut at random places, many in flight.

    kernel 10.9.0.1 ── echo_client, 16 connections ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo

usage: framing.py raw|line|length|http
Every byte that comes back is compared with what was sent; messages from 1 byte to far more than a
segment, writes from 1 byte on, so that messages are split and merged at any byte.
"""
import sys

import rig


def test():
    protocol = sys.argv[1]
    echo = rig.Echo(protocol)
    before = echo.levels()
    messages = rig.scaled(400, 60)
    for seed in range(1, 4):
        rig.client("--connections", 16, "--messages", messages, "--size", "1-3000", "--pipeline", 8,
                   "--split", "--seed", seed, protocol=protocol)
    # Cuts inside headers and length fields only: tiny messages.
    rig.client("--connections", 4, "--messages", messages, "--size", "1-6", "--pipeline", 64,
               "--split", "--seed", 9, protocol=protocol)
    # Longer than any buffer of the lane, up to --max-message.
    rig.client("--connections", 2, "--messages", rig.scaled(40, 6), "--size", "200000-1000000",
               "--seed", 10, protocol=protocol)
    if protocol in ("line", "length"):
        rig.client("--connections", 2, "--messages", 50, "--size", "0-2", "--pipeline", 8,
                   "--seed", 11, protocol=protocol)
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
