"""Write heads.json: what HeadBrowser and HeadSwitches must say, by loops.

The TypeScript of the widgets and their Python twins are both held to these
numbers. `python tests/vectors/make_heads.py` writes the file again.
"""

import json
import random
from pathlib import Path

HERE = Path(__file__).parent


def make() -> dict:
    dice = random.Random(6)
    return {
        "browse": [browse(dice, *size) for size in [(1, 1), (2, 3), (5, 2)]],
        "switch": [switch(dice, *size) for size in [(1, 1), (1, 3), (2, 2)]],
    }


def browse(dice: random.Random, layers: int, heads: int) -> dict:
    """Make scores of one model; say which head is highest."""
    score = [
        [dice.randrange(1001) / 1000 for _ in range(heads)]
        for _ in range(layers)
    ]
    best = (0, 0)
    labelled = []
    labels = 0
    for i in range(layers):
        labelled.append([])
        for j in range(heads):
            if score[i][j] > score[best[0]][best[1]]:
                best = (i, j)
            earned = score[i][j] >= 0.5
            labelled[i].append(earned)
            labels += earned
    return {
        "score": score,
        "labelled": labelled,
        "labels": labels,
        "layer": best[0] + 1,
        "head": best[1] + 1,
    }


def switch(dice: random.Random, layers: int, heads: int) -> dict:
    """Make losses and accuracies of all subsets; rank those of each size."""
    shape = (2, 2, 2)  # seeds, ways, tests
    subsets = 2 ** (layers * heads)
    loss, accuracy = (
        [
            [
                [
                    # Few values: some subsets are equally good.
                    [dice.randrange(6) / 2 * scale for _ in range(subsets)]
                    for _ in range(shape[2])
                ]
                for _ in range(shape[1])
            ]
            for _ in range(shape[0])
        ]
        for scale in (1, 0.4)
    )
    picks = []
    for seed in range(2):
        for way in range(2):
            for test in range(2):
                for show, sign in (("loss", 1), ("accuracy", -1)):
                    table = loss if show == "loss" else accuracy
                    values = table[seed][way][test]
                    by_size = []
                    for size in range(layers * heads + 1):
                        same = []
                        for c in range(subsets):
                            on = 0
                            for bit in range(layers * heads):
                                on += (c // 2**bit) % 2
                            if on == size:
                                same.append((sign * values[c], c))
                        by_size.append([c for _, c in sorted(same)])
                    picks.append(
                        {
                            "seed": seed,
                            "way": way,
                            "test": test,
                            "show": show,
                            "values": values,
                            "ranked": by_size,
                        }
                    )
    return {
        "layers": layers,
        "heads": heads,
        "loss": loss,
        "accuracy": accuracy,
        "picks": picks,
    }


if __name__ == "__main__":
    text = json.dumps(make(), separators=(",", ":"))
    (HERE / "heads.json").write_text(text + "\n", "utf-8")
