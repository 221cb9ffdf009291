#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ICMP echo: the kernel's ping is answered, and the same bytes come back: in every size that one frame
carries, and in fragments where it takes several, which the kernel puts together.

    kernel 10.9.0.1 ── ping ──► rill0 ─ tap ─► 10.9.0.2 rill-echo

[RFC792-4, RFC791-13, RFC791-22]
"""
import re

import rig


def test():
    echo = rig.Echo("raw")
    before = echo.levels()
    # -p: ping compares the pattern that comes back; 1472 is the most that one frame carries, and 11832
    # what eight do.
    for size in (0, 1, 56, 1471, 1472, 1473, 3000, 11832):
        text = rig.run("ping", "-c", "5", "-i", "0.05", "-W", "2", "-s", str(size), "-p", "5a17",
                       rig.rill_ip())
        rig.expect(re.search(r"\b5 received", text) and "wrong data" not in text, text)
    text = rig.run("ping", "-f", "-c", "2000", "-W", "2", rig.rill_ip())
    received = int(re.search(r"(\d+) received", text).group(1))
    print(f"flood: {received} of 2000 answered")
    rig.expect(received > 0, "no answer to a flood")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
