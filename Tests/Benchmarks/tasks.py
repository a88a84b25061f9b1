"""Memory of unfinished tasks, fresh and after a restart, in front of a simulated Kling whose tasks take a day."""

import time

from lab import OTHER_BUILD
from stack import ACCESS_KEY, LOAD_CORE, SECRET_KEY, Server, free_port

DAY = 24 * 3600 * 1000
# How long creating the tasks may take, in seconds. If there are fewer tasks than wanted, the row says so.
CREATING = 150
# How long to wait until the memory of the load is released, and after a restart until the tasks are read, in seconds.
SETTLING = 5
# The second half does not include what the load itself leaves: connection buffers and the store's cache.
SECOND_HALF = "the second half alone"


class Simulator(Server):
    def __init__(self, name, folder, binary):
        self.port = free_port()
        super().__init__(name, [binary, "simulate", "--listen", f"127.0.0.1:{self.port}", "--access-key", ACCESS_KEY,
                                "--secret-key", SECRET_KEY, "--min-duration", str(DAY), "--max-duration", str(DAY)],
                         LOAD_CORE, folder)
        self.wait(self.port)


def unfinished_tasks(lab):
    """Measures the bytes per task, beyond those of a gateway without tasks, for this build and the other one."""
    wanted = lab.options.tasks
    count, ours = measure(lab, "gateway-tasks", lab.options.binary)
    note = "" if count >= wanted else f" (of {wanted}: {CREATING} s were too short)"
    lab.targets.add(f"{count} unfinished tasks{note}: bytes each")
    for name, figure in ours.items():
        target = {} if name == SECOND_HALF else {"target": "<= 250", "kept": figure <= 250}
        lab.targets.add(f"  {name}", figure=f"{figure:.0f}", **target)
    if lab.options.against:
        _, theirs = measure(lab, "gateway-tasks-against", lab.options.against)
        for name, figure in ours.items():
            lab.table(OTHER_BUILD).add_figure(f"bytes of an unfinished task, {name}", theirs[name], figure)


def measure(lab, name, binary):
    """Returns the number of tasks, and the bytes per task in each state."""
    simulator = lab.start(Simulator, f"{name}-kling", lab.folder, lab.options.binary)
    gateway = lab.gateway(name, simulator, binary)
    lab.task(gateway)
    idle = settled(gateway)
    create(lab, gateway, lab.options.tasks // 2)
    first, half = gateway.count()[0], settled(gateway)
    create(lab, gateway, lab.options.tasks - first)
    count, fresh = gateway.count()[0], settled(gateway)
    gateway.stop()
    gateway = lab.gateway(name, simulator, binary)
    restarted = settled(gateway)
    gateway.stop()
    simulator.stop()
    return count, {"beyond idle": (fresh - idle) / count, "beyond idle, after a restart": (restarted - idle) / count,
                   SECOND_HALF: (fresh - half) / max(1, count - first)}


def settled(gateway):
    time.sleep(SETTLING)
    return gateway.memory()


def create(lab, gateway, number):
    """Creates about `number` tasks, in rounds, unless that takes too long."""
    deadline = time.monotonic() + CREATING / 2
    load, seconds = lab.create(64), 1
    while number > 0 and time.monotonic() < deadline:
        round = load.run(gateway, seconds)
        number -= round.requests
        seconds = max(1, min(10, int(number / round.rate)))
