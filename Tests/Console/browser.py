"""Drives headless Chromium by the DevTools protocol over a pipe: no port, no driver, and it ends with this process."""

import base64
import json
import os
import select
import subprocess
import tempfile
import time

PATIENCE = 60
KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39,
}


class Browser:
    """A browser with a profile of its own. Leaving the `with` block ends it and removes the profile."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.TemporaryDirectory(prefix="console-", ignore_cleanup_errors=True)
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-extensions", "--lang=en-US", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}",
        ]
        # Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
        script = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
        self.process = subprocess.Popen(
            ["bash", "-c", script, program, *flags, "about:blank"], pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TZ": "UTC"})
        os.close(commands)
        os.close(answers)
        self.number, self.buffer, self.pages = 0, b"", {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.commands)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.answers)
        self.profile.cleanup()

    def send(self, method, session=None, **parameters):
        """Sends a command and returns its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.read(deadline)
            if answer.get("id") != self.number:
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def read(self, deadline):
        """Returns the next message, after the page that it belongs to has noted it."""
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self.buffer += piece
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        if "method" in message and (page := self.pages.get(message.get("sessionId"))):
            page.note(message["method"], message["params"])
        return message

    def page(self, width=1280, height=800, scheme="light"):
        """Opens a page with storage and cookies of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            page.send(f"{domain}.enable")
        page.look(width, height, scheme)
        return page


class Page:
    """A page, as its user has it before them."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        #: The URL of every request, the bodies sent, and everything that the page wrote to its console.
        self.requests, self.messages = [], []

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def note(self, method, about):
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.messages.append(" ".join(str(each.get("value", each.get("description"))) for each in about["args"]))
        elif method == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            self.messages.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.messages.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")

    def look(self, width=1280, height=800, scheme="light", reduced="reduce"):
        """Sets the size of the window and what the user prefers."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": reduced}])

    def open(self, url):
        self.send("Page.navigate", url=url)

    def run(self, script):
        """Runs an expression in the page and returns its value; promises are awaited."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def until(self, script, what=None):
        """Waits until an expression is true in the page, and returns its value."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                # An expression that fails is not true yet: the page may be about to be replaced.
                value = self.run(f"""new Promise(resolve => {{
                    const end = performance.now() + 5000
                    const look = () => {{
                        let value = null
                        try {{ value = {script} }} catch {{ }}
                        if (value instanceof Node) value = true
                        if (value || performance.now() > end) resolve(value)
                        else setTimeout(look, 20)
                    }}
                    look()
                }})""")
            except RuntimeError as error:
                if "context" not in str(error).lower() and "navigated" not in str(error).lower():
                    raise
                continue
            if value:
                return value
        raise AssertionError(f"{what or script}: not so. The page: {self.text()[:2000]}")

    def text(self):
        """What the user reads."""
        return self.run("document.body.innerText")

    def sees(self, text):
        """Waits until the page has a text."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})", f"the page shows {text!r}")

    def find(self, name, within="document"):
        """Waits for a visible control with that accessible name, and returns an expression for it."""
        script = f"""[...{within}.querySelectorAll('a, button, input, select, [role=tab], summary')].find(element =>
            element.checkVisibility() && [element.getAttribute('aria-label'), element.innerText?.trim(),
            ...[...(element.labels ?? [])].map(label => label.innerText.trim())].includes({json.dumps(name)}))"""
        self.until(f"Boolean({script})", f"there is a control {name!r}")
        return script

    def click(self, name, within="document"):
        """Clicks a control by its accessible name, with the mouse."""
        script = self.find(name, within)
        place = self.run(f"""(() => {{
            const element = {script}
            element.scrollIntoView({{ block: 'center' }})
            const box = element.getBoundingClientRect()
            return [box.x + box.width / 2, box.y + box.height / 2]
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def fill(self, label, text, within="document"):
        """Replaces what is in a field, by typing."""
        self.run(f"(element => {{ element.focus(); element.select?.() }})({self.find(label, within)})")
        if text:
            self.send("Input.insertText", text=text)
        else:
            self.press("Delete")

    def choose(self, label, value, within="document"):
        """Chooses an option of a list."""
        self.run(f"""(element => {{
            element.value = {json.dumps(value)}
            element.dispatchEvent(new Event('input', {{ bubbles: true }}))
            element.dispatchEvent(new Event('change', {{ bubbles: true }}))
        }})({self.find(label, within)})""")

    def press(self, key, shift=False):
        """Presses and releases a key."""
        about = {"key": key, "code": "Space" if key == " " else key, "modifiers": 8 if shift else 0}
        about["windowsVirtualKeyCode"] = KEYS.get(key, 46)
        text = {"Enter": "\r", " ": " "}.get(key)
        if text:
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        else:
            self.send("Input.dispatchKeyEvent", type="rawKeyDown", **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def choose_file(self, selector, path):
        """Chooses a file in a file field, as the file dialog does."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drop_file(self, selector, path):
        """Drops a file on an element, as from the desktop."""
        x, y = self.run(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)})
            element.scrollIntoView({{ block: 'center' }})
            const box = element.getBoundingClientRect()
            return [box.x + box.width / 2, box.y + box.height / 2]
        }})()""")
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.send("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def screenshot(self, path, whole=False):
        """Stores what is visible, or the whole page, as a PNG file."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
