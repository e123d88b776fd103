"""Replace parts of the theme: see the folder `templates`.

The security policy refuses handlers written into the HTML (`onclick`), and
a few of the theme's parts lack a name that a screen reader could say.
"""

from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["name_the_toggles", "setup"]


def name_the_toggles(soup: Any) -> Any:
    """Give each toggle of the navigation tree the name of its section."""
    for summary in soup.select("summary"):
        link = summary.find_previous("a")
        title = link.get_text(strip=True) if link else ""
        summary["aria-label"] = f"Pages of {title}" if title else "Pages"
    return soup


def _use_own_templates(app: Any, config: Any) -> None:
    folder = Path(str(resources.files("attn_course"))) / "site" / "templates"
    config.templates_path.insert(0, str(folder))
    # The sidebar has a search button; a bar for a second one is too much.
    config.html_theme_options.setdefault("navbar_persistent", [])


def _wrap_the_tree(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    def named(*args: Any, **kwargs: Any) -> Any:
        tree = generate(*args, **kwargs)
        return name_the_toggles(tree) if hasattr(tree, "select") else tree

    context["generate_toctree_html"] = named


def _mend_roles(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    """Make references items of the list that they stand in."""
    body = context.get("body")
    if body:
        context["body"] = body.replace(
            'role="doc-biblioentry"', 'role="listitem"'
        )


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _use_own_templates)
    app.connect("html-page-context", _wrap_the_tree, priority=900)
    app.connect("html-page-context", _mend_roles)
