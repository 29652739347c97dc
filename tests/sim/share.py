"""A run of seeds, and `quorate sim` as a process that runs it."""

import json
import subprocess
from typing import Any, Dict, List, NamedTuple, Optional


class Share(NamedTuple):
    """So many seeds from one on; or one earlier failure with its own options."""

    first: int
    seeds: int
    options: List[str]
    is_earlier: bool = False

    def rest_after(self, seed: int) -> Optional["Share"]:
        """What is left when a seed has failed."""
        left = self.first + self.seeds - seed - 1
        return self._replace(first=seed + 1, seeds=left) if left > 0 else None

    def words(self) -> List[str]:
        """The options of `quorate sim` for it."""
        return ["--seed", str(self.first), "--seeds", str(self.seeds), "--json"] + self.options


class Worker:
    """One process; it is polled, so that one thread looks after all of them."""

    def __init__(self, program: str, share: Share):
        self.share = share
        self.process = subprocess.Popen(
            [program, "sim"] + share.words(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def is_done(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

    def report(self) -> Dict[str, Any]:
        """What the process found; a process that says nothing has failed in a way of its own."""
        out, complaint = self.process.communicate()
        try:
            return json.loads(out)
        except ValueError:
            status = self.process.returncode
            what = complaint.strip().splitlines()[-1:] or ["it said nothing"]
            command = " ".join(["quorate", "sim"] + self.share.words())
            return {"failure": {
                "seed": self.share.first + self.share.seeds - 1, "id": "crashed",
                "sentence": "the simulator itself ends in good order",
                "detail": "status %d: %s" % (status, what[0]), "command": command}}
