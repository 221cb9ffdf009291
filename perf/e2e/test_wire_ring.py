#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wire_ring does what it says, on both sides: every message is answered, every frame is looked at in
full, every connection that was opened is closed, nothing is left over (its exit status says that), and
its result is JSON with the same counts. No figure is judged.

usage: test_wire_ring.py WIRE_RING
"""
import json
import subprocess
import sys

MESSAGES = 3000
ROUNDS = 2

RUNS = [
    # what, options, connections, frames in of a message; None: not said
    ("echo", ["--connections", "100"], 100, None),
    ("echo", ["--connections", "1", "--order", "turns"], 1, 1),
    ("echo", ["--connections", "300", "--size", "1024", "--checksums", "wire"], 300, None),
    ("echo", ["--connections", "20000", "--unacked", "4096", "--timestamps", "off"], 20000, None),
    ("sink", ["--connections", "50"], 50, 1),
    ("rate", ["--connections", "200", "--burst", "1"], None, 5),
]


def run(program, work, options):
    command = [program, "--json", "--work", work, "--messages", str(MESSAGES), "--rounds", str(ROUNDS),
               "--check", "1"] + options
    print(" ".join(command), flush=True)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got}, expected {wanted}")


def check(result, connections, frames):
    all_messages = MESSAGES * (ROUNDS + 1)  # one slice warms up
    for side in ("rill", "limit"):
        counts = result[side]
        expect(f"{side}: messages", counts["messages"], all_messages)
        expect(f"{side}: opened", counts["opened"], connections or all_messages)
        expect(f"{side}: closed", counts["closed"], counts["opened"])
        if counts["checked"] == 0 or counts["cycles_per_message"]["median"] <= 0:
            sys.exit(f"{side}: nothing was looked at, or nothing counted: {counts}")
        if frames and counts["repeated"] == 0 and counts["interrupted_turns"]["most"] == 0:
            expect(f"{side}: frames of a message",
                   round(counts["frames_in_per_message"]["median"], 1), float(frames))
    expect("rounds", result["rounds"], ROUNDS)


def main():
    for work, options, connections, frames in RUNS:
        check(run(sys.argv[1], work, options), connections, frames)


main()
