"""How many layers each sparse pattern takes until any two words have met.

Counted on the graph of the mask, for 256 words and windows of 4 to either
side (`attn_course.sparse.meeting`): which pairs one layer looks at, after how
many layers every word can have heard of every other, and how many pairs that
is in total. Nothing is trained: a trained model may use less than the graph
allows. Other lengths and windows were not tried.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attn_course import lab, sparse
from attn_course.experiments.study import Study

__all__ = ["STUDY", "count", "table"]

N, WINDOW = 256, 4
STUDY = Study(
    "sparse-patterns",
    chapter=7,
    question="How many layers does a sparse pattern take until any two words "
    "have met?",
    design=__doc__,
    arms={"pattern": sparse.PATTERNS},
    seeds=0,
    settings={"n": N, "window": WINDOW},
)


@STUDY.run
def count(pattern: str) -> dict[str, Any]:
    """Count one pattern; `layers` and `total` are None for never."""
    found = sparse.meeting(pattern, N, window=WINDOW)
    return {
        "pairs": found.pairs,
        "fraction": found.fraction,
        "layers": found.layers,
        "total": found.total,
    }


@STUDY.slice
def all_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count all once more."""
    for then in recording["records"]:
        for what, now in count(then["pattern"]).items():
            yield f"{then['pattern']}: {what}", then[what] or 0, now or 0


@STUDY.claim("7.sparse")
def two_patterns(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give a window alone, and one with a token that all see."""
    rows = {r["pattern"]: r for r in recording["records"]}
    alone, shared = rows["sliding window"], rows["window and global token"]
    return {
        "window_pairs": alone["fraction"],
        "window_layers": alone["layers"],
        "window_total": alone["total"] / N**2,
        "global_layers": shared["layers"],
        "global_total": shared["total"] / N**2,
    }


def table() -> Any:
    """Show every pattern."""
    return lab.table(
        [
            {
                "pattern": r["pattern"],
                "pairs in a layer": f"{r['fraction']:.1%}",
                "layers": r["layers"] or "never",
                "pairs until all met": (
                    f"{r['total'] / N**2:.2f}" if r["total"] else "–"
                ),
            }
            for r in STUDY.recording["records"]
        ],
        caption="256 words, window of 4 to either side; the last column as a "
        "share of n², what one full layer looks at",
        columns=[
            "pattern",
            "pairs in a layer",
            "layers",
            "pairs until all met",
        ],
    )
