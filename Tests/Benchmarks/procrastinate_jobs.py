"""A peer of the gateway's store: defers jobs and finishes them with procrastinate, both in this process.

Its arguments are the database, the number of jobs that are open at the same time, and for how many seconds. Each job is
deferred when the one before it has run. Prints `READY` when the first jobs have run, and then what it came to as a line of
JSON. A job counts when the database has it as finished.
"""

import asyncio
import json
import sys
import time

from procrastinate import App, PsycopgConnector

# A worker fetches its jobs one after the other, each in a transaction.
WORKERS = 8
FINISHED = "SELECT count(*) AS jobs FROM procrastinate_jobs WHERE status = 'succeeded'"


async def main(url, slots, seconds):
    app = App(connector=PsycopgConnector(conninfo=url, min_size=slots, max_size=slots))
    running, deadline = {}, time.monotonic() + 30

    # A job is as wide as a create.
    @app.task(name="create")
    async def create(number, **_):
        running.pop(number).set_result(None)

    async def defer(slot):
        number = slot
        while time.monotonic() < deadline:
            running[number] = asyncio.get_running_loop().create_future()
            ran = running[number]
            await create.defer_async(number=number, model="kolors-virtual-try-on-v1-5", content="0" * 64,
                                     account="kling", tenant="bench")
            await ran
            number += slots

    async def finished():
        return (await app.connector.execute_query_one_async(FINISHED))["jobs"]

    async with app.open_async():
        workers = [asyncio.create_task(app.run_worker_async(concurrency=slots // WORKERS, install_signal_handlers=False))
                   for _ in range(WORKERS)]
        before = await finished()
        clients = [asyncio.create_task(defer(slot)) for slot in range(slots)]
        while await finished() == before:
            await asyncio.sleep(0.01)
        print("READY", flush=True)
        deadline, start, before = time.monotonic() + seconds + 1, time.monotonic(), await finished()
        await asyncio.sleep(seconds)
        done, duration = await finished() - before, time.monotonic() - start
        print(json.dumps({"rate": done / duration}), flush=True)
        await asyncio.gather(*clients)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
