# SPDX-License-Identifier: BSD-3-Clause
"""Plots of a result, drawn by gnuplot as SVG that can stand inside a page: it takes the page's colours
and fonts, and refers to nothing outside of itself.
"""
import re
import subprocess

WIDTH, HEIGHT = 560, 340
BLUE, ORANGE, GREEN, GREY = "#2f81d8", "#dd7a1b", "#1d9a72", "#8b8f97"

HEAD = """set terminal svg size {width},{height} font "sans-serif,14" name "{name}" noenhanced
set encoding utf8
set border 3
set tics nomirror
set grid ytics lc rgb "#8b8f97" lw 0.4
set key top left reverse Left maxrows 3
set style fill solid 0.85
set bars small
"""


def inline(svg, name):
    """The <svg> element alone, as wide as its place, in the colour of the text around, with names that no
    other plot of the page has."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<(title|desc)>.*?</\1>", "", svg, flags=re.S)
    svg = re.sub(r'(<svg\b[^>]*?)\s+width="\d+"\s+height="\d+"', r"\1", svg, count=1)
    svg = svg.replace("<svg", '<svg role="img"', 1)
    svg = re.sub(r"\bid=(['\"])(.*?)\1", rf"id=\1{name}-\2\1", svg)
    svg = re.sub(r"href=(['\"])#(.*?)\1", rf"href=\1#{name}-\2\1", svg)
    svg = re.sub(r"url\(#(.*?)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r"(stroke|fill)=(['\"])black\2", r"\1=\2currentColor\2", svg)
    svg = re.sub(r"(stroke|fill)=(['\"])rgb\(\s*0,\s*0,\s*0\)\2", r"\1=\2currentColor\2", svg)
    return svg.replace('color="black"', 'color="currentColor"').strip()


def draw(name, script, tables):
    """`tables`: name to rows, which the script calls $name."""
    name = name.replace("-", "_")
    text = HEAD.format(name=name, width=WIDTH, height=HEIGHT)
    for table, rows in tables.items():
        lines = "\n".join(" ".join(quote(value) for value in row) for row in rows)
        text += f"${table} << END_OF_TABLE\n{lines}\nEND_OF_TABLE\n"
    done = subprocess.run(["gnuplot"], input=text + script, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0 or "<svg" not in done.stdout:
        raise RuntimeError(f"gnuplot, {name}: {done.stderr.strip()}")
    return inline(done.stdout, name)


def quote(value):
    return '"' + value.replace('"', "'") + '"' if isinstance(value, str) else f"{value:.6g}"


def lines(name, series, x_label, y_label, log="x", x_tics=None):
    """`series`: (title, colour, dashed, [(x, median, least, most)]). Medians joined, with their range."""
    series = [each for each in series if each[3]]
    if not series:
        return ""
    script = f'set xlabel "{x_label}"\nset ylabel "{y_label}"\n'
    script += f"set logscale {log}\n" if log else ""
    script += "set format x \"%.0s %c\"\n" if "x" in log else ""
    script += "set format y \"%.0s %c\"\n" if "y" in log else "set yrange [0:*]\n"
    script += f"set xtics ({x_tics})\n" if x_tics else ""
    script += "set offsets graph 0.03, graph 0.03, graph 0.25, 0\n"
    curves, tables = [], {}
    for number, (title, colour, dashed, rows) in enumerate(series):
        tables[f"t{number}"] = rows
        look = f'lc rgb "{colour}" lw 2' + (" dt 2" if dashed else "")
        curves.append(f"$t{number} using 1:2 with lines {look} title \"{title}\"")
        curves.append(f"$t{number} using 1:2:3:4 with yerrorbars {look} pt 7 ps 0.5 notitle")
    return draw(name, script + "plot " + ", ".join(curves) + "\n", tables)


def bars(name, titles, groups, y_label, log=False):
    """`titles`: (title, colour) of each bar in a group; `groups`: (label, [value or None, ...])."""
    groups = [group for group in groups if any(value is not None for value in group[1])]
    if not groups:
        return ""
    there = [number for number in range(len(titles))
             if any(values[number] is not None for _, values in groups)]
    titles = [titles[number] for number in there]
    groups = [(label, [values[number] for number in there]) for label, values in groups]
    width = 0.8 / len(titles)
    script = f'set ylabel "{y_label}"\nset boxwidth {width * 0.92:.3f}\nset xrange [-0.6:{len(groups) - 0.4}]\n'
    tics = ", ".join(f'"{label}" {index}' for index, (label, _) in enumerate(groups))
    script += f"set xtics ({tics}) scale 0\nset offsets 0, 0, graph 0.2, 0\n"
    script += "set logscale y\nset format y \"%.0s %c\"\nset yrange [*:*]\n" if log else "set yrange [0:*]\n"
    curves, tables = [], {}
    for number, (title, colour) in enumerate(titles):
        shift = (number - (len(titles) - 1) / 2) * width
        rows = [(index + shift, values[number], short(values[number]))
                for index, (_, values) in enumerate(groups) if values[number] is not None]
        tables[f"t{number}"] = rows
        curves.append(f"$t{number} using 1:2 with boxes lc rgb \"{colour}\" title \"{title}\"")
        curves.append(f"$t{number} using 1:2:3 with labels font \",11\" offset 0,0.6 notitle")
    return draw(name, script + "plot " + ", ".join(curves) + "\n", tables)


def short(value):
    """1234567: "1.23 M"."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
