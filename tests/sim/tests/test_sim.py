"""Shares, sums, the failures file, and the pool, on a stand-in for `quorate sim`."""

import json
import os
import stat
import sys
import tempfile
import unittest

from sim import failures, sim_command
from sim.share import Share
from sim.totals import Totals

STAND_IN = """#!%s
import json, sys
words = sys.argv[2:]
value = lambda name: int(words[words.index(name) + 1])
first, seeds = value("--seed"), value("--seeds")
bad = [seed for seed in range(first, first + seeds) if seed == 7]
ran = bad[0] - first + 1 if bad else seeds
failure = bad and {"seed": 7, "id": "S1", "sentence": "s", "detail": "d",
                   "command": "quorate sim --seed 7 --nodes 3"} or None
print(json.dumps({"seeds": ran, "virtual_us": ran, "sometimes": {"a": ran, "b": 0},
                  "failure": failure}))
sys.exit(1 if failure else 0)
"""


class SimTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.program = os.path.join(self.folder.name, "quorate")
        with open(self.program, "w", encoding="utf-8") as target:
            target.write(STAND_IN % sys.executable)
        os.chmod(self.program, os.stat(self.program).st_mode | stat.S_IXUSR)

    def test_every_seed_is_in_one_share(self):
        parts = list(sim_command.shares(5, 250, []))
        self.assertEqual([(part.first, part.seeds) for part in parts],
                         [(5, 100), (105, 100), (205, 50)])

    def test_what_is_behind_a_failure_is_run_too(self):
        totals = Totals()
        pool = sim_command.Pool(
            self.program, 2, None, lambda share, report: totals.add(report), lambda: None)
        pool.run(iter([Share(0, 10, []), Share(10, 10, [])]))
        self.assertEqual(totals.sums["seeds"], 20)
        self.assertEqual([failure["seed"] for failure in totals.failures], [7])
        self.assertEqual(totals.never(), ["b"])

    def test_a_failure_at_the_end_of_a_share_leaves_nothing(self):
        self.assertIsNone(Share(0, 8, []).rest_after(7))
        self.assertEqual(Share(0, 9, []).rest_after(7), Share(8, 1, []))

    def test_a_process_that_says_nothing_is_a_failure(self):
        with open(self.program, "w", encoding="utf-8") as target:
            target.write("#!/bin/sh\necho gone >&2\nexit 3\n")
        totals = Totals()
        pool = sim_command.Pool(
            self.program, 1, None, lambda share, report: totals.add(report), lambda: None)
        pool.run(iter([Share(0, 5, [])]))
        self.assertEqual(totals.failures[0]["id"], "crashed")
        self.assertIn("gone", totals.failures[0]["detail"])

    def test_a_failure_is_kept_once(self):
        path = os.path.join(self.folder.name, "failures")
        failure = {"seed": 7, "command": "quorate sim --nodes 3 --seed 7 --faults crash"}
        self.assertTrue(failures.add(path, failure))
        self.assertFalse(failures.add(path, failure))
        self.assertEqual(failures.read(path), [failure])
        self.assertEqual(failures.options_of(failure), ["--nodes", "3", "--faults", "crash"])

    def test_a_broken_file_is_named(self):
        path = os.path.join(self.folder.name, "failures")
        for line in ("no json", json.dumps({"seed": 1})):
            with open(path, "w", encoding="utf-8") as target:
                target.write(line + "\n")
            with self.assertRaisesRegex(failures.FailuresError, "line 1"):
                failures.read(path)


if __name__ == "__main__":
    unittest.main()
