"""Where a server spends its CPU time: perf samples, grouped by thread and by module or library."""

import collections
import os
import re
import shutil
import subprocess

MODULES = ["HTTPServer", "KlingAPI", "Gateway", "TaskStore", "GRDB", "HTTPClient", "EventLoop", "Base", "Logging",
           "Crypto", "CryptoExtras", "kling_gateway"]
OURS = re.compile(r"^\$s(?:%s)" % "|".join(f"{len(name)}({name})" for name in MODULES))
LIBRARIES = [("libcurl", "libcurl"), ("libsqlite3", "libsqlite3"), ("libevent", "libevent"), ("libcrypto", "openssl"),
             ("libssl", "openssl"), ("libc.so", "libc"), ("libc-", "libc"), ("libpthread", "libc"),
             ("ld-linux", "libc"), ("[vdso]", "libc")]


def part(symbol, image):
    """Returns the group of a sample: one of our modules, a library, the Swift runtime or the kernel."""
    if "kernel" in image or image == "[guest.kernel.kallsyms]":
        return "kernel"
    for name, group in LIBRARIES:
        if name in image:
            return group
    match = OURS.match(symbol)
    if match:
        return next(name for name in match.groups() if name)
    if "swift" in image.lower() or re.match(r"^_*swift_|^_Z.*5swift", symbol):
        return "Swift runtime"
    if symbol.startswith("$s"):
        return module_named_within(symbol) or "Swift standard library"
    return "other (" + os.path.basename(image) + ")"


def module_named_within(symbol):
    """Returns the first of our modules in a specialization, merged function or witness of a type that is not ours."""
    found = [(symbol.find(f"{len(name)}{name}"), name) for name in MODULES]
    return min(((at, name) for at, name in found if at > 0), default=(0, None))[1]


def sample(server, load, seconds, folder):
    """Samples `server` under `load`. Returns a list of (thread, frames), each frame a (symbol, image) and the innermost
    first; or a text that says why it failed."""
    if not shutil.which("perf"):
        return "perf is not installed"
    data = os.path.join(folder, "perf.data")
    recorder = subprocess.Popen(
        ["perf", "record", "-q", "-g", "-F", "1999", "-p", str(server.pid), "-o", data, "--", "sleep", str(seconds)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    load.run(server, seconds + 1)
    try:
        errors = recorder.communicate(timeout=20)[1]
    except subprocess.TimeoutExpired:
        recorder.kill()
        recorder.wait()
        return "perf record did not end"
    script = subprocess.run(
        ["perf", "script", "-i", data, "--no-demangle", "-F", "comm,ip,sym,dso"], capture_output=True, text=True,
        timeout=120)
    samples = [sample for sample in map(parsed, script.stdout.split("\n\n")) if sample]
    return samples or f"perf took no samples: {(errors or script.stderr).strip()[:200]}"


def parsed(text):
    """Reads a sample: a line with the thread's name, then one for each frame."""
    thread, *lines = text.strip("\n").split("\n")
    frames = [match.groups() for match in (re.match(r"^\s*[0-9a-f]+ (.+?) \((.+)\)$", line) for line in lines) if match]
    return (thread.strip(), frames) if frames else None


def innermost(samples):
    """Returns (thread, symbol, image) of each sample."""
    return [(thread, *frames[0]) for thread, frames in samples]


def table(rows, requests_cpu):
    """Yields lines: each thread with its groups, and their microseconds per request, of `requests_cpu` in all."""
    total = len(rows)
    threads = collections.defaultdict(collections.Counter)
    for thread, symbol, image in rows:
        threads[thread][part(symbol, image)] += 1
    for thread, parts in sorted(threads.items(), key=lambda item: -item[1].total()):
        yield f"  {thread:<34} {100 * parts.total() / total:6.1f} %  {requests_cpu * parts.total() / total:7.1f} us"
        for name, count in parts.most_common():
            if count / total >= 0.002:
                yield f"    {name:<32} {100 * count / total:6.1f} %  {requests_cpu * count / total:7.1f} us"


def symbols(rows, count):
    """Yields lines with the `count` symbols that have the most samples."""
    names = collections.Counter((symbol, part(symbol, image)) for _, symbol, image in rows)
    top = names.most_common(count)
    if shutil.which("swift-demangle"):
        text = subprocess.run(["swift-demangle", "--simplified"], input="\n".join(name for (name, _), _ in top),
                              capture_output=True, text=True, timeout=30).stdout.splitlines()
    else:
        text = [name for (name, _), _ in top]
    for ((_, group), hits), name in zip(top, text):
        yield f"  {100 * hits / len(rows):5.1f} %  {group:<22} {name[:150]}"
