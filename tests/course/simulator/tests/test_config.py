"""Configurations: what is accepted, what is refused and in which words, and what each dialect
makes of them."""

import copy
import os
import unittest

from simulator import config, random_config
from simulator.command_options import COURSE
from simulator.course_runs import ALL
from simulator.dialect import DIALECTS, schedule, thresholds

GOOD = {
    "lifetime": 30, "replicas": 5, "requests": 500,
    "tests": {"benchmarks": {name: [1, 2, 3] for name in config.BENCHMARKS}},
}


def parse(**changes):
    document = copy.deepcopy(GOOD)
    document.update(changes)
    return config.parse("some.json", document)


class Validation(unittest.TestCase):
    def refused(self, expected, document=None, **changes):
        with self.assertRaises(config.ConfigError) as caught:
            if document is None:
                parse(**changes)
            else:
                config.parse("some.json", document)
        self.assertEqual(str(caught.exception), "some.json: " + expected)
        self.assertNotIn("\n", str(caught.exception))

    def test_defaults(self):
        parsed = parse()
        self.assertEqual(
            (parsed.mix, parsed.start_wait, parsed.end_wait, parsed.drops, parsed.max_packets),
            (0.8, None, 2, 0.0, 20000))
        self.assertEqual(parsed.events, ())
        self.assertEqual(parsed.fractions["maximum_get_generation_fail_fraction"], 0.1)

    def test_numbers_out_of_range(self):
        self.refused("lifetime: is 4, must be a whole number, at least 5", lifetime=4)
        self.refused("lifetime: is 30.5, must be a whole number, at least 5", lifetime=30.5)
        self.refused("replicas: is 2, must be a whole number from 3 to 21", replicas=2)
        self.refused("replicas: is 22, must be a whole number from 3 to 21", replicas=22)
        self.refused('requests: is "many", must be a whole number, at least 0', requests="many")
        self.refused("requests: is true, must be a whole number, at least 0", requests=True)
        self.refused("mix: is 1.5, must be a number from 0 to 1", mix=1.5)
        self.refused("drops: is -0.1, must be a number from 0 to 1", drops=-0.1)
        self.refused("start_wait: is 31, must be a number from 0 to 30", start_wait=31)
        self.refused("end_wait: is 31, must be a number from 0 to 30", end_wait=31)
        self.refused("max_packets: is 499, must be a whole number from 500 to 900000",
                     max_packets=499)
        self.refused("seed: is -1, must be a whole number, at least 0", seed=-1)

    def test_missing_fields(self):
        for name, expected in (
                ("lifetime", "a whole number, at least 5"),
                ("replicas", "a whole number from 3 to 21"),
                ("requests", "a whole number, at least 0"),
                ("tests", "an object with an entry benchmarks")):
            document = copy.deepcopy(GOOD)
            del document[name]
            self.refused("%s: is missing, must be %s" % (name, expected), document)

    def test_events(self):
        kinds = ", ".join(config.EVENT_TYPES)
        self.refused('events[0].type: is "kill", must be one of ' + kinds,
                     events=[{"type": "kill", "time": 1}])
        self.refused("events[1].time: is 31, must be a number from 0 to 30",
                     events=[{"type": "part_end", "time": 1}, {"type": "part_end", "time": 31}])
        self.refused("events[0].time: is missing, must be a number from 0 to 30",
                     events=[{"type": "part_end"}])
        self.refused("events: is {}, must be a list", events={})
        self.refused("events[0]: is 7, must be an object with type and time", events=[7])

    def test_benchmarks(self):
        self.refused(
            "tests.benchmarks: is missing, must be an object with total_msgs, failures, "
            "duplicates, median_latency", tests={})
        incomplete = {"benchmarks": {"total_msgs": [1, 2, 3]}}
        self.refused("tests.benchmarks.failures: is missing, must be a list of exactly 3 numbers",
                     tests=incomplete)
        for wrong, shown in (([1, 2], "[1, 2]"), ([1, 2, "3"], '[1, 2, "3"]'), (1, "1")):
            table = dict(GOOD["tests"]["benchmarks"], failures=wrong)
            self.refused("tests.benchmarks.failures: is %s, must be a list of exactly 3 numbers"
                         % shown, tests={"benchmarks": table})
        table = dict(GOOD["tests"]["benchmarks"], speed=[1, 2, 3])
        self.refused(
            "tests.benchmarks.speed: is [1, 2, 3], must be absent: the names are total_msgs, "
            "failures, duplicates, median_latency", tests={"benchmarks": table})

    def test_fractions_count_under_tests_only(self):
        tests = dict(GOOD["tests"], maximum_get_fail_fraction=2)
        self.refused("tests.maximum_get_fail_fraction: is 2, must be a number from 0 to 1",
                     tests=tests)
        quirk = parse(maximum_get_generation_fail_fraction=0.2)
        self.assertEqual(quirk.fractions["maximum_get_generation_fail_fraction"], 0.1)
        tests = dict(GOOD["tests"], maximum_get_generation_fail_fraction=0.2)
        self.assertEqual(parse(tests=tests).fractions["maximum_get_generation_fail_fraction"], 0.2)

    def test_files(self):
        with self.assertRaises(config.ConfigError) as caught:
            config.load("/nowhere/at-all.json")
        self.assertIn("No such file", str(caught.exception))
        with self.assertRaises(config.ConfigError) as caught:
            config.load(__file__)
        self.assertIn("valid JSON", str(caught.exception))
        self.refused("file: is [], must be a JSON object", [])

    def test_unknown_fields_are_named(self):
        self.assertEqual(parse(drop=0.5).ignored, ("drop",))


class CourseFiles(unittest.TestCase):
    def test_all_are_valid_in_every_dialect(self):
        self.assertEqual(len(ALL), 17)
        for name in ALL:
            parsed = config.load(os.path.join(COURSE, name + ".json"))
            self.assertEqual(parsed.ignored, ())
            self.assertEqual((parsed.lifetime, parsed.replicas), (30, 5))
            for dialect in DIALECTS.values():
                self.assertGreater(schedule(parsed, dialect).spacing, 0)

    def test_duplicates_of_five_differ_in_0_8(self):
        old = {}
        for name in ALL:
            parsed = config.load(os.path.join(COURSE, name + ".json"))
            before = thresholds(parsed, DIALECTS["seqpacket"])
            after = thresholds(parsed, DIALECTS["udp"])
            self.assertEqual(after, thresholds(parsed, DIALECTS["stream"]))
            changed = [key for key in before if before[key] != after[key]]
            if changed:
                self.assertEqual(changed, ["duplicates"])
                old[name] = before["duplicates"]
        self.assertEqual(old, {
            "unreliable-3": [0, 2, 5], "advanced-1": [0, 2, 5], "advanced-2": [0, 2, 10],
            "advanced-3": [0, 5, 20], "advanced-4": [0, 2, 10],
        })


class Timings(unittest.TestCase):
    def test_version_2_adds_the_waits(self):
        plan = schedule(parse(), DIALECTS["udp"])
        self.assertEqual((plan.start_wait, plan.spacing, plan.total), (5, 0.06, 37))

    def test_version_0_8_takes_them_out(self):
        plan = schedule(parse(requests=300), DIALECTS["seqpacket"])
        self.assertEqual((plan.start_wait, plan.spacing, plan.total), (2, 26 / 300, 30))

    def test_version_0_8_needs_time_between_the_waits(self):
        with self.assertRaises(config.ConfigError) as caught:
            schedule(parse(lifetime=5, start_wait=3, end_wait=2), DIALECTS["seqpacket"])
        self.assertIn("less than the lifetime (5) in the dialect seqpacket", str(caught.exception))


class RandomConfigs(unittest.TestCase):
    def test_every_one_is_valid_and_survivable(self):
        for seed in range(600):
            document, dialect = random_config.generate(seed, 6, "mixed")
            parsed = config.parse("random", document)
            schedule(parsed, DIALECTS[dialect])
            kills = [event for event in parsed.events if event.type.startswith("kill")]
            self.assertLessEqual(len(kills), (parsed.replicas - 1) // 2)
            partition = [event.type for event in parsed.events if event.type.startswith("part")]
            self.assertTrue(not partition or partition[-1] == "part_end", partition)
            self.assertTrue(all(event.time <= 4 for event in parsed.events))

    def test_a_seed_stands_for_one_config(self):
        self.assertEqual(random_config.generate(7, 10, "mixed"),
                         random_config.generate(7, 10, "mixed"))
        document, dialect = random_config.generate(7, 10, "udp")
        self.assertEqual(dialect, "udp")
        events = random_config.generate(7, 10, "stream")[0]["events"]
        self.assertEqual(document["events"], events)


if __name__ == "__main__":
    unittest.main()
