"""Whom does a pronoun mean? A task with known answers, and what solves it.

- `words`: the vocabulary, by what a noun is and what a verb fits
- `sentences`: sentences whose pronoun has one antecedent
- `reader`: the transformer that names it, in torch
- `training`: how it is trained and tested
- `weights`: a trained one in a file, and its arithmetic in NumPy
"""

from attn_course.pronouns.sentences import (
    KINDS,
    Sentence,
    rules,
    test_sentences,
    training_sentences,
)
from attn_course.pronouns.words import (
    BLANK,
    CLASSES,
    NONE,
    NOUNS,
    PAD,
    PRONOUNS,
    WORDS,
    Noun,
    is_held_out,
)

__all__ = [
    "BLANK",
    "CLASSES",
    "KINDS",
    "NONE",
    "NOUNS",
    "PAD",
    "PRONOUNS",
    "WORDS",
    "Noun",
    "Sentence",
    "is_held_out",
    "rules",
    "test_sentences",
    "training_sentences",
]
