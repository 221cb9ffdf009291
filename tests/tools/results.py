#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints one line per test of meson's testlog.json: passed, failed or skipped, and its name."""
import json
import sys

WORDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}

with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        print(WORDS.get(test["result"], "failed"), test["name"])
