# SPDX-License-Identifier: BSD-3-Clause
"""What a result file says of where it was made."""
import json
import os
import platform
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASELINE = os.path.join(ROOT, "perf", "baseline", "machine.json")

# Of the first processor in /proc/cpuinfo.
PROPERTIES = {"model name": "model", "cpu family": "cpu_family", "model": "cpu_model"}


def output_of(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit():
    """The commit that was measured, marked where files differ from it."""
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return (output_of("git", "rev-parse", "--short=12", "HEAD") or "unknown") + \
        ("+changes" if changed else "")


def processor(path="/proc/cpuinfo"):
    found = {}
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            key = PROPERTIES.get(name.strip())
            if key and key not in found:
                value = value.strip()
                found[key] = int(value) if value.isdigit() else value
    return found


def hugepages():
    """Of 2 MiB, reserved."""
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("HugePages_Total:"):
                return int(line.split()[1])
    return 0


def describe():
    return {"model": platform.machine(), **processor(), "cores": os.cpu_count(),
            "kernel": platform.release(), "hugepages": hugepages(),
            "dpdk": output_of("pkg-config", "--modversion", "libdpdk") or "unknown",
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)}


def load():
    """Runnable processes, the mean of the last minute: a machine that works on something else measures
    badly."""
    return os.getloadavg()[0]


def baseline(path=BASELINE):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
