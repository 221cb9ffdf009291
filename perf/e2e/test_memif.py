#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two processes over net_memif: Rill and the limit answer every message of the player, in each of the
works, with no frame sent twice for want of an answer; and what comes out is the report that the
other scripts read. How fast it is does not matter here.

usage: test_memif.py MEMIF.PY BUILD
"""
import json
import subprocess
import sys

MESSAGES = 2000
CONNECTIONS = 50
# Frames of a message to and from the server; ACKs that wait for the next message may add some.
FRAMES = {"echo": (1, 1), "connect": (5, 3), "bulk": (1, 1)}


def check(condition, what):
    if not condition:
        sys.exit(f"test_memif: {what}")


def main():
    script, build = sys.argv[1:]
    run = subprocess.run(
        [sys.executable, script, "--build", build, "--rounds", "1", "--messages", str(MESSAGES),
         "--connections", str(CONNECTIONS), "--sides", "rill,limit"],
        capture_output=True, text=True, timeout=250)
    check(run.returncode == 0, f"status {run.returncode}: {run.stderr}")
    report = json.loads(run.stdout)
    check(report["wire"] == "memif" and report["rounds"] == 1, "not this run's report")
    check([work["work"] for work in report["works"]] == list(FRAMES), "not all works")
    for work in report["works"]:
        for side in ("rill", "limit"):
            of_side = work[side]
            sent, heard = FRAMES[work["work"]]
            check(of_side["messages"]["median"] == MESSAGES, f"{work['work']}: messages are missing")
            check(of_side["frames_in_per_message"]["median"] >= sent, f"{work['work']}: frames in")
            check(of_side["frames_out_per_message"]["median"] >= heard, f"{work['work']}: frames out")
            check(of_side["messages_per_s"]["median"] > 0, f"{work['work']}: no rate")
            # A few messages may be over before the first reading of a busy machine: then none is left.
            check(0 <= of_side["server_busy_share"]["median"] <= 1.01, f"{work['work']}: busy share")
            check(of_side["saturated"] in ("server", "load", "both", "neither"), "who saturates")
        check(work["ratio"]["messages_per_s"]["median"] > 0, f"{work['work']}: no ratio")

    wrong = subprocess.run([sys.executable, script, "--build", build, "--works", "nonsense"],
                           capture_output=True, text=True, timeout=60)
    check(wrong.returncode != 0 and "--works nonsense" in wrong.stderr, "a wrong work is not refused")


main()
