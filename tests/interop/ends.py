#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ends of connections, as the kernel sees them.

    kernel 10.9.0.1 ── sockets of this program ──► rill0 ─ tap ─► 10.9.0.2 rill-echo
                                                          7000: length framing   7001: nobody

Half-close by the kernel (Rill goes on sending, then finishes), RST by the kernel, RST by Rill
(a message that is too long), connection refused. The half-close by Rill is in rill_client.py.
[MUST-12]
"""
import errno
import os
import socket
import struct
import time

import rig


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


def half_close_by_kernel():
    payload = os.urandom(rig.scaled(900_000, 300_000))
    with rig.connect() as sock:
        sock.sendall(frame(payload))
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.3)  # Rill has our FIN while most of its echo is still to be sent
        rig.expect(rig.read_all(sock) == frame(payload), "the echo after our FIN is not complete")


def reset_by_kernel(echo):
    resets = echo.stats()["conns_reset"]
    for payload in (b"", b"unfinished"):
        sock = rig.connect()
        sock.sendall(struct.pack(">I", 100) + payload)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    rig.eventually(5, "Rill did not take two RSTs",
                   lambda: echo.stats()["conns_reset"] == resets + 2)


def reset_by_rill(echo):
    sent = echo.stats()["resets_sent"]
    with rig.connect() as sock:
        sock.sendall(struct.pack(">I", 0x7fffffff) + b"more than --max-message")
        try:
            data = sock.recv(100)
            raise rig.Failure(f"no RST but {data!r}")
        except ConnectionResetError:
            pass
    rig.expect(echo.stats()["resets_sent"] > sent, "the RST was not counted")


def refused():
    for _ in range(3):
        start = time.monotonic()
        try:
            socket.create_connection((rig.rill_ip(), 7001), timeout=5).close()
            raise rig.Failure("connected to a port where nobody listens")
        except OSError as error:
            rig.expect(error.errno == errno.ECONNREFUSED, f"not refused but: {error}")
        rig.expect(time.monotonic() - start < 1, "the refusal took a second or more")


def test():
    echo = rig.Echo("length")
    before = echo.levels()
    half_close_by_kernel()
    reset_by_kernel(echo)
    reset_by_rill(echo)
    refused()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
