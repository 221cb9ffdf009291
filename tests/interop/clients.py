#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Other people's clients against the HTTP echo, and nc against the line echo.

    kernel 10.9.0.1 ── curl, nc, wrk, python3 ──► rill0 ─ tap ─► 10.9.0.2:7000 rill-echo --protocol http

usage: clients.py http | line
"""
import http.client
import os
import re
import sys

import rig

URL = f"http://{rig.rill_host()}:{rig.PORT}"


def by_curl():
    text = rig.run("curl", "-sS", "-m", "10", "-H", "X-Rill: tap", f"{URL}/some/path?q=1")
    rig.expect("GET" in text and "/some/path?q=1" in text and re.search(r"(?i)x-rill: *tap", text),
               f"no method, path and headers in: {text}")
    body = "a=" + "rill" * 50_000
    with open("/dev/shm/" + f"rill-body-{os.getpid()}", "w+", encoding="ascii") as file:
        file.write(body)
        file.flush()
        try:
            for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"]):
                got = rig.run("curl", "-sS", "-m", "20", *more, "--data-binary", "@" + file.name, URL)
                rig.expect(got == body, f"curl {more}: {len(got)} bytes of {len(body)} came back")
        finally:
            os.unlink(file.name)
    # One listener answers both families.
    for version, host in (("-4", rig.ip4(0, 2)), ("-6", f"[{rig.ip6(0, 2)}]")):
        text = rig.run("curl", version, "-sS", "-m", "10", f"http://{host}:{rig.PORT}/by{version}")
        rig.expect(f"/by{version}" in text, f"curl {version} got {text!r}")
    # One connection for two requests.
    text = rig.run("curl", "-sSv", "-m", "10", f"{URL}/1", f"{URL}/2")
    rig.expect("Re-using existing connection" in text, "keep-alive was not used")


def by_python():
    connection = http.client.HTTPConnection(rig.rill_ip(), rig.PORT, timeout=10)
    for i in range(50):
        body = os.urandom(i * 997)
        connection.request("POST", f"/{i}", body)
        answer = connection.getresponse()
        got = answer.read()
        rig.expect(answer.status == 200, f"status {answer.status}")
        rig.expect(got == body or (i == 0 and b"POST" in got), f"request {i} came back otherwise")
    connection.request("HEAD", "/head")
    answer = connection.getresponse()
    rig.expect(answer.status == 200 and answer.read() == b"", "HEAD has a body")
    connection.close()


def by_hand(request):
    with rig.connect() as sock:
        sock.sendall(request)
        return rig.read_all(sock)


def wrong_requests(echo):
    answer = by_hand(b"this is no HTTP\r\n\r\n")
    rig.expect(answer.startswith(b"HTTP/1.1 400"), f"garbage was answered by {answer[:60]!r}")
    answer = by_hand(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    rig.expect(answer.startswith(b"HTTP/1.1 413"), f"too long was answered by {answer[:60]!r}")
    answer = by_hand(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n"
                     b"Connection: close\r\n\r\n")
    rig.expect(answer.count(b"HTTP/1.1 200") == 2 and answer.index(b"/1") < answer.index(b"/2"),
               f"two pipelined requests were answered by {answer!r}")


def by_nc_http():
    text = rig.run("nc", "-w", "5", rig.rill_ip(), str(rig.PORT),
                   input="GET /by-nc HTTP/1.1\r\nHost: rill\r\nConnection: close\r\n\r\n")
    rig.expect(text.startswith("HTTP/1.1 200") and "/by-nc" in text, f"nc got {text!r}")


def by_wrk():
    seconds = rig.scaled(5, 2)
    text = rig.run("wrk", "-t1", "-c64", f"-d{seconds}s", f"{URL}/")
    print(text)
    rig.expect("Socket errors" not in text, "wrk saw socket errors")
    rig.expect("Non-2xx" not in text, "wrk saw a status that is not 2xx")
    done = re.search(r"(\d+) requests in", text)
    rig.expect(done and int(done.group(1)) > 100 * seconds, f"too few requests: {text}")


def http_clients():
    echo = rig.Echo("http")
    before = echo.levels()
    by_curl()
    by_python()
    by_nc_http()
    wrong_requests(echo)
    by_wrk()
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


def line_clients():
    echo = rig.Echo("line", "--max-message", "4096")
    before = echo.levels()
    text = rig.run("nc", "-N", rig.rill_ip(), str(rig.PORT), input="one\ntwo\nthree\n")
    rig.expect(text == "one\ntwo\nthree\n", f"nc got {text!r}")
    with rig.connect() as sock:
        sock.sendall(b"fine\n" + b"x" * 5000 + b"\n")
        got = rig.read_all(sock)
    rig.expect(got.startswith(b"fine\n") and
               got.endswith(b"error: message longer than 4096 bytes (--max-message)\n"),
               f"a line that is too long was answered by {got[:100]!r}")
    echo.expect_levels(before, rig.SETTLE_S)
    echo.terminate()


rig.main({"http": http_clients, "line": line_clients}[sys.argv[1]])
