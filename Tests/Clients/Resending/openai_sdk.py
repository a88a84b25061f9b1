"""OpenAI's SDK with its own retries."""

import os
import sys

import openai

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from pictures import png  # noqa: E402

client = openai.OpenAI(base_url=os.environ["GATEWAY"] + "/v1", api_key=os.environ["KEY"])
images = client.images.edit(
    prompt="", response_format="url",
    image=[("person.png", png(gray=120), "image/png"), ("garment.png", png(gray=220), "image/png")])
print(images.to_json(indent=None))
