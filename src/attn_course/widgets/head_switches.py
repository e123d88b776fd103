"""`HeadSwitches`: switch heads of a small model off, see the recorded loss."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Bool, Float

from attn_course.arrays import as_numbers
from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.html import html_table
from attn_course.masks import check_count
from attn_course.widgets.base import CourseWidget

__all__ = ["HeadSwitches"]

SHOWN = ("loss", "accuracy")
# Losses and accuracies travel as multiples of this.
STEP = 1 / 500
MAX_HEADS = 10
WAYS = ("zeros", "its mean")
TESTS = {
    "known": "nouns known from training",
    "held-out answer": "nouns held out",
}


class HeadSwitches(CourseWidget):
    """The heads of a small model as switches, with the loss of every subset.

    Nothing is computed or trained in the page: every number was recorded.

    Parameters
    ----------
    loss, accuracy
        Of shape `(seeds, ways, tests, 2 ** (layers · heads))`. Subset number
        c keeps head h of layer l (from 0) where bit l · heads + h of c is 1;
        the last is the whole model.
    layers, heads
        How many layers, and heads in each.
    ways
        What stands in for a head that is off, such as "zeros".
    tests, seeds
        Names of the tests and of the trainings.
    title, note, name
        Words above and below; the name in links.
    **state
        Start values of the traits: subset, way, test, seed, show ("loss" or
        "accuracy"), log.

    Raises
    ------
    ValueError
        When the arrays do not have that shape, or hold negative numbers.

    Examples
    --------
    Two heads of one layer; the first is the one that matters:

    >>> loss = np.array([[[[2.0, 0.5, 1.9, 0.4]]]])
    >>> widget = HeadSwitches(
    ...     loss, loss / 2, layers=1, heads=2,
    ...     ways=["zeros"], tests=["test"], seeds=["seed 0"],
    ... )
    >>> widget.keep = [[True, False]]
    >>> widget.subset, widget.value("loss")
    (1, 0.5)
    """

    _tag = "attn-head-switches"
    _reader: ClassVar[tuple[str, ...]] = (
        "subset", "way", "test", "seed", "show", "log",
    )  # fmt: skip
    _constants = ("MAX_HEADS",)

    subset = traitlets.Int().tag(sync=True)
    way = traitlets.Unicode().tag(sync=True)
    test = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Unicode().tag(sync=True)
    show = traitlets.Enum(SHOWN, "loss").tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        loss: Float[Any, "seeds ways tests subsets"],
        accuracy: Float[Any, "seeds ways tests subsets"],
        *,
        layers: int,
        heads: int,
        ways: Sequence[str],
        tests: Sequence[str],
        seeds: Sequence[str],
        title: str = "Switch heads off",
        note: str = "",
        name: str = "switches",
        **state: Any,
    ) -> None:
        check_count("layers", layers, least=1)
        check_count("heads", heads, least=1)
        layers, heads = int(layers), int(heads)
        total = layers * heads
        if not 1 <= total <= MAX_HEADS:
            raise ValueError(
                f"expected 1 to {MAX_HEADS} heads in all, "
                f"got {layers} layers of {heads}"
            )
        shape = (len(seeds), len(ways), len(tests), 2**total)
        source = {
            "layers": layers,
            "heads": heads,
            "ways": list(ways),
            "tests": list(tests),
            "seeds": list(seeds),
            "loss": _pack(loss, shape, "loss"),
            "accuracy": _pack(accuracy, shape, "accuracy"),
            "title": title,
            "note": note,
        }
        start = {
            "subset": 2**total - 1,
            "way": ways[0],
            "test": tests[0],
            "seed": seeds[0],
        }
        super().__init__(name=name, source=source, **{**start, **state})

    @classmethod
    def from_recording(
        cls, recording: str = "head-subsets", **options: Any
    ) -> "HeadSwitches":
        """Show the small transformer of the pronouns.

        `options` are those of the class.
        """
        record = load_recording(recording)
        runs = record["records"]
        loss, accuracy = (
            np.stack([unpack_array(run[name]) for run in runs])
            for name in SHOWN
        )
        made = record["recorded"]
        settings = record["settings"]
        note = (
            f"{settings['tested']} sentences a test. Recorded {made['date']} "
            f"by “{made['command']}”. {record['rounding']} Here to the "
            f"nearest {STEP:g}."
        )
        defaults = {
            "layers": record["layers"],
            "heads": record["heads"],
            "ways": WAYS,
            "tests": [TESTS[test] for test in settings["tests"]],
            "seeds": [f"seed {run['seed']}" for run in runs],
            "title": "Which heads are needed to find what “it” stands for?",
            "note": note,
            "name": recording,
        }
        return cls(loss, accuracy, **{**defaults, **options})

    @traitlets.validate("subset")
    def _inside(self, proposal: Any) -> int:
        most = 2 ** (self.source["layers"] * self.source["heads"]) - 1
        if not 0 <= proposal["value"] <= most:
            raise ValueError(
                f"expected subset from 0 to {most}, got {proposal['value']}"
            )
        return proposal["value"]

    @traitlets.validate("way", "test", "seed")
    def _known(self, proposal: Any) -> str:
        name = proposal["trait"].name
        known = self.source[f"{name}s"]
        if proposal["value"] not in known:
            raise ValueError(
                f"expected {name} among {known}, got {proposal['value']!r}"
            )
        return proposal["value"]

    @property
    def keep(self) -> Bool[np.ndarray, "layers heads"]:
        """Which heads are on; set it to switch heads."""
        return self._heads_of(self.subset)

    @keep.setter
    def keep(self, keep: Any) -> None:
        shape = (self.source["layers"], self.source["heads"])
        keep = as_numbers("keep", keep, shape)
        if not np.isin(keep, [0.0, 1.0]).all():
            raise ValueError(f"expected True or False in keep, got {keep}")
        keep = keep.astype(bool)
        self.subset = int((2 ** np.arange(keep.size))[keep.ravel()].sum())

    def value(self, name: str) -> float:
        """Give the loss or accuracy of the chosen heads, as it travels."""
        return float(self._values(name)[self.subset])

    def ranked(self, size: int) -> list[int]:
        """List the subsets of so many heads, the best first."""
        values = self._values(self.show)
        better = 1 if self.show == "loss" else -1
        same = [c for c in range(values.size) if c.bit_count() == size]
        return sorted(same, key=lambda c: (better * values[c], c))

    def table(self) -> str:
        """Give for each number of heads the best and the worst subset."""
        total = self.source["layers"] * self.source["heads"]
        values = self._values(self.show)
        rows = []
        for size in range(total + 1):
            same = self.ranked(size)
            cells = [str(len(same))]
            for one in (same[0], same[-1]):
                cells += [self._name(one), f"{values[one]:.2f}"]
            rows.append((str(size), cells))
        head = [
            "heads on", "subsets", "best", f"its {self.show}",
            "worst", f"its {self.show}",
        ]  # fmt: skip
        title = (
            f"{self.source['title']} {self.show} on {self.test}; a head that "
            f"is off gives {self.way}; {self.seed}. Heads as layer.head. "
            "Recorded."
        )
        return html_table(title, head, rows)

    def _heads_of(self, subset: int) -> Bool[np.ndarray, "layers heads"]:
        layers, heads = self.source["layers"], self.source["heads"]
        bits = (subset >> np.arange(layers * heads)) & 1
        return bits.astype(bool).reshape(layers, heads)

    def _name(self, subset: int) -> str:
        on = np.argwhere(self._heads_of(subset)) + 1
        total = self.source["layers"] * self.source["heads"]
        if len(on) in (0, total):
            return "all" if len(on) else "none"
        return " ".join(f"{layer}.{head}" for layer, head in on)

    def _values(self, name: str) -> Float[np.ndarray, " subsets"]:
        place = tuple(
            self.source[f"{part}s"].index(getattr(self, part))
            for part in ("seed", "way", "test")
        )
        return unpack_array(self.source[name])[place]


def _pack(array: Any, shape: tuple[int, ...], name: str) -> Mapping[str, Any]:
    array = as_numbers(name, array, shape)
    if not (array >= 0).all():
        raise ValueError(f"expected {name} of at least 0, got {array.min():g}")
    return pack_array(array, step=STEP)
