"""OpenAI's own Python SDK, unmodified: only base_url and api_key are ours.

Expects GATEWAY, KEY, and CASE, which selects the test.
"""

import base64
import json
import os

import openai
from pictures import png

HUMAN = ("person.png", png(gray=120), "image/png")
CLOTH = ("garment.png", png(gray=220), "image/png")


def client(key=os.environ["KEY"]):
    return openai.OpenAI(base_url=os.environ["GATEWAY"] + os.environ.get("BASE", "/v1"), api_key=key)


def refusal(kind, ask):
    try:
        ask()
    except kind as error:
        assert error.request_id and error.request_id == error.response.headers["x-request-id"], error
        return error
    raise SystemExit(f"{kind.__name__} was not raised")


def models():
    names = [model.id for model in client().models.list()]
    assert "kolors-virtual-try-on-v1-5" in names, names
    model = client().models.retrieve("kolors-virtual-try-on-v1-5")
    assert model.object == "model" and model.created > 0, model


def url():
    images = client().images.edit(
        prompt="", model="kolors-virtual-try-on-v1-5", image=[HUMAN, CLOTH], response_format="url",
        extra_body={"external_task_id": "order-1"})
    assert images.data[0].url.startswith("http") and images.data[0].b64_json is None, images
    assert images.created > 0 and images.task_id, images


def base64_picture():
    images = client().images.edit(prompt="", image=[HUMAN, CLOTH], n=2, response_format="b64_json")
    assert len(images.data) == 2, images
    for image in images.data:
        assert base64.b64decode(image.b64_json).startswith(b"\x89PNG"), image


def stream():
    with client().images.edit(prompt="", image=[HUMAN, CLOTH], n=2, stream=True, partial_images=2) as events:
        events = list(events)
    assert len(events) == 2, events
    for event in events:
        # The SDK itself does not validate answers.
        type(event).model_validate(event.to_dict(), strict=True)
        assert event.type == "image_edit.completed" and event.usage.total_tokens == 0, event
        assert base64.b64decode(event.b64_json).startswith(b"\x89PNG") and event.size == "512x768", event.size


def stream_errors():
    error = refusal(
        openai.BadRequestError, lambda: client().images.edit(prompt="", image=[HUMAN, CLOTH], n=9, stream=True))
    assert (error.code, error.param) == ("invalid_parameter", "n"), error
    person = instruction(outcome="failed", message="The garment cannot be seen")
    try:
        list(client().images.edit(
            prompt="", image=[], stream=True, extra_body={"image": [person, "https://shop.example/a.png"]}))
    except openai.APIError as error:
        assert error.code == "task_failed" and "cannot be seen" in error.message and error.body["task_id"], error
    else:
        raise SystemExit("the failed task raised no error")


def errors():
    error = refusal(openai.AuthenticationError, lambda: client("sk-wrong").models.list())
    assert (error.status_code, error.code, error.type) == (401, "invalid_api_key", "authentication_error"), error
    error = refusal(openai.NotFoundError, lambda: client().models.retrieve("gpt-image-1"))
    assert (error.status_code, error.code, error.param) == (404, "model_not_found", "model"), error
    error = refusal(openai.BadRequestError, lambda: client().images.edit(prompt="", image=[HUMAN, CLOTH], n=9))
    assert (error.code, error.param) == ("invalid_parameter", "n"), error
    error = refusal(
        openai.BadRequestError, lambda: client().images.edit(prompt="", image=[HUMAN, ("x.png", b"GIF89a..")]))
    assert (error.code, error.param) == ("invalid_parameter", "image"), error


def instruction(**instructions):
    """The person's URL, with instructions for the simulated Kling."""
    text = base64.urlsafe_b64encode(json.dumps(instructions).encode()).decode().rstrip("=")
    return f"https://shop.example/person.png?simulate={text}"


def failed_task():
    for message, code in (
        ("Failure to pass the risk control system", "content_policy_violation"),
        ("The garment cannot be seen", "task_failed"),
    ):
        person = instruction(outcome="failed", message=message)
        error = refusal(
            openai.BadRequestError,
            lambda: client().images.edit(prompt="", image=[], extra_body={"image": [person, "https://shop.example/a.png"]}))
        assert error.code == code and message in error.message, error
        assert error.body["task_id"], error.body


def failed_account():
    error = refusal(openai.InternalServerError, lambda: client().images.edit(prompt="", image=[HUMAN, CLOTH]))
    assert error.status_code == 503 and error.code == "upstream_account_refused", error


globals()[os.environ["CASE"]]()
