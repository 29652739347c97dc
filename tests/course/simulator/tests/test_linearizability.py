"""The checker of histories: what it accepts, what it must refuse, and that it agrees with a
checker which is too simple to be wrong."""

import itertools
import random
import time
import unittest

from simulator.linearizability import NEVER, Access, check_history, check_register


def put(value, invoked, answered=NEVER):
    return Access("put", value, invoked, answered)


def get(value, invoked, answered=NEVER):
    return Access("get", value, invoked, answered)


def by_exhaustion(accesses):
    """Tries every order of every subset that has all answered operations in it."""
    known = [access for access in accesses if access.answered != NEVER]
    unknown = [access for access in accesses
               if access.answered == NEVER and access.kind == "put"]
    for size in range(len(unknown) + 1):
        for chosen in itertools.combinations(unknown, size):
            for order in itertools.permutations(known + list(chosen)):
                if _is_witness(order):
                    return True
    return False


def _is_witness(order):
    for earlier, later in itertools.combinations(order, 2):
        if later.answered < earlier.invoked:
            return False
    value = ""
    for access in order:
        if access.kind == "put":
            value = access.value
        elif access.value != value:
            return False
    return True


class Accepted(unittest.TestCase):
    def accept(self, *accesses):
        self.assertIsNone(check_register(accesses))

    def test_nothing_and_never_put(self):
        self.accept()
        self.accept(get("", 1, 2))

    def test_in_sequence(self):
        self.accept(put("a", 1, 2), get("a", 3, 4), put("b", 5, 6), get("b", 7, 8))

    def test_a_get_beside_a_put_may_show_either(self):
        self.accept(put("a", 1, 2), put("b", 3, 6), get("a", 4, 5))
        self.accept(put("a", 1, 2), put("b", 3, 6), get("b", 4, 5), get("b", 7, 8))

    def test_puts_side_by_side_in_either_order(self):
        self.accept(put("a", 1, 4), put("b", 2, 3), get("a", 5, 6))
        self.accept(put("a", 1, 4), put("b", 2, 3), get("b", 5, 6))

    def test_an_unanswered_put_may_take_effect_late_or_never(self):
        self.accept(put("a", 1, 2), put("b", 3), get("a", 4, 5), get("b", 100, 101))
        self.accept(put("a", 1, 2), put("b", 3), get("a", 4, 5), get("a", 100, 101))

    def test_two_outstanding_puts_of_the_same_value(self):
        self.accept(put("a", 1, 5), put("a", 2, 3), get("a", 4, 6), put("b", 7, 9),
                    put("b", 8), get("b", 10, 11))

    def test_an_unanswered_put_of_the_same_value_may_strike_again(self):
        self.accept(put("a", 1), put("a", 2, 3), put("b", 4, 5), get("a", 6, 7))


class Refused(unittest.TestCase):
    def refuse(self, *accesses):
        self.assertIsNotNone(check_register(accesses))

    def test_stale_read(self):
        self.refuse(put("a", 1, 2), put("b", 3, 4), get("a", 5, 6))

    def test_lost_write(self):
        self.refuse(put("a", 1, 2), get("", 3, 4))

    def test_value_that_nobody_wrote(self):
        self.refuse(put("a", 1, 2), get("x", 3, 4))

    def test_value_from_the_future(self):
        self.refuse(get("a", 1, 2), put("a", 3, 4))

    def test_reads_going_backwards(self):
        self.refuse(put("a", 1, 2), put("b", 3, 20), get("b", 4, 5), get("a", 6, 7))

    def test_reads_going_backwards_past_an_unanswered_put(self):
        self.refuse(put("a", 1, 2), put("b", 3), get("b", 4, 5), get("a", 6, 7))

    def test_an_unanswered_put_takes_effect_only_once(self):
        self.refuse(put("b", 1), put("a", 2, 3), get("b", 4, 5), put("c", 6, 7), get("b", 8, 9))

    def test_the_culprit_and_its_key_are_named(self):
        wrong = get("a", 5, 6)
        history = {"fine": [put("a", 1, 2), wrong], "bad": [put("b", 3, 4), wrong]}
        self.assertEqual(check_history(history), ("bad", wrong))
        del history["bad"]
        self.assertIsNone(check_history(history))


class Agreement(unittest.TestCase):
    def test_with_exhaustive_search(self):
        chance = random.Random(1)
        verdicts = set()
        for _ in range(3000):
            history = []
            for _ in range(chance.randint(1, 5)):
                invoked = chance.randint(0, 12)
                answered = NEVER if chance.random() < 0.2 else invoked + chance.randint(1, 5)
                kind = chance.choice((put, get))
                history.append(kind(chance.choice("abc"), invoked + 0.5, answered))
            expected = by_exhaustion(history)
            self.assertEqual(check_register(history) is None, expected, history)
            verdicts.add(expected)
        self.assertEqual(verdicts, {True, False})


class Size(unittest.TestCase):
    """Thousands of operations of eight clients on one key, played on a register that is right."""

    def history(self, chance, operations, unanswered):
        value, now, free_at, history = "", 0.0, [0.0] * 8, []
        for number in range(operations):
            client = min(range(8), key=lambda one: free_at[one])
            now = max(now, free_at[client]) + chance.random() * 0.1
            answered = now + chance.random()
            free_at[client] = answered
            # The operation takes effect at its call, which is as good a moment as any.
            if chance.random() < 0.5:
                value = "v%d" % number
                lost = chance.random() < unanswered
                history.append(put(value, now, NEVER if lost else answered))
            else:
                history.append(get(value, now, answered))
        return history

    def test_large_histories_are_quick(self):
        began = time.monotonic()
        chance = random.Random(2)
        history = self.history(chance, 4000, 0.005)
        self.assertIsNone(check_register(history))
        history.append(get("v0", 1e6, 1e6 + 1))
        self.assertIs(check_register(history), history[-1])
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    unittest.main()
