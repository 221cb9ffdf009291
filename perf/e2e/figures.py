# SPDX-License-Identifier: BSD-3-Clause
"""From runs to figures: median, least and most of everything that was counted, and ratios pair by pair.

A run is what a program printed. Its numbers are named by their path, "rill.cycles_per_message"; one that
has slices of its own gives {"median", "least", "most"}. A figure joins the runs of all rounds: the median
of the medians, the least and the most of all.
"""
import statistics

NOISY_PERCENT = 20  # a wider spread is said beside the figure

# Of a run, not of what was measured.
NOT_FIGURES = ("machine", "command", "size", "connections", "inflight", "burst", "round", "rounds",
               "rounds_used")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_spread(value):
    return isinstance(value, dict) and {"median", "least", "most"} <= set(value)


def numbers_of(run, prefix=""):
    """Pairs of a path and {"median", "least", "most"}."""
    for key, value in run.items():
        if not prefix and key in NOT_FIGURES:
            continue
        if is_number(value):
            yield prefix + key, {"median": value, "least": value, "most": value}
        elif is_spread(value):
            yield prefix + key, value
        elif isinstance(value, dict):
            yield from numbers_of(value, f"{prefix}{key}.")


def figure(spreads, pairs=None):
    """Of spreads, one for each run; `pairs`: how many values those are made of, if more."""
    median = statistics.median(each["median"] for each in spreads)
    least, most = min(each["least"] for each in spreads), max(each["most"] for each in spreads)
    return {"median": median, "least": least, "most": most, "n": pairs or len(spreads),
            "spread_percent": 100 * (most - least) / abs(median) if median else 0.0}


def figure_of_values(values):
    return figure([{"median": value, "least": value, "most": value} for value in values])


def scaled(which, factor):
    """The figure in another unit; None stays None."""
    return which and {**which, **{key: which[key] * factor for key in ("median", "least", "most")}}


def is_noisy(which):
    return which["spread_percent"] > NOISY_PERCENT


def figures_of(runs):
    """All figures of a point, by path."""
    spreads = {}
    for run in runs:
        for path, spread in numbers_of(run):
            spreads.setdefault(path, []).append(spread)
    pairs = sum(run.get("rounds_used", 1) for run in runs)
    return {path: figure(found, pairs) for path, found in spreads.items()}


def value_of(run, path):
    """The run's own number, or its median; None where there is none."""
    for key in path.split("."):
        if not isinstance(run, dict) or key not in run:
            return None
        run = run[key]
    if is_spread(run):
        return run["median"]
    return run if is_number(run) else None


def paired(runs_a, path_a, runs_b, path_b):
    """a / b of each round that has both."""
    pairs = []
    others = {run["round"]: run for run in runs_b}
    for run in runs_a:
        above, below = value_of(run, path_a), value_of(others.get(run["round"]), path_b)
        if above is not None and below:
            pairs.append(above / below)
    return pairs


# ---- what follows from a run

def of_ring(run):
    """A run on the ring wire, with what a core would do that had nothing else to do."""
    hz = run["machine"]["tsc_hz"]
    for side in ("rill", "limit"):
        cycles = value_of(run, f"{side}.cycles_per_message")
        if not cycles:
            continue
        run[side]["per_core"] = hz / cycles
        if run.get("work") in ("sink", "source"):
            run[side]["gbit_per_core"] = hz / cycles * run["size"] * 8 / 1e9
    return run


def of_memif(result):
    """The one work of a run over memif, as a run."""
    run = result["works"][0]
    for side in ("rill", "limit", "load"):
        if side in run:
            run.setdefault("remarks", []).append(
                f"{run['work']}, {side}: who had no rest: {run[side]['saturated']}")
    return {"wire": result["wire"], "command": result["command"], "rounds_used": result["rounds"], **run}


def better_of(with_rps, without_rps):
    """One run of the kernel under both settings: it is compared at its better one."""
    both = {"rps": with_rps, "plain": without_rps}
    usable = [each for each in both.values() if each and each["per_busy_core"]]
    best = max(usable, key=lambda each: each["per_busy_core"])
    return {**{name: each for name, each in both.items() if each}, "best": best,
            "command": best["command"]}


def is_bulk(run):
    return run.get("work") in ("sink", "source")


def kernel_ratios(point, rival):
    """Rill's rate per core to the kernel's per busy core, round by round."""
    if not point["runs"]:
        return []
    mine = "rill.gbit_per_core" if is_bulk(point["runs"][0]) else "rill.per_core"
    return paired(point["runs"], mine, rival["runs"], "best.per_busy_core")


def add_limit_share(point):
    """The other way round: the rate of Rill's core to that of the limit's."""
    ratio = point["figures"].get("ratio.cycles_per_message")
    if ratio and ratio["least"] > 0:
        share = {"median": 1 / ratio["median"], "least": 1 / ratio["most"], "most": 1 / ratio["least"]}
        point["figures"]["limit_share"] = figure([share], ratio["n"])


def add_figures(result):
    """Fills each point's "figures" from its runs."""
    by_name = {point["name"]: point for point in result["points"]}
    for point in result["points"]:
        point["figures"] = figures_of(point["runs"])
    for point in result["points"]:
        add_limit_share(point)
        rival = by_name.get(point.get("rival"))
        pairs = kernel_ratios(point, rival) if rival else []
        if pairs:
            point["figures"]["kernel_ratio"] = figure_of_values(pairs)
            point["figures"]["kernel_per_core"] = rival["figures"]["best.per_busy_core"]
    return result


def find(result, name, path):
    """A figure, or None where it was not measured."""
    for point in result["points"]:
        if point["name"] == name:
            return point["figures"].get(path)
    return None
