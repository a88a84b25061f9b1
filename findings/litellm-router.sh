#!/usr/bin/env bash
# LiteLLM's router sends a paid POST three times, also when the server says x-should-retry: false.
#
# litellm.image_edit itself sends one POST, and its num_retries changes nothing there. One would expect the same of the
# Router, on which the LiteLLM proxy stands: it repeats every error of the server twice, sends the pictures again each
# time, and neither a retry count nor an Idempotency-Key with them. num_retries: 0 stops that; with an Idempotency-Key
# in extra_headers all three have the same key. Besides, a file is sent with its whole local path as its name.
# Recorded with litellm 1.110.2.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv litellm==1.110.2
versions litellm openai

export LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_LOG=CRITICAL
python "$folder/shirt.png" 2>"$folder/errors" <<'PYTHON'
import asyncio
import sys
import litellm
from findings import Server, answer, check, conclude

litellm.suppress_debug_info = True
picture = b"\x89PNG\r\n\x1a\n" + bytes(5000)
final = answer(502, "x-should-retry: false", body=b'{"error": {"message": "the task may exist"}}')

def run(call):
    server = Server(lambda request: final)
    try:
        call(server.url)
    except Exception as error:
        assert "the task may exist" in str(error), error
    for post in server.posts:
        assert post.is_whole and len(post.body) > 5000
    return server.posts

def direct(**options):
    return lambda url: litellm.image_edit(
        model="openai/gpt-image-1", image=picture, prompt="try it on", api_base=url, api_key="any", **options)

def router(call={}, picture=picture, **options):
    def run_it(url):
        model = {"model_name": "try-on", "litellm_params": {
            "model": "openai/gpt-image-1", "api_base": url, "api_key": "any"}}
        asyncio.run(litellm.Router(model_list=[model], **options).aimage_edit(
            model="try-on", image=picture, prompt="try it on", **call))
    return run_it

check("litellm.image_edit, POSTs", len(run(direct())), 1)
check("litellm.image_edit with num_retries=2, POSTs", len(run(direct(num_retries=2))), 1)
posts = run(router())
check("Router, POSTs", len(posts), 3)
check("Router, headers that name a retry", sum(
    "retry" in name.lower() or "idempotency" in name.lower() for post in posts for name, _ in post.fields), 0)
with open(sys.argv[1], "wb") as file:
    file.write(picture)
with open(sys.argv[1], "rb") as file:
    posts = run(router(num_retries=0, picture=file))
check("Router, the whole path is the file's name", f'filename="{sys.argv[1]}"'.encode() in posts[0].body, True)
check("Router with num_retries=0, POSTs", len(run(router(num_retries=0))), 1)
posts = run(router(call={"extra_headers": {"Idempotency-Key": "order-1"}}))
check("Router with a key in extra_headers", [post["Idempotency-Key"] for post in posts], ["order-1"] * 3)
conclude()
PYTHON
if [ "$changed" = 1 ]; then cat "$folder/errors"; fi
conclude
