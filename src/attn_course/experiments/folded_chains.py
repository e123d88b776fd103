"""Fill in the map of a fragment's distances, as its triangles allow.

Fragments of 16 neighbours in real chains (`data.load_chains`). Of the
distances between residues three or more places apart three in ten are told,
as bins; the others are asked for. Of the sequence nothing is told. Whole
chains are shared out: to train on, to choose the rate with, to test. No two
chains are alike (see `load_chains`).

Triangle attention (`attn_course.triangles`) has rivals of equal size: the
same with equal weights, products over triangles, which choose nothing, and
convolutions over the map. Three counts learn next to nothing: the commonest
bin so many places apart, the commonest that the triangle inequality leaves,
and the bin of the nearest told pair in the map. Many pairs are asked of each
map, so that they are not independent, and the spread over seeds is not that
over proteins: `chains` has the accuracy on each tested chain.

Steps were set by the time they take. In a pilot with seed 7 and 300 steps
every model's training loss was still falling: so all learn once more, for
four times as long.
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import contacts
from attn_course.data import Chain, load_chains
from attn_course.experiments.miniatures import Task, compare, each_seed
from attn_course.models import Batch
from attn_course.triangles import UNKNOWN, MapFiller, asked, hide

__all__ = [
    "SETTINGS",
    "STUDY",
    "by_chain",
    "by_places",
    "by_triangles",
    "counted",
    "nearest",
    "shared_out",
    "split",
    "task",
]

LENGTH, BINS = 16, len(contacts.EDGES) + 1
SETTINGS = {
    "steps": 240,
    "batch": 8,
    "length": LENGTH,
    "edges": list(contacts.EDGES),
    "told": 0.3,
    "chains": {"train": 31, "choose": 8, "test": 12},
    "longer": dict.fromkeys(
        ("attention", "equal weights", "products", "convolutions"), 960
    ),
}
SIZES = {"length": LENGTH, "bins": BINS}
MODELS = {
    "attention": partial(MapFiller, "attention", **SIZES),
    "equal weights": partial(MapFiller, "equal", d_ff=52, **SIZES),
    "products": partial(MapFiller, "product", width=22, **SIZES),
    "convolutions": partial(
        MapFiller, "convolution", layers=3, d_model=12, d_ff=8, **SIZES
    ),
}


def shared_out() -> dict[str, list[Chain]]:
    """Share out whole chains: to train on, to choose with, to test."""
    chains = load_chains()
    order = np.random.default_rng(3000).permutation(len(chains))
    ends = np.cumsum(list(SETTINGS["chains"].values()))[:-1]
    groups = zip(SETTINGS["chains"], np.split(order, ends), strict=True)
    return {part: [chains[i] for i in members] for part, members in groups}


@cache
def split() -> dict[str, torch.Tensor]:
    """Cut the chains of each part into maps of bins, `(maps, 16, 16)`.

    To train on, all fragments; else only those that do not overlap.
    """
    parts = {}
    for part, chains in shared_out().items():
        step = 1 if part == "train" else LENGTH
        cut = [contacts.fragments(c.atoms, LENGTH, step=step) for c in chains]
        tables = contacts.distances(np.concatenate(cut))  # (maps, 16, 16)
        parts[part] = torch.tensor(contacts.binned(tables))
    return parts


@cache
def task() -> Task:
    """Give the models and the three parts."""
    parts = split()

    def ask(kinds: torch.Tensor, generator: torch.Generator) -> Batch:
        seen = hide(kinds, SETTINGS["told"], generator)
        return Batch((seen,), kinds[asked(seen)])

    def draw(generator: torch.Generator) -> Batch:
        size = (SETTINGS["batch"],)
        i = torch.randint(len(parts["train"]), size, generator=generator)
        return ask(parts["train"][i], generator)

    generator = torch.Generator().manual_seed(4000)
    choose, test = (ask(parts[part], generator) for part in ("choose", "test"))

    def measure(model: nn.Module) -> dict[str, list[float]]:
        return {"chains": by_chain(model, test)}

    steps, longer = SETTINGS["steps"], SETTINGS["longer"]
    return Task(MODELS, draw, choose, test, steps, longer, measure)


@torch.no_grad()
def by_chain(model: nn.Module, test: Batch) -> list[float]:
    """Measure the accuracy on each tested chain, in the order of the split."""
    (seen,) = test.inputs
    right = model(seen).argmax(-1) == test.targets  # (asked,)
    maps = [len(c.letters) // LENGTH for c in shared_out()["test"]]
    of_map = torch.arange(len(maps)).repeat_interleave(torch.tensor(maps))
    # The chain of each asked pair, in the order of the targets.
    chain = of_map[:, None, None].expand_as(seen)[asked(seen)]
    return [
        round(right[chain == i].float().mean().item(), 4)
        for i in range(len(maps))
    ]


def counted() -> dict[str, dict[str, float]]:
    """Measure what learns next to nothing, on the test."""
    test = task().test
    (seen,), counts = test.inputs, by_places(split()["train"])
    named = {
        "places apart": counts.argmax(-1).expand(len(seen), -1, -1),
        "triangle inequality": by_triangles(seen, counts),
        "nearest told pair": nearest(seen),
    }
    return {
        "counted": {
            way: round(
                (kinds[asked(seen)] == test.targets).float().mean().item(), 4
            )
            for way, kinds in named.items()
        }
    }


def by_places(kinds: torch.Tensor) -> torch.Tensor:
    """Count bins by places apart: `(n, n, bins)`, from `(maps, n, n)`."""
    n = kinds.shape[-1]
    apart = torch.tensor(contacts.apart(n))
    table = torch.zeros(n, BINS, dtype=torch.int64)
    for far in range(n):
        table[far] = torch.bincount(
            kinds[:, apart == far].flatten(), minlength=BINS
        )
    return table[apart]


def by_triangles(seen: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Name the commonest bin that no told triangle forbids: `(maps, n, n)`.

    With two sides in bins the third is at most the sum of their upper ends;
    it is at least one's lower end less the other's upper.
    """
    edges = torch.tensor([0.0, *contacts.EDGES, torch.inf])
    unknown = seen == UNKNOWN
    low = torch.where(unknown, 0.0, edges[seen.clamp(min=0)])
    high = torch.where(unknown, torch.inf, edges[seen.clamp(min=0) + 1])
    # (maps, i, j, k): sides (i, k) and (j, k)
    most = (high[:, :, None] + high[:, None]).amin(-1)
    least = torch.maximum(
        low[:, :, None] - high[:, None], low[:, None] - high[:, :, None]
    ).amax(-1)
    allowed = (edges[:-1] < most[..., None]) & (edges[1:] > least[..., None])
    return torch.where(allowed, counts, -1).argmax(-1)


def nearest(seen: torch.Tensor) -> torch.Tensor:
    """Name the bin of the told pair that is nearest in the map.

    Nearest by places along both sides together; of several the first.
    """
    n = seen.shape[-1]
    place = torch.arange(n)
    steps = (place[:, None] - place).abs()
    # (n, n, n * n): from each pair to each
    way = (steps[:, None, :, None] + steps[None, :, None]).flatten(-2)
    told = (seen != UNKNOWN).flatten(-2)[:, None, None]
    first = torch.where(told, way, 2 * n).argmin(-1)  # (maps, n, n)
    return seen.flatten(-2).gather(-1, first.flatten(-2)).view_as(seen)


STUDY = compare(
    "folded-chains",
    task,
    MODELS,
    counted,
    question="Must triangles have attention to fill in a map of distances?",
    design=__doc__,
    settings=SETTINGS,
    data=["proteins.csv.gz"],
)


@STUDY.claim("9.proteins")
def filled_in(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of distances named right, and protein by protein."""
    names = {
        "attention": "attention",
        "equal": "equal weights",
        "products": "products",
        "convolutions": "convolutions",
    }
    by_protein = {
        model: np.mean(
            each_seed(recording, model, "chains", stage="longer"), 0
        )
        for model in names.values()
    }  # mean over seeds
    counts = recording["counted"]
    return {
        **{
            f"{name}{ending}": each_seed(recording, model, stage=stage)
            for name, model in names.items()
            for ending, stage in (("", "records"), ("_longer", "longer"))
        },
        "places": counts["places apart"],
        "inequality": counts["triangle inequality"],
        "nearest": counts["nearest told pair"],
        "tested": len(by_protein["attention"]),
        **{
            f"above_{rival}": int(
                (by_protein["attention"] > by_protein[rival]).sum()
            )
            for rival in ("products", "convolutions")
        },
    }
