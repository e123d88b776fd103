"""How much each word counts for a verdict, and how freely weights can move.

Three ways to say how much a word counts, and the two adversaries of the
debate on whether attention explains: other weights for each review (Jain and
Wallace 2019), and a whole model that is trained to say the same with other
weights (Wiegreffe and Pinter 2019). All for `attn_course.reviews`.
"""

import torch
from jaxtyping import Float, Int

from attn_course.reviews import (
    Classifier,
    batches,
    divergence,
    total_variation,
)

__all__ = ["adversary", "importances", "read", "train_adversary"]


def importances(
    model: Classifier, words: Int[torch.Tensor, "batch n"]
) -> dict[str, Float[torch.Tensor, "batch n"]]:
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


def adversary(
    model: Classifier,
    words: Int[torch.Tensor, "batch n"],
    *,
    seed: int,
    steps: int = 500,
    tolerance: float = 0.01,
) -> tuple[Float[torch.Tensor, "batch n"], Float[torch.Tensor, " batch"]]:
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
    for _ in range(steps):
        weights = scores.softmax(-1)
        apart = divergence(own, weights)  # (batch,)
        new = model.verdict(states, weights).softmax(-1)
        off = total_variation(verdict, new)  # (batch,)
        with torch.no_grad():
            better = (off <= tolerance) & (apart > farthest)
            best[better], moved[better] = weights[better], off[better]
            farthest[better] = apart[better]
        beyond = (off - tolerance / 2).relu()
        loss = (10 * beyond - apart).sum()
        update.zero_grad()
        loss.backward()
        update.step()
    return best, moved


def train_adversary(
    model: Classifier,
    rival: Classifier,
    *,
    push: float,
    seed: int,
    steps: int,
    batch: int,
    learning_rate: float,
) -> Classifier:
    """Train a whole model, in place, to say the same with other weights.

    Wiegreffe and Pinter 2019, section 4: the loss is the total variation
    between the verdicts, less `push` times the divergence of the weights
    (Jensen-Shannon here, which has an upper limit; theirs was Kullback and
    Leibler's).
    """
    update = torch.optim.Adam(rival.parameters(), lr=learning_rate)
    generator = torch.Generator().manual_seed(5000 + seed)
    draw = batches(batch)
    for _ in range(steps):
        (words,), _ = draw(generator)
        with torch.no_grad():
            own, verdict = read(model, words)
        weights, new = read(rival, words)
        off = total_variation(verdict, new)
        loss = (off - push * divergence(own, weights)).mean()
        update.zero_grad()
        loss.backward()
        update.step()
    return rival


def read(
    model: Classifier, words: Int[torch.Tensor, "batch n"]
) -> tuple[Float[torch.Tensor, "batch n"], Float[torch.Tensor, "batch 2"]]:
    """Give a model's weights and the probabilities of both verdicts."""
    states = model.encode(model.embed(words))
    weights = model.attend(states)
    return weights, model.verdict(states, weights).softmax(-1)


def _log_odds(scores: torch.Tensor) -> torch.Tensor:
    """Give ln (p of good / p of bad): the difference of the two scores."""
    return scores[:, 1] - scores[:, 0]
