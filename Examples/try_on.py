"""Creates a try-on task, waits for it and prints the picture's URL."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

PATH = os.environ["GATEWAY_URL"] + "/v1/images/kolors-virtual-try-on"


def call(url, body=None, headers=None):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["GATEWAY_KEY"]})
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        sys.exit(f"HTTP {error.code}: {json.load(error)['message']}")


pictures = {"human_image": os.environ["PERSON"], "cloth_image": os.environ["GARMENT"]}
task = call(PATH, pictures, {"Idempotency-Key": str(uuid.uuid4())})
deadline = time.monotonic() + 120
while task["task_status"] not in ("succeed", "failed"):
    if time.monotonic() > deadline:
        sys.exit(f"task {task['task_id']} is not finished yet")
    time.sleep(1)
    task = call(f"{PATH}/{task['task_id']}")

if task["task_status"] == "failed":
    sys.exit("the task failed: " + task.get("task_status_msg", ""))
for image in task["task_result"]["images"]:
    print(image["url"])
