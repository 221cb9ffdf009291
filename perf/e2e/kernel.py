#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's TCP as baseline: kernel_echo and kernel_load over a veth, one core each.

usage: kernel.py --build DIR [--cores A,B] [--work echo|rate|sink|source] [--size BYTES]
                 [--connections N] [--inflight N] [--seconds S] [--warm-up S] [--no-offloads] [--no-rps]

Prints a JSON object: what was counted, what the server's core did meanwhile (softirq included), and the
rate per busy core: the rate divided by the share of the time that the server's core was busy. Needs root.
"""
import argparse
import json
import os
import subprocess
import sys

from veth import Problem, SERVER_IP, Veth, source_ips

PORT = 7000
BULK_CALL = 65536


def softirq_thread(core):
    """The process that does a core's softirq when there is much of it; an empty list where it is not seen."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
                if file.read().strip() == f"ksoftirqd/{core}":
                    return [pid]
        except OSError:  # it has ended meanwhile
            pass
    return []


def bulk(work):
    return work in ("sink", "source")


class Kernel:
    """The veth and both programs. A server runs for one measurement."""

    def __init__(self, build, server_core, client_core, rps=True):
        self.folder = os.path.join(build, "perf", "e2e")
        self.cores = (server_core, client_core)
        self.veth = Veth(server_core, client_core, rps)

    def server(self, work, size):
        command = [os.path.join(self.folder, "kernel_echo"), "--listen", SERVER_IP, "--port", str(PORT),
                   "--work", work, "--size", str(size), "--core", str(self.cores[0])]
        with self.veth.server:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline() != "ready\n":
                raise Problem(f"{' '.join(command)}: it does not listen")
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def load_command(self, work, size, connections, inflight, seconds, warm_up):
        return [os.path.join(self.folder, "kernel_load"), "--target", SERVER_IP, "--port", str(PORT),
                "--sources", ",".join(source_ips()), "--work", work, "--size", str(size),
                "--connections", str(connections), "--inflight", str(inflight),
                "--seconds", f"{seconds:g}", "--warm-up", f"{warm_up:g}",
                "--core", str(self.cores[1]), "--server-core", str(self.cores[0])]

    def run(self, work, size=64, connections=1, inflight=512, seconds=1, warm_up=0.3, offloads=True):
        self.veth.offloads(offloads)
        server = self.server("echo" if work == "rate" else work, BULK_CALL)
        command = self.load_command(work, size, connections, inflight, seconds, warm_up)
        command += ["--server-pids", ",".join([str(server.pid), *softirq_thread(self.cores[0])])]
        try:
            with self.veth.client:
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      check=False, timeout=120 + seconds)
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()
        if done.returncode != 0:
            raise Problem(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        result |= {"wire": "veth", "rps": self.veth.rps, "offloads": offloads,
                   "command": " ".join(os.path.basename(word) for word in command)}
        return add_rates(result)

    def close(self):
        self.veth.close()


def add_rates(result):
    """Rates, and what one core would do that had nothing else to do."""
    busy = result["server_core"]["busy_share"]
    if bulk(result["work"]):
        result["gbit_per_second"] = result["bytes"] * 8 / result["seconds"] / 1e9
        rate = result["gbit_per_second"]
    else:
        result["messages_per_second"] = result["messages"] / result["seconds"]
        rate = result["messages_per_second"]
    result["per_busy_core"] = rate / busy if busy > 0 else None
    return result


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--cores", default="0,1", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--work", default="echo", choices=("echo", "rate", "sink", "source"))
    parser.add_argument("--size", type=int)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--inflight", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warm-up", type=float, default=0.3)
    parser.add_argument("--no-offloads", action="store_true")
    parser.add_argument("--no-rps", action="store_true")
    return parser.parse_args()


def main():
    args = parse()
    try:
        kernel = Kernel(args.build, *args.cores, rps=not args.no_rps)
        size = args.size or (BULK_CALL if bulk(args.work) else 64)
        result = kernel.run(args.work, size, args.connections, args.inflight, args.seconds, args.warm_up,
                            not args.no_offloads)
        kernel.close()
    except Problem as problem:
        sys.exit(f"kernel.py: {problem}")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
