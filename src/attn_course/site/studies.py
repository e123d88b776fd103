"""The directives `{study}` and `{study-figure}`: experiments on pages.

`{study} induction` shows all that is known of one experiment: question,
design, arms, settings, convergence, figures, numbers, verdicts, and the
command that repeats it. Its numbers become those of the claims, as if a cell
of that page had reported them.

`{study-figure} induction scores` shows one figure. A figure is drawn while
the site is built, from the recording, and again only when the recording or
the code that draws it has changed.
"""

import hashlib
import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from attn_course.claims import look_up, readable
from attn_course.claims.chapters import nearest
from attn_course.claims.reporting import report_of
from attn_course.site.charts import shown
from attn_course.site.ledger import MOST_REASONS, USES, claim_number
from attn_course.site.verdicts import (
    LEDGER,
    note_what_verdicts_rest_on,
    studies,
    verdict_of,
)

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = ["draw", "setup"]

# Settings with more text than this are told by the recording alone.
MOST_LETTERS = 200


def draw(study: "Study", name: str, folder: Path) -> Path:
    """Draw a figure of a study into a folder, unless it is there already.

    The file holds the HTML that stands in a page.

    Raises
    ------
    ValueError
        When the study has no such figure; the message lists those it has.
    """
    if name not in study.figures:
        raise ValueError(
            f"expected a figure of study {study.name}, such as "
            f"{nearest(name, study.figures)}; got {name!r}"
        )
    from attn_course.experiments.code_hash import code_hash

    function = study.figures[name].draw
    alt = " ".join(study.figures[name].alt.split())
    made_of = alt + code_hash(function) + json.dumps(study.recording)
    key = hashlib.sha256(made_of.encode("utf-8")).hexdigest()[:16]
    path = folder / f"{study.name}-{name}-{key}.html"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.html")
        draft.write_text(function(study.recording).html(alt), "utf-8")
        draft.replace(path)
    return path


class _OfStudies(SphinxDirective):
    """What both directives need."""

    def find(self, name: str) -> "Study":
        """Find a study; the page is read again when it changes."""
        found = studies()
        if name not in found:
            raise self.error(
                f"expected a study, such as {nearest(name, found)}; got "
                f"{name!r}"
            )
        from attn_course.experiments.study import declared_files

        study = found[name]
        for file in declared_files(study):
            self.env.note_dependency(str(file))
        return study

    def image(self, study: "Study", name: str) -> nodes.container:
        """Show one figure, as the figures of cells are shown."""
        from attn_course.experiments.code_hash import files_of

        folder = Path(self.env.app.outdir).parent / "study_figures"
        try:
            path = draw(study, name, folder)
        except ValueError as error:
            raise self.error(str(error)) from None
        for file in files_of(study.figures[name].draw):
            self.env.note_dependency(str(file))
        return shown(path.read_text("utf-8"))


class StudyFigureDirective(_OfStudies):
    """Show one figure of a study."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Draw it."""
        name, figure = self.arguments
        return [self.image(self.find(name), figure)]


class StudyDirective(_OfStudies):
    """Show all that is known of a study."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the section, and report the numbers."""
        study = self.find(self.arguments[0])
        note_what_verdicts_rest_on(self.env, study.claims)
        anchor = f"study-{study.name}"
        section = nodes.section(ids=[anchor], names=[study.question])
        self.state.document.note_explicit_target(section, section)
        section += nodes.title(study.question, study.question)
        section += self.parse(_without_title(study.design))
        section += _facts(self.facts(study))
        for name in study.figures:
            section += self.image(study, name)
        section += self.claims(study, anchor)
        section += self.how(study)
        return [section]

    def facts(self, study: "Study") -> Iterator[tuple[str, list[nodes.Node]]]:
        """Yield what was compared, with which settings, and how well."""
        from attn_course.experiments.rules import broken_rules

        for factor, levels in study.arms.items():
            yield _words(factor), [_text(", ".join(map(_short, levels)))]
        for name in study.sweep:
            arms = study.each_arm()
            grids = dict.fromkeys(tuple(study.grid(name, a)) for a in arms)
            tried = ", or ".join(
                ", ".join(map(_short, grid)) for grid in grids
            )
            yield f"{_words(name)}, tried", [_text(tried)]
        if study.seeds:
            seeds = len(study.recording["recorded"]["seeds"])
            yield "seeds", [_text(str(seeds))]
        if settings := _settings(_others(study)):
            yield "settings", [_text(settings)]
        yield from self.chosen(study)
        if study.rests_on:
            yield "rests on", [_text(", ".join(study.rests_on))]
        if broken := broken_rules(study, study.recording):
            yield "open", [_listed([one.what for one in broken])]

    def chosen(self, study: "Study") -> Iterator[tuple[str, list[nodes.Node]]]:
        """Yield the best setting of each arm, and what knows nothing."""
        from attn_course.experiments.rules import choices, in_words

        if study.chosen_by and study.sweep:
            best = nodes.bullet_list()
            for choice in choices(study, study.recording["records"]):
                arm, tried = in_words(choice.arm), _settings(choice.setting)
                best += nodes.list_item("", _text(f"{arm}: {tried}"))
            yield f"best by {_words(study.chosen_by)}", [best]
        if baselines := study.recording.get("baselines"):
            yield "baselines", [_text(_settings(baselines))]

    def claims(self, study: "Study", anchor: str) -> list[nodes.Node]:
        """List the claims that rest on the study, each with its numbers."""
        page = self.env.metadata[self.env.docname]
        recorded = study.recording["recorded"]
        cards = nodes.bullet_list(classes=["attn-ledger"])
        for claim_id, values in study.numbers().items():
            content = report_of(
                claim_id, values, recorded["seeds"], recorded["command"]
            )
            page.setdefault("attn_claims", []).append((content, anchor, True))
            page[USES] = True
            cards += self.card(claim_id, list(values))
        return [cards] if cards.children else []

    def card(self, claim_id: str, names: Sequence[str]) -> nodes.list_item:
        """Write one claim, its verdict and the numbers of this study."""
        claim = look_up(claim_id)
        verdict = verdict_of(claim)
        card = nodes.list_item(classes=[verdict.css])
        card += self.parse(claim.statement)
        target = f"ledger-{claim_id.replace('.', '-')}"
        page = self.env.app.builder.get_relative_uri(self.env.docname, LEDGER)
        line = nodes.paragraph("", "", verdict.mark())
        if verdict.open:
            reasons = "; ".join(verdict.open[:MOST_REASONS])
            line += nodes.Text(
                f" ({reasons}). Our reading: {verdict.written}."
            )
        line += [
            nodes.Text(" "),
            nodes.reference(
                "", "Among all claims", internal=True,
                refuri=f"{page}#{target}",
            ),
        ]  # fmt: skip
        card += [line, *(self.parse(claim.because) if claim.because else [])]
        numbers = nodes.bullet_list()
        for name in names:
            if name in claim.values:  # others stand in the prose alone
                [paragraph] = self.parse(claim.values[name])
                mark = claim_number(
                    "", target=f"{claim_id}.{name}", in_full=True
                )
                paragraph += [nodes.Text(": "), mark]
                numbers += nodes.list_item("", paragraph)
        if numbers.children:
            card += numbers
        return card

    def how(self, study: "Study") -> list[nodes.Node]:
        """Say how the recording was made, and how to make it again."""
        recorded = study.recording["recorded"]
        versions = ", ".join(
            f"{name} {version}"
            for name, version in recorded["versions"].items()
        )
        seconds = study.recording.get("seconds")
        told = isinstance(seconds, int | float) and seconds
        took = f" It took {readable(seconds)} s." if told else ""
        line = nodes.paragraph("", "Recorded")
        line += nodes.Text(
            f" on {recorded['date']} at commit {recorded['commit'][:10]} with "
            f"{versions}.{took} To repeat it: "
            if "date" in recorded
            else f" at commit {recorded['commit'][:10]} with {versions}."
            f"{took} To repeat it: "
        )
        line += nodes.literal(
            "", f"attn-course experiments --only {study.name}"
        )
        return [line]

    def parse(self, text: str) -> list[nodes.Node]:
        """Read MyST."""
        box = nodes.Element()
        lines = StringList(text.strip().splitlines(), source="study")
        self.state.nested_parse(lines, 0, box)
        return box.children


def _without_title(design: str) -> str:
    """Leave out a first line that stands alone: the question is the title."""
    text = inspect.cleandoc(design)
    first, _, rest = text.partition("\n\n")
    return rest if rest and "\n" not in first else text


def _others(study: "Study") -> dict[str, Any]:
    """Give the settings that no arm and no sweep says already."""
    told = [list(levels) for levels in study.arms.values()]
    told += [study.grid(n, a) for n in study.sweep for a in study.each_arm()]
    return {k: v for k, v in study.settings.items() if v not in told}


def _listed(lines: Sequence[str]) -> nodes.bullet_list:
    found = nodes.bullet_list()
    found += [nodes.list_item("", _text(line)) for line in lines]
    return found


def _facts(facts: Iterator[tuple[str, list[nodes.Node]]]) -> nodes.Node:
    found = nodes.definition_list(classes=["attn-facts"])
    for term, content in facts:
        found += nodes.definition_list_item(
            "", nodes.term("", term), nodes.definition("", *content)
        )
    return found


def _settings(settings: Mapping[str, Any]) -> str:
    """Write settings on one line: `steps 400, batch 32`."""
    short = {name: _short(value) for name, value in settings.items()}
    return ", ".join(
        f"{_words(name)} {text}"
        for name, text in short.items()
        if len(text) <= MOST_LETTERS
    )


def _short(value: Any) -> str:
    """Write a value for a reader."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int | float):
        return readable(value, "" if abs(value) >= 1e-4 or not value else "g")
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return f"({_settings(value)})"
    return "(" + ", ".join(map(_short, value)) + ")"


def _words(name: str) -> str:
    return str(name).replace("_", " ")


def _text(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("study", StudyDirective)
    app.add_directive("study-figure", StudyFigureDirective)
