"""The role `{claim}` and the directive `{claims}`.

`` {claim}`3.tie.weight` `` puts a number into the prose, linked to the cell
that computed it. After a colon comes a format or a field, or both:

- `` {claim}`3.tie.weight:.2f` ``
- `` {claim}`3.x.accuracy:spread` ``: 0.71 (0.69 to 0.73 over 3 seeds) on
  evidence pages; elsewhere prose has the mean, and a click gives the spread
- `min`, `max`, `seeds`: these alone

With a script a number opens how it came about (`popovers`); without, it is a
link to its cell or study.

`{claims}` lists the whole ledger. Nothing is known until every page has been
read, so both leave marks that are filled in when a page is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from attn_course.claims import Claim, Section, ledger, look_up, show
from attn_course.claims.chapters import VERDICTS, nearest
from attn_course.claims.numbers import FIELDS
from attn_course.site.evidence import Evidence, evidence
from attn_course.site.verdicts import note_what_verdicts_rest_on, verdict_of

__all__ = ["find", "setup", "split_target"]

logger = logging.getLogger(__name__)

USES = "attn_claim_numbers"
# Where a spread is written out.
EVIDENCE = "book/evidence/"


class claim_number(nodes.Inline, nodes.Element):
    """Stands for a number until every page has been read."""


class claim_places(nodes.Inline, nodes.Element):
    """Stands for links to where a claim is tested."""


# --- The role -------------------------------------------------------------


def split_target(text: str) -> tuple[str, str, str, str]:
    """Take `3.tie.weight:.2f:min` apart: claim, value, format, field.

    Raises
    ------
    ValueError
        When it does not have that form.
    """
    target, *options = [part.strip() for part in text.split(":")]
    claim_id, _, name = target.rpartition(".")
    if "." not in claim_id or not name:
        raise ValueError(
            f"expected a claim and a value, such as 3.tie.weight; got "
            f"{target!r}"
        )
    form = field = ""
    for option in options:
        if option in FIELDS:
            field = option
        else:
            form = option
    return claim_id, name, form, field


def find(
    found: Mapping[str, Mapping[str, Evidence]], claim_id: str, name: str
) -> Evidence:
    """Find one number among those that the build's cells reported.

    Raises
    ------
    ValueError
        When no cell reports it; the message lists what there is.
    """
    claim = look_up(claim_id)
    known = found.get(claim_id, {})
    if name in known:
        return known[name]
    if known:
        raise ValueError(
            f"claim {claim_id} has no value {name!r} in this build; its "
            f"values: {nearest(name, known)}"
        )
    where = f" (expected from {claim.where})" if claim.where else ""
    raise ValueError(
        f"no cell of this build reports claim {claim_id}, so it has no "
        f"{name!r}{where}; reported are: {', '.join(sorted(found)) or 'none'}"
    )


class ClaimRole(SphinxRole):
    """Ask for a number."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a mark."""
        self.env.metadata[self.env.docname][USES] = True
        mark = claim_number(self.rawtext, target=self.text)
        self.set_source_info(mark)
        return [mark], []


def _inside(node: nodes.Node, kind: type) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kind):
            return True
    return False


def _refuse_in_titles(app: Any, doctree: nodes.document) -> None:
    """Warn: a title is copied into lists before its number is known."""
    for mark in list(doctree.findall(claim_number)):
        if _inside(mark, nodes.title):
            logger.warning(
                "claim %s: a number can't stand in a title", mark["target"],
                location=mark, type="attn_course", subtype="claim",
            )  # fmt: skip
            mark.replace_self(nodes.Text("?"))


def _address(app: Any, page: str, target: str) -> str:
    """Write the address of `page#anchor` as seen from a page."""
    other, _, anchor = target.partition("#")
    start = "" if other == page else app.builder.get_relative_uri(page, other)
    return f"{start}#{anchor}" if anchor else start or "#"


def _link(app: Any, page: str, target: str, text: str, **more) -> nodes.Node:
    uri = _address(app, page, target)
    return nodes.reference("", text, internal=True, refuri=uri, **more)


def _number(
    app: Any, mark: claim_number, page: str, found: Mapping
) -> nodes.Node:
    claim_id, name, form, field = split_target(mark["target"])
    one = find(found, claim_id, name)
    has_spread = isinstance(one.value, Mapping)
    if mark.get("in_full") and has_spread:
        field = "spread"
    in_prose = not (mark.get("in_full") or page.startswith(EVIDENCE))
    if field == "spread" and has_spread and in_prose:
        field = ""
    try:
        text = show(one.value, form, field)
    except ValueError as error:
        raise ValueError(f"claim {mark['target']}: {error}") from None
    if _inside(mark, nodes.reference):
        return nodes.Text(text)
    how = "Recorded, and read" if one.recorded else "Computed"
    title = f"{how} in: {app.env.titles[one.page].astext()}"
    link = _link(
        app, page, f"{one.page}#{one.anchor}", text,
        reftitle=title, classes=["attn-claim"],
    )  # fmt: skip
    full = show(one.value, form, "spread") if has_spread else text
    link["attn_number"] = (claim_id, name, full)
    return link


def _fill_numbers(app: Any, doctree: nodes.document, page: str) -> None:
    marks = list(doctree.findall(claim_number))
    found = evidence(app.env) if marks else {}
    for mark in marks:
        try:
            mark.replace_self(_number(app, mark, page, found))
        except ValueError as error:
            logger.warning(
                "%s", error, location=mark if mark.line else page,
                type="attn_course", subtype="claim",
            )  # fmt: skip
            mark.replace_self(nodes.Text("?"))


# --- The directive --------------------------------------------------------


class ClaimsDirective(SphinxDirective):
    """List every claim, by section of the article."""

    def run(self) -> list[nodes.Node]:
        """Write all but the numbers, which are not known yet."""
        self.env.metadata[self.env.docname][USES] = True
        note_what_verdicts_rest_on(self.env)
        return [_filter(), *(self.section(part) for part in ledger())]

    def section(self, part: Section) -> nodes.section:
        """Write the claims of one section."""
        title = f"Section {part.number}: {part.title}"
        section = nodes.section(
            ids=[f"section-{part.number}"],
            names=[title],
            classes=["attn-claims"],
        )
        section += nodes.title(title, title)
        cards = nodes.bullet_list(classes=["attn-ledger"])
        cards += [self.card(claim) for claim in part.claims]
        section += cards
        return section

    def card(self, claim: Claim) -> nodes.list_item:
        """Write one claim."""
        card = nodes.list_item(
            ids=[f"ledger-{claim.id.replace('.', '-')}"],
            classes=[verdict_of(claim).css],
        )
        card += self.parse(claim.statement)
        facts = nodes.definition_list(classes=["attn-facts"])
        for term, content in self.facts(claim):
            facts += nodes.definition_list_item(
                "", nodes.term("", term), nodes.definition("", *content)
            )
        card += facts
        return card

    def facts(self, claim: Claim) -> Iterator[tuple[str, list[nodes.Node]]]:
        """Yield what is to be said about a claim, each with its term."""
        verdict = verdict_of(claim)
        line = nodes.paragraph("", "", verdict.mark())
        reason = self.parse(claim.because) if claim.because else []
        if verdict.open:
            line += nodes.Text(f". Our reading so far: {verdict.written}.")
        yield "Verdict", [line, *reason]
        for term, lines in (("Open", verdict.open), ("Note", verdict.notes)):
            if lines:
                yield term, [_shortened(lines)]
        if claim.values:
            numbers = nodes.bullet_list()
            numbers += [
                self.value(f"{claim.id}.{name}", label)
                for name, label in claim.values.items()
            ]
            yield "Numbers", [numbers]
        cited = " ".join(f"{{cite}}`{key}`" for key in claim.cite)
        yield "Kind", self.parse(f"{claim.kind} {cited}")
        if claim.where:
            places = claim_places(claim=claim.id)
            yield "Tested in", [nodes.paragraph("", "", places)]

    def value(self, target: str, label: str) -> nodes.list_item:
        """Write one number of a claim."""
        [paragraph] = self.parse(label)
        mark = claim_number("", target=target, in_full=True)
        paragraph += [nodes.Text(": "), mark]
        return nodes.list_item("", paragraph)

    def parse(self, text: str) -> list[nodes.Node]:
        """Read MyST."""
        box = nodes.Element()
        lines = StringList(text.strip().splitlines(), source="claims")
        self.state.nested_parse(lines, 0, box)
        return box.children


def _filter() -> nodes.raw:
    """Offer to see the claims of one chapter or verdict; needs the script.

    A link to an option, such as `#verdict-holds`, chooses it.
    """
    chapters = [
        (part.number, f"{part.number} · {part.title}") for part in ledger()
    ]
    verdicts = [(f"attn-{v.replace(' ', '-')}", v) for v in VERDICTS]
    menus = "".join(
        f"<label>{label} <select name={name!r}>"
        f'<option value="">all</option>'
        + "".join(
            f'<option id="{name}-{value.removeprefix("attn-")}" '
            f'value="{escape(value)}">{escape(text)}</option>'
            for value, text in options
        )
        + "</select></label> "
        for name, label, options in (
            ("chapter", "Chapter", chapters),
            ("verdict", "Verdict", verdicts),
        )
    )
    html = f'<form class="attn-filter" hidden>{menus}<output></output></form>'
    return nodes.raw("", html, format="html")


# More reasons than these are on the evidence page.
MOST_REASONS = 3


def _shortened(lines: Sequence[str]) -> nodes.bullet_list:
    """List the first reasons, and how many more there are."""
    found = nodes.bullet_list()
    more = len(lines) - MOST_REASONS
    shown = [*lines[:MOST_REASONS], *([f"and {more} more"] * (more > 0))]
    found += [nodes.list_item("", nodes.paragraph("", line)) for line in shown]
    return found


def _fill_places(app: Any, doctree: nodes.document, page: str) -> None:
    marks = list(doctree.findall(claim_places))
    found = evidence(app.env) if marks else {}
    for mark in marks:
        claim = look_up(mark["claim"])
        targets, recorded = {}, False
        for one in found.get(claim.id, {}).values():
            # One link a page: each number has a link to its own cell.
            targets.setdefault(one.page, f"{one.page}#{one.anchor}")
            recorded = recorded or bool(one.recorded)
        links: list[nodes.Node] = []
        for target in targets.values() or [claim.where]:
            other = target.partition("#")[0]
            if other not in app.env.found_docs:
                logger.warning(
                    "claim %s: expected `where` to name a page of this "
                    "build, got %r", claim.id, other, location=page,
                    type="attn_course", subtype="claim",
                )  # fmt: skip
                continue
            title = app.env.titles[other].astext()
            links += [nodes.Text(", ")] if links else []
            links.append(_link(app, page, target, title))
        if recorded:
            links.append(nodes.Text(" (recorded)"))
        mark.replace_self(links)


def _write_again(app: Any, env: Any) -> list[str]:
    """Write these pages in each build: any number may have changed."""
    return [name for name, data in env.metadata.items() if data.get(USES)]


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    for mark in (claim_number, claim_places):
        app.add_node(mark)
    app.add_role("claim", ClaimRole())
    app.add_directive("claims", ClaimsDirective)
    # Before Sphinx copies the titles into its lists.
    app.connect("doctree-read", _refuse_in_titles, priority=100)
    app.connect("doctree-resolved", _fill_numbers)
    app.connect("doctree-resolved", _fill_places)
    app.connect("env-updated", _write_again)
