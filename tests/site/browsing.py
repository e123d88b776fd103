"""What tests of widgets do in a browser."""

import shutil

from axe_playwright_python.sync_playwright import Axe

from attn_course.site.assets import write_scripts
from attn_course.site.mounting import scripts_for
from attn_course.widgets.base import STATIC


def write_bare_page(folder, body):
    """Write a page with nothing but `body`, and the scripts it needs."""
    scripts = scripts_for(body)
    for name in scripts:
        shutil.copy(STATIC / name, folder)
    write_scripts(folder / "attn-assets")
    tags = "".join(f'<script defer src="{name}"></script>' for name in scripts)
    path = folder / "index.html"
    path.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        '<link rel=icon href="data:,"><title>test</title>'
        f"{tags}<body>{body}",
        "utf-8",
    )
    return path


def axe_faults(page):
    """Ask axe-core for everything that it would mend, a rule each."""
    # Without `preload` axe fetches each style sheet, which the policy
    # forbids; what it would learn from that is only the orientation lock.
    found = Axe().run(page, options={"preload": False}).response
    return found["violations"]


def unfold(page):
    """Open More, Share and About in every card of a page."""
    page.evaluate(
        """() => {
          for (const host of document.querySelectorAll("div"))
            for (const fold of host.shadowRoot?.querySelectorAll(
              ".tools [aria-expanded=false]") ?? [])
              fold.click();
        }"""
    )


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
