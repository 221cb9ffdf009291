#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bulk: many bytes both ways at once on one connection, compared by SHA-256, ended by half-close.

    kernel 10.9.0.1 ── echo_client, 1 GiB ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo
                    ◄── the same 1 GiB ─────
"""
import rig


def test():
    echo = rig.Echo("raw")
    before = echo.levels()
    size = rig.scaled(1 << (28 if rig.IS_IP6 else 30), 32 << 20)
    report = rig.client("--bulk", size, timeout=240)
    rig.expect(report["bytes_verified"] == size, f"{report['bytes_verified']} of {size} bytes")
    four = rig.client("--bulk", size // 16, "--connections", 4, "--seed", 2, timeout=120)
    rig.expect(four["bytes_verified"] == 4 * (size // 16), "four connections at once")
    stats = echo.stats()
    rig.expect(stats["bytes_in"] == stats["bytes_out"],
               f"Rill took {stats['bytes_in']} bytes and gave {stats['bytes_out']}")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main(test)
