"""What tests of widgets do in a browser."""


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
