# SPDX-License-Identifier: BSD-3-Clause
"""What perf/run.sh measures: the points, in the order in which a round takes them.

A point is one program with one set of arguments on one wire. A point of the kernel stands right behind
the one of Rill that it is compared with, so that both see the same minute of a machine that is never
quite the same.
"""

WORDS = ("echo", "rate", "bulk", "overload", "latency", "memory", "memif", "profile", "kernel")


class Effort:
    """How long and how often."""

    def __init__(self, rounds, slices, slice_seconds, kernel_seconds, memif_seconds, heavy, huge):
        self.rounds = rounds                  # of all points
        self.slices = slices                  # pairs of Rill and limit within a run
        self.slice_seconds = slice_seconds
        self.kernel_seconds = kernel_seconds
        self.memif_seconds = memif_seconds
        self.heavy = heavy                    # rounds of points with a million connections
        self.huge = huge                      # rounds of that with ten million


EFFORTS = {
    "full": Effort(5, 5, 0.3, 1.0, 2.0, 2, 1),
    "quick": Effort(2, 5, 0.08, 0.3, 0.6, 1, 0),
    "smoke": Effort(1, 4, 0.01, 0.2, 0.1, 0, 0),
}

MANY, VERY_MANY = 1_000_000, 10_000_000


class Point:
    def __init__(self, name, group, wire, what, arguments, rival=None, once=False):
        self.name = name
        self.group = group          # of WORDS
        self.wire = wire            # ring, stages (ring, a build that times them), veth, memif, none
        self.what = what            # in words
        self.arguments = arguments  # of the program, a dict
        self.rival = rival          # the point of the kernel that it is compared with
        self.once = once            # its program has rounds of its own

    def rounds(self, effort, rounds):
        """How many of so many rounds it takes part in: the largest take long."""
        many = self.arguments.get("connections", 0)
        most = effort.huge if many >= VERY_MANY else effort.heavy if many >= MANY else rounds
        return min(rounds, most, 1 if self.once else rounds)


def count(n):
    """1000000: "1,000,000"."""
    return f"{n:,}"


def connections(n):
    return "1 connection" if n == 1 else f"{count(n)} connections"


def ring(effort, **more):
    return {"rounds": effort.slices, "seconds": effort.slice_seconds, **more}


ECHO = [(size, n) for size in (64, 1024) for n in (1, 100, 1000, 10_000, MANY)]
KERNEL_ECHO_MOST = 10_000
BULK_CONNECTIONS = 50
LATENCY_LOADS = (10, 50, 90)  # percent of the closed loop's rate
OVERLOAD = 200


def echo_points(effort):
    for size, n in ECHO:
        rival = f"kernel-echo-{size}-{n}" if n <= KERNEL_ECHO_MOST else None
        words = f"echo of {count(size)} bytes, {connections(n)}"
        yield Point(f"echo-{size}-{n}", "echo", "ring", words,
                    ring(effort, work="echo", size=size, connections=n), rival)
        if rival:
            yield Point(rival, "kernel", "veth", words, {"work": "echo", "size": size, "connections": n})


def rate_points(effort):
    words = "open, request and reply of 64 bytes, close"
    yield Point("rate", "rate", "ring", words, ring(effort, work="rate", connections=1000), "kernel-rate")
    yield Point("kernel-rate", "kernel", "veth", words,
                {"work": "rate", "size": 64, "connections": 256, "inflight": 256})


def bulk_pair(effort, name, words, kernel_words, ring_arguments, kernel_arguments):
    """Rill, and the kernel doing what is nearest to it."""
    yield Point(f"bulk-{name}", "bulk", "ring", f"{words}, {connections(BULK_CONNECTIONS)}",
                ring(effort, size=1460, timestamps="off", connections=BULK_CONNECTIONS, **ring_arguments),
                f"kernel-bulk-{name}")
    yield Point(f"kernel-bulk-{name}", "kernel", "veth", f"{kernel_words}, 4 connections, Gbit/s",
                {"size": 65536, "connections": 4, **kernel_arguments})


def bulk_points(effort):
    yield from bulk_pair(effort, "in", "in, segments of 1,460 bytes", "bulk in, no offloads",
                         {"work": "sink"}, {"work": "sink", "offloads": False})
    yield from bulk_pair(effort, "out", "out, sends of 1,460 bytes", "bulk out, no offloads",
                         {"work": "source", "record": "segment"}, {"work": "source", "offloads": False})
    yield from bulk_pair(effort, "out-tso", "out, sends of 64 KiB", "bulk out, TSO, GSO and GRO",
                         {"work": "source", "record": "large"}, {"work": "source"})
    yield Point("kernel-bulk-in-tso", "kernel", "veth", "bulk in, TSO, GSO and GRO, 4 connections, Gbit/s",
                {"work": "sink", "size": 65536, "connections": 4})


def offered(*percents):
    return ",".join(f"{percent / 100:g}" for percent in percents)


def open_loop_points(effort):
    yield Point("latency", "latency", "ring", "open loop, echo of 64 bytes, 1,000 connections",
                ring(effort, work="echo", connections=1000, offered=offered(*LATENCY_LOADS)))
    # Long enough for requests that were lost to be sent again; a few suffice. After so short an RTO that the
    # wire has too much all the time: with 200 ms nearly all connections would soon wait for theirs.
    longer = {"seconds": 0.3, "rounds": 3} if effort.heavy else {}
    yield Point("overload", "overload", "ring", "open loop, echo of 64 bytes, 10,000 connections",
                ring(effort, work="echo", connections=10_000, offered=offered(OVERLOAD), rto=2) | longer)


def memory_point(effort, n, few, **more):
    return Point(f"memory-{n}", "memory", "ring", f"{connections(n)} held",
                 ring(effort, work="hold", connections=n, few=few) | more)


def memory_points(effort):
    for n in (100_000, MANY, VERY_MANY):
        yield memory_point(effort, n, 10_000, **({"rounds": 3} if n == VERY_MANY else {}))


def memif_points(effort):
    for work, words in (("echo", "echo of 64 bytes, 1,000 connections"),
                        ("connect", "open, request and reply of 64 bytes, close"),
                        ("bulk", "bulk both ways, 1,400 bytes, 1,000 connections")):
        yield Point(f"memif-{work}", "memif", "memif", words,
                    {"works": work, "rounds": effort.rounds, "seconds": effort.memif_seconds,
                     "sides": "rill,limit" + (",load" if effort.huge else "")}, once=True)


STAGES = (("echo-1000", "echo of 64 bytes, 1,000 connections", {"work": "echo", "connections": 1000}),
          ("echo-1000000", "echo of 64 bytes, 1,000,000 connections", {"work": "echo", "connections": MANY}),
          ("rate", "open, request, response, close", {"work": "rate", "connections": 1000}),
          ("bulk-in", "bulk in, segments of 1,448 bytes", {"work": "sink", "connections": BULK_CONNECTIONS}),
          ("bulk-out", "bulk out, segments of 1,448 bytes", {"work": "source", "connections": BULK_CONNECTIONS}))


def profile_points(effort):
    if effort.huge:
        for name, words, arguments in STAGES:
            yield Point(f"stages-{name}", "stages", "stages", words, ring(effort, who="rill", **arguments),
                        once=True)
    for work, pieces, words in (("echo_burst", 6400, "echo of 64 bytes, 64 in a turn"),
                                ("connection", 1000, "open, request, response, close"),
                                ("bulk_in", 6400, "segment of 1,448 bytes received"),
                                ("bulk_out", 6400, "segment of 1,448 bytes sent")):
        if effort.huge:
            yield Point(f"profile-{work}", "profile", "none", words, {"work": work, "pieces": pieces}, once=True)


def all_points(effort):
    points = [*echo_points(effort), *rate_points(effort), *bulk_points(effort), *open_loop_points(effort),
              *memory_points(effort), *memif_points(effort), *profile_points(effort)]
    return [point for point in points if point.rounds(effort, effort.rounds) > 0]


SMOKE = ("echo-64-100", "kernel-echo-64-100", "rate", "kernel-rate", "bulk-in", "kernel-bulk-in", "bulk-out",
         "kernel-bulk-out", "latency", "overload", "memif-echo")


def smoke_points(effort):
    """Some of each kind: enough to see that everything fits together."""
    return [point for point in all_points(effort) if point.name in SMOKE] + [memory_point(effort, 3000, 500)]


def select(mode, only, stages=True):
    """The points of this run; `only` holds words of WORDS, or is empty. `stages`: a build times them."""
    effort = EFFORTS[mode]
    points = smoke_points(effort) if mode == "smoke" else all_points(effort)
    words = set(only) | ({"stages"} if "profile" in only else set())
    return [point for point in points
            if (not only or point.group in words) and (stages or point.wire != "stages")]
