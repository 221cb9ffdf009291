#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Style as a test: what can be checked by a machine is not left to readers.

usage: tidy.py SOURCE_ROOT

Lengths of files and functions, the licence line, the direction of includes, words that stand for
unfinished work, calls that the sans-I/O layers may not make, and that the files which README.md
names exist. The machine code of these layers is looked at by objects.py.

Each rule takes a path and a text and yields complaints; each has an example that it must catch,
checked first, so that no rule goes blind.
"""
import os
import re
import subprocess
import sys

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# Who may include whom, besides itself. It stands in stack/meson.build for the compiler, and here for
# the reader who changes it there.
BELOW = {
    "base": [],
    "wire": ["base"],
    "link": ["base", "wire"],
    "net": ["base", "wire", "link"],
    "cc": ["base"],
    "recovery": ["base", "wire"],
    "guard": ["base"],
    "tcp": ["base", "wire", "link", "net", "cc", "recovery", "guard"],
    "lane": ["base", "wire", "link", "net", "cc", "recovery", "guard", "tcp"],
    "port": ["base", "wire", "link"],
    "check": ["base", "wire", "link", "port"],
    "api": ["base", "wire", "link", "net", "cc", "recovery", "guard", "tcp", "lane", "port", "check"],
}
SANS_IO = ("base", "wire", "link", "net", "cc", "recovery", "guard", "tcp")

# A broken assertion says so before it ends the program.
ASSERTIONS = "stack/base/check.h"

C_FILES = (".c", ".h", ".cc", ".def")
LICENSED = C_FILES + (".py", ".sh", ".ini", ".build", ".map", ".supp")
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"

# Spelled so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")

BANNED_CALL = re.compile(
    r"\b(rte_rdtsc\w*|rte_get_t\w+_cycles|rte_get_timer_\w+|__rdtsc|clock_gettime|gettimeofday|time|"
    r"nanosleep|usleep|getrandom|random|rand|rte_rand\w*|rte_eth_\w+|rte_log|rte_vlog|RTE_LOG\w*|"
    r"printf|fprintf|puts|fputs|perror|syslog)\s*\(")
BANNED_INCLUDE = re.compile(
    r"#\s*include\s*<(time\.h|sys/time\.h|sys/random\.h|syslog\.h|rte_ethdev\.h|rte_cycles\.h|"
    r"rte_log\.h|rte_random\.h|rte_debug\.h)>")


def without_comments(text):
    """The text with comments and strings blanked, its lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", blank, text, flags=re.S)


def layer_of(path):
    match = re.match(r"stack/(\w+)/", path)
    return match.group(1) if match and match.group(1) in BELOW else None


def rule_file_length(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX and not path.endswith(".tsv"):  # a table is looked up, not read
        yield f"{lines} lines, the most is {FILE_LINES_MAX}"


def rule_function_length(path, text):
    if not path.endswith((".c", ".h", ".cc")):
        return
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_LINES_MAX:
                yield f"line {start}: a function of {number - start - 1} lines, the most is " \
                      f"{FUNCTION_LINES_MAX}"
            start = None


def rule_licence(path, text):
    if path.endswith(LICENSED) or text.startswith("#!"):
        if not any(LICENCE in line for line in text.split("\n")[:2]):
            yield f"no line '{LICENCE}' at its top"


def rule_unfinished(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        match = UNFINISHED.search(line)
        if match:
            yield f"line {number}: {match.group(1)}"


def rule_include_direction(path, text):
    layer = layer_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        name = match.group(1)
        if layer and "/" in name:
            yield f"line {number}: {name}: headers of stack/ are named without a folder"
        owner = HEADERS.get(os.path.basename(name))
        if layer and owner and owner != layer and owner not in BELOW[layer]:
            yield f"line {number}: {name} belongs to stack/{owner}, which {layer} may not see"
        if path.startswith("apps/") and owner and os.path.basename(name) not in APP_HEADERS:
            yield f"line {number}: {name} is an inner header; apps use <rill/...> only"


def rule_sans_io(path, text):
    if layer_of(path) not in SANS_IO or path == ASSERTIONS:
        return
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        match = BANNED_CALL.search(line) or BANNED_INCLUDE.search(line)
        if match:
            yield f"line {number}: '{match.group(0)}' in a layer without clock, randomness, port and log"


def rule_fast_free(path, text):
    if path.startswith("stack/") and "MBUF_FAST_FREE" in without_comments(text):
        yield "MBUF_FAST_FREE promises one reference and one pool, which payload does not keep"


RULES = [rule_file_length, rule_function_length, rule_licence, rule_unfinished,
         rule_include_direction, rule_sans_io, rule_fast_free]

# Header name to layer, and the apps' own headers, filled in by main().
HEADERS = {}
APP_HEADERS = set()

EXAMPLES = [
    (rule_file_length, "stack/tcp/a.c", "x\n" * (FILE_LINES_MAX + 1)),
    (rule_function_length, "stack/tcp/a.c", "f(void)\n{\n" + "\tx;\n" * (FUNCTION_LINES_MAX + 1) + "}\n"),
    (rule_licence, "stack/tcp/a.c", "int x;\n"),
    (rule_licence, "apps/run", "#!/bin/sh\nexit\n"),
    (rule_unfinished, "README.md", "later: TO" + "DO\n"),
    (rule_include_direction, "stack/base/a.c", '#include "segment.h"\n'),
    (rule_include_direction, "stack/tcp/a.c", '#include "../lane/lane.h"\n'),
    (rule_include_direction, "apps/echo/a.c", '#include "table.h"\n'),
    (rule_sans_io, "stack/tcp/a.c", "\tnow = rte_rdtsc();\n"),
    (rule_sans_io, "stack/net/a.c", "#include <time.h>\n"),
    (rule_fast_free, "stack/port/a.c", "x |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;\n"),
]


def check_examples():
    for rule, path, text in EXAMPLES:
        if not list(rule(path, text)):
            yield f"{rule.__name__} does not see its own example"


def check_layers(root):
    """The compiler's table of layers is the one above."""
    with open(os.path.join(root, "stack/meson.build"), encoding="utf-8") as file:
        rows = re.findall(r"^\t\['(\w+)', \[([^\]]*)\]\]", file.read(), flags=re.M)
    seen = {name: re.findall(r"'(\w+)'", below) for name, below in rows}
    for name in sorted(set(seen) | set(BELOW)):
        if seen.get(name) != BELOW.get(name):
            yield f"stack/meson.build: {name} sees {seen.get(name)}, and should see {BELOW.get(name)}"


def check_readme(root):
    """Every file and folder in the table of the section 'Where things are' exists."""
    with open(os.path.join(root, "README.md"), encoding="utf-8") as file:
        section = re.search(r"^## Where things are$(.*?)(^## |\Z)", file.read(), flags=re.M | re.S)
    cells = re.findall(r"^\| (`[^|]*) \|", section.group(1), flags=re.M) if section else []
    paths = [path for cell in cells for path in re.findall(r"`([^`]+)`", cell)]
    if len(paths) < 5:
        yield "README.md: no table of files under '## Where things are'"
    for path in paths:
        if not os.path.exists(os.path.join(root, path)):
            yield f"README.md names {path}, which does not exist"


def check_tour(root):
    """The echo server of README.md is the one that is compiled, its licence line apart."""
    with open(os.path.join(root, "README.md"), encoding="utf-8") as file:
        shown = re.search(r"^```c\n(.*?)^```$", file.read(), flags=re.M | re.S)
    with open(os.path.join(root, "apps/tour/echo40.c"), encoding="utf-8") as file:
        compiled = file.read().split("\n", 1)[1]
    if not shown or shown.group(1) != compiled:
        yield "README.md: its echo server is not apps/tour/echo40.c"


def project_files(root):
    """What belongs to the project: git's list with what is new, or the tree where there is no git."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        return [path for path in listed.stdout.split("\n") if os.path.isfile(os.path.join(root, path))]
    except (OSError, subprocess.CalledProcessError):
        pass
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".git", "build", "__pycache__"))]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return found


def main():
    root = sys.argv[1]
    paths = sorted(project_files(root))
    for path in paths:
        match = re.match(r"stack/(\w+)/([^/]+\.(?:h|def))$", path)
        if match and match.group(1) in BELOW:
            HEADERS[match.group(2)] = match.group(1)
        if path.startswith("apps/") and path.endswith(".h"):
            APP_HEADERS.add(os.path.basename(path))
    HEADERS.setdefault("segment.h", "wire")
    complaints = list(check_examples())
    for check in (check_layers, check_readme, check_tour):
        complaints += check(root)
    for path in paths:
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        for rule in RULES:
            complaints += [f"{path}: {complaint}" for complaint in rule(path, text)]
    print("\n".join(complaints) or f"{len(paths)} files are tidy")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
