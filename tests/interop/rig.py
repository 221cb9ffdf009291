# SPDX-License-Identifier: BSD-3-Clause
"""The rig of the interop tests: a network namespace, rill-echo on a tap in it, the kernel beside it.

    the kernel's side                                 Rill's side
    10.9.N.1/24, MAC 02:00:00:00:01:N  rillN ─ tap ─ net_tapN  10.9.N.2/24, MAC of the DPDK port
    2001:db8:9:N::1/64                                         2001:db8:9:N::2/64

Both sides have both addresses; a test speaks IPv4, or IPv6 where RILL_TEST_FAMILY is 6.

The namespace is the test's own and has no name: it ends, with every tap in it, when the last process
in it has ended. So tests neither collide nor leave anything behind.

The programs' paths come in the environment: RILL_ECHO, RILL_ECHO_CLIENT, RILL_CLIENT,
RILL_FRAME_STORM. RILL_SMALL=1 asks for smaller sizes (sanitizers). A test's log goes to its standard
output, rill-echo's to a file whose end is printed when the test fails.
"""
import ctypes
import fcntl
import ipaddress
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

SKIPPED = 77
CLONE_NEWNET = 0x40000000
MSL_MS = 1000
PORT = 7000
SMALL = os.environ.get("RILL_SMALL") == "1"
IS_IP6 = os.environ.get("RILL_TEST_FAMILY") == "6"


class Failure(Exception):
    """What was expected and what was seen, as a sentence."""


def expect(condition, sentence):
    if not condition:
        raise Failure(sentence)


def scaled(full, small):
    return small if SMALL else full


def tool(name):
    path = os.environ.get(name)
    if not path:
        raise Failure(f"{name} is not set: run the tests by meson, which sets it")
    return path


def run(*command, check=True, timeout=60, **more):
    """Runs a program in the namespace; its output as text."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, **more)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit status {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def eventually(seconds, what, condition):
    """Waits until condition() is true; its value. Fails with what() or what after the time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)


def enter_namespace():
    """A namespace for this process and all that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        print("skipped: no new network namespace:", os.strerror(ctypes.get_errno()))
        sys.exit(SKIPPED)
    run("ip", "link", "set", "lo", "up")
    # Of IPv6: addresses are there at once, and stay while a link is down.
    for name, value in (("ipv4/ip_local_port_range", "1024 65535"), ("ipv4/tcp_tw_reuse", "1"),
                        ("ipv6/conf/default/disable_ipv6", "0"), ("ipv6/conf/default/accept_dad", "0"),
                        ("ipv6/conf/default/router_solicitations", "0"),
                        # None is made of a MAC, as a tap's kernel side has the port's at first.
                        ("ipv6/conf/default/addr_gen_mode", "1"),
                        ("ipv6/conf/default/keep_addr_on_down", "1")):
        with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
            file.write(value)


def ip4(n, host):
    return f"10.9.{n}.{host}"


def ip6(n, host):
    return f"2001:db8:9:{n}::{host}"


def kernel_ip(n=0):
    return ip6(n, 1) if IS_IP6 else ip4(n, 1)


def rill_ip(n=0):
    return ip6(n, 2) if IS_IP6 else ip4(n, 2)


def plain_ip(text):
    """The address as programs print it."""
    return str(ipaddress.ip_address(text))


def rill_prefix(n=0):
    """The address with the length of its network, as --ip takes it."""
    return f"{rill_ip(n)}/{64 if IS_IP6 else 24}"


def rill_prefixes(n=0):
    """Those of both families."""
    return f"{ip4(n, 2)}/24,{ip6(n, 2)}/64"


def rill_host(n=0):
    """The address as it stands in a URL."""
    return f"[{rill_ip(n)}]" if IS_IP6 else rill_ip(n)


def tap_up(n=0, wait=30):
    """Gives the kernel's side of tap N its own MAC, an address of each family, and the state up."""
    name = f"rill{n}"
    eventually(wait, f"the tap {name} was not made",
               lambda: os.path.isdir(f"/proc/sys/net/ipv4/conf/{name}"))
    # Until the port starts, which sets it up, the driver gives it the port's MAC once more.
    if "tun type tap" in run("ip", "-d", "link", "show", name):
        eventually(wait, f"the tap {name} was not set up",
                   lambda: ",UP" in run("ip", "link", "show", name))
    mac = f"02:00:00:00:01:{n:02x}"
    for _ in range(2):
        eventually(wait, f"{name} does not keep {mac}",
                   lambda: mac in run("ip", "link", "show", name) or
                   run("ip", "link", "set", name, "address", mac))
        time.sleep(0.1)
    run("ip", "addr", "replace", f"{ip4(n, 1)}/24", "dev", name)
    run("ip", "addr", "replace", f"{ip6(n, 1)}/64", "dev", name, "nodad")
    run("ip", "addr", "replace", f"fe80::9:{n + 1}/64", "dev", name, "nodad")
    run("ip", "link", "set", name, "up")


# Of <linux/sockios.h> and <linux/ethtool.h>: checksums, TSO and GSO.
SIOCETHTOOL = 0x8946
ETHTOOL_SET_OFFLOADS = (0x17, 0x1F, 0x24)


def veth(n=0):
    """A veth pair instead of tap N: the kernel's side is rillN, the other one farN, for a packet socket.
    That tells nothing of checksums that are left to the NIC, so that the kernel leaves nothing."""
    run("ip", "link", "add", f"rill{n}", "type", "veth", "peer", "name", f"far{n}")
    run("ip", "link", "set", f"far{n}", "up")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in ETHTOOL_SET_OFFLOADS:
            off = bytearray(struct.pack("II", command, 0))
            address = (ctypes.c_char * len(off)).from_buffer(off)
            fcntl.ioctl(sock, SIOCETHTOOL,
                        struct.pack("16sP8x", f"rill{n}".encode(), ctypes.addressof(address)))


class Program:
    """A program that runs beside the test, with its output in a file."""

    def __init__(self, name, command):
        self.name = name
        self.log = tempfile.NamedTemporaryFile(prefix=f"{name}-", suffix=".log", mode="w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        Program.running.append(self)

    running = []

    def text(self, start=0):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            file.seek(start)
            return file.read()

    def is_running(self):
        return self.process.poll() is None

    def wait_for(self, pattern, seconds=30, start=0):
        def found():
            match = re.search(pattern, self.text(start))
            if match or self.is_running():
                return match
            raise Failure(f"{self.name} ended with status {self.process.returncode} before it "
                          f"printed /{pattern}/")
        return eventually(seconds, f"{self.name} did not print /{pattern}/", found)

    def send(self, sig):
        self.process.send_signal(sig)

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{self.name} did not end within {seconds} s") from error

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()
        if self in Program.running:
            Program.running.remove(self)


class Echo(Program):
    """rill-echo on `taps` taps, or devices of another kind. Extra arguments go to it as they are."""

    def __init__(self, protocol="raw", *extra, taps=1, device="net_tap{0},iface=rill{0}",
                 up=tap_up):
        command = [tool("RILL_ECHO")]
        for n in range(taps):
            command += ["--dev", device.format(n), "--ip", rill_prefixes(n)]
        command += ["--port", str(PORT), "--protocol", protocol, "--idle-sleep", "100",
                    "--msl", str(MSL_MS), "--log-level", "info", *extra]
        super().__init__("rill-echo", command)
        for n in range(taps):
            up(n)
        for n in range(taps):
            self.wait_until_it_answers(n)

    def wait_until_it_answers(self, n):
        def answers():
            if not self.is_running():
                raise Failure(f"rill-echo ended with status {self.process.returncode}")
            return accepts(rill_ip(n))
        eventually(20, f"rill-echo does not accept on {rill_ip(n)}", answers)

    def stats(self):
        """All its counters and levels, as it prints them on SIGUSR1."""
        start = os.path.getsize(self.log.name)
        self.send(signal.SIGUSR1)
        self.wait_for(r"\bend of counters\b", 5, start)
        found = re.findall(r"^(\w+) (\d+)$", self.text(start), flags=re.M)
        return {name: int(value) for name, value in found}

    def levels(self):
        stats = self.stats()
        return {name: stats[name] for name in ("mbufs", "conns", "sidecars", "time_wait")}

    def expect_levels(self, before, seconds):
        """Buffers, connections and side-cars come back to what they were, or less: then, the connection
        that had asked whether it listens was perhaps not over yet."""
        seen = {}

        def is_back():
            seen.update(self.levels())
            return all(seen[name] <= before[name] for name in before)
        eventually(seconds, lambda: f"levels {seen}, before {before}", is_back)

    def terminate(self, seconds=20):
        """Ends as an operator ends it; it must leave with status 0 and nothing in use."""
        self.send(signal.SIGTERM)
        status = self.wait(seconds)
        expect(status == 0, f"rill-echo ended with status {status} after SIGTERM")
        Program.running.remove(self)


# Long enough for TIME-WAIT (2 MSL) and what follows it.
SETTLE_S = 5 + 2 * MSL_MS / 1000


def client_command(*args, ip=None, protocol="raw"):
    return [tool("RILL_ECHO_CLIENT"), "--host", ip or rill_ip(), "--port", str(PORT),
            "--protocol", protocol, "--json", *[str(arg) for arg in args]]


def client(*args, ip=None, protocol="raw", good=True, timeout=120):
    """Runs echo_client; its report. With `good`, every byte and every connection must be right."""
    command = client_command("--timeout", timeout, *args, ip=ip, protocol=protocol)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=timeout + 20)
    expect(done.stdout, f"{' '.join(command)} printed nothing, status {done.returncode}")
    report = json.loads(done.stdout)
    print(" ".join(str(arg) for arg in args), "->", done.stdout.strip())
    if good:
        expect(done.returncode == 0, f"echo_client failed: {report['error']}")
    return report


def connect(ip=None, timeout=10):
    return socket.create_connection((ip or rill_ip(), PORT), timeout=timeout)


def accepts(ip):
    try:
        connect(ip, timeout=1).close()
        return True
    except OSError:
        return False


def read_all(sock):
    parts = []
    while True:
        data = sock.recv(1 << 18)
        if not data:
            return b"".join(parts)
        parts.append(data)


def print_logs():
    for program in Program.running:
        print(f"--- end of the log of {program.name} (pid {program.process.pid})")
        print(program.text()[-8000:])


def main(test):
    """Runs test() in a namespace of its own. Exit status: 0, 1, or 77 (skipped)."""
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("skipped: needs root and /dev/net/tun")
        sys.exit(SKIPPED)
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    enter_namespace()
    status = 1
    try:
        test()
        status = 0
    except Failure as failure:
        print("FAILED:", failure)
    except Exception:  # what a test did not foresee fails it too, with its place
        traceback.print_exc(file=sys.stdout)
    finally:
        if status != 0:
            print_logs()
        for program in list(Program.running):
            program.kill()
    sys.exit(status)
