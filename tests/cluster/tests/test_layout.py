"""Directories, ports and sockets: what is chosen, what is remembered, what is refused."""

import os
import socket
import tempfile
import unittest

from cluster.layout import (
    HOST, SOCKET_DIRECTORY_MAX, Directory, LayoutError, find_ports, is_free,
)


class InDirectory(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = holder.name


class Directories(InDirectory):
    def test_the_number_of_nodes_is_remembered(self):
        directory = Directory(self.path)
        self.assertEqual(directory.choose_nodes(None), 3)
        self.assertEqual(directory.choose_nodes(5), 5)
        directory.remember(5)
        self.assertEqual(directory.choose_nodes(None), 5)
        self.assertEqual(directory.choose_nodes(5), 5)
        with self.assertRaisesRegex(LayoutError, "--nodes: is 3, but the cluster in .* has 5"):
            directory.choose_nodes(3)

    def test_a_spoilt_record_is_refused(self):
        for text in ("", "{}", "[]", '{"nodes": 0}', '{"nodes": "3"}'):
            with open(os.path.join(self.path, "cluster.json"), "w", encoding="utf-8") as record:
                record.write(text)
            with self.assertRaises(LayoutError):
                Directory(self.path).choose_nodes(None)

    def test_a_lost_node_is_not_founded_anew(self):
        directory = Directory(self.path)
        places = directory.places(2, 7000, False)
        directory.refuse_lost_nodes(places)
        directory.remember(2)
        for place in places:
            os.mkdir(place.data)
        with open(os.path.join(places[0].data, "identity"), "w", encoding="utf-8"):
            pass
        with self.assertRaisesRegex(LayoutError, "the data of node 2 is gone"):
            directory.refuse_lost_nodes(places)


class Places(InDirectory):
    def test_everything_is_in_the_directory(self):
        places = Directory(self.path).places(3, 7000, False)
        self.assertEqual([place.id for place in places], [1, 2, 3])
        self.assertEqual([place.client_port for place in places], [7000, 7001, 7002])
        for place in places:
            for path in (place.data, place.log, place.client_socket, place.peer[len("unix:"):]):
                self.assertTrue(path.startswith(self.path + os.sep), path)
        self.assertEqual(places[1].clients, [
            "tcp:127.0.0.1:7001", "unix:%s/sockets/client-2.sock" % self.path])

    def test_peers_may_speak_tcp(self):
        places = Directory(self.path).places(2, 7000, True)
        self.assertEqual([place.peer for place in places],
                         ["tcp:127.0.0.1:17000", "tcp:127.0.0.1:17001"])

    def test_sockets_have_short_paths_wherever_the_data_is(self):
        directory = Directory(os.path.join(self.path, "x" * SOCKET_DIRECTORY_MAX))
        place = directory.places(64, 7000, False)[63]
        holder = os.path.dirname(place.client_socket)
        self.assertLess(len(place.client_socket), 107)
        self.assertTrue(os.path.isdir(holder))
        with open(place.client_socket, "w", encoding="utf-8"):
            pass
        directory.clear()
        self.assertFalse(os.path.exists(holder))


class Ports(unittest.TestCase):
    def test_taken_ports_are_passed_over_or_refused(self):
        with socket.socket() as taken:
            taken.bind((HOST, 0))
            taken.listen(1)
            port = taken.getsockname()[1]
            self.assertFalse(is_free(port))
            with self.assertRaisesRegex(LayoutError, "port %d is taken" % port):
                find_ports(1, port, False)
        with self.assertRaisesRegex(LayoutError, "is 65535, but port 65536"):
            find_ports(2, 65535, False)
        with self.assertRaisesRegex(LayoutError, "too large"):
            find_ports(1, 60000, True)
        first = find_ports(3, None, True)
        self.assertTrue(all(map(is_free, (first, first + 1, first + 2, first + 10000))))


if __name__ == "__main__":
    unittest.main()
