#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A reader that stops: the kernel's window goes to zero, then Rill's, and both open again.

    kernel 10.9.0.1 ── a socket that writes and does not read ──► rill0 ─ tap ─► 10.9.0.2 rill-echo

The client writes until nothing moves: its receive buffer is full, so Rill's send queue fills, so
rill-echo stops reading, so Rill's window closes, so the client's write blocks. A second client is
served meanwhile. Then the first one reads, and gets every byte.
[MUST-36] [MUST-37]
"""
import hashlib
import random
import time

import rig

STOPPED_S = 4


def write_until_stuck(sock, source, digest):
    """Returns the bytes written when nothing has moved for a second."""
    written, moved = 0, time.monotonic()
    pending = b""
    while time.monotonic() - moved < 1:
        pending = pending or source.randbytes(65536)
        try:
            n = sock.send(pending)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        digest.update(pending[:n])
        written, pending, moved = written + n, pending[n:], time.monotonic()
        rig.expect(written < 1 << 28, "a stopped reader could write without bound")
    return written


def read_back(sock, count):
    digest, left = hashlib.sha256(), count
    sock.setblocking(True)
    sock.settimeout(20)
    while left > 0:
        data = sock.recv(min(left, 1 << 16))
        rig.expect(data, f"FIN with {left} bytes of the echo missing")
        digest.update(data)
        left -= len(data)
    return digest


def test():
    echo = rig.Echo("raw")
    before = echo.levels()
    probes = echo.stats()["window_probes"]
    sent = hashlib.sha256()
    with rig.connect() as sock:
        sock.setblocking(False)
        written = write_until_stuck(sock, random.Random(7), sent)
        print(f"stuck after {written} bytes")
        time.sleep(STOPPED_S)
        rig.expect(echo.stats()["window_probes"] > probes, "no probe into the zero window")
        rig.client("--connections", 4, "--messages", 200)
        rig.expect(read_back(sock, written).digest() == sent.digest(), "the echo differs")
        # And it goes on as before.
        sock.sendall(b"again")
        rig.expect(sock.recv(5) == b"again", "no echo after the stop")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
