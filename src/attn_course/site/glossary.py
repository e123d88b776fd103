"""What the glossary says of a term, for the lessons that use it.

A term's entry holds a sentence or two and, as its last paragraph, where it is
first explained. The role `{term}` of Sphinx leads to it.
"""

from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes

__all__ = ["Entry", "entry_of", "term_links"]


class Entry(NamedTuple):
    """A term, what it means, and where it is explained."""

    term: str
    meaning: str
    where: str
    page: str


def term_links(doctree: nodes.document) -> list[nodes.reference]:
    """List the links that the role `{term}` left, once resolved."""
    return [
        link
        for link in doctree.findall(nodes.reference)
        if link.children
        and isinstance(link[0], nodes.inline)
        and "std-term" in link[0]["classes"]
    ]


def entry_of(env: Any, anchor: str) -> Entry | None:
    """Find the entry with an anchor, `term-softmax`, on any page."""
    objects = env.get_domain("std").objects
    for (kind, _), (page, label) in objects.items():
        if kind == "term" and label == anchor:
            return _read(env, page, anchor)
    return None


def _read(env: Any, page: str, anchor: str) -> Entry | None:
    for term in env.get_doctree(page).findall(nodes.term):
        if anchor in term["ids"]:
            definition = term.parent[-1]
            *meaning, last = definition.children
            links = list(last.findall(addnodes.pending_xref))
            if not (meaning and links):
                meaning, links = definition.children, []
            text = " ".join(node.astext() for node in meaning)
            where = last.astext() if links else ""
            target = links[0]["reftarget"] if links else ""
            return Entry(_title(term), " ".join(text.split()), where, target)
    return None


def _title(term: nodes.term) -> str:
    """Write the term without what the index adds to it."""
    return "".join(
        child.astext()
        for child in term.children
        if not isinstance(child, addnodes.index)
    )
