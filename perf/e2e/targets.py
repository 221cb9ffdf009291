# SPDX-License-Identifier: BSD-3-Clause
"""What Rill is to reach, and whether a result reaches it.

Ratios bind everywhere, absolute values on the machine that perf/baseline/machine.json names.
"""
import figures


class Target:
    def __init__(self, words, point, path, bound, wanted, unit="", absolute=False, factor=1):
        self.words = words
        self.point, self.path = point, path  # of the figure that decides
        self.bound = bound                   # "most" or "least"
        self.wanted = wanted
        self.unit = unit
        self.absolute = absolute
        self.factor = factor                 # of what is wanted and shown, to the figure


TARGETS = [
    Target("64-byte echo, 1,000 connections, ring: server cycles per message, Rill to the limit",
           "echo-64-1000", "ratio.cycles_per_message", "most", 1.5, "×"),
    Target("64-byte echo, 1,000,000 connections, ring: server cycles per received frame, Rill to the limit",
           "echo-64-1000000", "ratio.cycles_per_frame", "most", 1.6, "×"),
    Target("open, request, response and close, ring: server cycles",
           "rate", "rill.cycles_per_message", "most", 1500, "cycles", absolute=True),
    Target("open, request, response and close: connections per core to the kernel's per busy core",
           "rate", "kernel_ratio", "least", 40, "×"),
    Target("64-byte echo, 1,000 connections: rate per core to the kernel's per busy core",
           "echo-64-1000", "kernel_ratio", "least", 25, "×"),
    Target("bulk in, 1,460-byte segments, ring: frame rate to the limit's",
           "bulk-in", "limit_share", "least", 0.6, "×"),
    Target("bulk out, 1,460-byte segments, ring: frame rate to the limit's",
           "bulk-out", "limit_share", "least", 0.6, "×"),
    Target("overload, ring: goodput at twice the closed loop's rate, to that rate",
           "overload", "open_loop.load_200.rill.goodput", "least", 0.95, "×"),
    Target("latency, ring: p99 at half load, in turns of the loop",
           "latency", "open_loop.load_50.rill.p99_turns", "most", 3, "turns"),
    Target("10,000,000 connections, ring: what the server's process holds",
           "memory-10000000", "memory.rill.server", "most", 4, "GiB", factor=2**-30),
    Target("10,000,000 connections, ring: cycles per echo, to 10,000 connections",
           "memory-10000000", "growth.cycles_per_message", "most", 2, "×"),
    Target("memif, two processes: 64-byte echoes a second per core, 1,000 connections",
           "memif-echo", "rill.messages_per_s", "least", 5e6, "a second", absolute=True),
    Target("memif: connections a second", "memif-connect", "rill.messages_per_s", "least", 1.5e6, "a second",
           absolute=True),
    Target("memif: bulk at 1,400 bytes, Gbit/s each way", "memif-bulk", "rill.gbit_per_s_each_way", "least",
           40, "Gbit/s", absolute=True),
    Target("memif: 64-byte echoes, to the limit's", "memif-echo", "ratio.messages_per_s", "least", 0.5, "×"),
    Target("memif: bulk, to the limit's", "memif-bulk", "ratio.messages_per_s", "least", 0.6, "×"),
]


def met(target, value):
    return value <= target.wanted if target.bound == "most" else value >= target.wanted


def distance_percent(target, value):
    """By how much it is better (positive) or worse than what is wanted."""
    if target.bound == "most":
        return 100 * (target.wanted - value) / target.wanted
    return 100 * (value - target.wanted) / target.wanted


def same_machine(machine, baseline):
    """Whether absolute values bind: every property that the baseline names is this machine's."""
    return all(machine.get(name) == value for name, value in baseline["machine"].items())


def evaluate(result, baseline):
    """A row for each target."""
    rows = []
    here = same_machine(result["machine"], baseline)
    for target in TARGETS:
        figure = figures.scaled(figures.find(result, target.point, target.path), target.factor)
        if figure and figure["median"] <= 0:  # no turn was counted, say
            figure = None
        row = {"words": target.words, "bound": target.bound, "wanted": target.wanted, "unit": target.unit,
               "point": target.point, "path": target.path, "figure": figure,
               "binds": here or not target.absolute}
        if figure:
            row["reached"] = met(target, figure["median"])
            row["distance_percent"] = distance_percent(target, figure["median"])
        rows.append(row)
    return rows
