"""What is shown of a cluster's state, and when."""

import contextlib
import io
import tempfile
import unittest

from cluster.layout import Directory
from cluster.show import Screen, how_to_talk, leader_of, news, state_line


def info(term, leader, commit):
    return {"term": str(term), "leader": leader, "commit": str(commit)}


class States(unittest.TestCase):
    def test_the_leader_of_the_latest_term_counts(self):
        infos = [(1, info(3, "1", 90)), (2, info(4, "2", 100)), (3, None)]
        self.assertEqual(leader_of(infos), ("2", 4))
        self.assertEqual(state_line(infos),
                         "leader 2  term 4  commit 100  lag 1:10 2:0 3:down")
        self.assertEqual(news(infos), ("2", (1, 2)))

    def test_without_a_leader_the_furthest_counts(self):
        infos = [(1, info(3, "none", 90)), (2, info(4, "none", 100))]
        self.assertEqual(leader_of(infos), (None, 0))
        self.assertTrue(state_line(infos).startswith("leader none"))
        self.assertTrue(state_line(infos).endswith("commit 100  lag 1:10 2:0"))
        self.assertEqual(state_line([(1, None)]), "leader none  term 0  commit 0  lag 1:down")


class Screens(unittest.TestCase):
    def written(self, live, states):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            screen = Screen(live)
            for infos in states:
                screen.state(infos)
            screen.say("done")
        return out.getvalue()

    def test_a_pipe_gets_a_line_when_leader_or_nodes_change(self):
        first, moved, gone = [(1, info(1, "1", 5))], [(1, info(1, "1", 6))], [(1, None)]
        lines = self.written(False, [first, moved, gone]).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("commit 5", lines[0])
        self.assertIn("1:down", lines[1])

    def test_a_terminal_gets_one_line_that_is_drawn_anew(self):
        first, moved = [(1, info(1, "1", 5))], [(1, info(1, "1", 6))]
        text = self.written(True, [first, first, moved])
        self.assertEqual(text.count("\r\033[Kleader"), 2)
        self.assertTrue(text.endswith("\r\033[Kdone\n"))

    def test_every_kind_of_client_is_told_how(self):
        with tempfile.TemporaryDirectory() as path:
            text = how_to_talk(Directory(path).places(2, 7000, False), "/q", path)
        for part in ("redis-cli -p 7000", "redis-cli -s %s/sockets/client-1.sock" % path,
                     "redis.Redis(port=7000)", "redis://127.0.0.1:7000/",
                     "/q status --watch --connect tcp:127.0.0.1:7000,tcp:127.0.0.1:7001"):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
