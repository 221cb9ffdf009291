#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The exception path: one address, of which rill-echo serves one port and the kernel all else.

    the client's side                     rill-echo                     the host's side (namespace `host`)
    10.9.0.1  rill0 ─ tap ─ net_tap0 ◄─► 10.9.0.2:7000 ◄─► net_tap9 ─ tap ─ host0  10.9.0.2, the same MAC
    2001:db8:9:0::1                  2001:db8:9:0::2                               2001:db8:9:0::2

usage: exception.py LANES

The kernel behind it accepts (as sshd would), connects, refuses, speaks UDP, in fragments too, pings, and
hears of ICMP errors, while Rill's own connections go on. Over IPv6 both have asked whether anybody has the
address, and nobody had.
"""
import hashlib
import os
import re
import socket
import sys
import threading

import impaired
import rig

KERNEL_PORT = 2222
CLOSED_PORT = 9
SOME = 20
DATAGRAM = 4000  # bytes, which go in fragments
FAMILY = socket.AF_INET6 if rig.IS_IP6 else socket.AF_INET


def host_up(host):
    """host0 goes to the host's namespace, and gets the address that Rill has."""
    rig.eventually(30, "host0 was not made", lambda: os.path.isdir("/proc/sys/net/ipv4/conf/host0"))
    rig.run("ip", "link", "set", "host0", "netns", host.path)
    with host:
        rig.run("ip", "addr", "add", rig.rill_prefix(), "dev", "host0")
        rig.run("ip", "link", "set", "host0", "up")
        # Its own question whether somebody has them is over, and nobody answered it.
        rig.eventually(10, "the kernel still asks for its addresses",
                       lambda: "tentative" not in rig.run("ip", "addr", "show", "host0"))
        text = rig.run("ip", "addr", "show", "host0")
        rig.expect("dadfailed" not in text and rig.plain_ip(rig.rill_ip()) in text, text)


def echo_back(listener):
    """Serves every connection of a kernel's listener, one after another."""
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            while data := sock.recv(1 << 16):
                sock.sendall(data)


def listen(ip, port):
    listener = socket.create_server((ip, port), family=FAMILY)
    threading.Thread(target=echo_back, args=(listener,), daemon=True).start()
    return listener


def exchange(ip, port, size):
    """Sends and reads back; the digests must be equal."""
    data = os.urandom(size)
    with socket.create_connection((ip, port), timeout=20) as sock:
        writer = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        writer.start()
        back = rig.read_all(sock)
        writer.join()
    rig.expect(hashlib.sha256(back).digest() == hashlib.sha256(data).digest(),
               f"{len(back)} of {size} bytes came back from {ip}:{port}, or others")


def expect_refused(ip, port):
    try:
        socket.create_connection((ip, port), timeout=10).close()
    except ConnectionRefusedError:
        return
    raise rig.Failure(f"{ip}:{port} is not refused")


def udp_both_ways(host):
    with host:
        server = socket.socket(FAMILY, socket.SOCK_DGRAM)
        server.bind((rig.rill_ip(), KERNEL_PORT))
    server.settimeout(10)
    with server, socket.socket(FAMILY, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        for size in (100, DATAGRAM):
            question, answer = os.urandom(size), os.urandom(size)
            client.sendto(question, (rig.rill_ip(), KERNEL_PORT))
            data, address = server.recvfrom(2 * DATAGRAM)
            rig.expect(data == question, f"the kernel behind Rill got {len(data)} of {size} bytes")
            server.sendto(answer, address)
            rig.expect(client.recv(2 * DATAGRAM) == answer, "another answer came back")


def unreachable_is_heard(host):
    """An ICMP error about a datagram of the kernel's."""
    with host:
        sock = socket.socket(FAMILY, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(10)
        sock.connect((rig.kernel_ip(), CLOSED_PORT))
        sock.send(b"anybody?")
        try:
            sock.recv(100)
        except ConnectionRefusedError:
            return
    raise rig.Failure("no ICMP error reached the kernel behind Rill")


def test():
    echo = rig.Echo("raw", "--lanes", sys.argv[1], "--exception", "net_tap9,iface=host0")
    before = echo.levels()
    host = impaired.Namespace()
    host_up(host)
    with host:
        listener = listen(rig.rill_ip(), KERNEL_PORT)
    near = listen(rig.kernel_ip(), KERNEL_PORT)
    rig.expect(rig.accepts(rig.rill_ip()), "Rill's own port answers no more")
    for _ in range(SOME):
        exchange(rig.rill_ip(), KERNEL_PORT, 1000)
    exchange(rig.rill_ip(), KERNEL_PORT, rig.scaled(4 << 20, 1 << 20))
    rig.client("--connections", 16, "--messages", 50, "--size", "1-20000")
    with host:
        exchange(rig.kernel_ip(), KERNEL_PORT, rig.scaled(1 << 20, 1 << 18))
    expect_refused(rig.rill_ip(), CLOSED_PORT)
    udp_both_ways(host)
    unreachable_is_heard(host)
    text = rig.run("ping", "-c", "3", "-i", "0.05", "-W", "5", rig.rill_ip())
    rig.expect(re.search(r"\b3 received", text), text)
    with host:
        text = rig.run("ping", "-c", "3", "-i", "0.05", "-W", "5", rig.kernel_ip())
    rig.expect(re.search(r"\b3 received", text), text)
    stats = echo.stats()
    rig.expect(stats["nd_duplicates"] + stats["nd_conflicts"] == 0, "somebody else has our address")
    print({name: stats[name] for name in ("exception_out", "exception_in", "exception_full")})
    rig.expect(stats["exception_out"] > 0 and stats["exception_in"] > 0, "nothing went that way")
    rig.expect(stats["resets_sent"] == 0 or stats["tcp_no_listener"] == 0,
               "Rill refused what was the kernel's")
    listener.close()
    near.close()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
