"""What the simulation makes of single messages, with the processes and sockets left out."""

import json
import unittest

from simulator import checks, config, wire
from simulator.dialect import DIALECTS
from simulator.simulation import Replica, Simulation
from simulator.timeline import timeline


class FakeEndpoint:
    def __init__(self):
        self.closed = False
        self.sent = []
        self.outcome = wire.SENT
        self.greeted = 0

    def send(self, raw):
        self.sent.append(json.loads(raw))
        return self.outcome

    def greet(self):
        self.greeted += 1

    def close(self):
        self.closed = True


class FakeProcess:
    ended = False

    def exit_text(self, patience=0.0):
        return None

    def terminate(self):
        self.ended = True

    def kill(self):
        self.ended = True
        return True


def make(dialect="udp", **changes):
    """A simulation of five replicas, connected to nothing."""
    document = {"lifetime": 30, "replicas": 5, "requests": 10,
                "tests": {"benchmarks": {name: [1, 2, 3] for name in config.BENCHMARKS}}}
    document.update(changes)
    made = Simulation(config.parse("test", document), DIALECTS[dialect], "none", 1, True)
    for identity in made.identities:
        replica = Replica(identity)
        replica.endpoint = FakeEndpoint()
        replica.process = FakeProcess()
        made.replicas[identity] = replica
    return made


def say(simulation, source, destination, leader="FFFF", kind="note", **more):
    raw = json.dumps(dict(more, src=source, dst=destination, leader=leader, type=kind)).encode()
    simulation._on_message(simulation.replicas[source], raw)


def received(simulation):
    return [len(replica.endpoint.sent) for replica in simulation.replicas.values()]


class Identities(unittest.TestCase):
    def test_replicas_from_zero_and_eight_clients_after_a_gap(self):
        simulation = make()
        self.assertEqual(simulation.identities, ["0000", "0001", "0002", "0003", "0004"])
        self.assertEqual(list(simulation.clients), [
            "0015", "0016", "0017", "0018", "0019", "001A", "001B", "001C"])


class Counting(unittest.TestCase):
    def test_one_message_to_one_replica(self):
        simulation = make()
        say(simulation, "0000", "0003")
        self.assertEqual((simulation.messages, received(simulation)), (1, [0, 0, 0, 1, 0]))

    def test_a_broadcast_counts_for_every_other_even_the_dead(self):
        simulation = make()
        simulation._kill("0004")
        say(simulation, "0001", "FFFF")
        self.assertEqual((simulation.messages, received(simulation)), (4, [1, 0, 1, 1, 0]))

    def test_lost_messages_count_too(self):
        simulation = make(drops=1)
        say(simulation, "0001", "FFFF")
        self.assertEqual((simulation.messages, simulation.dropped), (4, 4))
        self.assertEqual(received(simulation), [0] * 5)

    def test_a_broadcast_is_dropped_leg_by_leg(self):
        simulation = make(drops=0.5)
        for _ in range(50):
            say(simulation, "0001", "FFFF")
        self.assertTrue(60 < simulation.dropped < 140, simulation.dropped)
        self.assertEqual(sum(received(simulation)), 200 - simulation.dropped)
        self.assertGreater(len(set(received(simulation))), 2)

    def test_messages_to_clients_never_count(self):
        simulation = make(drops=1)
        simulation._next_request()
        self.assertEqual(simulation.messages, 0)
        self.assertEqual(sum(received(simulation)), 1)

    def test_too_many_messages_end_the_run(self):
        simulation = make(max_packets=10)
        for _ in range(3):
            self.assertFalse(simulation.finished)
            say(simulation, "0000", "FFFF")
        self.assertTrue(simulation.finished and simulation.ended_early)


class Greeting(unittest.TestCase):
    def test_hello_is_neither_counted_nor_passed_on(self):
        simulation = make("udp")
        say(simulation, "0002", "FFFF", kind="hello")
        self.assertEqual((simulation.messages, sum(received(simulation))), (0, 0))
        self.assertEqual(simulation.replicas["0002"].endpoint.greeted, 1)

    def test_elsewhere_hello_is_a_message_like_any_other(self):
        simulation = make("seqpacket")
        say(simulation, "0002", "FFFF", kind="hello")
        self.assertEqual((simulation.messages, sum(received(simulation))), (4, 4))

    def test_a_message_for_a_replica_not_yet_connected_takes_it_off(self):
        simulation = make()
        simulation.replicas["0003"].endpoint.outcome = wire.NOT_CONNECTED
        say(simulation, "0000", "0003")
        self.assertEqual(len(simulation.died), 1)
        self.assertIn("0003 had not connected", simulation.died[0])
        self.assertNotIn("0003", simulation.living)

    def test_a_blocked_send_is_counted_and_nothing_more(self):
        simulation = make()
        simulation.replicas["0003"].endpoint.outcome = wire.BLOCKED
        say(simulation, "0000", "0003")
        self.assertEqual((simulation.blocked, simulation.died), (1, []))


class Form(unittest.TestCase):
    """Everything that is incorrect about a message, whoever gets it."""

    GOOD = {"src": "0000", "dst": "0001", "leader": "FFFF", "type": "note"}

    def incorrect(self, raw, dialect="udp"):
        simulation = make(dialect)
        simulation._on_message(simulation.replicas["0000"], raw)
        self.assertEqual(sum(received(simulation)) + simulation.incorrect, 1)
        return simulation.incorrect

    def test_forms(self):
        self.assertEqual(self.incorrect(json.dumps(self.GOOD).encode()), 0)
        self.assertEqual(self.incorrect(json.dumps(self.GOOD).encode() + b"\n"), 0)
        for raw in (b"", b"{", b"[]", b"7", b'{"src": "0000"}', b"[" * 100000):
            self.assertEqual(self.incorrect(raw), 1, raw[:20])
        for name in self.GOOD:
            without = {key: value for key, value in self.GOOD.items() if key != name}
            self.assertEqual(self.incorrect(json.dumps(without).encode()), 1, name)
        for name in ("src", "dst", "leader"):
            for wrong in ("000", "00000", "00G0", 1, None, ["0001"]):
                raw = json.dumps(dict(self.GOOD, **{name: wrong})).encode()
                self.assertEqual(self.incorrect(raw), 1, (name, wrong))
        self.assertEqual(self.incorrect(json.dumps(dict(self.GOOD, dst="00EE")).encode()), 1)

    def test_the_type_has_to_be_text_in_version_2(self):
        raw = json.dumps(dict(self.GOOD, type=5)).encode()
        self.assertEqual([self.incorrect(raw, dialect) for dialect in DIALECTS], [0, 1, 1])

    def test_bytes_that_are_no_text_are_a_death_in_version_2(self):
        for dialect, died, incorrect in (("seqpacket", 0, 1), ("udp", 1, 0), ("stream", 1, 0)):
            simulation = make(dialect)
            simulation._on_message(simulation.replicas["0000"], b'{"src": "\xff"}')
            self.assertEqual((len(simulation.died), simulation.incorrect), (died, incorrect))

    def test_another_replicas_name_is_believed_and_noted(self):
        simulation = make()
        raw = json.dumps(dict(self.GOOD, src="0002")).encode()
        simulation._on_message(simulation.replicas["0000"], raw)
        self.assertEqual((simulation.incorrect, simulation.strangers), (0, 1))


class Leadership(unittest.TestCase):
    def test_the_last_word_of_anyone_counts(self):
        simulation = make()
        say(simulation, "0001", "0002", leader="0001")
        say(simulation, "0003", "0002", leader="0003")
        say(simulation, "0002", "0003", leader="FFFF")
        self.assertEqual(simulation.leaders, ["FFFF", "0001", "0003", "FFFF"])

    def test_during_a_partition_only_the_majority_is_heard(self):
        simulation = make()
        simulation.network.majority = frozenset(("0000", "0001", "0002"))
        say(simulation, "0003", "0004", leader="0003")
        self.assertEqual(simulation.leader, "FFFF")
        say(simulation, "0001", "0002", leader="0001")
        self.assertEqual(simulation.leader, "0001")

    def test_a_known_leader_is_killed_once_and_forgotten(self):
        simulation = make()
        simulation._kill_leader()
        self.assertEqual(simulation.killed, [])
        say(simulation, "0001", "0002", leader="0001")
        for client in simulation.clients.values():
            client.leader = "0001"
        simulation._kill_leader()
        simulation._kill_leader()
        self.assertEqual((simulation.killed, simulation.leader), (["0001"], "FFFF"))
        self.assertEqual({client.leader for client in simulation.clients.values()}, {"FFFF"})
        self.assertEqual(simulation.died, [])

    def test_the_known_leader_survives_kill_non_leader(self):
        simulation = make()
        say(simulation, "0001", "0002", leader="0001")
        for _ in range(6):
            simulation._kill_non_leader()
        self.assertEqual(simulation.living, ["0001"])


class Partitions(unittest.TestCase):
    def test_messages_stay_on_their_side(self):
        simulation = make()
        simulation.network.majority = frozenset(("0000", "0001", "0002"))
        say(simulation, "0000", "FFFF")
        self.assertEqual(received(simulation), [0, 1, 1, 0, 0])
        say(simulation, "0004", "FFFF")
        self.assertEqual(received(simulation), [0, 1, 1, 1, 0])
        self.assertEqual((simulation.messages, simulation.dropped), (8, 5))
        simulation._part_end()
        say(simulation, "0004", "FFFF")
        self.assertEqual(received(simulation), [1, 2, 2, 2, 0])

    def test_easy_keeps_the_known_leader_in_the_majority(self):
        for seed in range(20):
            simulation = make()
            simulation.network._random.seed(seed)
            say(simulation, "0004", "0002", leader="0004")
            simulation._part_easy()
            self.assertEqual(len(simulation.network.majority), 3)
            self.assertIn("0004", simulation.network.majority)
            self.assertEqual(simulation.leader, "0004")

    def test_hard_and_easy_without_a_leader_make_everybody_forget(self):
        for event in ("_part_hard", "_part_easy"):
            simulation = make()
            for client in simulation.clients.values():
                client.leader = "0002"
            getattr(simulation, event)()
            self.assertEqual(len(simulation.network.majority), 3)
            self.assertEqual({client.leader for client in simulation.clients.values()}, {"FFFF"})


class Due(unittest.TestCase):
    def test_a_request_comes_just_before_a_kill_of_the_same_time(self):
        """crash-4 in version 2: 100 ms apart, kills at 8 and 16 s."""
        simulation = make(requests=300, events=[
            {"type": "kill_leader", "time": 8}, {"type": "kill_leader", "time": 16}])
        due = timeline(simulation.config, simulation.schedule, 1.7e9 + 0.123)
        order = [what for _, what in due]
        kills = [place for place, what in enumerate(order) if what == "kill_leader"]
        self.assertEqual(kills, [81, 162])
        for kill in kills:
            self.assertLess(due[kill][0] - due[kill - 1][0], 0.0001)
        self.assertEqual((order.count("request"), order[-1]), (300, "finish"))
        self.assertAlmostEqual(due[0][0], 5, 6)
        self.assertAlmostEqual(due[-1][0], 37, 6)

    def test_the_queue_is_the_timeline_backwards(self):
        simulation = make(events=[{"type": "part_hard", "time": 3.5}])
        simulation._fill_queue()
        names = [action.__name__ for _, action in reversed(simulation._queue)]
        self.assertEqual(names, ["_next_request"] * 2 + ["_part_hard"] + ["_next_request"] * 8
                         + ["_finish"])


class Tiers(unittest.TestCase):
    def test_strictly_below(self):
        self.assertEqual([checks.tier(value, [0, 2, 5]) for value in (0, 1, 2, 4, 5, 9)],
                         [1, 1, 2, 2, 3, 3])
        self.assertEqual(checks.tier(0.00039, [0.0004, 0.002, 0.05]), 0)

    def test_shares_and_too_few_messages(self):
        figures = dict.fromkeys(
            ("incorrect", "died", "unanswered_gets", "unanswered_puts", "ungenerated_gets"), 0)
        figures.update(puts_acknowledged=1, gets=10, puts=10, messages=5)
        settings = make(mix=0.8).config

        def failed(**changes):
            judged = checks.correctness(settings, dict(figures, **changes))
            return [check.name for check in judged if not check.passed]

        self.assertEqual(failed(), [])
        self.assertEqual(failed(messages=4), ["too-few-messages"])
        self.assertEqual(failed(unanswered_gets=5), [])
        self.assertEqual(failed(unanswered_gets=6), ["get"])
        self.assertEqual(failed(unanswered_puts=6), ["put"])
        self.assertEqual(failed(ungenerated_gets=1), [])
        self.assertEqual(failed(ungenerated_gets=2), ["get-generation"])
        self.assertEqual(failed(incorrect=1, died=1, puts_acknowledged=0),
                         ["incorrect", "died", "no-puts"])


if __name__ == "__main__":
    unittest.main()
