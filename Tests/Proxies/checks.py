"""The checks that are run through a proxy. Each returns the cell of the table."""

import base64
import json
import threading
import time

from services import AGAIN_KEY, BOUND_ADDRESS, BOUND_KEY, FAST, KEY, SLOW
from wire import Broken, Connection, png, wait_until

PATH = "/v1/images/kolors-virtual-try-on"
MB = 1024 * 1024
SMALL = base64.b64encode(png()).decode()
# Only two large bodies are in flight at once, because this machine may have few cores.
LARGE = threading.Semaphore(2)


class Through:
    """A client of one proxy, which listens on `port` in front of `gateway`, and on `bare` in front of `recorder`.

    `tls` is the client's TLS context, or None. `hold` is the duration of the longest checks, in seconds.
    """

    def __init__(self, proxy, port, gateway, bare, recorder, tls, hold):
        self.proxy, self.port, self.gateway, self.bare, self.recorder, self.tls, self.hold = \
            proxy, port, gateway, bare, recorder, tls, hold

    def connect(self, port=None, source="127.0.0.1", timeout=60):
        return Connection(port or self.port, source, timeout, self.tls)

    def fields(self, *more, key=KEY, port=None):
        return [("Host", f"127.0.0.1:{port or self.port}"), ("Authorization", f"Bearer {key}"),
                ("Content-Type", "application/json"), *more]

    def ask(self, method, path, body=b"", *more, key=KEY, waits=False, source="127.0.0.1", timeout=60):
        with self.connect(None, source, timeout) as connection:
            return connection.ask(method, path, self.fields(*more, key=key), body, waits)

    def create(self, *more, human=SMALL, **members):
        body = {"model_name": FAST, "human_image": human, "cloth_image": SMALL, **members}
        return self.ask("POST", PATH, json.dumps(body).encode(), *more)


def cell(answer, status, holds=True):
    """Returns the status if the answer is as expected; otherwise also who answered instead, and what."""
    if answer.status == status and holds:
        return str(status)
    message = answer.json.get("message") or answer.json.get("error")
    return f"{answer.status}: {str(message)[:60]}" if message else f"{answer.status} of its own"


def large_create(through):
    """A create with 20 MB of base64."""
    with LARGE:
        human, cloth = (base64.b64encode(png(7 * MB + MB // 2)).decode() for _ in range(2))
        body = json.dumps({"model_name": FAST, "human_image": human, "cloth_image": cloth}).encode()
        return cell(through.ask("POST", PATH, body, timeout=60), 200)


def too_large_create(through):
    """The gateway's own refusal, which says what the limit is."""
    with LARGE:
        answer = through.ask("POST", PATH, b" " * (40 * MB), timeout=60)
        return cell(answer, 413, b"32" in answer.body and bool(answer.json))


def wrong_key(through):
    answer = through.ask("POST", PATH, b" " * (3 * MB), key="sk-wrong")
    return cell(answer, 401, answer.json.get("code") == 1002)


def wrong_key_expecting(through):
    answer = through.ask("POST", PATH, b" " * (3 * MB), key="sk-wrong", waits=True)
    return cell(answer, 401, answer.json.get("code") == 1002)


def slow_create(through):
    """A create of 3 MB that takes `hold` seconds to arrive."""
    body = json.dumps({"model_name": FAST, "human_image": base64.b64encode(png(2 * MB)).decode(), "cloth_image": SMALL})
    pieces = [body[start:start + 65536].encode() for start in range(0, len(body), 65536)]
    with through.connect() as connection:
        connection.send("POST", PATH, through.fields(("Content-Length", len(body))))
        for piece in pieces:
            time.sleep(through.hold / len(pieces))
            connection.socket.sendall(piece)
        return cell(connection.answer(), 200)


def edit(model, **members):
    pictures = [f"data:image/png;base64,{SMALL}"] * 2
    return json.dumps({"model": model, "image": pictures, "prompt": "", "response_format": "url", **members}).encode()


def held_edit(through):
    """The answer comes when the task has ended."""
    start = time.monotonic()
    answer = through.ask("POST", "/v1/images/edits", edit(SLOW), timeout=through.hold + 60)
    return cell(answer, 200, time.monotonic() - start >= through.hold and "data" in answer.json)


def events(through):
    """Whether the first comment of a streamed edit, which is sent at once, arrives while the picture is made."""
    with through.connect() as connection:
        connection.send("POST", "/v1/images/edits", through.fields(), edit(SLOW, stream=True))
        return "yes" if connection.receives(b": waiting\n", 10) else "no"


def leaving_client(through):
    """Whether the connection to the gateway ends within 10 s after the client has left."""
    leave(through, "/held", through.bare, b"{}")
    return "yes" if wait_until(lambda: "/held" in through.recorder.ended, 10) else "no"


def sent_again(through, *mark):
    """How many tasks are made by an edit whose client leaves and sends it again without an `Idempotency-Key`."""
    body = edit(FAST, user=f"{mark}")
    before = len(tasks(through))
    leave(through, "/v1/images/edits", through.port, body, AGAIN_KEY)
    answer = through.ask("POST", "/v1/images/edits", body, *mark, key=AGAIN_KEY)
    return str(len(tasks(through)) - before) if answer.status == 200 else cell(answer, 200)


def retried(through):
    """The same with an OpenAI SDK, which marks its retries."""
    return sent_again(through, ("X-Stainless-Retry-Count", "1"))


def tasks(through):
    return through.ask("GET", PATH + "?pageSize=500", key=AGAIN_KEY).json.get("data", [])


def leave(through, path, port, body, key=KEY):
    """Sends a POST, and hangs up before it is answered."""
    with through.connect(port) as connection:
        connection.send("POST", path, through.fields(key=key, port=port), body)
        connection.linger(0.3)


def callback(through):
    """A callback from Kling to public_url, which leads to the proxy."""
    through.create()
    if wait_until(lambda: through.gateway.logged(route="kling_callback", status="200"), 10):
        return "200"
    return str(through.gateway.logged(route="kling_callback"))


def encoded_slash(through):
    name = f"order/47 11;{through.proxy.name}"
    through.create(external_task_id=name)
    return cell(through.ask("GET", PATH + "/" + name.replace("/", "%2F").replace(" ", "%20")), 200)


def upload_link(through):
    """The link of an upload begins with public_url and leads to the picture."""
    picture = png(MB)
    answer = through.ask("POST", "/v1/kling/assets", picture, ("X-Type", "png"))
    link = answer.json.get("url", "")
    base = f"{'https' if through.tls else 'http'}://127.0.0.1:{through.port}"
    if not link.startswith(base + "/"):
        return cell(answer, 200, False)
    read = through.ask("GET", link[len(base):])
    return cell(read, 200, read.body == picture)


def two_keys(through):
    """Two `Idempotency-Key` fields, which some proxies join into one."""
    answer = through.create(("Idempotency-Key", "one"), ("Idempotency-Key", "two"))
    return cell(answer, 400, b"Idempotency-Key" in answer.body)


def bound_key(through):
    """A key with `addresses`: it is accepted from there. From elsewhere, claiming such an address does not help."""
    inside = through.ask("GET", PATH, key=BOUND_KEY, source=BOUND_ADDRESS)
    outside = through.ask(
        "GET", PATH, b"", ("X-Forwarded-For", BOUND_ADDRESS), ("Forwarded", f"for={BOUND_ADDRESS}"), key=BOUND_KEY,
        source="127.0.0.3")
    return f"{inside.status}, {outside.status}"


def restart(through):
    """Whether requests work within 5 s after a restart of the gateway during which some have failed."""
    def works():
        try:
            return through.ask("GET", PATH, timeout=10).status == 200
        except (Broken, OSError):
            return False
    through.gateway.stop()
    worked = [works() for _ in range(5)]
    through.gateway.start()
    return "yes" if not any(worked) and wait_until(works, 5) else "no"


def forwarded_fields(through):
    """How a request's fields arrive at the server behind the proxy."""
    with through.connect(through.bare, BOUND_ADDRESS) as connection:
        connection.ask("POST", "/fields", through.fields(
            ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("Idempotency-Key", "one"),
            ("Idempotency-Key", "two"), ("X-Request-Id", "order-7"), ("Order_Number", "7"), port=through.bare), b"{}")
    seen = through.recorder.seen("/fields")[0]

    def values(name):
        return [value for key, value in seen if key.lower() == name]
    addresses = [each.strip() for value in values("x-forwarded-for") for each in value.split(",")]
    keys = values("idempotency-key")
    return {
        "host": "kept" if values("host") == [f"127.0.0.1:{through.bare}"] else str(values("host")),
        "for": "client alone" if addresses == [BOUND_ADDRESS]
               else "client last" if addresses and addresses[-1] == BOUND_ADDRESS else str(addresses),
        "proto": " ".join(values("x-forwarded-proto")),
        "authorization": "kept" if values("authorization") == [f"Bearer {KEY}"] else "lost",
        "request id": "kept" if values("x-request-id") == ["order-7"] else str(values("x-request-id")),
        "lines": "kept" if keys == ["one", "two"] else "joined" if len(keys) == 1 else str(keys),
        "underscore": "kept" if values("order_number") == ["7"] else "lost",
    }


def streaming(through):
    """Whether the gateway has the head while the client still sends the body."""
    with through.connect(through.bare) as connection:
        connection.send("POST", "/slow", through.fields(("Content-Length", 20 * MB), port=through.bare))
        connection.socket.sendall(bytes(64 * 1024))
        return "yes" if wait_until(lambda: through.recorder.seen("/slow"), 10) else "no"


def broken_post(through):
    """How often a POST arrives if its reused connection ends without an answer, and what the client gets."""
    def get():
        with through.connect(through.bare) as connection:
            return connection.ask("GET", "/warm", through.fields(port=through.bare))
    get()
    get()
    with through.connect(through.bare) as connection:
        try:
            status = connection.ask("POST", "/drop", through.fields(
                ("Idempotency-Key", "once"), port=through.bare), b"{}").status
        except Broken:
            status = "closed"
    time.sleep(1)
    return f"{len(through.recorder.seen('/drop'))}, {status}"


def caching(through):
    """Whether a second GET is answered from a cache, if the first answer allows that."""
    for _ in range(2):
        with through.connect(through.bare) as connection:
            fields = [each for each in through.fields(port=through.bare) if each[0] != "Authorization"]
            connection.ask("GET", "/cached", fields + [("X-API-KEY", KEY)])
    return "yes" if len(through.recorder.seen("/cached")) < 2 else "no"


# Long checks run beside all others, and the restart runs last.
LONG, LAST = (slow_create, held_edit), (restart,)
# The rows of the table, each with its text and its check.
ROWS = [
    ("create, 20 MB", large_create),
    ("create, 40 MB: the gateway's answer", too_large_create),
    ("wrong key, 3 MB", wrong_key),
    ("wrong key, 3 MB, `Expect: 100-continue`", wrong_key_expecting),
    ("create that takes 70 s to arrive", slow_create),
    ("`images.edit` that takes 70 s", held_edit),
    ("Server-Sent Events arrive as they are sent", events),
    ("a client that leaves is noticed", leaving_client),
    ("tasks of an edit whose client leaves and sends it again", sent_again),
    ("the same by an OpenAI SDK, which marks it", retried),
    ("Kling's callback to `public_url`", callback),
    ("query by an id with `%2F`", encoded_slash),
    ("link of an upload", upload_link),
    ("two `Idempotency-Key` fields", two_keys),
    ("key bound to an address: from there, from elsewhere", bound_key),
    ("works within 5 s of the gateway's restart", restart),
    ("the body is passed on as it arrives", streaming),
    ("POSTs that arrive if the connection breaks; status", broken_post),
    ("answers are cached", caching),
]
FIELDS = [
    ("`Authorization`", "authorization"),
    ("`Host`", "host"),
    ("`X-Forwarded-For`", "for"),
    ("`X-Forwarded-Proto`", "proto"),
    ("`X-Request-Id`", "request id"),
    ("two fields of one name", "lines"),
    ("a field with `_` in its name", "underscore"),
]
