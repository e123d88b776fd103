"""`TypeASentence`: a small transformer reads the reader's own sentence."""

import base64
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import traitlets
from jaxtyping import Float

from attn_course.html import html_table
from attn_course.tasks import pronouns
from attn_course.tasks.pronouns.weights import (
    ASSET,
    load_reader,
    pack_weights,
    unpack_weights,
)
from attn_course.widgets.base import CourseWidget

__all__ = ["Answer", "TypeASentence"]

MAX_LETTERS = 300
CAT = "The cat sat on the mat because it was tired."
# Pairs that differ in one word; then what the model gets wrong: size, a noun
# that it met alone only, a noun of the pronoun's own clause.
EXAMPLES = {
    "the cat": CAT,
    "tired": "The animal didn't cross the street because it was too tired.",
    "wide": "The animal didn't cross the street because it was too wide.",
    "they": "The queen watched the wolves because they were hungry.",
    "she": "The queen watched the wolves because she was hungry.",
    "two pronouns": "The king saw the girls but they slept, so he left.",
    "a blank": "The sister slept because ___ was tired.",
    "nobody": "The queen slept because he was tired.",
    "big": "The trophy didn't fit in the suitcase because it was too big.",
    "small": "The trophy didn't fit in the suitcase because it was too small.",
    "held out": "The bird sat on the tree because it was hungry.",
    "own clause": "The king slept because she saw the queen.",
    "unknown words": "The zebra ignored the teacher because she was tyred.",
}
NOTE = (
    "A model of our own, trained on made-up sentences in which agreement or "
    "meaning decides. It knows no other words, and of meaning only that some "
    "words are said of the living and some of things."
)
# Words and signs over the kinds of characters that `_kind` tells apart: a
# letter keeps its marks and joiners, an emoji its parts, a flag its two.
_PIECES = re.compile(
    r"_{2,}|(?:a[mj]*)+(?:-(?:a[mj]*)+)*|ff|e[tv]*(?:je[tv]*)*|[^ ]m*"
)


class Answer(NamedTuple):
    """What the model names at the word `asked`, number `place` from 0.

    `chances` gives every word of the vocabulary its probability, likely
    words first.
    """

    asked: str
    place: int
    chances: dict[str, float]


class TypeASentence(CourseWidget):
    """Type a sentence; see which noun its pronoun means, and where it looks.

    Parameters
    ----------
    model
        A `transformer.Transformer` of your own, or a module with one in its
        attribute `transformer`, such as `pronouns.reader.Reader`. It travels
        as float16. Without it: the recorded one.
    vocabulary
        What each number of the model's vocabulary means; that of
        `tasks.pronouns` unless told.
    sentence
        The sentence to start from.
    examples
        Sentences to choose from, by a short label.
    **state
        Where to start: `layer` and `head`, both from 1.

    Raises
    ------
    ValueError
        When the vocabulary is not as long as the model's.

    Examples
    --------
    >>> widget = TypeASentence()
    >>> widget.sentence = "The queen saw the wolves because she was old."
    >>> answer = widget.answers[0]
    >>> answer.asked, next(iter(answer.chances))
    ('she', 'queen')
    """

    _tag = "attn-sentence"
    _reader: ClassVar[tuple[str, ...]] = ("sentence", "layer", "head")
    _constants = ("MAX_LETTERS",)

    sentence = traitlets.Unicode("").tag(sync=True)
    layer = traitlets.Int(1, min=1).tag(sync=True)
    head = traitlets.Int(1, min=1).tag(sync=True)

    def __init__(
        self,
        model: Any = None,
        vocabulary: Sequence[str] | None = None,
        *,
        sentence: str = CAT,
        examples: Mapping[str, str] = EXAMPLES,
        title: str = "Whom does the pronoun mean?",
        note: str = NOTE,
        name: str = "sentence",
        **state: Any,
    ) -> None:
        own = None if model is None else _packed(model, vocabulary)
        self._model = load_reader() if own is None else unpack_weights(own)
        super().__init__(
            name=name,
            source={
                "title": title,
                "note": note,
                "asset": ASSET,
                "weights": own and base64.b64encode(own).decode("ascii"),
                "examples": [
                    {"label": label, "sentence": text}
                    for label, text in examples.items()
                ],
                "lists": {} if own else _held_out(),
                "layers": self._model.layers,
                "heads": self._model.heads,
            },
            **{"sentence": sentence, **state},
        )

    @traitlets.validate("sentence")
    def _check_sentence(self, proposal: Any) -> str:
        if len(proposal.value) > MAX_LETTERS:
            raise traitlets.TraitError(
                f"expected a sentence of at most {MAX_LETTERS} letters, got "
                f"{len(proposal.value)}"
            )
        return proposal.value

    @traitlets.validate("layer", "head")
    def _check_choice(self, proposal: Any) -> int:
        what = proposal.trait.name
        most = getattr(self._model, f"{what}s")
        if proposal.value > most:
            raise traitlets.TraitError(
                f"expected {what} from 1 to {most}, got {proposal.value}"
            )
        return proposal.value

    def asset_names(self) -> list[str]:
        """Name the recorded weights."""
        own = self._model is not load_reader()
        return [] if own else [ASSET]

    @property
    def words(self) -> list[str]:
        """The sentence as the vocabulary writes it, punctuation too."""
        return [
            pronouns.BLANK
            if text.startswith("__")
            else text.lower().replace("’", "'")
            for text in _pieces(self.sentence)
        ]

    @property
    def unknown(self) -> list[str]:
        """The words that the model does not know."""
        return [w for w in self.words if w not in set(self._model.words)]

    @property
    def answers(self) -> list[Answer]:
        """What the model names at each pronoun and blank.

        Raises
        ------
        ValueError
            When a word is unknown, or there are none or too many.
        """
        words, answers = self.words, []
        scores = self._model.read(words).scores  # (n, n_words)
        known = {*self._model.classes.get("pronouns", ()), pronouns.BLANK}
        for place, word in enumerate(words):
            if word not in known:
                continue
            exps = np.exp(scores[place] - scores[place].max())  # (n_words,)
            chances = dict(
                zip(self._model.words, exps / exps.sum(), strict=True)
            )
            order = sorted(chances, key=chances.__getitem__, reverse=True)
            likely = {each: float(chances[each]) for each in order}
            answers.append(Answer(word, place, likely))
        return answers

    @property
    def weights(self) -> Float[np.ndarray, "layers heads n n"]:
        """The attention weights of every head.

        Raises
        ------
        ValueError
            When a word is unknown, or there are none or too many.
        """
        return self._model.read(self.words).weights

    def table(self) -> str:
        """Give what the model names, as an HTML table."""
        try:
            answers = self.answers
        except ValueError:
            answers = []
        rows = [
            (
                f"{answer.asked} (word {answer.place + 1})",
                [_named(word), f"{100 * chance:.1f} %"],
            )
            for answer in answers
            for word, chance in self._listed(answer)
        ]
        return html_table(
            f"{self.source['title']} “{self.sentence}”",
            ["pronoun", "means", "probability"],
            rows,
        )

    def _listed(self, answer: Answer) -> list[tuple[str, float]]:
        """Pick the three likeliest words and every noun of the sentence."""
        here = set(self.words) & {
            word
            for name, words in self._model.classes.items()
            if name.endswith(" nouns")
            for word in words
        }
        return [
            (word, chance)
            for rank, (word, chance) in enumerate(answer.chances.items())
            if rank < 3 or word in here
        ]


def _pieces(sentence: str) -> list[str]:
    """Cut a sentence as the browser does, in any script.

    Python's `re` knows no classes of Unicode: so the kind of each character
    stands for it.
    """
    kinds = "".join(map(_kind, sentence))
    return [
        sentence[slice(*match.span())] for match in _PIECES.finditer(kinds)
    ]


def _kind(c: str) -> str:
    """Name what a character does in a word: one letter for each kind."""
    category = unicodedata.category(c)
    if c.isspace():
        return " "
    if c in "_":
        return "_"
    if c in "'’-":
        return "-"
    if c in "\u200c\u200d":
        return "j"
    if c == "\ufe0f":
        return "v"
    if "\U0001f1e6" <= c <= "\U0001f1ff":
        return "f"  # half of a flag
    if "\U0001f3fb" <= c <= "\U0001f3ff":
        return "t"  # a tone of skin
    return {"L": "a", "N": "a", "M": "m"}.get(
        category[0], "e" if category == "So" else "."
    )


def _named(word: str) -> str:
    return "no noun of this sentence" if word == pronouns.NONE else word


def _packed(model: Any, vocabulary: Sequence[str] | None) -> bytes:
    """Write a reader's own model, with the classes of the words it has."""
    words = list(pronouns.WORDS if vocabulary is None else vocabulary)
    known = set(words)
    classes = {
        name: [word for word in some if word in known]
        for name, some in pronouns.CLASSES.items()
    }
    return pack_weights(getattr(model, "transformer", model), words, classes)


def _held_out() -> dict[str, list[str]]:
    return {
        "of these, never beside another noun in training": [
            noun.text for noun in pronouns.NOUNS if pronouns.is_held_out(noun)
        ]
    }
