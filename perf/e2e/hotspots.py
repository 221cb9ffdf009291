# SPDX-License-Identifier: BSD-3-Clause
"""Where the instructions of a piece of work go: perf/counts under callgrind, function by function.

There are no hardware counters on most virtual machines; instructions do not jitter, and show what to look at
next. With link-time optimisation a function holds what was inlined into it.
"""
import os
import re
import subprocess
import tempfile

from veth import Problem

SHOWN = 14  # functions, the largest
LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(?:\S+?):(\S+)(?: \[.*\])?$")
TOTAL = re.compile(r"^\s*([\d,]+) \(100\.0%\)\s+PROGRAM TOTALS$")


def number(text):
    return int(text.replace(",", ""))


def plain(name):
    """Without what the compiler adds to the name of a copy."""
    return re.sub(r"\.(constprop|isra|part|cold|lto_priv)\b.*$", "", name).replace(".", "_")


def parse(annotated, pieces):
    """Instructions of a piece, all in all and by function."""
    total, functions = 0, {}
    for line in annotated.splitlines():
        found = TOTAL.match(line)
        if found:
            total = number(found.group(1))
            continue
        found = LINE.match(line)
        if found:
            name = plain(found.group(2))
            functions[name] = functions.get(name, 0) + number(found.group(1))
    if total == 0 or not functions:
        raise Problem("callgrind counted nothing")
    largest = sorted(functions.items(), key=lambda item: -item[1])[:SHOWN]
    return {"instructions": total / pieces,
            "functions": {name: {"instructions": count / pieces, "percent": 100 * count / total}
                          for name, count in largest}}


def checked(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=True).stdout
    except subprocess.CalledProcessError as error:
        raise Problem(f"{' '.join(command)}: {error.stderr.strip()}") from error


def run(build, work, pieces):
    program = os.path.join(build, "perf", "counts")
    if not os.access(program, os.X_OK):
        raise Problem(f"{program} is missing: build with -Dbenchmarks=true")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}",
                   program, work, str(pieces)]
        done = int(checked(command).split()[-1])
        annotated = checked(["callgrind_annotate", "--auto=no", "--threshold=99", out])
    return {"wire": "none", "command": f"valgrind --tool=callgrind counts {work} {pieces}", "work": work,
            **parse(annotated, done)}
