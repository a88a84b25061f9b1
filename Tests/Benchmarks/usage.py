"""A usage report over many finished tasks, against a scan of the tasks that gives the same figures."""

import csv
import io
import math
import os
import sqlite3
import statistics
import subprocess
import time
from collections import Counter

from stack import Failure

DAYS, TENANTS, KEYS = 30, 100, 3
MONTH = ("2026-10-01", "2026-10-30")
NOTHING = ("2020-01-01", "2020-01-02")
ROUNDS = 5

# A task as it is when it has ended, with an answer of the usual size.
TASKS = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :tasks)
    INSERT INTO tasks (id, tenant, account, external_task_id, model, created_at, state, flags, number, public_id,
        upstream_id, status_word, answer, released, updated_at, finished_at, key_id, day, units, bytes)
    SELECT CAST(printf('%016x', i) AS BLOB), 'tenant-' || (i / :days % :tenants), 'kling', NULL,
        'kolors-virtual-try-on-v1',
        (:day + i % :days) * 86400000 + i % 80000000, CASE WHEN i % 20 = 0 THEN 5 ELSE 4 END, 0,
        i, 'task-' || i, 'task-' || i, 'succeed', randomblob(600), 0, 0,
        (:day + i % :days) * 86400000 + i % 80000000 + 5000 + i % 20000,
        'key-' || (i / :days % :tenants) || '-' || (i / 3000 % :keys),
        :day + i % :days, CASE WHEN i % 20 = 0 THEN 0 ELSE 1000000 END, 200
    FROM n
"""
# What the gateway has added up by then. `times` has the seconds in buckets of an eighth of an octave.
USAGE = """
    INSERT INTO usage SELECT day, tenant, key_id, account, model, state, '', count(*), sum(units), 0, sum(bytes),
        CASE WHEN state = 4 THEN histogram(finished_at - created_at) ELSE x'' END FROM tasks GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
SCAN = """
    SELECT tenant, day, count(*), sum(state = 4), sum(state = 5), sum(units), sum(bytes) FROM tasks
    WHERE day BETWEEN ? AND ? GROUP BY tenant, day ORDER BY tenant, day
"""


def report(lab):
    """Measures a month by tenant and day."""
    tasks = 100_000 if lab.options.quick else 1_000_000
    path = os.path.join(lab.folder, "usage.db")
    environment = {**os.environ, "KLING_GATEWAY_STORE": f"sqlite:{path}", "KLING_GATEWAY_CONFIG": ""}

    def asked(*days):
        command = [lab.options.binary, "usage", "--from", days[0], "--to", days[1], "--by", "tenant,day",
                   "--format", "csv"]
        start = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Failure(f"usage ended with {done.returncode}: {done.stderr}")
        return time.monotonic() - start, list(csv.DictReader(io.StringIO(done.stdout)))

    subprocess.run([lab.options.binary, "keys", "create", "--tenant", "bench"], env=environment, check=True,
                   capture_output=True, timeout=60)
    first = fill(path, tasks)

    def scanned():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            start = time.monotonic()
            rows = database.execute(SCAN, (first, first + DAYS - 1)).fetchall()
            return time.monotonic() - start, rows

    check(asked(*MONTH)[1], scanned()[1])
    # The time without what the command takes to start, which a report of days without tasks shows.
    rounds = [(asked(*MONTH)[0], asked(*NOTHING)[0], scanned()[0]) for _ in range(ROUNDS)]
    ours = statistics.median(month - nothing for month, nothing, _ in rounds)
    theirs = statistics.median(scan for _, _, scan in rounds)
    lab.targets.add(f"usage: {tasks} tasks, a month by tenant and day: ms", gateway=f"{ours * 1000:.0f}",
                    figure=f"{ours / theirs:.3f} x a scan of the tasks ({theirs * 1000:.0f} ms)", target="<= 0.1",
                    kept=ours <= theirs / 10)


class Histogram:
    """The number of times in each bucket, as the gateway stores it; the counts here fit into 14 bits."""

    def __init__(self):
        self.counts = Counter()

    def step(self, milliseconds):
        self.counts[int(8 * math.log2(milliseconds))] += 1

    def finalize(self):
        parts = ([bucket, count] if count < 128 else [bucket, count & 127 | 128, count >> 7]
                 for bucket, count in sorted(self.counts.items()))
        return bytes(byte for part in parts for byte in part)


def fill(path, tasks):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous = OFF")
        first = (database.execute("SELECT unixepoch(?) / 86400", (MONTH[0],)).fetchone())[0]
        database.create_aggregate("histogram", 1, Histogram)
        database.execute(TASKS, {"tasks": tasks, "tenants": TENANTS, "keys": KEYS, "days": DAYS, "day": first})
        database.execute(USAGE)
        return first


def check(report, scan):
    """The report must say what the scan finds."""
    def figures(row):
        return (row["tenant"], int(row["made"]), int(row["succeeded"]), int(row["failed"]), float(row["units"]))

    ours = sorted(figures(row) for row in report)
    theirs = sorted((tenant, made, good, bad, units / 1e6) for tenant, _, made, good, bad, units, _ in scan)
    if ours != theirs:
        raise Failure(f"the report has {len(ours)} rows, the scan {len(theirs)}, and they differ")
