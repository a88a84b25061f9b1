"""Allocations and system calls per create, which other work on the machine hardly changes."""

import os
import shutil
import struct
import subprocess

from load import HERE
from report import layout
from system_calls import system_calls

# A system call that is made less often than this per create is not listed.
LEAST = 0.005


def counts(lab):
    """Counts for creates over 64 connections and over 1, by this build and the other one."""
    library = counting_library(lab.folder)
    seconds = lab.seconds
    for connections in (64, 1):
        load = lab.create(connections)
        noun = f"{connections} connection{'s' if connections > 1 else ''}"
        rows = [allocations(lab, binary, load, seconds, library) for binary in builds(lab)]
        show(lab, f"Allocations per create, {noun}", rows, "malloc, calloc, realloc and C++'s new, in every library")
        rows, how = zip(*(system_calls(server, load, seconds) for server in [lab.main, *lab.others]))
        show(lab, f"System calls per create, {noun}", rows, how[0])


def builds(lab):
    return [lab.options.binary] + ([lab.options.against] if lab.options.against else [])


def show(lab, title, columns, how):
    """Notes the counts of each build, the highest first. A column may be a text that says why it is missing."""
    missing = next((column for column in columns if isinstance(column, str)), None)
    lab.notes.append(f"\n{title} ({how})" if not missing else f"\n{title}: skipped, {missing}")
    if missing:
        return
    names = sorted(set().union(*columns), key=lambda name: -max(column.get(name, 0) for column in columns))
    rows = [("", "gateway", "the other")[:1 + len(columns)]]
    for name in names:
        values = [column.get(name, 0) for column in columns]
        if max(values) >= LEAST:
            rows.append((name, *(f"{value:.2f}" for value in values)))
    lab.notes += ["  " + line for line in layout(rows)]


def counting_library(folder):
    """Returns the path of the counting library, which ends in `.so`, or a text that says why it cannot be built."""
    compiler = next(filter(shutil.which, ("cc", "clang", "gcc")), None)
    if not compiler:
        return "there is no C compiler: install gcc or clang"
    path = os.path.join(folder, "count_malloc.so")
    source = os.path.join(HERE, "count_malloc.c")
    command = [compiler, "-O2", "-fPIC", "-shared", "-o", path, source, "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True)
    return path if done.returncode == 0 else f"{compiler} failed: {done.stderr.strip()[:200]}"


def allocations(lab, binary, load, seconds, library):
    """Returns the number of allocations per create and their size, or a text that says why they cannot be counted."""
    if not library.endswith(".so"):
        return library
    file = os.path.join(lab.folder, "malloc-counts")
    name = f"gateway-counted-{len(lab.served[lab.stub])}"
    gateway = lab.gateway(name, lab.stub, binary, more={"LD_PRELOAD": library, "BENCH_MALLOC_COUNTS": file})
    load.run(gateway, 1)
    before = read_counts(file)
    requests = load.run(gateway, seconds).requests
    calls, size = (after - earlier for after, earlier in zip(read_counts(file), before))
    gateway.stop()
    if not calls:
        return "the library was not called: the binary contains its own allocator"
    return {"kB requested": size / requests / 1000, "allocations": calls / requests}


def read_counts(file):
    with open(file, "rb") as content:
        return struct.unpack("QQ", content.read(16))
