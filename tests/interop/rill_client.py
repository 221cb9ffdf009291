#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rill as the client of the kernel's TCP.

    Rill 10.9.0.2, rill_client ── tap ─ rill0 ──► kernel 10.9.0.1:7000, kernel_echo.py

Every byte of the echo is verified by rill_client. Half-close by Rill: its FIN follows its last byte
at once, and the echo comes over the other half. Then close and RST by Rill, many connections one
after another, a refused connection, and a server that resets.
[RFC9293-E28] [MUST-12]
"""
import json
import os
import socket
import struct
import sys
import threading

import rig

ANY, FAMILY = ("::", socket.AF_INET6) if rig.IS_IP6 else ("0.0.0.0", socket.AF_INET)


def rill_client(*args, port=rig.PORT, status=0, timeout=60):
    command = [rig.tool("RILL_CLIENT"), "--dev", "net_tap0,iface=rill0", "--ip", rig.rill_prefix(),
               "--server", rig.kernel_ip(), "--port", str(port), "--idle-sleep", "100",
               "--msl", "1000", "--timeout", str(timeout), *[str(arg) for arg in args]]
    program = rig.Program("rill-client", command)
    # A SYN before the kernel has its address is lost, and sent again after a second.
    rig.tap_up()
    seen = program.wait(timeout + 20)
    text = program.text()
    rig.expect(seen == status, f"{' '.join(command)}: status {seen}: {text[-2000:]}")
    program.kill()
    rig.eventually(5, "the tap is still there",
                   lambda: not os.path.isdir("/proc/sys/net/ipv4/conf/rill0"))
    report = json.loads(text.strip().splitlines()[-1])
    print(*args, "->", report)
    for level in ("conns", "sidecars", "mbufs"):
        rig.expect(report[level] == 0, f"{report[level]} {level} are left at the end")
    return report


def expect_done(report, count, size):
    rig.expect(report["opened"] == count and report["mismatches"] == 0, f"{report}")
    rig.expect(report["bytes_verified"] == count * size, f"{report}")


def resetting_server(listener):
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def test():
    here = os.path.dirname(os.path.abspath(__file__))
    server = rig.Program("kernel-echo", [sys.executable, f"{here}/kernel_echo.py", ANY,
                                         str(rig.PORT)])
    server.wait_for("listening")

    for end in ("half", "close", "reset"):
        expect_done(rill_client("--connections", 8, "--bytes", 300_000, "--end", end), 8, 300_000)
    size = rig.scaled(64 << 20, 4 << 20)
    expect_done(rill_client("--bytes", size), 1, size)
    total = rig.scaled(5000, 500)
    expect_done(rill_client("--connections", 32, "--total", total, "--bytes", 200), total, 200)

    report = rill_client("--connections", 4, "--bytes", 10, port=7009)
    rig.expect(report["opened"] == 0 and report["refused by peer"] == 4, f"{report}")
    with socket.create_server((ANY, 7010), family=FAMILY) as listener:
        threading.Thread(target=resetting_server, args=(listener,), daemon=True).start()
        report = rill_client("--connections", 4, "--bytes", 10_000_000, port=7010)
        rig.expect(report["opened"] == 4 and report["reset by peer"] == 4, f"{report}")
        listener.shutdown(socket.SHUT_RDWR)


rig.main(test)
