"""Let the launch buttons of a page open the notebook that belongs to it.

The theme would send Colab and Binder the page's own source, which neither
can run.
"""

from typing import Any

__all__ = ["lead_to_notebook", "setup"]


def lead_to_notebook(button: dict, page: str, notebook: str) -> dict:
    """Give a launch button that opens the notebook, not the page."""
    launches = [
        {**one, "url": one["url"].replace(f"{page}.md", f"{notebook}.ipynb")}
        for one in button["buttons"]
    ]
    return {**button, "buttons": launches}


def _redirect(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    notebook = page.replace("book/", "notebooks/", 1)
    if notebook == page:
        return
    kept = []
    for button in context.get("header_buttons", []):
        if button.get("label") != "launch-buttons":
            kept.append(button)
        elif notebook in app.env.found_docs:
            kept.append(lead_to_notebook(button, page, notebook))
    context["header_buttons"] = kept


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    # The theme fills in its buttons at 501.
    app.connect("html-page-context", _redirect, priority=600)
