#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads a trace of the impairment box (impair --pcap, beside.py --pcap): one bulk transfer as its sender
sees it.

usage: trace.py FILE [--lines N] [--from S --to S]

Prints data packets, those sent again, ACKs and DSACKs; every pause of the sender over 50 ms; N lines over
time: bytes sent, acknowledged, outstanding, the peer's window, packets sent again. With --from and --to
every packet between these times as well. Sequence numbers count from the first data byte, times from
the SYN.
"""
import argparse
import struct

PAUSE_S = 0.05
OPTION_END, OPTION_NOP, OPTION_SCALE, OPTION_SACK = 0, 1, 3, 5


class Segment:
    """TCP over IPv4 in an Ethernet frame of which the headers were kept."""

    def __init__(self, frame):
        ip_header = (frame[14] & 15) * 4
        ip_total, = struct.unpack_from(">H", frame, 16)
        at = 14 + ip_header
        self.source = frame[26:30]
        self.ports = set(struct.unpack_from(">HH", frame, at))
        self.seq, self.ack = struct.unpack_from(">II", frame, at + 4)
        header = (frame[at + 12] >> 4) * 4
        self.syn = frame[at + 13] & 2
        self.window, = struct.unpack_from(">H", frame, at + 14)
        self.payload = ip_total - ip_header - header
        self.sack, self.scale = [], 0
        self.read_options(frame[at + 20:at + header])

    def read_options(self, options):
        at = 0
        while at < len(options) and options[at] != OPTION_END:
            if options[at] == OPTION_NOP:
                at += 1
                continue
            length = options[at + 1]
            if options[at] == OPTION_SACK:
                self.sack = list(struct.iter_unpack(">II", options[at + 2:at + length]))
            elif options[at] == OPTION_SCALE:
                self.scale = options[at + 2]
            at += length


def segments(path):
    """(seconds, segment) of the first frame's connection, times from that frame."""
    with open(path, "rb") as file:
        data = file.read()
    at, begin, ports = 24, None, None
    while at + 16 <= len(data):
        seconds, ns, kept, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        if frame[12:14] == b"\x08\x00" and frame[23] == 6 and len(frame) == kept:
            now, segment = seconds + ns / 1e9, Segment(frame)
            if begin is None:
                begin, ports = now, segment.ports
            if segment.ports == ports:
                yield now - begin, segment


class Sender:
    """What the sender has done so far."""

    def __init__(self, first):
        self.address, self.isn = first.source, first.seq
        self.sent = self.acked = self.window = self.scale = 0
        self.data = self.again = self.acks = self.dsacks = 0
        self.last, self.pauses = None, []

    def offset(self, number):
        return (number - self.isn - 1) & 0xffffffff

    def sends(self, now, segment):
        at = self.offset(segment.seq)
        word = "again" if at < self.sent else ""
        if self.last is not None and now - self.last > PAUSE_S:
            self.pauses.append((self.last, now, word or "new"))
        self.last = now
        self.data += 1
        self.again += at < self.sent
        self.sent = max(self.sent, at + segment.payload)
        return f"> {at} +{segment.payload} {word} outstanding {self.sent - self.acked}"

    def hears(self, segment):
        if segment.syn:
            self.scale = segment.scale
            return "< SYN,ACK"
        blocks = [(self.offset(left), self.offset(right)) for left, right in segment.sack]
        acked = self.offset(segment.ack)
        # The first block repeats what was acknowledged, or lies within the second [2883 4].
        is_dsack = bool(blocks) and (blocks[0][0] < acked or (
            len(blocks) > 1 and blocks[1][0] <= blocks[0][0] and blocks[0][1] <= blocks[1][1]))
        self.acks += 1
        self.dsacks += is_dsack
        self.acked = max(self.acked, acked)
        self.window = segment.window << self.scale
        return f"< ack {acked} window {self.window} {blocks or ''}{' DSACK' if is_dsack else ''}"

    def line(self):
        return (f"sent {self.sent} acked {self.acked} outstanding {self.sent - self.acked} "
                f"window {self.window} again {self.again}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--from", dest="begin", type=float, default=0)
    parser.add_argument("--to", dest="end", type=float, default=-1)
    args = parser.parse_args()
    frames = list(segments(args.file))
    sender = Sender(frames[0][1])
    step = frames[-1][0] / args.lines
    lines = []
    for seconds, segment in frames:
        while len(lines) * step <= seconds and len(lines) < args.lines:
            lines.append(f"{len(lines) * step:9.4f} {sender.line()}")
        if segment.source != sender.address:
            text = sender.hears(segment)
        elif segment.payload > 0:
            text = sender.sends(seconds, segment)
        else:
            continue
        if args.begin <= seconds <= args.end:
            print(f"{seconds:9.4f} {text}")
    print(f"{frames[-1][0]:.3f} s; data packets {sender.data}, sent again {sender.again}; "
          f"ACKs {sender.acks}, with DSACK {sender.dsacks}")
    for begin, end, word in sender.pauses:
        print(f"{begin:9.4f} pause of {end - begin:.3f} s, then {word} data")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
