#!/usr/bin/env bash
# OpenAI's Python SDK numbers its retries since 1.47.0. Before, nothing tells a retry from a second order.
#
# A server may rely on x-stainless-retry-count to recognise what the SDK repeats by itself. All versions repeat a POST
# twice, but 1.46.0 and older ones send the same headers each time, and no Idempotency-Key. Even the body's bytes do not
# help: each try has a new boundary.
# Recorded with openai 1.46.0 and 1.47.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openai==1.47.0 httpx==0.27.2
overlay 1.46.0 openai==1.46.0

for version in 1.46.0 1.47.0; do
    PYTHONPATH="$folder/$version" python <<'PYTHON'
import time
import openai
from findings import Server, answer, check, conclude

time.sleep = lambda seconds: None
server = Server(lambda request: answer(502))
try:
    openai.OpenAI(base_url=server.url, api_key="any").images.edit(prompt="", image=("a.png", b"a", "image/png"))
except openai.InternalServerError:
    pass
version = openai.__version__
counts = {"1.46.0": [None, None, None], "1.47.0": [None, "1", "2"]}[version]
check(f"openai {version}, x-stainless-retry-count of its POSTs", [p["x-stainless-retry-count"] for p in server.posts],
      counts)
names = [sorted(field.lower() for field, _ in post.fields) for post in server.posts]
check(f"openai {version}, all its POSTs have the same header names", names[0] == names[1] == names[2],
      version == "1.46.0")
check(f"openai {version}, Idempotency-Key", {post["Idempotency-Key"] for post in server.posts}, {None})
check(f"openai {version}, different bodies", len({post.body for post in server.posts}), 3)
conclude()
PYTHON
done
conclude
