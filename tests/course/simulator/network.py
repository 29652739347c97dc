"""The network between the replicas: what is counted, what is lost, who is cut off from whom."""

import random
from typing import FrozenSet, List, Optional

BROADCAST = "FFFF"
UNKNOWN = "FFFF"


class Network:
    """Losses and partitions. Messages from and to clients never pass through here."""

    def __init__(self, replicas: List[str], drops: float, randomness: random.Random):
        self.replicas = replicas
        self.drops = drops
        self._random = randomness
        self.majority: Optional[FrozenSet[str]] = None

    def delivers(self, source: str, destination: str) -> bool:
        """Whether this leg of a message arrives; decided for every receiver on its own."""
        if self.drops and self._random.random() < self.drops:
            return False
        majority = self.majority
        return majority is None or (source in majority) == (destination in majority)

    def cut(self, keep: Optional[str]) -> None:
        """A majority and a minority, drawn at random; `keep` is put on the majority's side."""
        size = len(self.replicas) // 2 + 1
        others = [replica for replica in self.replicas if replica != keep]
        side = [] if keep is None else [keep]
        self.majority = frozenset(side + self._random.sample(others, size - len(side)))

    def heal(self) -> None:
        self.majority = None

    def is_heard(self, replica: str) -> bool:
        """During a partition only the majority's word on who leads is believed."""
        return self.majority is None or replica in self.majority
