"""The cache of keys and values: what it keeps is its own."""

import numpy as np
import pytest
import torch

from attn_course.kv_cache import MOST_WAITING, KVCache


def make(library, *shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return torch.tensor(x) if library == "torch" else x


def as_numpy(x):
    return x.detach().numpy() if isinstance(x, torch.Tensor) else x


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("seed", range(3))
def test_it_keeps_all_tokens_in_order_however_they_come(library, seed):
    rng = np.random.default_rng(seed)
    cache, keys, values = KVCache(), [], []
    for step in range(12):
        new = int(rng.choice([0, 1, 2, MOST_WAITING - 1, 2 * MOST_WAITING]))
        keys.append(make(library, 2, new, 4, seed=2 * step))
        values.append(make(library, 2, new, 3, seed=2 * step + 1))
        given = cache.add(keys[-1], values[-1])
        for found, kept, parts in zip(
            given, (cache.key, cache.value), (keys, values), strict=True
        ):
            meant = np.concatenate([as_numpy(x) for x in parts], axis=-2)
            np.testing.assert_array_equal(as_numpy(found), meant)
            np.testing.assert_array_equal(as_numpy(kept), meant)
        assert cache.length == sum(x.shape[-2] for x in keys)
        assert cache.n_bytes == cache.length * 2 * (4 + 3) * 4


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_nobody_else_can_change_what_it_keeps(library):
    """Neither by what came in nor by what went out, at any length."""
    cache, meant = KVCache(), []
    for step in range(MOST_WAITING + 5):
        token = make(library, 2, 1, 4, seed=step)
        meant.append(as_numpy(token).copy())
        given = cache.add(token, token)
        for theirs in (token, *given, cache.key, cache.value):
            theirs[...] = 7.0
    meant = np.concatenate(meant, axis=-2)
    for kept in (
        cache.key,
        cache.value,
        *cache.add(token[:, :0], token[:, :0]),
    ):
        np.testing.assert_array_equal(as_numpy(kept), meant)


def test_gradients_pass_through_it():
    cache, token = KVCache(), torch.ones(2, 1, 4, requires_grad=True)
    for _ in range(3):
        keys, values = cache.add(token, token)
    (keys.sum() + 2 * values.sum()).backward()
    assert (token.grad == 9.0).all()


X = np.zeros((2, 3, 4))
REFUSED = {
    "one dimension": ((X[0, 0], X[0, 0]), "key with at least 2 dim.* got 1"),
    "values of one": ((X, X[0, 0]), "value with at least 2 dim.* got 1"),
    "a list": ((X.tolist(), X), "key to be a NumPy array or .* got list"),
    "a masked array": ((np.ma.array(X), X), "key as a plain array, got a mas"),
    "fewer values": ((X, X[:, :2]), "expected a value for each key"),
    "values of a dtype of their own": (
        (X, X.astype(np.float32)),
        "value of dtype=float64 to (match key|follow .*), got float32",
    ),
    "values of a library of their own": (
        (X, torch.tensor(X)),
        "value of library=numpy to (match key|follow .*), got torch",
    ),
    "another head size": ((X[..., :3], X), r"\(2, 'new', 4\) .* got \(2, 3"),
    "another dtype": (
        (X.astype(np.float32), X),
        "key of dtype=float64 to follow what is kept, got float32",
    ),
    "another library": (
        (torch.tensor(X), torch.tensor(X)),
        "key of library=numpy to follow what is kept, got torch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_and_leaves_nothing(name):
    given, message = REFUSED[name]
    cache = KVCache()
    if not name.startswith("another"):
        with pytest.raises(ValueError, match=message):
            cache.add(*given)
        assert (cache.key, cache.value, cache.length) == (None, None, 0)
    cache.add(X, X)
    with pytest.raises(ValueError, match=message):
        cache.add(*given)
    assert cache.length == 3
