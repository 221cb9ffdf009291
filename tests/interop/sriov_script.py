#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""drivers-cfg/sriov.sh on a made-up machine, and a made-up kernel behind its /sys.

    a folder with bus/pci/ and class/net/ in place of /sys ─► sriov.sh ─► what it says, what it wrote
    drivers_probe, a FIFO, is read by a thread that binds as the kernel does

It makes VFs and does not change the number of those that are there, configures them through the PF,
binds and gives back, changes nothing under --dry-run, refuses wrong arguments, and never takes an
interface from the kernel that carries the default route or the ssh session, be it below a bridge.
"""
import os
import subprocess
import tempfile
import threading

import rig

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../drivers-cfg/sriov.sh")
PF, VF0, VF1, NIC = "0000:03:00.0", "0000:03:10.0", "0000:03:10.2", "0000:04:00.0"

IP = """#!/bin/sh
echo "$@" >>{folder}/ip.log
case "$*" in
"-o route show default") echo "default via 192.0.2.1 dev {default} proto static" ;;
"-o route get 198.51.100.7") echo "198.51.100.7 via 192.0.2.9 dev eth0 src 192.0.2.2" ;;
esac
"""


class Machine:
    """Two NICs: eth0, a PF of up to 7 VFs, and eth1; `default` carries the default route."""

    def __init__(self, folder, default="br0"):
        self.folder = folder
        for name in ("bus/pci/devices", "class/net", "iommu"):
            os.makedirs(f"{folder}/{name}")
        for name in ("igb", "vfio-pci", "igbvf"):
            os.makedirs(f"{folder}/bus/pci/drivers/{name}")
            self.write(f"bus/pci/drivers/{name}/unbind", "")
        for address, interface in ((PF, "eth0"), (NIC, "eth1"), (VF0, None), (VF1, None)):
            self.device(address, interface)
        self.write(f"bus/pci/devices/{PF}/sriov_numvfs", "0")
        self.write(f"bus/pci/devices/{PF}/sriov_totalvfs", "7")
        self.write(f"bus/pci/devices/{PF}/sriov_drivers_autoprobe", "1")
        self.write("class/net/eth0/flags", "0x1002")
        os.makedirs(f"{folder}/class/net/br0")
        os.symlink("../br0", f"{folder}/class/net/eth1/upper_br0")
        with open(f"{folder}/ip", "w", encoding="ascii") as file:
            file.write(IP.format(folder=folder, default=default))
        os.chmod(f"{folder}/ip", 0o755)
        os.mkfifo(f"{folder}/bus/pci/drivers_probe")
        threading.Thread(target=self.kernel, daemon=True).start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text + "\n")

    def read(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read().strip()

    def device(self, address, interface):
        folder = f"bus/pci/devices/{address}"
        os.makedirs(self.path(folder))
        self.write(f"{folder}/driver_override", "")
        os.makedirs(self.path(f"iommu/{address}/devices/{address}"))
        os.symlink(f"../../../../iommu/{address}", self.path(f"{folder}/iommu_group"))
        if interface is None:
            return
        os.makedirs(self.path(f"{folder}/net/{interface}"))
        os.makedirs(self.path(f"class/net/{interface}"))
        os.symlink(f"../../../bus/pci/devices/{address}", self.path(f"class/net/{interface}/device"))
        self.own(address, "igb")

    def own(self, address, driver):
        link = self.path(f"bus/pci/devices/{address}/driver")
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(f"../../drivers/{driver}", link)

    def driver(self, address):
        link = self.path(f"bus/pci/devices/{address}/driver")
        return os.path.basename(os.readlink(link)) if os.path.islink(link) else None

    def kernel(self):
        """Binds what is written to drivers_probe to the driver that its override names, or its own."""
        while True:
            for address in self.read("bus/pci/drivers_probe").split():
                override = self.read(f"bus/pci/devices/{address}/driver_override")
                self.own(address, override or ("igb" if address in (PF, NIC) else "igbvf"))

    def make_vfs(self):
        for number, address in enumerate((VF0, VF1)):
            os.symlink(f"../{address}", self.path(f"bus/pci/devices/{PF}/virtfn{number}"))
        self.write(f"bus/pci/devices/{PF}/sriov_numvfs", "2")

    def state(self):
        return [self.read(f"bus/pci/devices/{PF}/{name}") for name in ("sriov_numvfs", "sriov_drivers_autoprobe")] + [
            (self.driver(address), self.read(f"bus/pci/devices/{address}/driver_override"))
            for address in (PF, NIC, VF0, VF1)]

    def run(self, *args, status=0, ssh=None):
        env = dict(os.environ, RILL_SYSFS=self.folder, RILL_IP=f"{self.folder}/ip")
        env.pop("SSH_CONNECTION", None)
        if ssh:
            env["SSH_CONNECTION"] = ssh
        done = subprocess.run([SCRIPT, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=20)
        print(f"{args} -> {done.returncode}\n{done.stdout}")
        rig.expect(done.returncode == status, f"{args}: status {done.returncode}, not {status}")
        return done.stdout

    def log(self):
        return self.read("ip.log").splitlines() if os.path.exists(self.path("ip.log")) else []


def makes(folder):
    machine = Machine(folder)
    before = machine.state()
    text = machine.run("--dry-run", "create", "eth0", "2")
    rig.expect("would write 2" in text and machine.state() == before, "a dry run changed something")
    text = machine.run("create", "eth0", "2")
    rig.expect(machine.state()[:2] == ["2", "0"], f"no VFs, or the kernel takes them: {machine.state()}")
    rig.expect("has 2 VFs now" in text and "eth0: is down" in text, "no word of a PF that is down")
    rig.expect("has 2 VFs already" in machine.run("create", PF, "2"), "made them twice")
    rig.expect("cannot be changed" in machine.run("create", "eth0", "3", status=1), "changed their number")
    machine.make_vfs()
    text = machine.run("show")
    rig.expect(f"{PF} interface eth0 driver igb VFs 2 of 7" in text, "does not show the PF")
    rig.expect(f"VF 1 {VF1} driver none interface none IOMMU group {VF1}" in text, "does not show a VF")


def configures(folder):
    machine = Machine(folder)
    machine.make_vfs()
    machine.run("--dry-run", "set", "eth0", "1", "mac", "02:00:00:00:00:10")
    rig.expect(not machine.log(), "a dry run ran ip")
    machine.run("set", "eth0", "1", "mac", "02:00:00:00:00:10", "vlan", "5", "trust", "on", "spoofchk", "off")
    rig.expect(machine.log() == ["link set eth0 vf 1 mac 02:00:00:00:00:10", "link set eth0 vf 1 vlan 5",
                                 "link set eth0 vf 1 trust on", "link set eth0 vf 1 spoofchk off"],
               f"ip was told otherwise: {machine.log()}")
    for pair in (("mac", "03:00:00:00:00:10"), ("mac", "eth1"), ("vlan", "4095"), ("trust", "yes"), ("mtu", "9000")):
        rig.expect("sriov.sh: set:" in machine.run("set", "eth0", "1", *pair, status=2), f"{pair}: no sentence")
    rig.expect("no VF number 2" in machine.run("set", "eth0", "2", "vlan", "1", status=2), "no such VF")
    rig.expect(len(machine.log()) == 4, "a wrong argument reached ip")


def binds(folder):
    machine = Machine(folder)
    machine.make_vfs()
    before = machine.state()
    text = machine.run("--dry-run", "bind", VF0)
    rig.expect("would write vfio-pci" in text and machine.state() == before, "a dry run changed something")
    rig.expect("is vfio-pci's now" in machine.run("bind", VF0), "it does not say so")
    rig.expect(machine.driver(VF0) == "vfio-pci" and machine.driver(VF1) is None, "bound another one")
    rig.expect("is vfio-pci's already" in machine.run("bind", VF0[5:]), "bound it twice")
    rig.expect("is igbvf's now" in machine.run("unbind", VF0), "it does not say so")
    rig.expect(machine.driver(VF0) == "igbvf", "the kernel did not get it back")
    os.unlink(machine.path(f"bus/pci/devices/{VF1}/iommu_group"))
    rig.expect("intel_iommu=on" in machine.run("bind", VF1, status=1), "no word of the IOMMU")
    rig.expect("no such driver" in machine.run("bind", VF1, "vfio_pcy", status=1), "no word of the driver")


def refuses(folder):
    machine = Machine(folder)
    before = machine.state()
    # eth1 lies below br0, which has the default route; eth0 leads to whom ssh comes from.
    for args, ssh in ((("bind", "eth1"), None), (("unbind", NIC), None), (("--dry-run", "bind", "eth1"), None),
                      (("bind", "eth0"), "198.51.100.7 50000 192.0.2.2 22")):
        rig.expect("would not be reached any more" in machine.run(*args, status=1, ssh=ssh), f"{args}: no sentence")
    for args in (["create", "eth1", "2"], ["create", "eth0", "8"], ["create", "eth0", "some"], ["bind"],
                 ["bind", "eth7"], ["bund", "eth0"], [], ["show", "eth1"]):
        text = machine.run(*args, status=2)
        rig.expect(not args or "sriov.sh:" in text, f"{args}: no sentence")
    rig.expect(machine.state() == before, f"something has changed: {machine.state()}")
    rig.expect("vfio-pci's now" in machine.run("bind", "eth0"), "an interface that nobody needs can be bound")


def main():
    for case in (makes, configures, binds, refuses):
        with tempfile.TemporaryDirectory(prefix="rill-sriov-") as folder:
            case(folder)


main()
