"""Exercise 4.2: attention between words, from that of their pieces."""

import numpy as np

from attn_course.exercises.cases import Case, hard, sized, weights
from attn_course.exercises.core import Exercise

# What a case is called, and the word of each token.
SENTENCES = {
    "each word is one token": [0, 1],
    "one word of two pieces": [0, 0],
    "the second word in pieces": [0, 1, 1],
    "special tokens around": [None, 0, 1, None],
    "pieces and special tokens": [None, 0, 1, 1, 1, 2, None],
    "two words in pieces": [0, 0, 1, 1, 1],
    "a special token in the middle": [0, 0, None, 1, 2, 2],
    "long words": [None, 0, 0, 0, 0, 1, 2, 2, 2, None],
}


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give weights whose rows sum to 1, and the words of the tokens."""
    cases = [
        Case(name, (weights(rng, len(words), len(words)), words))
        for name, words in SENTENCES.items()
    ]
    return cases + sized(rng, _draw, to_ints=hard)


def _draw(rng, batch, n):
    """Draw weights; words of two pieces, after a special token."""
    words = [0] if n == 1 else [None, *[i // 2 for i in range(n - 1)]]
    return weights(rng, *batch, n, n), words


EXERCISE = Exercise(
    id="4.2",
    title="From word pieces to words",
    statement="""\
Write `word_attention(weights, words)`: how much each word looks at each word,
when the model cuts words into pieces.

- `weights` has shape `(..., n, n)`: row i says how token i looks at all n.
- `words` is a list with the number of each token's word, counted from 0, and
  None for special tokens such as [CLS]: `[None, 0, 1, 1, None]`.
- To look at a word is to look at any of its pieces: add them up. A word looks
  as its pieces do on average: take their mean.
- Return `(..., n_words, n_words)`, without the special tokens. What goes to
  these is missing then, so the rows need not sum to 1.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Do one axis after the other: first join the columns that belong to "
        "a word, then the rows.",
        "A boolean array says which tokens belong to word k; None equals no "
        "number. It picks the columns to sum, and the rows to average.",
        "All words at once: a matrix `(n_words, n)` of ones and zeros, a row "
        "for each word. Multiplied on the one side it sums; on the other it "
        "sums too, so divide by how many pieces the word has.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def word_attention(weights, words):
    """Join pieces: sum over those looked at, mean over those that look.

    weights (..., n, n), words (n numbers or None) → (..., n_words, n_words)
    """
    n_words = 1 + max(word for word in words if word is not None)
    rows = [[word == k for word in words] for k in range(n_words)]
    pieces = np.array(rows, dtype=float)  # (n_words, n)
    to_words = weights @ pieces.T  # (..., n, n_words)
    return pieces @ to_words / pieces.sum(axis=1, keepdims=True)


def _places(words):
    """Give the places of each word's pieces."""
    n_words = 1 + max(word for word in words if word is not None)
    return [
        [i for i, word in enumerate(words) if word == k]
        for k in range(n_words)
    ]


def _joined(weights, places, of_queries, of_keys):
    """Join the keys of each word, then its queries."""
    columns = [of_keys(weights[..., place], -1) for place in places]
    to_words = np.stack(columns, axis=-1)  # (..., n, n_words)
    rows = [of_queries(to_words[..., place, :], -2) for place in places]
    return np.stack(rows, axis=-2)


# Right in other words


@EXERCISE.is_right
def with_places(weights, words):
    """Collect the places of each word's pieces."""
    return _joined(weights, _places(words), np.mean, np.sum)


@EXERCISE.is_right
def rows_first(weights, words):
    """Average the rows before the columns are added up."""
    places = _places(words)
    rows = [weights[..., place, :].mean(axis=-2) for place in places]
    from_words = np.stack(rows, axis=-2)
    columns = [from_words[..., place].sum(axis=-1) for place in places]
    return np.stack(columns, axis=-1)


@EXERCISE.is_right
def with_loops(weights, words):
    """Add each pair of tokens to its pair of words."""
    n_words = len({word for word in words if word is not None})
    result = np.zeros((*weights.shape[:-2], n_words, n_words))
    for i, query in enumerate(words):
        for j, key in enumerate(words):
            if query is not None and key is not None:
                share = weights[..., i, j] / words.count(query)
                result[..., query, key] += share
    return result


# Sums and means

EXERCISE.edits(
    """
mean_over_both: You averaged over the pieces of the key too: add those up.
    → _joined(weights, _places(words), np.mean, np.mean)
sum_over_both: You added up the pieces of the query too: take their mean.
    → _joined(weights, _places(words), np.sum, np.sum)
sum_and_mean_exchanged: You exchanged them: sum over the keys' pieces, mean
        over queries'.
    → _joined(weights, _places(words), np.sum, np.mean)
largest_key_piece: You took the largest weight among a key's pieces: add them
        up.
    → _joined(weights, _places(words), np.mean, np.max)
largest_of_both: You took the largest weight of each block: sum, then mean.
    → _joined(weights, _places(words), np.max, np.max)
rows_made_to_sum_to_one: You made the rows sum to 1: what special tokens took
        is missing.
    pieces.sum(axis=1, keepdims=True) → (pieces @ to_words).sum(-1)[..., None]
    """
)


@EXERCISE.is_wrong
def special_tokens_left_out_first(weights, words):
    """You gave the special tokens' share to the words: leave it out."""
    real = [i for i, word in enumerate(words) if word is not None]
    rest = weights[..., real, :][..., real]
    rest = rest / rest.sum(axis=-1, keepdims=True)
    return word_attention(rest, [words[i] for i in real])


# Pieces left out

EXERCISE.edits(
    """
first_piece_only: You took each word's first piece alone: use all of them.
    float)  # → float); pieces *= pieces.cumsum(axis=1) == 1  #
last_piece_only: You took each word's last piece alone: use all of them.
    float)  # → float); pieces *= pieces[:, ::-1].cumsum(1)[:, ::-1] == 1  #
first_piece_of_queries: You let a word's first piece look alone: take the mean
        of all.
    → _joined(weights, _places(words), lambda x, axis: x[..., 0, :], np.sum)
last_piece_of_queries: You let a word's last piece look alone: take the mean of
        all.
    → _joined(weights, _places(words), lambda x, axis: x[..., -1, :], np.sum)
first_piece_of_keys: You counted a key's first piece alone: add up all its
        pieces.
    → _joined(weights, _places(words), np.mean, lambda x, axis: x[..., 0])
    """
)


# Special tokens


@EXERCISE.is_wrong
def special_tokens_kept(weights, words):
    """You kept the special tokens: None belongs to no word."""
    places, last = [], None
    for i, word in enumerate(words):
        if word is not None and word == last:
            places[-1].append(i)
        else:
            places.append([i])
        last = word
    return _joined(weights, places, np.mean, np.sum)


EXERCISE.edits(
    """
special_tokens_are_word_zero: You put the special tokens into word 0: None is
        no number.
    → word_attention(weights, [word or 0 for word in words])
special_tokens_are_the_last_word: You put the special tokens into the last
        word: None is not −1.
    [[word == k → [[k == (n_words - 1 if word is None else word)
    """
)


# The shape

EXERCISE.edits(
    """
queries_not_joined: You joined the columns alone: the rows are word pieces
        still.
    pieces @ to_words / pieces.sum(axis=1, keepdims=True) → to_words
keys_not_joined: You joined the rows alone: the columns are word pieces still.
    to_words = weights @ pieces.T → to_words = weights
transposed: Your rows are the words looked at: they should be those that look.
    → np.swapaxes(word_attention(weights, words), -1, -2)
    """
)


@EXERCISE.is_wrong
def two_dimensional_only(weights, words):
    """Right for one head: index with `...` so that other axes may lead."""
    places = _places(words)
    result = np.zeros((len(places), len(places)))
    for a, query in enumerate(places):
        for b, key in enumerate(places):
            block = weights[np.ix_(query, key)]
            result[a, b] = block.sum() / len(query)
    return result
