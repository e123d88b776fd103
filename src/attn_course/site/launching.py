"""What the menus in a page's header hold.

A lab says how to run it: on Colab or Binder, as a file, in JupyterLab. All
else that the theme offers stands in one menu.
"""

from typing import Any

__all__ = ["launches", "menu", "setup"]

LABS = "notebooks/"
HOW_TO, WITH_JUPYTER = "book/how-to-use", "at-your-own-computer"
# What the theme calls its buttons, and what we do, in our order.
NAMES = {
    "fullscreen-button": "Full screen",
    "download-pdf-button": "Print or save as PDF",
    "download-notebook-button": "Download as a notebook",
    "download-source-button": "Source of this page",
    "source-repository-button": "Repository",
    "source-issues-button": "Report a mistake",
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
    known = {
        one.get("label"): one
        for button in buttons
        for one in button.get("buttons", [button])
    }
    return [
        {**known[label], "text": name}
        for label, name in NAMES.items()
        if label in known
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
