#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A port in a VLAN: ARP, ping in every size, and TCP work within it; who is in another one, or in none,
is not heard, and counted [RFC826-10].

    kernel 10.9.0.1 ── vlan7 ── tag 7 ── rill0 ─ tap ─► 10.9.0.2 rill-echo --vlan 7

Where the kernel has no VLAN interfaces, a process beside puts tags in and takes them off. Beside Rill the
kernel has the same address in the same VLAN (--exception), through an interface that knows nothing of tags.
"""
import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import threading

import impaired
import rig

VLAN = 7
KERNEL_PORT = 2222
SOL_PACKET, PACKET_AUXDATA, ETH_P_ALL = 263, 8, 3
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
TP_STATUS_VLAN_VALID = 1 << 4


class Tagger:
    """The VLAN interface `vlan7` on rill0, of this process's own making."""

    def __init__(self):
        self.tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH", b"vlan7", IFF_TAP | IFF_NO_PI))
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind(("rill0", 0))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.lengths = set()
        for work in (self.put_in, self.take_off):
            threading.Thread(target=work, daemon=True).start()

    def put_in(self):
        while True:
            frame = os.read(self.tap, 2048)
            try:
                self.sock.send(frame[:12] + struct.pack(">HH", 0x8100, VLAN) + frame[12:])
            except OSError:  # the program is gone, or its ring full
                pass

    def take_off(self):
        while True:
            frame, ancillary, _, address = self.sock.recvmsg(2048, socket.CMSG_SPACE(20))
            if address[2] == socket.PACKET_OUTGOING:
                continue
            tci = None  # the kernel takes the tag out of the bytes
            for _, kind, data in ancillary:
                status, _, _, _, _, value, _ = struct.unpack("IIIHHHH", data[:20])
                if kind == PACKET_AUXDATA and status & TP_STATUS_VLAN_VALID:
                    tci = value
            if tci is None and frame[12:14] == b"\x81\x00":
                tci = struct.unpack(">H", frame[14:16])[0]
                frame = frame[:12] + frame[16:]
            if tci is not None and tci & 0xFFF == VLAN:
                self.lengths.add(len(frame))
                os.write(self.tap, frame)


def vlan_up(n):
    rig.tap_up(n)
    rig.run("ip", "addr", "flush", "dev", "rill0")
    made = subprocess.run(["ip", "link", "add", "link", "rill0", "name", "vlan7", "type", "vlan",
                           "id", str(VLAN)], capture_output=True, check=False)
    if made.returncode != 0:
        print("no VLAN interfaces in this kernel: tags are put in and taken off here")
        Tagger()
    rig.run("ip", "addr", "replace", f"{rig.kernel_ip()}/24", "dev", "vlan7")
    rig.run("ip", "link", "set", "vlan7", "up")


def kernel_beside_serves(host):
    """Its port answers within the VLAN, and what it asks is answered."""
    rig.run("ip", "link", "set", "host0", "netns", host.path)
    with host:
        rig.run("ip", "addr", "add", f"{rig.rill_ip()}/24", "dev", "host0")
        rig.run("ip", "link", "set", "host0", "up")
        listener = socket.create_server((rig.rill_ip(), KERNEL_PORT))
        rig.run("ping", "-c", "3", "-i", "0.05", "-W", "5", rig.kernel_ip())
    data = os.urandom(200000)
    with listener, socket.create_connection((rig.rill_ip(), KERNEL_PORT), timeout=20) as near:
        far, _ = listener.accept()
        with far:
            far.settimeout(20)
            writer = threading.Thread(target=lambda: (far.sendall(data), far.shutdown(socket.SHUT_WR)))
            writer.start()
            got = rig.read_all(near)
            writer.join()
    rig.expect(got == data, f"{len(got)} of {len(data)} bytes came, or others")


def hears_nobody(echo, what):
    before = echo.stats()["vlan_foreign"]
    rig.run("ip", "neigh", "flush", "all")
    rig.run("ping", "-c", "2", "-i", "0.2", "-W", "1", rig.rill_ip(), check=False)
    rig.expect(echo.stats()["vlan_foreign"] > before, f"frames {what} were not counted")


def test():
    echo = rig.Echo("raw", "--vlan", str(VLAN), "--exception", "net_tap9,iface=host0", up=vlan_up)
    before = echo.levels()
    for size in (0, 56, 1472, 3000):
        text = rig.run("ping", "-c", "3", "-i", "0.05", "-W", "2", "-s", str(size), "-p", "5a17",
                       rig.rill_ip())
        rig.expect(re.search(r"\b3 received", text) and "wrong data" not in text, text)
    rig.client("--connections", 16, "--messages", rig.scaled(200, 50), "--size", "1-20000", "--split")
    kernel_beside_serves(impaired.Namespace())
    echo.expect_levels(before, rig.SETTLE_S)
    # The same neighbour without a tag.
    rig.run("ip", "addr", "flush", "dev", "vlan7")
    rig.run("ip", "addr", "replace", f"{rig.kernel_ip()}/24", "dev", "rill0")
    hears_nobody(echo, "without a tag")
    echo.terminate()


if not os.path.exists("/dev/net/tun"):
    print("skipped: no /dev/net/tun")
    sys.exit(rig.SKIPPED)
rig.main(test)
