"""Write traits.json: values that traits take and refuse, as Python decides.

The TypeScript of the widgets is held to these answers.
`python tests/vectors/make_traits.py` writes the file again.
"""

import json
from pathlib import Path

import traitlets

from attn_course import widgets

HERE = Path(__file__).parent
NOBODY = traitlets.HasTraits()

# A browser tells neither 1 from 1.0 nor, for Python's Int, true from 1.
SIMPLE = [0.5, "", "some text", None, [], {}, {"a": "b"}, [0.5], [["x"]]]


def tries(trait):
    """Give values around what the trait may be."""
    values = list(SIMPLE)
    for bound in (getattr(trait, name, None) for name in ("min", "max")):
        if bound is not None:
            values += [bound - 1, bound, bound + 1]
    values += getattr(trait, "values", None) or []
    if isinstance(trait, traitlets.Bool):
        values += [True, False]
    if isinstance(trait, traitlets.List):
        most = min(trait._maxlen, 40)
        values += [[0] * most, [0] * (most + 1), [-1], [2]]
    return values


def takes(trait, value):
    """Say whether a trait alone, without a widget's data, takes a value."""
    try:
        trait.validate(NOBODY, value)
    except traitlets.TraitError:
        return False
    return True


def make():
    """List for each widget and trait the values and the answers."""
    kinds = [getattr(widgets, name) for name in widgets.__all__]
    return {
        kind.__module__.rpartition(".")[2]: {
            name: [[value, takes(trait, value)] for value in tries(trait)]
            for name, trait in kind.class_traits().items()
            if name in kind._reader
        }
        for kind in kinds
    }


def text():
    return json.dumps(make(), separators=(",", ":")) + "\n"


if __name__ == "__main__":
    (HERE / "traits.json").write_text(text(), "utf-8")
