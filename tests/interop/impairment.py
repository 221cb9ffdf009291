#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Transfers through the impairment box, Rill and the kernel on either side: contents equal by SHA-256
in spite of loss and reordering, and the box did what it was asked: as many losses as the share says,
the same packets lost under the same seed whoever sends, no loss where none was asked.
"""
import sys

import impaired
import rig

LOSS_PERCENT = 3
HURT = ("--loss", str(LOSS_PERCENT), "--reorder", "2", "--reorder-extra", "2", "--delay", "4", "--rate", "100")
WELL = ("--delay", "4", "--rate", "100", "--queue", "8000000")


def end(kind, side):
    return impaired.Rill(side, ("--timeout", "100")) if kind == "rill" else impaired.Kernel(side, "cubic")


def transfer(sender, receiver, size, seed, impairment):
    done = impaired.transfer(end(sender, "left"), end(receiver, "right"), size, seed, impairment)
    box = done["box"]["to_right"]
    print(f"{sender} to {receiver}, seed {seed}, {' '.join(impairment)}: {size} bytes in "
          f"{done['seconds']:.3f} s; data packets {box['data']}, lost {box['lost_data']} "
          f"{box['lost']}, reordered {box['reordered']}, dropped by the queue {box['queue_dropped']}")
    return box


def expect_share(what, seen, of, percent):
    """Within four standard deviations, and one packet for the smallest samples."""
    mean = of * percent / 100
    allowed = 4 * (mean * (1 - percent / 100)) ** 0.5 + 1
    rig.expect(abs(seen - mean) <= allowed,
               f"{what}: {seen} of {of}, {percent} % was asked: {mean:.0f} ± {allowed:.0f}")


def test():
    sender, receiver = sys.argv[1:]
    size = rig.scaled(2_000_000, 500_000)
    first = transfer(sender, receiver, size, 1, HURT)
    expect_share("lost", first["lost_data"], first["data"], LOSS_PERCENT)
    expect_share("reordered", first["reordered"], first["data"] - first["lost_data"], 2)
    again = transfer("kernel", "kernel", size, 1, HURT)
    both = min(len(first["lost"]), len(again["lost"]))
    rig.expect(both > 0 and first["lost"][:both] == again["lost"][:both],
               "the same seed lost other packets")
    other = transfer(sender, receiver, size, 2, HURT)
    rig.expect(other["lost"] != first["lost"], "another seed lost the same packets")
    well = transfer(sender, receiver, size, 1, WELL)
    rig.expect(well["lost_data"] + well["queue_dropped"] + well["reordered"] == 0,
               "the box did harm that nobody asked for")


rig.main(test)
