# SPDX-License-Identifier: BSD-3-Clause
"""What perf/run.sh measures: the points, in the order in which a round takes them.

A point is one program with one set of arguments on one wire. A point of the kernel stands right behind
the one of Rill that it is compared with, so that both see the same minute of a machine that is never
quite the same.
"""

WORDS = ("echo", "rate", "bulk", "kernel")


class Effort:
    """How long and how often."""

    def __init__(self, rounds, slices, slice_seconds, kernel_seconds, heavy, huge):
        self.rounds = rounds                  # of all points
        self.slices = slices                  # pairs of Rill and limit within a run
        self.slice_seconds = slice_seconds
        self.kernel_seconds = kernel_seconds
        self.heavy = heavy                    # rounds of points with a million connections
        self.huge = huge                      # whether there are points with ten million


EFFORTS = {
    "full": Effort(5, 5, 0.3, 1.0, 2, True),
    "quick": Effort(3, 3, 0.08, 0.35, 1, False),
    "smoke": Effort(1, 2, 0.01, 0.1, 0, False),
}


class Point:
    def __init__(self, name, group, wire, what, arguments, heavy=False, rival=None):
        self.name = name
        self.group = group          # of WORDS
        self.wire = wire            # ring, veth, memif
        self.what = what            # in words
        self.arguments = arguments  # of the program, a dict
        self.heavy = heavy          # takes long: fewer rounds
        self.rival = rival          # the point of the kernel that it is compared with


def count(n):
    """1000000: "1,000,000"."""
    return f"{n:,}"


def connections(n):
    return "1 connection" if n == 1 else f"{count(n)} connections"


def ring(effort, **more):
    return {"rounds": effort.slices, "seconds": effort.slice_seconds, **more}


ECHO = [(size, n) for size in (64, 1024) for n in (1, 100, 1000, 10_000, 1_000_000)]
KERNEL_ECHO_MOST = 10_000
BULK_CONNECTIONS = 50


def echo_points(effort):
    for size, n in ECHO:
        rival = f"kernel-echo-{size}-{n}" if n <= KERNEL_ECHO_MOST else None
        yield Point(f"echo-{size}-{n}", "echo", "ring", f"echo of {count(size)} bytes, {connections(n)}",
                    ring(effort, work="echo", size=size, connections=n), n > KERNEL_ECHO_MOST, rival)
        if rival:
            yield Point(rival, "kernel", "veth", f"echo of {count(size)} bytes, {connections(n)}",
                        {"work": "echo", "size": size, "connections": n})


def rate_points(effort):
    yield Point("rate", "rate", "ring", "open, request and reply of 64 bytes, close",
                ring(effort, work="rate", connections=1000), rival="kernel-rate")
    yield Point("kernel-rate", "kernel", "veth", "open, request and reply of 64 bytes, close",
                {"work": "rate", "size": 64, "connections": 64, "inflight": 64})


def bulk_points(effort):
    bulk = f"segments of 1,460 bytes, {connections(BULK_CONNECTIONS)}"
    yield Point("bulk-in", "bulk", "ring", f"bulk in, {bulk}",
                ring(effort, work="sink", size=1460, timestamps="off", connections=BULK_CONNECTIONS),
                rival="kernel-bulk-in")
    yield Point("kernel-bulk-in", "kernel", "veth", "bulk in, segments of 1,448 bytes",
                {"work": "sink", "size": 65536, "connections": 4, "offloads": False})
    yield Point("kernel-bulk-in-tso", "kernel", "veth", "bulk in, TSO, GSO and GRO of up to 64 KiB",
                {"work": "sink", "size": 65536, "connections": 4})
    yield Point("kernel-bulk-out", "kernel", "veth", "bulk out, segments of 1,448 bytes",
                {"work": "source", "size": 65536, "connections": 4, "offloads": False})
    yield Point("kernel-bulk-out-tso", "kernel", "veth", "bulk out, TSO, GSO and GRO of up to 64 KiB",
                {"work": "source", "size": 65536, "connections": 4})


def all_points(effort):
    points = [*echo_points(effort), *rate_points(effort), *bulk_points(effort)]
    return [point for point in points if effort.heavy or not point.heavy]


def smoke_points(effort):
    """Two of each kind that takes part: enough to see that everything fits together."""
    wanted = ("echo-64-100", "kernel-echo-64-100", "rate", "kernel-rate")
    return [point for point in all_points(effort) if point.name in wanted]


def select(mode, only):
    """The points of this run; `only` holds words of WORDS, or is empty."""
    effort = EFFORTS[mode]
    points = smoke_points(effort) if mode == "smoke" else all_points(effort)
    return [point for point in points if not only or point.group in only]


def rounds_of(point, effort, rounds):
    """How many rounds of the run the point takes part in."""
    return min(rounds, effort.heavy) if point.heavy else rounds
