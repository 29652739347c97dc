"""From samples to tables, limits, a picture and a page."""

import os
import sys
import tempfile
import unittest
from xml.etree import ElementTree

from bench import bench_command, compare, entrants, loads, scaling
from bench.measurement import Measurement, Sample, median
from bench.report import comparison, documents, picture, targets
from bench.report.table import Table, milliseconds, rate, ratio
from bench.results import Footprint, Results
from simulator.command_options import UsageError

MIB = 1 << 20


def sample(rate_: float, p50: float = 1.0, cpu: float = 1.0, written: "float | None" = 10.0):
    return Sample(rate_, p50, 2.0 * p50, 3.0 * p50, cpu, written)


def measurement(*samples: Sample) -> Measurement:
    made = Measurement()
    made.samples = list(samples)
    return made


def results() -> Results:
    """Ours reach 300, 100 and 200 a second, Redis 100 each time."""
    made = Results(machine={"cpu": "c", "cores": 2, "kernel": "k", "busy_before": 0.05},
                   settings={"rounds": 3, "seconds": 1.0})
    for load in loads.LOADS:
        made.cells[load.name, "quorate"] = measurement(sample(300), sample(100), sample(200))
        made.cells[load.name, "redis-always"] = measurement(*[sample(100, written=None)] * 3)
    made.footprints["quorate"] = Footprint("v", 0.1, [4 * MIB, 5 * MIB], 0.0, [20 * MIB],
                                           [21 * MIB])
    made.footprints["redis"] = Footprint("v", 0.1, [10 * MIB], 0.0, [18 * MIB], [18 * MIB])
    made.bare_disk = [0.25]
    made.bare_disk_three = [0.5]
    made.open_loop["quorate"] = [{"best": 9, "rate": 6, "p50": 1, "p99": 20, "p999": 3, "lost": 0},
                                 {"best": 9, "rate": 6, "p50": 1, "p99": 10, "p999": 3, "lost": 1},
                                 {"best": 9, "rate": 6, "p50": 1, "p99": 5, "p999": 3, "lost": 0}]
    made.binary = {"stripped": 3_000_000}
    return made


class Figures(unittest.TestCase):
    def test_medians(self):
        self.assertEqual(median([3.0, 1.0, 2.0]), 2.0)
        self.assertEqual(median([4.0, 1.0, 2.0, 3.0]), 2.5)

    def test_what_cannot_be_had_has_no_median(self):
        self.assertIsNone(measurement(sample(1, written=None)).median("written"))
        self.assertIsNone(Results().median("set", "quorate", "rate"))

    def test_forms(self):
        self.assertEqual([rate(value) for value in (None, 7.0, 1234.4, 198_765.0)],
                         ["-", "7", "1,230", "199,000"])
        self.assertEqual([milliseconds(value) for value in (0.1234, 12.34, 123.4)],
                         ["0.123", "12.3", "123"])
        self.assertEqual([ratio(1.0, 2.0), ratio(1.0, None), ratio(None, 1.0)], ["0.50", "-", "-"])

    def test_a_table_in_both_forms(self):
        table = Table("a", "b")
        table.heading("one")
        table.add("x", "10")
        self.assertEqual(table.text(), "a   b\n\none\nx  10")
        self.assertEqual(table.markdown(), "| a | b |\n|---|---:|\n| **one** |  |\n| x | 10 |")


class Comparison(unittest.TestCase):
    def test_ratios_are_of_medians(self):
        text = comparison.loads(results()).text()
        self.assertRegex(text, r"Redis, appendfsync always +100 +100 to 100 +2\.00")
        self.assertRegex(text, r"quorate, 3 nodes +200 +100 to 300 +1\.00")

    def test_a_failed_cell_is_told(self):
        found = results()
        found.cells["set", "redis-always"] = Measurement()
        found.cells["set", "redis-always"].failure = "it died\nof this"
        self.assertIn("failed", comparison.loads(found).text())
        self.assertIn("Failed: redis-always, set: it died", comparison.notes(found))

    def test_results_survive_a_file(self):
        with tempfile.TemporaryDirectory() as holder:
            path = os.path.join(holder, "r.json")
            results().write(path)
            again = bench_command.read(path)
            self.assertEqual([table.text() for table in comparison.tables(again)],
                             [table.text() for table in comparison.tables(results())])
            with open(path, "w", encoding="utf-8") as target:
                target.write('{"format": 0}')
            with self.assertRaisesRegex(UsageError, "--from"):
                bench_command.read(path)

    def test_a_picture_is_well_formed(self):
        found = results()
        del found.cells["set", "quorate"], found.cells["set", "redis-always"]
        tree = ElementTree.fromstring(picture.draw(found))
        bars = tree.findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars), 2 * 5)
        self.assertEqual(max(float(bar.get("width")) for bar in bars),
                         2 * min(float(bar.get("width")) for bar in bars))


class Targets(unittest.TestCase):
    def figure(self, title: str, found: Results) -> "tuple[float, bool]":
        target = next(target for target in targets.TARGETS if title in target.title)
        value = target.find(found)
        return value, target.is_met(value)

    def test_figures_and_verdicts(self):
        found = results()
        self.assertEqual(self.figure("pipeline 64: quorate, 3 nodes as fast as Redis, app", found),
                         (2.0, True))
        self.assertEqual(self.figure("p50 beside a bare write", found), (4.0, False))
        self.assertEqual(self.figure("p99 in ms", found), (10.0, True))
        self.assertEqual(self.figure("requests lost", found), (1.0, False))
        self.assertEqual(self.figure("idle node", found), (5.0, True))
        self.assertEqual(self.figure("Memory of a loaded node", found), (20 / 28, True))

    def test_nothing_is_faster_than_the_bare_disk(self):
        found = results()
        for bare, verdict in ((0.6, "kept"), (0.25, "MISSED"), (3.0, "not credible")):
            found.bare_disk = [bare]
            table, _ = targets.judge(found)
            row = next(row for row in table.rows if "bare write" in row[0])
            self.assertEqual(row[3], verdict)

    def test_what_was_not_measured_is_neither_kept_nor_missed(self):
        table, missed = targets.judge(Results())
        self.assertEqual(missed, [])
        self.assertTrue(all(row[3] == "not measured" for row in table.rows))


class Scaling(unittest.TestCase):
    def test_what_grows_too_much_is_told(self):
        steps = next(d for d in scaling.dimensions(True) if d.name == "values").steps
        found = Results()
        # Twice the bytes for twice the CPU time is flat; one of them costs 1.2 times as much.
        for step, growth in zip(steps, (1.0, 1.1, 1.2, None)):
            bytes_ = scaling.KEY_BYTES + step.load.value_bytes
            cell = found.cells[step.load.name, step.system] = Measurement()
            if growth is not None:
                cell.samples = [sample(100, cpu=growth * bytes_)]
            found.footprints[step.system] = Footprint(loaded_bytes=[MIB])
        dimension = scaling.Dimension("values", steps, scaling.per_byte)
        table, too_much = scaling.show(dimension, found)
        self.assertEqual(too_much, ["1024 bytes: costs 1.20 times the first",
                                    "4096 bytes: not measured"])
        self.assertEqual([row[4] for row in table.rows[:3]], ["1.00", "1.10", "1.20"])

    def test_every_step_is_a_load_of_its_own(self):
        for dimension in scaling.dimensions(False):
            cells = {(step.load.name, step.system) for step in dimension.steps}
            self.assertEqual(len(cells), len(dimension.steps))


class Pages(unittest.TestCase):
    def test_only_what_is_between_the_marks_changes(self):
        page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
        self.assertEqual(documents.between_marks(page, "x", "new"),
                         "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n")
        with self.assertRaises(documents.NoMarks):
            documents.between_marks(page, "y", "new")

    def test_the_page_has_its_marks(self):
        with open(documents.PAGE, encoding="utf-8") as source:
            page = source.read()
        for name in ("comparison", "limits", "small", "scaling"):
            documents.between_marks(page, name, "")


class Options(unittest.TestCase):
    def names(self, *arguments: str):
        options = bench_command.parse(list(arguments))
        return {(load.name, entrant.name) for load, entrant in compare.cells_for(options)}

    def test_cells_are_chosen_by_load_and_by_system(self):
        self.assertEqual(self.names("--only", "set-64", "--only", "quorate", "--only", "etcd"),
                         {("set-64", "quorate"), ("set-64", "etcd")})
        self.assertEqual({load for load, _ in self.names("--only", "quorate-leases")},
                         {"get", "get-64", "get-one"})
        self.assertNotIn(("set", "quorate-unix"), self.names("--quick"))
        self.assertNotIn(("set", "other-build"), self.names())
        self.assertIn(("set", "other-build"), self.names("--against", sys.executable))

    def test_what_makes_no_sense_is_refused(self):
        for words in (["--only", "nothing"], ["--seconds", "0"], ["--rounds", "0"],
                      ["--against", "/nowhere"], ["scaling", "--json", os.devnull]):
            with self.assertRaises(UsageError):
                bench_command.parse(words)
        with self.assertRaisesRegex(UsageError, "nothing to be measured"):
            self.names("--only", "set", "--only", "quorate-leases")

    def test_cells_of_a_load_stay_together(self):
        order = [load.name for load, _ in entrants.cells(entrants.MAIN)]
        self.assertEqual(order, sorted(order, key=list(loads.BY_NAME).index))


if __name__ == "__main__":
    unittest.main()
