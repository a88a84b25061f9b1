"""Makes the calls of Kling's published ComfyUI nodes: tokens signed with a key pair, a timeout of 5 s, and a query per
second to a path with two slashes. Every answer except a 200 with `data` is an error.

Expects GATEWAY, ACCESS_KEY, SECRET_KEY and WRONG_SECRET_KEY. First checks that the latter is refused, and then prints the
result's URL.
"""

import base64
import os
import time

import httpx
import jwt
from pictures import png

PATH = "/v1/images/kolors-virtual-try-on"


class Refused(Exception):
    def __init__(self, response):
        answer = response.json()
        super().__init__(f"{response.status_code}: {answer}")
        self.status, self.code = response.status_code, answer.get("code")


def client(secret_key):
    now = int(time.time())
    claims = {"iss": os.environ["ACCESS_KEY"], "exp": now + 1800, "nbf": now - 5}
    token = jwt.encode(claims, secret_key, headers={"alg": "HS256", "typ": "JWT"})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=os.environ["GATEWAY"], headers=headers, timeout=httpx.Timeout(5))


def data(response):
    if response.status_code != 200 or "data" not in response.json():
        raise Refused(response)
    return response.json()["data"]


def try_on(kling):
    human, cloth = (base64.b64encode(png(gray=gray)).decode() for gray in (120, 220))
    body = {"model_name": "kolors-virtual-try-on-v1", "human_image": human, "cloth_image": cloth}
    task = data(kling.request("POST", PATH, json=body))
    while task["task_status"] in ("submitted", "processing"):
        time.sleep(1)
        task = data(kling.request("GET", f"{PATH}//{task['task_id']}"))
    assert task["task_status"] == "succeed", task
    return task["task_result"]["images"][0]["url"]


try:
    try_on(client(os.environ["WRONG_SECRET_KEY"]))
    raise SystemExit("a wrong secret key was accepted")
except Refused as refusal:
    assert (refusal.status, refusal.code) == (401, 1002), refusal

url = try_on(client(os.environ["SECRET_KEY"]))
picture = httpx.get(url)
assert picture.status_code == 200 and picture.headers["content-type"].startswith("image/"), picture
print(url)
