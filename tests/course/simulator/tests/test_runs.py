"""Real simulations with real processes: a stand-in that is right, and stand-ins that are not.

All of them run side by side once, before the tests, which then look at the results.
"""

import os
import stat
import sys
import tempfile
import unittest

from simulator import config
from simulator.campaign import Campaign, Run
from simulator.report import run_text, table, verdict

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_in.py")
JOBS = 13

DOCUMENT = {
    "lifetime": 5, "replicas": 3, "requests": 60, "mix": 0.4, "start_wait": 2, "end_wait": 0.5,
    "tests": {"benchmarks": {
        "total_msgs": [60, 500, 1000], "failures": [0, 1, 2], "duplicates": [0, 2, 5],
        "median_latency": [0.05, 0.1, 0.2],
    }, "maximum_get_generation_fail_fraction": 0.5},
}
EVENTS = [{"type": "part_easy", "time": 1}, {"type": "part_end", "time": 2},
          {"type": "kill_non_leader", "time": 3}]

# Name of the run: dialect, fault, changes to the configuration.
RUNS = {
    "seqpacket": ("seqpacket", None, {"lifetime": 6}),
    "stream": ("stream", None, {}),
    "udp": ("udp", None, {}),
    "events": ("udp", None, {"events": EVENTS, "replicas": 5}),
    "losses": ("stream", None, {"drops": 0.5}),
    "unlucky": ("udp", None, {
        "mix": 1.0, "requests": 20, "start_wait": 1, "end_wait": 0,
        "tests": dict(DOCUMENT["tests"], maximum_get_generation_fail_fraction=0)}),
    "too-many": ("udp", None, {"max_packets": 60}),
    "wrong-value": ("udp", "wrong-value", {}),
    "no-value": ("stream", "no-value", {}),
    "unknown-mid": ("udp", "unknown-mid", {}),
    "bad-json": ("stream", "bad-json", {}),
    "bad-id": ("udp", "bad-id", {}),
    "unknown-destination": ("udp", "unknown-destination", {}),
    "no-mid": ("udp", "no-mid", {}),
    "dies udp": ("udp", "dies", {}),
    "dies seqpacket": ("seqpacket", "dies", {"lifetime": 6}),
    "dies stream": ("stream", "dies", {}),
    "no-hello": ("udp", "no-hello", {}),
    "empty-packet": ("udp", "empty-packet", {}),
    "not-utf8": ("udp", "not-utf8", {}),
    "duplicates": ("udp", "duplicates", {}),
    "fails": ("udp", "fails", {}),
    "never-answers": ("udp", "never-answers", {}),
    "silent": ("udp", "silent", {}),
    "stuck": ("udp", "stuck", {}),
}


def launcher(directory, fault):
    """A program to start as replica: the stand-in, with its fault built in."""
    path = os.path.join(directory, fault or "sound")
    with open(path, "w", encoding="utf-8") as script:
        script.write('#!/bin/sh\nexec "%s" -S -E -B "%s" %s "$@"\n' % (
            sys.executable, STAND_IN, "--fault " + fault if fault else ""))
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return path


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.retried = []
        with tempfile.TemporaryDirectory() as directory:
            runs = []
            for number, (name, (dialect, fault, changes)) in enumerate(RUNS.items()):
                document = dict(DOCUMENT, **changes)
                config.parse(name, document)
                runs.append(Run(name, name, document, dialect, launcher(directory, fault),
                                100 + number, True))
            runs[0].floor = runs[0].replica
            results = Campaign(
                JOBS, False, on_retry=lambda run: cls.retried.append(run.label)).play(runs)
        cls.results = dict(zip(RUNS, results))

    def failed(self, name):
        return [check["name"] for check in self.results[name]["checks"] if not check["passed"]]

    def test_a_sound_replica_passes_in_every_dialect(self):
        for name in ("seqpacket", "stream", "udp"):
            result = self.results[name]
            self.assertEqual(self.failed(name), [], (name, result["deaths"]))
            self.assertTrue(verdict(result))
            self.assertEqual([tier for _, tier in result["tiers"]][1:3], [1, 1])
            self.assertEqual(result["gets"] - result["ungenerated_gets"],
                             result["ok_get"]["count"])
            self.assertEqual(result["puts"], result["ok_put"]["count"])
            self.assertEqual(result["ok_get"]["count"] + result["puts"], 60)
            self.assertEqual(result["messages"], 2 * result["puts"])
            self.assertEqual(result["leaders"], ["FFFF", "0000"])
            self.assertEqual((result["unanswered"], result["strangers"]), (0, 0))

    def test_the_floor_is_measured_beside_it(self):
        floor = self.results["seqpacket"]["floor"]
        self.assertGreater(floor["put"], 0)
        self.assertGreater(floor["get_ratio"], 0)
        self.assertIsNone(self.results["udp"]["floor"])

    def test_killing_and_cutting_off(self):
        result = self.results["events"]
        self.assertEqual(self.failed("events"), [], result["deaths"])
        self.assertEqual(len(result["killed"]), 1)
        self.assertNotIn("0000", result["killed"])
        self.assertGreater(result["dropped"], 0)
        self.assertGreater(result["undeliverable"], 0)
        self.assertEqual(result["unanswered"], 0)

    def test_losses_are_between_replicas_only(self):
        result = self.results["losses"]
        self.assertTrue(0.2 < result["dropped"] / result["messages"] < 0.8)
        self.assertEqual(result["unanswered"], 0)

    def test_each_fault_is_caught_by_its_check(self):
        for name in ("unknown-mid", "bad-json", "bad-id", "unknown-destination", "no-mid",
                     "stuck"):
            self.assertEqual(self.failed(name), ["incorrect"], name)
            self.assertEqual(self.results[name]["incorrect"], 1, self.results[name]["complaints"])
        for name in ("wrong-value", "no-value"):
            self.assertEqual(self.failed(name), ["incorrect"], name)
            self.assertGreater(self.results[name]["incorrect"], 10)
        for name in ("empty-packet", "not-utf8"):
            self.assertIn("died", self.failed(name), name)
        self.assertIn("died", self.failed("no-hello"))
        self.assertIn("had not connected", self.results["no-hello"]["deaths"][0])
        self.assertEqual(self.failed("silent"), ["too-few-messages"])
        self.assertEqual(self.failed("never-answers"),
                         ["no-puts", "put", "get-generation", "too-few-messages"])

    def test_a_dead_replica_is_noticed_with_its_exit_status(self):
        for name in ("dies udp", "dies seqpacket", "dies stream"):
            self.assertIn("died", self.failed(name))
            self.assertEqual(self.results[name]["died"], 1)
            self.assertIn("exited with status 3", self.results[name]["deaths"][0])

    def test_wrong_values_break_the_history_as_well(self):
        self.assertFalse(self.results["wrong-value"]["linearizable"])
        self.assertIn("cannot be explained", self.results["wrong-value"]["culprit"])
        self.assertTrue(self.results["bad-json"]["linearizable"])

    def test_duplicates_and_fails_cost_tiers_only(self):
        duplicates = self.results["duplicates"]
        self.assertEqual(duplicates["duplicates"], 60)
        self.assertEqual(dict(duplicates["tiers"])["duplicates"], 3)
        fails = self.results["fails"]
        self.assertEqual(self.failed("fails"), [])
        self.assertGreater(fails["failures"], 10)
        self.assertGreaterEqual(fails["redirects"], fails["failures"])
        self.assertEqual(dict(fails["tiers"])["failures"], 3)

    def test_too_many_messages_end_the_run_on_the_spot(self):
        result = self.results["too-many"]
        self.assertTrue(result["ended_early"])
        self.assertEqual(result["messages"], 60)

    def test_only_bad_luck_is_repeated(self):
        self.assertEqual(self.retried, ["unlucky", "unlucky"])
        self.assertEqual(self.failed("unlucky"), ["get-generation"])
        self.assertEqual(self.results["unlucky"]["attempt"], 2)

    def test_reports(self):
        for result in self.results.values():
            text = run_text(result, "a word")
            self.assertIn("# Simulation Finished: %s (a word)" % result["label"], text)
            self.assertIn("Performance Tests", text)
            self.assertEqual("Repeated 2 times" in text, result["label"] == "unlucky")
        sums = table(list(self.results.values()))
        passed = sum(verdict(result) for result in self.results.values())
        self.assertIn("Passed %d out of %d tests" % (passed, len(RUNS)), sums)


if __name__ == "__main__":
    unittest.main()
