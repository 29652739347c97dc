"""Nodes that are stand-ins: starting, failing to start, dying, and being ended."""

import os
import stat
import tempfile
import time
import unittest

from cluster import cluster_command
from cluster.cluster import Cluster, StartFailed
from cluster.layout import LayoutError
from simulator.command_options import UsageError


class Clusters(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = os.path.join(holder.name, "cluster")
        self.holder = holder.name

    def program(self, script):
        path = os.path.join(self.holder, "program")
        with open(path, "w", encoding="utf-8") as target:
            target.write("#!/bin/sh\n%s\n" % script)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def test_a_node_that_ends_at_once_is_reported_with_its_log(self):
        program = self.program('echo "arguments: $*"; exit 64')
        with Cluster(program, self.directory, nodes=2) as cluster:
            with self.assertRaises(StartFailed) as caught:
                cluster.start()
        text = str(caught.exception)
        self.assertRegex(text, "node [12] ended with status 64; the end of .*node[12].log")
        self.assertIn("| arguments: serve --id", text)
        self.assertIn("--bootstrap", text)

    def test_a_node_that_does_not_end_is_killed(self):
        program = self.program("trap '' TERM; echo up; while :; do sleep 0.05; done")
        with Cluster(program, self.directory, nodes=1) as cluster:
            node = cluster.nodes[0]
            node.start(program, "", [])
            while "up" not in node.last_lines():
                time.sleep(0.01)
            self.assertEqual(cluster.deaths(), [])
            node.terminate()
            self.assertFalse(node.wait(time.monotonic() + 0.2))
            self.assertEqual(cluster.deaths()[0][1:], ["  | up"])
            self.assertEqual(cluster.deaths(), [], "told once")
            self.assertTrue(cluster.all_dead())

    def test_one_directory_one_cluster(self):
        with Cluster("/bin/false", self.directory, nodes=1):
            with self.assertRaisesRegex(LayoutError, "runs already"):
                Cluster("/bin/false", self.directory, nodes=1)
        Cluster("/bin/false", self.directory, nodes=1).stop()


class Options(unittest.TestCase):
    def test_what_follows_two_dashes_is_for_the_nodes(self):
        options = cluster_command.parse(["--nodes", "5", "--tcp", "--", "--leases", "--dir"])
        self.assertEqual((options.nodes, options.tcp), (5, True))
        self.assertEqual(options.options, ["--leases", "--dir"])
        self.assertEqual(cluster_command.parse([]).options, [])

    def test_wrong_values_are_refused(self):
        for words in (["--nodes", "0"], ["--nodes", "65"], ["--port", "65536"], ["more"]):
            with self.assertRaises(UsageError):
                cluster_command.parse(words)


if __name__ == "__main__":
    unittest.main()
