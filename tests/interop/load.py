#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rill-load against servers on the kernel's TCP.

    rill-load 10.9.0.200 ── tap ─ rill0 ──► kernel 10.9.0.1:7000, kernel_echo.py
    lanes: two taps, rill0 and rill1, behind a bridge that has the kernel's address

usage: load.py echo | connect | bulk | idle | mixed | lanes | ends
echo: at a rate, all that is due is sent, answered and verified; as fast as it goes; in words of a text.
connect: open, exchange, close, at a rate and as fast as it goes, by FIN and by RST.
bulk: upload to a server that echoes; download from one that talks.
idle, mixed: held connections stay open. lanes: two lanes share the work, on one tap and on two.
ends: nobody listens; a signal before the time is over.
"""
import json
import os
import signal
import socket
import sys
import threading
import time

import rig

SECONDS = rig.scaled(2, 1)


def start(*args, taps=1, port=rig.PORT):
    command = [rig.tool("RILL_LOAD"), "--target", f"{rig.kernel_ip()}:{port}", "--idle-sleep",
               "100", "--json", "--time", str(SECONDS), "--warmup", "0.2"]
    for n in range(taps):
        command += ["--dev", f"net_tap{n},iface=rill{n}"]
    return rig.Program("rill-load", command + [str(arg) for arg in args])


def result(program, status=0):
    """What it printed at its end; it is gone then, and its taps with it."""
    seen = program.wait(SECONDS + 30)
    text = program.text()
    rig.expect(seen == status, f"status {seen}: {text[-2000:]}")
    program.kill()
    rig.eventually(5, "the tap is still there",
                   lambda: not os.path.isdir("/proc/sys/net/ipv4/conf/rill0"))
    if status != 0:
        return text
    rig.expect("\n{\n" in text, f"no JSON: {text[-2000:]}")
    report = json.loads(text[text.index("\n{\n"):])
    names = ("replies_per_s", "connections_per_s", "bits_in_per_s", "bits_out_per_s", "unanswered",
             "reply_us", "connect_us", "late_us", "ever")
    print({name: report[name] for name in names})
    return report


def load(*args, status=0, port=rig.PORT):
    program = start(*args, port=port)
    rig.tap_up()
    return result(program, status)


def serve():
    here = os.path.dirname(os.path.abspath(__file__))
    server = rig.Program("kernel-echo", [sys.executable, f"{here}/kernel_echo.py", "0.0.0.0",
                                         str(rig.PORT)])
    server.wait_for("listening")


def expect_clean(report):
    for name in ("lost", "failed", "not_begun", "mismatches", "unexpected"):
        rig.expect(report["ever"][name] == 0, f"{report['ever'][name]} {name}")
    rig.expect(report["unanswered"] == 0, f"{report['unanswered']} unanswered")


def echo():
    serve()
    rate = rig.scaled(1000, 200)
    report = load("--rate", rate, "--verify")
    expect_clean(report)
    rig.expect(report["reply_us"]["count"] == rate * SECONDS, "what was due was not measured")
    rig.expect(report["reply_us"]["p50"] > 0, "a reply took no time")
    rig.expect(report["held_open"] == 100, f"{report['held_open']} connections are open")

    report = load("--connections", 10, "--pipeline", 4, "--request", 3000, "--verify")
    expect_clean(report)
    rig.expect(report["replies"] > 100 * SECONDS, f"{report['replies']} replies")

    report = load("--connections", 1, "--request", 300_000, "--verify")
    expect_clean(report)
    rig.expect(report["replies"] > SECONDS, f"{report['replies']} replies")

    report = load("--rate", 100, "--arrivals", "random", "--loop", "closed", "--text", "ping\\n")
    expect_clean(report)
    rig.expect(report["request_bytes"] == 5, f"{report['request_bytes']}")
    rig.expect(50 * SECONDS < report["replies"] < 200 * SECONDS, f"{report['replies']} replies")


def connect():
    serve()
    rate = rig.scaled(500, 100)
    report = load("--mode", "connect", "--connect-rate", rate, "--verify")
    expect_clean(report)
    rig.expect(report["connect_us"]["count"] == rate * SECONDS, "what was due was not measured")
    rig.expect(report["ever"]["finished"] == report["ever"]["opened"], f"{report['ever']}")
    for end in ("fin", "reset"):
        report = load("--mode", "connect", "--connections", 8, "--close", end)
        expect_clean(report)
        rig.expect(report["finished"] > 50 * SECONDS, f"{report['finished']} connections")


def talk(listener):
    """Sends until the peer is gone."""
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        try:
            sock.recv(64)
            while True:
                sock.sendall(bytes(1 << 16))
        except OSError:
            sock.close()


def bulk():
    serve()
    report = load("--mode", "upload", "--connections", 2)
    expect_clean(report)
    for way in ("in", "out"):
        rig.expect(report[f"bits_{way}_per_s"] > 1e6, f"{report[f'bits_{way}_per_s']} bit/s {way}")
    with socket.create_server(("0.0.0.0", 7010)) as listener:
        threading.Thread(target=talk, args=(listener,), daemon=True).start()
        report = load("--mode", "download", "--connections", 1, port=7010)
        listener.shutdown(socket.SHUT_RDWR)
    expect_clean(report)
    rig.expect(report["bits_in_per_s"] > 1e6 > report["bits_out_per_s"],
               f"{report['bits_in_per_s']} bit/s in, {report['bits_out_per_s']} out")


def idle():
    serve()
    count = rig.scaled(1000, 200)
    report = load("--mode", "idle", "--connections", count, "--sources", 40)
    expect_clean(report)
    rig.expect(report["connections_at_end"] == count, f"{report['connections_at_end']} are open")


def mixed():
    serve()
    report = load("--mode", "mixed", "--mix", "echo=50,connect=30,upload=1,idle=19", "--rate", 200,
                  "--connect-rate", 100)
    expect_clean(report)
    rig.expect(report["held_open"] == 70, f"{report['held_open']} held connections")
    rig.expect(report["connect_us"]["count"] == 100 * SECONDS, "connections were not measured")
    rig.expect(report["reply_us"]["count"] == 300 * SECONDS, "requests were not measured")
    rig.expect(report["bits_out_per_s"] > 1e6, "nothing was uploaded")


def lanes():
    serve()
    report = load("--rate", 500, "--connections", 11, "--lanes", 2, "--verify", "--sources", 3)
    expect_clean(report)
    rig.expect(report["lanes"] == 2, f"{report['lanes']} lanes")
    rig.expect(report["reply_us"]["count"] == 500 * SECONDS, "what was due was not measured")

    rig.run("ip", "link", "add", "br0", "type", "bridge")
    program = start("--rate", 1000, "--connections", 11, "--verify", taps=2)
    for n in range(2):
        rig.eventually(30, f"no tap rill{n}",
                       lambda n=n: os.path.isdir(f"/proc/sys/net/ipv4/conf/rill{n}"))
        rig.run("ip", "link", "set", f"rill{n}", "address", f"02:00:00:00:01:{n:02x}")
        rig.run("ip", "link", "set", f"rill{n}", "master", "br0", "up")
    rig.run("ip", "addr", "add", f"{rig.kernel_ip()}/24", "dev", "br0")
    rig.run("ip", "link", "set", "br0", "up")
    report = result(program)
    expect_clean(report)
    rig.expect(report["lanes"] == 2, f"{report['lanes']} lanes")
    rig.expect(report["held_open"] == 11, f"{report['held_open']} connections are open")
    rig.expect(report["reply_us"]["count"] == 1000 * SECONDS, "what was due was not measured")


def ends():
    text = load("--open-timeout", 1, status=1)
    rig.expect("no connection opened within 1 s" in text and "refused by peer" in text, text)

    serve()
    program = start("--rate", 100, "--time", 60)
    rig.tap_up()
    # The second line: all are open since a second, and the warm-up is over.
    program.wait_for(r"conns 100 .*\n(.*\n)*conns 100 .*\n")
    began = time.monotonic()
    program.send(signal.SIGINT)
    report = result(program)
    rig.expect(time.monotonic() - began < 10, "a signal did not end it")
    rig.expect(0 < report["seconds"] < 30, f"{report['seconds']} s were measured")
    expect_clean(report)


rig.main(globals()[sys.argv[1]])
