#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures Rill, the limit and the kernel in one run, by turns; writes result.json and report.html.

usage: run.py --build DIR --out DIR [--only WORD,...] [--quick | --smoke] [--rounds N] [--cores A,B]
              [--stages DIR]

perf/run.sh builds what this needs and calls it. A round takes every point once (points.py); the points'
figures are medians over the rounds, ratios are taken within a round. A point that fails is reported and
left out, and the exit status is 1. --stages names a build with -Dprofile=true, which times a turn's stages.
"""
import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import figures
import hotspots
import kernel
import machine
import points
import report
import targets
import veth

TIMEOUT_S = 1800  # of one run: the largest opens ten million connections
ATTEMPTS = 3


class Bench:
    """The programs, and what they need around them."""

    def __init__(self, args):
        self.build = args.build
        self.stages_build = args.stages
        self.cores = args.cores
        self.effort = points.EFFORTS[args.mode]
        self.kernels = None

    def output_of(self, *command, **arguments):
        """What a program prints as JSON."""
        words = [*command, "--cores", ",".join(str(core) for core in self.cores)]
        for name, value in arguments.items():
            words += [f"--{name}", str(value)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        try:
            output, errors = process.communicate(timeout=TIMEOUT_S)
        except BaseException:  # whatever ends this run ends what polls for it, too
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if process.returncode != 0:
            raise veth.Problem(f"{' '.join(words)}: status {process.returncode}: {errors.strip()}")
        return json.loads(output)

    def stages(self, arguments):
        return self.ring(arguments, self.stages_build)

    def ring(self, arguments, build=None):
        program = os.path.join(build or self.build, "perf", "e2e", "wire_ring")
        for _ in range(ATTEMPTS):
            run = self.output_of(program, "--json", **arguments)
            if run["rounds_used"] > 0:
                return figures.of_ring(run)
        raise veth.Problem(f"{run['command']}: no pair could be used: the mean bursts of the two sides differed")

    def memif(self, arguments):
        script = os.path.join(machine.ROOT, "perf", "e2e", "memif.py")
        return figures.of_memif(self.output_of(sys.executable, script, "--build", self.build, **arguments))

    def hotspots(self, arguments):
        return hotspots.run(self.build, **arguments)

    def kernel(self, arguments):
        """Under both settings of RPS, one after another."""
        if self.kernels is None:
            self.kernels = [kernel.Kernel(self.build, *self.cores, rps) for rps in (True, False)]
        seconds = self.effort.kernel_seconds
        runs = [each.run(**arguments, seconds=seconds, warm_up=seconds / 3)
                if each.veth.rps or index else None for index, each in enumerate(self.kernels)]
        return figures.better_of(*runs)

    def run(self, point):
        runners = {"ring": self.ring, "veth": self.kernel, "memif": self.memif,
                   "none": self.hotspots, "stages": self.stages}
        return runners[point.wire](point.arguments)

    def close(self):
        for each in self.kernels or []:
            each.close()


def describe_point(point):
    return {"name": point.name, "group": point.group, "wire": point.wire, "what": point.what,
            "rival": point.rival, "command": None, "runs": []}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def measure(bench, chosen, result, rounds):
    """All rounds; what they find goes into the result."""
    described = {each["name"]: each for each in result["points"]}
    for number in range(1, rounds + 1):
        for point in chosen:
            entry = described[point.name]
            if number > point.rounds(bench.effort, rounds):
                continue
            started = time.monotonic()
            try:
                run = bench.run(point)
            except (veth.Problem, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as problem:
                result["problems"].append(f"{point.name}, round {number}: {problem}")
                say(f"round {number} of {rounds}: {point.name}: FAILED: {problem}")
                continue
            entry["runs"].append({"round": number, **run})
            entry["command"] = run["command"]
            say(f"round {number} of {rounds}: {point.name}, {time.monotonic() - started:.1f} s")
        result["load_average"].append(machine.load())


def conclude(result, started):
    """Figures and targets, from the runs."""
    result["seconds"] = round(time.monotonic() - started, 1)
    figures.add_figures(result)
    result["targets"] = targets.evaluate(result, result["baseline"])


def write(result, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "result.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    report.write(result, os.path.join(folder, "report.html"))
    say(f"wrote {path} and report.html beside it")


def cores_of(text):
    cores = [int(word) for word in text.split(",")]
    if len(cores) != 2:
        raise ValueError(text)
    return cores


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default=[], type=lambda text: text.split(","))
    parser.add_argument("--quick", dest="mode", action="store_const", const="quick", default="full")
    parser.add_argument("--smoke", dest="mode", action="store_const", const="smoke")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--stages")
    parser.add_argument("--cores", type=cores_of)
    args = parser.parse_args()
    unknown = sorted(set(args.only) - set(points.WORDS))
    if unknown:
        parser.error(f"--only {','.join(unknown)}: the words are {', '.join(points.WORDS)}")
    if args.rounds is not None and args.rounds < 1:
        parser.error("--rounds: at least 1")
    if args.cores is None:
        allowed = sorted(os.sched_getaffinity(0))
        args.cores = [allowed[0], allowed[min(1, len(allowed) - 1)]]
    args.rounds = args.rounds or points.EFFORTS[args.mode].rounds
    return args


def main():
    args = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was measured until then is written
    started = time.monotonic()
    chosen = points.select(args.mode, args.only, args.stages is not None)
    result = {"format": 1, "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
              "commit": machine.commit(), "machine": machine.describe(), "baseline": machine.baseline(),
              "command": " ".join(["perf/run.sh", *sys.argv[1:]]), "mode": args.mode,
              "rounds": args.rounds, "cores": args.cores, "load_average": [machine.load()],
              "problems": [], "points": [describe_point(point) for point in chosen]}
    bench = Bench(args)
    try:
        measure(bench, chosen, result, args.rounds)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            bench.close()
        except (veth.Problem, OSError) as problem:
            result["problems"].append(str(problem))
        conclude(result, started)
        write(result, args.out)
    for row in result["targets"]:
        if row["figure"]:
            say(report.target_line(row))
    sys.exit(1 if result["problems"] else 0)


if __name__ == "__main__":
    main()
