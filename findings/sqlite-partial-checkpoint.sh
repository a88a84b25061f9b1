#!/usr/bin/env bash
# A checkpoint of SQLite that a reader holds up moves pages into the database without syncing it.
#
# wal_checkpoint(PASSIVE) answers with how many frames it has moved, also when it could not move all of them. One would
# expect these to be safe in the database then. But SQLite syncs the log, writes the pages, and leaves the sync of the
# database to the checkpoint that reaches the log's end: until then, the log is still needed. So whoever checkpoints in
# small steps beside a reader or constant writes, to spare the last step, finds all of the syncing left to it.
# Recorded with SQLite 3.40.1 of Debian 12, through Python's sqlite3.
. "$(dirname "$0")/lib/common.sh"
need strace strace
need /usr/bin/python3 python3

cat >"$folder/checkpoints.py" <<'PYTHON'
import os, sqlite3, sys

def mark(name):
    # The trace shows this name between the syncs.
    os.access(f"mark/{name}", os.F_OK)

def rows(count):
    for x in range(count):
        writer.execute("INSERT INTO t VALUES (zeroblob(3000))")

def checkpoint():
    busy, frames, moved = writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return f"busy {busy}, some moved {moved > 0}, all moved {moved == frames}"

mark(f"version/{sqlite3.sqlite_version}")
path = f"{sys.argv[1]}/store"
writer = sqlite3.connect(path, isolation_level=None)
writer.execute("PRAGMA journal_mode = wal")
writer.execute("CREATE TABLE t (x)")
rows(50)
reader = sqlite3.connect(path, isolation_level=None)
reader.execute("BEGIN")
reader.execute("SELECT count(*) FROM t").fetchone()
rows(50)
for name in ("with a reader", "without"):
    mark(f"{name}: checkpoint")
    mark(f"{name}: {checkpoint()}")
    reader.close()
mark("end")
PYTHON
strace -f -y -e trace=fsync,fdatasync,access,faccessat,faccessat2 -o "$folder/trace" \
    /usr/bin/python3 -B "$folder/checkpoints.py" "$folder"

python "$folder/trace" <<'PYTHON'
import re, sys
from findings import check, conclude

steps = []
for line in open(sys.argv[1]):
    if marked := re.search(r'"mark/(.*?)"', line):
        steps.append((marked[1], []))
    elif (synced := re.search(r"\bf(?:data)?sync\(\d+<.*/(.*?)>", line)) and steps:
        steps[-1][1].append(synced[1])
names, syncs = [name for name, _ in steps], [synced for _, synced in steps]
check("SQLite", names[0], "version/3.40.1")
check("held up", names[2], "with a reader: busy 0, some moved True, all moved False")
check("synced, held up", syncs[1], ["store-wal"])
check("not held up", names[4], "without: busy 0, some moved True, all moved True")
check("synced, not held up", syncs[3], ["store-wal", "store"])
conclude()
PYTHON
conclude
