"""What the menus in a page's header hold.

A lab says how to run it: on Colab or Binder, as a file, in JupyterLab. All
else that the theme offers stands in one menu.
"""

from typing import Any

__all__ = ["launches", "menu", "setup"]

LABS = "notebooks/"
HOW_TO, WITH_JUPYTER = "book/how-to-use", "at-your-own-computer"
# What the theme calls its buttons, and what we do.
NAMES = {
    "source-repository-button": "Repository",
    "source-issues-button": "Report a mistake",
    "download-source-button": "Source of this page",
    "download-pdf-button": "Print or save as PDF",
    "fullscreen-button": "Full screen",
}


def launches(buttons: list[dict], source: str, how_to: str) -> list[dict]:
    """List the ways to run a lab: text and address of each."""
    services = [
        {**one, "text": f"On {one['text']}"}
        for group in buttons
        if group.get("label") == "launch-buttons"
        for one in reversed(group["buttons"])
        if one["type"] == "link"
    ]
    here = [("Download the notebook", source), ("In JupyterLab", how_to)]
    links = [{"type": "link", "text": t, "url": url} for t, url in here]
    return [*services, *links]


def menu(buttons: list[dict]) -> list[dict]:
    """List what is left of the theme's buttons, by names of our own."""
    flat = [
        one
        for button in buttons
        if button.get("label") != "launch-buttons"
        for one in button.get("buttons", [button])
    ]
    return [
        {**one, "text": NAMES.get(one.get("label"), one.get("text"))}
        for one in flat
    ]


def _fill(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    buttons = context.get("header_buttons", [])
    context["attn_menu"] = menu(buttons)
    if page.startswith(LABS):
        pathto = context["pathto"]
        source = f"{pathto('_sources', 1)}/{context['sourcename']}"
        known = HOW_TO in app.env.found_docs
        how_to = f"{pathto(HOW_TO if known else page)}#{WITH_JUPYTER}"
        context["attn_launches"] = launches(buttons, source, how_to)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    # The theme fills in its buttons at 501.
    app.connect("html-page-context", _fill, priority=600)
