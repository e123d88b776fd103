"""Do attention weights say what decided? For and against, with a known cause.

Models with additive attention read little reviews (`attn_course.reviews`) of
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

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import models
from attn_course import reviews as task
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.interpret.statistics import rank_correlation
from attn_course.reviews import (
    Classifier,
    Guided,
    divergence,
    reviews,
    total_variation,
)

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "adversary",
    "agreement",
    "importances",
    "inputs",
    "record",
    "run_one",
    "train_adversary",
]

RECORDINGS = ("attention-explains",)
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
CODE = (
    "experiments/attention_explains.py",
    "experiments/parts.py",
    "experiments/remedies.py",
    "models.py",
    "reviews.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (task, models.train, models.accuracy, rank_correlation)
    return [list(seeds), *(inspect.getsource(x) for x in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train, explain and attack with every seed; resume what is there."""
    parts = Parts(name, fingerprint("attention_explains", name, 0))
    runs = list(itertools.product(SETTINGS["encoders"], seeds))
    with one_thread():
        done = parts.run(runs, run_one)
    drawn = explained()
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "chance": {
            "decides": round(drawn.decides.float().mean().item(), 4),
            "most_divergence": round(float(np.log(2)), 4),
        },
        "example": {
            "words": drawn.text(0),
            "good": int(drawn.good[0]),
            "decides": drawn.decides[0].int().tolist(),
        },
        "records": [entry["result"] for entry in done],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(
    encoder: str, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model and its rivals; give its entry of `records`."""
    model = train(Classifier(encoder, seed=seed), seed, steps)
    other = train(Classifier(encoder, seed=500 + seed), 500 + seed, steps)
    equal = train(Classifier(encoder, uniform=True, seed=seed), seed, steps)
    drawn = explained()
    own = model.weights(drawn.words).detach()
    moved = adversary(model, drawn.words, seed)
    rivals = {
        push: train_adversary(model, push, seed, steps)
        for push in SETTINGS["push"]
    }
    guides = {
        "the model": model,
        "the trained adversary": rivals[SETTINGS["push"][-1]],
    }
    helped = {
        name: accuracy(train(Guided(guide, seed=seed), seed, steps))
        for name, guide in guides.items()
    }
    for name, uniform in (("equal weights", True), ("its own", False)):
        reader = Classifier("words", uniform=uniform, seed=seed)
        helped[name] = accuracy(train(reader, seed, steps))
    return {
        "encoder": encoder,
        "seed": seed,
        "accuracy": accuracy(model),
        "accuracy_equal": accuracy(equal),
        "confidence": _quartiles(
            _read(model, drawn.words)[1].max(-1).values.detach()
        ),
        "agreement": agreement(model, other, drawn),
        "on_causes": _on_causes(model, drawn),
        "adversary": _summary(own, moved[0], moved[1]),
        "permuted": _permuted(model, drawn.words, seed),
        "seeds_apart": _quartiles(
            divergence(own, other.weights(drawn.words).detach())
        ),
        "trained_adversaries": [
            {"push": push, **_measured(model, rival)}
            for push, rival in rivals.items()
        ],
        "helped": helped,
        "example": {
            "weights": _rounded(own[0]),
            "adversary": _rounded(moved[0][0]),
            **{
                name: _rounded(values[0])
                for name, values in importances(model, drawn.words).items()
                if name != "attention"
            },
        },
    }


def explained() -> task.Reviews:
    """Draw the reviews that are explained: the same for all models."""
    return reviews(SETTINGS["explained"], torch.Generator().manual_seed(3000))


def train(model: nn.Module, seed: int, steps: int | None = None) -> Any:
    """Train a model on reviews, in place; give it back."""
    models.train(
        model,
        task.batches(SETTINGS["batch"]),
        steps=steps or SETTINGS["steps"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    return model


def accuracy(model: nn.Module) -> float:
    """Measure accuracy on held-out reviews."""
    drawn = reviews(SETTINGS["tested"], torch.Generator().manual_seed(2000))
    batch = models.Batch((drawn.words,), drawn.good)
    return round(models.accuracy(model, batch), 4)


# How much a word counts


def importances(
    model: Classifier, words: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Say how much each word counts, in three ways: `(batch, n)` each.

    "leave one out" is how far the log-odds of the verdict move without the
    word; "gradient" is |∂ l / ∂ x · x|, with x the word's vector and l the
    same log-odds.
    """
    x = model.embed(words).detach().requires_grad_()
    states = model.encode(x)
    weights = model.attend(states)
    full = _log_odds(model.verdict(states, weights))  # (batch,)
    full.sum().backward()
    with torch.no_grad():
        without = []
        for place in range(words.shape[1]):
            rest = torch.cat([words[:, :place], words[:, place + 1 :]], dim=1)
            without.append((full - _log_odds(model(rest))).abs())
    return {
        "attention": weights.detach(),
        "leave one out": torch.stack(without, dim=1),
        "gradient": (x.grad * x).sum(-1).abs().detach(),
    }


def _log_odds(scores: torch.Tensor) -> torch.Tensor:
    """Give ln (p of good / p of bad): the difference of the two scores."""
    return scores[:, 1] - scores[:, 0]


def agreement(
    model: Classifier, other: Classifier, drawn: task.Reviews
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
    pairs["attention of another review × leave one out"] = (
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


def _on_causes(model: Classifier, drawn: task.Reviews) -> dict[str, float]:
    """Give the share of each importance that falls on what decides."""
    found = {}
    for name, values in importances(model, drawn.words).items():
        share = (values * drawn.decides).sum(1) / values.sum(1)
        found[name] = round(share.mean().item(), 4)
    return found


# Adversaries


def adversary(
    model: Classifier, words: torch.Tensor, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Look for weights far from the model's own that keep its verdict.

    Jain and Wallace 2019, section 4.2.2, with a penalty for every movement
    of the verdict beyond the tolerance. The best weights within it are kept;
    where none are found, the model's own.

    Returns
    -------
    weights, moved
        `(batch, n)`, and the total variation between the verdicts,
        `(batch,)`.
    """
    with torch.no_grad():
        states = model.encode(model.embed(words))
        own = model.attend(states)  # (batch, n)
        verdict = model.verdict(states, own).softmax(-1)
    generator = torch.Generator().manual_seed(4000 + seed)
    scores = torch.randn(own.shape, generator=generator).requires_grad_()
    update = torch.optim.Adam([scores], lr=0.1)
    best, farthest = own.clone(), torch.zeros(len(own))
    moved = torch.zeros(len(own))
    for _ in range(SETTINGS["adversary_steps"]):
        weights = scores.softmax(-1)
        apart = divergence(own, weights)  # (batch,)
        new = model.verdict(states, weights).softmax(-1)
        off = total_variation(verdict, new)  # (batch,)
        with torch.no_grad():
            better = (off <= SETTINGS["tolerance"]) & (apart > farthest)
            best[better], moved[better] = weights[better], off[better]
            farthest[better] = apart[better]
        beyond = (off - SETTINGS["tolerance"] / 2).relu()
        loss = (10 * beyond - apart).sum()
        update.zero_grad()
        loss.backward()
        update.step()
    return best, moved


def train_adversary(
    model: Classifier, push: float, seed: int, steps: int | None = None
) -> Classifier:
    """Train a whole model to say the same with other weights.

    Wiegreffe and Pinter 2019, section 4: the loss is the total variation
    between the verdicts, less `push` times the divergence of the weights
    (Jensen-Shannon here, which has an upper limit; theirs was Kullback and
    Leibler's).
    """
    encoder = "GRU" if isinstance(model.encoder, nn.GRU) else "words"
    rival = Classifier(encoder, seed=700 + seed)
    rate = SETTINGS["learning_rate"]
    update = torch.optim.Adam(rival.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(5000 + seed)
    for _ in range(steps or SETTINGS["steps"]):
        words = reviews(SETTINGS["batch"], generator).words
        with torch.no_grad():
            own, verdict = _read(model, words)
        weights, new = _read(rival, words)
        off = total_variation(verdict, new)
        loss = (off - push * divergence(own, weights)).mean()
        update.zero_grad()
        loss.backward()
        update.step()
    return rival


def _read(
    model: Classifier, words: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give a model's weights and the probabilities of both verdicts."""
    states = model.encode(model.embed(words))
    weights = model.attend(states)
    return weights, model.verdict(states, weights).softmax(-1)


@torch.no_grad()
def _measured(model: Classifier, rival: Classifier) -> dict[str, Any]:
    """Say how far a trained adversary got."""
    words = explained().words
    (own, verdict), (weights, new) = _read(model, words), _read(rival, words)
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
