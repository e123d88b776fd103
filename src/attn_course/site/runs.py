"""The directive `{run-table}`: what each page and notebook cost to run.

Notebooks report their run in an output of their own type:
`{"kind": "run", "seconds": 12.3, "peak_mb": 410, "threads": 1}`.
"""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from attn_course.site.outputs import reports

__all__ = ["report_of", "setup"]


class run_table(nodes.General, nodes.Element):
    """Stands for the table until every page has been executed."""


class RunTable(SphinxDirective):
    """Ask for the table."""

    def run(self) -> list[nodes.Node]:
        """Leave a mark; the numbers are not known yet."""
        self.env.metadata[self.env.docname]["attn_run_table"] = True
        return [run_table()]


def report_of(notebook: dict[str, Any]) -> dict[str, Any] | None:
    """Find what an executed notebook says about its run."""
    found = [content for _, content in reports(notebook, "run")]
    return found[0] if found else None


def _number(report: dict[str, Any] | None, key: str, form: str) -> str:
    value = (report or {}).get(key)
    return "–" if value is None else form.format(value)


def _rows(app: Any, page: str) -> list[list[nodes.Node]]:
    executed = Path(app.outdir).parent / "jupyter_execute"
    rows = []
    for name in sorted(app.env.found_docs):
        path = executed / f"{name}.ipynb"
        if name not in app.env.nb_metadata or not path.is_file():
            continue
        cost = app.env.nb_metadata[name].get("exec_data") or {}
        report = report_of(json.loads(path.read_text("utf-8")))
        if report is None and not cost.get("runtime"):
            continue
        seconds = (report or {}).get("seconds", cost.get("runtime"))
        uri = app.builder.get_relative_uri(page, name)
        title = app.env.titles[name].astext()
        link = nodes.reference("", title, internal=True, refuri=uri)
        rows.append([
            nodes.paragraph("", "", link),
            nodes.paragraph("", f"{seconds:.1f}"),
            nodes.paragraph("", _number(report, "peak_mb", "{:.0f}")),
            nodes.paragraph("", _number(report, "threads", "{}")),
        ])  # fmt: skip
    return rows


def _table(rows: list[list[nodes.Node]]) -> nodes.table:
    titles = ("Page or notebook", "Seconds", "Peak memory (MB)", "Threads")
    head = [nodes.paragraph("", title) for title in titles]
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=1) for _ in titles]
    for section, lines in ((nodes.thead(), [head]), (nodes.tbody(), rows)):
        for line in lines:
            cells = [nodes.entry("", cell) for cell in line]
            section += nodes.row("", *cells)
        group += section
    return nodes.table("", group, classes=["attn-runs"])


def _fill(app: Any, doctree: nodes.document, page: str) -> None:
    for mark in list(doctree.findall(run_table)):
        rows = _rows(app, page)
        if rows:
            mark.replace_self(_table(rows))
        else:
            text = "No page has been executed yet."
            mark.replace_self(nodes.paragraph("", text))


def _write_again(app: Any, env: Any) -> list[str]:
    """Write the table in each build: any page may have run again."""
    return [
        name for name, data in env.metadata.items()
        if data.get("attn_run_table")
    ]  # fmt: skip


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_node(run_table)
    app.add_directive("run-table", RunTable)
    app.connect("doctree-resolved", _fill)
    app.connect("env-updated", _write_again)
