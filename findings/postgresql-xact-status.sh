#!/usr/bin/env bash
# PostgreSQL's pg_xact_status says "committed" of a transaction that a crash has lost.
#
# A client that loses its connection during COMMIT can keep the transaction's number (pg_current_xact_id) and ask later
# what became of it. But a server gives numbers out again: those of transactions of which nothing had reached the disk
# when it crashed, here because of synchronous_commit=off. With a standby that was promoted, it is the same for what had
# not reached the standby. The status is then that of another transaction. A row that the transaction itself writes, and
# that the client reads later, tells the two apart.
# Recorded with PostgreSQL 15 of Debian 12 and psycopg 3.3.4.
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/postgresql.sh"

python "$folder" "$programs" "${as_user[@]}" <<'PYTHON'
import subprocess, sys, time
import psycopg
from findings import check, conclude

folder, programs, as_user = sys.argv[1], sys.argv[2], sys.argv[3:]

def start():
    command = [*as_user, f"{programs}/postgres", "-D", f"{folder}/data", "-c", "listen_addresses=",
               "-c", f"unix_socket_directories={folder}", "-c", "wal_writer_delay=10s"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)

def connect():
    for _ in range(100):
        try:
            return psycopg.connect(host=folder, user="finder", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")

def commit(client, name):
    """Commits a row in a transaction, and returns the transaction's number."""
    client.execute("BEGIN")
    client.execute("INSERT INTO t VALUES (%s)", [name])
    number = client.execute("SELECT pg_current_xact_id()::text").fetchone()[0]
    client.execute("COMMIT")
    return number

server = start()
client = connect()
check("PostgreSQL", client.execute("SHOW server_version").fetchone()[0].split(".")[0], "15")
client.execute("CREATE TABLE t (name text)")
client.execute("CHECKPOINT")
client.execute("SET synchronous_commit = off")
lost = commit(client, "lost")
# An immediate stop, as a crash does, does not write what is left of the log.
subprocess.run([*as_user, f"{programs}/pg_ctl", "-D", f"{folder}/data", "stop", "-m", "immediate"],
               stdout=subprocess.DEVNULL, check=True)
server.wait()

server = start()
client = connect()
check("rows after the crash", client.execute("SELECT count(*) FROM t").fetchone()[0], 0)
other = commit(client, "other")
check("the next transaction has the number of the lost one", other == lost, True)
status = client.execute("SELECT pg_xact_status(%s::xid8)", [lost]).fetchone()[0]
check("status of the lost one's number", status, "committed")
check("rows", [row[0] for row in client.execute("SELECT name FROM t")], ["other"])
client.close()
server.terminate()
server.wait()
conclude()
PYTHON
conclude
