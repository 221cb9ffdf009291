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
    def __init__(self, group, title, words, columns, draw=None, rows=None):
        self.group = group
        self.title = title
        self.words = words      # what was measured, against what; a paragraph each
        self.columns = columns
        self.draw = draw        # of a result: a list of pairs, caption and SVG
        self.rows = rows or whole_point  # of a point: label, and what stands before its columns' paths


def whole_point(point):
    yield point["what"], ""


def sides_of(point, names, path="{}."):
    """A row for each side that has figures."""
    for side, label in names.items():
        prefix = path.format(side)
        if any(found.startswith(prefix) for found in point["figures"]):
            yield f"{point['what']}: {label}", prefix


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
     Column("Rill per core, thousand/s", "rill.per_core", 0, 1e-3),
     Column("kernel per busy core, thousand/s", "kernel_per_core", 0, 1e-3),
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
     Column("kernel per busy core, thousand/s", "kernel_per_core", 1, 1e-3),
     Column("to the kernel", "kernel_ratio", 1)],
    draw_rate)


def draw_bulk(result):
    groups = [(label, [median(result, name, "rill.gbit_per_core"),
                       median(result, "kernel-" + name, "best.per_busy_core")])
              for label, name in (("in", "bulk-in"), ("out", "bulk-out"), ("out, 64 KiB", "bulk-out-tso"))]
    return [("Gbit/s per core. Rill on the ring wire, the kernel over veth.",
             plots.bars("bulk", [("Rill", plots.BLUE), ("kernel", plots.GREY)], groups, "Gbit/s per core"))]


BULK = Section(
    "bulk", "Bulk on the ring wire",
    ["Segments of 1,460 bytes, one way; a message is a segment. <b>In</b>: the server reads and acknowledges. "
     "<b>Out</b>: clients ask, the server sends either segment by segment, a buffer for each, or as much as a "
     "TSO send at once, a chain of buffers that Rill cuts into segments itself, in software: the wire has no "
     "TSO. The rate to the limit's is what a core of Rill carries of what the wire and the swapping of headers "
     "would; it is to be 0.6 at least. The kernel is compared without its offloads, but for sends of 64 KiB."],
    [Column("Rill, cycles per segment", "rill.cycles_per_message"),
     Column("limit, cycles per segment", "limit.cycles_per_message"),
     Column("ratio", "ratio.cycles_per_message", 2),
     Column("rate to the limit's", "limit_share", 2),
     Column("Rill, Gbit/s per core", "rill.gbit_per_core", 1),
     Column("kernel, Gbit/s per busy core", "kernel_per_core", 1),
     Column("to the kernel", "kernel_ratio", 1)],
    draw_bulk)


# ---- open loop

PERCENTILES = (("p50", "p50_us"), ("p90", "p90_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("max", "max_us"))
COLOURS = (plots.GREEN, plots.BLUE, plots.ORANGE)
LOADED_SIDES = {"rill": "Rill", "limit": "limit"}


def load_rows(point):
    for percent in sorted({int(path.split(".")[1].removeprefix("load_")) for path in point["figures"]
                           if path.startswith("open_loop.load_")}):
        for label, prefix in sides_of(point, LOADED_SIDES, f"open_loop.load_{percent}.{{}}."):
            yield f"{label}, {percent} % of the closed loop's rate", prefix


def draw_latency(result):
    series = []
    for percent, colour in zip((10, 50, 90), COLOURS):
        for side, label in LOADED_SIDES.items():
            rows = [(x, *found) for x, (_, path) in enumerate(PERCENTILES)
                    for found in [shown(result, "latency", f"open_loop.load_{percent}.{side}.{path}")]
                    if found and found[1] > 0]
            series.append((f"{label}, {percent} %", colour, side == "limit", rows))
    tics = ", ".join(f'"{label}" {x}' for x, (label, _) in enumerate(PERCENTILES))
    return [("Latency from when a request was due to its echo, by percentile (logarithmic).",
             plots.lines("latency", series, "percentile", "µs", log="y", x_tics=tics))]


LATENCY = Section(
    "latency", "Latency on the ring wire",
    ["Requests are due on a schedule, at a share of the rate that the closed loop of the same round reached, "
     "and leave whether or not replies have come. A reply counts from when its request was <b>due</b>, so a "
     "server that stalls is seen by every request that was due meanwhile. An HDR histogram keeps them all. A "
     "turn is one round of the server's loop, the median of those that received frames in this very slice; "
     "p99 at half load is to be within three of them. On a virtual machine the largest values are the host's "
     "as often as the server's: both sides show them."],
    [Column("offered, thousand/s", "asked_per_second", 0, 1e-3)] +
    [Column(f"{label}, µs", path, 1) for label, path in PERCENTILES] +
    [Column("turn, µs", "median_turn_us", 1), Column("p99 in turns", "p99_turns", 2)],
    draw_latency, load_rows)


def draw_overload(result):
    sides = ("rill", "limit")
    groups = [("closed loop", [median(result, "overload", f"{side}.messages_per_second") for side in sides])]
    for label, path in (("offered", "asked_per_second"), ("answered", "answered_per_second")):
        groups.append((label, [median(result, "overload", f"open_loop.load_200.{side}.{path}") for side in sides]))
    return [("Echoes a second: what the closed loop reached, what was then offered, and what was answered.",
             plots.bars("overload", [("Rill", plots.BLUE), ("limit", plots.ORANGE)], groups, "a second"))]


OVERLOAD = Section(
    "overload", "Overload on the ring wire",
    ["Requests are offered on a schedule at twice the rate of the closed loop of the same round. What finds "
     "the receive ring full is lost, as at a NIC, and the client sends it again after its RTO. Goodput counts "
     "only answers that came while requests were offered, as a share of the closed loop's rate; it is to stay "
     "at 0.95 or more: a server that spends itself on what it then drops falls far below. What was begun can "
     "be less than what was offered where the far side is out of connections that wait for nothing."],
    [Column("closed loop, thousand/s", "messages_per_second", 0, 1e-3),
     Column("offered, thousand/s", "asked_per_second", 0, 1e-3),
     Column("sent, thousand/s", "tried_per_second", 0, 1e-3),
     Column("answered, thousand/s", "answered_per_second", 0, 1e-3),
     Column("goodput", "goodput", 3), Column("lost share", "lost_share", 2), Column("p50, µs", "p50_us")],
    draw_overload, load_rows)


# ---- memory

def draw_memory(result):
    groups = []
    for point in result["points"]:
        if point["group"] == "memory" and point["runs"]:
            groups.append((plots.short(connections_of(point)),
                           [median(result, point["name"], "memory.rill.per_connection"),
                            median(result, point["name"], "memory.sizes.connection")]))
    return [("Bytes per established connection, tables and buffers included, by how many there are; and what "
             "Rill's structure of one takes.",
             plots.bars("memory", [("held, per connection", plots.BLUE), ("the structure", plots.GREEN)],
                        groups, "bytes"))]


MEMORY = Section(
    "memory", "Memory on the ring wire",
    ["What the process holds, hugepages taken and resident memory, with that many connections open, without "
     "the far side's share; per connection: what it holds more than before the server was made, divided by the "
     "connections, so tables and buffers are in it. Then all connections echo, and a round compares the cycles "
     "of an echo among many with those of a second Rill that has 10,000. Ten million are to take 4 GiB at most "
     "and twice the cycles at most."],
    [Column("server, MiB", "memory.rill.server", 0, 2**-20),
     Column("per connection, bytes", "memory.rill.per_connection"),
     Column("the structure, bytes", "memory.sizes.connection"),
     Column("cycles per echo", "rill.cycles_per_message"),
     Column("with 10,000", "few.cycles_per_message"),
     Column("ratio", "growth.cycles_per_message", 2),
     Column("cycles per open", "rill.cycles_per_open")],
    draw_memory)


# ---- memif

def memif_rows(point):
    yield from sides_of(point, {"rill": "Rill", "limit": "limit", "load": "Rill, loaded by rill-load"})


def draw_memif(result):
    groups = [(label, [median(result, name, "rill.messages_per_s"), median(result, name, "limit.messages_per_s"),
                       median(result, name, "load.messages_per_s")])
              for label, name in (("echo 64 B", "memif-echo"), ("connections", "memif-connect"),
                                  ("bulk 1,400 B", "memif-bulk"))]
    return [("A second, over memif: Rill and the limit under the flow player, and Rill under rill-load.",
             plots.bars("memif", [("Rill", plots.BLUE), ("limit", plots.ORANGE), ("Rill, rill-load", plots.GREEN)],
                        groups, "a second", log=True))]


MEMIF = Section(
    "memif", "Two processes over memif",
    ["rill-echo, or the limit, in one process on one core; the load in another on the other. In each round "
     "the flow player loads one and then the other with the same work, and the ratio is of these two; rill-load, "
     "a whole TCP client on Rill itself, loads rill-echo after them. Busy: the share of the time in which a "
     "process had work; who is busy all the time is what set the rate. Here copies between the processes cost "
     "what DMA would not."],
    [Column("thousand/s", "messages_per_s", 0, 1e-3),
     Column("Gbit/s each way", "gbit_per_s_each_way", 1),
     Column("server, ns per message", "server_ns_per_message"),
     Column("server busy", "server_busy_share", 2), Column("load busy", "load_busy_share", 2),
     Column("mean burst", "mean_burst", 1)],
    draw_memif, memif_rows)


# ---- where cycles and instructions go

TURN_STAGES = ("rx", "classify", "lookup", "segments", "timers", "mail", "speak", "reap", "tx")
STAGES = Section(
    "stages", "Where the cycles go",
    ["Server cycles of a message by the stage of the turn, in a build that reads the TSC between stages (-Dprofile="
     "true), so a little more than the figures above. rx: the wire's burst, and empty buffers posted; classify: "
     "frames parsed and verified; lookup: connections found; segments: TCP's input and the application; speak: TCP's "
     "output; tx: the wire's, and buffers freed."],
    [Column("all", "rill.cycles_per_message")] + [Column(stage, f"stages.{stage}") for stage in TURN_STAGES])


def function_rows(point):
    """The whole, then the functions, the largest first."""
    yield f"{point['what']}: all", ""
    found = [path.split(".")[1] for path in point["figures"] if path.endswith(".percent")]
    for name in sorted(found, key=lambda name: -point["figures"][f"functions.{name}.percent"]["median"]):
        yield f"{point['what']}: {name}", f"functions.{name}."


PROFILE = Section(
    "profile", "Where the instructions go",
    ["Instructions of a lane for a piece of work, counted by callgrind without a wire: they do not jitter, and "
     "say where to look when a target above is not reached. Not every instruction costs the same: what waits for "
     "memory costs more than its share. A function holds what was inlined into it."],
    [Column("instructions", "instructions"), Column("percent", "percent", 1)], rows=function_rows)


KERNEL = Section(
    "kernel", "The kernel over veth",
    ["Its own best plain configuration: an epoll server of one thread on one core, edge-triggered, with "
     "TCP_NODELAY, and clients on the other core, in two namespaces joined by a veth; listen backlog and "
     "somaxconn 65535, 16 client addresses with ports 1024 to 65535, tcp_tw_reuse. Closed loop: echo "
     "with as many messages under way as on the ring wire, connections with 256, bulk on 4 connections. A "
     "rate is divided by the share of the time that the server's core was busy, softirq included, read from "
     "/proc/stat; what other programs had of that core is not in it.",
     "Each point is taken with RPS (what arrives is received on the core of the program that it is for) and "
     "without (veth then has the sender's core receive it); comparisons use the better one. Rates are a second, "
     "bulk in Gbit/s. A million connections are left out: they would take the kernel, with a socket at each "
     "end, more memory and time than this run has."],
    [Column("rate per busy core, with RPS", "rps.per_busy_core", 1),
     Column("busy", "rps.server_core.busy_share", 2),
     Column("softirq", "rps.server_core.softirq_share", 2),
     Column("others", "rps.server_core.others_share", 2),
     Column("rate per busy core, without", "plain.per_busy_core", 1),
     Column("busy", "plain.server_core.busy_share", 2),
     Column("softirq", "plain.server_core.softirq_share", 2),
     Column("others", "plain.server_core.others_share", 2)])


SECTIONS = [ECHO, RATE, BULK, OVERLOAD, LATENCY, MEMORY, MEMIF, STAGES, PROFILE, KERNEL]
