"""The processes of a benchmark: a stub of Kling, nginx as the peer, and the gateway, each pinned to cores."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
import urllib.request
from contextlib import closing

PATH = "/v1/images/kolors-virtual-try-on"
KEY = "sk-bench-0123456789abcdef0123456789abcdef"
ACCESS_KEY, SECRET_KEY = "bench-access-key-0123456789abcdef", "bench-secret-key-0123456789abcdef"
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = "0", "1"


class Failure(Exception):
    """Something does not work, so the benchmark ends with status 1."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(cores, command):
    """Returns the command pinned to these cores, such as `0,1`; unpinned if the machine lacks one of them."""
    if not os.sched_getaffinity(0).issuperset(map(int, cores.split(","))) or not shutil.which("taskset"):
        return command
    return ["taskset", "-c", cores] + command


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise Failure(f"{what}: not within {seconds} s")


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http(port, path, body=None, key=KEY, seconds=30):
    """Makes one exchange, and returns its status and JSON."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


class Server:
    """A child process. `pid` is the process that does the work: the child itself or one of its children."""

    # The table that compares the gateway with this server; None if there is none.
    ratios = None

    def __init__(self, name, command, cores, folder, environment=None, output=None):
        self.name, self.stopped = name, False
        self.log = os.path.join(folder, name + ".log")
        with open(output or self.log, "ab") as log:
            self.child = subprocess.Popen(
                pinned(cores, command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=folder)
        self.pid = self.child.pid

    def wait(self, port):
        def ready():
            if self.child.poll() is not None:
                raise Failure(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            return is_listening(port)

        wait_until(ready, 20, f"{self.name} listens")

    def tail(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, field="VmRSS"):
        """Returns VmRSS in bytes, or VmHWM, its peak since `reset_peak`."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(field + r":\s+(\d+) kB", file.read()).group(1)) * 1024

    def reset_peak(self):
        """Resets the peak. Only root can do that for the gateway, which is not dumpable; otherwise its peak counts from
        the start."""
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w") as file:
                file.write("5")
        except PermissionError:
            pass

    def has_ended(self):
        """Returns whether the child has ended without `stop`."""
        return not self.stopped and self.child.poll() is not None

    def stop(self):
        self.stopped = True
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Nginx(Server):
    """nginx with one worker. `pid` is the worker."""

    def __init__(self, name, cores, folder, http_block, ports):
        home = os.path.join(folder, name)
        os.makedirs(home)
        configuration = os.path.join(home, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(self.configuration(home, http_block))
        super().__init__(name, ["nginx", "-p", home, "-c", configuration, "-e", "stderr"], cores, folder)
        for port in ports:
            self.wait(port)
        children = f"/proc/{self.child.pid}/task/{self.child.pid}/children"
        wait_until(lambda: open(children).read().split(), 5, f"{name} has a worker")
        self.pid = int(open(children).read().split()[0])

    @staticmethod
    def configuration(home, http_block):
        built = subprocess.run(["nginx", "-V"], capture_output=True, text=True).stderr
        module = os.path.join(re.search(r"--modules-path=(\S+)", built).group(1), "ngx_http_echo_module.so")
        kinds = [kind for kind in re.findall(r"--http-([a-z-]+)-temp-path=", built)
                 if f"--without-http_{kind}_module" not in built]
        folders = "".join(f"    {kind.replace('-', '_')}_temp_path {home}/{kind};\n" for kind in kinds)
        return f"""
{"user root;" if os.geteuid() == 0 else ""}
{f"load_module {module};" if os.path.exists(module) else ""}
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
{folders}
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_max_body_size 64m;
    client_body_timeout 120s;
    default_type application/json;
{http_block}
}}
"""


# The id of a task has 18 digits and increases: milliseconds, then the connection, then its request.
STUB = """
    map $msec $bench_time { "~^.(\\d+)\\.(\\d+)$" "$1$2"; }
    map "00$connection" $bench_connection { "~(\\d\\d\\d)$" "$1"; }
    map "00$connection_requests" $bench_request { "~(\\d\\d\\d)$" "$1"; }
    map $msec $bench_now { "~^(\\d+)\\.(\\d+)$" "$1$2"; }
    log_format creates "$status $request_length $http_user_agent";
    server {
        listen 127.0.0.1:%(port)d backlog=4096;
        access_log %(log)s creates buffer=256k flush=200ms if=$bench_is_create;
        location = %(path)s {
            client_body_buffer_size %(buffer)s;
            client_body_in_single_buffer on;
            %(answer)s
        }
        location ~ ^%(path)s/+(?<task>[^/]+)$ {
            return 200 '{"code":0,"message":"SUCCEED","request_id":"$request_id","data":{"task_id":"$task","task_status":"succeed","task_status_msg":"","task_info":{},"task_result":{"images":[{"index":0,"url":"https://cdn.example.com/results/0123456789abcdef.png"}]},"created_at":$bench_now,"updated_at":$bench_now}}';
        }
    }
    map $request_method $bench_is_create { POST 1; default 0; }
"""

CREATED = ('{"code":0,"message":"SUCCEED","request_id":"$request_id","data":{"task_id":'
           '"$bench_time$bench_connection$bench_request","task_status":"submitted","task_info":{},'
           '"created_at":$bench_now,"updated_at":$bench_now}}')


class Stub(Nginx):
    """A minimal stand-in for Kling. With `reads_bodies`, it reads each body completely before it answers."""

    def __init__(self, name, folder, reads_bodies, cores=LOAD_CORE):
        self.port = free_port()
        self.creates_log = os.path.join(folder, name + ".creates")
        answer = f"echo_read_request_body; echo '{CREATED}';" if reads_bodies else f"return 200 '{CREATED}';"
        super().__init__(name, cores, folder, STUB % {
            "port": self.port, "log": self.creates_log, "path": PATH, "answer": answer,
            "buffer": "64m" if reads_bodies else "16k"}, [self.port])

    def creates(self):
        """Returns for each create: (status, bytes of the request that were read, whether the gateway sent it)."""
        time.sleep(0.6)
        with open(self.creates_log) as file:
            rows = [line.split(" ", 2) for line in file]
        return [(int(status), int(length), agent.startswith("kling-gateway")) for status, length, agent in rows]


class Peer(Nginx):
    """An nginx that only forwards requests."""

    def __init__(self, name, folder, upstream, streams_bodies):
        self.port = free_port()
        super().__init__(name, SERVER_CORE, folder, f"""
    upstream stub {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{
            proxy_pass http://stub;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            {"proxy_request_buffering off;" if streams_bodies else ""}
        }}
    }}""", [self.port])


class Gateway(Server):
    """`serve` with one loop and a durable store. If its folder already has a store, it continues with that."""

    def __init__(self, name, folder, binary, upstream, level="warning", settings=None, workers=1, cores=SERVER_CORE,
                 more=None):
        home = os.path.join(folder, name)
        os.makedirs(home, exist_ok=True)
        self.port, self.admin_port, self.store = free_port(), free_port(), os.path.join(home, "gateway.db")
        environment = {
            "PATH": os.environ["PATH"], "HOME": home,
            "KLING_ACCESS_KEY": ACCESS_KEY, "KLING_SECRET_KEY": SECRET_KEY,
            "KLING_BASE_URL": f"http://127.0.0.1:{upstream}",
            "KLING_GATEWAY_API_KEYS": f"bench:{KEY}",
            "KLING_GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "KLING_GATEWAY_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}",
            "KLING_GATEWAY_STORE": f"sqlite:{self.store}",
            "KLING_GATEWAY_WORKERS": str(workers), "KLING_GATEWAY_LOG_LEVEL": level,
            **(more or {}),
        }
        if settings:
            environment["KLING_GATEWAY_CONFIG"] = os.path.join(home, "config.yaml")
            with open(environment["KLING_GATEWAY_CONFIG"], "w") as file:
                file.write(settings)
        output = "/dev/null" if level == "info" else None
        super().__init__(name, [binary, "serve"], cores, home, environment, output)
        self.log = self.log if not output else output
        self.wait(self.port)

    def count(self, columns="count(*)"):
        """Returns one row of aggregates over the store's tasks."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as store:
            return store.execute(f"SELECT {columns} FROM tasks").fetchone()
