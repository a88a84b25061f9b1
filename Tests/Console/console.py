"""The console in headless Chromium, as an operator uses it.

Expects ADMIN, the URL of the admin listener; TOKEN, its token; GATEWAY, the URL of the clients' listener; KEY, a
client's key; and CASE, which selects the test. TASK is the external id of a finished task, and DELIVERY the id of a
callback of it. With SCREENSHOTS, pictures of the pages are stored in that folder.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from accessibility import check_page, check_focus
from browser import Browser

sys.path.append(str(Path(__file__).parents[1] / "Clients"))
from pictures import png

ADMIN, TOKEN = os.environ["ADMIN"], os.environ["TOKEN"]
DIALOG = "document.querySelector('dialog')"
PAGES = ["", "tasks", "callbacks", "keys", "tenants", "tenants/shop", "usage", "audit", "try"]


def signed_in(browser, **look):
    """Opens the console and signs in as an operator does, with one typing error."""
    page = browser.page(**look)
    page.open(ADMIN + "/")
    page.fill("Admin token", TOKEN + "x")
    page.press("Enter")
    page.until("document.querySelector('[aria-invalid]') && document.querySelector('.error').innerText")
    page.fill("Admin token", TOKEN)
    page.press("Enter")
    page.sees("Needs attention")
    return page


def go(page, address):
    """Opens a page of the console by its address, and waits until it is shown."""
    page.run(f"location.hash = '#/{address}'")
    page.until(f"location.hash === '#/{address}' && document.querySelector('main h1')")
    page.until("!document.querySelector('.loading')")


def check_traffic(page):
    """Checks that nothing was asked of another origin, and that nothing secret was kept or logged."""
    own = (ADMIN + "/", "blob:" + ADMIN + "/", "data:", "about:")
    foreign = [url for url in page.requests if not url.startswith(own)]
    assert not foreign, foreign
    assert page.run("document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)") == ""
    assert page.run("indexedDB.databases().then(all => all.length)") == 0
    unexpected = [each for each in page.messages if "Failed to load resource" not in each]
    assert not unexpected, unexpected
    for text in [*page.messages, *page.requests, page.text(), page.run("document.documentElement.outerHTML")]:
        assert TOKEN not in text, text


def shot(page, name):
    """Stores a picture of the page, if that is asked for."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(f"{folder}/{name}.png")


def picture(folder, name, **about):
    path = Path(folder, name)
    path.write_bytes(png(**about))
    return path


def tries_it_on(browser):
    page = signed_in(browser)
    page.click("Try it")
    with tempfile.TemporaryDirectory() as folder:
        page.find("Try it on")
        page.click("Try it on")
        page.sees("Choose a picture of the person.")
        page.drop_file("[data-key=drop-person]", picture(folder, "small.png", width=200))
        page.sees("each side needs at least 300")
        page.drop_file("[data-key=drop-person]", picture(folder, "person.png", gray=120))
        page.sees("person.png")
        page.choose_file("#drop-garment", picture(folder, "it's a shirt.png", gray=220))
        page.sees("it's a shirt.png")
    assert "'it'\\''s a shirt.png'" in page.run("document.querySelector('pre').innerText")
    page.click("Try it on")
    page.until("document.querySelectorAll('.triptych img').length === 3")
    page.until("[...document.querySelectorAll('.triptych img')].every(each => each.naturalWidth >= 300)")
    page.until("document.querySelector('main [role=status]').innerText === 'succeeded'")
    states = page.run("[...document.querySelectorAll('.timeline .state')].map(each => each.innerText)")
    assert states[-1] == "succeeded" and len(states) == len(set(states)) > 1, states
    shot(page, "try-it")
    page.click("curl")
    page.press("ArrowRight")
    assert page.run("document.activeElement.innerText") == "Python"
    page.send("Page.reload")
    page.until("document.querySelectorAll('.triptych img').length === 1", "the result is shown after a reload")
    check_traffic(page)


def shows_code_that_works(browser):
    page = signed_in(browser)
    go(page, "try")
    with tempfile.TemporaryDirectory() as folder:
        page.choose_file("#drop-person", picture(folder, "it's me.png", gray=120))
        page.sees("it's me.png")
        page.choose_file("#drop-garment", picture(folder, "shirt.png", gray=220))
        page.sees("shirt.png")
        for language, command in {"curl": "bash", "Python": sys.executable, "JavaScript": "node"}.items():
            if not shutil.which(command):
                continue
            page.click(language)
            page.until(f"document.querySelector('[aria-selected=true]').innerText === {json.dumps(language)}")
            # A module in JavaScript is known by its name.
            script = Path(folder, "try-on.mjs")
            text = page.run("document.querySelector('pre').innerText")
            text = text.replace("http://localhost:8080", os.environ["GATEWAY"]).replace("sk-...", os.environ["KEY"])
            script.write_text(text)
            ended = subprocess.run(
                [command, script], cwd=folder, capture_output=True, text=True, timeout=60,
                env={**os.environ, "GATEWAY_URL": os.environ["GATEWAY"], "GATEWAY_KEY": os.environ["KEY"]})
            assert ended.returncode == 0, (language, ended.stderr)
            expected = '"task_id"' if language == "curl" else "http"
            assert expected in ended.stdout, (language, ended.stdout, ended.stderr)


def finds_a_task(browser):
    task, delivery = os.environ["TASK"], os.environ["DELIVERY"]
    page = signed_in(browser)
    page.click("Tasks")
    page.fill("Any id", task)
    page.press("Enter")
    page.until("document.querySelectorAll('tbody tr').length === 1")
    page.sees(task)
    page.run("document.querySelector('tbody a').click()")
    page.click(f"Redeliver {delivery}")
    page.sees("The callback will be sent again.")
    page.sees("delivered")
    page.run("history.back()")
    page.until("document.querySelector('h1').innerText === 'Tasks'")
    page.until("document.querySelectorAll('tbody tr').length === 1", "going back shows the search again")
    check_traffic(page)


def ask(key, body=None):
    """The status that a client with this key gets for a list, or for a create."""
    request = urllib.request.Request(
        os.environ["GATEWAY"] + "/v1/images/kolors-virtual-try-on", body and json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def refreshes_around_the_user(browser):
    page = signed_in(browser)
    go(page, "tasks")
    page.until("document.querySelectorAll('tbody tr').length > 0")
    page.fill("Any id", "half a word")
    assert ask(os.environ["KEY"], {
        "human_image": "https://shop.example/person.png", "cloth_image": "https://shop.example/shirt.png",
        "external_task_id": "order-of-this-test"}) == 200
    page.sees("order-of-this-test")
    assert page.run("document.activeElement.value") == "half a word", "typed text and the focus stay"
    check_traffic(page)


def wait_for(status, key):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if ask(key) == status:
            return
    raise AssertionError(f"the key is not answered {status}")


def makes_and_revokes_a_key(browser):
    page = signed_in(browser)
    page.click("Keys")
    page.click("Make a key")
    page.click("Make the key")
    page.until(f"{DIALOG}.querySelector('[aria-invalid]')?.name === 'tenant'", "the missing tenant is named there")
    page.fill("Tenant", "atelier", DIALOG)
    page.fill("Name", "front desk", DIALOG)
    page.fill("Requests per minute", "lots", DIALOG)
    page.click("Make the key")
    page.until(f"{DIALOG}.querySelector('[aria-invalid]')?.name === 'requests_per_minute'")
    page.fill("Requests per minute", "60000", DIALOG)
    page.click("Make the key")
    page.find("Copy the bearer key")
    secrets = page.run(f"[...{DIALOG}.querySelectorAll('code')].map(each => each.innerText)")
    assert len(secrets) == 4 and all(secrets), "a bearer key, an access key, a secret key and a webhook secret"
    wait_for(200, secrets[0])
    page.press("Escape")
    page.until("!document.querySelector('dialog')")
    assert page.run("document.activeElement.innerText") == "Make a key", "the focus returns"
    page.click("front desk")
    page.sees("60,000")
    page.click("Revoke")
    page.until(f"{DIALOG}.contains(document.activeElement)", "the focus is in the dialog")
    assert page.run("document.activeElement.innerText") == "Cancel", "the safe choice comes first"
    page.press("Escape")
    page.until("!document.querySelector('dialog')")
    assert ask(secrets[0]) == 200
    page.click("Revoke")
    page.click("Revoke the key")
    page.sees("revoked")
    wait_for(401, secrets[0])
    go(page, "audit")
    page.until("document.querySelectorAll('tbody tr').length >= 2", "the audit log has both changes")
    for secret in (secrets[0], *secrets[2:]):
        assert secret not in page.run("document.documentElement.outerHTML") + "".join(page.messages + page.requests)
    check_traffic(page)


def changes_a_tenant(browser):
    page = signed_in(browser)
    go(page, "tenants/shop")
    page.click("Edit")
    page.click("Add a budget")
    page.fill("Limit", "many", DIALOG)
    page.click("Save")
    page.until(f"{DIALOG}.querySelector('[aria-invalid]')?.name === 'budgets[0].limit'", "the limit is named")
    page.fill("Limit", "1000", DIALOG)
    page.click("Save")
    page.until("document.querySelector('[role=meter]')?.getAttribute('aria-valuetext').endsWith('of 1,000')")
    page.click("Disable")
    page.sees("disabled")
    page.click("Enable")
    page.sees("The tenant works again.")
    check_traffic(page)


def groups_usage(browser):
    page = signed_in(browser)
    go(page, "usage")
    page.click("day")
    page.choose("Tenant", "shop")
    page.click("Show")
    page.until("location.hash.includes('tenant=shop') && location.hash.includes('by=tenant%2Cday')")
    titles = "[...document.querySelectorAll('thead th')].map(each => each.innerText)"
    page.until(f"{titles}.slice(0, 2).join() === 'Tenant,Day'")
    page.until("document.querySelector('tbody tr').innerText.includes('shop')")
    address = page.run(f"({page.find('Download CSV')}).href")
    csv = page.run(f"fetch({json.dumps(address)}).then(answer => answer.text())")
    assert csv.startswith("tenant,day,") and "shop," in csv, csv
    check_traffic(page)


def signs_in_again(browser):
    page = signed_in(browser)
    go(page, "tenants")
    page.click("Make a key")
    page.send("Network.clearBrowserCookies")
    page.fill("Tenant", "atelier", DIALOG)
    page.click("Make the key")
    page.find("Admin token")
    page.until("!document.querySelector('dialog') && document.activeElement.type === 'password'")
    page.fill("Admin token", TOKEN)
    page.press("Enter")
    page.until("document.querySelector('h1').innerText === 'Tenants'", "the same page is shown again")
    page.click("Sign out")
    page.find("Admin token")
    page.send("Page.reload")
    page.find("Admin token")
    check_traffic(page)


def is_accessible(browser):
    for scheme in ("light", "dark"):
        page = browser.page(scheme=scheme)
        page.open(ADMIN + "/console/")
        page.find("Admin token")
        check_page(page, f"sign-in, {scheme}")
        page = signed_in(browser, scheme=scheme)
        dark = page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 60")
        assert dark == (scheme == "dark"), f"the page follows the {scheme} scheme"
        for address in [*PAGES, f"tasks/{os.environ['TASK']}"]:
            go(page, address)
            check_page(page, f"#/{address}, {scheme}")
            shot(page, f"{scheme}-{address.replace('/', '-') or 'overview'}")
        go(page, "keys")
        page.click("Make a key")
        check_page(page, f"the dialog, {scheme}")
        page.press("Escape")
        check_traffic(page)


def works_by_keyboard(browser):
    page = signed_in(browser)
    for address in PAGES:
        go(page, address)
        check_focus(page, f"#/{address}")
    go(page, "")
    page.run("document.querySelector('nav a[href=\"#/keys\"]').focus()")
    page.press("Enter")
    page.until("document.activeElement.innerText === 'Keys'", "a new page takes the focus to its heading")
    page.run(f"({page.find('Make a key')}).focus()")
    page.press("Enter")
    page.until(f"{DIALOG}?.contains(document.activeElement)")
    for _ in range(30):
        page.press("Tab")
        assert page.run(f"document.activeElement === document.body || {DIALOG}.contains(document.activeElement)"), \
            "the focus stays in the dialog"


def fits_a_phone(browser):
    page = signed_in(browser, width=320, height=640)
    for address in [*PAGES, f"tasks/{os.environ['TASK']}"]:
        go(page, address)
        assert page.run("document.documentElement.scrollWidth") == 320, f"#/{address} scrolls sideways"
        shot(page, f"phone-{address.replace('/', '-') or 'overview'}")
    page.click("Menu")
    page.click("Tenants")
    page.until("document.querySelector('h1').innerText === 'Tenants'")
    page.until("document.querySelector('.menu').getAttribute('aria-expanded') === 'false'", "the menu closes")


if __name__ == "__main__":
    with Browser() as browser:
        globals()[os.environ["CASE"]](browser)
