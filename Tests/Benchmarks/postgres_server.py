"""A PostgreSQL server in a temporary folder, and gateways that have their stores in it."""

import atexit
import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile

from stack import SERVER_CORE, TICK, Failure, Gateway, Server, free_port, wait_until

MASTER_KEY = secrets.token_hex(32)
# What is not here has PostgreSQL's default: commits wait for the disk, and 128 MB of buffers are shared.
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "300"}


def programs():
    """Returns the folder of the newest PostgreSQL of this machine."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    if folders:
        return max(folders, key=lambda folder: int(folder.split("/")[-2]))
    found = shutil.which("initdb")
    if not found:
        raise Failure("PostgreSQL is missing: make deps installs it")
    return os.path.dirname(os.path.realpath(found))


def account():
    """Returns the user that runs the server, which refuses to run as root; None for this process's own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Failure("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


class Postgres(Server):
    """A server with its data in a folder of its own. It ends with this process."""

    def __init__(self, name, folder, cores=SERVER_CORE):
        self.programs, self.port, user = programs(), free_port(), account()
        # Not below `folder`, which its user may not enter.
        self.home = tempfile.mkdtemp(prefix="kling-gateway-bench-postgres-")
        atexit.register(shutil.rmtree, self.home, ignore_errors=True)
        if user:
            os.chown(self.home, user.pw_uid, user.pw_gid)
        data, self.user = os.path.join(self.home, "data"), user
        self.run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync",
                 f"--pgdata={data}")
        with open(os.path.join(data, "postgresql.conf"), "a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in SETTINGS.items())
        super().__init__(name, self.command("postgres", "-D", data, "-p", str(self.port)), cores, folder,
                         {"LC_ALL": "C"})
        self.wait(self.port)
        wait_until(self.is_ready, 30, f"{name} accepts connections")
        self.version = self.query("SHOW server_version").split()[0]

    def is_ready(self):
        probe = [os.path.join(self.programs, "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(probe).returncode == 0

    def command(self, program, *arguments):
        """Returns the command that runs a program as the server's user, until this process ends."""
        setpriv = ["setpriv", "--pdeathsig", "INT"]
        if self.user:
            setpriv += [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
        return [*setpriv, "--", os.path.join(self.programs, program), *arguments]

    def run(self, program, *arguments, seconds=60):
        """Runs a program to its end, and returns what it prints."""
        done = subprocess.run(self.command(program, *arguments), env={"LC_ALL": "C"}, cwd="/", capture_output=True,
                              text=True, timeout=seconds)
        if done.returncode:
            raise Failure(f"{program} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def query(self, sql, database="postgres", seconds=60):
        """Runs SQL, and returns what it prints: a line for each row, with `|` between the values."""
        return self.run("psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
                        f"--dbname={self.url(database)}", f"--command={sql}", seconds=seconds)

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def make_database(self, name):
        self.query(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)

    def cpu_seconds(self):
        """The CPU time of all of the server's processes, of those that have ended too."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
            children = file.read().split()
        return cpu_seconds(self.pid, 4) + sum(cpu_seconds(child, 2) for child in children)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                pass
        super().stop()
        shutil.rmtree(self.home, ignore_errors=True)


def cpu_seconds(pid, fields):
    """The CPU time of a process: 2 fields are its own, 4 with that of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:11 + fields])) / TICK
    except FileNotFoundError:
        return 0


class PostgresGateway(Gateway):
    """A gateway with its store in a database of that server."""

    def __init__(self, name, folder, binary, upstream, postgres, more=None, **others):
        self.postgres, self.database = postgres, re.sub("[^a-z]+", "_", name)
        exists = postgres.query(f"SELECT count(*) FROM pg_database WHERE datname = '{self.database}'") == "1"
        url = postgres.url(self.database) if exists else postgres.make_database(self.database)
        home = os.path.join(folder, name)
        super().__init__(name, folder, binary, upstream, more={**environment(url, home), **(more or {})}, **others)

    def count(self, columns="count(*)"):
        return tuple(map(int, self.postgres.query(f"SELECT {columns} FROM kling_gateway.tasks", self.database).split("|")))


def environment(url, home):
    """The variables of a gateway with that store. What belongs to it alone is in `home`."""
    return {"KLING_GATEWAY_STORE": url, "KLING_GATEWAY_MASTER_KEY": MASTER_KEY, "STATE_DIRECTORY": home}
