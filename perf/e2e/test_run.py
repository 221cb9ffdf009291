#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""run.py, as small as it goes: every program takes part, nothing fails, every column of the report finds what
the programs call so, and the result and its report are written. No figure is judged.

usage: test_run.py BUILD_ROOT
Skipped without root, or where no network namespace can be made.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import report
import sections
import veth

SKIPPED = 77


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def check_columns(section, points):
    """Each column has a figure in a row at least."""
    for column in section.columns:
        if not any(report.figure_of(point, prefix, column)
                   for point in points for _, prefix in section.rows(point)):
            sys.exit(f"FAILED: {section.group}: no run has {column.path}")


def check(folder):
    with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    for point in result["points"]:
        if len(point["runs"]) != 1 or not point["figures"]:
            sys.exit(f"FAILED: {point['name']}: {point}")
    for section in sections.SECTIONS:
        if section.group in ("stages", "profile"):  # they need builds of their own
            continue
        check_columns(section, [point for point in result["points"] if point["group"] == section.group])
    if not any(row["figure"] for row in result["targets"]):
        sys.exit("FAILED: no target was looked at")
    with open(os.path.join(folder, "report.html"), encoding="utf-8") as file:
        if "</html>" not in file.read():
            sys.exit("FAILED: no report")


def main():
    if os.geteuid() != 0:
        skip("needs root")
    if not shutil.which("gnuplot"):
        skip("needs gnuplot")
    try:
        veth.Namespace().close()
    except veth.Problem as problem:
        skip(problem)
    run = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, run, "--build", sys.argv[1], "--out", folder, "--smoke"],
                              check=False)
        if done.returncode != 0:
            sys.exit(f"FAILED: status {done.returncode}")
        check(folder)


main()
