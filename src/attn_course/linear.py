"""Linear attention: no softmax, so the sums can be taken in any order.

    output_i = φ(q_i) Σ_j φ(k_j)ᵀ v_j  /  φ(q_i) Σ_j φ(k_j)ᵀ

(Katharopoulos et al. 2020, equations 4 and 5), for NumPy arrays and torch
tensors alike. The two sums don't contain q: a causal model can carry them
from token to token, and they never grow.
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device
from jaxtyping import Float

from attn_course.masks import band

__all__ = [
    "LinearState",
    "features",
    "linear_attention",
    "linear_step",
    "read_linearly",
]


class LinearState(NamedTuple):
    """All that linear attention keeps of the tokens so far.

    `memory`, `(..., d_k, d_v)`, sums φ(k)ᵀ v; `total`, `(..., d_k)`, sums
    φ(k).
    """

    memory: Any
    total: Any

    @property
    def size(self) -> int:
        """Count the numbers of one head: the same at any length.

        >>> import numpy as np
        >>> LinearState(np.zeros((4, 8)), np.zeros(4)).size
        36
        """
        d_k, d_v = self.memory.shape[-2:]
        return d_k * d_v + d_k


def features(x: Float[Any, "..."]) -> Float[Any, "..."]:
    """Make every number positive: elu(x) + 1.

    Katharopoulos et al. 2020, equation 7: x + 1 from 0 on, exp(x) below.

    Examples
    --------
    >>> import numpy as np
    >>> features(np.array([-1.0, 0.0, 2.0])).round(3)
    array([0.368, 1.   , 3.   ])
    """
    xp = array_namespace(x)
    # The exponent stays at most 0: no overflow where it is not used.
    below = xp.exp(xp.where(x < 0, x, 0.0))
    return xp.where(x < 0, below, x + 1.0)


def linear_attention(
    query: Float[Any, "... n_q d_k"],
    key: Float[Any, "... n_k d_k"],
    value: Float[Any, "... n_k d_v"],
    *,
    causal: bool = False,
) -> Float[Any, "... n_q d_v"]:
    """Mix the values, each key weighing φ(q)·φ(k): all tokens at once.

    Without a mask the brackets are moved, so that no n × n array is made and
    the work grows with n. With `causal` the weights are made, masked and
    normalised: the parallel form, for training.

    Examples
    --------
    A query of zeros has equal features, so keys count by their sum:

    >>> import numpy as np
    >>> key, value = np.array([[0.0], [2.0]]), np.array([[10.0], [20.0]])
    >>> linear_attention(np.zeros((2, 1)), key, value)  # weights 1 : 3
    array([[17.5],
           [17.5]])
    >>> linear_attention(np.zeros((2, 1)), key, value, causal=True)
    array([[10. ],
           [17.5]])
    """
    xp = array_namespace(query, key, value)
    q, k = features(query), features(key)
    if not causal:
        memory = xp.matmul(xp.matrix_transpose(k), value)  # (..., d_k, d_v)
        total = xp.sum(k, axis=-2)  # (..., d_k)
        return _read(q, LinearState(memory, total))
    n_q, n_k = q.shape[-2], k.shape[-2]
    seen = band(n_q, n_k, right=0, xp=xp, device=device(query))
    weights = xp.matmul(q, xp.matrix_transpose(k))  # (..., n_q, n_k)
    weights = xp.where(seen, weights, 0.0)
    share = weights / xp.sum(weights, axis=-1, keepdims=True)
    return xp.matmul(share, value)  # (..., n_q, d_v)


def linear_step(
    query: Float[Any, "... d_k"],
    key: Float[Any, "... d_k"],
    value: Float[Any, "... d_v"],
    state: LinearState | None = None,
) -> tuple[Float[Any, "... d_v"], LinearState]:
    """Read one more token: add its key and value, then answer its query.

    Katharopoulos et al. 2020, equations 18 to 20: a recurrent network whose
    state is a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> first, state = linear_step(np.zeros(1), np.zeros(1), np.array([10.0]))
    >>> linear_step(np.zeros(1), np.full(1, 2.0), np.array([20.0]), state)[0]
    array([17.5])
    """
    q, k = features(query), features(key)
    memory = k[..., :, None] * value[..., None, :]  # (..., d_k, d_v)
    if state is not None:
        memory, k = state.memory + memory, state.total + k
    state = LinearState(memory, k)
    return _read(q[..., None, :], state)[..., 0, :], state


def read_linearly(
    query: Float[Any, "... n d_k"],
    key: Float[Any, "... n d_k"],
    value: Float[Any, "... n d_v"],
) -> tuple[Float[Any, "... n d_v"], LinearState]:
    """Read tokens one after the other: the recurrent form.

    Gives the outputs of `linear_attention(..., causal=True)`, and the state
    after the last token.

    Raises
    ------
    ValueError
        When there is no token.
    """
    xp = array_namespace(query, key, value)
    if query.shape[-2] == 0:
        raise ValueError("expected at least one token, got none")
    state, outputs = None, []
    for t in range(query.shape[-2]):
        token = (x[..., t, :] for x in (query, key, value))
        output, state = linear_step(*token, state)  # pyright: ignore[reportCallIssue]
        outputs.append(output)
    return xp.stack(outputs, axis=-2), state  # pyright: ignore[reportReturnType]


def _read(q: Any, state: LinearState) -> Any:
    """Answer queries, (..., n, d_k), from what is kept."""
    xp = array_namespace(q)
    total = xp.matmul(q, state.total[..., :, None])  # (..., n, 1)
    return xp.matmul(q, state.memory) / total  # (..., n, d_v)
