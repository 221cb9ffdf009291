#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The 40-line echo server of README.md does what README.md says.

    kernel 10.9.0.1 ── echo_client, nc ──► rill0 ─ tap ─► 10.9.0.2:7000 echo40
"""
import random
import threading
import time

import rig


def test():
    server = rig.Program("echo40", [rig.tool("RILL_ECHO40")])
    rig.tap_up()
    rig.eventually(20, "echo40 does not accept", lambda: rig.accepts(rig.rill_ip()))
    rig.client("--connections", 16, "--messages", 200, "--size", "1-3000", "--split")
    rig.client("--bulk", rig.scaled(64 << 20, 8 << 20))
    # One that stops reading, which is what on_sent is for.
    with rig.connect() as sock:
        sent = random.Random(3).randbytes(4 << 20)
        sender = threading.Thread(target=sock.sendall, args=(sent,))
        sender.start()
        time.sleep(1)
        got = b""
        while len(got) < len(sent):
            got += sock.recv(1 << 16)
        sender.join()
        rig.expect(got == sent, "a reader that had stopped got other bytes")
    rig.expect(server.is_running(), "echo40 has ended")


rig.main(test)
