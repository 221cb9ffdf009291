#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""SIGTERM: no new connections, those that are there may finish within --drain, the rest is aborted.

    kernel 10.9.0.1 ── sockets of this program ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo

usage: drain.py finish | deadline | twice
finish: connections that end within the time end well, and rill-echo leaves at once after the last.
deadline: one that does not end is reset when the time is over.
twice: a second signal aborts at once.
"""
import os
import signal
import socket
import sys
import time

import rig


def expect_tap_gone():
    rig.eventually(5, "the tap is left behind",
                   lambda: not os.path.isdir("/proc/sys/net/ipv4/conf/rill0"))


def expect_reset(sock):
    sock.settimeout(10)
    try:
        data = sock.recv(10)
    except ConnectionResetError:
        return
    raise rig.Failure(f"neither finished nor reset, but {data!r}")


def start(drain):
    echo = rig.Echo("raw", "--drain", str(drain))
    sock = rig.connect()
    sock.sendall(b"before")
    rig.expect(sock.recv(6) == b"before", "no echo before the drain")
    return echo, sock


def finish():
    echo, sock = start(30)
    begun = time.monotonic()
    echo.send(signal.SIGTERM)
    time.sleep(0.5)
    sock.sendall(b"during")
    rig.expect(sock.recv(6) == b"during", "a connection was not served during the drain")
    try:
        socket.create_connection((rig.rill_ip(), rig.PORT), timeout=2).close()
        raise rig.Failure("a connection was accepted during the drain")
    except OSError:
        pass
    sock.shutdown(socket.SHUT_WR)
    rig.expect(rig.read_all(sock) == b"", "no FIN after ours")
    status = echo.wait(10)
    rig.expect(status == 0, f"status {status}")
    rig.expect(time.monotonic() - begun < 20, "rill-echo did not leave after the last connection")
    expect_tap_gone()


def deadline():
    echo, sock = start(2)
    begun = time.monotonic()
    echo.send(signal.SIGTERM)
    expect_reset(sock)
    took = time.monotonic() - begun
    rig.expect(1.5 < took < 5, f"the drain of 2 s took {took:.1f} s")
    echo.wait(10)
    expect_tap_gone()


def twice():
    echo, sock = start(60)
    echo.send(signal.SIGTERM)
    time.sleep(0.5)
    echo.send(signal.SIGTERM)
    begun = time.monotonic()
    expect_reset(sock)
    echo.wait(10)
    rig.expect(time.monotonic() - begun < 5, "the second signal did not abort at once")
    expect_tap_gone()


rig.main({"finish": finish, "deadline": deadline, "twice": twice}[sys.argv[1]])
