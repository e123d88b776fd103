"""Recall over a distance: pairs of key and value, noise, then a question.

The question names one of the keys, so a reader that goes word by word has to
carry all pairs along; attention may look back once it knows what is asked
(associative recall, as in Graves et al. 2014, section 4.3).
"""

from copy import deepcopy

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.functional import attention, attention_weights
from attn_course.heads import merge_heads, split_heads
from attn_course.nn.encoder import EncoderLayer
from attn_course.nn.train import Batch
from attn_course.positions import sinusoidal

__all__ = [
    "KEYS",
    "VALUES",
    "WORDS",
    "AttentionReader",
    "RecurrentReader",
    "episodes",
    "reach",
    "say",
]

KEYS, VALUES = 16, 8
# Each key with each value, each value as noise, and a question for each key.
WORDS = KEYS * VALUES + VALUES + KEYS
NAMES = "abcdefghijklmnop"
POSITIONS = ("none", "sinusoidal")
CELLS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}


def episodes(
    batch: int,
    generator: torch.Generator,
    *,
    length: int,
    pairs: int = 4,
    first: bool = False,
) -> Batch:
    """Draw episodes of associative recall, spread over `length` words.

    Some of the 16 keys stand there, each with a value; which keys, which
    values and where is drawn at random. All other words are values without
    a key: noise. The last word asks for the value of one of those keys.

    Parameters
    ----------
    batch, generator
        How many episodes, and where they come from.
    length
        Words before the question, pairs included.
    pairs
        How many keys stand there, each with a value.
    first
        Ask for the pair that stands first of all, `length` words before the
        question. Otherwise any pair is asked for, wherever it stands.

    Returns
    -------
    Batch
        Inputs: words, `(batch, length + 1)`. Targets: the value asked for.

    Raises
    ------
    ValueError
        When `pairs` are more than the keys there are, or than the words.

    Examples
    --------
    >>> drawn = episodes(1, torch.Generator().manual_seed(0), length=6)
    >>> [say(int(word)) for word in drawn.inputs[0][0]]
    ['l=4', 'o=7', 'f=5', 'j=0', '3', '3', 'o?']
    >>> drawn.targets
    tensor([7])
    """
    if not 1 <= pairs <= min(KEYS, length):
        raise ValueError(
            f"expected 1 to {min(KEYS, length)} pairs among {length} words, "
            f"got {pairs}"
        )
    shape = (batch, length)
    values = torch.randint(VALUES, shape, generator=generator)
    chances = torch.rand(shape, generator=generator)
    if first:
        chances[:, 0] = 2.0  # a pair stands first for certain
    places = chances.topk(pairs).indices  # (batch, pairs)
    chances = torch.rand(batch, KEYS, generator=generator)
    names = chances.topk(pairs).indices  # (batch, pairs), all different
    keys = torch.full(shape, KEYS).scatter(1, places, names)
    # topk sorts chances, not places: the first pair stands anywhere, unless
    # its place was given the highest chance.
    asked = names[:, :1]  # (batch, 1)
    question = (KEYS + 1) * VALUES + asked
    words = torch.cat([keys * VALUES + values, question], dim=1)
    targets = values[keys == asked]  # one a row, in order
    return Batch((words,), targets)


def say(word: int) -> str:
    """Write one word: `b=7` a pair, `5` noise, `b?` a question."""
    key, value = divmod(word, VALUES)
    if key > KEYS:
        return f"{NAMES[word - (KEYS + 1) * VALUES]}?"
    return f"{NAMES[key]}={value}" if key < KEYS else f"{value}"


class RecurrentReader(nn.Module):
    """Read word by word; answer from the last state.

    Parameters
    ----------
    cell
        "RNN" (Elman 1990), "GRU" (Cho et al. 2014) or "LSTM" (Hochreiter and
        Schmidhuber 1997).
    d_model, d_h
        Length of the words' vectors, and of the state.
    seed
        Of the first weights, which are torch's own.

    Raises
    ------
    ValueError
        When there is no such cell.
    """

    def __init__(self, cell: str, *, d_model: int, d_h: int, seed: int):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"expected cell in {list(CELLS)}, got {cell!r}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(WORDS, d_model)
            self.cell = CELLS[cell](d_model, d_h, batch_first=True)
            self.output = nn.Linear(d_h, VALUES)

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch values"]:
        """Score every value as the answer to the last word."""
        return self.answer(self.embed(words))

    def answer(
        self, x: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch values"]:
        """Score every value, given the words' vectors."""
        states, _ = self.cell(x)  # (batch, n, d_h)
        return self.output(states[:, -1])


class AttentionReader(nn.Module):
    """A transformer's layer, of which only the last place is computed.

    That is the place of the question: one query, all keys and values. The
    rest of the layer would not change the answer.

    Parameters
    ----------
    positions
        "none" or "sinusoidal": what is added to the words' vectors.
    d_model, heads, d_ff
        As in `EncoderLayer`, which normalises first.
    seed
        Of the first weights.

    Raises
    ------
    ValueError
        When `positions` is neither.
    """

    def __init__(
        self,
        positions: str,
        *,
        d_model: int,
        heads: int,
        d_ff: int,
        seed: int,
    ):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(
                f"expected positions in {list(POSITIONS)}, got {positions!r}"
            )
        self.positions = positions
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(WORDS, d_model)
            self.layer = EncoderLayer(d_model, heads, d_ff, norm_first=True)
            self.norm = nn.LayerNorm(d_model)
            self.output = nn.Linear(d_model, VALUES)

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch values"]:
        """Score every value as the answer to the last word."""
        return self.answer(self.embed(words))

    def answer(
        self, x: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch values"]:
        """Score every value, given the words' vectors without positions."""
        layer, x = self.layer, self._placed(x)
        q, k, v = self._heads(x)
        read = merge_heads(attention(q, k, v))  # (batch, 1, d_model)
        last = x[:, -1:] + layer.output(read)
        wide = nn.functional.gelu(layer.widen(layer.norm_2(last)))
        last = last + layer.narrow(wide)  # (batch, 1, d_model)
        return self.output(self.norm(last[:, 0]))

    @torch.no_grad()
    def weights(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch heads n"]:
        """Give what the question gives to every word, in each head."""
        q, k, _ = self._heads(self._placed(self.embed(words)))
        return attention_weights(q, k)[:, :, 0]

    def _placed(self, x: torch.Tensor) -> torch.Tensor:
        """Add the positions."""
        if self.positions == "none":
            return x
        places = sinusoidal(*x.shape[-2:])  # (n, d_model)
        return x + torch.as_tensor(places, dtype=x.dtype)

    def _heads(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Give the question's queries, and all keys and values."""
        layer = self.layer
        h = layer.norm_1(x)  # (batch, n, d_model)
        return (
            split_heads(layer.query(h[:, -1:]), layer.heads),
            split_heads(layer.key(h), layer.heads),
            split_heads(layer.value(h), layer.heads),
        )


def reach(model: nn.Module, batch: Batch) -> float:
    """Measure how strongly the first word acts on the answer, in float64.

    The norm of the gradient of the right answer's score, before the softmax,
    with respect to the vector of the first word; the median over episodes.
    (The gradient of the loss would fade wherever all is learned.) float32
    would end at 1e-45, which a plain RNN passes within 512 words.
    """
    precise = deepcopy(model).double()
    (words,), targets = batch
    x = precise.embed(words).detach().requires_grad_()
    scores = precise.answer(x)  # (batch, values)
    # Episodes do not meet: the gradient of the sum holds each one's own.
    scores.gather(1, targets[:, None]).sum().backward()
    return x.grad[:, 0].norm(dim=-1).median().item()
