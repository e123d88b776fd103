"""Find the numbers that cells report for claims, and where they did so.

A cell reports a claim in an output of the course's own type:
`{"kind": "claim", "id": "3.tie", "values": {"weight": 0.333}}`. Outputs are
read from the executed notebook, so that a cell which no page shows, or whose
run comes from the cache, counts like any other.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util import logging

from attn_course.claims import show
from attn_course.site.outputs import reports

__all__ = ["Evidence", "evidence", "setup"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """One number, and the place where it was computed."""

    value: Any
    page: str
    anchor: str
    shown: bool
    recorded: str = ""


def _line(env: Any, page: str, index: int) -> int:
    """Count the line of a cell as MyST-NB does."""
    lines = env.metadata[page].get("source_map")
    return lines[index] if lines else (index + 1) * 10_000


def _anchor(
    app: Any, doctree: nodes.document, index: int, claim_id: str
) -> tuple[str, bool]:
    """Give a cell an anchor; one that is not shown has its section's."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            if cell["cell_index"] == index:
                name = f"claim-{claim_id.replace('.', '-')}"
                if doctree.ids.get(name, cell) is not cell:
                    # Another cell reports this claim, too.
                    name = f"{name}-{index}"
                if name not in cell["ids"]:
                    cell["ids"].append(name)
                    doctree.ids[name] = cell
                return name, True
    line = _line(app.env, app.env.docname, index)
    above = ""
    for section in doctree.findall(nodes.section):
        if not above or (section.line or 0) <= line:
            above = section["ids"][0]
    return above, False


def _collect(app: Any, doctree: nodes.document) -> None:
    """Keep what the page that was just read reports."""
    page = app.env.docname
    executed = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    is_notebook = "kernelspec" in app.env.metadata[page]
    if not is_notebook or not executed.is_file():
        return
    notebook = json.loads(executed.read_text("utf-8"))
    app.env.metadata[page]["attn_claims"] = [
        (content, *_anchor(app, doctree, index, content["id"]))
        for index, content in reports(notebook, "claim")
    ]


def _all(env: Any) -> Iterator[tuple[str, str, Evidence]]:
    for page in sorted(env.found_docs):
        reports = env.metadata.get(page, {}).get("attn_claims", [])
        for content, anchor, shown in reports:
            recorded = content.get("recorded", "")
            for name, value in content["values"].items():
                found = Evidence(value, page, anchor, shown, recorded)
                yield content["id"], name, found


def evidence(env: Any) -> dict[str, dict[str, Evidence]]:
    """Gather every number of the build, by claim and name.

    Where two cells report the same, a cell that the reader can see comes
    first.
    """
    found: dict[str, dict[str, Evidence]] = {}
    for claim_id, name, one in _all(env):
        known = found.setdefault(claim_id, {})
        if name not in known or (one.shown and not known[name].shown):
            known[name] = one
    return found


def _text(value: Any) -> str:
    field = "spread" if isinstance(value, dict) else ""
    form = "" if isinstance(value, str) else ".6g"
    return show(value, form, field)


def _compare(app: Any, env: Any) -> list[str]:
    """Warn when two cells disagree about a number."""
    found = evidence(env)
    for claim_id, name, one in _all(env):
        other = found[claim_id][name]
        if _text(one.value) != _text(other.value):
            logger.warning(
                "claim %s.%s: reported as %s here and as %s in %s",
                claim_id, name, _text(one.value), _text(other.value),
                other.page, location=one.page, type="attn_course",
                subtype="claim",
            )  # fmt: skip
    return []


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-read", _collect)
    app.connect("env-updated", _compare)
