#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An echo server on the kernel's TCP, for the tests in which Rill is the client.

usage: kernel_echo.py ADDRESS PORT
Prints "listening" once it does. Ends on SIGTERM.
"""
import selectors
import signal
import socket
import sys

PENDING_MAX = 1 << 20


def ready(selector, key, mask):
    sock, pending = key.fileobj, key.data
    try:
        if mask & selectors.EVENT_READ and not pending["eof"] and len(pending["bytes"]) < PENDING_MAX:
            data = sock.recv(1 << 18)
            pending["eof"] = not data
            pending["bytes"] += data
        if pending["bytes"]:
            del pending["bytes"][:sock.send(pending["bytes"])]
    except BlockingIOError:
        pass
    except OSError:
        selector.unregister(sock)
        sock.close()
        return
    if pending["eof"] and not pending["bytes"]:
        selector.unregister(sock)
        sock.close()
        return
    events = 0
    if not pending["eof"] and len(pending["bytes"]) < PENDING_MAX:
        events |= selectors.EVENT_READ
    if pending["bytes"]:
        events |= selectors.EVENT_WRITE
    selector.modify(sock, events, pending)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family, backlog=4096)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    print("listening", flush=True)
    while True:
        for key, mask in selector.select():
            if key.fileobj is not listener:
                ready(selector, key, mask)
                continue
            try:
                sock, _ = listener.accept()
            except OSError:
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ, {"bytes": bytearray(), "eof": False})


if __name__ == "__main__":
    main()
