"""run.py as a user meets it: bad input, interruption, and what is left behind (nothing)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from simulator import build, random_runs
from simulator.command_options import UsageError
from simulator.tests.test_runs import DOCUMENT, launcher

RUN = os.path.join(build.REPOSITORY, "run.py")


def run(*arguments, **more):
    return subprocess.run([sys.executable, "-B", RUN] + list(arguments), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


class InDirectory(unittest.TestCase):
    """Each test has a directory of its own, which is also the one for temporary files."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
        self.temporary = os.path.join(self.directory, "tmp")
        os.mkdir(self.temporary)

    def config(self, **changes):
        path = os.path.join(self.directory, "mine.json")
        with open(path, "w", encoding="utf-8") as target:
            json.dump(dict(DOCUMENT, **changes), target)
        return path


class WrongUsage(InDirectory):
    def refused(self, expected, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(expected, done.stderr)
        self.assertTrue(done.stderr.startswith("run.py: "))

    def test_one_line_each(self):
        self.refused("nonsense: no such config", "nonsense")
        self.refused("is 0, must be a whole number, at least 1", "simple-1", "--jobs", "0")
        self.refused("invalid choice: 'tcp'", "simple-1", "--dialect", "tcp")
        self.refused("unrecognized arguments: --fast", "simple-1", "--fast")
        self.refused("--replica: is /nowhere, must be an executable file", "simple-1",
                     "--replica", "/nowhere")
        self.refused("replicas: is 99, must be a whole number from 3 to 21",
                     self.config(replicas=99), "--replica", "/bin/true")
        self.refused("--json: /nowhere/at/all: No such file", "simple-1", "--json",
                     "/nowhere/at/all")
        self.refused("--seeds: /nowhere", "random", "--seeds", "/nowhere")
        self.refused("is 4, must be a whole number, at least 5", "random", "--lifetime", "4")

    def test_a_program_that_cannot_be_started(self):
        path = os.path.join(self.directory, "broken")
        with open(path, "w", encoding="utf-8") as script:
            script.write("#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        done = run(self.config(), "--replica", path, "--no-floor")
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assertIn("cannot be started", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_help(self):
        for words in (["--help"], ["random", "--help"], ["test", "--help"], ["build", "--help"]):
            self.assertEqual(run(*words).returncode, 0)

    def test_seed_files(self):
        path = os.path.join(self.directory, "seeds")
        with open(path, "w", encoding="utf-8") as target:
            target.write("# a comment\n1 short\n\n2 # another\n30\n")
        self.assertEqual(random_runs.read_seeds(path, False), [1, 2, 30])
        self.assertEqual(random_runs.read_seeds(path, True), [1])
        with open(path, "a", encoding="utf-8") as target:
            target.write("4 long\n")
        with self.assertRaisesRegex(UsageError, "line 6: is '4 long', must be a seed"):
            random_runs.read_seeds(path, False)

    def test_the_kept_seeds(self):
        seeds = random_runs.read_seeds(random_runs.KEPT_SEEDS, False)
        self.assertEqual((len(seeds), len(set(seeds))), (100, 100))
        self.assertEqual(random_runs.read_seeds(random_runs.KEPT_SEEDS, True), seeds[:8])


class Interruption(InDirectory):
    """However run.py ends, no replica and no directory is left."""

    def begin(self):
        replica = launcher(self.directory, None)
        process = subprocess.Popen(
            [sys.executable, "-B", RUN, self.config(lifetime=60), "--replica", replica,
             "--no-floor"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env=dict(os.environ, TMPDIR=self.temporary))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_until(lambda: len(self.replicas()) == 3 and os.listdir(self.temporary))
        time.sleep(0.3)
        return process

    def replicas(self):
        """The processes that run the stand-in of this test's directory's simulation."""
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and self.temporary in os.readlink("/proc/%s/cwd" % name):
                    with open("/proc/%s/cmdline" % name, "rb") as source:
                        if b"stand_in.py" in source.read():
                            found.append(int(name))
            except OSError:
                continue
        return found

    def wait_until(self, condition):
        deadline = time.monotonic() + 15
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited too long")
            time.sleep(0.05)

    @unittest.skipUnless(os.path.isdir("/proc/self"), "looks for processes in /proc")
    def test_nothing_is_left(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                               (signal.SIGKILL, -9)):
            process = self.begin()
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # as a terminal does: the simulation gets it too
            else:
                process.send_signal(number)
            self.assertEqual(process.wait(15), status)
            self.wait_until(lambda: not self.replicas() and not os.listdir(self.temporary))


class WholeRuns(unittest.TestCase):
    """Two commands from beginning to end, side by side."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            temporary = os.path.join(directory, "tmp")
            os.mkdir(temporary)
            mine = os.path.join(directory, "mine.json")
            with open(mine, "w", encoding="utf-8") as target:
                json.dump(DOCUMENT, target)
            results = os.path.join(directory, "results.json")
            commands = (
                [mine, "--replica", launcher(directory, None), "--seed", "5", "--json", results,
                 "--no-floor"],
                ["random", "--count", "1", "--seed", "3", "--lifetime", "5", "--dialect", "udp",
                 "--replica", launcher(directory, "never-answers"), "-s"],
            )
            processes = [
                subprocess.Popen([sys.executable, "-B", RUN] + command, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=dict(os.environ, TMPDIR=temporary))
                for command in commands
            ]
            outputs = [process.communicate() for process in processes]
            cls.good, cls.bad = [
                (process.returncode,) + output for process, output in zip(processes, outputs)]
            with open(results, encoding="utf-8") as source:
                cls.results = json.load(source)
            cls.left = os.listdir(temporary)

    def test_a_good_run(self):
        status, output, errors = self.good
        self.assertEqual(status, 0, output + errors)
        self.assertIn("started mine (udp, seed 5)", errors)
        self.assertEqual([result["seed"] for result in self.results], [5])
        self.assertEqual(self.left, [])

    def test_a_failing_random_config_prints_how_to_repeat_it(self):
        status, output, errors = self.bad
        self.assertEqual(status, 1, output + errors)
        self.assertIn("again: ./run.py random --seed 3 --count 1 --dialect udp --lifetime 5 "
                      "--replica ", output)
        self.assertIn("Passed 0 out of 1 random configs", output)


if __name__ == "__main__":
    unittest.main()
