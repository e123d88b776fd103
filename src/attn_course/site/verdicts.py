"""What became of each claim, and the directive `{verdicts}` that counts it.

A verdict that stands in the ledger's files is shown as "not settled" where a
study that it rests on breaks a rule of evidence.

Without options the directive writes a table: for each section of the article,
how many of its claims have which verdict. With `:list: does not hold` the
claims that have this verdict, each with a link to its place in the ledger.
With `:strip:` one line: each verdict with its count, as a link to the claims.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from attn_course.claims import Claim, ledger
from attn_course.claims.chapters import VERDICTS

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = [
    "Verdict",
    "note_what_verdicts_rest_on",
    "setup",
    "studies",
    "verdict_of",
]

LEDGER = "book/claims"


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    `open` says why it is not settled, `notes` what else a referee would ask;
    both name the study.
    """

    written: str
    open: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def text(self) -> str:
        """Name the verdict."""
        return "not settled" if self.open else self.written

    @property
    def css(self) -> str:
        """Name the class of its card."""
        return f"attn-{self.text.replace(' ', '-')}"

    def mark(self) -> nodes.inline:
        """Write it, with its sign."""
        return nodes.inline("", self.text, classes=["attn-verdict"])


def verdict_of(claim: Claim) -> Verdict:
    """Judge a claim by what is written of it, and by its studies' rules."""
    from attn_course.experiments.rules import blocks, broken_rules

    found: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for study in _with_sources(_resting().get(claim.id, ())):
        for broken in broken_rules(study, study.recording):
            kind = blocks(study, broken, claim.verdict)
            found[kind][f"{study.name}: {broken.what}"] = None
    return Verdict(claim.verdict, list(found[True]), list(found[False]))


def _with_sources(some: Iterable["Study"]) -> list["Study"]:
    """Add the studies whose recordings these read."""
    found = list(some)
    for study in found:
        found += [
            source
            for name in study.rests_on
            if (source := studies()[name]) not in found
        ]
    return found


@cache
def studies() -> Mapping[str, "Study"]:
    """Find every study, once in a build."""
    from attn_course import experiments

    return experiments.studies()


def note_what_verdicts_rest_on(
    env: Any, claim_ids: Iterable[str] | None = None
) -> None:
    """Let the page that is read be read again when a verdict may change."""
    from attn_course.experiments.study import declared_files

    resting = _resting()
    chosen = resting if claim_ids is None else claim_ids
    for claim_id in chosen:
        for study in _with_sources(resting.get(claim_id, ())):
            for file in declared_files(study):
                env.note_dependency(str(file))
    for file in resources.files("attn_course.claims").iterdir():
        env.note_dependency(str(file))


@cache
def _resting() -> dict[str, list["Study"]]:
    """List the studies that give numbers of each claim."""
    found: dict[str, list[Study]] = {}
    for study in studies().values():
        for claim_id in study.claims:
            found.setdefault(claim_id, []).append(study)
    return found


def _verdict(text: str) -> str:
    return directives.choice(text, VERDICTS)


class VerdictsDirective(SphinxDirective):
    """Count the verdicts, or list the claims that have one of them."""

    option_spec: ClassVar[dict[str, Any]] = {
        "list": _verdict,
        "strip": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Write the table or the list."""
        note_what_verdicts_rest_on(self.env)
        if "strip" in self.options:
            return [self.strip()]
        if "list" not in self.options:
            return [self.table()]
        chosen = nodes.bullet_list()
        chosen += [
            self.item(claim)
            for part in ledger()
            for claim in part.claims
            if verdict_of(claim).text == self.options["list"]
        ]
        return [chosen]

    def table(self) -> nodes.table:
        """Write a row for each section of the article, and one for all."""
        table = nodes.table(classes=["attn-table"])
        group = nodes.tgroup(cols=2 + len(VERDICTS))
        group += [nodes.colspec(colwidth=1) for _ in range(2 + len(VERDICTS))]
        head, body = nodes.thead(), nodes.tbody()
        head += _row(nodes.Text("claims about"), ["all", *VERDICTS])
        total: Counter = Counter()
        for part in ledger():
            counts = Counter(verdict_of(claim).text for claim in part.claims)
            total += counts
            name = self.link(f"section-{part.number}", part.title)
            body += _row(name, _counts(counts))
        body += _row(nodes.strong("", "all"), _counts(total))
        group += [head, body]
        table += group
        return table

    def strip(self) -> nodes.bullet_list:
        """Write each verdict with the number of claims that have it."""
        counts = Counter(
            verdict_of(claim).text
            for part in ledger()
            for claim in part.claims
        )
        strip = nodes.bullet_list(classes=["attn-tally"])
        for verdict in VERDICTS:
            css = verdict.replace(" ", "-")
            link = self.link(f"verdict-{css}", "")
            link += [
                nodes.strong("", str(counts[verdict])),
                nodes.Text(" "),
                Verdict(verdict).mark(),
            ]
            item = nodes.list_item(classes=[f"attn-{css}"])
            item += nodes.paragraph("", "", link)
            strip += item
        return strip

    def item(self, claim: Claim) -> nodes.list_item:
        """Write one claim, and where the ledger has it."""
        item = nodes.list_item()
        lines = StringList(claim.statement.split("\n"), source="claims")
        self.state.nested_parse(lines, 0, item)
        name = f"ledger-{claim.id.replace('.', '-')}"
        item[-1] += [nodes.Text(" "), self.link(name, "In the ledger.")]
        return item

    def link(self, anchor: str, text: str) -> nodes.reference:
        """Lead to a place in the ledger."""
        page = self.env.app.builder.get_relative_uri(self.env.docname, LEDGER)
        uri = f"{page}#{anchor}"
        return nodes.reference("", text, internal=True, refuri=uri)


def _counts(counts: Counter) -> list[str]:
    each = [counts[verdict] for verdict in VERDICTS]
    return [str(n) for n in (sum(each), *each)]


def _row(name: nodes.Node, cells: list[str]) -> nodes.row:
    """Write a row of a table."""
    row = nodes.row()
    first = nodes.paragraph("", "")
    first += name
    row += nodes.entry("", first)
    for text in cells:
        row += nodes.entry("", nodes.paragraph("", text))
    return row


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("verdicts", VerdictsDirective)
