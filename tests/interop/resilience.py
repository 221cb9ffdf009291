#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a stranger or a broken cable does, and that nothing of it stays.

    kernel 10.9.0.1 ── echo_client under load ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo

usage: resilience.py killed | storm | flood | link-flap | link-lost
killed: the client dies by SIGKILL under load.
storm: 10 s of random frames of 0 to 1600 bytes, up to 100,000 a second, beside a client that is served.
flood: SYNs from forged sources, as many as the tap carries, while 100 clients of the kernel's connect
    and have their data echoed: none is lost [ATK-22].
link-flap: the tap is down for 5 s under load and up again: existing connections go on.
link-lost: the same without coming up, with --keepalive 1,1,3 --user-timeout 5: all connections end.
After each, within 5 s plus 2 MSL, buffers, connections and side-cars in use are what they were
before, and a new client is served (but for link-lost, until the link is up again).
"""
import json
import socket
import subprocess
import sys
import time

import rig


def load(*args, seed=1):
    """A client in the background: 64 connections, random sizes, cut at random."""
    return subprocess.Popen(
        rig.client_command("--connections", 64, "--messages", 0, "--size", "1-4000", "--pipeline", 4,
                           "--split", "--seed", seed, *args),
        stdout=subprocess.PIPE, text=True)


def wait_for_load(echo):
    rig.eventually(10, "the load did not start", lambda: echo.stats()["conns"] >= 64)
    time.sleep(1)


def report_of(process, seconds):
    text, _ = process.communicate(timeout=seconds)
    print(text.strip())
    return json.loads(text), process.returncode


def expect_served():
    rig.client("--connections", 8, "--messages", 100, "--size", "1-2000", "--seed", 5)


def killed():
    echo = rig.Echo("raw")
    before = echo.levels()
    for seed in range(rig.scaled(3, 2)):
        process = load("--seconds", 60, "--timeout", 60, seed=seed)
        wait_for_load(echo)
        process.kill()
        process.wait()
        process.stdout.close()
        echo.expect_levels(before, rig.SETTLE_S)
    expect_served()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


def mac_of_rill():
    table = rig.run("ip", "neigh", "show", rig.rill_ip(), "dev", "rill0").split()
    rig.expect("lladdr" in table, f"the kernel has no neighbour {rig.rill_ip()}: {table}")
    return table[table.index("lladdr") + 1]


def storm():
    echo = rig.Echo("raw")
    # The kernel's side refuses frames beyond its MTU; Rill's side keeps 1500.
    rig.run("ip", "link", "set", "rill0", "mtu", "1600")
    before = echo.levels()
    drops = echo.stats()
    seconds = rig.scaled(10, 4)
    process = load("--seconds", seconds, "--timeout", seconds + 30)
    wait_for_load(echo)
    sent = json.loads(rig.run(rig.tool("RILL_FRAME_STORM"), "rill0", mac_of_rill(), rig.rill_ip(),
                              str(rig.PORT), str(seconds), str(rig.scaled(100_000, 5_000)), "42"))
    print("storm:", sent)
    rig.expect(sent["sent"] > 1000 * seconds, f"too few frames got out: {sent}")
    report, status = report_of(process, seconds + 60)
    rig.expect(status == 0, f"the client beside the storm: {report['error']}")
    after = echo.stats()
    for reason in ("ether_not_ours", "ip_checksum", "tcp_checksum"):
        rig.expect(after[reason] > drops.get(reason, 0), f"no frame was dropped as {reason}")
    # Half-open connections of random SYNs end by their own retries; with our peer gone they go at
    # the latest with the RST that the kernel sends for them.
    echo.expect_levels(before, rig.SETTLE_S)
    rig.run("ip", "link", "set", "rill0", "mtu", "1500")
    expect_served()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


def flood():
    echo = rig.Echo("raw")
    before = echo.levels()
    seconds = rig.scaled(8, 4)
    syns = subprocess.Popen(
        [rig.tool("RILL_FRAME_STORM"), "rill0", mac_of_rill(), rig.rill_ip(), str(rig.PORT), str(seconds),
         str(rig.scaled(100_000, 5_000)), "42", "syn"], stdout=subprocess.PIPE, text=True)
    rig.eventually(seconds, "the flood did not fill the backlog",
                   lambda: echo.stats()["syn_cookies_sent"] > 0)
    # A hundred at once, and some more for as long as the flood lasts.
    served = 0
    while served == 0 or syns.poll() is None:
        rig.client("--connections", 10 if served else 100, "--messages", 20, "--size", "1-4000",
                   "--seed", served, timeout=90)
        served += 10 if served else 100
    sent, _ = syns.communicate(timeout=10)
    after = echo.stats()
    cookies = {name: after[name] for name in after if name.startswith("syn_cookies")}
    print("flood:", sent.strip(), "clients served:", served, cookies, "SYN-RECEIVED:", after["syn_received"])
    rig.expect(cookies["syn_cookies_good"] > 0, "no client came in by a cookie")
    rig.expect(after["syn_received"] <= 1024, "more half-open connections than the backlog")
    echo.expect_levels(before, rig.SETTLE_S)
    expect_served()
    echo.terminate()


def link_flap():
    echo = rig.Echo("raw")
    before = echo.levels()
    process = load("--seconds", 12, "--timeout", 90)
    wait_for_load(echo)
    rig.run("ip", "link", "set", "rill0", "down")
    time.sleep(5)
    rig.run("ip", "link", "set", "rill0", "up")
    report, status = report_of(process, 120)
    rig.expect(status == 0 and report["ended_well"] == 64, f"not all went on: {report}")
    expect_served()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


def link_lost():
    echo = rig.Echo("raw", "--keepalive", "1,1,3", "--user-timeout", "5")
    before = echo.levels()
    idle = [rig.connect() for _ in range(8)]
    process = load("--seconds", 60, "--timeout", 60)
    wait_for_load(echo)
    rig.run("ip", "link", "set", "rill0", "down")
    # Idle ones end by keepalive, the others by the user timeout.
    echo.expect_levels(before, 5 + rig.SETTLE_S)
    process.kill()
    process.wait()
    process.stdout.close()
    for sock in idle:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    rig.run("ip", "link", "set", "rill0", "up")
    rig.eventually(10, "no service after the link is up again",
                   lambda: rig.accepts(rig.rill_ip()))
    expect_served()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main({"killed": killed, "storm": storm, "flood": flood, "link-flap": link_flap,
          "link-lost": link_lost}[sys.argv[1]])
