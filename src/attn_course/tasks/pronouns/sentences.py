"""Sentences with one pronoun, and the noun that it stands for.

Every sentence has a main clause and one with a pronoun, such as *the queen
slept near the wolves because she was tired*. Exactly one of its nouns fits
the pronoun. All sentences are grammatical; many are odd, because which noun
stands where is drawn at random.
"""

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from attn_course.tasks.pronouns import words as w
from attn_course.tasks.pronouns.words import Noun, Verb

__all__ = [
    "KINDS",
    "MIXTURE",
    "Sentence",
    "rules",
    "test_sentences",
    "training_sentences",
]

KINDS = {
    "agreement": "two or three nouns; one agrees in gender and number",
    "meaning": "two nouns agree; one can be what is said of the pronoun",
    "name": "one noun, and it fits",
    "none": "one noun, and it does not fit: the answer is <none>",
    "blank": "one noun; the pronoun itself is asked for",
}
# Parts of the training sentences.
MIXTURE = {
    "agreement": 0.45,
    "meaning": 0.15,
    "name": 0.1,
    "none": 0.15,
    "blank": 0.15,
}
WHO = ("known", "held out", "any")


class Sentence(NamedTuple):
    """Words, the place that is asked, and the answer.

    Places count from 0: `at` the pronoun or the blank, `nouns` all nouns,
    `antecedent` the one that fits (None where none does), `subject` that of
    the main clause.
    """

    words: tuple[str, ...]
    at: int
    answer: str
    nouns: tuple[int, ...]
    antecedent: int | None
    subject: int
    kind: str


def training_sentences(
    n: int, seed: int, *, mixture: Mapping[str, float] = MIXTURE
) -> list[Sentence]:
    """Draw sentences to learn from.

    Held-out nouns stand only in sentences that have no other noun: there
    they can be named, and there the blank tells their gender and number.
    """
    rng = random.Random(seed)
    kinds = rng.choices(list(mixture), list(mixture.values()), k=n)
    many = ("agreement", "meaning")
    return [
        _draw(rng, kind, *(("known",) * 2 if kind in many else ("any",) * 2))  # pyright: ignore[reportArgumentType]
        for kind in kinds
    ]


def test_sentences(
    n: int,
    seed: int,
    *,
    kind: str = "agreement",
    answer: str = "known",
    rival: str = "known",
    nouns: int = 2,
) -> list[Sentence]:
    """Draw sentences to measure on.

    Parameters
    ----------
    n, seed
        How many, and where chance starts; training starts elsewhere.
    kind
        One of `KINDS`.
    answer, rival
        Whether the noun that fits, and those that don't, are "known" from
        sentences with two nouns, "held out" of them, or "any".
    nouns
        How many nouns, where the kind allows a choice.

    Raises
    ------
    ValueError
        When `kind`, `answer` or `rival` is none of these.

    Examples
    --------
    >>> one = test_sentences(1, seed=11)[0]
    >>> " ".join(one.words)
    'my man blocked a train after he stayed .'
    >>> one.words[one.at], one.answer
    ('he', 'man')
    """
    for value, known in (
        (kind, KINDS),
        (answer, WHO),
        (rival, WHO),
    ):
        if value not in known:
            raise ValueError(f"expected one of {list(known)}, got {value!r}")
    rng = random.Random(f"test {seed}")
    return [_draw(rng, kind, answer, rival, nouns) for _ in range(n)]


# A name that starts with "test" is a test to pytest.
test_sentences.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]


def rules(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Measure how often a rule without a grammar names the right noun.

    Returns
    -------
    dict
        The share of sentences in which the noun nearest to the pronoun (the
        first of two equally near ones), the first noun and the subject of
        the main clause are right, and the chance of a noun drawn at random.
    """

    def share(right: list[float]) -> float:
        return sum(right) / len(right)

    def nearest(s: Sentence) -> int:
        return min(s.nouns, key=lambda i: (abs(i - s.at), i))

    return {
        "nearest noun": share([nearest(s) == s.antecedent for s in sentences]),
        "first noun": share([s.nouns[0] == s.antecedent for s in sentences]),
        "subject": share([s.subject == s.antecedent for s in sentences]),
        "random noun": share([1 / len(s.nouns) for s in sentences]),
    }


# Choosing what stands in a sentence


def _draw(
    rng: random.Random, kind: str, answer: str, rival: str, nouns: int = 0
) -> Sentence:
    """Draw one sentence; `nouns` 0 draws two or three."""
    genders = list(w.SUBJECTS)
    gender = rng.choice(genders)
    if kind == "agreement":
        others = [each for each in genders if each != gender]
        chosen = [rng.choice(_nouns(answer, gender))]
        count = nouns or (2 if rng.random() < 0.75 else 3)
        while len(chosen) < count:
            noun = rng.choice(_nouns(rival, rng.choice(others)))
            if noun not in chosen:
                chosen.append(noun)
        fits = _fit_all(chosen)
    elif kind == "meaning":
        gender = rng.choice((w.NEUTER, w.PLURAL))
        kinds = rng.sample(("living", "thing"), 2)
        chosen = [
            rng.choice(_nouns(who, gender, nature))
            for who, nature in zip((answer, rival), kinds, strict=True)
        ]
        fits = (chosen[0].nature,)
    else:
        chosen = [rng.choice(_nouns(answer, gender))]
        fits = ("any", chosen[0].nature)
    if kind == "none":
        gender, fits = _misfit(rng, chosen[0])
    return _write(rng, kind, chosen, gender, fits)


def _fit_all(nouns: Sequence[Noun]) -> tuple[str, ...]:
    """Say what can be said of each of these nouns alike."""
    natures = {noun.nature for noun in nouns}
    return ("any", *natures) if len(natures) == 1 else ("any",)


def _misfit(rng: random.Random, noun: Noun) -> tuple[str, tuple[str, ...]]:
    """Choose a pronoun of another class, or what can't be said of it."""
    if noun.gender in (w.NEUTER, w.PLURAL) and rng.random() < 0.4:
        other = "thing" if noun.nature == "living" else "living"
        return noun.gender, (other,)
    others = [each for each in w.SUBJECTS if each != noun.gender]
    return rng.choice(others), ("any",)


@cache
def _nouns(who: str, gender: str, nature: str | None = None) -> list[Noun]:
    return [
        noun
        for noun in w.NOUNS
        if noun.gender == gender
        and nature in (None, noun.nature)
        and who in ("any", "held out" if w.is_held_out(noun) else "known")
    ]


@cache
def _verbs(
    subject: tuple[str, ...], thing: tuple[str, ...] = ("",)
) -> list[Verb]:
    """List the verbs that may stand between a subject and an object."""
    return [v for v in w.VERBS if v.subject in subject and v.thing in thing]


# Writing it


class _Writer:
    """A sentence as far as it is written, and where its nouns stand."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.words: list[str] = []
        self.places: dict[Noun, int] = {}

    def add(self, *words: str) -> int:
        """Write words; give the place of the first."""
        self.words += words
        return len(self.words) - len(words)

    def maybe(self, chance: float, *words: str) -> None:
        """Write one of these words, or none."""
        if self.rng.random() < chance:
            self.add(self.rng.choice(words))

    def noun(self, noun: Noun) -> None:
        """Write a noun with determiner and, sometimes, an adjective."""
        rng = self.rng
        if not noun.name:
            several = noun.gender == w.PLURAL
            determiner = rng.choice(w.SEVERAL if several else w.SINGULAR)
            before = [noun.text]
            if rng.random() < 0.3:
                before.insert(0, rng.choice(w.ATTRIBUTES[noun.nature]))
            if determiner == "a" and before[0][0] in "aeiou":
                determiner = "an"
            self.add(determiner, *before[:-1])
        self.places[noun] = self.add(noun.text)

    def verb(self, verb: Verb, negated: float = 0.12) -> None:
        """Write a verb in the past tense, sometimes negated."""
        if self.rng.random() < negated:
            self.maybe(1, "didn't", "did not")
            self.words[-1:] = self.words[-1].split()
            self.add(verb.base)
        else:
            self.add(verb.past)

    def link(self, noun: Noun) -> None:
        """Write a preposition that fits the noun after it."""
        kind = "any"
        if noun.kind == "thing" and self.rng.random() < 0.6:
            kind = "place" if noun.text in w.PLACES else "thing"
        self.maybe(1, *w.PREPOSITIONS[kind])
        self.noun(noun)

    def intransitive(self, subject: Noun) -> None:
        """Write a verb that needs no object."""
        self.verb(self.rng.choice(_verbs(subject.natures)))

    def transitive(
        self, subject: Noun, thing: Noun, negated: float = 0.12
    ) -> None:
        """Write a verb and its object."""
        verbs = _verbs(subject.natures, thing.natures)
        self.verb(self.rng.choice(verbs), negated)
        self.noun(thing)


def _write(
    rng: random.Random,
    kind: str,
    nouns: Sequence[Noun],
    gender: str,
    fits: tuple[str, ...],
) -> Sentence:
    """Write a sentence; the first of `nouns` is the answer.

    How often the answer stands where is chosen so that neither the nearest
    nor the first noun nor the subject is right much more than half the time.
    """
    out = _Writer(rng)
    answer, *rivals = nouns
    # A pronoun does not stand for another noun of its own clause.
    last = rivals.pop() if rivals and rng.random() < 0.2 else None
    fronted = rng.random() < (0.5 if last else 0.15)
    order = [answer, *rivals]
    rng.shuffle(order)
    if len(order) == 2 == len(nouns):
        near = rng.random() < 0.6
        order = [answer, *rivals] if near == fronted else [*rivals, answer]

    out.maybe(0.1, *w.ADVERBS)
    if fronted:
        out.maybe(1, *w.FRONTED)
        at = _clause(out, gender, fits, last)
        out.maybe(0.8, ",")
        subject = _main(out, order)
    else:
        subject = _main(out, order)
        out.maybe(0.2, ",")
        out.maybe(1, *w.JOINERS)
        at = _clause(out, gender, fits, last)
    out.maybe(0.5, ".")

    target = w.NONE if kind == "none" else answer.text
    if kind == "blank":
        target, out.words[at] = out.words[at], w.BLANK
    return Sentence(
        words=tuple(out.words),
        at=at,
        answer=target,
        nouns=tuple(sorted(out.places.values())),
        antecedent=None if kind == "none" else out.places[answer],
        subject=out.places[subject],
        kind=kind,
    )


def _main(out: _Writer, nouns: Sequence[Noun]) -> Noun:
    """Write the main clause around all nouns in order; give its subject."""
    first, *rest = nouns
    if not rest:
        out.noun(first)
        out.intransitive(first)
        return first
    forms = ("object", "object", "place", "fronted", "who")
    form = out.rng.choice(forms)
    if form == "fronted":  # near the wolves, the queen …
        out.link(first)
        out.maybe(0.5, ",")
        return _main(out, rest)
    second, *rest = rest
    out.noun(first)
    if form == "who":  # the queen who saw the wolves …
        out.add("who" if first.kind == "person" else "that")
        out.transitive(first, second, negated=0)
        if rest:
            out.transitive(first, rest[0])
        else:
            out.intransitive(first)
        return first
    if form == "object":
        out.transitive(first, second)
    else:
        out.intransitive(first)
        out.link(second)
    for noun in rest:
        out.link(noun)
    return first


def _clause(
    out: _Writer, gender: str, fits: tuple[str, ...], last: Noun | None
) -> int:
    """Write the pronoun's clause; give the pronoun's place.

    `last` is another noun of the clause. What is said of the pronoun is
    taken from what `fits`.
    """
    if last is None:
        return _alone(out, gender, fits)
    asks, takes = _verbs(fits, last.natures), _verbs(last.natures, fits)
    forms = [
        *(["asks"] if asks else []),
        *(["takes"] if takes else []),
        *(["place"] if "any" in fits else []),
    ]
    form = out.rng.choice(forms)
    if form == "takes":
        out.noun(last)
        out.verb(out.rng.choice(takes))
        return out.add(w.OBJECTS[gender])
    at = out.add(w.SUBJECTS[gender])
    if form == "asks":
        out.verb(out.rng.choice(asks))
        out.noun(last)
    else:
        out.add(_was(gender))
        out.link(last)
    return at


def _alone(out: _Writer, gender: str, fits: tuple[str, ...]) -> int:
    """Write a pronoun and what is said of it."""
    at = out.add(w.SUBJECTS[gender])
    if out.rng.random() < 0.65:
        out.add(_was(gender))
        out.maybe(0.1, "not")
        out.maybe(0.4, *w.DEGREES)
        out.maybe(1, *(a for each in fits for a in w.ADJECTIVES[each]))
    else:
        out.verb(out.rng.choice(_verbs(fits)))
    out.maybe(0.15, *w.ADVERBS)
    return at


def _was(gender: str) -> str:
    return "were" if gender == w.PLURAL else "was"
