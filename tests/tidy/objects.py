#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The machine code of the sans-I/O layers reads no clock, draws no randomness, knows no port, logs
nothing: their objects have no such undefined symbol and no such instruction.

usage: objects.py BUILD_ROOT
Looks at the objects themselves, not at the library, so that nothing is hidden by linking. Objects
that hold only a compiler's intermediate code cannot be looked at: the test is skipped.
"""
import glob
import os
import re
import subprocess
import sys

from tidy import SANS_IO

SKIPPED = 77
SYMBOL = re.compile(
    r"^(rte_eth_\w+|clock_gettime|gettimeofday|time|clock|nanosleep|usleep|getrandom|getentropy|"
    r"random|rand|rte_rand\w*|rte_log|rte_vlog|rte_get_\w+_hz|printf|puts|__printf_chk|perror|syslog)$")
INSTRUCTION = re.compile(r"\t(rdtscp?|rdrand|rdseed)\b")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=True).stdout


def undefined_symbols(path):
    """From the object's own symbol table; nm would ask the compiler's plugin about LTO objects."""
    for line in output("objdump", "-t", path).split("\n"):
        match = re.search(r"\*UND\*\s+[0-9a-f]+\s+(\S+)$", line)
        if match:
            yield match.group(1)


def instructions(path):
    function = "?"
    for line in output("objdump", "-d", "--no-show-raw-insn", path).split("\n"):
        match = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if match:
            function = match.group(1)
        match = INSTRUCTION.search(line)
        if match:
            yield f"{match.group(1)} in {function}"


def sees_its_example(folder):
    """A file with everything that is banned, compiled here, must be caught."""
    source, compiled = os.path.join(folder, "banned.c"), os.path.join(folder, "banned.o")
    with open(source, "w", encoding="ascii") as file:
        file.write("#include <stdio.h>\n#include <time.h>\n#include <x86intrin.h>\n" if
                   os.uname().machine == "x86_64" else "#include <stdio.h>\n#include <time.h>\n"
                   "static long __rdtsc(void) { return 0; }\n")
        file.write("long f(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);"
                   "printf(\"%d\", 1); return __rdtsc() + t.tv_sec; }\n")
    subprocess.run(["cc", "-c", "-O1", source, "-o", compiled], check=True)
    caught = {name for name in undefined_symbols(compiled) if SYMBOL.match(name)}
    clock_read = os.uname().machine != "x86_64" or list(instructions(compiled))
    return "clock_gettime" in caught and "printf" in caught and clock_read


def has_code(path):
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return False
    return re.search(r"\.text\S*\s+0*[1-9a-f]", output("objdump", "-h", path)) is not None


def main():
    import tempfile
    build = sys.argv[1]
    complaints, seen = [], 0
    with tempfile.TemporaryDirectory() as folder:
        if not sees_its_example(folder):
            complaints.append("the check does not see its own example")
    for layer in SANS_IO:
        objects = glob.glob(f"{build}/stack/librill_{layer}.a.p/*.o")
        if not objects:
            complaints.append(f"no object of {layer} under {build}/stack")
        for path in objects:
            if not has_code(path):
                if open(path, "rb").read(4) != b"\x7fELF":
                    print(f"skipped: {path} holds no machine code; build with -Db_lto=false")
                    sys.exit(SKIPPED)
                continue
            seen += 1
            name = f"{layer}/{os.path.basename(path)}"
            complaints += [f"{name}: refers to {symbol}" for symbol in undefined_symbols(path)
                           if SYMBOL.match(symbol)]
            complaints += [f"{name}: {what}" for what in instructions(path)]
    if not seen:
        complaints.append("no object was looked at")
    print("\n".join(complaints) or f"{seen} objects are sans-I/O")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
