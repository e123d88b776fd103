r"""The directive `{question}`: a question that marks itself.

    :::{question} Why divide by $\sqrt{d}$?
    - [ ] To save time. | It costs a division more.
    - [x] To keep the spread of the scores independent of $d$.
      | Yes: without it their variance grows like $d$.
    :::

Each option has an explanation after ` | `, which is shown to whoever chose
it. One right option makes radio buttons, several make checkboxes. What
stands before the first option belongs to the question.

`:taught: [Chapter 3](03-query-key-value.md)` says where to read it up, and
`{tally}` counts the questions of its page that were right at the first try.

Without scripts and on paper the options can be read, and the answers are
folded. `attn-questions.js` brings the controls to life.
"""

import re
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from attn_course.site.elements import element, tag

__all__ = ["Asking", "Option", "read_options", "setup"]

logger = logging.getLogger(__name__)

_OPTION = re.compile(r"[-*] \[(?P<mark>[ xX])\] +(?P<text>.*)")
# Code, escapes and maths, which may hold bars of their own; or the bar.
_BAR = re.compile(
    r"(?P<ticks>`+).*?(?P=ticks)(?!`)"
    r"|\\."
    r"|\$[^$]*\$"
    r"|(?P<bar>(?:^|(?<=\s))\|\s)",
    re.DOTALL,
)


@dataclass
class Option:
    """One answer to choose, and what its chooser is told."""

    right: bool
    text: str
    explanation: str
    line: int


def _split(text: str) -> tuple[str, str]:
    """Cut at the first bar outside of code and maths."""
    for match in _BAR.finditer(text):
        if match.group("bar"):
            return text[: match.start()], text[match.end() :]
    return text, ""


def read_options(lines: list[str]) -> tuple[list[str], list[Option]]:
    """Read the body of a question: what stands first, and its options."""
    before: list[str] = []
    starts: list[tuple[bool, int, list[str]]] = []
    for number, line in enumerate(lines):
        match = _OPTION.match(line)
        if match:
            right = match["mark"] in "xX"
            starts.append((right, number, [match["text"]]))
        elif starts:
            starts[-1][2].append(line.removeprefix("  "))
        else:
            before.append(line)
    options = []
    for right, number, text in starts:
        answer, explanation = _split("\n".join(text).strip())
        options.append(
            Option(right, answer.strip(), explanation.strip(), number)
        )
    return before, options


def faults(options: list[Option]) -> list[tuple[int, str]]:
    """Say what a question lacks, each with its line."""
    found = []
    if len(options) < 2:
        found.append((0, f"expected two options or more, got {len(options)}"))
    if len(options) > len(ascii_uppercase):
        found.append((0, f"expected 26 options or fewer, got {len(options)}"))
    if options and not any(option.right for option in options):
        found.append((0, "expected a right option, marked [x]; got none"))
    for option in options:
        if not option.text:
            found.append((option.line, "an option without text"))
        elif not option.explanation:
            text = f"expected an explanation after ` | `: {option.text!r}"
            found.append((option.line, text))
    return found


class Asking(SphinxDirective):
    """What questions and guesses share: a question, and text in MyST."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    kind = "question"

    def warn(self, line: int, text: str) -> None:
        """Say what is wrong, where."""
        place = (self.env.docname, self.lineno + line)
        logger.warning(
            "%s %r: %s", self.kind, self.arguments[0], text, location=place,
            type="attn_course", subtype=self.kind,
        )  # fmt: skip

    def choice(
        self, option: Option, letter: str, name: str, many: bool = False
    ) -> tag:
        """Give an option its control, asleep until a script wakes it."""
        control = element(
            "input",
            type="checkbox" if many else "radio",
            name=name, hidden="hidden", autocomplete="off",
        )  # fmt: skip
        text = self.inline(option.text, option.line, "an option")
        # The answer calls it by its letter, so that is to be heard as well;
        # a label of maths alone would have no words.
        box = element("span", nodes.Text(f"{letter}. "), *text)
        return element("li", element("label", control, box))

    def blocks(self, lines: list[str], line: int) -> list[nodes.Node]:
        """Read MyST."""
        box = nodes.Element()
        self.state.nested_parse(StringList(lines, source=""), line, box)
        return box.children

    def inline(self, text: str, line: int, what: str) -> list[nodes.Node]:
        """Read MyST that has to fit on a label."""
        blocks = self.blocks(text.splitlines(), line)
        if len(blocks) != 1 or not isinstance(blocks[0], nodes.paragraph):
            self.warn(line, f"expected {what} to be one paragraph: {text!r}")
            return [nodes.Text(text)]
        return blocks[0].children


class Question(Asking):
    """Read a question."""

    option_spec: ClassVar[dict[str, Any]] = {
        "taught": directives.unchanged_required
    }

    def run(self) -> list[nodes.Node]:
        """Build the question as a list of options and folded answers."""
        before, options = read_options(list(self.content))
        wrong = faults(options)
        for line, text in wrong:
            self.warn(line, text)
        if wrong:
            return []
        number = self.env.new_serialno("attn-question") + 1
        name = f"attn-question-{number}"
        many = sum(option.right for option in options) > 1
        legend = element(
            "legend",
            *self.inline(self.arguments[0], 0, "the question"),
        )
        ask = "Choose all that apply." if many else "Choose one."
        hint = nodes.paragraph("", ask, classes=["attn-hint"])
        choices = element("ul", css="options")
        answers = element("ol", css="answers", type="A")
        for letter, option in zip(ascii_uppercase, options, strict=False):
            choices += self.choice(option, letter, name, many)
            answers += self.answer(option)
        bar = element(
            "div",
            element("button", nodes.Text("Check"), type="button"),
            element("div", css="result", role="status"),
            css="check", hidden="hidden",
        )  # fmt: skip
        summary = element("summary", nodes.Text("Answers"))
        fold = element("details", summary, answers)
        if "taught" in self.options:
            told = f"Look it up: {self.options['taught']}."
            fold += element("div", *self.blocks([told], 0), css="taught")
        question = element(
            "fieldset", legend, *self.blocks(before, 0), hint, choices, bar,
            fold, css="question",
        )  # fmt: skip
        question["ids"].append(name)
        return [question]

    def answer(self, option: Option) -> tag:
        """Say whether an option is right, and why."""
        css, word = ("right", "Right.") if option.right else (
            "wrong", "Not right."
        )  # fmt: skip
        item = element("li", css=css)
        blocks = self.blocks(option.explanation.splitlines(), option.line)
        verdict = nodes.strong("", word, classes=["attn-mark"])
        if blocks and isinstance(blocks[0], nodes.paragraph):
            blocks[0].insert(0, [verdict, nodes.Text(" ")])
        else:
            blocks.insert(0, nodes.paragraph("", "", verdict))
        item += blocks
        return item


class Tally(SphinxDirective):
    """Count the answers of the page; this needs the script."""

    def run(self) -> list[nodes.Node]:
        """Leave room for it."""
        return [element("div", css="tally", role="status", hidden="hidden")]


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("tally", Tally)
    app.add_directive("question", Question)
