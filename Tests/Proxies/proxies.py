#!/usr/bin/env python3
"""Tests the gateway behind real proxies, each with its file in Examples/proxies.

    proxies.py [--only NAMES] [--quick] [--tls] [--binary PATH] [--write] [--keep]

Each proxy is started twice: in front of a gateway with a simulated Kling, and in front of a server that records what
reaches it. Prints the table of docs/behind-a-proxy.md, and compares it with the one there. The exit status is 0 if all
cells are the same, and 1 if one differs or no proxy is installed. Proxies that are not installed are skipped, with a
message.

    --only     nginx,haproxy,caddy and so on; default: all
    --quick    skip the checks that take 70 s
    --tls      use the files' lines for TLS, if the proxy supports TLS
    --binary   the gateway; default: .build/release/kling-gateway
    --write    write the table into the guide instead of comparing it
    --keep     keep the folder with all logs
"""

import argparse
import os
import shutil
import signal
import ssl
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from checks import FIELDS, LAST, LONG, ROWS, Through, callback, forwarded_fields
from installed import PROXIES
from services import ROOT, Failure, Gateway, Klings, Process, make_certificate
from wire import Broken, Connection, Recorder, free_port, wait_until

GUIDE = ROOT / "docs" / "behind-a-proxy.md"
BEGIN, END = "<!-- the table of Tests/Proxies/proxies.py -->", "<!-- the end of the table -->"
HOLD = 70
# The time limit of the whole run in seconds, to which twice HOLD is added unless it is quick.
LIMIT = 170


def attempt(check, through):
    try:
        return check(through)
    except (Broken, OSError) as error:
        return f"failed: {error}"


def is_ready(port, tls):
    """Returns whether the server behind a proxy answers. Traefik listens before it has read its routes."""
    try:
        with Connection(port, timeout=5, tls=tls) as connection:
            return connection.ask("GET", "/openapi.json", [("Host", f"127.0.0.1:{port}")]).status == 200
    except (Broken, OSError):
        return False


class Run:
    """The servers and options that the measurements of all proxies share."""

    def __init__(self, options, folder):
        self.binary, self.is_quick, self.folder = options.binary.resolve(), options.quick, folder
        self.certificate = self.tls = None
        if options.tls:
            self.certificate = make_certificate(folder)
            self.tls = ssl.create_default_context(cafile=self.certificate)
            self.tls.check_hostname = False

    def measure(self, proxy, klings):
        """The cells of one proxy, by the rows' texts."""
        folder = self.folder / proxy.name
        folder.mkdir(mode=0o755)
        recorder, started = Recorder(), []
        try:
            port, bare = free_port(), free_port()
            gateway = Gateway(self.binary, folder, klings, f"{'https' if self.tls else 'http'}://127.0.0.1:{port}")
            started.append(gateway)
            for name, own, behind in ("gateway", port, gateway.port), ("recorder", bare, recorder.port):
                started.append(proxy.start(folder / f"before-the-{name}", own, behind, self.certificate))
            if not wait_until(lambda: is_ready(port, self.tls) and is_ready(bare, self.tls), 20):
                raise Failure(f"{proxy.title} does not reach the gateway")
            return self.cells(Through(proxy, port, gateway, bare, recorder, self.tls, HOLD))
        finally:
            for process in reversed(started):
                process.stop()
            recorder.stop()

    def rows(self):
        """The checks to run. The simulated Kling cannot call back over TLS, because it distrusts the certificate."""
        return [(text, check) for text, check in ROWS
                if not (self.is_quick and check in LONG) and not (self.tls and check is callback)]

    def texts(self):
        return [text for text, _ in self.rows()] + [text for text, _ in FIELDS]

    def cells(self, through):
        cells = {}

        def run(condition):
            for text, check in self.rows():
                if condition(check):
                    cells[text] = attempt(check, through)

        long = [threading.Thread(target=run, args=[lambda check, own=each: check is own]) for each in LONG]
        for thread in long:
            thread.start()
        run(lambda check: check not in LONG + LAST)
        forwarded = attempt(forwarded_fields, through)
        cells.update({text: forwarded[name] if isinstance(forwarded, dict) else forwarded for text, name in FIELDS})
        for thread in long:
            thread.join()
        run(lambda check: check in LAST)
        return cells

    def measure_all(self, proxies):
        results = {}
        klings = Klings(self.binary, self.folder, HOLD)

        def run(proxy):
            start = time.monotonic()
            try:
                results[proxy.name] = self.measure(proxy, klings)
            except Exception:
                traceback.print_exc()
            print(f"{proxy.title}: {time.monotonic() - start:.0f} s", flush=True)

        threads = [threading.Thread(target=run, args=[proxy]) for proxy in proxies]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            klings.stop()
        return results


def table(proxies, results):
    rows = [[""] + [proxy.title for proxy in proxies], ["---"] * (len(proxies) + 1),
            ["version"] + [proxy.find_version() for proxy in proxies]]
    for text in [text for text, _ in ROWS + FIELDS]:
        rows.append([text] + [results.get(proxy.name, {}).get(text, "") for proxy in proxies])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def documented(text):
    """Returns the cells of the guide's table, by the proxies' titles and the rows' texts."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    rows = [[each.strip() for each in line.strip().strip("|").split("|")] for line in inside.strip().splitlines()]
    return {title: {row[0]: row[column] for row in rows[2:]}
            for column, title in enumerate(rows[0] if rows else []) if title}


def compare(proxies, results, run):
    """Prints what differs from the guide, and returns how many cells do."""
    wanted, different = documented(GUIDE.read_text()), 0
    for proxy in proxies:
        for text in run.texts():
            expected = wanted.get(proxy.title, {}).get(text)
            if run.tls and expected == "http":
                expected = "https"
            found = results.get(proxy.name, {}).get(text)
            if found is None or found != expected:
                print(f"{proxy.title}, {text}: {found}; the guide says {expected}", file=sys.stderr)
                different += 1
    return different


def write(shown):
    text = GUIDE.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    GUIDE.write_text(f"{before}{BEGIN}\n{shown}{END}{after}")


def chosen(names):
    known = {proxy.name for proxy in PROXIES}
    wanted = set(names.split(",")) if names else known
    if wanted - known:
        raise Failure(f"no such proxy: {', '.join(sorted(wanted - known))}; the proxies are {', '.join(sorted(known))}")
    found = []
    for proxy in PROXIES:
        if proxy.name in wanted and not proxy.path():
            print(f"{proxy.title} is not installed: `make proxies` installs it", file=sys.stderr)
        elif proxy.name in wanted:
            found.append(proxy)
    if not found:
        raise Failure("none of these proxies is installed")
    return found


def give_up(number, folder):
    """Ends a run that was interrupted or takes too long, and leaves no process and no folder behind."""
    print(f"ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    Process.kill_all()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build" / "release" / "kling-gateway")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="proxies-"))
    folder.chmod(0o755)
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: give_up(number, folder))
    signal.alarm(LIMIT + (0 if options.quick else 2 * HOLD))
    try:
        proxies = [proxy for proxy in chosen(options.only) if proxy.tls or not options.tls]
        if not options.binary.exists():
            raise Failure(f"there is no {options.binary}: run `make build`, or name another with --binary")
        run = Run(options, folder)
        results = run.measure_all(proxies)
        shown = table(proxies, results)
        print("\n" + shown)
        if options.write and not options.tls:
            write(shown)
            return 0
        different = compare(proxies, results, run)
        print(f"{different} cell(s) differ from docs/behind-a-proxy.md" if different else
              "all cells are as in docs/behind-a-proxy.md")
        return 1 if different else 0
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"the logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
