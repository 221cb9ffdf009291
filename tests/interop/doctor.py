#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rill-doctor on this machine, with devices that lack something, and without hugepages.

Each lack gets the sentence that an operator needs; what is wrong is said by rill-echo in the same words,
with the same exit status. The JSON says the same as the lines.

usage: doctor.py
"""
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile

import rig

HUGEPAGES = "/sys/kernel/mm/hugepages"
# None of these takes hugepages, so that what other programs reserve does not matter.
EAL = "--no-huge --no-pci --no-shconf --no-telemetry -m 256 --log-level=*:critical"
LINE = re.compile(r"^(ok|software|missing|wrong) +(\S+): (.*)$")


def doctor(*args, status=0, eal=EAL):
    command = [rig.tool("RILL_DOCTOR"), "--idle-sleep", "100", "--buffers", "4096", "--max-conns", "64",
               *([f"--eal={eal}"] if eal else []), *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    print(f"{' '.join(args)} -> {done.returncode}\n{done.stdout}{done.stderr}")
    rig.expect(done.returncode == status, f"{args}: status {done.returncode}, not {status}")
    return done.stdout


def expect_line(text, status, *words):
    for line in text.splitlines():
        if line.startswith(status + " ") and all(word in line for word in words):
            return
    raise rig.Failure(f"no line '{status}' with {words} in\n{text}")


def same_words(*args, sentence, status=2):
    """rill-echo refuses as rill-doctor does."""
    said = doctor(*args, status=status)
    expect_line(said, "wrong", *sentence)
    rig.expect("Rill cannot run" in said, "the last line does not say so")
    done = subprocess.run([rig.tool("RILL_ECHO"), "--ip", "192.0.2.1/24", "--idle-sleep", "100",
                           f"--eal={EAL}", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    print(f"rill-echo: {done.returncode} {done.stdout}")
    rig.expect(done.returncode == status, f"rill-echo: status {done.returncode}")
    for word in sentence:
        rig.expect(word in done.stdout, f"rill-echo does not say '{word}': {done.stdout}")


def without_offloads():
    text = doctor("--dev", "net_null0")
    for what, instead in (("checksums in", "verifies"), ("IPv4 checksums out", "computes"),
                          ("TCP checksums out", "computes"), ("chained buffers out", "copies")):
        expect_line(text, "software", f"net_null0: {what}: the device does not do it", instead)
    rig.expect("Rill can run" in text, "the last line does not say so")


def without_rss():
    text = doctor("--dev", "net_ring0", "--lanes", "2")
    expect_line(text, "software", "net_ring0: lanes: 2 lanes, spread by lane 0", "virtual functions")


def with_one_queue():
    rig.veth()
    rig.run("ip", "link", "set", "rill0", "up")
    text = doctor("--dev", "net_af_packet0,iface=far0", "--lanes", "2")
    expect_line(text, "software", "1 RX and 1 TX queues, too few for 2 lanes")


def with_a_queue_that_nobody_reads():
    same_words("--dev", "net_af_packet0,iface=far0,qpairs=2",
               sentence=["the kernel fills all of its 2 queues, and 1 would be read", "qpairs="])
    text = doctor("--dev", "net_af_packet0,iface=far0,qpairs=2", "--lanes", "2")
    expect_line(text, "software", "lanes: 2 lanes, each with a queue that others fill")


def with_a_link_that_is_down():
    text = doctor("--dev", f"net_memif0,role=server,socket-abstract=no,socket={os.getcwd()}/memif.sock")
    expect_line(text, "missing", "link: it is down", "the other side's")


def in_a_vlan_and_beside_the_kernel():
    text = doctor("--dev", "net_null0", "--vlan", "5", "--exception", "net_tap9,iface=host0")
    expect_line(text, "software", "VLAN: the device does not handle tags", "VLAN 5")
    expect_line(text, "ok", "exception path: net_tap9,iface=host0 takes to the kernel")


def with_too_few_buffers():
    said = doctor("--dev", "net_ring0", "--buffers", "1024", status=2)
    expect_line(said, "wrong", "limits.buffers: 1024 are too few", "give 2688 or more")


def with_a_wrong_device():
    same_words("--dev", "net_rnig0", sentence=["net_rnig0", "DPDK cannot make this device"])
    same_words("--dev", "0000:ff:1f.7", sentence=["there is no PCI device 0000:ff:1f.7", "lspci -D"])


def held_by_the_kernel():
    """Of what this machine has; not every one has such a device."""
    devices = "/sys/bus/pci/devices"
    for addr in sorted(os.listdir(devices) if os.path.isdir(devices) else []):
        driver = os.path.basename(os.path.realpath(f"{devices}/{addr}/driver"))
        if driver == "virtio-pci":
            same_words("--dev", addr, sentence=["the kernel's virtio-pci", f"--bind=vfio-pci {addr}"])
            return
    print("no device of the kernel's virtio-pci here")


def without_hugepages():
    with tempfile.TemporaryDirectory(prefix="rill-doctor-") as folder:
        rig.run("mount", "--bind", folder, HUGEPAGES)
        try:
            text = doctor("--dev", "net_null0", eal=None)
            expect_line(text, "missing", "machine: hugepages: 0 MiB are free and 512 are needed",
                        "drivers-cfg/hugepages.sh 256")
        finally:
            rig.run("umount", HUGEPAGES)


def as_json():
    lines = [LINE.match(line) for line in doctor("--dev", "net_null0").splitlines()]
    told = json.loads(doctor("--dev", "net_null0", "--json"))
    rig.expect(told["can_run"] is True, "can_run is not true")
    texts = [": ".join(part for part in (one["subject"], one["what"], one["fact"], one["fix"]) if part)
             for one in told["findings"]]
    seen = [f"{line.group(2)}: {line.group(3)}" for line in lines if line]
    rig.expect([one["status"] for one in told["findings"]] == [line.group(1) for line in lines if line],
               "the statuses are not those of the lines")
    rig.expect(texts == seen, f"{texts}\nis not what the lines say:\n{seen}")
    told = json.loads(doctor("--dev", "net_rnig0", "--json", status=2))
    rig.expect(told["can_run"] is False, "can_run is not false")


def test():
    # A mount namespace of its own: nothing that the test mounts outlives it.
    rig.expect(ctypes.CDLL(None).unshare(0x00020000) == 0, "no new mount namespace")
    rig.run("mount", "--make-rprivate", "/")
    with tempfile.TemporaryDirectory(prefix="rill-doctor-") as folder:
        os.chdir(folder)
        for case in (without_offloads, without_rss, with_one_queue, with_a_queue_that_nobody_reads,
                     with_a_link_that_is_down, in_a_vlan_and_beside_the_kernel, with_too_few_buffers,
                     with_a_wrong_device, held_by_the_kernel, without_hugepages, as_json):
            print(f"--- {case.__name__}")
            case()
        os.chdir("/")


if len(sys.argv) > 1:
    sys.exit(__doc__)
rig.main(test)
