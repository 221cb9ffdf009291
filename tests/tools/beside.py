#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rill beside Linux: the same bulk transfers through the impairment box, completion times side by side.

usage: beside.py [--build DIR] [--out PREFIX] [--pairs N] [--modes MODE,...] [--points PATTERN]
                 [--set OPTION=VALUE]... [--report]

A point is a loss (%), a round-trip time (ms), and with or without reordering. At each point N rounds
are run; in a round every mode runs once, one after another, under the same seed of the box:

    rl  Rill sends, Linux receives         ll  Linux sends (CUBIC), Linux receives
    lr  Linux sends, Rill receives         rr  Rill sends, Rill receives

Completion time: from the sender's connect call to the receiver's last byte. The ratio of a pair is
Linux's time (ll) divided by that of Rill as the sender (rl): above 1, Rill was faster.

Every run is appended to PREFIX.tsv at once; what is there already for this commit and these arguments
is not run again, so an interrupted series goes on where it was. PREFIX.md is made from PREFIX.tsv
alone, at the end or by --report. Needs root. Not part of CI.
"""
import argparse
import fnmatch
import math
import os
import platform
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "interop"))
import impaired  # noqa: E402
import rig  # noqa: E402

RATE_MBIT = 100
LOSSES = ("0", "0.1", "1", "3")
RTTS_MS = (1, 20, 100)
REORDER_PERCENT = 2
REORDER_EXTRA_RTTS = 0.25  # a reordered packet is late by up to this share of the round-trip time
TIMEOUT_S = 100
ATTEMPTS = 3

# Bytes of a transfer: what Linux sends in two to four seconds.
SIZES = {
    ("0", 1): 24_000_000, ("0.1", 1): 24_000_000, ("1", 1): 20_000_000, ("3", 1): 8_000_000,
    ("0", 20): 24_000_000, ("0.1", 20): 8_000_000, ("1", 20): 2_500_000, ("3", 20): 1_200_000,
    ("0", 100): 16_000_000, ("0.1", 100): 3_000_000, ("1", 100): 1_000_000, ("3", 100): 600_000,
}

FIELDS = ("setup", "mode", "loss", "rtt", "reorder", "bytes", "round", "seed", "seconds", "data",
          "lost", "queue_dropped", "reordered", "late_us_mean", "late_us_most", "retransmits", "rtos")


class Point:
    def __init__(self, loss, rtt, reorder):
        self.loss, self.rtt, self.reorder = loss, rtt, reorder
        self.size = SIZES[loss, rtt]
        self.name = f"loss{loss}-rtt{rtt}" + ("-reorder" if reorder else "")

    def impairment(self):
        more = ["--reorder", str(REORDER_PERCENT), "--reorder-extra",
                str(self.rtt * REORDER_EXTRA_RTTS)] if self.reorder else []
        return ["--delay", str(self.rtt / 2), "--rate", str(RATE_MBIT), "--loss", self.loss, *more]

    def seed(self, number):
        """Different at each point, but for reordering, so that its cost is seen alone."""
        return 1000 * (1 + LOSSES.index(self.loss) * len(RTTS_MS) + RTTS_MS.index(self.rtt)) + number


POINTS = [Point(loss, rtt, reorder) for reorder in (False, True) for rtt in RTTS_MS for loss in LOSSES]


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                          check=True).stdout.strip()


def commit():
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return output_of("git", "rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.machine()


def sysctl(name):
    with open("/proc/sys/net/ipv4/" + name, encoding="ascii") as file:
        return " ".join(file.read().split())


def setup_of(args):
    """All that two runs must have in common to stand in one table, in a line."""
    return ", ".join([
        f"commit {commit()}", cpu_model(), f"{os.cpu_count()} cores", f"Linux {platform.release()}",
        f"DPDK {output_of('pkg-config', '--modversion', 'libdpdk')}",
        f"tcp_rmem {sysctl('tcp_rmem')}", f"tcp_wmem {sysctl('tcp_wmem')}",
        f"rate {RATE_MBIT} Mbit/s", f"Rill's options {' '.join(args.set) or 'default'}"])


def read_rows(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    return [dict(zip(FIELDS, line)) for line in lines[1:] if len(line) == len(FIELDS)]


def append_row(path, row):
    fresh = not os.path.exists(path)
    with open(path, "a", encoding="utf-8") as file:
        if fresh:
            file.write("\t".join(FIELDS) + "\n")
        file.write("\t".join(str(row[field]) for field in FIELDS) + "\n")


def end_of(kind, side, args):
    if kind == "l":
        return impaired.Kernel(side, "cubic")
    more = ["--timeout", str(TIMEOUT_S)]
    for option in args.set:
        more += ["--set", option]
    return impaired.Rill(side, more)


def run_once(args, point, mode, number):
    """One transfer, as a row. One that the machine disturbed (frames lost beside the box) is repeated."""
    impairment = point.impairment()
    if args.pcap:
        impairment += ["--pcap", os.path.join(args.pcap, f"{point.name}-{mode}-{number}.pcap")]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            done = impaired.transfer(end_of(mode[0], "left", args),
                                     end_of(mode[1], "right", args), point.size,
                                     point.seed(number), impairment, TIMEOUT_S)
            break
        except rig.Failure as failure:
            print(f"{point.name} {mode}: attempt {attempt} failed: {failure}")
            if attempt == ATTEMPTS:
                raise
    box = done["box"]
    return {"setup": args.setup, "mode": mode, "loss": point.loss, "rtt": point.rtt,
            "reorder": int(point.reorder), "bytes": point.size, "round": number,
            "seed": point.seed(number), "seconds": f"{done['seconds']:.4f}",
            "data": box["to_right"]["data"], "lost": box["to_right"]["lost_data"],
            "queue_dropped": box["to_right"]["queue_dropped"],
            "reordered": box["to_right"]["reordered"], "late_us_mean": box["late_us_mean"],
            "late_us_most": box["late_us_most"], "retransmits": done["sent"].get("retransmits", ""),
            "rtos": done["sent"].get("rtos", 0 if mode[0] == "r" else "")}


def measure(args):
    path = args.out + ".tsv"
    rows = read_rows(path)
    rig.expect(all(row["setup"] == args.setup for row in rows),
               f"{path} holds runs of another setup: move it away")
    done = {(row["mode"], row["loss"], row["rtt"], row["reorder"], row["round"]) for row in rows}
    warm = False
    for point in args.points:
        for number in range(1, args.pairs + 1):
            for mode in args.modes:
                key = (mode, point.loss, str(point.rtt), str(int(point.reorder)), str(number))
                if key in done:
                    continue
                if not warm:
                    for each in args.modes:
                        run_once(args, point, each, 0)
                    warm = True
                row = run_once(args, point, mode, number)
                append_row(path, row)
                print(point.name, number, mode, row["seconds"], "s", flush=True)


def spread(values):
    """Median [least .. most], marked where the spread is over a fifth of the median."""
    middle = statistics.median(values)
    wide = " *" if max(values) - min(values) > 0.2 * middle else ""
    return f"{middle:.3f} [{min(values):.3f} .. {max(values):.3f}]{wide}"


def ratios(times):
    """Linux's time over Rill's, pair by pair."""
    both = sorted(set(times.get("ll", ())) & set(times.get("rl", ())))
    return [times["ll"][n] / times["rl"][n] for n in both]


def table(rows, modes):
    """Lines of the table, and the median ratio of each point."""
    lines = ["| point | MB | " + " | ".join(f"{mode}, s" for mode in modes) + " | ll/rl | pairs |",
             "|---" * (4 + len(modes)) + "|"]
    medians = {}
    for point in POINTS:
        times, size = {}, 0
        for row in rows:
            if (row["loss"], row["rtt"], row["reorder"]) == (point.loss, str(point.rtt),
                                                             str(int(point.reorder))):
                times.setdefault(row["mode"], {})[row["round"]] = float(row["seconds"])
                size = int(row["bytes"])
        if not times:
            continue
        pairs = ratios(times)
        if pairs:
            medians[point.name] = statistics.median(pairs)
        cells = [spread(list(times[mode].values())) if mode in times else "" for mode in modes]
        lines.append(f"| {point.name} | {size / 1e6:g} | " + " | ".join(cells)
                     + f" | {spread(pairs) if pairs else ''} | {len(pairs)} |")
    return lines, medians


def report(args):
    rows = read_rows(args.out + ".tsv")
    modes = [mode for mode in ("rl", "ll", "lr", "rr") if any(row["mode"] == mode for row in rows)]
    lines, medians = table(rows, modes)
    late = [float(row["late_us_mean"]) for row in rows]
    text = ["# Rill beside Linux", "", "Made by `tests/tools/beside.py`, which says what is measured; "
            "no figure is written by hand.", ""]
    text += [f"- {setup}" for setup in sorted({row["setup"] for row in rows})]
    text += [f"- the box was late by {statistics.median(late):.0f} µs in the median of the runs, by "
             f"{max(late):.0f} µs in the worst (means of a run)",
             f"- `reorder`: {REORDER_PERCENT} % of the packets late by up to {REORDER_EXTRA_RTTS:g} "
             "round-trip times; queue: what the link carries in a round trip, 32 packets at least",
             "- seconds: median [least .. most], * where that is more than 20 % apart", ""]
    text += lines
    if medians:
        mean = math.exp(statistics.fmean(math.log(value) for value in medians.values()))
        below = [name for name, value in medians.items() if value < 0.95]
        text += ["", f"Geometric mean of the {len(medians)} median ratios: {mean:.3f}. "
                 f"Points below 0.95: {', '.join(below) or 'none'}."]
    with open(args.out + ".md", "w", encoding="utf-8") as file:
        file.write("\n".join(text) + "\n")
    print("\n".join(text))


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--out", default=os.path.join(ROOT, "perf", "beside", "linux"))
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--modes", default="rl,ll", type=lambda text: text.split(","))
    parser.add_argument("--points", default="*", help="names, with *, separated by commas")
    parser.add_argument("--set", action="append", default=[], help="an option of Rill")
    parser.add_argument("--pcap", help="a folder for traces of what the senders see")
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    patterns = args.points.split(",")
    args.points = [point for point in POINTS
                   if any(fnmatch.fnmatch(point.name, pattern) for pattern in patterns)]
    if not args.points or not set(args.modes) <= {"rl", "ll", "lr", "rr"}:
        parser.error("no such point or mode")
    return args


def main():
    args = parse()
    if args.report:
        report(args)
        return
    for name, program in (("RILL_IMPAIR", "impair"), ("RILL_BULK", "rill_bulk")):
        os.environ[name] = os.path.abspath(os.path.join(args.build, "tests", "tools", program))
    args.setup = setup_of(args)
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)

    def work():
        measure(args)
        report(args)
    rig.main(work)


if __name__ == "__main__":
    main()
