"""English sentences, their French translations, and which word became which.

A small grammar with the parts of French that move words about or make them
depend on each other: gender and number, elision (*j'aime*, *l'arbre*,
*qu'il*), contraction (*du*, *au*), adjectives before and after the noun,
object pronouns before the verb, and *ne … pas* around it. Sentences are
sequences of lower-case words without punctuation.

Every sentence comes with its gold word alignment in the sense of Och and Ney
(2003): *sure* links for words that render each other, *possible* links for
words that one language adds, such as *les* in *les pommes* for *apples*.
"""

import math
import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from attn_course.tasks.translation import lexicon
from attn_course.tasks.translation.lexicon import (
    Adjective,
    Noun,
    Preposition,
    Pronoun,
    Verb,
)

__all__ = [
    "I_LOVE_APPLES",
    "Clause",
    "Group",
    "Pair",
    "Relative",
    "french_text",
    "is_held_out",
    "sample_pairs",
    "translate",
]

Option = TypeVar("Option")

VOWELS = "aeiouyàâæèéêëîïôœùûh"
# The h of these words is "aspirated": le héros, not l'héros.
ASPIRATED = ("héros",)
ELISIONS = {
    "je": "j'",
    "le": "l'",
    "la": "l'",
    "de": "d'",
    "ne": "n'",
    "que": "qu'",
}
BEFORE_VOWEL = {"ce": "cet", "ma": "mon", "sa": "son"}
CONTRACTIONS = {
    ("de", "le"): "du",
    ("de", "les"): "des",
    ("à", "le"): "au",
    ("à", "les"): "aux",
}
# One sentence in ten is for the test.
HELD_OUT = 10


class Pair(NamedTuple):
    """A sentence, its translation, and their gold alignment.

    Links are pairs (place in `target`, place in `source`), counted from 0.
    `sure` is part of `possible`. `bits` is the information in the choices
    that made the sentence: −log₂ of their probability.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]
    bits: float = 0.0


@dataclass(frozen=True, eq=False)
class English:
    """One English word; two are the same only if they are one object."""

    text: str


@dataclass(frozen=True, eq=False)
class French:
    """One French word, the word that it renders, and those it may render."""

    text: str
    sure: English | None = None
    possible: tuple[English, ...] = ()


@dataclass(frozen=True)
class Relative:
    """*who sleeps*, *that is old*; with `subject`: *that the girl buys*."""

    verb: Verb | None = None
    subject: "Group | Pronoun | None" = None
    adjective: Adjective | None = None


@dataclass(frozen=True)
class Group:
    """A noun with all that belongs to it: *the old door of the house*.

    `determiner` is English, "" for the bare plural (*apples*).
    """

    noun: Noun
    determiner: str = "the"
    plural: bool = False
    adjectives: tuple[Adjective, ...] = ()
    of: "Group | Pronoun | None" = None
    relative: Relative | None = None


@dataclass(frozen=True)
class Clause:
    """One subject with its verb, or with an adjective and *to be*.

    `thing` is the object, a group or an English object pronoun; `to` who
    gets it; `that` the clause after *she thinks that*.
    """

    subject: Group | Pronoun
    verb: Verb | None = None
    thing: "Group | str | None" = None
    to: Group | Pronoun | None = None
    that: "Clause | None" = None
    adjective: Adjective | None = None
    negated: bool = False
    adverb: str = ""
    where: tuple[Preposition, Group | Pronoun] | None = None
    time: tuple | None = None


@dataclass
class Words:
    """Both languages, as far as they are written."""

    english: list[English] = field(default_factory=list)
    french: list[French] = field(default_factory=list)

    def read(self, text: str) -> English:
        """Add an English word."""
        self.english.append(English(text))
        return self.english[-1]

    def write(
        self, text: str, sure: English | None, *possible: English
    ) -> None:
        """Add a French word and what it renders."""
        self.french.append(French(text, sure, possible))


# From structure to words


def translate(
    clauses: Sequence[Clause], conjunctions: Sequence[str] = ()
) -> Pair:
    """Write clauses, joined by conjunctions, in both languages.

    Raises
    ------
    ValueError
        When there is not one conjunction less than there are clauses.

    Examples
    --------
    >>> pair = translate([I_LOVE_APPLES])
    >>> " ".join(pair.source), french_text(pair.target)
    ('i love apples', "j'aime les pommes")
    >>> sorted(pair.sure)
    [(0, 0), (1, 1), (3, 2)]
    >>> sorted(pair.possible - pair.sure)
    [(2, 2)]
    """
    if len(conjunctions) != len(clauses) - 1:
        raise ValueError(
            f"expected {len(clauses) - 1} conjunctions between "
            f"{len(clauses)} clauses, got {len(conjunctions)}"
        )
    words = Words()
    for conjunction, clause in zip(["", *conjunctions], clauses, strict=True):
        if conjunction:
            _join(words, conjunction)
        _clause(words, clause)
    return _spelled(words)


def french_text(words: Iterable[str]) -> str:
    """Join French words; an elided one stands close to the next.

    >>> french_text(["j'", "aime", "l'", "école"])
    "j'aime l'école"
    """
    return " ".join(words).replace("' ", "'")


def _join(words: Words, conjunction: str) -> None:
    """Write a conjunction."""
    head = words.read(conjunction)
    first, *others = lexicon.CONJUNCTIONS[conjunction]
    words.write(first, head)
    for other in others:
        words.write(other, None, head)


def _clause(words: Words, clause: Clause) -> None:
    """Write one clause."""
    person, gender, plural = _subject(words, clause.subject)
    if clause.adjective is not None:
        _be(words, clause, person, gender, plural)
    else:
        _predicate(words, clause, person)
    if clause.where is not None:
        _where(words, *clause.where)
    if clause.time is not None:
        english, french = clause.time
        read = [words.read(text) for text in english]
        for text, rendered in french:
            if rendered is None:
                words.write(text, None, *read)
            else:
                words.write(text, read[rendered])


def _subject(words: Words, subject: Group | Pronoun) -> tuple[int, str, bool]:
    """Write a subject; give person, gender and number."""
    if isinstance(subject, Pronoun):
        words.write(subject.french, words.read(subject.english))
        return subject.person, subject.gender, subject.person in (2, 3, 4)
    _group(words, subject, generic=True)
    person = 4 if subject.plural else 1
    return person, subject.noun.gender, subject.plural


def _be(
    words: Words, clause: Clause, person: int, gender: str, plural: bool
) -> None:
    """Write *is (not) (often)* and an adjective that agrees."""
    forms = ("am", "is", "are", "are", "are")
    verb = words.read(forms[person])
    negation = words.read("not") if clause.negated else None
    adverb = words.read(clause.adverb) if clause.adverb else None
    adjective = words.read(clause.adjective.english)
    if negation:
        words.write("ne", None, negation)
    words.write(lexicon.COPULA[person], verb)
    if negation:
        words.write("pas", negation)
    if adverb:
        words.write(lexicon.ADVERBS[clause.adverb], adverb)
    words.write(_agree(clause.adjective, gender, plural), adjective)


def _predicate(words: Words, clause: Clause, person: int) -> None:
    """Write a verb and what follows it."""
    verb = clause.verb
    helpers, adverb = (), None
    if clause.negated:
        do = words.read("does" if person == 1 else "do")
        helpers = (words.read("not"), do)
    elif clause.adverb:
        adverb = words.read(clause.adverb)
    third = person == 1 and not clause.negated
    head = words.read(verb.third if third else verb.english)
    particle = (words.read(verb.particle),) if verb.particle else ()

    if helpers:
        words.write("ne", None, *helpers)
    if isinstance(clause.thing, str):
        pronoun = words.read(clause.thing)
        words.write(lexicon.OBJECT_PRONOUNS[clause.thing], pronoun)
    words.write(verb.french[person], head, *particle)
    if helpers:
        words.write("pas", *helpers)
    if adverb:
        words.write(lexicon.ADVERBS[clause.adverb], adverb)

    if isinstance(clause.thing, Group):
        _group(
            words, clause.thing, generic=verb.generic, negated=clause.negated
        )
    if clause.to is not None:
        words.write("à", words.read("to"))
        _group_or_name(words, clause.to)
    if clause.that is not None:
        words.write("que", words.read("that"))
        _clause(words, clause.that)


def _where(
    words: Words, preposition: Preposition, group: Group | Pronoun
) -> None:
    """Write a preposition and its noun."""
    read = [words.read(text) for text in preposition.english]
    head = read.pop(preposition.head)
    first, *others = preposition.french
    words.write(first, head, *read)
    for text in others:
        words.write(text, None, head)
    _group_or_name(words, group)


def _group_or_name(words: Words, group: Group | Pronoun) -> None:
    """Write what can follow a preposition."""
    if isinstance(group, Pronoun):
        words.write(group.french, words.read(group.english))
    else:
        _group(words, group, after_de=words.french[-1].text == "de")


def _group(
    words: Words,
    group: Group,
    *,
    generic: bool = False,
    negated: bool = False,
    after_de: bool = False,
) -> None:
    """Write a noun with article, adjectives and all that follows.

    After *de* the bare plural has no article: *près d'arbres*.
    """
    noun, plural = group.noun, group.plural
    before = [a for a in group.adjectives if a.before]
    after = [a for a in group.adjectives if not a.before]
    determiner = None
    if group.determiner:
        following = (*before, *after, noun)[0].english
        an = group.determiner == "a" and following[0] in "aeiou"
        determiner = words.read("an" if an else group.determiner)
    # English puts all adjectives before the noun.
    adjectives = {a: words.read(a.english) for a in (*before, *after)}
    head = words.read(noun.english_plural if plural else noun.english)

    article = _article(group, generic, negated, bool(before))
    if determiner is not None:
        words.write(article, determiner)
    elif not after_de:
        words.write(article, None, head)
    if group.determiner == "many":
        words.write("de", None, determiner)
    name = noun.french_plural if plural else noun.french
    for adjective in before:
        text = _agree(adjective, noun.gender, plural, next_word=name)
        words.write(text, adjectives[adjective])
    words.write(name, head)
    for adjective in after:
        text = _agree(adjective, noun.gender, plural)
        words.write(text, adjectives[adjective])

    if group.of is not None:
        words.write("de", words.read("of"))
        _group_or_name(words, group.of)
    if group.relative is not None:
        _relative(words, group)


def _article(
    group: Group, generic: bool, negated: bool, adjective_before: bool
) -> str:
    """Choose the French article, before elision and contraction."""
    forms = lexicon.DETERMINERS[group.determiner]
    indefinite = group.determiner in ("", "a")
    if group.determiner == "" and generic:
        return "les"
    # Il ne voit pas de chat; de grandes maisons.
    if indefinite and negated:
        return "de"
    if group.determiner == "" and adjective_before:
        return "de"
    index = 2 if group.plural else "mf".index(group.noun.gender)
    article = forms[index]
    if article is None:
        number = "plural" if group.plural else "singular"
        raise ValueError(
            f"expected a determiner that takes a {number} noun, "
            f"got {group.determiner!r}"
        )
    return article


def _agree(
    adjective: Adjective, gender: str, plural: bool, next_word: str = ""
) -> str:
    """Give the form that agrees in gender and number."""
    if gender == "f":
        return adjective.feminine_plural if plural else adjective.feminine
    if plural:
        return adjective.masculine_plural
    if next_word and _takes_elision(next_word):
        return adjective.before_vowel
    return adjective.masculine


def _relative(words: Words, group: Group) -> None:
    """Write *who* or *that* and what follows: qui as subject, else que."""
    relative, noun = group.relative, group.noun
    if relative.subject is not None:
        words.write("que", words.read("that"))
        person, _, _ = _subject(words, relative.subject)
        _predicate(words, Clause(relative.subject, relative.verb), person)
        return
    who = "who" if noun.kind == "person" else "that"
    words.write("qui", words.read(who))
    person = 4 if group.plural else 1
    clause = Clause(group, relative.verb, adjective=relative.adjective)
    if relative.adjective is not None:
        _be(words, clause, person, noun.gender, group.plural)
    else:
        _predicate(words, clause, person)


# Spelling: what depends on the next word


def _spelled(words: Words) -> Pair:
    """Spell the French words and find the places of all links."""
    french = _contract(_elide(words.french))
    place = {id(word): j for j, word in enumerate(words.english)}
    sure = {
        (i, place[id(word.sure)])
        for i, word in enumerate(french)
        if word.sure is not None
    }
    possible = {
        (i, place[id(other)])
        for i, word in enumerate(french)
        for other in word.possible
    }
    return Pair(
        tuple(word.text for word in words.english),
        tuple(word.text for word in french),
        frozenset(sure),
        frozenset(sure | possible),
    )


def _takes_elision(word: str) -> bool:
    """Say whether a word before this one loses its vowel."""
    return word[0] in VOWELS and word not in ASPIRATED


def _elide(words: Sequence[French]) -> list[French]:
    """Write l' for le and la, qu' for que and so on, before a vowel."""
    spelled = []
    for word, following in zip(words, [*words[1:], None], strict=True):
        text, after = word.text, following.text if following else "."
        if text == "si" and after in ("il", "ils"):
            text = "s'"
        elif _takes_elision(after):
            text = ELISIONS.get(text, BEFORE_VOWEL.get(text, text))
        spelled.append(French(text, word.sure, word.possible))
    return spelled


def _contract(words: Sequence[French]) -> list[French]:
    """Write du for de le, aux for à les and so on."""
    spelled: list[French] = []
    for word in words:
        before = spelled[-1] if spelled else French("")
        text = CONTRACTIONS.get((before.text, word.text))
        if text is None:
            spelled.append(word)
            continue
        # One word for two: it renders the preposition, perhaps the article.
        heads = [w for w in (before.sure, word.sure) if w is not None]
        others = (*heads[1:], *before.possible, *word.possible)
        spelled[-1] = French(text, heads[0] if heads else None, others)
    return spelled


# Sampling


def is_held_out(source: Sequence[str]) -> bool:
    """Say whether a sentence is kept for the test, by a hash of its words.

    >>> is_held_out("i love apples".split())
    True
    """
    return zlib.crc32(" ".join(source).encode()) % HELD_OUT == 2


def sample_pairs(
    n: int,
    seed: int,
    *,
    held_out: bool,
    shortest: int = 3,
    longest: int = 40,
) -> list[Pair]:
    """Draw sentence pairs, as many of each source length as of the next.

    Parameters
    ----------
    n
        How many; the lengths differ by one sentence at most.
    seed
        The same seed gives the same pairs.
    held_out
        Those for the test or those for training: no source sentence is in
        both. Within a sample sentences may repeat, the short ones often.
    shortest, longest
        Words in the source sentence.

    Raises
    ------
    ValueError
        When the lengths are not within 3 to 40.
    """
    if not 3 <= shortest <= longest <= 40:
        raise ValueError(
            f"expected 3 ≤ shortest ≤ longest ≤ 40, got {shortest}, {longest}"
        )
    lengths = range(shortest, longest + 1)
    wanted = {
        length: n // len(lengths) + (i < n % len(lengths))
        for i, length in enumerate(lengths)
    }
    dice, pairs = Dice(seed), []
    while any(wanted.values()):
        # Aim at a length that is still wanted.
        missing = [length for length, count in wanted.items() if count]
        aim = dice.random.choice(missing)
        pair = _draw_sentence(dice, aim)
        length = len(pair.source)
        if wanted.get(length) and is_held_out(pair.source) == held_out:
            wanted[length] -= 1
            pairs.append(pair)
    dice.random.shuffle(pairs)
    return pairs


class Dice:
    """Random choices that count the information in them, in bits."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.bits = 0.0

    def pick(self, options: Sequence[Option]) -> Option:
        """Take one of equally likely options."""
        self.bits += math.log2(len(options))
        return self.random.choice(options)

    def chance(self, p: float) -> bool:
        """Say yes with probability p."""
        yes = self.random.random() < p
        self.bits -= math.log2(p if yes else 1 - p)
        return yes


def _draw_sentence(dice: Dice, aim: int) -> Pair:
    """Draw clauses until there are at least so many English words."""
    dice.bits, words = 0.0, Words()
    _clause(words, _draw_clause(dice, aim < 6))
    while len(words.english) < aim:
        _join(words, dice.pick(list(lexicon.CONJUNCTIONS)))
        _clause(words, _draw_clause(dice, False))
    return _spelled(words)._replace(bits=dice.bits)


def _draw_clause(dice: Dice, short: bool, plain: bool = False) -> Clause:
    """Draw a clause; a plain one has no clause inside."""
    time = dice.pick(lexicon.TIMES) if dice.chance(0.1) else None
    kind = dice.pick(_KINDS[:4] if short else _KINDS)
    if kind == "opinion" and plain:
        kind = "transitive"
    return _DRAW[kind](dice, short, time)


def _draw_intransitive(dice: Dice, short: bool, time: Any) -> Clause:
    """Draw *the girl sings in the garden*."""
    verb = dice.pick(list(lexicon.VERBS.values()))
    subject = _draw_subject(dice, verb.subjects, short)
    where = None if dice.chance(0.4) else _draw_where(dice)
    negated, adverb = _draw_manner(dice, time)
    return Clause(
        subject, verb, negated=negated, adverb=adverb, where=where, time=time
    )


def _draw_be(dice: Dice, short: bool, time: Any) -> Clause:
    """Draw *the old houses are empty*."""
    adjective = dice.pick(list(lexicon.ADJECTIVES.values()))
    kinds = adjective.kinds
    subject = _draw_subject(dice, kinds, short, pronouns=_SURE_PRONOUNS)
    negated, adverb = _draw_manner(dice, time)
    return Clause(
        subject,
        adjective=adjective,
        negated=negated,
        adverb=adverb,
        time=time,
    )


def _draw_transitive(dice: Dice, short: bool, time: Any) -> Clause:
    """Draw *she often buys a red hat*, *he sees her*."""
    verb = dice.pick(list(lexicon.TRANSITIVE.values()))
    subject = _draw_subject(dice, verb.subjects, short)
    negated, adverb = _draw_manner(dice, time)
    if "person" in verb.objects and dice.chance(0.25):
        thing = dice.pick(list(lexicon.OBJECT_PRONOUNS))
    else:
        thing = _draw_group(
            dice, verb.objects, short, generic=verb.generic, negated=negated
        )
    return Clause(
        subject, verb, thing, negated=negated, adverb=adverb, time=time
    )


def _draw_giving(dice: Dice, short: bool, time: Any) -> Clause:
    """Draw *we show the book to the king*."""
    verb = dice.pick(list(lexicon.GIVING.values()))
    subject = _draw_subject(dice, verb.subjects, short)
    negated, adverb = _draw_manner(dice, time)
    thing = _draw_group(dice, verb.objects, True, negated=negated)
    to = _draw_subject(dice, ("person",), True, pronouns=())
    return Clause(
        subject,
        verb,
        thing,
        to=to,
        negated=negated,
        adverb=adverb,
        time=time,
    )


def _draw_opinion(dice: Dice, short: bool, time: Any) -> Clause:
    """Draw *paul thinks that the cat sleeps*."""
    verb = dice.pick(list(lexicon.OPINIONS.values()))
    subject = _draw_subject(dice, verb.subjects, True)
    return Clause(subject, verb, that=_draw_clause(dice, False, plain=True))


_DRAW = {
    "transitive": _draw_transitive,
    "be": _draw_be,
    "intransitive": _draw_intransitive,
    "giving": _draw_giving,
    "opinion": _draw_opinion,
}
_KINDS = (
    "transitive",
    "transitive",
    "be",
    "intransitive",
    "giving",
    "opinion",
)
# You can be one or many; French must know which: *fatigué* or *fatigués*.
_SURE_PRONOUNS = ("i", "he", "she", "we", "they")


def _draw_manner(dice: Dice, time: Any) -> tuple[bool, str]:
    """Draw a negation or an adverb, or neither."""
    if dice.chance(0.15):
        return True, ""
    if time is None and dice.chance(0.15):
        return False, dice.pick(list(lexicon.ADVERBS))
    return False, ""


def _draw_subject(
    dice: Dice,
    kinds: Sequence[str],
    short: bool,
    pronouns: Sequence[str] = tuple(lexicon.SUBJECT_PRONOUNS),
) -> Group | Pronoun:
    """Draw a pronoun, a name or a group of one of these kinds."""
    if "person" in kinds:
        if pronouns and dice.chance(0.4):
            return lexicon.SUBJECT_PRONOUNS[dice.pick(pronouns)]
        if dice.chance(0.2):
            return dice.pick(list(lexicon.NAMES.values()))
    return _draw_group(dice, kinds, short, generic=True)


def _draw_where(dice: Dice) -> tuple[Preposition, Group]:
    """Draw *behind the old church*."""
    preposition = dice.pick(lexicon.PREPOSITIONS)
    return preposition, _draw_group(dice, preposition.kinds, True)


def _draw_group(
    dice: Dice,
    kinds: Sequence[str],
    short: bool,
    *,
    generic: bool = False,
    negated: bool = False,
) -> Group:
    """Draw a noun with its determiner; unless short, with more around it."""
    noun = dice.pick([n for n in lexicon.NOUNS.values() if n.kind in kinds])
    plural = dice.chance(0.4)
    determiner = _draw_determiner(dice, plural, generic)
    adjectives = _draw_adjectives(dice, noun.kind)
    of = relative = None
    # Il ne voit pas de chat qui … would need the subjunctive.
    if not short and not negated and determiner not in ("a", ""):
        owned = noun.kind in _OWNED and determiner in ("the", "this", "these")
        if owned and dice.chance(0.25):
            of = _draw_owner(dice)
        elif dice.chance(0.2):
            relative = _draw_relative(dice, noun)
    return Group(noun, determiner, plural, adjectives, of, relative)


_OWNED = ("thing", "text", "opening", "place", "animal")


def _draw_determiner(dice: Dice, plural: bool, generic: bool) -> str:
    """Draw a determiner for this number, *the* as often as all others."""
    if dice.chance(0.5):
        return "the"
    index = 2 if plural else 0
    fitting = [
        english
        for english, forms in lexicon.DETERMINERS.items()
        if forms[index] is not None and english != "the"
    ]
    if generic:
        # She loves many apples, a cat sleeps: left out.
        few = ("a", "two", "many")
        fitting = [english for english in fitting if english not in few]
    return dice.pick(fitting)


def _draw_adjectives(dice: Dice, kind: str) -> tuple[Adjective, ...]:
    """Draw at most one adjective for each side of the noun."""
    drawn = []
    for before, p in ((True, 0.25), (False, 0.2)):
        fitting = [
            a
            for a in lexicon.ADJECTIVES.values()
            if kind in a.kinds and a.before == before
        ]
        if dice.chance(p):
            drawn.append(dice.pick(fitting))
    return tuple(drawn)


def _draw_owner(dice: Dice) -> Group | Pronoun:
    """Draw *of the king*, *of anna*."""
    if dice.chance(0.3):
        return dice.pick(list(lexicon.NAMES.values()))
    noun = dice.pick([n for n in lexicon.NOUNS.values() if n.kind == "person"])
    return Group(noun, dice.pick(("the", "a", "my")))


def _draw_relative(dice: Dice, noun: Noun) -> Relative:
    """Draw *who sings*, *that the girl buys*."""
    if noun.kind in lexicon.ANIMATE and dice.chance(0.5):
        verbs = lexicon.VERBS.values()
        return Relative(
            dice.pick([v for v in verbs if noun.kind in v.subjects])
        )
    adjectives = lexicon.ADJECTIVES.values()
    if dice.chance(0.25):
        fitting = [a for a in adjectives if noun.kind in a.kinds]
        return Relative(adjective=dice.pick(fitting))
    verbs = lexicon.TRANSITIVE.values()
    verb = dice.pick([v for v in verbs if noun.kind in v.objects])
    return Relative(verb, _draw_subject(dice, ("person",), True))


I_LOVE_APPLES = Clause(
    lexicon.SUBJECT_PRONOUNS["i"],
    lexicon.TRANSITIVE["love"],
    Group(lexicon.NOUNS["apple"], "", plural=True),
)
