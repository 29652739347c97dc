"""One simulation: a single-threaded loop around one wait, as the course's simulators have it.

Each turn waits up to 100 ms, takes ONE message from every ready socket, then does all that is due.
The order matters to what is measured: with an idle network requests come in bunches, and a kill
strikes in the same turn as the requests due just before it.
"""

import json
import random
import time
from functools import partial
from typing import Any, Callable, Dict, List, Optional

from . import message_form, wire
from .client import Client, Tally
from .config import EVENT_TYPES, Config
from .dialect import Dialect, Schedule, schedule
from .network import BROADCAST, UNKNOWN, Network
from .replica_process import ReplicaProcess, end_all
from .timeline import FINISH, REQUEST, timeline

WAIT_MS = 100
LOOK_SECONDS = 0.1
CLIENTS = 8
COMPLAINTS_KEPT = 20
# A connection ends a little before its process does; the exit status is worth the wait.
DEATH_PATIENCE = 1.0


class Replica:
    """The simulator's view of one replica: its process, its endpoint, and whether it counts."""

    def __init__(self, identity: str):
        self.identity = identity
        self.process: Optional[ReplicaProcess] = None
        self.endpoint: Any = None


class Simulation:
    """Everything that belongs to one run. `run` plays it; the counters are read afterwards."""

    def __init__(self, config: Config, dialect: Dialect, program: str, seed: int, silence: bool):
        self.config = config
        self.dialect = dialect
        self.program = program
        self.seed = seed
        self.silence = silence
        self.schedule: Schedule = schedule(config, dialect)
        self.poller = wire.Poller()
        self.identities = ["%04X" % number for number in range(config.replicas)]
        self.living = list(self.identities)
        self.replicas: Dict[str, Replica] = {}
        self.network = Network(
            self.identities, config.drops, random.Random("%d network" % seed))
        self.tally = Tally()
        self.clients = self._new_clients()
        self._askers = list(self.clients.values())
        self._chance = random.Random("%d events" % seed)
        self._load = random.Random("%d load" % seed)
        self._queue: List[Any] = []
        self._asked = 0
        self.started = 0.0
        self.finished = False
        self.ended_early = False
        self.leader = UNKNOWN
        self.leaders = [UNKNOWN]
        self.messages = 0
        self.dropped = 0
        self.blocked = 0
        self.undeliverable = 0
        self.strangers = 0
        self.incorrect = 0
        self.complaints: List[str] = []
        self.died: List[str] = []
        self.killed: List[str] = []
        self.on_look: Callable[[float], None] = lambda now: None

    def _new_clients(self) -> Dict[str, Client]:
        first = self.config.replicas + 16
        identities = ["%04X" % number for number in range(first, first + CLIENTS)]
        return {
            identity: Client(identity, self.tally, self.living, str(self.seed),
                             self._send_request, self._complain)
            for identity in identities
        }

    # Beginning and end.

    def launch(self) -> None:
        """All sockets first, then the processes one after the other."""
        for identity in self.identities:
            replica = Replica(identity)
            replica.endpoint = self.dialect.endpoint(
                identity, self.poller, partial(self._on_message, replica),
                partial(self._lose, replica))
            replica.process = ReplicaProcess(identity, self.poller)
            self.replicas[identity] = replica
        output = "pipe" if self.dialect.reads_output else "inherit"
        for identity, replica in self.replicas.items():
            others = [other for other in self.identities if other != identity]
            self._chance.shuffle(others)
            command = [self.program]
            if replica.endpoint.argument != identity:
                command.append(replica.endpoint.argument)
            replica.process.start(
                command + [identity] + others, "silence" if self.silence else output)

    def run(self) -> None:
        """Plays the run from now to its end. Replicas must have been launched."""
        self._fill_queue()
        handlers = self.poller.handlers
        wait = self.poller.wait
        clock = time.monotonic
        next_look = self.started
        queue = self._queue
        while not self.finished:
            for descriptor, _ in wait(WAIT_MS):
                handler = handlers.get(descriptor)
                if handler is not None:
                    handler()
            now = clock()
            while queue and queue[-1][0] <= now:
                queue.pop()[1]()
            if now >= next_look:
                next_look = now + LOOK_SECONDS
                self._look_for_dead()
                self.on_look(now)

    def end(self) -> None:
        """Closes every socket and ends every process; safe to call at any time, also twice."""
        processes = [replica.process for replica in self.replicas.values()]
        stubborn = end_all(processes, self._close_endpoints)
        for identity in stubborn:
            self._complain("did not end on SIGTERM", identity)

    def _close_endpoints(self) -> None:
        for replica in self.replicas.values():
            replica.endpoint.close()

    def _fill_queue(self) -> None:
        """All that will happen, latest first. The clock starts here."""
        wall = time.time()
        self.started = time.monotonic()
        actions = {event: getattr(self, "_" + event) for event in EVENT_TYPES}
        actions.update({REQUEST: self._next_request, FINISH: self._finish})
        self._queue = [
            (self.started + seconds, actions[what])
            for seconds, what in reversed(timeline(self.config, self.schedule, wall))
        ]

    def _finish(self) -> None:
        self._look_for_dead()
        self.finished = True

    # Messages.

    def _on_message(self, replica: Replica, raw: bytes) -> None:
        """One message from a replica: checked, then believed about the leader, then routed."""
        try:
            message = json.loads(raw.decode())
        except UnicodeDecodeError:
            if self.dialect.reads_output:
                self._lose(replica, "sent bytes that are not UTF-8")
            else:
                self._complain("message is not JSON", raw)
            return
        except (ValueError, RecursionError):
            self._complain("message is not JSON", raw)
            return
        fault = message_form.fault(message, self.dialect.type_must_be_text)
        if fault:
            self._complain(fault, raw)
            return
        source = message["src"]
        destination = message["dst"]
        if source != replica.identity:
            self.strangers += 1
        if self.dialect.greets and message["type"] == "hello":
            replica.endpoint.greet()
            return
        leader = message["leader"]
        if leader != self.leader and self.network.is_heard(source):
            self.leader = leader
            self.leaders.append(leader)
        if destination in self.clients:
            self.clients[destination].reply(message)
        elif destination in self.replicas:
            self._count(1)
            self._forward(source, destination, raw)
        elif destination == BROADCAST:
            self._count(len(self.identities) - 1)
            for other in self.identities:
                if other != source:
                    self._forward(source, other, raw)
        else:
            self._complain("message to nobody known", raw)

    def _count(self, messages: int) -> None:
        """Messages count when they are sent, whatever becomes of them."""
        self.messages += messages
        if self.messages >= self.config.max_packets:
            self.ended_early = True
            self.finished = True

    def _forward(self, source: str, destination: str, raw: bytes) -> None:
        if self.network.delivers(source, destination):
            self._send(self.replicas[destination], raw)
        else:
            self.dropped += 1

    def _send_request(self, destination: str, raw: bytes) -> None:
        self._send(self.replicas[destination], raw)

    def _send(self, replica: Replica, raw: bytes) -> None:
        endpoint = replica.endpoint
        if endpoint.closed:
            self.undeliverable += 1
            return
        outcome = endpoint.send(raw)
        if outcome is wire.SENT:
            return
        if outcome is wire.BLOCKED:
            self.blocked += 1
        elif outcome is wire.NOT_CONNECTED:
            self._lose(replica, "had not connected when its first message came")
        else:
            self._lose(replica, "took no more messages")

    def _complain(self, what: str, about: Any) -> None:
        self.incorrect += 1
        if len(self.complaints) < COMPLAINTS_KEPT:
            if isinstance(about, bytes):
                about = about.decode("utf-8", "replace")
            elif not isinstance(about, str):
                about = json.dumps(about)
            self.complaints.append("%.3f s: %s: %.300s" % (
                time.monotonic() - self.started, what, about))

    # Replicas that come to an end.

    def _lose(self, replica: Replica, reason: str) -> None:
        """A replica is gone without having been killed: that fails the run.

        Over UDP it may still be running (nobody can hang up on it), so it goes on receiving.
        """
        if replica.identity not in self.living:
            return
        self.living.remove(replica.identity)
        exit_text = replica.process.exit_text(DEATH_PATIENCE)
        self.died.append(
            "%s %s%s (at %.3f s)" % (replica.identity, reason,
                                     ", " + exit_text if exit_text else "",
                                     time.monotonic() - self.started))
        if exit_text or not self.dialect.greets:
            replica.endpoint.close()
            replica.process.terminate()

    def _look_for_dead(self) -> None:
        for identity in list(self.living):
            replica = self.replicas[identity]
            if replica.process.exit_text():
                self._lose(replica, "is dead")

    def _kill(self, identity: str) -> None:
        replica = self.replicas[identity]
        self.living.remove(identity)
        self.killed.append(identity)
        replica.endpoint.close()
        if not replica.process.kill():
            self._complain("did not end on SIGTERM", identity)

    # What is due at its time.

    def _next_request(self) -> None:
        self._asked += 1
        wants_get = self._load.random() < self.config.mix
        self._load.choice(self._askers).generate(wants_get)

    def _forget_leader(self) -> None:
        if self.leader != UNKNOWN:
            self.leader = UNKNOWN
            self.leaders.append(UNKNOWN)
        for client in self.clients.values():
            client.forget_leader()

    def _kill_leader(self) -> None:
        if self.leader in self.living:
            self._kill(self.leader)
            self._forget_leader()

    def _kill_non_leader(self) -> None:
        candidates = [identity for identity in self.living if identity != self.leader]
        if candidates:
            self._kill(self._chance.choice(candidates))

    def _part_easy(self) -> None:
        if self.leader in self.replicas:
            self.network.cut(self.leader)
        else:
            self._part_hard()

    def _part_hard(self) -> None:
        self.network.cut(None)
        self._forget_leader()

    def _part_end(self) -> None:
        self.network.heal()

    def progress(self, now: float) -> Dict[str, Any]:
        """The figures of the live line."""
        return {"seconds": now - self.started, "total": self.schedule.total, "asked": self._asked,
                "requests": self.config.requests, "messages": self.messages,
                "leader": self.leader}
