"""Do attention weights say what decided? For and against, with a known cause.

Models with additive attention read little reviews (`tasks.reviews`) of
which it is known which words decide. Four questions, each with every seed:

**Agreement.** Each way of saying how much a word counts orders the words of a
held-out review: the attention weight, how far the verdict's log-odds move
without the word, and the gradient of these log-odds times the word's vector.
The orders are compared by Spearman's rank correlation, and with those of
another seed; weights of another review are the control. How much of each
falls on the words that decide?

**An adversary for each review** (Jain and Wallace 2019). Other weights for the
same model are looked for that lie as far as possible from its own, by
Jensen-Shannon divergence, while the verdict's probability moves by at most
0.01. Weights in random order are the control.

**The answer** (Wiegreffe and Pinter 2019): is attention needed, that is, what
do equal weights reach? How far apart are the weights of two seeds? How far
can a model go that is trained as an adversary, for all reviews at once? And do
weights help another model, which sees each word alone?

A pilot with seed 0 led to log-odds in place of probabilities, which end at
exactly 1 in float32, and to fewer steps: all was learned. Nothing else was
changed after it.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from attn_course import figures, lab
from attn_course.experiments.study import Study
from attn_course.interpret.explanations import (
    adversary,
    importances,
    read,
    train_adversary,
)
from attn_course.interpret.statistics import rank_correlation
from attn_course.nn import train as models
from attn_course.tasks.reviews import (
    Classifier,
    Guided,
    Reviews,
    batches,
    divergence,
    reviews,
    total_variation,
)

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "one", "table", "train"]

SETTINGS = {
    "encoders": ["GRU", "words"],
    "steps": 400,
    "batch": 64,
    "learning_rate": 0.005,
    "tested": 1000,
    "explained": 200,
    "tolerance": 0.01,
    "adversary_steps": 500,
    "push": [0.0, 0.1, 1.0],
    "permutations": 100,
}
LEFT_OUT = "attention × leave one out"
OTHER_REVIEW = "attention of another review × leave one out"
STUDY = Study(
    "attention-explains",
    chapter=7,
    question="Do attention weights say which words decided?",
    design=__doc__,
    trains=True,
    arms={"encoder": SETTINGS["encoders"]},
    settings=SETTINGS,
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(
    encoder: str, seed: int, steps: int = SETTINGS["steps"]
) -> dict[str, Any]:
    """Train one model and its rivals; explain and attack it."""
    model = Classifier(encoder, seed=seed)
    history = _fit(model, seed, steps)
    other = train(Classifier(encoder, seed=500 + seed), 500 + seed, steps)
    equal = train(Classifier(encoder, uniform=True, seed=seed), seed, steps)
    drawn = explained()
    own = model.weights(drawn.words).detach()
    weights, moved = _adversary(model, drawn, seed)
    rivals = {
        push: _rival(model, encoder, push, seed, steps)
        for push in SETTINGS["push"]
    }
    return {
        "history": history,
        "accuracy": accuracy(model),
        "accuracy_equal": accuracy(equal),
        "confidence": _quartiles(
            read(model, drawn.words)[1].max(-1).values.detach()
        ),
        "agreement": agreement(model, other, drawn),
        "on_causes": on_causes(model, drawn),
        "adversary": _summary(own, weights, moved),
        "permuted": _permuted(model, drawn.words, seed),
        "seeds_apart": _quartiles(
            divergence(own, other.weights(drawn.words).detach())
        ),
        "trained_adversaries": [
            {"push": push, **_measured(model, rival)}
            for push, rival in rivals.items()
        ],
        "helped": _helped(model, rivals[SETTINGS["push"][-1]], seed, steps),
        "example": {
            "weights": _rounded(own[0]),
            "adversary": _rounded(weights[0]),
            **{
                name: _rounded(values[0])
                for name, values in importances(model, drawn.words).items()
                if name != "attention"
            },
        },
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add what chance gives, and the review that is shown."""
    drawn = explained()
    return {
        "chance": {
            "decides": round(drawn.decides.float().mean().item(), 4),
            "most_divergence": round(float(np.log(2)), 4),
        },
        "example": {
            "words": drawn.text(0),
            "good": int(drawn.good[0]),
            "decides": drawn.decides[0].int().tolist(),
        },
    }


@STUDY.slice
def model_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train a model of each kind again, explain it, and attack it."""
    drawn = explained()
    for encoder in SETTINGS["encoders"]:
        cell = {"encoder": encoder, "seed": 1}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        model = train(Classifier(encoder, seed=1), 1)
        own = model.weights(drawn.words).detach()
        moved = _summary(own, *_adversary(model, drawn, 1))
        yield f"{encoder}: accuracy", then["accuracy"], accuracy(model)
        for name, share in on_causes(model, drawn).items():
            yield f"{encoder}: {name}", then["on_causes"][name], share
        for name, quartiles in moved.items():
            yield f"{encoder}: {name}", then["adversary"][name], quartiles


# What it says


@STUDY.claim("7.interpretable")
def both_sides(recording: dict[str, Any]) -> dict[str, Any]:
    """Give what speaks for the first paper, and what for the second."""
    gru, words = (_runs(recording, encoder) for encoder in ("GRU", "words"))
    return {
        "gru": [r["agreement"][LEFT_OUT] for r in gru],
        "gru_control": [r["agreement"][OTHER_REVIEW] for r in gru],
        "words": [r["agreement"][LEFT_OUT] for r in words],
        "words_control": [r["agreement"][OTHER_REVIEW] for r in words],
        "gru_causes": [r["on_causes"]["attention"] for r in gru],
        "words_causes": [r["on_causes"]["attention"] for r in words],
        "adversary": [r["adversary"]["divergence"][1] for r in gru],
        "moved": [r["adversary"]["total_variation"][2] for r in gru],
        "trained_gru": [_pushed(r) for r in gru],
        "trained_words": [_pushed(r) for r in words],
        "helped": [r["helped"]["the model"] for r in gru],
        "helped_adversary": [
            r["helped"]["the trained adversary"] for r in gru
        ],
        "helped_equal": [r["helped"]["equal weights"] for r in gru],
        "most": recording["chance"]["most_divergence"],
        "decides": recording["chance"]["decides"],
    }


def _pushed(run: Mapping[str, Any]) -> float:
    """Give how far the strongest trained adversary moves a verdict."""
    return run["trained_adversaries"][-1]["total_variation"][1]


def _runs(recording: Mapping[str, Any], encoder: str) -> list[dict[str, Any]]:
    return [r for r in recording["records"] if r["encoder"] == encoder]


@STUDY.figure(
    """
    Share of each importance on the words that decide, by seed. Over words all
    three ways are near 1 in every seed. Over a GRU attention gives 0.07, 0.12
    and 0.50, leave one out about 0.7, the gradient about 0.4.
    """
)
def causes(recording: Mapping[str, Any]) -> "Chart":
    """Draw the share of each importance on the words that decide."""
    runs = recording["records"]
    chance = recording["chance"]["decides"]
    return figures.bars(
        [f"{r['encoder']}, {r['seed']}" for r in runs],
        {
            way: [r["on_causes"][way] for r in runs]
            for way in runs[0]["on_causes"]
        },
        ylabel="share on what decides",
        title=f"Recorded: each seed; equal weights give {chance:.2f}",
    )


# What is measured, and where it stands in a record.
ROWS = {
    "accuracy": ("accuracy",),
    "attention on the causes": ("on_causes", "attention"),
    "leave-one-out on the causes": ("on_causes", "leave one out"),
    "agreement with leave-one-out (ρ)": ("agreement", LEFT_OUT),
    "the same, another review’s weights": ("agreement", OTHER_REVIEW),
    "agreement with the gradient (ρ)": ("agreement", "attention × gradient"),
    "adversary: how far weights move": ("adversary", "divergence", 1),
    "adversary: how far the verdict moves": (
        "adversary",
        "total_variation",
        2,
    ),
}


def table() -> Any:
    """Show both kinds of model side by side, over all seeds."""
    recording = STUDY.recording
    columns = {"over a GRU": "GRU", "over words": "words"}
    return lab.table(
        [
            {
                "measured": text,
                **{
                    column: _span(_runs(recording, encoder), keys)
                    for column, encoder in columns.items()
                },
            }
            for text, keys in ROWS.items()
        ],
        caption="Recorded, 3 seeds. Weights can move by 0.69 at most "
        "(Jensen–Shannon)",
        columns=["measured", *columns],
    )


def _span(values: list[Any], keys: tuple) -> str:
    """Write the smallest and the largest, or the one that they are."""
    for key in keys:
        values = [value[key] for value in values]
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


# How it is measured


def explained() -> Reviews:
    """Draw the reviews that are explained: the same for all models."""
    return reviews(SETTINGS["explained"], torch.Generator().manual_seed(3000))


def train(
    model: nn.Module, seed: int, steps: int = SETTINGS["steps"]
) -> nn.Module:
    """Train a model on reviews, in place; give it back."""
    _fit(model, seed, steps)
    return model


def _fit(model: nn.Module, seed: int, steps: int) -> list[float | None]:
    """Train a model on reviews, in place; give its losses."""
    return models.losses(
        models.train(
            model,
            batches(SETTINGS["batch"]),
            steps=steps,
            learning_rate=SETTINGS["learning_rate"],
            seed=1000 + seed,
            progress=False,
        )
    )


def accuracy(model: nn.Module) -> float:
    """Measure accuracy on held-out reviews."""
    drawn = reviews(SETTINGS["tested"], torch.Generator().manual_seed(2000))
    batch = models.Batch((drawn.words,), drawn.good)
    return round(models.accuracy(model, batch), 4)


def agreement(
    model: Classifier, other: Classifier, drawn: Reviews
) -> dict[str, float]:
    """Correlate the orders, each pair of ways; means over the reviews."""
    ours = importances(model, drawn.words)
    theirs = importances(other, drawn.words)
    pairs = {
        f"{a} × {b}": (ours[a], ours[b])
        for a, b in itertools.combinations(ours, 2)
    }
    pairs |= {f"{a}, two seeds": (ours[a], theirs[a]) for a in ours}
    # What the place in the sentence alone brings: the next review's weights.
    pairs[OTHER_REVIEW] = (
        ours["attention"].roll(1, 0),
        ours["leave one out"],
    )
    return {
        name: round(
            float(
                np.mean(
                    [
                        rank_correlation(x.numpy(), y.numpy())
                        for x, y in zip(a, b, strict=True)
                    ]
                )
            ),
            4,
        )
        for name, (a, b) in pairs.items()
    }


def on_causes(model: Classifier, drawn: Reviews) -> dict[str, float]:
    """Give the share of each importance that falls on what decides."""
    found = {}
    for name, values in importances(model, drawn.words).items():
        share = (values * drawn.decides).sum(1) / values.sum(1)
        found[name] = round(share.mean().item(), 4)
    return found


def _adversary(
    model: Classifier, drawn: Reviews, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Look for other weights for every review that is explained."""
    return adversary(
        model,
        drawn.words,
        seed=seed,
        steps=SETTINGS["adversary_steps"],
        tolerance=SETTINGS["tolerance"],
    )


def _rival(
    model: Classifier, encoder: str, push: float, seed: int, steps: int
) -> Classifier:
    """Train an adversary for all reviews at once."""
    return train_adversary(
        model,
        Classifier(encoder, seed=700 + seed),
        push=push,
        seed=seed,
        steps=steps,
        batch=SETTINGS["batch"],
        learning_rate=SETTINGS["learning_rate"],
    )


def _helped(
    model: Classifier, rival: Classifier, seed: int, steps: int
) -> dict[str, float]:
    """Give the accuracy of readers of words alone, by whose weights."""
    readers = {
        "the model": Guided(model, seed=seed),
        "the trained adversary": Guided(rival, seed=seed),
        "equal weights": Classifier("words", uniform=True, seed=seed),
        "its own": Classifier("words", seed=seed),
    }
    return {
        name: accuracy(train(reader, seed, steps))
        for name, reader in readers.items()
    }


@torch.no_grad()
def _measured(model: Classifier, rival: Classifier) -> dict[str, Any]:
    """Say how far a trained adversary got."""
    words = explained().words
    (own, verdict), (weights, new) = read(model, words), read(rival, words)
    return {
        **_summary(own, weights, total_variation(verdict, new)),
        "accuracy": accuracy(rival),
    }


@torch.no_grad()
def _permuted(
    model: Classifier, words: torch.Tensor, seed: int
) -> dict[str, list[float]]:
    """Put the weights into random orders; see how far the verdict moves."""
    states = model.encode(model.embed(words))
    own = model.attend(states)
    verdict = model.verdict(states, own).softmax(-1)
    generator = torch.Generator().manual_seed(6000 + seed)
    off, apart = [], []
    for _ in range(SETTINGS["permutations"]):
        order = torch.rand(own.shape, generator=generator).argsort(-1)
        weights = own.gather(1, order)
        new = model.verdict(states, weights).softmax(-1)
        off.append(total_variation(verdict, new))
        apart.append(divergence(own, weights))
    return {
        "divergence": _quartiles(torch.stack(apart).median(0).values),
        "total_variation": _quartiles(torch.stack(off).median(0).values),
    }


def _summary(
    own: torch.Tensor, weights: torch.Tensor, off: torch.Tensor
) -> dict[str, Any]:
    """Sum up how far weights and verdicts lie apart."""
    return {
        "divergence": _quartiles(divergence(own, weights)),
        "total_variation": _quartiles(off),
    }


def _quartiles(x: torch.Tensor) -> list[float]:
    """Give lower quartile, median, upper quartile."""
    return _rounded(x.quantile(torch.tensor([0.25, 0.5, 0.75])))


def _rounded(x: torch.Tensor) -> list[float]:
    return [round(float(one), 4) for one in x]
