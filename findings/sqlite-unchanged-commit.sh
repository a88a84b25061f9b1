#!/usr/bin/env bash
# A commit with synchronous = FULL syncs the commits before it only if it changes a byte of the database.
#
# In write-ahead-log mode, commits with NORMAL are not synced, and one with FULL syncs the whole log, so it could serve
# as a barrier after them. It does not if its UPDATE stores the value that the row has: SQLite compares the cell, writes
# no page, and has nothing to commit, although the statement says that it changed a row. A counter in the row helps.
# Recorded with SQLite 3.40.1 of Debian 12, through Python's sqlite3.
. "$(dirname "$0")/lib/common.sh"
need strace strace
need /usr/bin/python3 python3

cat >"$folder/barrier.py" <<'PYTHON'
import os, sqlite3, sys

def mark(name):
    # The trace shows this name between the syncs.
    os.access(f"mark/{name}", os.F_OK)

mark(f"version/{sqlite3.sqlite_version}")
database = sqlite3.connect(f"{sys.argv[1]}/database", isolation_level=None)
database.execute("PRAGMA journal_mode = wal")
database.execute("CREATE TABLE t (x)")
database.execute("CREATE TABLE barrier (value, commits)")
database.execute("INSERT INTO barrier VALUES (7, 0)")
for name, update in (
    ("the same value", "UPDATE barrier SET value = value"),
    ("the same value, by number", "UPDATE barrier SET value = 7"),
    ("a counter", "UPDATE barrier SET commits = commits + 1"),
):
    database.execute("PRAGMA synchronous = NORMAL")
    mark("10 commits with NORMAL")
    for x in range(10):
        database.execute("INSERT INTO t VALUES (?)", (x,))
    database.execute("PRAGMA synchronous = FULL")
    mark(f"FULL, {name}")
    rows = database.execute(update).rowcount
    mark(f"rows changed: {rows}")
mark("end")
PYTHON
strace -f -e trace=fsync,fdatasync,access,faccessat,faccessat2 -o "$folder/trace" \
    /usr/bin/python3 -B "$folder/barrier.py" "$folder"

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
    "10 commits with NORMAL": 0, "FULL, the same value": 0, "FULL, the same value, by number": 0,
    "FULL, a counter": 1, "rows changed: 1": 0,
}
for name, syncs in steps:
    if name in recorded:
        check(f"{name}: syncs", syncs, recorded[name])
conclude()
PYTHON
conclude
