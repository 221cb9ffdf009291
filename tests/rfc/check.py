#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the tags in the tests with the catalogue of requirements.

usage: check.py [--complete] SOURCE_ROOT

A tag of no row fails. With --complete, so does a due row that no test shows and no exception excuses.
"""
import sys

import catalogue


def main():
    complete = "--complete" in sys.argv
    root = [argument for argument in sys.argv[1:] if argument != "--complete"][0]
    rows, exceptions, shown, complaints = catalogue.load(root)
    complaints += catalogue.compare(rows, exceptions, shown, complete)
    due = [row for row in rows.values() if row.due == "yes"]
    print("\n".join(complaints))
    print(f"{len(due)} rows are due: {sum(row.id in shown for row in due)} shown by tests, "
          f"{sum(row.id in exceptions for row in due)} with an exception")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
