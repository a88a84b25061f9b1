#!/usr/bin/env bash
# A transaction in PostgreSQL is committed after its client is gone, if it was waiting for a lock.
#
# In pipeline mode, a client sends BEGIN, INSERT and COMMIT without waiting. If the INSERT waits for a table that another
# session has locked, the server does not look at its client's socket. The client gives up and closes the connection.
# As soon as the lock is free, even seconds later, the INSERT and the COMMIT, which had arrived before, are carried out.
# With client_connection_check_interval, which is 0 by default, the server notices and nothing is committed.
# Recorded with PostgreSQL 15 of Debian 12 and psycopg 3.3.4.
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/postgresql.sh"
"${as_user[@]}" "$programs/postgres" -D "$folder/data" -c listen_addresses= -c unix_socket_directories="$folder" \
    2>"$folder/log" &
server=$!

python "$folder" <<'PYTHON'
import sys, time
import psycopg
from findings import check, conclude

def connect():
    for _ in range(100):
        try:
            return psycopg.connect(host=sys.argv[1], user="finder", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")

holder, watcher = connect(), connect()
version = watcher.execute("SHOW server_version").fetchone()[0]
check("PostgreSQL", version.split(".")[0], "15")

def waiting():
    return watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0]

def rows_after(interval):
    """Returns how many rows a client leaves that gave up while it waited for a lock."""
    watcher.execute("DROP TABLE IF EXISTS t")
    watcher.execute("CREATE TABLE t (x int)")
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE t IN EXCLUSIVE MODE")
    client = connect()
    client.execute(f"SET client_connection_check_interval = '{interval}'")
    client.pgconn.enter_pipeline_mode()
    for statement in (b"BEGIN", b"INSERT INTO t VALUES (1)", b"COMMIT"):
        client.pgconn.send_query_params(statement, None)
    client.pgconn.pipeline_sync()
    while client.pgconn.flush():
        pass
    while not waiting():
        time.sleep(0.01)
    client.pgconn.finish()
    time.sleep(2)
    still = waiting()
    holder.execute("COMMIT")
    while waiting():
        time.sleep(0.01)
    time.sleep(0.5)
    return still, watcher.execute("SELECT count(*) FROM t").fetchone()[0]

still, rows = rows_after("0")
check("default: still waiting 2 s after its client has gone", still, 1)
check("default: rows committed then", rows, 1)
still, rows = rows_after("200ms")
check("checked every 200 ms: still waiting", still, 0)
check("checked every 200 ms: rows", rows, 0)
conclude()
PYTHON
conclude
