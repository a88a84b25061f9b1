"""Reads on a store with millions of finished tasks, compared with the same reads on an almost empty one.

Both are filled with SQL, from a task that the gateway has made. The tasks are those of several tenants in turn, one of
which asks. There is as much usage in both: each has tasks on each day with each key.
"""

import http.client
import json
import os
import random
import sqlite3
import statistics
import time
from contextlib import closing

from postgres_server import Postgres, PostgresGateway
from stack import KEY, PATH, Failure, Stub

FEW = 10_000
TENANTS, KEYS, DAYS = 5, 3, 28
DAY = 24 * 3600 * 1000
# The gateway has no page beyond.
LAST_PAGE = 1000
ROUNDS, CALLS = 6, 30
# How many tasks a statement adds.
STEP = 500_000

TASKS = """
    INSERT INTO tasks (id, tenant, account, external_task_id, model, created_at, state, flags, number, public_id,
        upstream_id, status_word, answer, released, updated_at, finished_at, key_id, day, units, bytes)
    SELECT {id}, CASE i % {tenants} WHEN 0 THEN 'bench' ELSE 'tenant-' || (i % {tenants}) END, 'kling',
        CASE i % 4 WHEN 0 THEN 'order-' || i END, 'kolors-virtual-try-on-v1-5', at,
        CASE i % 20 WHEN 3 THEN 5 ELSE 4 END, 0, i / {tenants} + 2, 'task-' || i, 'task-' || i, 'succeed', {answer}, 0,
        at + 5000 + i % 20000, at + 5000 + i % 20000, 'key-' || (i / {tenants} % {keys}), at / {day},
        CASE i % 20 WHEN 3 THEN 0 ELSE 1000000 END, 200
    FROM (SELECT i, {first} + i * {pause} AS at FROM {numbers}) AS made
"""
# `times` is as long as that of tasks which took 5 to 25 seconds.
USAGE = """
    INSERT INTO usage SELECT day, tenant, key_id, account, model, state, '', count(*), sum(units), 0, sum(bytes), {times}
    FROM tasks WHERE key_id LIKE 'key-%' GROUP BY day, tenant, key_id, account, model, state
"""
TIMES = "".join(f"{bucket:02x}a00f" for bucket in range(98, 117))


def millions(lab):
    """Measures a query by id, two pages of a list, and the usage of a month."""
    many = 10_000_000 if lab.options.full else 100_000 if lab.options.quick else 1_000_000
    stub = lab.start(Stub, "stub-millions", lab.folder, reads_bodies=False)
    server = lab.start(Postgres, "postgres-millions", lab.folder)
    for kind, store in (("SQLite", SQLiteStore), ("PostgreSQL", PostgresStore)):
        stores = [store(lab, stub, server, word, tasks) for word, tasks in (("few", FEW), ("many", many))]
        for one in stores:
            start = time.monotonic()
            one.fill()
            print(f"  {kind}: {one.tasks} tasks added in {time.monotonic() - start:.0f} s", flush=True)
        compare(lab, f"{kind}, {many} finished tasks", *(Reads(one.start(), one.tasks) for one in stores))
        for one in stores:
            one.gateway.stop()
    server.stop()
    stub.stop()


def compare(lab, what, few, many):
    for name in few.requests():
        few.time(name), many.time(name)
        rounds = [(few.time(name), many.time(name)) for _ in range(ROUNDS)]
        figure = statistics.median(large / small for small, large in rounds)
        small, large = (statistics.median(times) * 1000 for times in zip(*rounds))
        lab.targets.add(f"{what}: {name}: ms", gateway=f"{large:.2f}", figure=f"{figure:.2f} x {FEW} tasks ({small:.2f})",
                        target="<= 1.5", kept=figure <= 1.5)


class Reads:
    """Requests of a tenant to a gateway, one after the other over one connection."""

    def __init__(self, gateway, tasks):
        self.tasks = tasks
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        # Each task is asked for once, because the gateway keeps what it was asked for in memory.
        self.ids = iter(random.Random(1).sample(range(0, tasks, TENANTS), (ROUNDS + 1) * CALLS))

    def requests(self):
        return {
            "a finished task": lambda: f"{PATH}/task-{next(self.ids)}",
            "page 1000 of 30, or the last one": lambda: self.page(30),
            "page 1000 of 500, or the last one": lambda: self.page(500),
            "the usage of this month": lambda: "/v1/usage",
        }

    def page(self, size):
        """The last page that is full."""
        return f"{PATH}?pageNum={min(LAST_PAGE, self.tasks // TENANTS // size)}&pageSize={size}"

    def time(self, name):
        """Returns the median time of some calls, in seconds."""
        times = []
        for _ in range(CALLS):
            path = self.requests()[name]()
            start = time.perf_counter()
            self.connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
            answer = self.connection.getresponse()
            text = answer.read()
            times.append(time.perf_counter() - start)
            data = json.loads(text).get("data")
            if answer.status != 200 or "pageSize" in path and len(data) != int(path.rpartition("=")[2]):
                raise Failure(f"{path} was answered {answer.status} {text[:300]}")
        return statistics.median(times)


class Store:
    """A gateway's store that is filled while the gateway is stopped."""

    def __init__(self, lab, stub, server, word, tasks):
        self.lab, self.stub, self.server, self.tasks = lab, stub, server, tasks
        self.name = f"{word}-{type(self).__name__.lower()}"

    def fill(self):
        self.lab.finished_task(self.start())
        self.gateway.stop()
        answer = self.only("SELECT {hex} FROM tasks").replace(b"0123456789abcdef".hex(), b"f".hex() * 400)
        common = {"tenants": TENANTS, "keys": KEYS, "day": DAY, "pause": DAYS * DAY // self.tasks,
                  "first": (int(time.time() * 1000) - DAYS * DAY), "answer": self.blob(answer)}
        for first in range(0, self.tasks, STEP):
            last = min(first + STEP, self.tasks) - 1
            self.run(TASKS.format(id=self.ID, numbers=self.NUMBERS.format(first=first, last=last), **common))
        self.run(USAGE.format(times=self.blob(TIMES)))
        self.settle()


class SQLiteStore(Store):
    ID = "CAST(printf('%016x', i) AS BLOB)"
    NUMBERS = "(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)"

    def start(self):
        self.gateway = self.lab.gateway(self.name, self.stub)
        return self.gateway

    def blob(self, digits):
        return f"x'{digits}'"

    def run(self, sql):
        with closing(sqlite3.connect(self.gateway.store)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA cache_size = -500000")
            return database.execute(sql).fetchall()

    def only(self, sql):
        return self.run(sql.format(hex="lower(hex(answer))"))[0][0]

    def settle(self):
        with closing(sqlite3.connect(self.gateway.store)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgresStore(Store):
    ID = "lpad(to_hex(i), 32, '0')::uuid"
    NUMBERS = "generate_series({first}::bigint, {last}) AS n(i)"

    def start(self):
        self.gateway = self.lab.start(PostgresGateway, self.name, self.lab.folder, self.lab.options.binary,
                                      self.stub.port, self.server)
        return self.gateway

    def blob(self, digits):
        return f"'\\x{digits}'::bytea"

    def run(self, sql):
        settings = "SET search_path = kling_gateway; SET kling_gateway.replica = 0; "
        return self.server.query(settings + sql, self.gateway.database, seconds=1800)

    def only(self, sql):
        return self.run(sql.format(hex="encode(answer, 'hex')"))

    def settle(self):
        """What autovacuum does sooner or later."""
        self.server.query("VACUUM ANALYZE", self.gateway.database, seconds=1800)
        self.server.query("CHECKPOINT", seconds=1800)
