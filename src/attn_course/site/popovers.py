"""Numbers and terms that open: what the pop-ups of a page say.

A number tells its spread and how it was made, a term its meaning. Both stay
links: to the evidence, and into the glossary. What `attn-popovers.js` shows
travels in the page once for each study and each term.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

from attn_course.claims import look_up
from attn_course.site.elements import element, tag
from attn_course.site.evidence import Evidence, evidence
from attn_course.site.glossary import entry_of, term_links
from attn_course.site.ledger import USES
from attn_course.site.verdicts import LEDGER, studies

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = ["setup", "source_of"]


def source_of(app: Any, one: Evidence) -> dict[str, Any]:
    """Say how a number came about: a title, facts, and what its link is."""
    title = app.env.titles[one.page].astext()
    name = one.anchor.removeprefix("study-")
    if name != one.anchor and name in studies():
        study = studies()[name]
        facts = _facts(study)
        return {"title": study.question, "facts": facts, "link": "Evidence"}
    if one.recorded:
        facts = [["Recorded by", one.recorded]]
        return {"title": f"Read in: {title}", "facts": facts, "link": "Cell"}
    title = f"Computed when this site was built, in: {title}"
    return {"title": title, "facts": [], "link": "Cell"}


def _facts(study: "Study") -> list[list[str]]:
    """List what is known of a recording."""
    recording = study.recording
    recorded = recording["recorded"]
    versions = ", ".join(f"{k} {v}" for k, v in recorded["versions"].items())
    facts = {
        "Study": study.name,
        "Seeds": str(len(recorded["seeds"])) if study.seeds else "",
        "Recorded": recorded.get("date", ""),
        "Machine": _machine(recording),
        "Versions": versions,
        "To repeat it": f"attn-course experiments --only {study.name}",
    }
    return [[name, text] for name, text in facts.items() if text]


def _machine(recording: Mapping[str, Any]) -> str:
    """Name the machine, where a recording depends on it."""
    told = recording.get("machine") or {}
    cores = f"{told['cores']} cores" if told.get("cores") else ""
    return ", ".join(filter(None, (told.get("processor"), cores)))


def _label(claim_id: str, name: str) -> str:
    """Say what a number is, in plain text."""
    label = look_up(claim_id).values.get(name) or name.replace("_", " ")
    return label.translate({ord(sign): None for sign in "`$*"})


def _collect(app: Any, doctree: nodes.document, page: str) -> None:
    """Mark what opens, and leave what it says at the end of the page."""
    sources: dict[str, dict[str, Any]] = {}
    _mark_numbers(app, doctree, page, sources)
    terms = _mark_terms(app, doctree, page)
    if not (sources or terms):
        return
    ledger = app.builder.get_relative_uri(page, LEDGER)
    notes = {
        "ledger": ledger,
        "sources": list(sources.values()),
        "terms": terms,
    }
    # Neither a script's end nor a comment's start can stand in the data.
    text = json.dumps(notes, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")
    doctree += nodes.raw(
        "",
        f'<script type="application/json" id="attn-notes">{text}</script>',
        format="html",
    )


def _mark_numbers(
    app: Any, doctree: nodes.document, page: str, sources: dict
) -> None:
    links = [
        link
        for link in doctree.findall(nodes.reference)
        if "attn_number" in link
    ]
    found = evidence(app.env) if links else {}
    for link in links:
        claim_id, name, full = link["attn_number"]
        one = found[claim_id][name]
        key = f"{one.page}#{one.anchor}"
        if key not in sources:
            sources[key] = source_of(app, one)
        text = link.astext()
        link.replace_self(
            element(
                "a", nodes.Text(text), css="claim", href=link["refuri"],
                title=link["reftitle"], data_claim=claim_id,
                data_label=_label(claim_id, name),
                data_full=full if full != text else "",
                data_source=str(list(sources).index(key)),
            )
        )  # fmt: skip


def _mark_terms(
    app: Any, doctree: nodes.document, page: str
) -> dict[str, list[str]]:
    terms: dict[str, list[str]] = {}
    for link in term_links(doctree):
        # Sphinx writes a link within a page another way.
        anchor = link.get("refid") or link["refuri"].partition("#")[2]
        entry = entry_of(app.env, anchor)
        if entry is None:
            continue
        href = link.get("refuri") or f"#{anchor}"
        where = _where(app, page, entry.page)
        terms[anchor] = [entry.term, entry.meaning, entry.where, where]
        link.replace_self(_term(link.astext(), href, anchor))
    return terms


def _term(text: str, href: str, anchor: str) -> tag:
    return element(
        "a", nodes.Text(text), css="term", href=href, data_term=anchor
    )


def _where(app: Any, page: str, target: str) -> str:
    """Write the address of the page that explains a term."""
    other, _, anchor = target.partition("#")
    if other not in app.env.found_docs:
        return ""
    address = app.builder.get_relative_uri(page, other)
    return f"{address}#{anchor}" if anchor else address


def _note_terms(app: Any, doctree: nodes.document) -> None:
    """Let a page be written again when the glossary may have changed."""
    for link in doctree.findall(addnodes.pending_xref):
        if link.get("reftype") == "term":
            app.env.metadata[app.env.docname][USES] = True


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-read", _note_terms)
    # After the ledger has put its numbers in place.
    app.connect("doctree-resolved", _collect, priority=600)
