"""How long it takes until the work of a gateway that has died belongs to another one."""

import os
import statistics
import time

from postgres_server import Postgres, PostgresGateway
from stack import Stub

DATABASE = "takeover"
TARGET = 2.0


def takeover(lab):
    """Kills a gateway that owns a task, again and again, and looks at the task until the other gateway owns it."""
    deaths = 10 if lab.options.quick else 50
    server = lab.start(Postgres, "postgres-takeover", lab.folder)
    # Tasks stay unfinished.
    stub = lab.start(Stub, "stub-takeover", lab.folder, reads_bodies=False)
    # Gateways of one name have one database, and here folders of their own.
    survivor = lab.start(PostgresGateway, "takeover", lab.folder, lab.options.binary, stub.port, server)
    times = [death(lab, server, stub) for _ in range(deaths)]
    figure = max(times)
    lab.targets.add(f"work of a gateway taken over after its death, worst of {deaths}", gateway=f"{figure:.2f} s",
                    figure=f"median {statistics.median(times):.2f} s", target=f"< {TARGET:.0f} s", kept=figure < TARGET)
    survivor.stop()
    stub.stop()
    server.stop()


def death(lab, server, stub):
    folder = os.path.join(lab.folder, "victim")
    victim = lab.start(PostgresGateway, "takeover", folder, lab.options.binary, stub.port, server)
    lab.task(victim)
    owner = server.query("SELECT max(number) FROM kling_gateway.replicas", DATABASE)
    start = time.monotonic()
    victim.child.kill()
    while server.query(f"SELECT count(*) FROM kling_gateway.tasks WHERE owner = {owner}", DATABASE) != "0":
        time.sleep(0.01)
    seconds = time.monotonic() - start
    victim.stop()
    return seconds
