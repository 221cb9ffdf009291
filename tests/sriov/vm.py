# SPDX-License-Identifier: BSD-3-Clause
"""A guest under QEMU, without KVM, with an SR-IOV NIC: Intel's 82576 (igb) behind a root port of a q35, and
an IOMMU, which the kernel's vfio wants. The NIC's wire is a tap in the test's network namespace.

    host: kernel ── tap sriov0 ── PF (igb, guest's kernel) ─┬─ VF 0 (vfio-pci, rill-echo)
                                                            └─ VF 1
Commands go to the guest over a serial port; see guest.sh.
"""
import base64
import os
import re
import socket
import subprocess
import tempfile
import time

import rig

TAP = "sriov0"
PF_MAC = "02:00:00:00:02:00"
BOOT_S = 240
# The IO-APIC's self-test of its timer fails now and then on busy cores; a page table of four levels and
# no defence against the guest's own programs make an emulated core quicker.
CMDLINE = ("console=ttyS0 quiet panic=-1 intel_iommu=on no_timer_check mitigations=off hugepages={pages} "
           "rdinit=/init")


def boot(folder):
    """The guest, up. A kernel that panics as it starts, as emulated ones do at times, is started again."""
    rig.run("ip", "tuntap", "add", TAP, "mode", "tap")
    rig.run("ip", "link", "set", TAP, "up")
    try:
        return Guest(folder)
    except rig.Failure as failure:
        print("the guest did not start:", failure)
        return Guest(folder)


class Guest:
    def __init__(self, folder, hugepages=288, memory=1152):
        self.serial = os.path.join(folder, "serial.log")
        self.folder = tempfile.TemporaryDirectory(prefix="rill-sriov-")
        path = os.path.join(self.folder.name, "commands")
        self.began = time.monotonic()
        self.qemu = rig.Program("qemu", [
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi",
            "-cpu", "max,la57=off", "-smp", "2", "-m", str(memory), "-nodefaults", "-nographic",
            "-no-reboot", "-serial", f"file:{self.serial}",
            "-chardev", f"socket,id=commands,path={path},server=on,wait=off",
            "-serial", "chardev:commands",
            "-device", "intel-iommu,intremap=on,caching-mode=on",
            "-device", "pcie-root-port,id=root,slot=1,chassis=1",
            "-netdev", f"tap,id=wire,ifname={TAP},script=no,downscript=no",
            "-device", f"igb,bus=root,netdev=wire,mac={PF_MAC}",
            "-kernel", os.path.join(folder, "vmlinuz"), "-initrd", os.path.join(folder, "initrd"),
            "-append", CMDLINE.format(pages=hugepages)])
        self.commands = rig.eventually(10, "QEMU makes no serial port", lambda: self.connect(path))
        self.text = ""
        try:
            self.read_until(r"=== ready\r?\n", BOOT_S)
        except rig.Failure:
            self.qemu.kill()
            raise
        print(f"guest: up after {time.monotonic() - self.began:.1f} s")

    def connect(self, path):
        if not self.qemu.is_running():
            raise rig.Failure(f"QEMU does not start: {self.qemu.text()}")
        commands = socket.socket(socket.AF_UNIX)
        try:
            commands.connect(path)
        except OSError:
            return None
        return commands

    def read_until(self, pattern, seconds):
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            self.commands.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.commands.recv(1 << 16)
            except TimeoutError as error:
                raise rig.Failure(f"the guest did not say /{pattern}/ within {seconds} s; it said: "
                                  f"{self.text[-2000:]}; {self.console()[-2000:]}") from error
            except ConnectionError:
                data = b""
            if not data:
                raise rig.Failure(f"the guest has ended: {self.console()[-4000:]} {self.qemu.text()}")
            self.text += data.decode(errors="replace")
        before, self.text = self.text[:match.start()], self.text[match.end():]
        return before, match

    def console(self):
        with open(self.serial, encoding="utf-8", errors="replace") as file:
            return file.read()

    def run(self, script, check=True, seconds=60):
        """Runs a shell script in the guest; its output."""
        self.commands.sendall(base64.b64encode(script.encode()) + b"\n")
        text, match = self.read_until(r"=== (\d+)\r?\n", seconds)
        text = text.replace("\r", "")
        if check and match.group(1) != "0":
            raise rig.Failure(f"in the guest: {script}: status {match.group(1)}: {text}")
        return text

    def end(self):
        self.qemu.kill()
