"""Rates, latency and CPU time of creates, queries and large bodies."""

import os
import time

import profile_cpu as profile
import profile_stages
from load import Load, median, ratio
from stack import PATH, Failure, Peer, Stub

MB = 1e6


def compare(lab, what, nginx, gateway, target, aim=""):
    """Adds a row that compares the gateway's rate with nginx's."""
    figure = ratio(gateway, nginx)
    lab.targets.add(what, f"{median(nginx, 'rate'):.0f}/s", f"{median(gateway, 'rate'):.0f}/s", f"{figure:.2f} x",
                    f">= {target}{aim}", figure >= target, cpu(nginx, gateway))


def cpu(nginx, gateway):
    return f"{median(nginx, 'cpu'):.1f}", f"{median(gateway, 'cpu'):.1f}"


def creates(lab):
    """Measures creates with URLs over 64 connections, also with the log level info."""
    logging = lab.gateway("gateway-info", lab.stub, level="info")
    servers = [lab.nginx, lab.main, *lab.others, *lab.proxies, logging]
    results = lab.create(64).alternate(servers, lab.rounds, lab.seconds)
    nginx, gateway, info = results[0], results[1], results[-1]
    lab.cpu["create"] = median(gateway, "cpu")
    compare(lab, "creates with URLs, 64 connections", nginx, gateway, 0.3, " (aim 0.5)")
    lab.targets.add("  the same, log level info", "", f"{median(info, 'rate'):.0f}/s", f"{ratio(info, nginx):.2f} x",
                    cpu=("", f"{median(info, 'cpu'):.1f}"))
    lab.compare("creates, 64 connections", gateway, servers, results)
    logging.stop()


def latency(lab):
    """Measures creates with URLs, one after the other."""
    servers = [lab.nginx, lab.main, *lab.others, *lab.proxies]
    results = lab.create(1).alternate(servers, lab.rounds, lab.seconds)
    nginx, gateway = results[:2]
    ours, theirs = median(gateway, "p50") / 1000, median(nginx, "p50") / 1000
    lab.targets.add("creates, 1 connection: p50 ms", f"{theirs:.3f}", f"{ours:.3f}", f"+{ours - theirs:.3f} ms",
                    "<= 0.3", ours - theirs <= 0.3, cpu(nginx, gateway))
    lab.targets.add("  of which: an fsync of the disk", figure=f"{fsync(lab.folder):.3f} ms")
    lab.compare("creates, 1 connection", gateway, servers, results)


def fsync(folder):
    """Returns the median time of a write of 4 KiB with its fsync in the store's folder, in milliseconds."""
    times = []
    with open(os.path.join(folder, "fsync"), "wb") as file:
        for _ in range(100):
            start = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return sorted(times)[50] * 1000


def queries(lab):
    """Measures queries of a finished task. Gateways answer them from their stores; nginx asks the stub."""
    servers = [lab.nginx, lab.main, *lab.others]
    tasks = {server.name: lab.finished_task(server) for server in servers[1:]}
    load = Load("query.lua", lambda server: tasks.get(server.name, tasks[lab.main.name]), 64)
    results = load.alternate(servers, lab.rounds, lab.seconds)
    nginx, gateway = results[:2]
    lab.cpu["query"] = median(gateway, "cpu")
    compare(lab, "queries of a finished task, 64 connections", nginx, gateway, 1.5)
    lab.compare("finished queries, 64 connections", gateway, servers, results)


def large_bodies(lab):
    """Measures creates with two pictures of 10 MB: their rate, and the memory that they take."""
    stub = lab.start(Stub, "stub-large", lab.folder, reads_bodies=True)
    peer = lab.start(Peer, "peer-large", lab.folder, stub.port, streams_bodies=True)
    gateway, others = lab.both("gateway-large", stub)
    servers = [gateway, *others]
    for server in servers:
        lab.finished_task(server)
    time.sleep(1)
    idle = [server.memory() for server in servers]
    for server in servers:
        server.reset_peak()
    connections = 4
    results = Load("create.lua", PATH, connections, lab.large).alternate([peer, *servers], lab.rounds, lab.seconds)
    peaks = [server.memory("VmHWM") - before for server, before in zip(servers, idle)]
    compare(lab, "creates with 2 x 10 MB, 4 connections", *results[:2], 0.5, " (aim 0.8)")
    per_byte = [peak / (connections * lab.large_size) for peak in peaks]
    lab.targets.add("  peak resident per body byte in flight", gateway=f"{peaks[0] / MB:.0f} MB",
                    figure=f"{per_byte[0]:.2f}", target="<= 1.2", kept=per_byte[0] <= 1.2)
    lab.compare("creates with 2 x 10 MB, 4 connections", results[1], [peer, *servers], results)
    for other, peak in zip(others, per_byte[1:]):
        other.ratios.add_figure("  peak resident per body byte in flight", peak, per_byte[0])
    time.sleep(5)
    left = gateway.memory() - idle[0]
    lab.targets.add("  resident over idle after 5 s", gateway=f"{left / MB:+.1f} MB", figure=f"{left / MB:+.1f} MB",
                    target="<= 10", kept=left <= 10 * MB)
    check_read(lab, stub, len(servers))
    lab.check_creates(stub)
    for server in (peer, *servers, stub):
        server.stop()


def check_read(lab, stub, tried):
    """Checks that the stub has read every large body before it answered. `tried` is the number of small creates."""
    read = [length for status, length, _ in stub.creates() if status == 200]
    short = [length for length in read if length < lab.large_size]
    if len(short) > tried:
        raise Failure(f"the stub answered {len(short)} creates before it had read them")
    print(f"  the stub read {sum(read) / 1e9:.1f} GB in {len(read)} creates")


def stages(lab):
    """Prints where the CPU time of a create and of a query goes, if their rates were measured before."""
    loads = {"create": lab.create(64), "query": Load("query.lua", lab.finished_task(lab.main), 64)}
    for name, load in loads.items():
        if name not in lab.cpu:
            continue
        samples = profile.sample(lab.main, load, 2 if lab.options.quick else 6, lab.folder)
        print(f"\nCPU of a {name} by thread and part", end="")
        if isinstance(samples, str):
            print(f": skipped, {samples}")
            continue
        print(f" ({len(samples)} samples)")
        rows = profile.innermost(samples)
        print("\n".join(profile.table(rows, lab.cpu[name])))
        if lab.options.symbols:
            print("\n".join(profile.symbols(rows, lab.options.symbols)))
        if name == "create":
            print("\nCPU of a create by stage, the kernel's work for it included")
            print("\n".join(profile_stages.table(samples, lab.cpu[name])))
