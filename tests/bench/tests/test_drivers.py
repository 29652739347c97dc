"""Reports of load generators: what is read from them, and what is refused."""

import json
import sys
import unittest

from bench.build_size import parse as parse_sections
from bench.drivers import etcd_load, fill, quorate_bench, redis_benchmark
from bench.drivers.outcome import LoadFailed, Outcome, run_all, together
from bench.loads import SET, SET_64, Load
from bench.syncs import parse as parse_syncs
from clients.door import Door

REPORT = """
SET: rps=0.0 (overall: nan) avg_msec=nan (overall: nan)\r====== SET ======
  300000 requests completed in 0.43 seconds
  50 parallel clients

Latency by percentile distribution:
0.000% <= 0.327 milliseconds (cumulative count 16)
50.000% <= 0.863 milliseconds (cumulative count 150256)
99.805% <= 2.431 milliseconds (cumulative count 299424)
99.902% <= 2.655 milliseconds (cumulative count 299712)
100.000% <= 2.935 milliseconds (cumulative count 300000)

Cumulative distribution of latencies:
99.950% <= 0.103 milliseconds (cumulative count 0)

Summary:
  throughput summary: 705882.31 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.916     0.320     0.863     1.495     1.903     2.935
"""


class RedisBenchmark(unittest.TestCase):
    def test_figures_of_a_report(self):
        self.assertEqual(redis_benchmark.parse(REPORT),
                         Outcome(300_000, 705_882.31, 0.863, 1.903, 2.655))

    def test_a_report_without_a_tail_tells_its_most(self):
        self.assertEqual(redis_benchmark.parse(REPORT.replace("99.902", "99.802")).p999, 2.935)

    def test_half_a_report_is_refused(self):
        for end in ("throughput", "latency summary", "Latency by"):
            with self.assertRaises(LoadFailed):
                redis_benchmark.parse(REPORT.partition(end)[0])

    def test_connections_are_shared_evenly(self):
        self.assertEqual(redis_benchmark.share(50, 3), [17, 17, 16])
        self.assertEqual(redis_benchmark.share(2, 3), [1, 1])

    def test_pipelines_are_whole(self):
        words = redis_benchmark.command(Door("d", port=7000), SET_64, 50, 10_000)
        self.assertEqual(words[words.index("-n") + 1], str(3 * 50 * 64))
        words = redis_benchmark.command(Door("d", path="/s"), SET, 50, 1)
        self.assertEqual(words[words.index("-n") + 1], "50")


class OtherGenerators(unittest.TestCase):
    def test_the_line_of_the_load_for_etcd(self):
        line = "requests=5099 seconds=2.010 rate=2536.9 p50=18.671 p99=51.903 p999=60.927\n"
        self.assertEqual(etcd_load.parse(line), Outcome(5099, 2536.9, 18.671, 51.903, 60.927))
        with self.assertRaisesRegex(LoadFailed, "no 'p999'"):
            etcd_load.parse(line.replace("p999=", "p99="))

    def test_the_report_of_our_own(self):
        report = {"answered": 9, "throughput": 1000.0, "refused": 1, "uncertain": 0, "failed": 2,
                  "unknown": 0, "unsent": 4,
                  "latency_us": {"p50": 500.0, "p99": 1500.0, "p999": 2500.0}}
        self.assertEqual(quorate_bench.parse(json.dumps(report)),
                         quorate_bench.Report(9, 1000.0, 0.5, 1.5, 2.5, 7))
        for broken in ("", "[]", "{}", "null"):
            with self.assertRaises(LoadFailed):
                quorate_bench.parse(broken)

    def test_generators_side_by_side_are_one(self):
        found = together([Outcome(100, 100.0, 1.0, 5.0, 6.0), Outcome(100, 50.0, 2.0, 3.0, 9.0)])
        self.assertEqual(found, Outcome(200, 100.0, 2.0, 5.0, 9.0))

    def test_a_generator_that_fails_or_complains_is_an_error(self):
        for script in ("import sys; sys.exit('no such host')",
                       "import sys; print('Error from server: BUSY', file=sys.stderr)"):
            with self.assertRaisesRegex(LoadFailed, "no such host|BUSY"):
                run_all([[sys.executable, "-c", script]])
        self.assertEqual(run_all([[sys.executable, "-c", "print(1)"]]), ["1\n"])


class Filling(unittest.TestCase):
    def test_every_key_is_set_once_as_it_will_be_asked_for(self):
        load = Load("l", "l", "set", keys=2_500, value_bytes=3)
        found = list(fill.batches(load))
        self.assertEqual([batch.count(b"SET") for batch in found], [1000, 1000, 500])
        self.assertTrue(found[2].endswith(b"$16\r\nkey:000000002499\r\n$3\r\nxxx\r\n"))


class Counts(unittest.TestCase):
    def test_syncs_of_all_kinds_are_summed(self):
        report = ("# started on Mon\n\n12,,syscalls:sys_enter_fdatasync,1,100.00,,\n"
                  "3,,syscalls:sys_enter_fsync,1,100.00,,\n")
        self.assertEqual(parse_syncs(report), 15)
        self.assertIsNone(parse_syncs("<not supported>,,syscalls:sys_enter_fsync,0,,,\n"))

    def test_sections_of_a_program(self):
        output = "x  :\nsection  size  addr\n.text  100  64\n.bss  7  0\n.other  1  0\nTotal 9\n"
        self.assertEqual(parse_sections(output), {".text": 100, ".bss": 7})


if __name__ == "__main__":
    unittest.main()
