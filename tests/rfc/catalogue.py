#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The catalogue of requirements, the tags in the tests, and how they compare.

catalogue.tsv   id, rfc, section, level, due, statement. due: yes; no (a MAY); "later: SUBJECT", with the
                subject that brings it. Rows of section "house" are rules that no RFC states in so many words.
exceptions.tsv  id, reason: due rows that are consciously not met, or met with a deviation.
tags            "[RFC5961-2, MUST-12]" in a C file, a packet script, a python test or a meson.build below
                tests/: the test there shows these rows.
"""
import os
import re

ID = r"(?:MUST|SHLD|MAY|REC|ATK|BBR|RFC\d+)-E?\d+"
# A list may go on in the next line of a comment.
TAG = re.compile(rf"\[({ID}(?:,[\s*#/]*{ID})*)\]")
READ = (".c", ".h", ".cc", ".cpp", ".py", ".script", ".sh", ".build")
# Samples of tags, which show nothing.
NOT_READ = ("tests/rfc/", "tests/script/test_interpreter.py")
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
COLUMNS = ["id", "rfc", "section", "level", "due", "statement"]


class Row:
    def __init__(self, cells):
        self.id, self.rfc, self.section, self.level, self.due, self.statement = cells


def parse_table(text, columns):
    """The rows of a tab-separated table as lists, and complaints about its form."""
    rows, complaints = [], []
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        cells = line.split("\t")
        if number == 1:
            if cells != columns:
                complaints.append(f"line 1: the columns must be {' '.join(columns)}")
        elif len(cells) != len(columns) or not all(cells):
            complaints.append(f"line {number}: {len(columns)} cells are needed, none of them empty")
        else:
            rows.append(cells)
    seen = set()
    for cells in rows:
        if cells[0] in seen:
            complaints.append(f"{cells[0]} is there twice")
        seen.add(cells[0])
    return rows, complaints


def parse_catalogue(text):
    """Rows by id, in order, and complaints."""
    rows, complaints = parse_table(text, COLUMNS)
    catalogue = {cells[0]: Row(cells) for cells in rows}
    for row in catalogue.values():
        if not re.fullmatch(ID, row.id):
            complaints.append(f"{row.id} is no id")
        if row.level not in LEVELS:
            complaints.append(f"{row.id}: unknown level '{row.level}'")
        if row.due not in ("yes", "no") and not re.fullmatch(r"later: \w[\w ]*", row.due):
            complaints.append(f"{row.id}: due is 'yes', 'no' or 'later: SUBJECT', not '{row.due}'")
        if row.level == "MAY" and row.due != "no":
            complaints.append(f"{row.id}: a MAY is never due")
    return catalogue, complaints


def functions(text, path):
    """(start, end, name) of each function, or of each test of a script."""
    if path.endswith(".script"):
        starts = [(m.start(), m.group(1)) for m in re.finditer(r'^test "([^"]*)"', text, re.M)]
        ends = [start for start, _ in starts[1:]] + [len(text)]
        return [(start, end, name) for (start, name), end in zip(starts, ends)]
    if path.endswith(".py"):
        starts = [(m.start(), m.group(1)) for m in re.finditer(r"^(?:def|class) (\w+)", text, re.M)]
        ends = [m.start() for m in re.finditer(r"^\S", text, re.M)]
        return [(start, min([end for end in ends if end > start], default=len(text)), name)
                for start, name in starts]
    found = []
    for match in re.finditer(r"^([a-z_]\w*)\([^;{]*\)\n\{", text, re.M):
        end = text.find("\n}", match.end())
        found.append((match.start(), end if end >= 0 else len(text), match.group(1)))
    return found


def owner(text, at, spans):
    """The function around an offset; where there is none, the one that the comment there stands over."""
    for start, end, name in spans:
        if start <= at < end:
            return name
    after = [(start, name) for start, _, name in spans if start > at]
    if after and text.count("\n\n", at, min(after)[0]) == 0:
        return min(after)[1]
    return ""


def find_tags(text, path):
    """(id, where) of each tag of a file: the path, and the test's name if it has one."""
    spans = functions(text, path)
    for match in TAG.finditer(text):
        name = owner(text, match.start(), spans)
        where = f"{path}: {name}" if name else path
        for tag in re.findall(ID, match.group(1)):
            yield tag, where


def test_files(root):
    for folder, folders, files in os.walk(os.path.join(root, "tests")):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), root)
            if path.endswith(READ) and not path.startswith(NOT_READ):
                yield path


def map_tests(root):
    """id -> where it is shown, without repetitions."""
    shown = {}
    for path in test_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for tag, where in find_tags(file.read(), path):
                if where not in shown.setdefault(tag, []):
                    shown[tag].append(where)
    return shown


def compare(catalogue, exceptions, shown, complete):
    """Complaints: tags and exceptions without a row; if complete, due rows without either."""
    for tag in sorted(shown):
        if tag not in catalogue:
            yield f"{shown[tag][0]}: [{tag}] is in no row of the catalogue"
    for tag in exceptions:
        if tag not in catalogue:
            yield f"exceptions.tsv: {tag} is in no row of the catalogue"
        elif catalogue[tag].due != "yes":
            yield f"exceptions.tsv: {tag} is not due, so it needs no exception"
    if complete:
        for row in catalogue.values():
            if row.due == "yes" and row.id not in shown and row.id not in exceptions:
                yield f"{row.id} is due, and no test shows it: {row.statement}"


def load(root):
    """Catalogue, exceptions (id -> reason), the map of tests, and complaints about the two files."""
    def read(name):
        with open(os.path.join(root, "tests/rfc", name), encoding="utf-8") as file:
            return file.read()
    catalogue, complaints = parse_catalogue(read("catalogue.tsv"))
    complaints = [f"catalogue.tsv: {complaint}" for complaint in complaints]
    exceptions, more = parse_table(read("exceptions.tsv"), ["id", "reason"])
    complaints += [f"exceptions.tsv: {complaint}" for complaint in more]
    return catalogue, dict(exceptions), map_tests(root), complaints
