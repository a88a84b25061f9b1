#!/usr/bin/env bash
# OpenAI's Python SDK sends a paid POST up to three times, without an Idempotency-Key.
#
# The SDK supports idempotency keys, and one would expect that the retries of images.edit carry one, the same each time.
# None is sent. A retry differs from a new request only in x-stainless-retry-count (1 or 2 instead of 0), which does not
# say which request is retried: a server can only compare the content.
# Recorded with openai 3.52.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openai==3.52.0
"$folder/venv/bin/pip" list 2>/dev/null | grep '^openai '

cat >"$folder/edit.py" <<'PYTHON'
import os, openai

client = openai.OpenAI(base_url=os.environ["URL"], api_key="any")
client.images.edit(prompt="try it on", image=[("a.png", b"a", "image/png"), ("b.png", b"b", "image/png")])
PYTHON

for how in fin rst; do
    run $how 2 "$folder/venv/bin/python" "$folder/edit.py"
    expect "images.edit, two connections end by $how" 3
    sed 's/^/    /' "$folder/requests" | grep POST
    if grep -q idempotency "$folder/requests"; then
        echo "CHANGED: an idempotency key was sent"
        changed=1
    fi
    if [ "$(grep -o 'retry-count=.' "$folder/requests" | tr -d '\n')" != "retry-count=0retry-count=1retry-count=2" ]; then
        echo "CHANGED: x-stainless-retry-count does not count 0, 1, 2"
        changed=1
    fi
done
conclude
