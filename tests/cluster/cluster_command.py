"""`run.py cluster`: starts a cluster on this machine and shows how it is doing until its end."""

import argparse
import os
import subprocess
import sys
import time
from typing import Dict, List

from simulator import build, interruption
from simulator.command_options import (
    EXIT_FAILED, EXIT_PASSED, BuildFailed, Parser, UsageError, at_least,
)

from .cluster import Cluster, StartFailed
from .layout import HOST, NODES_MAX, PORT_MAX, LayoutError
from .show import Infos, Screen, how_to_talk

DIRECTORY = os.path.join("data", "cluster")
PAUSE = 0.5

DESCRIPTION = """\
Starts nodes on this machine, tells how to talk to them, and shows how they are doing. A directory
that holds a cluster is started with its data. Ctrl-C or SIGTERM ends the nodes.
"""

EPILOG = """\
What follows a -- is given to each 'quorate serve', like: ./run.py cluster -- --leases

A command of --exec finds the nodes in CLUSTER_TCP (HOST:PORT,...), CLUSTER_UNIX (PATH,...),
CLUSTER_CONNECT (addresses for 'quorate status') and CLUSTER_PROGRAM (the program's path).

exit status: 0 ended by a signal, 1 a node did not start or all have died, 64 wrong usage; with
--exec that of the command.
"""


def parser() -> Parser:
    made = Parser(prog="run.py cluster", description=DESCRIPTION, epilog=EPILOG,
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--nodes", metavar="N", type=at_least(1), default=None,
                      help="how many (default: as many as the directory has, else 3)")
    made.add_argument("--dir", metavar="DIR", default=DIRECTORY,
                      help="where data, logs and sockets are (default: %s here)" % DIRECTORY)
    made.add_argument("--port", metavar="PORT", type=at_least(1), default=None,
                      help="the port of node 1 for clients; the others follow (default: 6379, or "
                      "the first from there that are free)")
    made.add_argument("--tcp", action="store_true",
                      help="nodes speak TCP with one another (port + 10000), not Unix sockets")
    made.add_argument("--exec", metavar="COMMAND", dest="command", default=None,
                      help="run this shell command against the cluster, then end with its status")
    return made


def parse(arguments: List[str]) -> argparse.Namespace:
    """The options, with those for the nodes as `options`."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    found = parser().parse_args(arguments[:split])
    found.options = arguments[split + 1:]
    for name, value, most in (("nodes", found.nodes, NODES_MAX), ("port", found.port, PORT_MAX)):
        if value is not None and value > most:
            raise UsageError("--%s: is %d, must be at most %d" % (name, value, most))
    return found


def run_command(cluster: Cluster, command: str) -> int:
    """Runs a shell command beside the cluster; its status."""
    places = cluster.places
    found: Dict[str, str] = dict(
        os.environ,
        CLUSTER_TCP=",".join("%s:%d" % (HOST, place.client_port) for place in places),
        CLUSTER_UNIX=",".join(place.client_socket for place in places),
        CLUSTER_CONNECT=",".join(place.clients[0] for place in places),
        CLUSTER_PROGRAM=cluster.program)
    status = subprocess.run(command, shell=True, env=found, check=False).returncode
    return status if status >= 0 else 128 - status


def look(cluster: Cluster) -> Infos:
    return [(node.place.id, node.info()) for node in cluster.nodes]


def watch(cluster: Cluster, screen: Screen) -> int:
    """Shows the state until all nodes are dead; otherwise only an interruption ends it."""
    while True:
        for lines in cluster.deaths():
            screen.say("\n".join(lines))
        if cluster.all_dead():
            screen.say("run.py cluster: no node is left")
            return EXIT_FAILED
        screen.state(look(cluster))
        time.sleep(PAUSE)


def run(options: argparse.Namespace, program: str) -> int:
    screen = Screen(sys.stdout.isatty())
    with Cluster(program, options.dir, options.nodes, options.port, options.tcp,
                 options.options) as cluster:
        try:
            cluster.start(lambda ready: screen.starting(ready, cluster.nodes))
            if options.command is not None:
                screen.say("%d nodes run" % len(cluster.nodes))
                status = run_command(cluster, options.command)
                for lines in cluster.deaths():
                    screen.say("\n".join(lines))
                return status
            screen.say(how_to_talk(cluster.places, program, cluster.directory.path))
            return watch(cluster, screen)
        except StartFailed as error:
            screen.say("run.py cluster: the cluster did not start: %s" % error)
            return EXIT_FAILED
        except interruption.Interrupted as error:
            screen.say("ending the nodes (%s)" % error)
            forced = cluster.stop()
            for number in forced:
                screen.say("node %d did not end by itself and was killed" % number)
            if options.command is not None:
                raise  # the command was cut short: that is no success
            return EXIT_PASSED


def main(arguments: List[str]) -> int:
    options = parse(arguments)
    if build.build_if_needed() != 0:
        raise BuildFailed()
    try:
        return run(options, build.BINARY)
    except LayoutError as error:
        raise UsageError(str(error)) from error
