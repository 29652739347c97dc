"""Profiles: stacks that are read and folded, the picture, what is said where perf may not look."""

import os
import tempfile
import unittest
from collections import Counter
from unittest import mock
from xml.etree import ElementTree

from bench.profile import flame, stacks
from bench.profile.profile_command import by_role
from bench.profile.recorder import NotPermitted, Recorder
from bench.profile.stacks import Thread
from bench.profile.summary import summary

SCRIPT = """\
quorate  10/10    1000:
\tffffffff81001234 do_syscall_64
\t    55d0c0ffee00 quorate::server::node::Node::turn::h0123456789abcdef
\t    55d0c0ffee10 main

log  10/12    1000:
\t    55d0c0ffee00 quorate::wal::writer::write.llvm.123

quorate  10/10    3000:
\t    55d0c0ffee00 quorate::server::node::Node::turn::h0123456789abcdef
\t    55d0c0ffee10 main

Bun Pool 1  11/13    5:

"""
SVG = "{http://www.w3.org/2000/svg}"
TURN, MAIN = "quorate::server::node::Node::turn", "main"


class Stacks(unittest.TestCase):
    def setUp(self):
        self.found = stacks.read(SCRIPT.splitlines(True))

    def test_samples_are_summed_by_thread_and_stack(self):
        self.assertEqual(self.found[Thread(10, "quorate")], Counter({
            (MAIN, TURN): 3000, (MAIN, TURN, "do_syscall_64 [k]"): 1000}))
        self.assertEqual(self.found[Thread(10, "log")],
                         Counter({("quorate::wal::writer::write",): 1000}))
        self.assertEqual(self.found[Thread(11, "Bun Pool 1")], Counter({("[unknown]",): 5}))

    def test_a_last_sample_without_an_empty_line_counts(self):
        self.assertEqual(stacks.read(SCRIPT.rstrip().splitlines(True))[Thread(11, "Bun Pool 1")],
                         Counter({("[unknown]",): 5}))

    def test_own_time_and_all_time(self):
        counted = self.found[Thread(10, "quorate")]
        self.assertEqual(stacks.self_time(counted),
                         Counter({TURN: 3000, "do_syscall_64 [k]": 1000}))
        self.assertEqual(stacks.total_time(counted)[MAIN], 4000)
        self.assertEqual(stacks.total_time(Counter({("f", "f"): 2})), Counter({"f": 2}))

    def test_folded_stacks_have_a_line_each(self):
        self.assertEqual(stacks.folded(Counter({("a", "b;c"): 2, ("a",): 1})), "a 1\na;b:c 2\n")

    def test_followers_are_put_together(self):
        counted = Counter({("f",): 1})
        found = by_role({Thread(1, "quorate"): counted, Thread(2, "quorate"): counted,
                         Thread(3, "quorate"): counted, Thread(1, "log"): counted}, leader=1)
        self.assertEqual(found, {"leader-node": counted, "leader-log": counted,
                                 "followers-node": Counter({("f",): 2})})


class Pictures(unittest.TestCase):
    def test_boxes_are_as_wide_as_their_time(self):
        drawn = flame.draw("t & t", Counter({("a", "b<c>"): 1, ("a",): 1, ("d",): 2}))
        tree = ElementTree.fromstring(drawn)
        boxes = {box.get("data-n"): box for box in tree.iter(SVG + "g")}
        widths = {name: float(box.get("data-w")) for name, box in boxes.items()}
        self.assertEqual(widths, {"all": 1.0, "a": 0.5, "b<c>": 0.25, "d": 0.5})
        self.assertEqual(float(boxes["d"].get("data-x")), 0.5)
        rows = {name: int(box.find(SVG + "rect").get("y")) for name, box in boxes.items()}
        self.assertTrue(rows["b<c>"] < rows["a"] == rows["d"] < rows["all"])

    def test_nothing_can_be_drawn(self):
        ElementTree.fromstring(flame.draw("nothing", Counter()))

    def test_whose_a_function_is(self):
        self.assertEqual([flame.kind(name) for name in (TURN, "read [k]", "malloc")],
                         ["ours", "kernel", "other"])

    def test_the_summary_names_threads_and_functions(self):
        text = summary({"leader-node": Counter({("f", "g"): 3_000_000_000}),
                        "leader-log": Counter({("f",): 1_000_000_000})}, 4.0)
        self.assertRegex(text, r"leader-node +75\.0 % +75\.0 %")
        self.assertRegex(text, r"leader-log +25\.0 % +25\.0 %")
        self.assertRegex(text, r"100\.0 % +100\.0 %  g")


class Permission(unittest.TestCase):
    def test_it_is_said_what_to_do(self):
        with tempfile.TemporaryDirectory() as holder:
            path = os.path.join(holder, "perf")
            with open(path, "w", encoding="utf-8") as program:
                program.write("#!/bin/sh\necho 'Access is limited.' >&2\nexit 255\n")
            os.chmod(path, 0o755)
            with mock.patch.dict(os.environ, PATH=holder + os.pathsep + os.environ["PATH"]):
                with Recorder([1], holder) as recorder:
                    recorder._perf.wait()
            with self.assertRaisesRegex(NotPermitted, "Access is limited.*perf_event_paranoid=1"):
                recorder.read()
            with mock.patch.dict(os.environ, PATH="/nowhere"):
                with self.assertRaisesRegex(NotPermitted, "apt-get install linux-perf"):
                    Recorder([1], holder)


if __name__ == "__main__":
    unittest.main()
