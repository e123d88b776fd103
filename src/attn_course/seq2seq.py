"""Translate word by word: GRU encoder and decoder, with or without attention.

One class, four ways for the decoder to read the sentence. With the fixed
vector it gets the same summary at each step (Cho et al. 2014; Sutskever et
al. 2014). With attention it gets a new mixture of all the encoder's states
at each step: with additive scores (Bahdanau et al. 2015), or with dot or
general scores (Luong et al. 2015). Nothing else differs.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.functional import attention, masked_softmax

__all__ = [
    "END",
    "PAD",
    "START",
    "Batches",
    "Translator",
    "Vocabulary",
    "as_large_as_bahdanaus",
    "count_parameters",
    "evaluate",
    "match_parameters",
    "train",
]

PAD, START, END = 0, 1, 2
SPECIAL = ("<pad>", "<start>", "<end>")
SCORES = ("blind", "fixed", "additive", "dot", "general")


class Vocabulary:
    """The words of one language, numbered; 0 to 2 are PAD, START and END.

    Examples
    --------
    >>> french = Vocabulary(["les", "pommes"])
    >>> french.numbers(["pommes", "les"])
    [4, 3]
    >>> french.words([4, 3, END, PAD])
    ['pommes', 'les']
    """

    def __init__(self, words: Iterable[str]):
        self.texts = [*SPECIAL, *sorted(set(words))]
        self.places = {word: i for i, word in enumerate(self.texts)}

    def __len__(self) -> int:
        return len(self.texts)

    def numbers(self, words: Sequence[str]) -> list[int]:
        """Give the number of each word.

        Raises
        ------
        ValueError
            When a word is not in the vocabulary.
        """
        unknown = [word for word in words if word not in self.places]
        if unknown:
            raise ValueError(
                f"expected words of the vocabulary ({len(self)} words), "
                f"got {unknown[0]!r}"
            )
        return [self.places[word] for word in words]

    def words(self, numbers: Sequence[int]) -> list[str]:
        """Give the words up to END."""
        numbers = list(numbers)
        if END in numbers:
            numbers = numbers[: numbers.index(END)]
        return [self.texts[number] for number in numbers]


class Memory(NamedTuple):
    """What the decoder can read of a sentence."""

    values: Float[torch.Tensor, "batch n_in hidden"]
    keys: Float[torch.Tensor, "batch n_in d"]
    allowed: Bool[torch.Tensor, "batch 1 n_in"]
    summary: Float[torch.Tensor, "batch hidden"]


class Translator(nn.Module):
    """A GRU encoder read by a GRU decoder.

    Parameters
    ----------
    n_in, n_out
        Sizes of the two vocabularies.
    score
        "fixed" is the fixed vector; "blind" has zeros in its place, so the
        decoder never learns what was said. "additive", "dot" and "general"
        are the scores of attention.
    looks
        "before" the step, with the state that has not yet read the last
        word (Bahdanau et al. 2015), or "after" it (Luong et al. 2015). The
        default is that of the score's paper.
    hidden, embedding
        Length of a state, and of a word's vector. `hidden` is even: half of
        it reads from left to right, half from right to left.
    seed
        Of the first weights.

    Raises
    ------
    ValueError
        When `score`, `looks` or `hidden` is none of these.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        score: str = "additive",
        looks: str | None = None,
        hidden: int = 64,
        embedding: int = 64,
        seed: int = 0,
    ):
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"expected score in {SCORES}, got {score!r}")
        if looks is None:
            looks = "before" if score == "additive" else "after"
        if looks not in ("before", "after"):
            raise ValueError(
                f"expected looks to be 'before' or 'after', got {looks!r}"
            )
        if hidden % 2:
            raise ValueError(f"expected an even hidden, got {hidden}")
        self.score, self.looks, self.hidden = score, looks, hidden
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._make(n_in, n_out, embedding)

    def _make(self, n_in: int, n_out: int, embedding: int) -> None:
        """Make all that is learned."""
        hidden = self.hidden
        self.embed_in = nn.Embedding(n_in, embedding)
        self.embed_out = nn.Embedding(n_out, embedding)
        self.encoder = nn.GRU(
            embedding, hidden // 2, batch_first=True, bidirectional=True
        )
        self.start = nn.Linear(hidden, hidden)
        # Looking after the step, the recurrence itself never sees a context.
        fixed = self.score in ("fixed", "blind")
        reads = fixed or self.looks == "before"
        self.decoder = nn.GRU(
            embedding + (hidden if reads else 0), hidden, batch_first=True
        )
        self.readout = nn.Linear(2 * hidden, embedding)
        self.output = nn.Linear(embedding, n_out)
        if self.score == "additive":
            self.w_query = nn.Linear(hidden, hidden // 2, bias=False)
            self.w_key = nn.Linear(hidden, hidden // 2, bias=False)
            self.v = nn.Linear(hidden // 2, 1, bias=False)
        if self.score == "general":
            self.w_key = nn.Linear(hidden, hidden, bias=False)

    def encode(self, source: Int[torch.Tensor, "batch n_in"]) -> Memory:
        """Read a sentence from both sides; padding is left out."""
        allowed = source != PAD  # (batch, n_in)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed_in(source),  # (batch, n_in, embedding)
            allowed.sum(1),
            batch_first=True,
            enforce_sorted=False,
        )
        states, last = self.encoder(packed)
        values, _ = nn.utils.rnn.pad_packed_sequence(
            states, batch_first=True, total_length=source.shape[1]
        )  # (batch, n_in, hidden)
        # One end from each direction: all that the fixed vector will hold.
        summary = torch.cat([last[0], last[1]], dim=-1)  # (batch, hidden)
        if self.score == "blind":
            summary = torch.zeros_like(summary)
        # U h is the same for every output word: computed once.
        projected = self.score in ("additive", "general")
        keys = self.w_key(values) if projected else values
        return Memory(values, keys, allowed[:, None], summary)

    def first_state(
        self, memory: Memory
    ) -> Float[torch.Tensor, "1 batch hidden"]:
        """Give the state that the decoder starts from."""
        return torch.tanh(self.start(memory.summary))[None]

    def look(
        self, query: Float[torch.Tensor, "batch n hidden"], memory: Memory
    ) -> tuple[
        Float[torch.Tensor, "batch n hidden"],
        Float[torch.Tensor, "batch n n_in"],
    ]:
        """Attend: the context vector of each query, and its weights."""
        values, keys, allowed, _ = memory
        if self.score != "additive":
            return attention(
                query, keys, values, mask=allowed, scale=1.0,
                return_weights=True,
            )  # fmt: skip
        # The same as functional.additive_weights, with U h already there.
        asked = self.w_query(query)[:, :, None]  # (batch, n, 1, hidden)
        mixed = torch.tanh(asked + keys[:, None])  # (batch, n, n_in, hidden)
        scores = self.v(mixed).squeeze(-1)  # (batch, n, n_in)
        weights = masked_softmax(scores, allowed)  # (batch, n, n_in)
        return weights @ values, weights

    def decode(
        self,
        previous: Int[torch.Tensor, "batch n"],
        state: Float[torch.Tensor, "1 batch hidden"],
        memory: Memory,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Score the next word at n places, given the words before each.

        Returns
        -------
        logits, state, weights
            `(batch, n, n_out)`, the last state, and `(batch, n, n_in)`, or
            None with the fixed vector.
        """
        words = self.embed_out(previous)  # (batch, n, embedding)
        if self.score in ("fixed", "blind"):
            context = memory.summary[:, None].expand(-1, words.shape[1], -1)
            states, state = self.decoder(
                torch.cat([words, context], dim=-1), state
            )  # (batch, n, hidden)
            weights = None
        elif self.looks == "after":
            states, state = self.decoder(words, state)  # (batch, n, hidden)
            context, weights = self.look(states, memory)
        else:
            states, context, weights, state = self._look_before(
                words, state, memory
            )
        read = torch.cat([states, context], dim=-1)  # (batch, n, 2 hidden)
        logits = self.output(torch.tanh(self.readout(read)))
        return logits, state, weights  # (batch, n, n_out)

    def _look_before(
        self, words: torch.Tensor, state: torch.Tensor, memory: Memory
    ) -> tuple[torch.Tensor, ...]:
        """Go word by word: look, mix, then take the step."""
        steps = []
        for i in range(words.shape[1]):
            context, weights = self.look(state.transpose(0, 1), memory)
            step = torch.cat([words[:, i : i + 1], context], dim=-1)
            states, state = self.decoder(step, state)  # (batch, 1, hidden)
            steps.append((states, context, weights))
        return *(torch.cat(x, dim=1) for x in zip(*steps, strict=True)), state

    def forward(
        self,
        source: Int[torch.Tensor, "batch n_in"],
        previous: Int[torch.Tensor, "batch n"],
    ) -> Float[torch.Tensor, "batch n n_out"]:
        """Score each word, given the right words before it (for training)."""
        memory = self.encode(source)
        return self.decode(previous, self.first_state(memory), memory)[0]

    @torch.no_grad()
    def greedy(
        self, source: Int[torch.Tensor, "batch n_in"], *, longest: int = 60
    ) -> tuple[
        Int[torch.Tensor, "batch n"],
        Float[torch.Tensor, "batch n n_in"] | None,
    ]:
        """Translate: take the best word, feed it back, stop at END.

        Returns
        -------
        words, weights
            What stands after END is PAD. The weights are those with which
            each word was chosen.
        """
        memory = self.encode(source)
        state = self.first_state(memory)
        word = torch.full((len(source), 1), START)
        done = torch.zeros(len(source), 1, dtype=torch.bool)
        words, looks = [], []
        for _ in range(longest):
            logits, state, weights = self.decode(word, state, memory)
            word = logits.argmax(-1).masked_fill(done, PAD)  # (batch, 1)
            words.append(word)
            looks.append(weights)
            done = done | (word == END)
            if done.all():
                break
        joined = None if weights is None else torch.cat(looks, dim=1)
        return torch.cat(words, dim=1), joined  # (batch, n)


# Data, training, measuring


class Batch(NamedTuple):
    """Sentences as numbers; `previous` is the target, one place later."""

    source: Int[torch.Tensor, "batch n_in"]
    previous: Int[torch.Tensor, "batch n_out"]
    target: Int[torch.Tensor, "batch n_out"]


class Batches:
    """Pairs of sentences as batches of numbers.

    Parameters
    ----------
    pairs
        Source words and target words of each sentence.
    source, target
        The vocabularies.
    """

    # Sentences of nearly equal length are put together: less padding.
    POOL = 20

    def __init__(
        self,
        pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
        source: Vocabulary,
        target: Vocabulary,
    ):
        self.sources = [torch.tensor(source.numbers(s)) for s, _ in pairs]
        self.targets = [
            torch.tensor([*target.numbers(t), END]) for _, t in pairs
        ]

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, places: Iterable[int]) -> Batch:
        """Put these sentences together, filled up with padding."""
        places = list(places)
        fill = nn.utils.rnn.pad_sequence
        source = fill(
            [self.sources[i] for i in places],
            batch_first=True,
            padding_value=PAD,
        )
        target = fill(
            [self.targets[i] for i in places],
            batch_first=True,
            padding_value=PAD,
        )
        start = torch.full((len(places), 1), START)
        return Batch(source, torch.cat([start, target[:, :-1]], 1), target)

    def shuffled(
        self, size: int, generator: torch.Generator
    ) -> Iterator[Batch]:
        """Go through all sentences again and again, in random batches."""
        while True:
            order = torch.randperm(len(self), generator=generator).tolist()
            for first in range(0, len(order), self.POOL * size):
                pool = order[first : first + self.POOL * size]
                # Whole batches; what is left over waits for the next round.
                pool = pool[: max(size, len(pool) - len(pool) % size)]
                pool.sort(key=lambda i: len(self.sources[i]))
                cuts = range(0, len(pool), size)
                for i in torch.randperm(len(cuts), generator=generator):
                    yield self.take(pool[cuts[i] : cuts[i] + size])


def train(
    model: Translator,
    batches: Batches,
    *,
    steps: int,
    size: int = 32,
    learning_rate: float = 5e-3,
    seed: int = 0,
    progress: bool = True,
) -> list[float]:
    """Train in place with cross-entropy, Adam and clipped gradients.

    Parameters
    ----------
    model, batches
        What learns, and from what.
    steps, size
        How many batches, and how many sentences in each.
    learning_rate
        At the first step; it falls in a straight line to zero.
    seed
        Of the order of the sentences.
    progress
        Print the loss ten times.

    Returns
    -------
    list of float
        The loss of each step, in nats a word.
    """
    generator = torch.Generator().manual_seed(seed)
    update = torch.optim.Adam(model.parameters(), lr=learning_rate)
    fall = torch.optim.lr_scheduler.LinearLR(update, 1.0, 0.0, steps)
    losses: list[float] = []
    started = time.perf_counter()
    for batch in islice(batches.shuffled(size, generator), steps):
        logits = model(batch.source, batch.previous)  # (batch, n, n_out)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), batch.target.flatten(), ignore_index=PAD
        )
        update.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        update.step()
        fall.step()
        losses.append(loss.item())
        step = len(losses)
        if progress and (step % -(-steps // 10) == 0 or step == steps):
            left = (time.perf_counter() - started) / step * (steps - step)
            print(
                f"step {step}/{steps}, loss {losses[-1]:.3f}, "
                f"{left:.0f} s left",
                flush=True,
            )
    return losses


def evaluate(model: Translator, batch: Batch) -> dict[str, float]:
    """Translate greedily and compare with the references.

    Returns
    -------
    dict
        `token`: share of the reference's words (its end included) that
        stand at the same place in the translation. `sentence`: share of
        sentences without a mistake.
    """
    longest = batch.target.shape[1]
    words, _ = model.greedy(batch.source, longest=longest)
    missing = longest - words.shape[1]
    words = nn.functional.pad(words, (0, missing), value=PAD)
    counts = batch.target != PAD  # (batch, n)
    same = (words == batch.target) & counts  # (batch, n)
    return {
        "token": (same.sum() / counts.sum()).item(),
        "sentence": (same.sum(1) == counts.sum(1)).float().mean().item(),
    }


def count_parameters(model: nn.Module) -> int:
    """Count the numbers that training can change."""
    return sum(p.numel() for p in model.parameters())


def match_parameters(like: Translator, **settings: Any) -> Translator:
    """Make a model of another kind with about as many parameters.

    Its hidden size is the even number that comes closest. `settings` are
    those of `Translator` but for `hidden`.
    """
    wanted = count_parameters(like)

    def off(hidden: int) -> int:
        made = Translator(hidden=hidden, **settings)
        return abs(count_parameters(made) - wanted)

    near = range(2 * (like.hidden // 3), 2 * like.hidden, 2)
    return Translator(hidden=min(near, key=off), **settings)


def as_large_as_bahdanaus(
    *, hidden: int, score: str, looks: str | None = None, **settings: Any
) -> Translator:
    """Make a model with as many parameters as Bahdanau's of size `hidden`.

    Other settings are those of `Translator`.
    """
    like = Translator(hidden=hidden, **settings)
    kind = {"score": score, "looks": looks}
    if score == like.score and looks in (None, like.looks):
        return like
    return match_parameters(like, **kind, **settings)
