"""What moves between memory and chip? Counted, and set beside the paper's.

`megabytes` are what one head moves forward, 1024 words, d = 64, float16, in
tiles of several sizes: by the formulas of `attn_course.flash.traffic`, which
are held against counts of the running code for a few small shapes (`counted`).
`paper` holds gigabytes, forward and backward, for the shape that Dao et al.
2022 state (figure 2, left): of the standard way with and without passes of
their own for masks and dropout, and of flash attention with two sizes of
tiles, the second what fits the chip of an A100. Each operation is taken to
load once what it needs. Arithmetic: nothing was trained or timed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attn_course import figures, lab
from attn_course.experiments.study import Study
from attn_course.flash import traffic

__all__ = ["STUDY", "table", "traffic_of_all"]

WAYS = {
    "standard": "standard",
    "flash": "flash, keys outside (2022)",
    "flash by query": "flash, queries outside (2023)",
}
PASSES = {
    "standard": {},
    "standard, masks in passes of their own": {"masks": True},
    "standard, masks and dropout": {"masks": True, "dropout": True},
}
WORDS, WIDTH = 1024, 64
BLOCKS = [16, 32, 64, 128, 256, 512, 1024]
SMALL = [(96, 8, 16), (100, 16, 32), (128, 16, 64)]  # n, d, tile
ON_CHIP = 192 * 1024 // 2  # numbers of 16 bits, one processor of an A100
STUDY = Study(
    "flash-traffic",
    chapter=8,
    question="How many bytes does flash attention move, and how many the "
    "standard way?",
    design=__doc__,
    seeds=0,
    tolerance=1e-9,
)


@STUDY.run
def traffic_of_all() -> dict[str, Any]:
    """Count what each way moves, and how much it computes."""
    _, fits = traffic.blocks_for(ON_CHIP, WIDTH)
    return {
        "blocks": BLOCKS,
        "megabytes": {
            way: [_megabytes(way, block) for block in BLOCKS] for way in WAYS
        },
        "counted": [
            {"way": way, "n": n, "d": d, "block": block,
             "is_formula": _is_formula(way, n, d, block)}
            for way in WAYS
            for n, d, block in SMALL
        ],
        "paper": {
            **{
                name: traffic.paper_bytes("standard", **options) / 1e9
                for name, options in PASSES.items()
            },
            **{
                f"flash, {block} keys in a tile": traffic.paper_bytes(
                    "flash", block_k=block
                )
                / 1e9
                for block in (256, fits)
            },
        },
        "printed": traffic.PAPER,
        "fits": fits,
        "flops": {way: _flops(way) for way in ("standard", "flash")},
    }  # fmt: skip


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count all once more."""
    found = traffic_of_all()
    for key in ("megabytes", "paper", "flops"):
        for way, numbers in recording[key].items():
            yield f"{key}: {way}", numbers, found[key][way]
    yield "counted", *([x["is_formula"] for x in r["counted"]]
                       for r in (recording, found))  # fmt: skip


@STUDY.claim("8.traffic")
def moved(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is moved with small and large tiles, and the paper's."""
    ways, blocks = recording["megabytes"], recording["blocks"]
    printed, fits = recording["printed"], recording["fits"]
    counted = recording["paper"]
    plain, masks, everything = (counted[name] for name in PASSES)
    return {
        "standard_mb": ways["standard"][0],
        "small_tile": ways["flash"][blocks.index(16)],
        "tile_64": ways["flash"][blocks.index(64)],
        "query_64": ways["flash by query"][blocks.index(64)],
        "plain": plain,
        "masks": masks,
        "everything": everything,
        "flash_256": counted["flash, 256 keys in a tile"],
        "flash_fit": counted[f"flash, {fits} keys in a tile"],
        "block_k": fits,
        "paper_standard": printed["24 June 2022 (arXiv v2)"]["standard"],
        "paper_other": printed["NeurIPS layout"]["standard"],
        "paper_flash": printed["NeurIPS layout"]["flash"],
        "flops": recording["flops"]["flash"] / recording["flops"]["standard"],
    }


@STUDY.figure("""
    Megabytes moved by one head forward, over tiles of 16 to 1024 words, both
    axes doubling. Standard attention is a level line near 9. Both kinds of
    flash attention fall as tiles grow: the older from above it, the newer
    lies below.
""")
def megabytes(recording: Mapping[str, Any]) -> Any:
    """Draw what each way moves over the size of a tile."""
    return figures.curves(
        recording["blocks"],
        {WAYS[way]: mb for way, mb in recording["megabytes"].items()},
        xlabel="words in a tile",
        ylabel="MB moved, one head, forward",
        title="Counted: 1024 words, d = 64, float16",
        log_x=True,
        log_y=True,
    )


def table() -> Any:
    """Show what is counted for the shape that the paper states."""
    return lab.table(
        [
            {"way": way, "GB": f"{gigabytes:.1f}"}
            for way, gigabytes in STUDY.recording["paper"].items()
        ],
        caption="Forward and backward, 1024 words, d = 64, 16 heads, a batch "
        "of 64, float16",
        columns=["way", "GB"],
    )


def _megabytes(way: str, block: int) -> float:
    tiles = {"block_q": block, "block_k": block}
    return traffic.formula(way, WORDS, WIDTH, **tiles).bytes() / 1e6


def _is_formula(way: str, n: int, d: int, block: int) -> bool:
    tiles = {"block_q": block, "block_k": block}
    counted = traffic.count(way, n, d, **tiles)
    return counted == traffic.formula(way, n, d, **tiles)


def _flops(way: str) -> int:
    """Count the operations of a forward and a backward pass."""
    return sum(
        traffic.flops(way, WORDS, WIDTH, backward=backward)
        for backward in (False, True)
    )
