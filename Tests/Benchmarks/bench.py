#!/usr/bin/env python3
"""Measures the gateway against nginx doing the bare forwarding, on the same cores in the same run.

    bench.py [--quick] [--binary PATH] [--against PATH] [--symbols N] [--keep]

The server under test has core 0; the load and a stub of Kling have core 1. Rounds alternate between nginx and the
gateway, and what is compared are ratios of neighbouring rounds: other work on the machine moves both alike. Ends with
0 even when a target is missed, with 1 when something does not work: a wrong status, a create that is not on disk.

With `--against` another build of the gateway takes part in the rounds of creates.
"""

import argparse
import base64
import json
import os
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import zlib
from contextlib import ExitStack, closing

import profile_cpu as profile
from crowd import Crowd, SlowSenders, raise_descriptor_limit, slowest
from load import Load, median, ratio
from stack import PATH, Failure, Gateway, Peer, Stub, http, wait_until

MB = 1e6
PICTURE = 10 * 1024 * 1024


class Table:
    """The rows, printed at the end with their targets beside them."""

    HEAD = ("what", "nginx", "gateway", "figure", "target", "", "nginx us", "gateway us")

    def __init__(self):
        self.rows = []
        self.missed = 0

    def add(self, what, nginx="", gateway="", figure="", target="", kept=None, cpu=("", "")):
        verdict = "" if kept is None else "met" if kept else "MISSED"
        self.missed += kept is False
        self.rows.append((what, nginx, gateway, figure, target, verdict, *cpu))
        print(f"  {what}: {figure} {f'(target {target}: {verdict.lower()})' if verdict else ''}", flush=True)

    def show(self):
        rows = [self.HEAD] + self.rows
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.HEAD))]
        print()
        for row in rows:
            cells = [cell.ljust(width) if column == 0 or column == 5 else cell.rjust(width)
                     for column, (cell, width) in enumerate(zip(row, widths))]
            print("  ".join(cells).rstrip())
        print("\nus: the server's CPU for one request.", end=" ")
        print(f"{self.missed} target(s) missed" if self.missed else "every target met")


def picture():
    """A PNG of the maximum size in bytes, 1024 x 1024 by its header; it is never decoded."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0))
    end = chunk(b"IEND", b"")
    room = PICTURE - len(start) - len(end) - 12
    return start + chunk(b"IDAT", bytes(range(256)) * (room // 256) + bytes(room % 256)) + end


def body(human, cloth):
    return json.dumps({"model_name": "kolors-virtual-try-on-v1-5", "human_image": human, "cloth_image": cloth}).encode()


class Bench:
    def __init__(self, options, folder, stack):
        self.options, self.folder, self.stack, self.table = options, folder, stack, Table()
        self.rounds, self.seconds = (2, 1) if options.quick else (7, 3)
        self.small = self.file("small.json", body("https://example.com/person.jpg", "https://example.com/garment.jpg"))
        text = base64.b64encode(picture()).decode()
        self.large_size = len(body(text, text))
        self.large = self.file("large.json", body(text, text))

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def start(self, kind, *arguments, **more):
        server = kind(*arguments, **more)
        self.stack.callback(server.stop)
        return server

    def gateway(self, name, upstream, binary=None, **more):
        return self.start(Gateway, name, self.folder, binary or self.options.binary, upstream.port, **more)

    # Rows

    def run(self):
        self.stub = self.start(Stub, "stub", self.folder, reads_bodies=False)
        self.peer = self.start(Peer, "peer", self.folder, self.stub.port, streams_bodies=False)
        self.main = self.gateway("gateway", self.stub)
        self.logging = self.gateway("gateway-info", self.stub, level="info")
        against = self.options.against
        self.others = [self.gateway("against", self.stub, binary=against)] if against else []
        self.idle()
        task = self.finished_task(self.main)
        self.creates()
        self.latency()
        self.queries(task)
        self.check_books([self.main, self.logging] + self.others, self.stub)
        self.large_bodies()
        self.many_connections()
        self.table.show()
        self.stages(task)

    def idle(self):
        time.sleep(1)
        resident = self.main.memory()
        self.table.add("idle: resident MB", gateway=f"{resident / MB:.1f}", figure=f"{resident / MB:.1f}",
                       target="<= 35", kept=resident <= 35 * MB)

    def finished_task(self, gateway):
        """The id of a task that the gateway knows to be finished."""
        with open(self.small, "rb") as file:
            status, answer = http(gateway.port, PATH, file.read())
        if status != 200 or answer["code"] != 0:
            raise Failure(f"a create was answered {status} {answer}")
        path = f"{PATH}/{answer['data']['task_id']}"
        wait_until(lambda: http(gateway.port, path)[1]["data"]["task_status"] == "succeed", 10, "the task is finished")
        return path

    def cpu(self, nginx, gateway):
        return f"{median(nginx, 'cpu'):.1f}", f"{median(gateway, 'cpu'):.1f}"

    def compare(self, what, nginx, gateway, target, aim=""):
        figure = ratio(gateway, nginx)
        self.table.add(what, f"{median(nginx, 'rate'):.0f}/s", f"{median(gateway, 'rate'):.0f}/s", f"{figure:.2f} x",
                       f">= {target}{aim}", figure >= target, self.cpu(nginx, gateway))

    def creates(self):
        load = Load("create.lua", PATH, 64, self.small)
        nginx, gateway, logging, *others = load.alternate(
            [self.peer, self.main, self.logging] + self.others, self.rounds, self.seconds)
        self.create_cpu = median(gateway, "cpu")
        self.compare("creates with URLs, 64 connections", nginx, gateway, 0.3, " (aim 0.5)")
        figure = ratio(logging, nginx)
        self.table.add("  the same, log level info", "", f"{median(logging, 'rate'):.0f}/s", f"{figure:.2f} x",
                       cpu=("", f"{median(logging, 'cpu'):.1f}"))
        self.compare_builds(gateway, others)

    def compare_builds(self, gateway, others):
        for other in others:
            self.table.add("  the other build, and this one to it", "", f"{median(other, 'rate'):.0f}/s",
                           f"{ratio(gateway, other):.3f} x", cpu=("", f"{median(other, 'cpu'):.1f}"))

    def latency(self):
        load = Load("create.lua", PATH, 1, self.small)
        nginx, gateway = load.alternate([self.peer, self.main], self.rounds, self.seconds)
        ours, theirs = median(gateway, "p50") / 1000, median(nginx, "p50") / 1000
        self.table.add("creates, 1 connection: p50 ms", f"{theirs:.3f}", f"{ours:.3f}", f"+{ours - theirs:.3f} ms",
                       "<= 0.3", ours - theirs <= 0.3, self.cpu(nginx, gateway))
        self.table.add("  of which: an fsync of the disk", figure=f"{self.fsync():.3f} ms")

    def fsync(self):
        """What a write of 4 KiB and its fsync takes in the store's folder: the median, in milliseconds."""
        times = []
        with open(os.path.join(self.folder, "fsync"), "wb") as file:
            for _ in range(100):
                start = time.perf_counter()
                file.write(bytes(4096))
                file.flush()
                os.fdatasync(file.fileno())
                times.append(time.perf_counter() - start)
        return sorted(times)[50] * 1000

    def queries(self, task):
        load = Load("query.lua", task, 64)
        nginx, gateway = load.alternate([self.peer, self.main], self.rounds, self.seconds)
        self.query_cpu = median(gateway, "cpu")
        self.compare("queries of a finished task, 64 connections", nginx, gateway, 1.5)

    def check_books(self, gateways, stub):
        """Every create that Kling got is in a store, once, with the id that Kling gave it."""
        time.sleep(2)
        for gateway in gateways:
            if gateway.child.poll() is not None:
                raise Failure(f"{gateway.name} ended:\n{gateway.tail()}")
        at_kling = sum(ours and status == 200 for status, _, ours in stub.creates())
        count = "SELECT count(*), count(DISTINCT upstream_id), count(upstream_id) FROM tasks"
        rows = []
        for gateway in gateways:
            with closing(sqlite3.connect(f"file:{gateway.store}?mode=ro", uri=True)) as store:
                rows.append(store.execute(count).fetchone())
        total, distinct, accepted = (sum(column) for column in zip(*rows))
        if not total == distinct == accepted == at_kling:
            raise Failure(f"{at_kling} creates reached Kling; the stores have {total}, {accepted} accepted, "
                          f"{distinct} different")
        print(f"  {at_kling} creates at Kling, each in the store once")

    def large_bodies(self):
        stub = self.start(Stub, "stub-large", self.folder, reads_bodies=True)
        peer = self.start(Peer, "peer-large", self.folder, stub.port, streams_bodies=True)
        gateway = self.gateway("gateway-large", stub)
        self.finished_task(gateway)
        time.sleep(1)
        idle = gateway.memory()
        gateway.reset_peak()
        connections = 4
        load = Load("create.lua", PATH, connections, self.large)
        nginx, ours = load.alternate([peer, gateway], self.rounds, self.seconds)
        peak = gateway.memory("VmHWM") - idle
        self.compare("creates with 2 x 10 MB, 4 connections", nginx, ours, 0.5, " (aim 0.8)")
        figure = peak / (connections * self.large_size)
        self.table.add("  peak resident per body byte in flight", gateway=f"{peak / MB:.0f} MB", figure=f"{figure:.2f}",
                       target="<= 1.2", kept=figure <= 1.2)
        time.sleep(5)
        left = gateway.memory() - idle
        self.table.add("  resident over idle after 5 s", gateway=f"{left / MB:+.1f} MB", figure=f"{left / MB:+.1f} MB",
                       target="<= 10", kept=left <= 10 * MB)
        read = [length for status, length, _ in stub.creates() if status == 200]
        short = [length for length in read if length < self.large_size]
        if len(short) > 1:    # the first create, with URLs
            raise Failure(f"the stub answered {len(short)} creates before it had read them")
        print(f"  the stub read {sum(read) / 1e9:.1f} GB in {len(read)} creates")
        self.check_books([gateway], stub)

    def many_connections(self):
        descriptors = raise_descriptor_limit()
        wanted, slow = (2000 if self.options.quick else 10000), 200
        count = min(wanted, descriptors - 500 - slow)
        gateway = self.gateway("gateway-crowd", self.stub, settings="limits: { connections: 12000 }\n")
        task = self.finished_task(gateway)
        before = gateway.memory()
        crowd = Crowd(gateway.port, task)
        self.stack.callback(crowd.close)
        crowd.grow(count)
        grown = gateway.memory() - before
        note = "" if count == wanted else f" (of {wanted}: descriptor limit {descriptors})"
        self.table.add(f"{count} idle connections{note}", gateway=f"{(before + grown) / MB:.1f} MB",
                       figure=f"{grown / count / 1024:.1f} KiB each")
        used = gateway.cpu_seconds()
        time.sleep(2)
        idle_share = (gateway.cpu_seconds() - used) / 2
        self.table.add("  CPU while they are idle", figure=f"{100 * idle_share:.1f} %")
        senders = SlowSenders(gateway.port, slow)
        self.stack.callback(senders.close)
        time.sleep(2)
        with open(self.small, "rb") as file:
            create = file.read()
        self.table.add("  served beside 200 slow senders: slowest ms",
                       gateway=f"{slowest(lambda: self.expect(http(gateway.port, PATH, create)), 50):.1f} create",
                       figure=f"{slowest(lambda: self.expect(http(gateway.port, task)), 50):.1f} query")
        crowd.ask_some(500)
        self.table.add("  resident with both", gateway=f"{gateway.memory() / MB:.1f} MB",
                       figure=f"{(gateway.memory() - before) / (count + slow) / 1024:.1f} KiB each")
        if senders.lost:
            raise Failure(f"{senders.lost} bytes of slow senders were refused within their deadlines")

    def expect(self, answer):
        if answer[0] != 200:
            raise Failure(f"answered {answer}")

    def stages(self, task):
        loads = [("create", Load("create.lua", PATH, 64, self.small), self.create_cpu),
                 ("query", Load("query.lua", task, 64), self.query_cpu)]
        for name, load, cpu in loads:
            rows = profile.sample(self.main, load, 2 if self.options.quick else 6, self.folder)
            print(f"\nCPU of a {name} by thread and part", end="")
            if isinstance(rows, str):
                print(f": skipped, {rows}")
                continue
            print(f" ({len(rows)} samples)")
            print("\n".join(profile.table(rows, cpu)))
            if self.options.symbols:
                print("\n".join(profile.symbols(rows, self.options.symbols)))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds: under a minute, and coarser")
    parser.add_argument("--symbols", type=int, default=0, metavar="N", help="the N symbols with the most CPU as well")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and stores")
    parser.add_argument("--against", metavar="PATH", help="another build, to compare creates with")
    parser.add_argument("--binary", default=os.path.join(here, "../../.build/release/kling-gateway"))
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    os.environ["PATH"] += ":/usr/sbin"
    for program in ("nginx", "wrk", options.binary, options.against):
        if program and not shutil.which(program):
            sys.exit(f"{program} is missing: make bench installs and builds what is needed")

    def stop(number, _):
        raise Failure("took too long" if number == signal.SIGALRM else "stopped")

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.alarm(180 if options.quick else 900)
    raise_descriptor_limit()
    folder = tempfile.mkdtemp(prefix="kling-gateway-bench-")
    try:
        with ExitStack() as stack:
            Bench(options, folder, stack).run()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
