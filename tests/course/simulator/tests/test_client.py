"""The clients: whom they ask, what they count, and what they take for incorrect."""

import json
import unittest

from simulator.client import Client, Tally, digest
from simulator.results import history
from simulator.linearizability import NEVER


class Harness(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.complaints = []
        self.living = ["0000", "0001", "0002"]
        self.tally = Tally()
        self.client = Client(
            "0015", self.tally, self.living, "1",
            lambda destination, raw: self.sent.append((destination, json.loads(raw))),
            lambda what, about: self.complaints.append(what))

    def ask(self, wants_get=False):
        self.client.generate(wants_get)
        return self.sent[-1][1]

    def answer(self, request, kind="ok", leader="0001", **more):
        self.client.reply(dict(
            more, src="0001", dst="0015", leader=leader, type=kind, MID=request["MID"]))

    def acknowledged(self):
        put = self.ask()
        self.answer(put)
        return put


class Requests(Harness):
    def test_form(self):
        put = self.ask()
        self.assertEqual(put["value"], digest(put["key"]))
        self.assertEqual((put["src"], put["leader"], put["type"]), ("0015", "FFFF", "put"))
        self.assertRegex(put["MID"], "^[A-Z0-9]{16}$")
        self.assertRegex(put["key"], "^[A-Z0-9]{32}$")
        self.answer(put)
        get = self.ask(True)
        self.assertEqual((get["type"], get["key"], get["leader"]), ("get", put["key"], "0001"))
        self.assertNotIn("value", get)

    def test_the_leader_is_asked_while_it_lives(self):
        self.acknowledged()
        for _ in range(10):
            self.ask()
            self.assertEqual(self.sent[-1][0], "0001")
        self.living.remove("0001")
        asked = {self.ask()["dst"] for _ in range(40)}
        self.assertEqual(asked, {"0000", "0002"})

    def test_a_get_without_a_key_becomes_a_put(self):
        self.assertEqual(self.ask(True)["type"], "put")
        self.assertEqual((self.tally.gets, self.tally.puts, self.tally.ungenerated_gets), (1, 1, 1))

    def test_values_of_a_key_form_a_chain(self):
        first = self.acknowledged()
        again = [put for put in (self.ask() for _ in range(20)) if put["key"] == first["key"]]
        self.assertGreater(len(again), 0)
        self.assertEqual({put["value"] for put in again}, {digest(first["value"])})

    def test_nobody_left_to_ask(self):
        del self.living[:]
        self.client.generate(False)
        self.assertEqual((self.sent, len(self.client.open)), ([], 1))


class Replies(Harness):
    def test_redirect_and_fail_ask_again_at_once(self):
        for kind in ("redirect", "fail"):
            request = self.ask()
            before = len(self.sent)
            self.answer(request, kind, leader="0002")
            self.assertEqual(len(self.sent), before + 1)
            destination, again = self.sent[-1]
            self.assertEqual((destination, again["leader"]), ("0002", "0002"))
            self.assertNotEqual(again["MID"], request["MID"])
            self.assertEqual((again["key"], again["value"]), (request["key"], request["value"]))
        self.assertEqual(self.complaints, [])

    def test_redirect_to_nobody_forgets_the_leader(self):
        self.acknowledged()
        self.answer(self.ask(), "redirect", leader="FFFF")
        self.assertEqual(self.sent[-1][1]["leader"], "FFFF")

    def test_a_reply_after_a_redirect_is_unexpected(self):
        request = self.ask()
        self.answer(request, "redirect")
        self.answer(request)
        self.assertEqual(self.complaints, ["reply with a MID that the client does not wait for"])

    def test_a_second_ok_is_a_duplicate(self):
        put = self.acknowledged()
        self.answer(put, leader="0002")
        self.assertEqual((self.tally.duplicates, self.complaints), (1, []))
        self.assertEqual(self.client.leader, "0001")

    def test_incorrect_replies(self):
        request = self.ask()
        self.client.reply({"src": "0001", "dst": "0015", "leader": "0001", "type": "ok"})
        self.answer(request, "put")
        self.assertEqual(self.complaints, [
            "message to a client without a MID", "message to a client of an unknown type"])
        self.assertEqual(len(self.client.open), 1)

    def test_a_get_has_to_show_the_last_acknowledged_put(self):
        put = self.acknowledged()
        self.answer(self.ask(True), value=put["value"])
        self.assertEqual(self.complaints, [])
        self.answer(self.ask(True), value="0" * 32)
        self.answer(self.ask(True))
        self.assertEqual(len(self.complaints), 2)
        self.assertIn("wrong value", self.complaints[0])
        self.assertIn("without a value", self.complaints[1])


class History(Harness):
    def test_only_a_redirect_surely_had_no_effect(self):
        put = self.ask()
        self.answer(put, "redirect")
        self.answer(self.sent[-1][1], "fail")
        self.answer(self.sent[-1][1])
        accesses = history(self.tally.operations)[put["key"]]
        self.assertEqual([access.answered == NEVER for access in accesses], [True, False])

    def test_gets_without_a_usable_value_prove_nothing(self):
        self.acknowledged()
        self.answer(self.ask(True), value=[1])
        self.answer(self.ask(True))
        accesses = next(iter(history(self.tally.operations).values()))
        self.assertEqual([access.answered == NEVER for access in accesses], [False, True, True])


if __name__ == "__main__":
    unittest.main()
