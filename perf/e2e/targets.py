# SPDX-License-Identifier: BSD-3-Clause
"""What Rill is to reach, and whether a result reaches it.

Ratios bind everywhere, absolute values on the machine that perf/baseline/machine.json names.
"""
import figures


class Target:
    def __init__(self, words, point, path, bound, wanted, unit="", absolute=False):
        self.words = words
        self.point, self.path = point, path  # of the figure that decides
        self.bound = bound                   # "most" or "least"
        self.wanted = wanted
        self.unit = unit
        self.absolute = absolute


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
    Target("bulk in, 1,460-byte segments, ring: frame rate to the wire's",
           "bulk-in", "limit_share", "least", 0.6, "×"),
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
        figure = figures.find(result, target.point, target.path)
        row = {"words": target.words, "bound": target.bound, "wanted": target.wanted, "unit": target.unit,
               "point": target.point, "path": target.path, "figure": figure,
               "binds": here or not target.absolute}
        if figure:
            row["reached"] = met(target, figure["median"])
            row["distance_percent"] = distance_percent(target, figure["median"])
        rows.append(row)
    return rows
