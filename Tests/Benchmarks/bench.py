#!/usr/bin/env python3
"""Measures the gateway against nginx, which only forwards requests, on the same cores in the same run.

The server under test runs on core 0, and the load and a stub of Kling run on core 1. Rounds alternate between the
servers, in both orders, and the ratios of neighboring rounds are compared, because other work on the machine affects
both alike. The exit status is 0 even if a target is missed, and 1 if something does not work, such as a wrong status or
a create that is not on disk.

With `--against`, another build of the gateway is measured too, in every row that is a rate, a latency or a size. With
`--peers`, Envoy, Caddy and HAProxy also forward creates, each on core 0.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack

import counts
import memory
import millions
import peers
import postgres
import speed
import takeover
import tasks
import usage
import workers
from crowd import raise_descriptor_limit
from lab import Lab
from stack import Failure

# The measurements, in the order in which they run.
SECTIONS = {
    "idle": memory.idle,
    "creates": speed.creates,
    "latency": speed.latency,
    "queries": speed.queries,
    "large": speed.large_bodies,
    "connections": memory.many_connections,
    "counts": counts.counts,
    "tasks": tasks.unfinished_tasks,
    "workers": workers.two_workers,
    "usage": usage.report,
    "postgres": postgres.postgres,
    "millions": millions.millions,
    "takeover": takeover.takeover,
}
# The measurements that run only on request.
EXTRA = ("tasks", "workers", "usage", "postgres", "millions", "takeover")


def run(lab):
    lab.start_servers()
    for name, measure in SECTIONS.items():
        if name in lab.options.only:
            measure(lab)
    lab.check_creates(lab.stub)
    lab.targets.show()
    for ratios in lab.ratios.values():
        ratios.show()
    for line in lab.notes:
        print(line)
    speed.stages(lab)


def sections(text):
    names = text.split(",")
    unknown = set(names) - set(SECTIONS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; the names are {', '.join(SECTIONS)}")
    return names


def parsed():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="use short rounds: under a minute, less precise")
    parser.add_argument("--only", type=sections, metavar="NAMES",
                        default=[name for name in SECTIONS if name not in EXTRA],
                        help=f"measure only these, separated by commas: {', '.join(SECTIONS)}")
    parser.add_argument("--symbols", type=int, default=0, metavar="N",
                        help="also print the N symbols with the most CPU time")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and stores")
    parser.add_argument("--against", type=os.path.abspath, metavar="PATH", help="also measure another build")
    parser.add_argument("--tasks", type=int, default=0, metavar="N",
                        help="also measure the memory of N unfinished tasks, such as 100000")
    parser.add_argument("--workers", action="store_true", help="also measure a second worker on a second core")
    parser.add_argument("--usage", action="store_true", help="also measure a usage report over a million tasks")
    parser.add_argument("--postgres", action="store_true",
                        help="also measure creates on PostgreSQL, beside pgbench and a job queue")
    parser.add_argument("--millions", action="store_true", help="also measure reads over a million finished tasks")
    parser.add_argument("--takeover", action="store_true",
                        help="also measure how long it takes until a dead gateway's work is taken over")
    parser.add_argument("--full", action="store_true", help="measure reads over ten million tasks: half an hour more")
    parser.add_argument("--peers", action="store_true", help="also measure Envoy, Caddy and HAProxy")
    parser.add_argument("--binary", type=os.path.abspath,
                        default=os.path.join(here, "../../.build/release/kling-gateway"))
    options = parser.parse_args()
    options.only += [name for name in EXTRA if getattr(options, name)]
    options.tasks = options.tasks or 100000
    return options


def limit_time(seconds):
    def stop(number, _):
        raise Failure("took too long" if number == signal.SIGALRM else "stopped")

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.alarm(seconds)


def main():
    options = parsed()
    os.environ["PATH"] += ":/usr/sbin"
    haproxy = "haproxy" if options.peers else None
    for program in ("nginx", "wrk", haproxy, options.binary, options.against):
        if program and not shutil.which(program):
            sys.exit(f"{program} is missing: make bench installs and builds what is needed")
    if options.peers:
        peers.install()
    limit_time(240 if options.quick else 7200 if options.full else 1800)
    raise_descriptor_limit()
    folder = tempfile.mkdtemp(prefix="kling-gateway-bench-")
    try:
        with ExitStack() as stack:
            run(Lab(options, folder, stack))
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
