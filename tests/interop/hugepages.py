#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""drivers-cfg/hugepages.sh on made-up machines, so that this one keeps its memory.

    a folder with node0/, node1/ … in place of /sys ─► hugepages.sh ─► what it says, what it wrote

It reserves on every node, keeps what is there, changes nothing under --dry-run, refuses wrong
arguments, and where hugepages cannot be had says that Rill starts without them, with status 0.
"""
import ctypes
import os
import subprocess
import sys
import tempfile

import rig

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../drivers-cfg/hugepages.sh")
NODES = "devices/system/node"
WITHOUT = "Rill starts without them"


class Machine:
    """Nodes with so many pages reserved; a number that cannot be written is made a folder."""

    def __init__(self, folder, *reserved):
        self.folder = folder
        os.makedirs(f"{folder}/{NODES}", exist_ok=True)
        for node, pages in enumerate(reserved):
            path = os.path.dirname(self.file(node))
            os.makedirs(path)
            with open(self.file(node), "w", encoding="ascii") as file:
                file.write(f"{pages}\n")
        with open(f"{folder}/mounts", "w", encoding="ascii") as file:
            file.write("hugetlbfs /mnt/huge hugetlbfs rw 0 0\n")

    def file(self, node):
        return f"{self.folder}/{NODES}/node{node}/hugepages/hugepages-2048kB/nr_hugepages"

    def pages(self, node):
        with open(self.file(node), encoding="ascii") as file:
            return int(file.read())

    def run(self, *args, status=0):
        env = dict(os.environ, RILL_SYSFS=self.folder, RILL_MOUNTS=f"{self.folder}/mounts")
        done = subprocess.run([SCRIPT, *args], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20)
        print(f"{args} -> {done.returncode}\n{done.stdout}")
        rig.expect(done.returncode == status, f"{args}: status {done.returncode}, not {status}")
        return done.stdout


def reserves(folder):
    machine = Machine(folder, 0, 700)
    text = machine.run("--dry-run", "64")
    rig.expect("would raise" in text and machine.pages(0) == 0, "a dry run changed something")
    text = machine.run("64")
    rig.expect(machine.pages(0) == 64 and "node0: reserved 64 pages" in text, "node0 got none")
    rig.expect(machine.pages(1) == 700 and "700 pages" in text, "node1 lost what it had")
    rig.expect("mounted at /mnt/huge" in text and WITHOUT not in text, "the mount was not found")
    machine.run()
    rig.expect(machine.pages(0) == 512, "the default is 512 pages")


def says_without(folder):
    text = Machine(f"{folder}/none").run()
    rig.expect(WITHOUT in text, "no sentence where the kernel has no hugepages")
    machine = Machine(f"{folder}/refusing", 0)
    os.chmod(machine.file(0), 0o444)
    # As with a read-only /sys: not even root may write.
    rig.run("mount", "--bind", "-o", "ro", f"{folder}/refusing", f"{folder}/refusing")
    rig.run("mount", "-o", "remount,bind,ro", f"{folder}/refusing")
    try:
        text = machine.run("8")
    finally:
        rig.run("umount", f"{folder}/refusing")
    rig.expect(WITHOUT in text and "node0: the kernel gave no page" in text, "no sentence")


def refuses(folder):
    machine = Machine(folder, 0)
    for args in (["many"], ["--dryrun"], ["0"], ["-5"]):
        rig.expect("hugepages.sh:" in machine.run(*args, status=2), f"{args}: no sentence")
    rig.expect(machine.pages(0) == 0, "a wrong argument changed something")


def main():
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(rig.SKIPPED)
    # A mount namespace of its own: nothing that the test mounts outlives it.
    if ctypes.CDLL(None).unshare(0x00020000) != 0:
        print("skipped: no new mount namespace")
        sys.exit(rig.SKIPPED)
    rig.run("mount", "--make-rprivate", "/")
    for case in (reserves, says_without, refuses):
        with tempfile.TemporaryDirectory(prefix="rill-hugepages-") as folder:
            case(folder)


main()
