#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The report of a result: one page that needs nothing else, made from the JSON alone.

usage: report.py RESULT.json REPORT.html
"""
import html
import json
import sys

import figures
import sections
import targets

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --quiet: #5d6570; --paper: #fff; --line: #d7dbe0;
  --good: #12704a; --bad: #b3261e; --warn: #8a5a00; --head: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e8eb; --quiet: #9aa3ad; --paper: #14171a;
  --line: #353b42; --good: #55c594; --bad: #ff8a80; --warn: #e6b450; --head: #1e2226; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; min-width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: right;
  vertical-align: top; } th { background: var(--head); font-weight: 600; }
th:first-child, td:first-child { text-align: left; min-width: 9rem; }
small { color: var(--quiet); display: block; white-space: nowrap; } .noisy { color: var(--warn); }
.reached { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
.quiet { color: var(--quiet); } figure { margin: 1rem 0; max-width: 40rem; }
figure svg { width: 100%; height: auto; } figcaption { font-size: .86rem; color: var(--quiet); }
code { font-size: .82rem; overflow-wrap: anywhere; } dt { font-weight: 600; } dd { margin: 0 0 .4rem 0; }
"""


def text(value):
    return html.escape(str(value))


def number(value, digits=0):
    return f"{value:,.{digits}f}"


def noise(figure):
    """Said beside a figure that is not to be trusted to a fifth."""
    if not figures.is_noisy(figure):
        return ""
    return f"<small class=\"noisy\">spread {number(figure['spread_percent'])} %</small>"


def cell(figure, digits=0, factor=1):
    """Median, and below it least and most."""
    if figure is None:
        return "<td>–</td>"
    median, least, most = (number(figure[key] * factor, digits) for key in ("median", "least", "most"))
    around = f"<small>{least} … {most}</small>" if least != most else ""
    return f"<td>{median}{around}{noise(figure)}</td>"


# ---- targets

def verdict(row):
    if not row["figure"]:
        return "not measured in this run"
    words = "reached" if row["reached"] else "not reached"
    better = "better" if row["distance_percent"] >= 0 else "worse"
    words += f", {abs(row['distance_percent']):.0f} % {better} than wanted"
    return words if row["binds"] else words + " (absolute: does not bind on this machine)"


def wanted(row):
    sign = "at most" if row["bound"] == "most" else "at least"
    value = number(row["wanted"]) if row["wanted"] >= 1000 else f"{row['wanted']:g}"
    return f"{sign} {value} {row['unit']}".strip()


def measured(row):
    figure = row["figure"]
    if not figure:
        return "–"
    digits = 0 if abs(figure["median"]) >= 1000 else 2
    values = [number(figure[key], digits) for key in ("median", "least", "most")]
    return f"{values[0]} [{values[1]} … {values[2]}]"


def target_line(row):
    """For a terminal."""
    return f"{row['words']}: {measured(row)}, wanted {wanted(row)}: {verdict(row)}"


def target_row(row):
    look = "quiet" if not row["figure"] else "reached" if row["reached"] else "missed"
    times = row["figure"]["n"] if row["figure"] else 0
    warned = noise(row["figure"]) if row["figure"] else ""
    return (f"<tr><td>{text(row['words'])}</td><td>{wanted(row)}</td><td>{measured(row)}{warned}</td>"
            f"<td>{times}</td><td class=\"{look}\">{verdict(row)}</td></tr>")


def targets_part(result):
    rows = "".join(target_row(row) for row in result["targets"])
    reached = sum(1 for row in result["targets"] if row.get("reached"))
    seen = sum(1 for row in result["targets"] if row["figure"])
    baseline = text(result["baseline"]["words"])
    return (f"<h2>What is to be reached</h2><p>{reached} of {seen} that were measured are reached; "
            f"{len(result['targets'])} there are. Measured: the median, with the least and the most; times: "
            f"how many values, or pairs, it is the median of. Ratios bind on every machine, absolute values "
            f"on {baseline}.</p><div class=\"wide\"><table><tr><th>what</th><th>wanted</th><th>measured</th>"
            f"<th>times</th><th>verdict</th></tr>{rows}</table></div>")


# ---- sections

def figure_of(point, prefix, column):
    """Of the row; where it has none of its own, of the side that the row is about."""
    found = point["figures"].get(prefix + column.path)
    side = prefix.split(".")[-2] if prefix else ""
    return found or point["figures"].get(f"{side}.{column.path}")


def section_table(section, points):
    heads = "".join(f"<th>{text(column.title)}</th>" for column in section.columns)
    rows = []
    for point in points:
        for label, prefix in section.rows(point):
            found = [figure_of(point, prefix, column) for column in section.columns]
            cells = "".join(cell(figure, column.digits, column.factor)
                            for figure, column in zip(found, section.columns))
            times = max((figure["n"] for figure in found if figure), default=0)
            rows.append(f"<tr><td>{text(label)}</td>{cells}<td>{times}</td></tr>")
    return (f"<div class=\"wide\"><table><tr><th>point</th>{heads}<th>times</th></tr>{''.join(rows)}"
            "</table></div>")


def remarks(points):
    """What the programs said of their own runs."""
    said = dict.fromkeys(f"{point['what']}: {remark}" for point in points for run in point["runs"]
                         for remark in run.get("remarks", []))
    if not said:
        return ""
    items = "".join(f"<li>{text(remark)}</li>" for remark in said)
    return f"<details><summary>Remarks of the runs</summary><ul>{items}</ul></details>"


def section_part(section, result):
    points = [point for point in result["points"] if point["group"] == section.group]
    if not points:
        return ""
    parts = [f"<h2>{text(section.title)}</h2>"] + [f"<p>{words}</p>" for words in section.words]
    for caption, svg in section.draw(result) if section.draw else []:
        if svg:
            parts.append(f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>")
    parts += [section_table(section, points), remarks(points)]
    lines = "".join(f"<dt>{text(point['what'])}</dt><dd><code>{text(point['command'] or 'none ran')}</code>"
                    "</dd>" for point in points)
    parts.append(f"<details><summary>Command lines</summary><dl>{lines}</dl></details>")
    return "".join(parts)


# ---- the page

def facts(result):
    machine = result["machine"]
    lines = [("commit", result["commit"]), ("begun", result["started"]),
             ("machine", f"{machine['model']}, family {machine.get('cpu_family', 'unknown')}, model "
                         f"{machine.get('cpu_model', 'unknown')}, {machine['cores']} cores, "
                         f"{machine['memory_gib']} GiB"),
             ("system", f"Linux {machine['kernel']}, DPDK {machine['dpdk']}, "
                        f"{machine['hugepages']} hugepages"),
             ("cores", "server {}, clients {}".format(*result["cores"])),
             ("rounds", f"{result['rounds']} ({result['mode']}), {result['seconds']:,.0f} s in all"),
             ("load of the machine", ", ".join(f"{load:.2f}" for load in result["load_average"])),
             ("command", result["command"])]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in lines) + "</dl>"


def problems_part(result):
    if not result["problems"]:
        return ""
    items = "".join(f"<li>{text(problem)}</li>" for problem in result["problems"])
    return f"<h2>What failed</h2><ul class=\"missed\">{items}</ul>"


HOW = f"""<h2>How to read this</h2><p>Every point was measured in each of several rounds, one after another,
so that a slow minute of the machine meets all of them alike. A figure is the median over the rounds, with the
least and the most that were seen; where these are more than {figures.NOISY_PERCENT} % of the median apart, it
says so. A ratio is taken within a round, between neighbours, and its median is that of the ratios. The load
of the machine is the mean number of runnable processes in the minute before the first and after each round:
far more than the two that measure, and absolute values mean little.</p>"""


def page(result):
    body = ["<h1>Rill: what it costs</h1>", facts(result), problems_part(result), targets_part(result), HOW]
    body += [section_part(section, result) for section in sections.SECTIONS]
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
            f"<title>Rill: performance, {text(result['commit'])}</title><style>{STYLE}</style></head>\n"
            f"<body>{''.join(body)}</body></html>\n")


def write(result, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(result))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        result = figures.add_figures(json.load(file))
    result["targets"] = targets.evaluate(result, result["baseline"])
    write(result, sys.argv[2])


if __name__ == "__main__":
    main()
