#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Is the committed picture of the state machine that of the table?

usage: picture.py FSM_DOT DOT_FILE SVG_FILE [--write]

The .dot file must be what FSM_DOT prints, and the .svg file must have exactly its arrows and their
words. --write makes both anew, for which Graphviz must be installed; the test needs none.
"""
import html
import re
import subprocess
import sys


def dot_arrows(text):
    """(from, to, label) of every arrow in what fsm_dot prints."""
    return sorted((a, b, label.replace("\\n", " ")) for a, b, label in
                  re.findall(r'"([^"]+)" -> "([^"]+)" \[label="([^"]+)"', text))


def svg_arrows(text):
    """The same of a picture: each edge is a group with a title and its words."""
    arrows = []
    for group in re.findall(r'<g id="edge\d+" class="edge">(.*?)</g>', text, re.S):
        title = html.unescape(re.search(r"<title>(.*?)</title>", group).group(1))
        words = re.findall(r"<text [^>]*>(.*?)</text>", group)
        arrows.append((*title.split("->"), html.unescape(" ".join(words))))
    return sorted(arrows)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    program, dot_path, svg_path = sys.argv[1:4]
    dot = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    if "--write" in sys.argv[4:]:
        write(dot_path, dot)
        write(svg_path, subprocess.run(["dot", "-Tsvg"], input=dot, check=True,
                                       capture_output=True, text=True).stdout)
        return 0
    arrows = dot_arrows(dot)
    if not arrows:
        print("fsm_dot prints no arrow")
        return 1
    status = 0
    if read(dot_path) != dot:
        print(f"{dot_path} is not what the table says: ninja fsm-picture, then commit it")
        status = 1
    if svg_arrows(read(svg_path)) != arrows:
        print(f"{svg_path} does not show the table's arrows: ninja fsm-picture, then commit it")
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
