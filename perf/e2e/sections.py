# SPDX-License-Identifier: BSD-3-Clause
"""The report's sections: what each explains, which figures its table has, and what it draws."""
import figures
import plots


class Column:
    def __init__(self, title, path, digits=0, factor=1):
        self.title, self.path = title, path
        self.digits = digits  # after the point
        self.factor = factor  # of what is shown to what was counted


class Section:
    def __init__(self, group, title, words, columns, draw=None):
        self.group = group
        self.title = title
        self.words = words      # what was measured, against what; a paragraph each
        self.columns = columns
        self.draw = draw        # of a result: a list of pairs, caption and SVG


def shown(result, name, path):
    """(median, least, most) of a figure, or None."""
    figure = figures.find(result, name, path)
    return figure and (figure["median"], figure["least"], figure["most"])


def median(result, name, path):
    figure = figures.find(result, name, path)
    return figure and figure["median"]


def size_of(point):
    return point["runs"][0].get("size", 0) if point["runs"] else 0


def connections_of(point):
    return point["runs"][0].get("connections", 0) if point["runs"] else 0


# ---- echo

def draw_echo(result):
    points = [point for point in result["points"] if point["group"] == "echo" and point["runs"]]
    drawn = []
    for path, words in (("cycles_per_message", "message"), ("cycles_per_frame", "received frame")):
        series = []
        for size in sorted({size_of(point) for point in points}):
            for side, title, colour in (("rill", "Rill", plots.BLUE), ("limit", "limit", plots.ORANGE)):
                rows = [(connections_of(point), *found) for point in points if size_of(point) == size
                        for found in [shown(result, point["name"], f"{side}.{path}")] if found]
                series.append((f"{title}, {size} B", colour, size > 64, sorted(rows)))
        drawn.append((f"Server cycles per {words}: medians, with the least and the most.",
                      plots.lines(f"echo-{path}", series, "connections", f"server cycles per {words}")))
    return drawn


ECHO = Section(
    "echo", "Echo on the ring wire",
    ["A client sends a request, the server sends it back. Rill's lane and the limit serve the same sequence "
     "of frames over the same wire, by turns, in slices; cycles are read with the TSC inside the lane, around "
     "turns that did work; turns that found nothing do not count.",
     "The <b>limit</b> does only what no TCP can avoid: receive a burst, look the 4-tuple up with Rill's own "
     "table, check and update two cache lines, verify and compute checksums, swap and rewrite the headers, "
     "free a buffer and refill one, send. The <b>ratio</b> is Rill's cycles to the limit's, pair by pair; it "
     "binds on every machine. Pairs whose mean bursts differ by more than 10 % are left out.",
     "Frames per message is above 1 where clients acknowledge by frames of their own: with many connections "
     "a reply waits so long for the next request that its ACK goes alone. Checksums are in software on both "
     "sides. The rate per core is the TSC's rate divided by the cycles per message; the kernel's, over veth, "
     "is divided by the busy share of its core. <b>The wires differ</b>: the ring has no system calls, no "
     "softirq, no device; the ratio says what a core can serve, not how a socket compares with a ring."],
    [Column("Rill, cycles per message", "rill.cycles_per_message"),
     Column("limit, cycles per message", "limit.cycles_per_message"),
     Column("ratio per message", "ratio.cycles_per_message", 2),
     Column("ratio per frame", "ratio.cycles_per_frame", 2),
     Column("frames in per message", "rill.frames_in_per_message", 2),
     Column("mean burst", "rill.mean_burst", 1),
     Column("Rill per core, million/s", "rill.per_core", 2, 1e-6),
     Column("to the kernel", "kernel_ratio", 1)],
    draw_echo)


# ---- rate and bulk

def draw_rate(result):
    groups = []
    for label, name in (("echo 64 B", "echo-64-1000"), ("echo 1 KiB", "echo-1024-1000"),
                        ("connections", "rate")):
        groups.append((label, [median(result, name, "rill.per_core"), median(result, name, "limit.per_core"),
                               median(result, "kernel-" + name, "best.per_busy_core")]))
    return [("A second, per core: echoes at 1,000 connections, and connections. Rill and the limit on the "
             "ring wire, the kernel over veth (logarithmic).",
             plots.bars("rates", [("Rill", plots.BLUE), ("limit", plots.ORANGE), ("kernel", plots.GREY)],
                        groups, "a second, per core", log=True))]


RATE = Section(
    "rate", "Connections on the ring wire",
    ["Each message has a connection of its own: open, request of 64 bytes, reply, close by the client. The "
     "limit answers the same frames by swapping their headers, with a look-up each; it keeps no state "
     "machine. The kernel does the same work over veth."],
    [Column("Rill, cycles per connection", "rill.cycles_per_message"),
     Column("limit, cycles", "limit.cycles_per_message"),
     Column("ratio", "ratio.cycles_per_message", 2),
     Column("frames in", "rill.frames_in_per_message", 2),
     Column("Rill per core, thousand/s", "rill.per_core", 0, 1e-3),
     Column("to the kernel", "kernel_ratio", 1)],
    draw_rate)


def draw_bulk(result):
    groups = [(label, [median(result, name, "rill.gbit_per_core"),
                       median(result, "kernel-" + name, "best.per_busy_core")])
              for label, name in (("in", "bulk-in"), ("out", "bulk-out"), ("out, TSO", "bulk-out-tso"))]
    groups.append(("kernel in, TSO", [None, median(result, "kernel-bulk-in-tso", "best.per_busy_core")]))
    return [("Gbit/s per core. Rill on the ring wire, the kernel over veth.",
             plots.bars("bulk", [("Rill", plots.BLUE), ("kernel", plots.GREY)], groups, "Gbit/s per core"))]


BULK = Section(
    "bulk", "Bulk on the ring wire",
    ["Segments of 1,460 bytes, one way; a message is a segment. The frame rate to the limit's is what a core "
     "of Rill carries of what the wire and header swapping alone would; it is to be 0.6 at least. The kernel "
     "is compared without its offloads, as Rill has none here, unless the row says TSO."],
    [Column("Rill, cycles per segment", "rill.cycles_per_message"),
     Column("limit, cycles per segment", "limit.cycles_per_message"),
     Column("ratio per frame", "ratio.cycles_per_frame", 2),
     Column("frame rate to the limit's", "limit_share", 2),
     Column("Rill, Gbit/s per core", "rill.gbit_per_core", 1),
     Column("to the kernel", "kernel_ratio", 1)],
    draw_bulk)


KERNEL = Section(
    "kernel", "The kernel over veth",
    ["Its own best plain configuration: an epoll server of one thread on one core, edge-triggered, with "
     "TCP_NODELAY, and clients on the other core, in two namespaces joined by a veth; listen backlog and "
     "somaxconn 65535, 16 client addresses with ports 1024 to 65535, tcp_tw_reuse. Closed loop, as many "
     "messages under way as on the ring wire. A rate is divided by the share of the time that the server's "
     "core was busy, softirq included, read from /proc/stat.",
     "Each point is taken with RPS (what arrives is received on the core of the program that it is for) and "
     "without (veth then has the sender's core receive it); comparisons use the better one. A million "
     "connections are not measured here: the kernel's sockets of both ends would not fit in this machine's "
     "memory beside the rest."],
    [Column("rate per busy core, with RPS", "rps.per_busy_core", 1),
     Column("busy", "rps.server_core.busy_share", 2),
     Column("softirq", "rps.server_core.softirq_share", 2),
     Column("rate per busy core, without", "plain.per_busy_core", 1),
     Column("busy", "plain.server_core.busy_share", 2),
     Column("softirq", "plain.server_core.softirq_share", 2)])


SECTIONS = [ECHO, RATE, BULK, KERNEL]
