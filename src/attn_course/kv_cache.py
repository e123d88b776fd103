"""What a language model keeps of the tokens it has read: keys and values.

A causal layer never changes what it made of an earlier token, so its keys
and values can be kept, and a new token needs only its own.
"""

from typing import Any

from array_api_compat import array_namespace, device
from jaxtyping import Float

from attn_course.arrays import check_plain, library

__all__ = ["KVCache"]

# So many new tokens wait before they are joined to the text before them.
MOST_WAITING = 64


class KVCache:
    """The keys and values of one layer, for NumPy arrays or torch tensors.

    What is kept belongs to the cache: arrays are copied as they come in, and
    those that come out are the caller's own.

    Attributes
    ----------
    key, value
        All so far, `(..., kv_heads, n, d)`; None while empty.

    Examples
    --------
    >>> import numpy as np
    >>> cache, token = KVCache(), np.zeros((2, 1, 4))  # 2 heads, d_head 4
    >>> for _ in range(3):
    ...     keys, values = cache.add(token, token)
    >>> keys.shape, cache.length, cache.n_bytes
    ((2, 3, 4), 3, 384)
    """

    def __init__(self) -> None:
        # At most two parts: the text, and the tokens that wait.
        self._keys: list[Any] = []
        self._values: list[Any] = []

    @property
    def key(self) -> Any:
        """All keys so far, `(..., kv_heads, n, d_k)`; None while empty."""
        return _join(self._keys) if self._keys else None

    @property
    def value(self) -> Any:
        """All values so far, `(..., kv_heads, n, d_v)`; None while empty."""
        return _join(self._values) if self._values else None

    @property
    def length(self) -> int:
        """The number of tokens kept."""
        return sum(part.shape[-2] for part in self._keys)

    @property
    def n_bytes(self) -> int:
        """The memory of the arrays kept, in bytes."""
        return sum(part.nbytes for part in (*self._keys, *self._values))

    def add(
        self,
        key: Float[Any, "... kv_heads new d_k"],
        value: Float[Any, "... kv_heads new d_v"],
    ) -> tuple[Float[Any, "... kv_heads n d_k"], Float[Any, "..."]]:
        """Keep the keys and values of new tokens; give all there are.

        Raises
        ------
        ValueError
            When shapes, dtypes or libraries do not fit those kept, or one
            another.
        """
        _check("key", key, self._keys)
        _check("value", value, self._values)
        if key.shape[:-1] != value.shape[:-1]:
            raise ValueError(
                "expected a value for each key, got key.shape="
                f"{tuple(key.shape)}, value.shape={tuple(value.shape)}"
            )
        _check_like("value", value, key, "match key")
        # Both before either is kept: a refused value must leave no key.
        keys = _followed(self._keys, key)
        values = _followed(self._values, value)
        self._keys, self._values = keys, values
        return self.key, self.value


def _check(name: str, new: Any, kept: list[Any]) -> None:
    """Check new tokens, and that they can follow those kept."""
    check_plain(name, new)
    if new.ndim < 2:
        raise ValueError(
            f"expected {name} with at least 2 dimensions, got {new.ndim} "
            f"({name}.shape={tuple(new.shape)})"
        )
    if not kept:
        return
    *axes, _, d = kept[0].shape
    if [*new.shape[:-2], new.shape[-1]] != [*axes, d]:
        raise ValueError(
            f"expected {name} of shape {(*axes, 'new', d)} to follow what is "
            f"kept, got {tuple(new.shape)}"
        )
    _check_like(name, new, kept[0], "follow what is kept")


def _check_like(name: str, new: Any, other: Any, purpose: str) -> None:
    """Check that an array is of the library, dtype and device of another."""
    for what, theirs, ours in (
        ("library", library(new), library(other)),
        ("dtype", new.dtype, other.dtype),
        ("device", device(new), device(other)),
    ):
        if theirs != ours:
            raise ValueError(
                f"expected {name} of {what}={ours} to {purpose}, got {theirs}"
            )


def _followed(kept: list[Any], new: Any) -> list[Any]:
    """Put a copy of new tokens after those kept.

    If all were joined to be kept and again to be given, each single token
    would copy a long text twice: so new tokens wait apart from it.
    """
    if len(kept) < 2:
        return [*kept, _join([new])]
    text, waiting = kept
    if waiting.shape[-2] < MOST_WAITING:
        return [text, _join([waiting, new])]
    return [_join(kept), _join([new])]


def _join(parts: list[Any]) -> Any:
    """Make one new array of some parts of a text."""
    return array_namespace(*parts).concat(parts, axis=-2)
