"""Load from wrk, in rounds that alternate between the servers."""

import json
import math
import os
import statistics
import subprocess
from dataclasses import dataclass
from functools import partial

from stack import KEY, LOAD_CORE, Failure, pinned

HERE = os.path.dirname(os.path.abspath(__file__))

# The figures of a round that can be compared: each with its name in the report and its format.
FIELDS = {
    "rate": ("per second", "{:.0f}".format),
    "p50": ("p50 ms", lambda microseconds: f"{microseconds / 1000:.3f}"),
    "p99": ("p99 ms", lambda microseconds: f"{microseconds / 1000:.3f}"),
    "cpu": ("CPU us", "{:.1f}".format),
}


@dataclass
class Round:
    rate: float          # requests a second
    p50: float           # microseconds
    p99: float           # microseconds
    cpu: float           # microseconds of the server's CPU for each request
    share: float         # of a core that the server used
    requests: int


@dataclass
class Load:
    script: str
    path: object         # or a function that gives a server's path
    connections: int
    body: str = ""       # the file of a create's body
    cores: str = LOAD_CORE

    def run(self, server, seconds):
        """Runs one round. Raises Failure if a status is 400 or more or a connection breaks."""
        path = self.path(server) if callable(self.path) else self.path
        environment = dict(os.environ, BENCH_LUA=HERE, BENCH_KEY=KEY, BENCH_BODY=self.body)
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
                   "-s", os.path.join(HERE, self.script), f"http://127.0.0.1:{server.port}{path}"]
        before = server.cpu_seconds()
        done = subprocess.run(pinned(self.cores, command), env=environment, capture_output=True, text=True,
                              timeout=seconds + 60)
        used = server.cpu_seconds() - before
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode != 0 or not lines:
            raise Failure(f"wrk against {server.name}: {done.stdout}{done.stderr}")
        result = json.loads(lines[0].removeprefix("RESULT "))
        if result["refused"] or result["broken"] or not result["requests"]:
            raise Failure(f"wrk against {server.name}: {result}\n{server.tail()}")
        seconds = result["duration"] / 1e6
        return Round(result["requests"] / seconds, result["p50"], result["p99"], used * 1e6 / result["requests"],
                     used / seconds, result["requests"])

    def alternate(self, servers, rounds, seconds):
        """Returns a list of rounds for each server."""
        for server in servers:
            self.run(server, 1)
        return alternate([partial(self.run, server) for server in servers], rounds, seconds)


def alternate(runs, rounds, seconds):
    """Returns a list of rounds for each of `runs`, which are functions of a number of seconds. Every second turn runs in
    the opposite order."""
    results = [[] for _ in runs]
    for turn in range(rounds):
        order = list(enumerate(runs))
        for index, run in (order if turn % 2 == 0 else reversed(order)):
            results[index].append(run(seconds))
    return results


def median(rounds, field):
    return statistics.median(getattr(round, field) for round in rounds)


def ratio(rounds, others, field="rate"):
    """Returns the ratio of a figure to the others'. Each round is compared with the other server's round beside it.

    The order alone makes a difference of a few per cent. So two turns, one in each order, count as one: their geometric
    mean. The result is the median of those.
    """
    turns = [getattr(a, field) / getattr(b, field) for a, b in zip(rounds, others)]
    return statistics.median(math.sqrt(a * b) for a, b in zip(turns[::2], turns[1::2]))
