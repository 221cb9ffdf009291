#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wire_ring does what it says, on both sides: every message is answered, every frame is looked at in
full, every connection that was opened is closed, nothing is left over (its exit status says that), and
its result is JSON with the same counts. What an open loop loses at a full ring is sent again. Wrong
options are refused with a sentence. No figure is judged.

usage: test_wire_ring.py WIRE_RING plain|profile
profile: the build counts where turns spend their cycles; plain: it has nothing of it.
"""
import json
import subprocess
import sys

MESSAGES = 3000
ROUNDS = 2
FETCH = 4 * (65536 // 1448)  # segments; fetches are whole

RUNS = [
    # what, options, connections, frames in of a message; None: not said
    ("echo", ["--connections", "100"], 100, None),
    ("echo", ["--connections", "1", "--order", "turns"], 1, 1),
    ("echo", ["--connections", "300", "--size", "1024", "--checksums", "wire"], 300, None),
    ("echo", ["--connections", "20000", "--unacked", "4096", "--timestamps", "off"], 20000, None),
    ("sink", ["--connections", "50"], 50, 1),
    ("rate", ["--connections", "200", "--burst", "1"], None, 5),
]
SOURCES = [
    ["--connections", "20"],
    ["--connections", "1", "--record", "large"],
    ["--connections", "20", "--record", "large", "--checksums", "wire"],
]
OPEN_LOOPS = [
    # options, which of the loads must lose something: all requests are due at once, in turns of one frame
    (["--connections", "200", "--offered", "0.5,20000/s"], []),
    (["--connections", "4000", "--offered", "2,50000000/s", "--rto", "5", "--burst", "1"], [1]),
]
REFUSED = [
    ["--work", "nothing"],
    ["--work", "sink", "--offered", "1"],
    ["--offered", "0"],
    ["--offered", "1,,2"],
    ["--offered", "5/m"],
    ["--offered", "1,1,1,1,1,1,1,1,1"],
    ["--offered", "1", "--connections", "1000000"],
    ["--rto", "0"],
    ["--record", "large"],
    ["--work", "source", "--record", "huge"],
    ["--work", "source", "--size", "100"],
    ["--work", "source", "--size", "1460"],
    ["--work", "source", "--inflight", "65"],
    ["--few", "10"],
    ["--work", "hold", "--who", "limit"],
    ["--work", "hold", "--few", "0"],
]
STAGES = ["rx", "timers", "classify", "lookup", "segments", "mail", "speak", "reap", "tx"]
QUANTILES = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"]


def run(program, work, options):
    command = [program, "--json", "--work", work, "--messages", str(MESSAGES), "--rounds", str(ROUNDS),
               "--check", "1"] + options
    print(" ".join(command), flush=True)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got}, expected {wanted}")


def check_counts(result, side, messages, opened):
    counts = result[side]
    if messages is not None:
        expect(f"{side}: messages", counts["messages"], messages)
    expect(f"{side}: opened", counts["opened"], opened)
    expect(f"{side}: closed", counts["closed"], opened)
    if counts["checked"] == 0 or counts["cycles_per_message"]["most"] <= 0:
        sys.exit(f"{side}: nothing was looked at, or nothing counted: {counts}")


def check(result, connections, frames):
    all_messages = MESSAGES * (ROUNDS + 1)  # one slice warms up
    for side in ("rill", "limit"):
        counts = result[side]
        check_counts(result, side, all_messages, connections or all_messages)
        if frames and counts["repeated"] == 0 and counts["interrupted_turns"]["most"] == 0:
            expect(f"{side}: frames of a message",
                   round(counts["frames_in_per_message"]["median"], 1), float(frames))
    expect("rounds", result["rounds"], ROUNDS)
    for key in ("commit", "machine", "command", "wire", "checksums", "remarks"):
        if key not in result:
            sys.exit(f"the result does not say its {key}")


def check_source(result, connections):
    fetches = -(-MESSAGES // FETCH)
    for side in ("rill", "limit"):
        check_counts(result, side, fetches * FETCH * (ROUNDS + 1), connections)


def check_open_loop(result, lossy):
    for load, figures in enumerate(result["open_loop"].values()):
        for side in ("rill", "limit"):
            got = figures[side]
            quantiles = [got[name]["median"] for name in QUANTILES]
            if quantiles != sorted(quantiles) or quantiles[0] <= 0:
                sys.exit(f"{side}: these are no quantiles: {quantiles}")
            if not 0 < got["begun_per_second"]["least"] <= got["tried_per_second"]["least"]:
                sys.exit(f"{side}: nothing was begun, or less tried than begun: {got}")
            if load in lossy and (got["lost_share"]["most"] == 0 or result[side]["lost"] == 0):
                sys.exit(f"{side}: the ring of a server that is much too slow lost nothing")
    for side in ("rill", "limit"):
        check_counts(result, side, None, result["connections"])


def check_hold(result, connections, few):
    for side, flows in (("rill", connections), ("few", few)):
        check_counts(result, side, MESSAGES * (ROUNDS + 1) + flows, flows)
        memory = result["memory"][side]
        expect("connections held", memory["connections"], flows)
        if not memory["before"] < memory["made"] <= memory["open"] or memory["per_connection"] <= 0:
            sys.exit(f"{side}: no memory was taken: {memory}")
    if result["memory"]["sizes"]["connection"] > 256 or result["growth"]["cycles_per_message"]["least"] <= 0:
        sys.exit(f"no sizes, or no comparison: {result['memory']} {result['growth']}")


def check_stages(result, profile):
    if not profile:
        expect("stages of a build without profile", result.get("stages"), None)
        return
    cycles = {name: spread["median"] for name, spread in result["stages"].items()}
    expect("stages", list(cycles), STAGES)
    if min(cycles[name] for name in ("rx", "classify", "lookup", "segments", "speak", "tx")) <= 0:
        sys.exit(f"a stage of every echo took no time: {cycles}")


def check_refused(program, options):
    done = subprocess.run([program] + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    expect(f"exit status of {options}", done.returncode, 2)
    if not done.stderr.startswith("wire_ring: --") or done.stdout:
        sys.exit(f"{options}: no sentence: {done.stderr}")


def main():
    program = sys.argv[1]
    for options in REFUSED:
        check_refused(program, options)
    for work, options, connections, frames in RUNS:
        result = run(program, work, options)
        check(result, connections, frames)
        check_stages(result, sys.argv[2] == "profile")
    for options in SOURCES:
        check_source(run(program, "source", options), int(options[1]))
    for options, lossy in OPEN_LOOPS:
        check_open_loop(run(program, "echo", options + ["--seconds", "0.03"]), lossy)
    check_hold(run(program, "hold", ["--connections", "20000", "--few", "500"]), 20000, 500)


main()
