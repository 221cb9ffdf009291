#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The 40-line echo server of README.md does what README.md says.

    kernel 10.9.0.1 ── echo_client, nc ──► rill0 ─ tap ─► 10.9.0.2:7000 echo40
"""
import signal

import rig


def test():
    server = rig.Program("echo40", [rig.tool("RILL_ECHO40")])
    rig.tap_up()
    rig.eventually(20, "echo40 does not accept", lambda: rig.accepts(rig.rill_ip()))
    rig.client("--connections", 16, "--messages", 200, "--size", "1-3000", "--split")
    rig.client("--bulk", rig.scaled(64 << 20, 8 << 20))
    server.send(signal.SIGTERM)
    status = server.wait(15)
    rig.expect(status == 0, f"echo40 ended with status {status}")


rig.main(test)
