#!/usr/bin/env bash
# A commit to SQLite's write-ahead log is one fdatasync, except after a checkpoint: then it is two.
#
# With synchronous = FULL one would expect each commit to cost the same. The first one after a checkpoint that has moved
# the whole log starts it again from its beginning, and syncs the new header first. With NORMAL, which is said not to
# sync at commits, that first commit is synced once. A transaction that changes nothing costs no sync. So a latency
# measured at one commit at a time, with checkpoints between, is twice that of a busy store.
# Recorded with SQLite 3.40.1 of Debian 12, through Python's sqlite3.
. "$(dirname "$0")/lib/common.sh"
need strace strace
need /usr/bin/python3 python3

cat >"$folder/commits.py" <<'PYTHON'
import os, sqlite3, sys

def mark(name):
    # The trace shows this name between the syncs.
    os.access(f"mark/{name}", os.F_OK)

mark(f"version/{sqlite3.sqlite_version}")
for synchronous in ("FULL", "NORMAL"):
    database = sqlite3.connect(f"{sys.argv[1]}/{synchronous}", isolation_level=None)
    mark(f"{synchronous}: journal_mode = wal on a new file")
    database.execute("PRAGMA journal_mode = wal")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    mark(f"{synchronous}: first commit")
    database.execute("CREATE TABLE t (x)")
    mark(f"{synchronous}: 100 commits")
    for x in range(100):
        database.execute("INSERT INTO t VALUES (?)", (x,))
    mark(f"{synchronous}: a checkpoint")
    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
    mark(f"{synchronous}: the first commit after it")
    database.execute("INSERT INTO t VALUES (0)")
    mark(f"{synchronous}: the second commit after it")
    database.execute("INSERT INTO t VALUES (0)")
    mark(f"{synchronous}: an UPDATE of no row")
    database.execute("UPDATE t SET x = 1 WHERE x = -1")
    mark(f"{synchronous}: close")
    database.close()
mark("end")
PYTHON
strace -f -e trace=fsync,fdatasync,access,faccessat,faccessat2 -o "$folder/trace" \
    /usr/bin/python3 -B "$folder/commits.py" "$folder"

python "$folder/trace" <<'PYTHON'
import re, sys
from findings import check, conclude

steps = []
for line in open(sys.argv[1]):
    if marked := re.search(r'"mark/(.*?)"', line):
        steps.append([marked[1], 0])
    elif re.search(r"\bf(data)?sync\(", line) and steps:
        steps[-1][1] += 1
check("SQLite", steps.pop(0)[0], "version/3.40.1")
recorded = {
    "FULL": (4, 3, 100, 2, 2, 1, 0, 2),
    "NORMAL": (4, 2, 0, 2, 1, 0, 0, 2),
}
steps.pop()
for (name, syncs), wanted in zip(steps, recorded["FULL"] + recorded["NORMAL"], strict=True):
    check(f"{name}, syncs", syncs, wanted)
conclude()
PYTHON
conclude
