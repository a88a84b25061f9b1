"""Memory of unfinished tasks, fresh and after a restart, in front of a simulated Kling whose tasks take a day.

What the load of creates leaves is bounded, however many tasks there are: the store's page caches above all. It counts in
the figures beyond idle. The figures of the tasks alone are what twice as many tasks take in addition.
"""

import time

from lab import OTHER_BUILD
from stack import ACCESS_KEY, LOAD_CORE, SECRET_KEY, Server, free_port

DAY = 24 * 3600 * 1000
# How long creating the tasks may take, in seconds. If there are fewer tasks than wanted, the row says so.
CREATING = 120
# How long to wait until the memory of the load is released, and after a restart until the tasks are read, in seconds.
SETTLING = 5
# These do not include what the load itself leaves: connection buffers and the store's cache.
ALONE = ("the tasks alone", "the tasks alone, after a restart")


class Simulator(Server):
    def __init__(self, name, folder, binary):
        self.port = free_port()
        super().__init__(name, [binary, "simulate", "--listen", f"127.0.0.1:{self.port}", "--access-key", ACCESS_KEY,
                                "--secret-key", SECRET_KEY, "--min-duration", str(DAY), "--max-duration", str(DAY)],
                         LOAD_CORE, folder)
        self.wait(self.port)


def unfinished_tasks(lab):
    """Bytes for each beyond what the gateway has without tasks; of this build and the other."""
    wanted = lab.options.tasks
    count, ours = measure(lab, "gateway-tasks", lab.options.binary)
    note = "" if count >= wanted else f" (of {wanted}: {CREATING} s were too short)"
    lab.targets.add(f"{count} unfinished tasks{note}: bytes each")
    for name, figure in ours.items():
        target = {"target": "<= 250", "kept": figure <= 250}
        lab.targets.add(f"  {name}", figure=f"{figure:.0f}", **target)
    if lab.options.against:
        _, theirs = measure(lab, "gateway-tasks-against", lab.options.against)
        for name, figure in ours.items():
            lab.table(OTHER_BUILD).add_figure(f"bytes of an unfinished task, {name}", theirs[name], figure)


def measure(lab, name, binary):
    """Returns the number of tasks, and the bytes per task in each state."""
    wanted = lab.options.tasks
    simulator = lab.start(Simulator, f"{name}-kling", lab.folder, lab.options.binary)
    count, fresh, restarted = beyond_idle(lab, f"{name}-1", simulator, binary, wanted)
    twice, *both = beyond_idle(lab, f"{name}-2", simulator, binary, 2 * wanted)
    simulator.stop()
    more = max(1, twice - count)
    alone = [(large - small) / more for large, small in zip(both, (fresh, restarted))]
    return count, {"beyond idle": fresh / count, "beyond idle, after a restart": restarted / count,
                   **dict(zip(ALONE, alone))}


def beyond_idle(lab, name, simulator, binary, wanted):
    """Returns the number of tasks, and the bytes that they take beyond idle: fresh, and after a restart."""
    gateway = lab.gateway(name, simulator, binary)
    lab.task(gateway)
    idle = settled(gateway)
    create(lab, gateway, wanted)
    count, fresh = gateway.count()[0], settled(gateway)
    gateway.stop()
    gateway = lab.gateway(name, simulator, binary)
    restarted = settled(gateway)
    gateway.stop()
    return count, fresh - idle, restarted - idle


def settled(gateway):
    time.sleep(SETTLING)
    return gateway.memory()


def create(lab, gateway, number):
    """Creates about `number` tasks, in rounds, unless that takes too long."""
    deadline = time.monotonic() + CREATING
    load, seconds = lab.create(64), 1
    while number > 0 and time.monotonic() < deadline:
        round = load.run(gateway, seconds)
        number -= round.requests
        seconds = max(1, min(10, int(number / round.rate)))
