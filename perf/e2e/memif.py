#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures rill-echo and the limit over net_memif: the server in one process on one core, the load in
another on another.

  perf/e2e/memif.py --build build-rel [--rounds 5] [--seconds 2] [--works echo,connect,bulk]

In each round the flow player loads first Rill, then the limit (header swap with lookup), with the same
work; ratios are of the two runs of a round. After them rill-load, a TCP client of its own, loads Rill.
The servers' busy time is read from their own counters, in the middle of the measured time.

The result is one JSON object: for each work, what every side did, over the rounds, and who was
saturated: who of server and load had work all the time.
"""
import argparse
import ctypes
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_S = 30        # for a process to be ready
ANSWER_S = 5        # for a server to tell its counters
SATURATED = 0.95    # of the time: who is busy for so long has no more to give
SERVER_MAC = "02:00:00:00:00:01"
CLIENT_MAC = "02:00:00:00:00:02"
NOISE = ("TELEMETRY:", "rte_pmd_memif_probe():")  # what EAL says in a process without siblings

# What the player does, and what rill-load does that is nearest to it.
WORKS = {
    "echo": {"player": ["--work", "echo", "--size", "64"],
             "load": ["--mode", "echo", "--request", "64"], "size": 64, "connections": 1000},
    "connect": {"player": ["--work", "rate", "--size", "64"],
                "load": ["--mode", "connect", "--request", "64"], "size": 64, "connections": 1000},
    "bulk": {"player": ["--work", "echo", "--size", "1400"],
             "load": ["--mode", "echo", "--request", "1400"], "size": 1400, "connections": 1000},
}


def refuse(sentence):
    sys.exit(f"memif.py: {sentence}")


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def stay_on(core):
    """In a child: it keeps to the core, and ends with this script, however that ends."""
    os.sched_setaffinity(0, {core})
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A process on a core, whose lines are read as they come. None outlives this script."""

    running = []

    def __init__(self, command, core):
        self.command = command
        self.lines = []
        self.news = threading.Condition()
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=lambda: stay_on(core))
        Process.running.append(self.process)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    def await_line(self, start, wanted, seconds):
        """Position after the first line from `start` on that is wanted."""
        with self.news:
            until = time.monotonic() + seconds
            while True:
                for at in range(start, len(self.lines)):
                    if self.lines[at] is None:
                        self.fail("ended early")
                    if wanted(self.lines[at]):
                        return at + 1
                start = len(self.lines)
                if not self.news.wait(until - time.monotonic()):
                    self.fail(f"said nothing for {seconds} s")

    def fail(self, what):
        self.errors.seek(0)
        said = [line for line in self.errors.read().splitlines() if not line.startswith(NOISE)]
        refuse(f"{' '.join(self.command)}: {what}; it said: {' '.join(said) or 'nothing'}")

    def end(self, *signals):
        """The exit status."""
        for number in signals:
            if self.process.poll() is None:
                self.process.send_signal(number)
                time.sleep(0.05)
        try:
            return self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.reader.join()
            Process.running.remove(self.process)

    def end_well(self, *signals):
        status = self.end(*signals)
        if status != 0:
            self.fail(f"ended with status {status}")


class Server(Process):
    """rill-echo, or the limit. It says so when its port runs: net_memif's client tries once only."""

    def __init__(self, command, core):
        super().__init__(command, core)
        self.await_line(0, lambda line: line.endswith((": listening", ": serving")), START_S)

    def counters(self):
        start = len(self.lines)
        self.process.send_signal(signal.SIGUSR1)
        end = self.await_line(start, lambda line: line == "end of counters", ANSWER_S)
        pairs = (line.split() for line in self.lines[start:end])
        return {p[0]: int(p[1]) for p in pairs if len(p) == 2 and p[1].isdigit()}


class Wire:
    """A socket of its own for each run: net_memif does not start over a stale one."""

    def __init__(self, directory, args):
        self.socket = os.path.join(directory, "wire.sock")
        self.args = args
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def dev(self, role, mac):
        return (f"net_memif0,role={role},id=0,socket={self.socket},socket-abstract=no,mac={mac}"
                + (f",{self.args}" if self.args else ""))


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.programs = {name: os.path.join(options.build, path) for name, path in (
            ("echo", "apps/rill-echo"), ("load", "apps/rill-load"), ("port", "perf/e2e/wire_port"))}
        self.commands = {}
        for path in self.programs.values():
            if not os.access(path, os.X_OK):
                refuse(f"--build {options.build}: has no {path}; give a build with apps and perf")

    def serve(self, side, work, connections):
        wire = Wire(self.directory, self.options.memif)
        dev = wire.dev("server", SERVER_MAC)
        if side == "limit":
            command = [self.programs["port"], "--role", "limit", "--dev", dev, "--connections",
                       str(connections), "--work", WORKS[work]["player"][1]]
        else:
            command = [self.programs["echo"], "--dev", dev, "--ip", "10.0.0.1/24", "--gateway",
                       "10.0.0.254", "--max-conns", str(2 * connections + 4096)]
        return wire, Server(command, self.options.cores[0]), command

    def remember(self, work, side, *commands):
        """As they would be typed, the temporary directory apart."""
        self.commands.setdefault(work, {})[side] = [
            " ".join(word.replace(self.directory, "DIR") for word in command)
            for command in commands]

    def sample(self, server):
        """Counters of the middle half of the measured time."""
        if self.options.messages:
            return server.counters(), None
        time.sleep(self.options.seconds / 4)
        before = server.counters()
        time.sleep(self.options.seconds / 2)
        return before, server.counters()

    def play(self, side, work):
        """One run of the player against a server. Returns figures."""
        connections = self.options.connections or WORKS[work]["connections"]
        wire, server, serving = self.serve(side, work, connections)
        command = [self.programs["port"], "--role", "player", "--dev",
                   wire.dev("client", CLIENT_MAC), "--server-mac", SERVER_MAC, "--connections",
                   str(connections), *WORKS[work]["player"], "--time", str(self.options.seconds)]
        if self.options.messages:
            command += ["--messages", str(self.options.messages)]
        if self.options.inflight:
            command += ["--inflight", str(self.options.inflight)]
        player = Process(command, self.options.cores[1])
        self.remember(work, side, serving, command)
        begun = player.await_line(0, lambda line: line.endswith(": begin"), START_S)
        before, after = self.sample(server)
        end = player.await_line(begun, lambda line: line.startswith("{"),
                                START_S + self.options.seconds)
        if after is None:
            after = server.counters()
        played = json.loads(player.lines[end - 1])
        server.end_well(signal.SIGINT, signal.SIGINT)  # first, while the other end does not poll
        player.end_well(signal.SIGTERM)
        return figures(played["messages"] / played["seconds"], played["size"], before, after,
                       played["busy_share"], played)

    def load(self, work):
        """One run of rill-load against Rill. Returns figures."""
        connections = self.options.connections or WORKS[work]["connections"]
        wire, server, serving = self.serve("rill", work, connections)
        command = [self.programs["load"], "--dev", wire.dev("client", CLIENT_MAC), "--ip",
                   "10.0.0.200/24", "--target", "10.0.0.1:7000", "--json", "--connections",
                   str(connections), *WORKS[work]["load"], "--time", str(self.options.seconds),
                   "--warmup", "0.5"]
        load = Process(command, self.options.cores[1])
        self.remember(work, "load", serving, command)
        time.sleep(1 + self.options.seconds / 4)
        before = server.counters()
        time.sleep(self.options.seconds / 2)
        after = server.counters()
        load.await_line(0, lambda line: line == "}", START_S + self.options.seconds)
        load.end_well()
        # net_memif may have unmapped the rings while the server polled them: how it ends says nothing.
        server.end(signal.SIGKILL)
        said = [line for line in load.lines if line is not None]
        result = json.loads("\n".join(said[said.index("{"):]))
        rate = result["connections_per_s"] if work == "connect" else result["replies_per_s"]
        found = figures(rate, WORKS[work]["size"], before, after,
                        result["busy_us"] / result["seconds"] / 1e6, None)
        found["reply_p50_us"] = result["reply_us"]["p50"]
        found["reply_p99_us"] = result["reply_us"]["p99"]
        return found


def figures(rate, size, before, after, load_busy, played):
    """What one run says. The server's part is from its counters between two readings."""
    done = {name: after[name] - before[name] for name in before if name in after}
    seconds = done["time_us"] / 1e6
    found = {
        "messages_per_s": rate,
        "gbit_per_s_each_way": rate * size * 8 / 1e9,
        "server_busy_share": done["busy_us"] / done["time_us"] if seconds > 0 else 0,
        "load_busy_share": load_busy,
        "server_ns_per_message": done["busy_us"] * 1e3 / (rate * seconds) if seconds > 0 else 0,
        "mean_burst": done["rx_packets"] / max(1, done["turns_busy"]),
    }
    if played is not None:
        found["frames_in_per_message"] = played["frames_out"] / max(1, played["messages"])
        found["frames_out_per_message"] = played["frames_in"] / max(1, played["messages"])
        found["repeated"] = played["repeated"]
        found["messages"] = played["messages"]
    return found


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def spreads(runs):
    return {name: spread([run[name] for run in runs]) for name in runs[0]}


def saturated(side):
    """Who had no rest: server, load, both or neither."""
    server = side["server_busy_share"]["median"] >= SATURATED
    load = side["load_busy_share"]["median"] >= SATURATED
    return {(True, True): "both", (True, False): "server", (False, True): "load",
            (False, False): "neither"}[server, load]


def measure(bench, work):
    """All rounds of one work; the first, which warms up, does not count."""
    options = bench.options
    runs = {side: [] for side in options.sides}
    for round_number in range(options.rounds + (0 if options.messages else 1)):
        for side in options.sides:
            run = bench.load(work) if side == "load" else bench.play(side, work)
            if round_number > 0 or options.messages:
                runs[side].append(run)
    result = {"work": work, "size": WORKS[work]["size"],
              "connections": options.connections or WORKS[work]["connections"],
              "commands": bench.commands[work]}
    for side, of_side in runs.items():
        result[side] = spreads(of_side)
        result[side]["saturated"] = saturated(result[side])
    if "rill" in runs and "limit" in runs:
        pairs = list(zip(runs["rill"], runs["limit"]))
        result["ratio"] = {name: spread([rill[name] / limit[name] for rill, limit in pairs])
                           for name in ("messages_per_s", "server_ns_per_message")
                           if all(limit[name] > 0 for _, limit in pairs)}
    return result


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT,
                              check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")),
                     "unknown")
    with open("/proc/meminfo", encoding="utf-8") as file:
        pages = next((int(line.split()[1]) for line in file if line.startswith("HugePages_Total")), 0)
    return {"model": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "dpdk": output_of("pkg-config", "--modversion", "libdpdk"), "hugepages": pages > 0}


def parse():
    parser = argparse.ArgumentParser(
        description="Rill and the limit over net_memif, two processes: JSON on stdout.")
    parser.add_argument("--build", default=os.path.join(ROOT, "build-rel"), help="a release build")
    parser.add_argument("--works", default="echo,connect,bulk", help="of echo, connect, bulk")
    parser.add_argument("--sides", default="rill,limit,load",
                        help="of rill, limit (both loaded by the player) and load (rill-load on Rill)")
    parser.add_argument("--rounds", type=int, default=5, help="after one that warms up")
    parser.add_argument("--seconds", type=float, default=2, help="of each run")
    parser.add_argument("--messages", type=int, default=0,
                        help="of each run, instead of seconds: says what works, not how fast")
    parser.add_argument("--connections", type=int, default=0)
    parser.add_argument("--inflight", type=int, default=0, help="messages under way at most")
    parser.add_argument("--memif", default="", help="more arguments of the device, as rsize=9")
    parser.add_argument("--cores", default="", help="of the server and of the load, as 0,1")
    options = parser.parse_args()
    options.works = options.works.split(",")
    options.sides = options.sides.split(",")
    for work in options.works:
        if work not in WORKS:
            refuse(f"--works {work}: is not known; give some of {', '.join(WORKS)}")
    for side in options.sides:
        if side not in ("rill", "limit", "load"):
            refuse(f"--sides {side}: is not known; give some of rill, limit, load")
    if options.rounds < 1 or options.seconds <= 0:
        refuse("--rounds and --seconds: give more than 0")
    allowed = sorted(os.sched_getaffinity(0))
    try:
        options.cores = ([int(core) for core in options.cores.split(",")] if options.cores else
                         [allowed[0], allowed[min(1, len(allowed) - 1)]])
    except ValueError:
        options.cores = []
    if len(options.cores) != 2 or not set(options.cores) <= set(allowed):
        refuse(f"--cores: give two of {', '.join(map(str, allowed))}")
    return options


def kill_all():
    for process in Process.running:
        if process.poll() is None:
            process.kill()
            process.wait()


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="rill-memif-") as directory:
        try:
            bench = Bench(options, directory)
            works = [measure(bench, work) for work in options.works]
        finally:
            kill_all()
    json.dump({"wire": "memif", "command": " ".join(["memif.py", *sys.argv[1:]]),
               "commit": output_of("git", "rev-parse", "--short", "HEAD"), "machine": machine(),
               "cores": options.cores, "checksums": "software", "rounds": options.rounds,
               "seconds": options.seconds, "works": works}, sys.stdout, indent=2)
    print()


main()
