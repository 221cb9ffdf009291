# SPDX-License-Identifier: BSD-3-Clause
"""Two network namespaces with a veth between them, for the kernel's baseline.

    server: 10.77.0.1/16  veth ────────────────── veth  10.77.1.1 .. 10.77.1.N/16 :clients

The namespaces have no name: they, and the veth in them, end with this process. RPS: what arrives at an
end is received (softirq) on the core of that end's program, so that each core works for its own end
alone; without RPS, veth has the sender's core do it.
"""
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
SERVER_IP = "10.77.0.1"
SOURCES = 16

# Of <linux/sockios.h> and <linux/ethtool.h>.
SIOCETHTOOL = 0x8946
ETHTOOL_SET = {"tso": 0x1F, "gso": 0x24, "gro": 0x2C}

# In the clients' namespace and the server's: so many connections, so fast, are no attack.
SYSCTLS = {"net/ipv4/ip_local_port_range": "1024 65535", "net/ipv4/tcp_tw_reuse": "1",
           "net/core/somaxconn": "65535", "net/ipv4/tcp_max_syn_backlog": "65535",
           "net/ipv4/tcp_no_metrics_save": "1"}

LIBC = ctypes.CDLL(None, use_errno=True)


class Problem(Exception):
    """Why something cannot be measured, as a sentence."""


def source_ips():
    return [f"10.77.1.{n}" for n in range(1, SOURCES + 1)]


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"ip {' '.join(arguments)}: {done.stdout.strip()}")


class Namespace:
    """`with` enters it; what is started there stays there."""

    def __init__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if LIBC.unshare(CLONE_NEWNET) != 0:
            raise Problem(f"no new network namespace: {os.strerror(ctypes.get_errno())}")
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"
        LIBC.setns(self.home, CLONE_NEWNET)

    def __enter__(self):
        if LIBC.setns(self.fd, CLONE_NEWNET) != 0:
            raise Problem("cannot enter the namespace")

    def __exit__(self, *_):
        LIBC.setns(self.home, CLONE_NEWNET)

    def close(self):
        os.close(self.fd)
        os.close(self.home)


def set_sysctls():
    for name, value in SYSCTLS.items():
        with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
            file.write(value)


def set_offload(device, feature, on):
    """What `ethtool -K` does."""
    value = bytearray(struct.pack("II", ETHTOOL_SET[feature], int(on)))
    address = (ctypes.c_char * len(value)).from_buffer(value)
    request = struct.pack("16sP8x", device.encode(), ctypes.addressof(address))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, request)


def mount_sys():
    """/sys of the namespace that this process is in; it shows the devices of the one that mounted it."""
    clone_newns, ms_rec, ms_private = 0x20000, 0x4000, 1 << 18
    if LIBC.unshare(clone_newns) != 0 or LIBC.mount(b"none", b"/", None, ms_rec | ms_private, None) \
            or LIBC.mount(b"sysfs", b"/sys", b"sysfs", 0, None):
        raise Problem("sysfs cannot be mounted")


def receive_on(device, core):
    """RPS: the packets that arrive at the device are received on this core. Whether that could be set."""
    child = os.fork()
    if child != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    status = 1
    try:
        mount_sys()
        with open(f"/sys/class/net/{device}/queues/rx-0/rps_cpus", "w", encoding="ascii") as file:
            file.write(f"{1 << core:x}")
        status = 0
    except (OSError, Problem):
        pass
    finally:
        os._exit(status)


class Veth:
    """Both ends, up, with their addresses."""

    def __init__(self, server_core, client_core, rps=True):
        self.server, self.client = Namespace(), Namespace()
        with self.server:
            set_sysctls()
            ip("link", "set", "lo", "up")
            ip("link", "add", "veth", "type", "veth", "peer", "name", "veth", "netns", self.client.path)
            ip("addr", "add", f"{SERVER_IP}/16", "dev", "veth")
            ip("link", "set", "veth", "up")
            self.rps = rps and receive_on("veth", server_core)
        with self.client:
            set_sysctls()
            ip("link", "set", "lo", "up")
            for address in source_ips():
                ip("addr", "add", f"{address}/16", "dev", "veth")
            ip("link", "set", "veth", "up")
            self.rps = self.rps and receive_on("veth", client_core)

    def offloads(self, on):
        """Segments of up to 64 KiB (TSO, GSO, GRO), or none above 1460 bytes."""
        for space in (self.server, self.client):
            with space:
                for feature in ETHTOOL_SET:
                    set_offload("veth", feature, on)

    def close(self):
        with self.server:
            ip("link", "del", "veth")
        self.server.close()
        self.client.close()
