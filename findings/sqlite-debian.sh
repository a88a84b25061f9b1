#!/usr/bin/env bash
# Debian's SQLite overwrites what it deletes, and does not know unixepoch('subsec').
#
# One would expect Debian's library and the one that Python packages bring along to differ in age only. Debian builds it
# with SECURE_DELETE: a DELETE writes zeros over the rows, and so writes pages that other builds leave alone.
# Measurements of another build do not carry over. unixepoch('subsec') came with 3.42; before, it is NULL without an
# error.
# Recorded with SQLite 3.40.1 of Debian 12, through ctypes, and apsw 3.54.1.0 from PyPI.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv apsw==3.54.1.0
versions apsw
python "$folder" <<'PYTHON'
import ctypes, ctypes.util, os, sys
import apsw
from findings import check, conclude

folder = sys.argv[1]
library = ctypes.CDLL("libsqlite3.so.0")
library.sqlite3_column_text.restype = library.sqlite3_libversion.restype = ctypes.c_char_p

class Debian:
    def __init__(self, path):
        self.handle = ctypes.c_void_p()
        assert library.sqlite3_open(path.encode(), ctypes.byref(self.handle)) == 0

    def execute(self, sql):
        """The first row's values as texts."""
        statement, row = ctypes.c_void_p(), []
        assert library.sqlite3_prepare_v2(self.handle, sql.encode(), -1, ctypes.byref(statement), None) == 0, sql
        while library.sqlite3_step(statement) == 100:
            columns = range(library.sqlite3_column_count(statement))
            row = row or [library.sqlite3_column_text(statement, i) for i in columns]
        library.sqlite3_finalize(statement)
        return [value if value is None else value.decode() for value in row]

class Apsw(apsw.Connection):
    def execute(self, sql):
        return [value if value is None else str(value) for value in next(iter(super().execute(sql)), [])]

for name, connect, version in (("Debian", Debian, "3.40.1"), ("apsw", Apsw, "3.54.1")):
    path = f"{folder}/{name}"
    database = connect(path)
    execute = lambda sql: database.execute(sql)
    check(f"{name}, version", execute("SELECT sqlite_version()")[0], version)
    check(f"{name}, secure_delete", execute("PRAGMA secure_delete")[0], "1" if name == "Debian" else "0")
    check(f"{name}, typeof(unixepoch('subsec'))", execute("SELECT typeof(unixepoch('subsec'))")[0],
          "null" if name == "Debian" else "real")
    execute("CREATE TABLE t (x TEXT)")
    execute("INSERT INTO t VALUES ('wedding dress')")
    execute("DELETE FROM t")
    with open(path, "rb") as file:
        check(f"{name}, a deleted row is still in the file", b"wedding dress" in file.read(), name != "Debian")
conclude()
PYTHON
conclude
