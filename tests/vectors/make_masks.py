"""Write masks.json: what MaskDesigner must show, by plain loops.

The TypeScript of the widget and its Python twin are both held to these
numbers. `python tests/vectors/make_masks.py` writes the file again.
"""

import json
from pathlib import Path

from loops import mulberry32

HERE = Path(__file__).parent

NUMBERS = {
    "padded": 2,
    "window": 1,
    "dilation": 2,
    "block": 3,
    "n_global": 1,
    "n_random": 1,
    "seed": 0,
}
SPARSE = {"window": 2, "n_global": 2, "n_random": 2, "seed": 7}


def looks(preset: str, i: int, j: int, n: int, x: dict) -> bool:
    near = abs(i - j) <= x["window"]
    central = i < x["n_global"] or j < x["n_global"]
    token = j < n - x["padded"]
    apart = abs(i - j)
    return {
        "full": True,
        "causal": j <= i,
        "padding": token,
        "causal and padding": j <= i and token,
        "sliding window": near,
        "dilated window": apart % x["dilation"] == 0
        and apart // x["dilation"] <= x["window"],
        "blocks": i // x["block"] == j // x["block"],
        "global tokens": central,
        "window and global tokens": near or central,
        "BigBird-like": near or central,
    }[preset]


def plain_mask(preset: str, n: int, x: dict, causal: bool) -> list:
    stream = mulberry32(x["seed"])
    mask = []
    for i in range(n):
        row = [looks(preset, i, j, n, x) for j in range(n)]
        lots = [next(stream) for _ in range(n)]
        unseen = sorted((lot, j) for j, lot in enumerate(lots) if not row[j])
        if preset == "BigBird-like":
            for _, j in unseen[: x["n_random"]]:
                row[j] = True
        mask.append(
            [see and (j <= i or not causal) for j, see in enumerate(row)]
        )
    return mask


def first_heard(masks: list, n: int) -> list:
    """After how many layers has i heard of j? None: never."""
    first = [[0 if i == j else None for j in range(n)] for i in range(n)]
    for layer, mask in enumerate(masks, start=1):
        before = [list(row) for row in first]
        for i in range(n):
            for j in range(n):
                met = any(
                    mask[i][k] and before[k][j] is not None for k in range(n)
                )
                if first[i][j] is None and met:
                    first[i][j] = layer
    return first


def until_connected(mask: list, n: int) -> int | None:
    for layers in range(n + 1):
        first = first_heard([mask] * layers, n)
        if all(x is not None for row in first for x in row):
            return layers
    return None


def case(name, presets, *, n=7, layers=None, causal=False, paint=(), **more):
    """Describe one stack; `paint` lists (layer, row, column) to flip."""
    numbers = {**NUMBERS, **more}
    masks = [plain_mask(p, n, numbers, causal) for p in presets]
    for layer, i, j in paint:
        masks[layer - 1][i][j] = not masks[layer - 1][i][j]
    same = len(presets) == 1 and layers is not None
    stack = masks * layers if same else masks
    first = first_heard(stack, n)
    return {
        "name": name,
        "n": n,
        "same": same,
        "causal": causal,
        "presets": list(presets),
        "numbers": numbers,
        "paint": [list(one) for one in paint],
        "masks": [[[int(x) for x in row] for row in mask] for mask in stack],
        "first": first,
        "leaks": [
            [i, j]
            for i in range(n)
            for j in range(i + 1, n)
            if first[i][j] is not None
        ],
        "pairs": [sum(map(sum, mask)) for mask in stack],
        "most_keys": [max(map(sum, mask)) for mask in stack],
        "connected": until_connected(stack[0], n),
    }


def make() -> dict:
    cases = [
        case(
            "one token", ["causal"],
            n=1, layers=1, padded=1, block=1, dilation=1,
        ),
        case("full", ["full"], layers=2),
        case("causal", ["causal"], layers=3),
        case("padding", ["padding"], layers=2),
        case("all padding", ["padding"], layers=2, padded=7),
        case("causal and padding", ["causal and padding"], layers=2),
        case(
            "one hole lets the future through, two layers on",
            ["causal"], layers=2, paint=[(1, 2, 3)], n=5,
        ),
        case(
            "a hole in the second layer only",
            ["causal", "causal"], paint=[(2, 0, 4), (2, 3, 3)], n=6,
        ),
        case("sliding window", ["sliding window"], layers=4),
        case("wider window", ["sliding window"], layers=2, n=16, window=4),
        case("causal window", ["sliding window"], layers=3, causal=True),
        case("dilated window", ["dilated window"], layers=3, n=9),
        case("blocks", ["blocks"], layers=2, n=8),
        case("global tokens", ["global tokens"], layers=2),
        case("no global token", ["global tokens"], layers=2, n_global=0),
        case(
            "window and global tokens",
            ["window and global tokens"], layers=2, n=12,
        ),
        case("BigBird-like", ["BigBird-like"], layers=3, n=12),
        case("larger BigBird", ["BigBird-like"], layers=2, n=20, **SPARSE),
        case(
            "BigBird, causal", ["BigBird-like"],
            layers=4, n=12, causal=True, **SPARSE,
        ),
        case(
            "blocks, then a dilated window",
            ["blocks", "dilated window"], n=9, dilation=3,
        ),
    ]  # fmt: skip
    return {"cases": cases}


def text() -> str:
    return json.dumps(make(), separators=(",", ":")) + "\n"


if __name__ == "__main__":
    (HERE / "masks.json").write_text(text(), "utf-8")
