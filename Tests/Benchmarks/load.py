"""Load by wrk, in rounds that alternate between the peer and the gateway."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass

from stack import KEY, Failure, pinned

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Round:
    rate: float          # requests a second
    p50: float           # microseconds
    cpu: float           # microseconds of the server's CPU for each request
    share: float         # of a core that the server used
    requests: int


@dataclass
class Load:
    script: str
    path: str
    connections: int
    body: str = ""       # the file of a create's body

    def run(self, server, seconds):
        """One round. A status of 400 or more, or a broken connection, is a Failure."""
        environment = dict(os.environ, BENCH_LUA=HERE, BENCH_KEY=KEY, BENCH_BODY=self.body)
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
                   "-s", os.path.join(HERE, self.script), f"http://127.0.0.1:{server.port}{self.path}"]
        before = server.cpu_seconds()
        done = subprocess.run(pinned(1, command), env=environment, capture_output=True, text=True,
                              timeout=seconds + 60)
        used = server.cpu_seconds() - before
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode != 0 or not lines:
            raise Failure(f"wrk against {server.name}: {done.stdout}{done.stderr}")
        result = json.loads(lines[0].removeprefix("RESULT "))
        if result["refused"] or result["broken"] or not result["requests"]:
            raise Failure(f"wrk against {server.name}: {result}\n{server.tail()}")
        seconds = result["duration"] / 1e6
        return Round(result["requests"] / seconds, result["p50"], used * 1e6 / result["requests"], used / seconds,
                     result["requests"])

    def alternate(self, servers, rounds, seconds):
        """What each of `servers` did: a list of rounds for each."""
        for server in servers:
            self.run(server, 1)
        results = [[] for _ in servers]
        for turn in range(rounds):
            order = list(enumerate(servers))
            for index, server in (order if turn % 2 == 0 else reversed(order)):
                results[index].append(self.run(server, seconds))
        return results


def median(rounds, field):
    return statistics.median(getattr(round, field) for round in rounds)


def ratio(rounds, peers, field="rate"):
    """The median over the rounds of each one's ratio to the peer's round beside it."""
    return statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(rounds, peers))
