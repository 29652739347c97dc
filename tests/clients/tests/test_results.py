"""Outcomes of checks: what counts as failed, and what is printed."""

import sys
import tempfile
import unittest

from clients.door import Door, doors
from clients.redis_benchmark import _rows
from clients.results import Mismatch, Results, expect
from clients.scripts import parse, run_at
from cluster.layout import Directory

DOORS = [Door("node 1 tcp", port=7000), Door("node 1 unix", path="/p")]


class Collected(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.results = Results(self.lines.append)

    def test_a_check_is_run_at_every_door_and_told_once(self):
        def check(door):
            expect("the path", door.path, "/p")
        self.results.run("client", DOORS, [("name", check)])
        self.assertEqual((self.results.passed, self.results.failed), (0, 1))
        self.assertRegex(self.lines[0], r"^FAIL +client +name +1 of 2 doors")
        self.assertEqual(self.lines[1], "      node 1 tcp: Mismatch: the path: found None, "
                                        "wanted '/p'")
        self.assertEqual(len(self.lines), 2)

    def test_a_check_that_was_not_run_everywhere_has_failed(self):
        self.results.merge("client", {"a": {"x": "", "y": ""}, "b": {"x": ""}}, 1.0)
        self.assertEqual((self.results.passed, self.results.failed), (1, 1))
        self.assertIn("      b: was not run", self.lines)

    def test_no_checks_at_all_are_a_failure(self):
        self.results.merge("client", {"a": {}, "b": {}}, 1.0)
        self.assertEqual((self.results.passed, self.results.failed), (0, 1))

    def test_a_client_that_is_not_there_is_told(self):
        self.results.skip("ioredis", "skipped: no node")
        self.assertEqual(self.results.skipped, ["ioredis"])
        self.assertTrue(self.lines[0].startswith("skip  ioredis"))

    def test_a_long_reason_is_cut_and_stays_on_its_line(self):
        def check(_):
            raise Mismatch("a\nb" * 1000)
        self.results.run("client", DOORS[:1], [("name", check)])
        self.assertLess(len(self.lines[1]), 320)
        self.assertNotIn("\n", self.lines[1])


class Programs(unittest.TestCase):
    def test_lines_of_checks_are_understood(self):
        self.assertEqual(parse("ok a (b: c)\nFAILED d: why: so\nFAILED e\nnoise\n"),
                         {"a (b: c)": "", "d": "why: so", "e": "no reason given"})

    def test_a_program_has_to_run_through(self):
        script = "import sys; print('ok one'); sys.exit('words\\nlast words')"
        found = run_at(DOORS[0], [sys.executable, "-c", script], {})
        self.assertEqual(found, {"one": "", "runs through": "status 1: last words"})
        found = run_at(DOORS[1], [sys.executable, "-c", "import sys; print('ok', *sys.argv[1:])"],
                       {})
        self.assertEqual(found, {"unix:/p node-1-unix:": "", "runs through": ""})

    def test_rates_of_redis_benchmark(self):
        text = '"test","rps","avg"\n"SET","125.5","0.1"\n"MSET (10 keys)","inf","0.1"\n'
        self.assertEqual(_rows(text), {"SET": 125.5, "MSET (10 keys)": float("inf")})


class Doors(unittest.TestCase):
    def test_every_node_has_two(self):
        with tempfile.TemporaryDirectory() as path:
            found = doors(Directory(path).places(3, 7000, False))
        self.assertEqual(len({door.text for door in found}), 6)
        self.assertEqual(found[2].text, "tcp:127.0.0.1:7001")
        self.assertEqual(found[2].words, ["-h", "127.0.0.1", "-p", "7001"])
        self.assertEqual(found[3].words[0], "-s")
        self.assertEqual(found[3].key, "node-2-unix:")


if __name__ == "__main__":
    unittest.main()
