# SPDX-License-Identifier: BSD-3-Clause
"""One bulk transfer through the impairment box, by Rill or by the kernel on either side.

    sender                                                                          receiver
    10.9.0.1  kernel in a namespace of its own ── left ─┐        ┌─ right ── the same   10.9.0.2
              or rill_bulk, net_tap0 ────────── left ───┤ impair ├─ right ── the same

The box runs in the namespace of the caller (rig.main), where no interface has an address. A kernel's
interface is a tap of the box, moved to the kernel's namespace; Rill's is the tap that net_tap makes, to
which the box holds a packet socket. So all frames are at most 1514 bytes long, whoever made them.

The kernels use TCP_CONGESTION as told, and keep no metrics from one transfer to the next.

The programs' paths come in the environment: RILL_IMPAIR, RILL_BULK.
"""
import contextlib
import ctypes
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time

from rig import CLONE_NEWNET, Failure, Program, eventually, expect, run, tool

# Of both ends, below the box's.
PRIORITY = 5
# Of a lane of Rill's: little beside the shortest round trip, 1 ms.
IDLE_SLEEP_US = 20

IP = {"left": "10.9.0.1", "right": "10.9.0.2"}
PORT = 7000
LIBC = ctypes.CDLL(None, use_errno=True)


def hurry(pid):
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(PRIORITY))


class Namespace:
    """A network namespace that lives as long as this process. `with` enters it."""

    def __init__(self):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        expect(LIBC.unshare(CLONE_NEWNET) == 0, "no new network namespace")
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"
        run("ip", "link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/tcp_no_metrics_save", "w", encoding="ascii") as file:
            file.write("1")
        LIBC.setns(home, CLONE_NEWNET)
        os.close(home)
        self.home = None

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        expect(LIBC.setns(self.fd, CLONE_NEWNET) == 0, "cannot enter the namespace")

    def __exit__(self, *_):
        LIBC.setns(self.home, CLONE_NEWNET)
        os.close(self.home)


class Kernel:
    """The kernel on one side, in a namespace that all transfers of this process share."""
    spaces = {}

    def __init__(self, side, congestion_control):
        self.side = side
        self.iface = f"tap:{side}"
        self.congestion_control = congestion_control
        self.space = Kernel.spaces.get(side) or Kernel.spaces.setdefault(side, Namespace())
        self.child = self.pipe = None

    def plug(self):
        """Takes its tap, which the box has made."""
        run("ip", "link", "set", self.side, "netns", self.space.path)
        with self.space:
            run("ip", "addr", "add", f"{IP[self.side]}/24", "dev", self.side)
            run("ip", "link", "set", self.side, "up")

    def socket(self):
        with self.space:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.congestion_control.encode())
        return sock

    def start(self, work, *args):
        """Runs work(*args) in a child, which hands its result back through a pipe."""
        self.pipe, end = os.pipe()
        self.child = os.fork()
        if self.child:
            os.close(end)
            return
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            hurry(0)
            with os.fdopen(end, "w", encoding="ascii") as file:
                file.write(json.dumps(work(*args)))
            os._exit(0)
        except OSError as error:
            print(f"kernel, {self.side}: {error}", flush=True)
        finally:
            os._exit(1)

    def receive(self):
        listener = self.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((IP[self.side], PORT))
        listener.listen(1)
        self.start(kernel_receive, listener)
        listener.close()

    def send(self, size, seed):
        sock = self.socket()
        self.start(kernel_send, sock, random.Random(seed).randbytes(size))
        sock.close()

    def go(self):
        """The kernel is always ready."""

    def result(self):
        with os.fdopen(self.pipe, encoding="ascii") as file:
            text = file.read()
        os.waitpid(self.child, 0)
        self.child = None
        expect(text, f"the kernel's transfer failed on the {self.side}")
        return json.loads(text)

    def dropped(self):
        with self.space:
            return dropped_by(self.side)

    def end(self):
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)


def kernel_receive(listener):
    conn, _ = listener.accept()
    digest, count, last = hashlib.sha256(), 0, 0
    buffer = bytearray(1 << 18)
    while (n := conn.recv_into(buffer)) > 0:
        last = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        digest.update(memoryview(buffer)[:n])
        count += n
    return {"last_ns": last, "bytes": count, "sha256": digest.hexdigest()}


def kernel_send(sock, data):
    digest = hashlib.sha256(data).hexdigest()
    begun = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    sock.connect((IP["right"], PORT))
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)
    return {"begun_ns": begun, "bytes": len(data), "sha256": digest}


class Rill:
    """rill_bulk on one side. `more` are further arguments of its.

    A lane owns its core, and a kernel's TCP answers from interrupts; on a machine of a few cores the
    lane would lose its own to any other process for milliseconds. So it has real-time priority, as the
    processes that use the kernel's TCP have it, and sleeps a little when it has nothing to do.
    """

    def __init__(self, side, more=()):
        self.side = side
        self.iface = f"if:{side}"
        self.more = list(more)
        self.process = None
        self.log = tempfile.TemporaryFile(mode="w+")

    def start(self, *args):
        command = [tool("RILL_BULK"), "--dev", f"net_tap0,iface={self.side}", "--ip",
                   f"{IP[self.side]}/24", "--port", str(PORT), "--idle-sleep",
                   str(IDLE_SLEEP_US), *self.more, *args]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        while (line := self.process.stdout.readline()) != "created\n":
            expect(line, f"{' '.join(command)} ended with status {self.process.wait()}: "
                   f"{self.said()}")
        hurry(self.process.pid)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def receive(self):
        self.start()

    def send(self, size, seed):
        self.start("--send", str(size), "--to", IP["right"], "--seed", str(seed))

    def plug(self):
        """Its tap is where the box looks for it."""

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        text = self.process.stdout.read()
        self.process.wait()
        expect(self.process.returncode == 0, f"rill_bulk on the {self.side}: status "
               f"{self.process.returncode}: {text.strip()} {self.said()}")
        return json.loads(text.splitlines()[-1])

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in (self.process.stdin, self.process.stdout) if self.process else ():
            file.close()


def dropped_by(iface):
    """Frames to the box that the interface dropped by itself."""
    for line in run("ip", "-j", "-s", "link", "show", "dev", iface, check=False).splitlines():
        if line.startswith("["):
            return json.loads(line)[0]["stats64"]["tx"]["dropped"]
    return 0


def transfer(sender, receiver, size, seed, impairment, timeout=120):
    """Sends `size` bytes from the left to the right; a dict with seconds, the reports of both, and the
    box's. Fails unless every byte came, and every frame that the box did not drop was carried."""
    ends = (sender, receiver)
    box = None
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(timeout)
    try:
        if isinstance(receiver, Rill):
            receiver.receive()
        if isinstance(sender, Rill):
            sender.send(size, seed)
        box = Program("impair", [tool("RILL_IMPAIR"), "--left", sender.iface, "--right",
                                 receiver.iface, "--seed", str(seed), *impairment])
        box.wait_for("^ready$")
        for end in ends:
            end.plug()
        if isinstance(receiver, Kernel):
            receiver.receive()
        receiver.go()
        if isinstance(sender, Kernel):
            sender.send(size, seed)
        sender.go()
        got, sent = receiver.result(), sender.result()
        drops = {end.side: end.dropped() for end in ends if isinstance(end, Kernel)}
        box.send(signal.SIGTERM)
        expect(box.wait(10) == 0, "the box failed")
        counts = json.loads(box.text().splitlines()[-1])
    finally:
        signal.alarm(0)
        for end in ends:
            end.end()
        if box:
            box.kill()
    expect(got["bytes"] == size and got["sha256"] == sent["sha256"],
           f"sent {size} bytes, got {got['bytes']}, or others")
    for name in ("to_left", "to_right"):
        for key in ("oversize", "refused", "socket_drops"):
            expect(counts[name][key] == 0, f"the box, {name}: {counts[name][key]} frames {key}")
    expect(sum(drops.values()) == 0, f"taps dropped frames: {drops}")
    return {"seconds": (got["last_ns"] - sent["begun_ns"]) / 1e9, "sent": sent, "got": got,
            "box": counts}


def too_long(*_):
    raise Failure("the transfer took too long")
