"""Exercise 3.12: a question of one's own."""

import numpy as np

from attn_course.exercises.feedback import Result
from attn_course.exercises.quest import Quest, right, wrong

SEEDS = 3
WORDS = 8

EXERCISE = Quest(
    id="3.12",
    title="Find something out",
    statement="""\
Ask a question about attention to which you do not know the answer, and answer
it with a measurement that has a control.

- `question` is one sentence with a question mark; `expected` says, before you
  measure, what you think and why.
- `measured` is a dictionary: for the thing you study and for at least one
  control, a name and a list of numbers, one for each of three seeds, sentences
  or draws, or more.
- `found` says what came out, whether it was what you expected, and what it
  does *not* show.
- The check can't know what is true: it looks at the form alone.""",
    difficulty=3,
    minutes=120,
    hints=[
        "A question is small enough when you can say which numbers would "
        "make you say no. “Does attention understand?” has none.",
        "A control is what would give the same number if you were wrong: "
        "keys at random, shuffled words, equal weights, another head.",
        "Look at the spread between the seeds first. Is the difference "
        "between your thing and its control larger?",
    ],
)


@EXERCISE.is_judged_by
def judge(question, expected, measured, found) -> Result:
    """Look at the form of a finding."""
    if not question.strip().endswith("?"):
        return wrong("no_question", "The question should end with a “?”.")
    for name, text in [("expected", expected), ("found", found)]:
        if len(text.split()) < WORDS:
            return wrong(
                "too_short",
                f"`{name}` should be a sentence or two: what, and why?",
            )
    if expected == found:
        return wrong(
            "nothing_learned", "`expected` and `found` are the same words."
        )
    if len(measured) < 2:
        return wrong(
            "no_control",
            "There is one arm alone: against what do you compare?",
        )
    numbers = {k: np.asarray(x, dtype=float) for k, x in measured.items()}
    for name, x in numbers.items():
        if x.ndim != 1 or len(x) < SEEDS or not np.isfinite(x).all():
            return wrong(
                "not_repeated",
                f"“{name}” should be a list of {SEEDS} finite numbers or "
                "more: one measurement may be luck.",
            )
    return right(_summary(numbers))


def _summary(numbers: dict[str, np.ndarray]) -> str:
    """Say what was measured, with its range."""
    said = "; ".join(
        f"{name}: {x.mean():.3g}, from {x.min():.3g} to {x.max():.3g}"
        for name, x in numbers.items()
    )
    return (
        f"It has the form of a finding. {said}. Where the ranges overlap, "
        "say so."
    )


@EXERCISE.is_solution
def an_example():
    """Ask whether one odd key draws all queries."""
    longer, equal = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        query, key = rng.normal(size=(200, 16)), rng.normal(size=(8, 16))
        for found, length in ((longer, 3.0), (equal, 1.0)):
            keys = np.vstack([length * key[:1], key[1:]])  # (8, 16)
            scores = query @ keys.T / 4  # (200, 8)
            exps = np.exp(scores - scores.max(-1, keepdims=True))
            weights = exps / exps.sum(-1, keepdims=True)  # (200, 8)
            found.append(weights[:, 0].mean())
    question = "Does a key of three times the length get more attention?"
    expected = "Yes, from every query, because the length scales its score."
    measured = {"three times as long": longer, "as long as the rest": equal}
    found = (
        "It gets more on average, but not from every query: where the score "
        "is negative it gets less. Trained keys may differ from random ones."
    )
    return question, expected, measured, found


TEXTS = (
    "Does a longer key get more?",
    "Yes, since its score grows with its length, I think.",
    "On average it does, from half of the queries, in random data.",
)


def _of(measured, question=TEXTS[0], expected=TEXTS[1], found=TEXTS[2]):
    return question, expected, measured, found


TWO = {"longer": [0.2, 0.3, 0.25], "control": np.array([0.1, 0.1, 0.2])}


@EXERCISE.is_right
def two_arms():
    """Give lists or arrays."""
    return _of(TWO)


@EXERCISE.is_wrong
def no_question():
    """State something."""
    return _of(TWO, question="A longer key gets more.")


@EXERCISE.is_wrong
def too_short():
    """Say no more than yes."""
    return _of(TWO, found="Yes.")


@EXERCISE.is_wrong
def nothing_learned():
    """Copy what was expected."""
    return _of(TWO, found=TEXTS[1])


@EXERCISE.is_wrong
def no_control():
    """Measure one thing alone."""
    return _of({"longer": [0.2, 0.3, 0.25]})


@EXERCISE.is_wrong
def not_repeated():
    """Measure once."""
    return _of({"longer": [0.2], "control": [0.1]})
