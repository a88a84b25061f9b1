#!/usr/bin/env bash
# OpenAI's Python SDK obeys x-should-retry only if it is exactly "true" or "false", and there is one.
#
# A server that must not get a POST twice answers with x-should-retry: false. One would expect that to hold in any case
# of letters, as HTTP's own keywords do, and if a proxy adds the same line again. "False" and two lines are ignored
# without a word: a 503 is then sent again. Without the header, 409, 429 and every status from 500 on (501 and 505 too)
# are repeated, and 425 Too Early, which means "again, please", is not.
# Recorded with openai 3.57.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openai==3.57.0
versions openai

python <<'PYTHON'
import time
import openai
from findings import Server, answer, check, conclude

time.sleep = lambda seconds: None

def posts(status, *fields):
    server = Server(lambda request: answer(status, *fields))
    try:
        openai.OpenAI(base_url=server.url, api_key="any").images.edit(prompt="", image=("a.png", b"a", "image/png"))
    except openai.APIStatusError:
        pass
    return len(server.posts)

for status, fields, recorded in (
    (503, [], 3),
    (503, ["x-should-retry: false"], 1),
    (503, ["x-should-retry: False"], 3),
    (503, ["x-should-retry: false", "x-should-retry: false"], 3),
    (400, ["x-should-retry: true"], 3),
    (400, ["x-should-retry: True"], 1),
    *((status, [], 1) for status in (400, 401, 403, 404, 410, 413, 422, 425)),
    *((status, [], 3) for status in (408, 409, 429, 500, 501, 505, 599)),
):
    check(f"POSTs after {status} {', '.join(fields)}".rstrip(), posts(status, *fields), recorded)
conclude()
PYTHON
conclude
