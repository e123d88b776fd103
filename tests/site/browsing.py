"""What tests of widgets do in a browser."""

from axe_playwright_python.sync_playwright import Axe


def axe_faults(page):
    """Ask axe-core for everything that it would mend, a rule each."""
    # Without `preload` axe fetches each style sheet, which the policy
    # forbids; what it would learn from that is only the orientation lock.
    found = Axe().run(page, options={"preload": False}).response
    return found["violations"]


def take(place, kind):
    """Press a button that hands out a file; give what is in it."""
    page = getattr(place, "page", place)
    with page.expect_download() as waiting:
        place.get_by_role("button", name=kind).click()
    return waiting.value.path().read_bytes()


def settle(page):
    """Wait until the next frame has been drawn."""
    page.evaluate(
        "new Promise(go => requestAnimationFrame("
        "() => requestAnimationFrame(go)))"
    )


def slide(place, control, value):
    """Drag a slider to a value, as its own events tell it."""
    place.locator(f"[data-control='{control}']").evaluate(
        "(input, value) => { input.value = value;"
        " input.dispatchEvent(new Event('input')) }",
        str(value),
    )
