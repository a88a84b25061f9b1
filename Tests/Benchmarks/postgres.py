"""Creates with the store in PostgreSQL, beside the store in SQLite, pgbench and a job queue.

PostgreSQL runs on the core of the server under test, as SQLite does in the gateway; pgbench and the job queue run on the
load's core, where they do not take the database's time, as the gateway does. A create is two durable transactions: the
intent, and after Kling's answer the acceptance. No task ends meanwhile: nothing waits for them, so that the gateway looks
after a minute at the earliest.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from functools import partial

import peers
from lab import OTHER_BUILD
from load import HERE, alternate, median, ratio
from postgres_server import Postgres, PostgresGateway, cpu_seconds, environment
from report import layout
from stack import LOAD_CORE, Failure, Stub, pinned

CONNECTIONS = 64
REQUIREMENTS = os.path.join(HERE, "requirements-postgres.txt")
PEERS = os.path.abspath(os.path.join(HERE, "../../.build/bench-postgres"))

# A transaction for each statement, which are prepared. The values are as wide as the gateway's, and ids ascend. What the
# gateway does besides is left out: the locks, the fence, and numbers without gaps, for which creates of a tenant wait for
# each other.
SCRIPT = """
\\set n :n + 1
\\set number :n * 64 + :client_id
INSERT INTO tasks (id, tenant, account, external_task_id, model, callback_url, created_at, state, flags, status_word,
    released, updated_at, key_id, idempotency_key, job, job_index, account_identity, content, api, shape, day, units, bytes)
VALUES (lpad(:number::text, 32, '0')::uuid, 'bench', 'kling', NULL, 'kolors-virtual-try-on-v1-5', NULL, 1790000000000 + :n,
    0, 0, '', 0, 1790000000000 + :n, 'bench', NULL, NULL, NULL, 4611686018427387904,
    lpad(:number::text, 32, 'f')::uuid, 'kolors', NULL, 20717, 1000000, 130)
RETURNING task \\gset
UPDATE tasks SET state = 1, flags = 0, status_word = 'submitted', answer = decode(repeat('7b', 150), 'hex'),
    updated_at = 1790000000001 + :n, number = :number, public_id = 'task-' || :number, upstream_id = 'task-' || :number
WHERE task = :task;
"""


@dataclass
class Figures:
    rate: float      # creates or jobs a second
    cpu: float       # microseconds of the client's CPU for each
    database: float  # microseconds of PostgreSQL's CPU for each


def postgres(lab):
    """Measures creates over 64 connections."""
    peers.install(REQUIREMENTS, PEERS)
    server = lab.start(Postgres, "postgres", lab.folder)
    stub = lab.start(Stub, "stub-postgres", lab.folder, reads_bodies=False)
    sqlite = lab.gateway("gateway-sqlite", stub)
    ours = on_postgres(lab, "gateway-postgres", stub, server, lab.options.binary)
    others = [on_postgres(lab, "gateway-postgres-other", stub, server, lab.options.against)] if lab.options.against else []
    runs = {
        "gateway on SQLite": partial(created, lab, sqlite, None),
        "gateway on PostgreSQL": partial(created, lab, ours, server),
        **{f"{OTHER_BUILD} on PostgreSQL": partial(created, lab, other, server) for other in others},
        "pgbench": Pgbench(lab, server).run,
        "procrastinate": Procrastinate(server).run,
    }
    for gateway in (sqlite, ours, *others):
        lab.create(CONNECTIONS).run(gateway, 1)
    results = dict(zip(runs, alternate(list(runs.values()), lab.rounds, lab.seconds)))
    judge(lab, results, server)
    lab.check_creates(stub)
    for one in (sqlite, ours, *others, server, stub):
        one.stop()


def judge(lab, results, server):
    ours = results["gateway on PostgreSQL"]
    what = f"creates on PostgreSQL {server.version}, {CONNECTIONS} connections"
    for peer, target in (("pgbench", 0.8), ("procrastinate", 5)):
        figure = ratio(ours, results[peer])
        lab.targets.add(f"{what}, to {peer}", gateway=f"{median(ours, 'rate'):.0f}/s", figure=f"{figure:.2f} x",
                        target=f">= {target}", kept=figure >= target)
    figure = ratio(ours, results["gateway on SQLite"])
    lab.targets.add("  to SQLite", gateway=f"{median(ours, 'rate'):.0f}/s", figure=f"{figure:.2f} x")
    for name, rounds in results.items():
        if name.startswith(OTHER_BUILD):
            table = lab.table(OTHER_BUILD)
            table.add_rounds(f"creates on PostgreSQL, {CONNECTIONS} connections", rounds, ours, ("rate", "cpu"))
            table.add("  PostgreSQL's CPU us", *(f"{median(of, 'database'):.1f}" for of in (rounds, ours)),
                      ratio(ours, rounds, "database"))
    rows = [("", "per second", "CPU us", "PostgreSQL's CPU us")]
    for name, rounds in results.items():
        rows.append((name, *(f"{median(rounds, field):.{digits}f}" for field, digits in
                             (("rate", 0), ("cpu", 1), ("database", 1)))))
    lab.notes += [f"\nCreates or jobs, {CONNECTIONS} at a time; CPU for each of them"]
    lab.notes += ["  " + line for line in layout(rows)]


def on_postgres(lab, name, stub, server, binary):
    gateway = lab.start(PostgresGateway, name, lab.folder, binary, stub.port, server)
    lab.served[stub].append(gateway)
    return gateway


def created(lab, gateway, server, seconds):
    before = server.cpu_seconds() if server else 0
    round = lab.create(CONNECTIONS).run(gateway, seconds)
    used = server.cpu_seconds() - before if server else 0
    return Figures(round.rate, round.cpu, used * 1e6 / round.requests)


class Peer:
    """A program that does its work in the database for some seconds. Its CPU is measured while it does."""

    def figures(self, command, variables, seconds):
        child = subprocess.Popen(pinned(LOAD_CORE, command), env={**os.environ, **variables}, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        try:
            self.wait_until_busy(child)
            start, *before = time.monotonic(), cpu_seconds(child.pid, 2), self.server.cpu_seconds()
            time.sleep(seconds - 0.5)
            after = cpu_seconds(child.pid, 2), self.server.cpu_seconds()
            duration = time.monotonic() - start
            output, errors = child.communicate(timeout=seconds + 30)
        finally:
            child.kill()
        rate = self.rate(output)
        if child.returncode or not rate:
            raise Failure(f"{command[0]} ended with {child.returncode}: {output}{errors}")
        return Figures(rate, *((end - begin) * 1e6 / duration / rate for begin, end in zip(before, after)))


class Pgbench(Peer):
    """pgbench with SCRIPT, on a copy of the tables that the gateway has made."""

    def __init__(self, lab, server):
        self.server, self.rounds = server, 0
        self.script = lab.file("create.pgbench", SCRIPT.encode())
        self.url = server.make_database("pgbench")
        command = [lab.options.binary, "keys", "create", "--tenant", "bench"]
        done = subprocess.run(command, env={**os.environ, **environment(self.url, lab.folder)}, capture_output=True, text=True,
                              timeout=60)
        if done.returncode:
            raise Failure(f"the tables were not made: {done.stderr}")

    def run(self, seconds):
        self.rounds += 1
        command = [os.path.join(self.server.programs, "pgbench"), "--no-vacuum", "--protocol=prepared",
                   f"--client={CONNECTIONS}", "--jobs=1", f"--time={seconds + 1}", f"--file={self.script}",
                   f"--define=n={self.rounds * 1_000_000}", self.url]
        options = "-c search_path=kling_gateway -c kling_gateway.replica=0"
        return self.figures(command, {"PGOPTIONS": options}, seconds)

    def wait_until_busy(self, child):
        time.sleep(1)

    def rate(self, output):
        """The rate without the time in which it connects."""
        return next((float(line.split()[2]) for line in output.splitlines() if line.startswith("tps = ")), None)


class Procrastinate(Peer):
    """Workers of procrastinate, and the clients that defer their jobs."""

    def __init__(self, server):
        self.server, self.url = server, server.make_database("procrastinate")
        self.python = os.path.join(PEERS, "bin/python")
        schema = subprocess.run(
            [self.python, "-c", "import procrastinate.schema; print(procrastinate.schema.SchemaManager.get_schema())"],
            capture_output=True, text=True, timeout=60)
        server.query(schema.stdout, "procrastinate")

    def run(self, seconds):
        script = os.path.join(HERE, "procrastinate_jobs.py")
        return self.figures([self.python, script, self.url, str(CONNECTIONS), str(seconds)], {}, seconds)

    def wait_until_busy(self, child):
        if child.stdout.readline().strip() != "READY":
            raise Failure(f"procrastinate: {child.communicate(timeout=10)}")

    def rate(self, output):
        return json.loads(output.splitlines()[-1])["rate"] if output.strip() else None
