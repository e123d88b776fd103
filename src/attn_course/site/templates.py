"""Replace parts of the theme: see the folder `templates`.

The security policy refuses handlers written into the HTML (`onclick`), and
a few of the theme's parts lack a name that a screen reader could say. The
contents stand in groups, and menus need no script to open.
"""

import re
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["group_the_tree", "setup"]

_IMAGE = re.compile(r"<img (?![^>]*\bloading=)")


def group_the_tree(soup: Any) -> Any:
    """Let each group of the contents fold; the reader's own is open.

    Lessons are open on every page.
    """
    captions = soup.select("p.caption")
    for caption in captions:
        tree = caption.find_next_sibling("ul")
        summary = caption.wrap(soup.new_tag("summary"))
        group = summary.wrap(
            soup.new_tag("details", **{"class": "attn-group"})
        )
        group.append(tree.extract())
        if caption is captions[0] or "current" in tree["class"]:
            group["open"] = ""
        caption.unwrap()
    return soup


def _use_own_templates(app: Any, config: Any) -> None:
    folder = Path(str(resources.files("attn_course"))) / "site" / "templates"
    config.templates_path.insert(0, str(folder))
    # The sidebar has a search button; a bar for a second one is too much.
    config.html_theme_options.setdefault("navbar_persistent", [])
    config.html_theme_options.setdefault("toc_title", "On this page")


def _wrap_the_tree(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    def grouped(*args: Any, **kwargs: Any) -> Any:
        tree = generate(*args, **kwargs)
        return group_the_tree(tree) if hasattr(tree, "select") else tree

    context["generate_toctree_html"] = grouped


def _mend_body(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    """Make references items of a list; let pictures load when near."""
    body = context.get("body")
    if body:
        body = body.replace('role="doc-biblioentry"', 'role="listitem"')
        context["body"] = _IMAGE.sub('<img loading="lazy" ', body)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _use_own_templates)
    app.connect("html-page-context", _wrap_the_tree, priority=900)
    app.connect("html-page-context", _mend_body)
