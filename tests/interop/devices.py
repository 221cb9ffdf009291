#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The echo app over each device of drivers-cfg that can be made here.

    the far end is a netdev of the kernel's: tap, af_packet, af_xdp
        curl, echo_client ──► rill0 ─┬─ tap ────────────────┬─ rill-echo
                                     └─ veth ─ far0 ─ socket ─┘

    the far end is Rill: memif, vhost (with virtio-user), ring
        rill_get, rill-load, rill_client ── net_memif0, net_virtio_user0 ══ net_memif0, net_vhost0 ── rill-echo
        rill_get, rill-load ── net_ring_load ══ net_ring_echo ── rill-echo, all in one process

usage: devices.py DEVICE LANES
With several lanes, those of a device whose queues fill by themselves have one each.

All in both families. Over HTTP, by curl and by a client on Rill: requests large and small, and many
connections. Then raw: bytes in both directions that are verified, connections ended in every way.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import rig

BURST = 64  # frames that a lane sends at once
DEVICE, LANES = sys.argv[1], int(sys.argv[2])
FAMILIES = (4, 6)
FAR = {4: rig.ip4(0, 2), 6: rig.ip6(0, 2)}  # rill-echo
# Who asks: another one each time, as the server remembers the connections of the last one for a while.
NEAR = iter(range(10, 100))
SECONDS = rig.scaled(1.5, 0.7)
# Two programs of Rill in one test: neither takes what hugepages there are.
EAL = "--no-huge --no-pci --no-shconf --no-telemetry -m 384 --log-level=*:warning"
SERVER_MAC, CLIENT_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"


def near(family):
    """The address of whoever asks next."""
    host = next(NEAR)
    return f"{rig.ip4(0, host)}/24" if family == 4 else f"{rig.ip6(0, host)}/64"


def host_of(family):
    """As it stands in front of a port."""
    return FAR[4] if family == 4 else f"[{FAR[6]}]"


# ---- the far end is the kernel's

KERNEL = {
    "tap": "net_tap{0},iface=rill{0}",
    "af_packet": "net_af_packet{0},iface=far{0}" + (f",qpairs={LANES}" if LANES > 1 else ""),
    "af_xdp": "net_af_xdp{0},iface=far{0}",
}


def serve_kernel(protocol):
    if DEVICE != "tap":
        if os.path.isdir("/proc/sys/net/ipv4/conf/rill0"):
            rig.run("ip", "link", "del", "rill0")
        rig.veth()
    return rig.Echo(protocol, "--lanes", str(LANES), device=KERNEL[DEVICE])


def curl(family, *args):
    return rig.run("curl", f"-{family}", "-sS", "--fail", "--max-time", "20", *args,
                   f"http://{host_of(family)}:{rig.PORT}/hello")


def by_curl(family):
    rig.expect(curl(family).startswith("GET /hello HTTP/1.1"), "a GET is not answered by its text")
    rig.expect(curl(family, "-d", "some bytes") == "some bytes", "a POST does not return its body")
    with tempfile.NamedTemporaryFile(prefix="rill-body-") as body:
        body.write(os.urandom(150_000).hex().encode())
        body.flush()
        with open(body.name, encoding="ascii") as file:
            rig.expect(curl(family, "--data-binary", f"@{body.name}") == file.read(),
                       f"300000 bytes changed over IPv{family}")
    print(f"curl -{family}: right")


def kernel():
    echo = serve_kernel("http")
    for family in FAMILIES:
        by_curl(family)
        rig.client("--connections", 16, "--total", rig.scaled(400, 100), "--messages", 2, "--size",
                   "1-3000", ip=FAR[family], protocol="http")
    echo.terminate()

    echo = serve_kernel("raw")
    before = echo.levels()
    if DEVICE == "af_xdp":  # which keeps the last burst that it sent until it sends again
        before["mbufs"] += BURST
    total = rig.scaled(400, 100)
    for family in FAMILIES:
        rig.client("--connections", 8, "--messages", rig.scaled(15, 5), "--size", "1-100000",
                   ip=FAR[family])
        for seed, end in enumerate(("close", "half", "reset")):
            report = rig.client("--connections", 16, "--total", total, "--messages", 1, "--seed",
                                seed, "--end", end, ip=FAR[family])
            rig.expect(report["ended_well"] == total, f"{report}")
    echo.expect_levels(before, rig.SETTLE_S)
    expect_lanes(echo.stats())
    print(echo.text()[:2000])
    echo.terminate()


# ---- the far end is Rill

def pair(folder):
    """The devices of server and client."""
    if DEVICE == "memif":
        wire = f"net_memif0,role={{}},id=0,socket={folder}/wire.sock,socket-abstract=no,mac={{}}"
        return wire.format("server", SERVER_MAC), wire.format("client", CLIENT_MAC)
    queues = f",queues={LANES}"
    return (f"net_vhost0,iface={folder}/wire.sock{queues}",
            f"net_virtio_user0,path={folder}/wire.sock,mac={CLIENT_MAC}{queues}")


def serve_rill(device, protocol):
    echo = rig.Program("rill-echo", [
        rig.tool("RILL_ECHO"), "--dev", device, "--ip", rig.rill_prefixes(), "--ip6-unprobed", "--protocol", protocol,
        "--lanes", str(LANES), "--idle-sleep", "100", "--msl", str(rig.MSL_MS), f"--eal={EAL}"])
    echo.wait_for(": listening")
    return echo


def rill_options(family, *args):
    return ["--ip", near(family), "--ip6-unprobed", "--lanes", str(LANES), "--idle-sleep", "100", *args]


def load_options(family, *args):
    return rill_options(family, "--target", f"{host_of(family)}:{rig.PORT}", "--json", "--time",
                        str(SECONDS), "--warmup", "0.2", *args)


def get_options(family):
    """Of tests/tools/rill_get: two requests on each connection, of which it verifies the answers."""
    return rill_options(family, "--server", FAR[family], "--connections", "16", "--total",
                        str(rig.scaled(400, 100)), "--post", "20000")


def run_get(command, family):
    total = rig.scaled(400, 100)
    text = rig.run(*command, timeout=90)
    print(text.strip()[-2000:])
    rig.expect(f"IPv{family}: {total} connections, {total} GETs, {total} POSTs" in text and
               " 0 failed" in text, f"rill_get: {text}")


STORM = ("--mode", "connect", "--connections", "16", "--verify", "--close", "reset")
BULK = ("--connections", "8", "--request", "20000", "--verify")


def expect_good(done, least):
    """rill-load's report: nothing was lost, refused or changed, and it had so many replies."""
    print(done.stdout[-3000:], done.stderr[-3000:])
    rig.expect(done.returncode == 0, f"rill-load: status {done.returncode}")
    report = json.loads(done.stdout[done.stdout.index("{"):done.stdout.rindex("\n}") + 2])
    for name in ("lost", "failed", "not_begun", "mismatches"):
        rig.expect(report["ever"][name] == 0, f"{report['ever'][name]} {name}")
    rig.expect(report["replies"] >= least, f"{report['replies']} replies")
    return report


def load(device, family, *args, least):
    done = subprocess.run([rig.tool("RILL_LOAD"), "--dev", device, f"--eal={EAL}",
                           *load_options(family, *args)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return expect_good(done, least)


def client(device, family, *args):
    """tests/tools/rill_client verifies every byte."""
    text = rig.run(rig.tool("RILL_CLIENT"), "--dev", device, "--ip", near(family), "--server",
                   FAR[family], "--port", str(rig.PORT), "--idle-sleep", "100", "--msl", "100",
                   "--timeout", "60", *[str(arg) for arg in args], timeout=90)
    print(" ".join(str(arg) for arg in args), "->", text.strip())


def processes():
    with tempfile.TemporaryDirectory(prefix="rill-wire-") as folder:
        server, ours = pair(folder)
        echo = serve_rill(server, "http")
        # One client after another: the server's port is there all the time.
        for family in FAMILIES:
            run_get([rig.tool("RILL_GET"), "--dev", ours, f"--eal={EAL}", *get_options(family)], family)
        echo.send(15)
        rig.expect(echo.wait(20) == 0, "rill-echo did not end well")
        rig.Program.running.remove(echo)

        if os.path.exists(f"{folder}/wire.sock"):
            os.unlink(f"{folder}/wire.sock")
        echo = serve_rill(server, "raw")
        for family in FAMILIES:
            load(ours, family, *BULK, least=20)
            load(ours, family, *STORM, least=100)
        for family, end in ((4, "half"), (6, "close"), (4, "reset"), (6, "half")):
            if LANES == 1:
                client(ours, family, "--connections", 8, "--total", rig.scaled(64, 24), "--bytes",
                       100_000, "--end", end)
        echo.send(10)
        echo.wait_for(r"\bend of counters\b", 5)
        expect_lanes(dict((name, int(value)) for name, value in
                          re.findall(r"^(\w+) (\d+)$", echo.text(), flags=re.M)))
        echo.send(15)
        rig.expect(echo.wait(20) == 0, "rill-echo did not end well")
        rig.Program.running.remove(echo)


def ring():
    def both(tool, protocol, *args):
        return [rig.tool(tool), str(LANES), "--ip", rig.rill_prefixes(), "--ip6-unprobed",
                "--protocol", protocol, "--lanes", str(LANES), "--idle-sleep", "100", "--log-level",
                "error", "--", *args]

    def load_both(family, *args, least):
        done = subprocess.run(both("RILL_RING_PAIR", "raw", "--buffers", "8192",
                                   *load_options(family, *args)),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        expect_good(done, least)
    for family in FAMILIES:
        run_get(both("RILL_RING_GET", "http", *get_options(family)), family)
        load_both(family, *BULK, least=20)
        load_both(family, *STORM, least=100)


def expect_lanes(stats):
    """Whoever hands frames to other lanes has done so."""
    print({name: stats[name] for name in ("rx_packets", "frames_handed", "rss_agreed", "rss_strayed")})
    rig.expect(LANES == 1 or stats["frames_handed"] > 0, "no lane handed a frame to another")


rig.main(kernel if DEVICE in KERNEL else ring if DEVICE == "ring" else processes)
