"""Regression by looking at similar cases: attention, fifty years earlier.

Nadaraya (1964) and Watson (1964) predict y at a new x as an average of the
known y, each weighted by how near its x is. The new x is a query, the known
x are keys, the known y are values.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from attn_course.functional import attention
from attn_course.optional import need

__all__ = [
    "Learned",
    "kernel_regression",
    "learn_attention",
    "leave_one_out_error",
    "on_circle",
    "root_mean_square",
]


def kernel_regression(
    x_query: Float[np.ndarray, " n_q"],
    x: Float[np.ndarray, " n_k"],
    y: Float[np.ndarray, " n_k"],
    bandwidth: float,
    *,
    mask: Bool[np.ndarray, "n_q n_k"] | None = None,
) -> Float[np.ndarray, " n_q"]:
    """Predict y at each query as an average over what is near.

    The Gaussian kernel gives weights proportional to
    exp(−(x_query − x)² / 2h²). Multiplied out, the exponent is

        x_query · x / h²  −  x² / 2h²  −  x_query² / 2h²:

    a dot product with scale 1/h², a bias for each key, and a term that is
    the same for all keys, which the softmax takes out. So this is
    `attention`, with queries and keys of size 1.

    Parameters
    ----------
    x_query
        Where to predict, shape `(n_q,)`.
    x, y
        What is known, both of shape `(n_k,)`.
    bandwidth
        h: how far the kernel reaches, in units of x.
    mask
        True means "may look", as in `attention`.

    Raises
    ------
    ValueError
        When the shapes do not fit or the bandwidth is not above 0.

    Examples
    --------
    >>> x, y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 20.0])
    >>> kernel_regression(np.array([1.0, 1.9]), x, y, 0.5).round(2)
    array([10.  , 18.31])
    """
    if not bandwidth > 0:
        raise ValueError(f"expected bandwidth above 0, got {bandwidth}")
    if x.ndim != 1 or y.shape != x.shape or x_query.ndim != 1:
        raise ValueError(
            "expected x_query, x and y in one dimension, x and y equally "
            f"long, got {x_query.shape}, {x.shape} and {y.shape}"
        )
    # A common shift changes no distance, and smaller numbers round less.
    middle = x.mean()
    query, key = (x_query - middle)[:, None], (x - middle)[:, None]
    scale = bandwidth**-2.0
    output = attention(
        query,  # (n_q, 1)
        key,  # (n_k, 1)
        y[:, None],  # (n_k, 1)
        scale=scale,
        bias=-scale * key.T**2 / 2,  # (1, n_k)
        mask=mask,
    )
    return output[:, 0]  # pyright: ignore[reportArgumentType, reportCallIssue]


def leave_one_out_error(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    bandwidth: float,
    groups: Shaped[np.ndarray, " n"] | None = None,
) -> float:
    """Predict each point from all others; give the root mean square error.

    With `groups`, from all points of other groups: where neighbours err
    together, as days of one rainy week do, leaving out a single point tests
    too little (Opsomer et al. 2001). The largest bandwidths weigh all points
    alike: that is the mean, the baseline.
    """
    mask = _others(len(x), groups)
    predicted = kernel_regression(x, x, y, bandwidth, mask=mask)
    return root_mean_square(predicted - y)


def root_mean_square(error: Float[np.ndarray, " n"]) -> float:
    """Average errors, in the units of y."""
    return float(np.sqrt(np.mean(error**2)))


def on_circle(
    x: Float[np.ndarray, " n"], period: float
) -> Float[np.ndarray, "n 2"]:
    """Place x on a circle, where 31 December is next to 1 January.

    Vectors of length 1 need no bias: their dot product alone says how near
    they are, ‖q − k‖² = 2 − 2 q·k.

    Examples
    --------
    >>> on_circle(np.array([0.0, 3.0, 6.0]), period=12.0).round(2)
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.]])
    """
    angle = 2 * np.pi * x / period
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


class Learned(NamedTuple):
    """Matrices for queries and keys, each `(n_features, d_k)`.

    `errors` holds the leave-one-out error before each step.
    """

    w_query: Float[np.ndarray, "n_features d_k"]
    w_key: Float[np.ndarray, "n_features d_k"]
    errors: list[float]

    def predict(
        self,
        features_query: Float[np.ndarray, "n_q n_features"],
        features: Float[np.ndarray, "n_k n_features"],
        y: Float[np.ndarray, " n_k"],
    ) -> Float[np.ndarray, " n_q"]:
        """Predict y at each query: softmax(Q Kᵀ / √d_k) V."""
        query = features_query @ self.w_query  # (n_q, d_k)
        key = features @ self.w_key  # (n_k, d_k)
        return attention(query, key, y[:, None])[:, 0]  # pyright: ignore[reportArgumentType, reportCallIssue]


def learn_attention(
    features: Float[np.ndarray, "n n_features"],
    y: Float[np.ndarray, " n"],
    *,
    groups: Shaped[np.ndarray, " n"] | None = None,
    d_k: int = 2,
    steps: int = 100,
    learning_rate: float = 0.1,
    seed: int = 0,
) -> Learned:
    """Learn what to compare: matrices for queries and keys.

    Nothing says how far the kernel reaches, nor which features matter:
    gradient descent (Adam) lowers the error of `leave_one_out_error`, with
    these `features`, `y` and `groups`. Needs torch.
    """
    torch = need("torch")

    x = torch.tensor(features, dtype=torch.float32)  # (n, n_features)
    values = torch.tensor(y, dtype=torch.float32)[:, None]  # (n, 1)
    generator = torch.Generator().manual_seed(seed)
    shape = (features.shape[-1], d_k)
    w_query, w_key = (
        torch.randn(shape, generator=generator).requires_grad_()
        for _ in range(2)
    )
    update = torch.optim.Adam([w_query, w_key], lr=learning_rate)
    mask, errors = torch.tensor(_others(len(y), groups)), []
    for _ in range(steps):
        output = attention(x @ w_query, x @ w_key, values, mask=mask)
        loss = ((output - values) ** 2).mean()
        errors.append(loss.item() ** 0.5)
        update.zero_grad()
        loss.backward()
        update.step()
    learned: list[Any] = [
        w.detach().double().numpy() for w in (w_query, w_key)
    ]
    return Learned(*learned, errors)  # pyright: ignore[reportCallIssue]


def _others(n: int, groups: np.ndarray | None) -> np.ndarray:
    """Let each look at all that are of another group."""
    groups = np.arange(n) if groups is None else groups
    return groups[:, None] != groups  # (n, n)
