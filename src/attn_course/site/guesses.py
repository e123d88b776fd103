r"""The directive `{guess}`: commit, then see.

    :::{guess} In how many of 72 heads does *it* look most at *cat*?
    :range: 0 72
    :unit: heads
    :truth: 3.it-cat.cat_favourite:d
    :veils: cat
    Think of what each head might be for.

    +++
    What the reader sees then: any MyST, figures too.
    :::

There are three kinds:

- options, `- [ ] One. | Why.`, of which one may be marked as the answer;
- a slider, with `:range: LOW HIGH`, and if needed `:step:` and `:unit:`
  (with the unit `%` a truth of 0.25 is shown as 25);
- a curve to draw, with `:curve:`, labels `:x:` and `:y:`, `:range: LOW HIGH`
  for y, and `:log: x y` for the axes that are logarithmic.

`:truth:` is never typed: a claim's value (`3.tie.weight:.2f`), or a study's
measure, see `attn_course.site.truths`. `:veils: NAME` keeps the read-outs of
the widgets of that name back until then.

Without scripts and on paper, question and answer follow each other.
`attn-guess.js` brings the controls to life and remembers the guess on the
reader's device.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging

from attn_course.claims import readable
from attn_course.site.elements import element, tag
from attn_course.site.evidence import evidence
from attn_course.site.ledger import USES, claim_number, find, split_target
from attn_course.site.questions import Asking, Option, read_options
from attn_course.site.truths import measured_over, read_truth
from attn_course.site.verdicts import studies

__all__ = ["Guess", "scaled", "setup", "split_answer"]

logger = logging.getLogger(__name__)

VEILS = "attn_veils"


def split_answer(lines: list[str]) -> tuple[list[str], list[str], int]:
    """Cut at the line `+++`: what is asked, what answers, and its line."""
    for number, line in enumerate(lines):
        if line.strip() == "+++":
            return lines[:number], lines[number + 1 :], number + 1
    return lines, [], len(lines)


def scaled(value: float, unit: str) -> float:
    """Give a share in percent where percent is the unit."""
    return value * 100 if unit == "%" else value


def _range(text: str) -> tuple[float, float]:
    low, high = (float(part) for part in text.split())
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"expected two numbers, LOW < HIGH; got {text!r}")
    return low, high


def _axes(text: str) -> list[str]:
    return [directives.choice(part, ("x", "y")) for part in text.split()]


class Guess(Asking):
    """Read a guess."""

    kind = "guess"
    option_spec: ClassVar[dict[str, Any]] = {
        "range": _range,
        "step": float,
        "unit": directives.unchanged_required,
        "truth": directives.unchanged_required,
        "veils": lambda text: text.split(),
        "curve": directives.flag,
        "x": directives.unchanged_required,
        "y": directives.unchanged_required,
        "log": _axes,
    }

    def run(self) -> list[nodes.Node]:
        """Build the question, its control, and the folded answer."""
        asked, answer, line = split_answer(list(self.content))
        before, options = read_options(asked)
        try:
            control, known = self.control(options)
        except ValueError as error:
            self.warn(0, str(error))
            return []
        if not answer:
            self.warn(0, "expected an answer after a line `+++`")
            return []
        number = self.env.new_serialno("attn-guess") + 1
        name = f"attn-guess-{number}"
        title = nodes.paragraph(
            "", "", nodes.inline("", "Guess first", classes=["attn-eyebrow"]),
            nodes.Text(" "), *self.inline(self.arguments[0], 0, "a guess"),
            ids=[f"{name}-asks"], classes=["attn-asks"],
        )  # fmt: skip
        fold = element(
            "details", element("summary", nodes.Text("Answer")),
            *known, *self.blocks(answer, line),
        )  # fmt: skip
        veils = self.options.get("veils", [])
        metadata = self.env.metadata[self.env.docname]
        metadata.setdefault(VEILS, []).extend(veils)
        box = element(
            "div", title, *self.blocks(before, 0), control, fold,
            css="guess", role="group", aria_labelledby=f"{name}-asks",
            data_key=self.key(asked), data_veils=" ".join(veils),
        )  # fmt: skip
        box["ids"].append(name)
        return [box]

    def key(self, asked: list[str]) -> str:
        """Name it for the reader's device: an edited guess is a new one."""
        text = "\n".join([self.arguments[0], str(self.options), *asked])
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
        return f"{self.env.docname}/{digest}"

    def control(self, options: list[Option]) -> tuple[tag, list[nodes.Node]]:
        """Build what the reader guesses with, and what tells the truth.

        Raises
        ------
        ValueError
            When it is no guess.
        """
        if "curve" in self.options:
            return self.curve()
        if "range" in self.options:
            return self.slider()
        if len(options) < 2:
            raise ValueError(
                "expected two options or more, a :range: or a :curve:"
            )
        if sum(option.right for option in options) > 1:
            raise ValueError("expected one right option at most")
        if not all(option.text for option in options):
            raise ValueError("an option without text")
        return self.choices(options)

    def choices(self, options: list[Option]) -> tuple[tag, list[nodes.Node]]:
        """List the options; what is said of them is behind the fold."""
        number = self.env.new_serialno("attn-guess-options")
        name = f"attn-guess-option-{number + 1}"
        listed = element("ul", css="options", data_guess='{"kind":"options"}')
        told = nodes.bullet_list(classes=["attn-told"])
        for letter, option in zip(ascii_uppercase, options, strict=False):
            item = self.choice(option, letter, name)
            if option.right:
                item["attributes"]["data-right"] = "true"
            listed += item
            if option.right or option.explanation:
                told += self.told(option, letter)
        return listed, [told] if told.children else []

    def told(self, option: Option, letter: str) -> nodes.list_item:
        """Say what is behind an option."""
        item = nodes.list_item("", *self.blocks([option.explanation], 0))
        word = f"{letter} is the answer." if option.right else f"{letter}:"
        if not item.children:
            item += nodes.paragraph()
        item[0].insert(0, [nodes.strong("", word), nodes.Text(" ")])
        return item

    def slider(self) -> tuple[tag, list[nodes.Node]]:
        """Give a range to slide along."""
        low, high = self.options["range"]
        unit = self.options.get("unit", "")
        step = self.options.get("step", _step(low, high))
        told = {
            "kind": "slider", "low": low, "high": high, "step": step,
            "unit": unit,
        }  # fmt: skip
        if "truth" not in self.options:
            raise ValueError("expected a :truth: for the slider")
        slot = element("div", css="slot", data_guess=json.dumps(told))
        truth = self.number(slot, self.options["truth"], unit)
        end = "." if unit in ("", "%") else f" {unit}."
        line = nodes.paragraph("", "The answer: ", classes=["attn-truth"])
        line += [truth, nodes.Text(end)]
        return slot, [line]

    def number(self, slot: tag, text: str, unit: str) -> nodes.Node:
        """Write the truth, and tell it to the control."""
        percent = unit == "%"
        if " " in text.strip():
            [value] = self.measured(text).values()
            slot["attributes"]["data-truth"] = repr(scaled(value, unit))
            words = readable(scaled(value, unit)) + "%" * percent
            return nodes.strong("", words)
        form = split_target(text)[2]
        slot["truth"], slot["unit"] = text, unit
        self.env.metadata[self.env.docname][USES] = True
        target = text if form or not percent else f"{text}:.0%"
        mark = claim_number(text, target=target)
        self.set_source_info(mark)
        return nodes.strong("", "", mark)

    def measured(self, text: str) -> Mapping[Any, float]:
        """Read the truth from a study."""
        from attn_course.experiments.study import declared_files

        truth = read_truth(text)
        if truth.study not in studies():
            raise ValueError(f"expected a study, got {truth.study!r}")
        study = studies()[truth.study]
        for file in declared_files(study):
            self.env.note_dependency(str(file))
        return measured_over(study, truth)

    def curve(self) -> tuple[tag, list[nodes.Node]]:
        """Give axes to draw on, and behind the fold a table of the truth."""
        if "truth" not in self.options:
            raise ValueError("expected a :truth: for the curve")
        found = self.measured(self.options["truth"])
        unit, log = self.options.get("unit", ""), self.options.get("log", [])
        x, y = list(found), [scaled(v, unit) for v in found.values()]
        low, high = self.options.get("range", (0, 1.25 * max(y)))
        if len(x) < 2 or not all(isinstance(one, int | float) for one in x):
            raise ValueError(f"expected a curve over numbers, got {x!r}")
        if ("y" in log and low <= 0) or ("x" in log and min(x) <= 0):
            raise ValueError("expected a logarithmic axis to be above 0")
        xlabel, ylabel = (self.options.get(n, n) for n in "xy")
        told = {
            "kind": "curve", "x": x, "truth": y, "low": low, "high": high,
            "log": log, "unit": unit, "xlabel": xlabel, "ylabel": ylabel,
        }  # fmt: skip
        slot = element("div", css="slot", data_guess=json.dumps(told))
        return slot, [_table(xlabel, ylabel, x, y, unit)]


def _step(low: float, high: float) -> float:
    """Choose a step: about a hundred of them, whole where that is one."""
    return max(10 ** math.floor(math.log10((high - low) / 50)), 1e-9)


def _table(
    xlabel: str, ylabel: str, x: list, y: list[float], unit: str
) -> nodes.table:
    """Write the truth of a curve, a row for each x."""
    table = nodes.table(classes=["attn-table", "attn-drawn"])
    group = nodes.tgroup(cols=2)
    group += [nodes.colspec(colwidth=1), nodes.colspec(colwidth=1)]
    sign = "%" if unit == "%" else f" {unit}" if unit else ""
    rows = [
        [readable(a), f"{readable(b)}{sign}"]
        for a, b in zip(x, y, strict=True)
    ]
    for part, lines in (
        (nodes.thead(), [[xlabel, ylabel]]),
        (nodes.tbody(), rows),
    ):
        for line in lines:
            cells = [
                nodes.entry("", nodes.paragraph("", text)) for text in line
            ]
            part += nodes.row("", *cells)
        group += part
    table += group
    return table


def _fill_truths(app: Any, doctree: nodes.document, page: str) -> None:
    """Tell each slider its truth, once every page has been read."""
    for slot in list(doctree.findall(tag)):
        if "truth" not in slot:
            continue
        claim_id, name, _, field = split_target(slot["truth"])
        try:
            value = find(evidence(app.env), claim_id, name).value
            value = _plain(value, field)
        except ValueError:
            continue  # The ledger complains of the same number.
        slot["attributes"]["data-truth"] = repr(scaled(value, slot["unit"]))


def _plain(value: Any, field: str) -> float:
    """Give the number that the text shows."""
    if isinstance(value, Mapping):
        if field == "seeds":
            return len(value["each"])
        return value[field if field in ("min", "max") else "mean"]
    return float(value)


def _find_veiled(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    """Warn when a guess veils what is not there."""
    body = context.get("body", "")
    for name in app.env.metadata.get(page, {}).get(VEILS, []):
        if f"&quot;name&quot;:&quot;{name}&quot;" not in body:
            logger.warning(
                "guess: expected :veils: to name a widget of this page, got "
                "%r", name, location=page, type="attn_course",
                subtype="guess",
            )  # fmt: skip


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("guess", Guess)
    # Before the ledger puts its numbers in place.
    app.connect("doctree-resolved", _fill_truths, priority=400)
    app.connect("html-page-context", _find_veiled)
