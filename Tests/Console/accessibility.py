"""Checks of a page that hold for every page: axe's rules, and where the focus goes."""

import importlib.resources

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def check_page(page, name):
    """Checks labels, roles, landmarks and contrast with axe's rules for WCAG 2.2 AA and its best practices."""
    page.run(AXE + "; 0")
    found = page.run("""axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }).then(({ violations }) => violations.map(({ id, help, nodes }) => {
        const places = nodes.slice(0, 3).map(node => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`)
        return `${id}: ${help}: ${places.join(' | ')}`
    }))""")
    assert not found, f"{name}: " + "\n".join(found)


# What Tab reached: its place in the document, whether it is on the screen, and whether its focus can be seen.
REACHED = """(() => {
    const element = document.activeElement
    if (element === document.body) return null
    const seen = element.matches('input[type=file]') ? element.closest('.zone').querySelector('label') : element
    seen.scrollIntoView({ block: 'nearest' })
    const box = seen.getBoundingClientRect(), style = getComputedStyle(seen)
    return {
        place: [...document.querySelectorAll('*')].indexOf(element),
        text: element.outerHTML.slice(0, 120),
        isShown: box.width > 0 && box.height > 0 && box.left < innerWidth,
        isMarked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    }
})()"""


def check_focus(page, name):
    """Presses Tab through the page: every control is reached once, in order, is visible, and shows its focus."""
    page.run("document.querySelector('.skip').focus()")
    page.press("Tab")
    page.press("Tab", shift=True)
    last, count = -1, 0
    while reached := page.run(REACHED):
        assert reached["isMarked"], f"{name}: the focus cannot be seen on {reached['text']}"
        assert reached["isShown"], f"{name}: the focus is on something invisible: {reached['text']}"
        if reached["place"] < last:
            break
        # A date has several stops of its own.
        count += reached["place"] > last
        last = reached["place"]
        page.press("Tab")
    controls = "a[href], button, input, select, summary, [tabindex='0']"
    expected = page.run(f"""[...document.querySelectorAll("{controls}")].filter(each =>
        each.checkVisibility() && !each.disabled && each.tabIndex >= 0 && !each.hidden).length""")
    assert count >= expected, f"{name}: Tab reaches {count} of {expected} controls"
