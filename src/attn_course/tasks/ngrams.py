"""The next letter from counts: what stood after the letters before.

No training and no vectors. The measure for any language model of letters.
"""

import math
from collections import Counter, defaultdict

from attn_course.masks import check_count

__all__ = ["Ngrams"]


class Ngrams:
    """Counts of each letter after up to `before` letters.

    A longer context speaks as often as it has been seen and yields to the
    shorter one as often as something new came after it (Witten and Bell
    1991, method C): p_n = (count + kinds · p_{n−1}) / (total + kinds). Below
    the empty context stand equal chances.

    Parameters
    ----------
    text
        What to count.
    before
        How many letters of context at most.

    Raises
    ------
    ValueError
        When the text is empty, or `before` is no count.

    Examples
    --------
    >>> counts = Ngrams("abababab", before=1)
    >>> round(counts.chance("a", "b"), 2), round(counts.chance("a", "a"), 2)
    (0.9, 0.1)
    """

    def __init__(self, text: str, before: int):
        check_count("before", before)
        if not text:
            raise ValueError("expected a text to count, got an empty one")
        self.before = before
        self.letters = sorted(set(text))
        self._after: list[dict[str, Counter]] = []
        for n in range(before + 1):
            after: dict[str, Counter] = defaultdict(Counter)
            for i in range(n, len(text)):
                after[text[i - n : i]][text[i]] += 1
            self._after.append(dict(after))

    @property
    def contexts(self) -> int:
        """Say how many contexts were counted, of all lengths.

        >>> Ngrams("abab", before=1).contexts  # the empty one, a and b
        3
        """
        return sum(len(after) for after in self._after)

    def chance(self, context: str, letter: str) -> float:
        """Give the probability of a letter after a context."""
        p = 1 / len(self.letters)
        for n in range(min(self.before, len(context)) + 1):
            seen = self._after[n].get(context[len(context) - n :])
            if seen is None:
                break
            kinds, total = len(seen), seen.total()
            p = (seen[letter] + kinds * p) / (total + kinds)
        return p

    def bits(self, text: str) -> float:
        """Measure the mean bits for a letter of a text.

        Raises
        ------
        ValueError
            When a letter was never counted.
        """
        unknown = set(text) - set(self.letters)
        if unknown:
            raise ValueError(
                f"expected letters of the counted text, got {sorted(unknown)}"
            )
        chances = (
            self.chance(text[max(0, i - self.before) : i], text[i])
            for i in range(len(text))
        )
        return -sum(math.log2(p) for p in chances) / len(text)
