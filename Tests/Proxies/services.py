"""The processes around a proxy: the gateway, and the simulated Klings behind it."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

from wire import free_port, is_listening, wait_until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "Examples" / "proxies"
KEY = "sk-of-the-shop-0123456789"
BOUND_KEY = "sk-only-from-127.0.0.2-0123456789"
AGAIN_KEY = "sk-of-who-sends-again-0123456789"
BOUND_ADDRESS = "127.0.0.2"
FAST, SLOW = "kolors-virtual-try-on-v1-5", "kolors-virtual-try-on-v1"


class Failure(Exception):
    """A process around the proxies does not work."""


class Process:
    """A child process in its own process group, which is ended as a whole."""

    running = set()

    def __init__(self, name, command, folder, environment=None):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        Process.running.add(self)

    def wait_for(self, port, seconds=30):
        wait_until(lambda: self.child.poll() is not None or is_listening(port), seconds)
        if self.child.poll() is None and is_listening(port):
            return
        raise Failure(f"{self.name} does not listen on port {port}:\n{self.tail()}")

    def tail(self):
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-15:])

    def stop(self, seconds=5):
        """Sends SIGTERM, and then SIGKILL to all that is left. The group's id is not reused before `wait`."""
        group = self.child.pid
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5)):
            if self._signal(group, number) and wait_until(lambda: not self._is_alive(group), patience):
                break
        self.child.wait()
        Process.running.discard(self)

    @classmethod
    def kill_all(cls):
        for process in list(cls.running):
            cls._signal(process.child.pid, signal.SIGKILL)

    @staticmethod
    def _signal(group, number):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return False
        return True

    @staticmethod
    def _is_alive(group):
        """Returns whether any process of the group is running; zombies are not."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == group and fields[0] not in "ZX":
                    return True
        return False


class Klings:
    """Two simulated Klings: one whose tasks take a second, and one whose tasks take `hold` seconds."""

    def __init__(self, binary, folder, hold):
        self.ports, self.processes = {}, []
        for name, milliseconds in ((FAST, 1000), (SLOW, hold * 1000)):
            port = self.ports[name] = free_port()
            process = Process(f"kling-{name}", [
                binary, "simulate", "--listen", f"127.0.0.1:{port}", "--min-duration", milliseconds,
                "--max-duration", milliseconds], folder)
            self.processes.append(process)
            process.wait_for(port)

    def stop(self):
        for process in self.processes:
            process.stop()


class Gateway:
    """The gateway with Examples/proxies/gateway.yaml, with other addresses and with accounts and keys."""

    def __init__(self, binary, folder, klings, public_url):
        self.binary, self.folder, self.port = binary, Path(folder), free_port()
        text = replaced(EXAMPLES / "gateway.yaml", [
            ("127.0.0.1:8080", f"127.0.0.1:{self.port}"),
            ("https://tryon.example.com", public_url),
        ])
        accounts = "".join(
            f"  - {{ name: {model}, url: http://127.0.0.1:{port}, access_key: simulated-access-key, "
            f"secret_key: simulated-secret-key, models: [{model}] }}\n" for model, port in klings.ports.items())
        (self.folder / "gateway.yaml").write_text(
            f"{text}upstreams:\n{accounts}keys:\n  - {{ key: {KEY}, tenant: shop }}\n"
            f"  - {{ key: {AGAIN_KEY}, tenant: again }}\n"
            f"  - {{ key: {BOUND_KEY}, tenant: bound, addresses: [{BOUND_ADDRESS}] }}\n"
            "shutdown: { grace: 1s }\n")
        self.start()

    def start(self):
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "KLING_GATEWAY_CONFIG": "gateway.yaml",
            "KLING_GATEWAY_STORE": "sqlite:gateway.db", "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:0",
            "KLING_GATEWAY_LOG_FORMAT": "json", "KLING_GATEWAY_WORKERS": "1",
        }
        self.process = Process("gateway", [self.binary, "serve"], self.folder, environment)
        self.process.wait_for(self.port)

    def stop(self):
        self.process.stop()

    def logged(self, **wanted):
        """Returns the lines of its log that have these values."""
        found = []
        for line in self.process.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if all(entry.get(name) == value for name, value in wanted.items()):
                found.append(entry)
        return found


def make_certificate(folder):
    """Makes a certificate for 127.0.0.1, in one file with its key."""
    path = Path(folder) / "tryon.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True, timeout=60)
    path.write_text(Path(f"{path}.crt").read_text() + path.read_text())
    path.chmod(0o644)
    return path


def replaced(path, replacements):
    """Returns the text of a file that users copy, with only these replacements. Each must apply."""
    text = path.read_text()
    for old, new in replacements:
        if old not in text:
            raise Failure(f"{path.relative_to(ROOT)} does not have {old!r}")
        text = text.replace(old, new)
    return text
