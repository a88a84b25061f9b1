"""Memory, both idle and with many connections."""

import time

from crowd import Crowd, SlowSenders, raise_descriptor_limit, slowest
from stack import PATH, Failure, http

MB = 1e6


def idle(lab):
    """Measures the resident memory after the start."""
    time.sleep(1)
    resident = lab.main.memory()
    lab.targets.add("idle: resident MB", gateway=f"{resident / MB:.1f}", figure=f"{resident / MB:.1f}",
                    target="<= 35", kept=resident <= 35 * MB)
    for other in lab.others:
        other.ratios.add_figure("idle: resident", other.memory() / MB, resident / MB, " MB")


def many_connections(lab):
    """Measures the memory with 10,000 idle connections, and with slow senders as well."""
    descriptors = raise_descriptor_limit()
    wanted, slow = (2000 if lab.options.quick else 10000), 200
    count = min(wanted, descriptors - 500 - slow)
    gateway = lab.gateway("gateway-crowd", lab.stub, settings="limits: { connections: 12000 }\n")
    task = lab.finished_task(gateway)
    before = gateway.memory()
    crowd = Crowd(gateway.port, task)
    lab.stack.callback(crowd.close)
    crowd.grow(count)
    grown = gateway.memory() - before
    note = "" if count == wanted else f" (of {wanted}: descriptor limit {descriptors})"
    lab.targets.add(f"{count} idle connections{note}", gateway=f"{(before + grown) / MB:.1f} MB",
                    figure=f"{grown / count / 1024:.1f} KiB each")
    used = gateway.cpu_seconds()
    time.sleep(2)
    idle_share = (gateway.cpu_seconds() - used) / 2
    lab.targets.add("  CPU while they are idle", figure=f"{100 * idle_share:.1f} %")
    senders = SlowSenders(gateway.port, slow)
    lab.stack.callback(senders.close)
    time.sleep(2)
    beside_slow_senders(lab, gateway, task)
    crowd.ask_some(500)
    lab.targets.add("  resident with both", gateway=f"{gateway.memory() / MB:.1f} MB",
                    figure=f"{(gateway.memory() - before) / (count + slow) / 1024:.1f} KiB each")
    if senders.lost:
        raise Failure(f"{senders.lost} bytes of slow senders were refused before their deadlines")
    senders.close()
    crowd.close()
    gateway.stop()


def beside_slow_senders(lab, gateway, task):
    with open(lab.small, "rb") as file:
        create = file.read()
    lab.targets.add("  served beside 200 slow senders: slowest ms",
                    gateway=f"{slowest(lambda: expect(http(gateway.port, PATH, create)), 50):.1f} create",
                    figure=f"{slowest(lambda: expect(http(gateway.port, task)), 50):.1f} query")


def expect(answer):
    if answer[0] != 200:
        raise Failure(f"answered {answer}")
