"""`SoftmaxLab`: what the number of dimensions does to softmax."""

from typing import Any, ClassVar

import numpy as np
import traitlets

from attn_course.functional import masked_softmax
from attn_course.html import html_table
from attn_course.random_numbers import normal
from attn_course.widgets.base import CourseWidget, Number

__all__ = ["SoftmaxLab", "sample_scores"]

QUERIES, KEYS = 64, 32


class SoftmaxLab(CourseWidget):
    """Random queries and keys with unit variance, 64 × 32 of them.

    The reader moves d and the temperature, and sees the spread of q·k, the
    entropy of the weights and the norm of the softmax's gradient.

    Examples
    --------
    >>> lab = SoftmaxLab(d=64)
    >>> {k: round(v, 1) for k, v in lab.measures.items()}
    {'spread': 8.0, 'entropy': 3.0, 'gradient': 0.2}
    """

    _tag = "attn-softmax-lab"
    _reader: ClassVar[tuple[str, ...]] = ("d", "temperature", "scaled", "seed")
    _constants = ("QUERIES", "KEYS")

    d = traitlets.Int(64, min=1, max=1024).tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10.0).tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=1000).tag(sync=True)

    def __init__(
        self,
        *,
        title: str = "What d does to softmax",
        note: str = "",
        name: str = "softmax",
        **state: Any,
    ) -> None:
        super().__init__(
            name=name, source={"title": title, "note": note}, **state
        )

    @property
    def measures(self) -> dict[str, float]:
        """Spread of q·k, entropy (nats) and norm of the gradient."""
        scores = sample_scores(self.d, self.seed)  # (64, 32)
        scale = self.d**-0.5 if self.scaled else 1.0
        p = masked_softmax(scores * scale / self.temperature, np.array(True))
        logs = np.log(np.where(p > 0, p, 1.0))
        squares = (p**2).sum(-1)
        jacobian = squares - 2 * (p**3).sum(-1) + squares**2
        return {
            "spread": float(scores.std()),
            "entropy": float(-(p * logs).sum(-1).mean()),
            "gradient": float(np.sqrt(np.maximum(jacobian, 0.0)).mean()),
        }

    def table(self) -> str:
        """Give the measures as an HTML table."""
        rows = [(k, [f"{v:.3f}"]) for k, v in self.measures.items()]
        title = f"{self.source['title']}, d = {self.d}"
        return html_table(title, ["measure", "value"], rows)


def sample_scores(d: int, seed: int) -> np.ndarray:
    """Draw q·k for 64 queries and 32 keys with unit variance, `(64, 32)`.

    The same numbers as in the browser: a generator that both can run
    (mulberry32) and the Box–Muller transform (Box and Muller 1958).
    """
    count = (QUERIES + KEYS) * d
    numbers = normal(seed * 4096 + d, count + count % 2)
    query = numbers[: QUERIES * d].reshape(QUERIES, d)
    start = QUERIES * d + (QUERIES * d) % 2
    key = numbers[start : start + KEYS * d].reshape(KEYS, d)
    return query @ key.T
