#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two ports on two lanes of one process, each with its own address, one listener on both. Neither
answers for the other's address [RFC826-10].

    kernel 10.9.0.1 ── rill0 ─ tap ─► lane 0, 10.9.0.2:7000 ┐ rill-echo
    kernel 10.9.1.1 ── rill1 ─ tap ─► lane 1, 10.9.1.2:7000 ┘
"""
import json
import subprocess

import rig


def test():
    echo = rig.Echo("raw", taps=2)
    before = echo.levels()
    # Both at once.
    messages = rig.scaled(500, 100)
    clients = [subprocess.Popen(
        rig.client_command("--connections", 32, "--messages", messages, "--size", "1-2000",
                           "--split", "--seed", n, ip=rig.rill_ip(n)),
        stdout=subprocess.PIPE, text=True) for n in range(2)]
    for process in clients:
        text, _ = process.communicate(timeout=90)
        print(text.strip())
        report = json.loads(text)
        rig.expect(process.returncode == 0 and report["messages"] == 32 * messages, report["error"])
    # Each address is answered on its own port only: lane 1's is not reachable through tap 0.
    rig.run("ip", "route", "add", f"{rig.rill_ip(1)}/32", "dev", "rill0")
    try:
        rig.connect(rig.rill_ip(1), timeout=2).close()
        raise rig.Failure("lane 0 answered for an address of lane 1")
    except OSError:
        pass
    rig.run("ip", "route", "del", f"{rig.rill_ip(1)}/32", "dev", "rill0")
    for n in range(2):
        rig.client("--connections", 4, "--messages", 50, ip=rig.rill_ip(n))
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
