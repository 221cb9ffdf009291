#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every header compiles alone: the public ones in C and in C++ with nothing but DPDK beside them,
the inner ones in C.

usage: headers.py SOURCE_ROOT
"""
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys

WARNINGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
            "-Wno-missing-field-initializers", "-Wno-address-of-packed-member", "-D_GNU_SOURCE",
            "-DRILL_VERSION=\"0\""]


def compile_alone(command, header):
    done = subprocess.run(command + ["-"], input=f'#include "{header}"\n', text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return None if done.returncode == 0 else f"{' '.join(command)} {header}\n{done.stdout}"


def main():
    root = sys.argv[1]
    dpdk = subprocess.run(["pkg-config", "--cflags", "libdpdk"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()
    public = [f"-I{root}/stack/include"]
    inner = public + [f"-I{path}" for path in sorted(glob.glob(f"{root}/stack/*/"))]
    jobs = []
    for header in sorted(glob.glob(f"{root}/stack/include/rill/*.h")):
        name = "rill/" + os.path.basename(header)
        jobs.append((["gcc", "-std=c11", "-x", "c", *WARNINGS, *public, *dpdk], name))
        if shutil.which("g++"):
            jobs.append((["g++", "-std=c++17", "-x", "c++", *WARNINGS, *public, *dpdk], name))
    for header in sorted(glob.glob(f"{root}/stack/[!i]*/*.h")):
        jobs.append((["gcc", "-std=gnu11", "-x", "c", *WARNINGS, *inner, *dpdk], header))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(lambda job: compile_alone(*job), jobs) if text]
    print("\n".join(complaints) or f"{len(jobs)} compilations of one header each")
    sys.exit(1 if complaints or len(jobs) < 10 else 0)


main()
