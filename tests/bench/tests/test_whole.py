"""One run of the benchmark from its start to its end, as short as can be, with our nodes alone."""

import contextlib
import io
import json
import os
import shutil
import tempfile
import unittest

from bench import bench_command, loads
from simulator import build


@unittest.skipUnless(shutil.which("redis-benchmark"), "redis-benchmark is not installed")
class Whole(unittest.TestCase):
    def test_every_load_is_measured_and_nothing_is_left(self):
        if build.build_if_needed() != 0:
            self.skipTest("the release binary could not be built")
        with tempfile.TemporaryDirectory() as holder:
            path = os.path.join(holder, "results.json")
            with contextlib.redirect_stdout(io.StringIO()) as output, \
                    contextlib.redirect_stderr(io.StringIO()):
                status = bench_command.main(["--only", "quorate", "--rounds", "1", "--seconds",
                                             "0.1", "--dir", holder, "--json", path])
            self.assertEqual(status, 0, output.getvalue())
            with open(path, encoding="utf-8") as source:
                found = json.load(source)
            self.assertEqual(os.listdir(holder), ["results.json"])
        self.assertEqual([cell["load"] for cell in found["cells"]], list(loads.BY_NAME))
        for cell in found["cells"]:
            self.assertGreater(cell["median"]["rate"], 0)
        self.assertGreater(found["bare_disk_p50"][0], 0)
        self.assertGreater(found["bare_disk_three_p50"][0], 0)


if __name__ == "__main__":
    unittest.main()
