#!/usr/bin/env python3
"""Tries the gateway behind real proxies, each with its file of Examples/proxies.

    proxies.py [--only NAMES] [--quick] [--binary PATH] [--write] [--keep]

Each proxy is started twice: before a gateway, whose Kling is simulated, and before a server that notes what reaches it.
Prints the table of docs/behind-a-proxy.md, and compares it with the one there. Ends with 0 if all cells are the same,
and with 1 if one differs or nothing is installed. Proxies that are not installed are left out, with a message.

    --only     nginx,haproxy,caddy and so on; all unless given
    --quick    without what takes 70 s
    --binary   the gateway; .build/release/kling-gateway unless given
    --write    write the table into the guide instead
    --keep     keep the folder with all logs
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from checks import FIELDS, LAST, LONG, ROWS, Through, forwarded_fields
from installed import PROXIES
from services import ROOT, Failure, Gateway, Klings, Process
from wire import Broken, Connection, Recorder, free_port, wait_until

GUIDE = ROOT / "docs" / "behind-a-proxy.md"
BEGIN, END = "<!-- the table of Tests/Proxies/proxies.py -->", "<!-- the end of the table -->"
HOLD = 70
# All of it ends within so many seconds, and twice HOLD unless it is quick.
LIMIT = 150


def attempt(check, through):
    try:
        return check(through)
    except (Broken, OSError) as error:
        return f"failed: {error}"


def is_ready(port):
    """Whether what is behind a proxy answers; Traefik listens before it has read its routes."""
    try:
        with Connection(port, timeout=5) as connection:
            return connection.ask("GET", "/openapi.json", [("Host", f"127.0.0.1:{port}")]).status == 200
    except (Broken, OSError):
        return False


def measure(proxy, folder, binary, klings, quick):
    """Every cell of one proxy, by the rows' texts."""
    folder.mkdir(mode=0o755)
    recorder, started = Recorder(), []
    try:
        port, bare = free_port(), free_port()
        gateway = Gateway(binary, folder, klings, port)
        started.append(gateway)
        started.append(proxy.start(folder / "before-the-gateway", port, gateway.port))
        started.append(proxy.start(folder / "before-the-recorder", bare, recorder.port))
        through = Through(proxy, port, gateway, bare, recorder, HOLD)
        if not wait_until(lambda: is_ready(port) and is_ready(bare), 20):
            raise Failure(f"{proxy.title} does not reach the gateway")
        cells = {}

        def run(*rows):
            cells.update({text: attempt(check, through) for text, check in rows})

        threads = [] if quick else [threading.Thread(target=run, args=[row]) for row in ROWS if row[1] in LONG]
        for thread in threads:
            thread.start()
        run(*[row for row in ROWS if row[1] not in LONG + LAST])
        forwarded = attempt(forwarded_fields, through)
        cells.update({text: forwarded[name] if isinstance(forwarded, dict) else forwarded for text, name in FIELDS})
        for thread in threads:
            thread.join()
        run(*[row for row in ROWS if row[1] in LAST])
        return cells
    finally:
        for process in reversed(started):
            process.stop()
        recorder.stop()


def measure_all(proxies, folder, binary, quick):
    results = {}
    klings = Klings(binary, folder, HOLD)

    def run(proxy):
        start = time.monotonic()
        try:
            results[proxy.name] = measure(proxy, folder / proxy.name, binary, klings, quick)
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


def texts():
    return [text for text, _ in ROWS] + [text for text, _ in FIELDS]


def table(proxies, results):
    rows = [[""] + [proxy.title for proxy in proxies], ["---"] * (len(proxies) + 1),
            ["version"] + [proxy.find_version() for proxy in proxies]]
    for text in texts():
        rows.append([text] + [results.get(proxy.name, {}).get(text, "") for proxy in proxies])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def documented(text):
    """The cells of the guide's table: for each proxy's title what it has for each row."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    rows = [[each.strip() for each in line.strip().strip("|").split("|")] for line in inside.strip().splitlines()]
    return {title: {row[0]: row[column] for row in rows[2:]}
            for column, title in enumerate(rows[0] if rows else []) if title}


def compare(proxies, results):
    """Prints what differs from the guide, and returns how many cells do."""
    wanted, different = documented(GUIDE.read_text()), 0
    for proxy in proxies:
        if proxy.name not in results:
            print(f"{proxy.title} could not be tried", file=sys.stderr)
            different += 1
        for text, found in results.get(proxy.name, {}).items():
            expected = wanted.get(proxy.title, {}).get(text)
            if found != expected:
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
        raise Failure(f"no such proxy: {', '.join(sorted(wanted - known))}; there are {', '.join(sorted(known))}")
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
    """Leaves nothing behind when it is interrupted, or takes too long."""
    print(f"ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    Process.kill_all()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
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
        proxies = chosen(options.only)
        if not options.binary.exists():
            raise Failure(f"there is no {options.binary}: run `make build`, or name another with --binary")
        results = measure_all(proxies, folder, options.binary.resolve(), options.quick)
        shown = table(proxies, results)
        print("\n" + shown)
        if options.write:
            write(shown)
            return 0
        different = compare(proxies, results)
        print(f"{different} cell(s) differ from docs/behind-a-proxy.md" if different else
              "all cells are as docs/behind-a-proxy.md says")
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
