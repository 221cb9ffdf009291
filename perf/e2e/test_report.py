#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""From runs to figures, verdicts and the page: medians over rounds, ratios pair by pair, a wide spread that
is said, targets on both sides of their bound; and a page that is well-formed, has every figure, and refers
to nothing outside of itself. The runs are made here, so that every expected figure can be worked out by
hand."""
import copy
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import figures
import hotspots
import machine
import points
import report
import run
import sections
import targets
import veth

HZ = 3_000_000_000
BASELINE = {"machine": {"model": "Made", "cores": 2}, "words": "a made machine"}


def spread(median, apart=0.0):
    return {"median": median, "least": median - apart, "most": median + apart}


def ring_run(rill, limit, work="echo", size=64, connections=1000, apart=0.0):
    """As wire_ring prints it."""
    sides = {name: {"cycles_per_message": spread(cycles, apart), "cycles_per_frame": spread(cycles / 2),
                    "mean_burst": spread(31.5), "frames_in_per_message": spread(2.0)}
             for name, cycles in (("rill", rill), ("limit", limit))}
    return figures.of_ring({
        "wire": "ring", "command": f"wire_ring --work {work} <&>", "machine": {"tsc_hz": HZ}, "work": work,
        "size": size, "connections": connections, **sides,
        "ratio": {"cycles_per_message": spread(rill / limit), "cycles_per_frame": spread(rill / limit)},
        "rounds": 3, "rounds_used": 2})


def kernel_run(per_busy_core, busy=0.9):
    return {"wire": "veth", "command": "kernel_load", "work": "echo", "size": 64, "connections": 1000,
            "server_core": {"busy_share": busy, "softirq_share": 0.3}, "per_busy_core": per_busy_core}


def loaded_run():
    """With loads, as --offered makes them."""
    sides = ("asked_per_second", "tried_per_second", "answered_per_second", "goodput", "lost_share", "p50_us",
             "p90_us", "p99_us", "p999_us", "max_us", "median_turn_us", "p99_turns")
    loads = {f"load_{percent}": {"times": percent / 100, "per_second": 0,
                                 "rill": {name: spread(percent / 10 + at) for at, name in enumerate(sides)},
                                 "limit": {name: spread(percent / 20 + at) for at, name in enumerate(sides)}}
             for percent in (10, 50, 90, 200)}
    made = ring_run(600, 500)
    del made["rill"]["per_core"], made["limit"]["per_core"]
    return figures.of_ring({**made, "open_loop": loads, "remarks": ["a made <remark>"]})


def held_run():
    made = ring_run(700, 350, "hold", connections=10_000_000)
    made["few"], made["growth"] = made.pop("limit"), made.pop("ratio")
    return {**made, "memory": {"rill": {"server": 3 * 2**30, "per_connection": 321.0},
                               "sizes": {"connection": 256}}}


def memif_run():
    """As memif.py prints it."""
    def side(rate):
        return {"messages_per_s": spread(rate), "gbit_per_s_each_way": spread(rate / 1e5),
                "server_ns_per_message": spread(1e9 / rate), "server_busy_share": spread(0.99),
                "load_busy_share": spread(0.9), "mean_burst": spread(30), "saturated": "server"}
    work = {"work": "echo", "size": 64, "connections": 1000, "rill": side(6e6), "limit": side(8e6),
            "ratio": {"messages_per_s": spread(0.75)}}
    return figures.of_memif({"wire": "memif", "command": "memif.py", "rounds": 5, "works": [work]})


ANNOTATED = """--------------------------------------------------------------------------------
Ir
2,000,000 (100.0%)  PROGRAM TOTALS
Ir                file:function
900,000 (45.00%)  ???:receive.constprop.0 [/build/perf/counts]
600,000 (30.00%)  ../stack/tcp/fast.c:input_fast [/build/perf/counts]
100,000 ( 5.00%)  ???:receive.part.0.lto_priv.2 [/build/perf/counts]
"""


def made_result():
    """Three rounds of two pairs of points, one of them noisy; others once; one point that never ran."""
    def entry(name, group, wire, runs, rival=None):
        return {"name": name, "group": group, "wire": wire, "what": f"made {name}", "rival": rival,
                "command": runs[0]["command"] if runs else None,
                "runs": [{"round": number, **each} for number, each in enumerate(runs, 1)]}
    echo = [ring_run(600, 500), ring_run(750, 500), ring_run(900, 500, apart=150)]
    rate = [ring_run(1500, 1000, "rate"), ring_run(1600, 1000, "rate"), ring_run(3000, 1000, "rate")]
    kernels = [figures.better_of(kernel_run(100_000), kernel_run(200_000)),
               figures.better_of(kernel_run(100_000), kernel_run(50_000)),
               figures.better_of(kernel_run(100_000), kernel_run(90_000))]
    result = {"format": 1, "started": "2030-01-01T00:00:00+00:00", "commit": "abc123", "rounds": 3,
              "machine": {"model": "Made", "cores": 2, "kernel": "6", "dpdk": "22", "hugepages": 0,
                          "memory_gib": 1.5}, "baseline": BASELINE, "command": "perf/run.sh", "mode": "full",
              "cores": [0, 1], "load_average": [0.5, 2.0], "problems": [], "seconds": 12.5,
              "points": [entry("echo-64-1000", "echo", "ring", echo, "kernel-echo-64-1000"),
                         entry("kernel-echo-64-1000", "kernel", "veth", kernels),
                         entry("rate", "rate", "ring", rate),
                         entry("bulk-in", "bulk", "ring", []),
                         entry("latency", "latency", "ring", [loaded_run()]),
                         entry("overload", "overload", "ring", [loaded_run()]),
                         entry("memory-10000000", "memory", "ring", [held_run()]),
                         entry("stages-rate", "stages", "stages",
                               [{"command": "wire_ring", "stages": {"rx": spread(77, 3), "tx": spread(88)}}]),
                         entry("profile-echo_burst", "profile", "none",
                               [{"command": "valgrind", **hotspots.parse(ANNOTATED, 1000)}]),
                         entry("memif-echo", "memif", "memif", [memif_run()])]}
    figures.add_figures(result)
    result["targets"] = targets.evaluate(result, BASELINE)
    return result


class Figures(unittest.TestCase):
    def test_a_figure_joins_the_medians_and_extremes_of_all_rounds(self):
        found = figures.find(made_result(), "echo-64-1000", "rill.cycles_per_message")
        self.assertEqual((found["median"], found["least"], found["most"]), (750, 600, 1050))
        self.assertEqual(found["n"], 6)  # three runs with two usable pairs each
        self.assertAlmostEqual(found["spread_percent"], 60)
        self.assertTrue(figures.is_noisy(found))
        self.assertFalse(figures.is_noisy(figures.figure_of_values([100, 110, 119])))

    def test_of_an_even_number_the_median_is_between_the_middle_two(self):
        self.assertEqual(figures.figure_of_values([4, 1, 2, 3])["median"], 2.5)

    def test_ratios_are_taken_round_by_round(self):
        pairs = figures.paired([{"round": 1, "a": 10}, {"round": 2}, {"round": 3, "a": 30},
                                {"round": 4, "a": 1}], "a",
                               [{"round": 1, "b": spread(5)}, {"round": 2, "b": 1},
                                {"round": 3, "b": spread(10)}], "b")
        self.assertEqual(pairs, [2, 3])

    def test_the_kernel_is_compared_at_the_better_of_its_settings(self):
        pairs = figures.find(made_result(), "echo-64-1000", "kernel_ratio")
        # 3 GHz / 600, 750, 900 cycles, by 200, 100 and 100 thousand a second.
        self.assertAlmostEqual(pairs["least"], 25)
        self.assertAlmostEqual(pairs["most"], 40)
        self.assertAlmostEqual(pairs["median"], 3e9 / 900 / 100_000)
        self.assertEqual(figures.better_of(None, kernel_run(7))["best"]["per_busy_core"], 7)

    def test_bulk_is_counted_in_bits(self):
        bulk = ring_run(1000, 500, "sink", 1460)
        self.assertAlmostEqual(bulk["rill"]["gbit_per_core"], 3e6 * 1460 * 8 / 1e9)

    def test_hotspots_join_the_copies_of_a_function(self):
        found = hotspots.parse(ANNOTATED, 1000)
        self.assertEqual(found["instructions"], 2000)
        self.assertEqual(found["functions"], {"receive": {"instructions": 1000, "percent": 50},
                                              "input_fast": {"instructions": 600, "percent": 30}})
        with self.assertRaises(veth.Problem):
            hotspots.parse("", 1)

    def test_what_describes_a_run_is_no_figure(self):
        paths = dict(figures.numbers_of(ring_run(1, 1)))
        self.assertFalse({"size", "connections", "rounds", "machine.tsc_hz"} & set(paths))
        self.assertIn("ratio.cycles_per_frame", paths)


class Targets(unittest.TestCase):
    def row(self, result, point, path):
        return next(row for row in result["targets"] if (row["point"], row["path"]) == (point, path))

    def test_both_sides_of_a_bound(self):
        at_most = targets.Target("", "", "", "most", 1.5)
        at_least = targets.Target("", "", "", "least", 40)
        self.assertTrue(targets.met(at_most, 1.5) and targets.met(at_least, 40))
        self.assertFalse(targets.met(at_most, 1.51) or targets.met(at_least, 39.9))
        self.assertAlmostEqual(targets.distance_percent(at_most, 3), -100)
        self.assertAlmostEqual(targets.distance_percent(at_least, 60), 50)

    def test_reached_missed_and_not_measured(self):
        result = made_result()
        self.assertTrue(self.row(result, "echo-64-1000", "ratio.cycles_per_message")["reached"])
        self.assertFalse(self.row(result, "rate", "rill.cycles_per_message")["reached"])
        self.assertIsNone(self.row(result, "echo-64-1000000", "ratio.cycles_per_frame")["figure"])
        memory = self.row(result, "memory-10000000", "memory.rill.server")
        self.assertEqual((memory["figure"]["median"], memory["unit"], memory["reached"]), (3, "GiB", True))
        self.assertEqual(memory["distance_percent"], 25)

    def test_each_load_has_figures(self):
        row = self.row(made_result(), "latency", "open_loop.load_50.rill.p99_turns")
        self.assertEqual(row["figure"]["median"], 10 * 0.5 + 11)
        self.assertEqual(self.row(made_result(), "overload", "open_loop.load_200.rill.goodput")["figure"]["median"], 23)

    def test_absolute_values_bind_on_the_machine_of_the_baseline_only(self):
        result = made_result()
        self.assertTrue(self.row(result, "rate", "rill.cycles_per_message")["binds"])
        result["machine"]["model"] = "Other"
        rows = {row["path"]: row for row in targets.evaluate(result, BASELINE) if row["point"] == "rate"}
        self.assertFalse(rows["rill.cycles_per_message"]["binds"])
        self.assertTrue(rows["kernel_ratio"]["binds"])

    def test_the_baseline_names_properties_that_are_looked_at(self):
        described = machine.describe()
        self.assertLessEqual(set(machine.baseline()["machine"]), set(described))

    def test_every_target_is_about_a_point_that_is_measured(self):
        names = {point.name for point in points.select("full", [])}
        self.assertLessEqual({target.point for target in targets.TARGETS}, names)


class Points(unittest.TestCase):
    def test_every_point_has_a_section_and_every_rival_is_measured_right_behind(self):
        for mode in points.EFFORTS:
            chosen = points.select(mode, [])
            order = [point.name for point in chosen]
            self.assertEqual(len(order), len(set(order)))
            self.assertLessEqual({point.group for point in chosen},
                                 {section.group for section in sections.SECTIONS})
            for point in chosen:
                if point.rival:
                    self.assertEqual(order[order.index(point.name) + 1], point.rival)

    def test_the_largest_take_part_in_fewer_rounds(self):
        effort = points.EFFORTS["full"]
        taken = {point.name: point.rounds(effort, effort.rounds) for point in points.all_points(effort)}
        self.assertEqual((taken["echo-64-1000"], taken["echo-64-1000000"], taken["memory-10000000"],
                          taken["memif-echo"]), (5, 2, 1, 1))
        self.assertNotIn("memory-10000000", [point.name for point in points.select("quick", [])])

    def test_words_select(self):
        self.assertEqual({point.group for point in points.select("full", ["rate", "kernel"])},
                         {"rate", "kernel"})
        self.assertEqual({point.group for point in points.select("full", ["profile"])}, {"profile", "stages"})
        self.assertEqual({point.wire for point in points.select("full", ["profile"], False)}, {"none"})


class FakeBench:
    """Programs that answer at once, or not at all."""
    effort = points.EFFORTS["quick"]

    def __init__(self):
        self.order = []

    def run(self, point):
        self.order.append(point.name)
        if point.name == "kernel-rate":
            raise OSError("made to fail")
        return ring_run(600, 500) if point.wire == "ring" else figures.better_of(None, kernel_run(9))


class Run(unittest.TestCase):
    def test_rounds_take_all_points_by_turns_and_go_on_after_a_failure(self):
        chosen = points.select("quick", ["rate", "kernel"])
        result = {"points": [run.describe_point(point) for point in chosen], "problems": [],
                  "load_average": []}
        bench = FakeBench()
        said, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="ascii")
        try:
            run.measure(bench, chosen, result, 2)
        finally:
            sys.stderr.close()
            sys.stderr = said
        names = [point.name for point in chosen]
        self.assertEqual(bench.order, names * 2)
        self.assertEqual(len(result["problems"]), 2)
        runs = {point["name"]: len(point["runs"]) for point in result["points"]}
        self.assertEqual((runs["rate"], runs["kernel-rate"]), (2, 0))


@unittest.skipUnless(shutil.which("gnuplot"), "needs gnuplot")
class Page(unittest.TestCase):
    def setUp(self):
        self.result = made_result()
        self.page = report.page(self.result)

    def tree(self, page):
        body = page[page.index("<html"):]
        return xml.etree.ElementTree.fromstring(body)

    def test_it_is_well_formed_and_names_are_unique(self):
        tree = self.tree(self.page)
        names = [node.get("id") for node in tree.iter() if node.get("id")]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreater(len(list(tree.iter("{http://www.w3.org/2000/svg}svg"))), 1)

    def test_it_refers_to_nothing_outside(self):
        for node in self.tree(self.page).iter():
            self.assertNotIn(node.tag, ("script", "link", "img", "iframe"))
            for name, value in node.attrib.items():
                if name.rpartition("}")[2] in ("href", "src"):
                    self.assertTrue(value.startswith("#"), value)
        self.assertNotRegex(self.page, r"url\((?!#)|@import")

    def test_every_figure_of_its_tables_and_every_verdict_is_there(self):
        cells = html.unescape(re.sub(r"<[^>]*>", " ", self.page))
        seen = 0
        for section in sections.SECTIONS:
            for point in self.result["points"]:
                if point["group"] != section.group:
                    continue
                for label, prefix in section.rows(point):
                    self.assertIn(label, cells)
                    for column in section.columns:
                        figure = report.figure_of(point, prefix, column)
                        if figure:
                            shown = report.number(figure["median"] * column.factor, column.digits)
                            self.assertIn(shown, cells)
                            seen += 1
        self.assertGreater(seen, 100)
        for row in self.result["targets"]:
            self.assertIn(row["words"], cells)
            self.assertIn(report.verdict(row), cells)
        self.assertIn("spread 60 %", cells)
        self.assertIn("wire_ring --work echo <&>", cells)
        self.assertIn("a made <remark>", cells)

    def test_it_says_what_failed(self):
        self.result["problems"].append("rate, round 2: <it stopped>")
        self.assertIn("rate, round 2: &lt;it stopped&gt;", report.page(self.result))

    def test_a_saved_result_gives_the_same_page(self):
        bare = copy.deepcopy(self.result)
        del bare["targets"]
        for point in bare["points"]:
            del point["figures"]
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "report.html")
            with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
                run.json.dump(bare, file)
            script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.py")
            subprocess.run([sys.executable, script, file.name, made], check=True)
            with open(made, encoding="utf-8") as file:
                self.assertEqual(file.read(), self.page)


if __name__ == "__main__":
    unittest.main()
