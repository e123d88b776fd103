"""What the answers of several exercises are made of."""

from collections.abc import Callable, Iterator

import numpy as np

__all__ = ["hidden_too_little", "named", "softmax", "swap"]


def named(name: str, sentence: str, answer: Callable) -> Callable:
    """Give an answer the name and the sentence of a mistake."""
    answer.__name__, answer.__doc__ = name, sentence
    return answer


def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """Turn numbers into shares that sum to 1 along an axis."""
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    return shares / shares.sum(axis=axis, keepdims=True)


def swap(x: np.ndarray) -> np.ndarray:
    """Transpose the last two axes: (..., n, d) to (..., d, n)."""
    return np.swapaxes(x, -1, -2)


def hidden_too_little() -> Iterator[tuple[str, str, Callable]]:
    """Give mistakes with masks: a name, a sentence, and what weighs.

    What weighs takes scores and a mask of the same shape.
    """
    for word, score, said in [
        ("a_hundred", -100.0, "−100"),
        ("ten_thousand", -1e4, "−1e4"),
        ("a_billion", -1e9, "−1e9"),
    ]:
        yield (
            f"score_of_minus_{word}",
            f"You gave what is hidden the score {said} or so: a real score "
            "may be lower.",
            _hidden_by(score),
        )
        yield (
            f"minus_{word}_added",
            f"You added {said} or so to hidden scores: a high one is still "
            "seen.",
            _hidden_by(score, added=True),
        )
        yield (
            f"score_of_minus_{word}_then_emptied",
            f"You emptied what is hidden after the softmax: at {said} or so "
            "it took a share where real scores are lower.",
            _hidden_by(score, emptied=True),
        )
        yield (
            f"minus_{word}_added_then_emptied",
            f"You emptied what is hidden after the softmax: with {said} or so "
            "added, a high score still took its share.",
            _hidden_by(score, added=True, emptied=True),
        )


def _hidden_by(
    score: float, *, added: bool = False, emptied: bool = False
) -> Callable:
    """Make a softmax that hides with a score which is not low enough."""

    def weigh(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
        scores = scores.astype(np.float64)
        hidden = scores + score if added else score
        weights = softmax(np.where(mask, scores, hidden))
        return np.where(mask, weights, 0.0) if emptied else weights

    return weigh
