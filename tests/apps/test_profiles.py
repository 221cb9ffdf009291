#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The profiles of drivers-cfg: each is told of in its README, says the same things, names the guide's sections
where it was not tried, and is read by every program. Those whose device needs nothing come up.

usage: test_profiles.py SOURCE_ROOT RILL_DOCTOR RILL_ECHO
"""
import glob
import os
import re
import subprocess
import sys

KEYS = ["needs", "queues", "descriptors", "RSS", "offloads", "MTU", "quirks", "tried"]
EAL = "--no-huge --no-pci --no-shconf --no-telemetry -m 512 --log-level=*:critical"


def expect(condition, sentence):
    if not condition:
        sys.exit(f"FAILED: {sentence}")


def run(program, *args):
    done = subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    return done.returncode, done.stdout


def facts_of(path):
    with open(path, encoding="utf-8") as file:
        head = file.read().split("[rill]")[0]
    text = re.sub(r"\n; {14}", " ", head)
    return dict(re.findall(r"^; (\w+): +(.*)$", text, flags=re.M))


def check_facts(name, path, rows):
    facts = facts_of(path)
    expect(list(facts) == KEYS, f"{name}: has {list(facts)}, and should have {KEYS}")
    if facts["tried"].startswith("no"):
        expect(re.search(r"\[[0-9. ]+\]", " ".join(facts.values())), f"{name}: no section of the guide")
    expect(name in rows, f"README.md has no row for {name}")
    tried = rows[name].split("|")[-2].strip()
    expect((tried == "no") == facts["tried"].startswith("no"), f"{name}: README.md says '{tried}'")


def check_read(name, path, doctor, echo):
    """Both programs read it; a device that is not here is refused as such, not the file."""
    for program, more in ((doctor, []), (echo, ["--protocol", "raw"])):
        status, text = run(program, "--config", path, "--dev", "0000:ff:1f.7", *more)
        expect(status == 2 and "there is no PCI device 0000:ff:1f.7" in text,
               f"{name}: {os.path.basename(program)}: {text}")


def main():
    root, doctor, echo = sys.argv[1:4]
    with open(f"{root}/drivers-cfg/README.md", encoding="utf-8") as file:
        rows = dict((name, line) for line, name in
                    re.findall(r"^(\| \[(net_\w+)\]\(\2\.ini\) \|.*)$", file.read(), flags=re.M))
    paths = sorted(glob.glob(f"{root}/drivers-cfg/net_*.ini"))
    names = [os.path.basename(path)[:-4] for path in paths]
    expect(sorted(rows) == names, f"rows {sorted(rows)} are not the profiles {names}")
    for name, path in zip(names, paths):
        check_facts(name, path, rows)
        check_read(name, path, doctor, echo)
    status, text = run(doctor, "--config", f"{root}/drivers-cfg/net_ring.ini", f"--eal={EAL}",
                       "--idle-sleep", "100")
    expect(status == 0 and "Rill can run" in text, f"net_ring: {text}")
    print(f"{len(names)} profiles")


main()
