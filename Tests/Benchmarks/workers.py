"""The speed-up by a second worker on a second core."""

import os
from dataclasses import replace

from load import median, ratio
from stack import LOAD_CORE, SERVER_CORE, Stub

BOTH = f"{SERVER_CORE},{LOAD_CORE}"


def two_workers(lab):
    """Compares creates by two workers on two cores with one worker on one core and on two.

    The load and the stub run on the other cores. A machine with only two cores has no others: the load and the stub
    then share the gateway's cores, and the ratio has no target. The ratio that the CPU time per create would allow is
    printed in any case; it does not include waiting for locks or the disk.
    """
    beyond = sorted(os.sched_getaffinity(0) - {int(SERVER_CORE), int(LOAD_CORE)})
    cores = ",".join(map(str, beyond)) or BOTH
    stub = lab.start(Stub, "stub-workers", lab.folder, reads_bodies=False, cores=cores)
    kinds = {"workers-one": (1, SERVER_CORE), "workers-two": (2, BOTH), "workers-one-on-two": (1, BOTH)}
    servers = [lab.gateway(name, stub, workers=workers, cores=pins) for name, (workers, pins) in kinds.items()]
    load = replace(lab.create(64), cores=cores)
    one, two, spread = load.alternate(servers, lab.rounds, lab.seconds)
    figure = ratio(two, one)
    target = {"target": ">= 1.7", "kept": figure >= 1.7} if beyond else {}
    show(lab, f"creates, 2 workers on 2 cores{'' if beyond else ' shared with the load'}, to 1 on 1", two, figure, **target)
    lab.targets.add("  cores that they used", figure=f"{median(two, 'share'):.2f}")
    lab.targets.add("  by the CPU for a create alone", figure=f"{2 * median(one, 'cpu') / median(two, 'cpu'):.2f} x")
    show(lab, "  1 worker on 2 cores, to 1 on 1", spread, ratio(spread, one))
    lab.check_creates(stub)
    for server in (*servers, stub):
        server.stop()


def show(lab, what, rounds, figure, **target):
    lab.targets.add(what, "", f"{median(rounds, 'rate'):.0f}/s", f"{figure:.2f} x",
                    cpu=("", f"{median(rounds, 'cpu'):.1f}"), **target)
