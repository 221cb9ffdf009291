#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ECN between Rill and the kernel, through a box that marks and loses nothing: both sides agree on it,
the marks are echoed and obeyed, and nothing is sent again. Without the option nothing is ever marked.
"""
import sys

import impaired
import rig

SLEEP = ("--idle-sleep", "50", "--timeout", "100")
PATH = ("--delay", "4", "--rate", "100", "--queue", "8000000", "--mark", "1")


def end(kind, side, ecn):
    if kind == "rill":
        return impaired.Rill(side, (*SLEEP, "--set", f"ecn={ecn}"))
    kernel = impaired.Kernel(side, "cubic")
    with kernel.space, open("/proc/sys/net/ipv4/tcp_ecn", "w", encoding="ascii") as file:
        file.write(str(ecn))
    return kernel


def transfer(sender, receiver, size, ecn):
    done = impaired.transfer(end(sender, "left", ecn), end(receiver, "right", ecn), size, 1, PATH)
    print(f"{sender} to {receiver}, ecn {ecn}: {size} bytes in {done['seconds']:.3f} s; "
          f"{done['box']['to_right']['marked']} marked")
    return done


def test():
    sender, receiver = sys.argv[1:]
    size = rig.scaled(4_000_000, 1_000_000)
    done = transfer(sender, receiver, size, 1)
    box = done["box"]["to_right"]
    rig.expect(box["marked"] > 0, "nothing was marked: ECN was not agreed on")
    if sender == "rill":
        sent = done["sent"]
        rig.expect(0 < sent.get("ecn_reductions", 0) <= box["marked"],
                   f"{box['marked']} marks, {sent.get('ecn_reductions', 0)} reductions")
        rig.expect(sent.get("retransmits", 0) == 0, f"{sent.get('retransmits')} segments sent again")
    if receiver == "rill":
        seen = done["got"].get("ecn_marks_in", 0)
        rig.expect(seen == box["marked"], f"{box['marked']} marks, {seen} seen")
    plain = transfer(sender, receiver, size, 0)
    rig.expect(plain["box"]["to_right"]["marked"] == 0, "ECT though nobody asked for it")


rig.main(test)
