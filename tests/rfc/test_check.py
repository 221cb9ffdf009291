#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The checker of the catalogue, on small samples."""
import unittest

import catalogue

HEAD = "id\trfc\tsection\tlevel\tdue\tstatement\n"
ROWS = (HEAD + "MUST-1\t9293\t3.1\tMUST\tyes\tfirst\n"
        + "RFC9293-E2\t9293\t3.1\tSHOULD\tyes\tsecond\n"
        + "MAY-3\t9293\t3.1\tMAY\tno\tthird\n"
        + "ATK-4\tattacks\tCVE\tMUST\tlater: IPv6\tfourth\n")


def tags(text, path="tests/a.c"):
    return list(catalogue.find_tags(text, path))


class Tables(unittest.TestCase):
    def test_good_rows(self):
        rows, complaints = catalogue.parse_catalogue(ROWS)
        self.assertEqual(complaints, [])
        self.assertEqual(list(rows), ["MUST-1", "RFC9293-E2", "MAY-3", "ATK-4"])
        self.assertEqual(rows["RFC9293-E2"].statement, "second")

    def bad(self, row, complaint):
        _, complaints = catalogue.parse_catalogue(ROWS + row + "\n")
        self.assertEqual(len(complaints), 1, complaints)
        self.assertIn(complaint, complaints[0])

    def test_bad_rows(self):
        self.bad("MUST-1\t9293\t3.1\tMUST\tyes\tagain", "MUST-1 is there twice")
        self.bad("MUST-9\t9293\t3.1\tMUST\tyes", "line 6: 6 cells")
        self.bad("MUST-9\t9293\t3.1\tMUST\tyes\t", "line 6: 6 cells")
        self.bad("MUST-9\t9293\t3.1\tWILL\tyes\tx", "unknown level 'WILL'")
        self.bad("MUST-9\t9293\t3.1\tMUST\tsoon\tx", "not 'soon'")
        self.bad("MUST-9\t9293\t3.1\tMUST\tlater\tx", "not 'later'")
        self.bad("MAY-9\t9293\t3.1\tMAY\tyes\tx", "never due")
        self.bad("FOO-9\t9293\t3.1\tMUST\tyes\tx", "is no id")

    def test_wrong_head(self):
        _, complaints = catalogue.parse_catalogue("id\trfc\n")
        self.assertIn("columns", complaints[0])


class Tags(unittest.TestCase):
    def test_one_and_several(self):
        self.assertEqual(tags("/* [MUST-1] x [ATK-4, RFC9293-E2] */"),
                         [("MUST-1", "tests/a.c"), ("ATK-4", "tests/a.c"), ("RFC9293-E2", "tests/a.c")])

    def test_a_list_goes_on_in_the_next_line(self):
        self.assertEqual([tag for tag, _ in tags("/* [MUST-1,\n * ATK-4] */")], ["MUST-1", "ATK-4"])
        self.assertEqual([tag for tag, _ in tags("# [MUST-1,\n# ATK-4]\n", "a.py")], ["MUST-1", "ATK-4"])

    def test_other_brackets(self):
        self.assertEqual(tags("a[MUST] b[i-1] [9293 3.1] [CVE-2018-5390] [RFC9293] [MUST-1 and more]"), [])

    def test_the_function_around_or_below_is_named(self):
        text = ("/* [MUST-1] */\nstatic void\ntest_one(void **state)\n{\n\t/* [ATK-4] */\n}\n\n"
                "static void\ntest_two(void **state)\n{\n}\n\n/* [MAY-3] of the file */\n\nint x;\n")
        self.assertEqual(tags(text), [("MUST-1", "tests/a.c: test_one"), ("ATK-4", "tests/a.c: test_one"),
                                      ("MAY-3", "tests/a.c")])

    def test_tests_of_scripts(self):
        text = '# [MAY-3]\n\ntest "one" [MUST-1] [ATK-4]\n\tsilence\ntest "two"\n\t# [RFC9293-E2]\n'
        self.assertEqual(tags(text, "a.script"), [("MAY-3", "a.script"), ("MUST-1", "a.script: one"),
                                                  ("ATK-4", "a.script: one"), ("RFC9293-E2", "a.script: two")])

    def test_python(self):
        text = "def one():\n    '''[MUST-1]'''\n\nX = '[ATK-4]'\n\n\n# [MAY-3]\ndef two():\n    pass\n"
        self.assertEqual(tags(text, "a.py"), [("MUST-1", "a.py: one"), ("ATK-4", "a.py"),
                                              ("MAY-3", "a.py: two")])


class Comparison(unittest.TestCase):
    def compare(self, shown, exceptions, complete=False):
        rows, _ = catalogue.parse_catalogue(ROWS)
        return list(catalogue.compare(rows, exceptions, {tag: ["a.c: f"] for tag in shown}, complete))

    def test_a_tag_of_no_row(self):
        self.assertEqual(self.compare(["MUST-1", "MUST-2"], {}),
                         ["a.c: f: [MUST-2] is in no row of the catalogue"])

    def test_an_exception_of_no_row_or_of_what_is_not_due(self):
        self.assertEqual(len(self.compare([], {"MUST-2": "x"})), 1)
        self.assertIn("not due", self.compare([], {"ATK-4": "x"})[0])

    def test_complete(self):
        self.assertEqual(self.compare([], {}), [])
        self.assertEqual(len(self.compare([], {}, complete=True)), 2)
        self.assertEqual(self.compare(["MUST-1"], {}, complete=True),
                         ["RFC9293-E2 is due, and no test shows it: second"])
        self.assertEqual(self.compare(["MUST-1"], {"RFC9293-E2": "why"}, complete=True), [])


if __name__ == "__main__":
    unittest.main()
