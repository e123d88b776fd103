"""What a language model keeps of the tokens it has read: keys and values.

A causal layer never changes what it made of an earlier token, so its keys
and values can be kept, and a new token needs only its own.
"""

from typing import Any

from array_api_compat import array_namespace
from jaxtyping import Float

__all__ = ["KVCache"]


class KVCache:
    """The keys and values of one layer, for NumPy arrays or torch tensors.

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
        self.key: Any = None
        self.value: Any = None

    @property
    def length(self) -> int:
        """The number of tokens kept."""
        return 0 if self.key is None else self.key.shape[-2]

    @property
    def n_bytes(self) -> int:
        """The memory of the arrays kept, in bytes."""
        kept = [x for x in (self.key, self.value) if x is not None]
        return sum(x.nbytes for x in kept)

    def add(
        self,
        key: Float[Any, "... kv_heads new d_k"],
        value: Float[Any, "... kv_heads new d_v"],
    ) -> tuple[Float[Any, "... kv_heads n d_k"], Float[Any, "..."]]:
        """Keep the keys and values of new tokens; give all there are.

        Raises
        ------
        ValueError
            When shapes do not fit those kept, or one another.
        """
        if key.shape[:-1] != value.shape[:-1]:
            raise ValueError(
                "expected a value for each key, got key.shape="
                f"{tuple(key.shape)}, value.shape={tuple(value.shape)}"
            )
        # Both before either is kept: a refused value must leave no key.
        keys = _join("key", self.key, key)
        values = _join("value", self.value, value)
        self.key, self.value = keys, values
        return keys, values


def _join(name: str, kept: Any, new: Any) -> Any:
    """Put new tokens after those kept."""
    if kept is None:
        return new
    *axes, _, d = kept.shape
    if [*new.shape[:-2], new.shape[-1]] != [*axes, d]:
        raise ValueError(
            f"expected {name} of shape {(*axes, 'new', d)} to follow what is "
            f"kept, got {tuple(new.shape)}"
        )
    return array_namespace(kept, new).concat([kept, new], axis=-2)
