"""Attention in float64 with loops, and its gradients by torch's autograd."""

import numpy as np
import torch


def loops(query, key, value, *, causal=False, q_offset=0, scale=None):
    """One head at a time, one query at a time, one key at a time."""
    query, key, value = (np.float64(x) for x in (query, key, value))
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    times = query.shape[-3] // key.shape[-3]
    key, value = (np.repeat(x, times, axis=-3) for x in (key, value))
    batch = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    query, key, value = (
        np.broadcast_to(x, (*batch, *x.shape[-2:]))
        for x in (query, key, value)
    )
    output = np.zeros((*query.shape[:-1], value.shape[-1]))
    for place in np.ndindex(query.shape[:-1]):
        *head, i = place
        last = i + q_offset if causal else key.shape[-2] - 1
        seen = [j for j in range(key.shape[-2]) if j <= last]
        if not seen:
            continue
        scores = [query[place] @ key[*head, j] * scale for j in seen]
        shares = [np.exp(s - max(scores)) for s in scores]
        for j, share in zip(seen, shares, strict=True):
            output[place] += share / sum(shares) * value[*head, j]
    return output


def gradients(
    grad_output, query, key, value, *, causal=False, q_offset=0, scale=None
):
    """Differentiate the formula, written in torch, in float64."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    q, k, v = (
        torch.tensor(np.float64(x), requires_grad=True)
        for x in (query, key, value)
    )
    times = q.shape[-3] // k.shape[-3]
    k_of, v_of = (x.repeat_interleave(times, dim=-3) for x in (k, v))
    scores = q @ k_of.transpose(-1, -2) * scale
    n_q, n_k = scores.shape[-2:]
    places = torch.arange(n_q)[:, None] + q_offset
    hidden = (torch.arange(n_k) > places) & torch.tensor(causal)
    # A row that sees nothing is set to 0 afterwards, not to NaN.
    weights = torch.softmax(scores.masked_fill(hidden, -1e30), dim=-1)
    output = (weights * ~hidden) @ v_of
    output.backward(torch.tensor(np.float64(grad_output)))
    return [x.grad.numpy() for x in (q, k, v)]
