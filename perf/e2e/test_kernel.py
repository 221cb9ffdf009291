#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's baseline does what it says: every kind of work goes over the veth, with and without RPS and
offloads, no connection fails, and the result has what a report needs. No figure is judged.

usage: test_kernel.py BUILD_ROOT
Skipped without root.
"""
import os
import sys

import kernel
from veth import Problem

SKIPPED = 77
SECONDS = 0.15
RUNS = [
    # work, size, connections, offloads
    ("echo", 64, 1, True),
    ("echo", 1024, 300, True),
    ("rate", 64, 20, True),
    ("sink", kernel.BULK_CALL, 2, True),
    ("source", kernel.BULK_CALL, 2, False),
]


def expect(condition, sentence):
    if not condition:
        sys.exit(f"FAILED: {sentence}")


def check(result, work, size, connections):
    print(result, flush=True)
    expect(result["failed"] == 0, f"{result['failed']} connections failed")
    expect(result["connections"] == connections and result["size"] == size, "it ran something else")
    expect(0 < result["server_core"]["busy_share"] <= 1, "the server's core was not looked at")
    expect(result["per_busy_core"] > 0, "no rate")
    if kernel.bulk(work):
        expect(result["bytes"] > 0 and result["messages"] == 0, "no bytes, or messages of bulk")
    else:
        expect(result["bytes"] >= size * (result["messages"] - connections) > 0,
               "fewer bytes than the messages have")
        expect(result["opened"] > 0 if work == "rate" else result["opened"] == 0,
               f"{result['opened']} connections were opened meanwhile")


def main():
    cores = sorted(os.sched_getaffinity(0))
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(SKIPPED)
    for rps in (True, False):
        try:
            baseline = kernel.Kernel(sys.argv[1], cores[0], cores[-1], rps)
        except Problem as problem:
            print("skipped:", problem)
            sys.exit(SKIPPED)
        for work, size, connections, offloads in RUNS:
            check(baseline.run(work, size, connections, seconds=SECONDS, warm_up=0.05,
                               offloads=offloads), work, size, connections)
        baseline.close()


main()
