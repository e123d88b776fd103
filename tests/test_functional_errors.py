"""Every error says what was expected and what came."""

import re

import numpy as np
import pytest
import torch

from attn_course import additive_weights, attention, attention_weights
from attn_course.functional import masked_softmax

ONES = np.ones((2, 8, 10, 64))
SMALL = np.ones((3, 4))


def raises(message):
    return pytest.raises(ValueError, match=re.escape(message))


BAD_INPUTS = [
    (
        (ONES, np.ones((2, 8, 10, 32)), ONES),
        "expected key with d_k=64 to match query, got 32 "
        "(key.shape=(2, 8, 10, 32))",
    ),
    (
        (ONES, ONES, np.ones((2, 8, 9, 64))),
        "expected value with n_k=10 to match key, got 9 "
        "(value.shape=(2, 8, 9, 64))",
    ),
    (
        (ONES, np.ones((2, 3, 10, 64)), np.ones((2, 3, 10, 64))),
        "expected key with a number of heads that divides H=8, got 3 "
        "(key.shape=(2, 3, 10, 64))",
    ),
    (
        (SMALL, np.ones((2, 3, 4)), np.ones((2, 3, 4))),
        "expected key with a number of heads that divides H=1, got 2",
    ),
    (
        (ONES, np.ones((2, 0, 10, 64)), np.ones((2, 0, 10, 64))),
        "expected key with a number of heads that divides H=8, got 0",
    ),
    (
        (ONES, ONES, np.ones((2, 4, 10, 64))),
        "expected value with H_kv=8 to match key, got 4 "
        "(value.shape=(2, 4, 10, 64))",
    ),
    (
        (ONES, np.ones((3, 8, 10, 64)), np.ones((3, 8, 10, 64))),
        "expected key with batch axes that broadcast with (2,) of query, "
        "got (3,) (key.shape=(3, 8, 10, 64))",
    ),
    (
        (ONES, ONES, np.ones((3, 8, 10, 64))),
        "expected value with batch axes that broadcast with (2,) of query, "
        "got (3,)",
    ),
    (
        (ONES[:1], ONES, np.ones((3, 8, 10, 64))),
        "expected value with batch axes that broadcast with (2,) of key, "
        "got (3,)",
    ),
    (
        (np.ones((3, 0)), np.ones((3, 0)), SMALL),
        "expected query with d_k of at least 1, got 0 (query.shape=(3, 0))",
    ),
    (
        (np.ones(4), SMALL, SMALL),
        "expected query with at least 2 dimensions, got 1 (query.shape=(4,))",
    ),
    (
        (SMALL, SMALL, np.ones(3)),
        "expected value with at least 2 dimensions, got 1 (value.shape=(3,))",
    ),
    (
        ([[1.0]], SMALL, SMALL),
        "expected query to be a NumPy array or a torch tensor, got list",
    ),
    (
        (SMALL, [[1.0]], SMALL),
        "expected key to be a NumPy array or a torch tensor, got list",
    ),
    (
        (SMALL, SMALL, None),
        "expected value to be a NumPy array or a torch tensor, got NoneType",
    ),
    (
        (SMALL.astype(int), SMALL, SMALL),
        "expected query of a floating dtype, got int64",
    ),
    (
        (SMALL, SMALL.astype(complex), SMALL),
        "expected key of a floating dtype, got complex128",
    ),
    (
        (SMALL, SMALL, SMALL.astype(np.float32)),
        "expected value with dtype=float64 to match query, got float32",
    ),
    (
        (SMALL, torch.ones(3, 4, dtype=torch.float64), SMALL),
        "expected key from the library of query, numpy, got torch",
    ),
    (
        (torch.ones(3, 4), np.ones((3, 4), np.float32), torch.ones(3, 4)),
        "expected key from the library of query, torch, got numpy",
    ),
    (
        (torch.ones(3, 4), torch.ones(3, 4, device="meta"), torch.ones(3, 4)),
        "expected key on device=cpu to match query, got meta",
    ),
    (
        [torch.ones(3, 4, device="meta")] * 3,
        "expected query with numbers in it, got device=meta",
    ),
    (
        [torch.ones(3, 4).to(torch.float8_e4m3fn)] * 3,
        "expected query of a floating dtype of 16 bits or more, got",
    ),
    (
        [np.ma.array(SMALL, mask=SMALL > 0)] * 3,
        "expected query as a plain array, got a masked one: give its numbers "
        "as x.filled(0), and hide pairs with mask",
    ),
    (
        (SMALL, SMALL, np.ma.array(SMALL)),
        "expected value as a plain array, got a masked one",
    ),
    (
        (torch.ones(3, 4), torch.ones(3, 4).to_sparse(), torch.ones(3, 4)),
        "expected key as a plain array, got a sparse one: x.to_dense()",
    ),
]


@pytest.mark.parametrize("inputs, message", BAD_INPUTS)
def test_arrays_that_do_not_fit(inputs, message):
    with raises(message):
        attention(*inputs)
    if "expected value" not in message:
        with raises(message):
            attention_weights(*inputs[:2])


BAD_OPTIONS = [
    (
        {"mask": np.ones((3, 3))},
        'expected mask of dtype bool (True means "may look"), got float64: '
        "numbers to add to the scores go into bias",
    ),
    ({"mask": np.ones((3, 3), int)}, "expected mask of dtype bool"),
    (
        {"bias": np.ones((3, 3), bool)},
        "expected bias of a floating dtype, got bool: to hide keys by True "
        "and False, pass mask",
    ),
    ({"bias": np.ones((3, 3), int)}, "expected bias of a floating dtype"),
    (
        {"mask": np.ones((3, 4), bool)},
        "expected mask to broadcast to the scores' shape (3, 3), got (3, 4)",
    ),
    (
        {"mask": np.ones((1, 3, 3), bool)},
        "expected mask to broadcast to the scores' shape (3, 3), "
        "got (1, 3, 3)",
    ),
    (
        {"bias": np.ones((2, 3, 3))},
        "expected bias to broadcast to the scores' shape (3, 3), "
        "got (2, 3, 3)",
    ),
    (
        {"mask": [[True] * 3] * 3},
        "expected mask to be an array of numpy or NumPy, got list",
    ),
    (
        {"bias": torch.ones(3, 3)},
        "expected bias to be an array of numpy or NumPy, got torch",
    ),
    (
        {"mask": np.ma.array(np.ones((3, 3), bool), mask=np.eye(3))},
        "expected mask as a plain array, got a masked one",
    ),
    (
        {"bias": np.ma.array(np.ones((3, 3)))},
        "expected bias as a plain array, got a masked one",
    ),
    ({"softcap": 0}, "expected a finite softcap greater than 0, got 0"),
    ({"softcap": -1.0}, "expected a finite softcap greater than 0, got -1.0"),
    ({"softcap": np.nan}, "expected a finite softcap greater than 0, got nan"),
    ({"softcap": "9"}, "expected a finite softcap greater than 0, got '9'"),
    ({"scale": np.inf}, "expected a finite number as scale, got inf"),
    ({"scale": "1"}, "expected a finite number as scale, got '1'"),
    ({"window": 3}, "expected window=(left, right), got 3"),
    ({"window": (1, 2, 3)}, "expected window=(left, right), got (1, 2, 3)"),
    (
        {"window": (-1, 0)},
        "expected left of window of at least 0, got -1",
    ),
    (
        {"window": (0, 1.5)},
        "expected right of window to be an integer, got 1.5",
    ),
    (
        {"window": (True, 0)},
        "expected left of window to be an integer, got True",
    ),
    ({"scale": 10**400}, "expected a finite number as scale, got 1000"),
    ({"softcap": 10**400}, "expected a finite softcap greater than 0, got 10"),
    ({"q_offset": 0.5}, "expected q_offset to be an integer, got 0.5"),
    ({"q_offset": None}, "expected q_offset to be an integer, got None"),
]


@pytest.mark.parametrize("options, message", BAD_OPTIONS)
def test_options_that_do_not_fit(options, message):
    with raises(message):
        attention(SMALL, SMALL, SMALL, **options)
    with raises(message):
        attention_weights(SMALL, SMALL, **options)


def test_masks_must_fit_the_scores_of_all_heads():
    with raises(
        "expected mask to broadcast to the scores' shape (2, 8, 10, 10), "
        "got (3, 1, 10, 10)"
    ):
        attention(ONES, ONES, ONES, mask=np.ones((3, 1, 10, 10), bool))


def test_masks_hold_more_than_a_shape():
    x = torch.ones(3, 4)
    empty = torch.empty(3, 3, device="meta")
    with raises("expected mask with numbers in it, got device=meta"):
        attention(x, x, x, mask=empty.bool())
    with raises("expected bias with numbers in it, got device=meta"):
        attention(x, x, x, bias=empty)
    with raises("expected allowed with numbers in it, got device=meta"):
        masked_softmax(torch.ones(3, 3), empty.bool())


QUERY, KEY = np.ones((3, 4)), np.ones((5, 6))
NETWORK = {
    "w_query": np.ones((4, 7)),
    "w_key": np.ones((6, 7)),
    "v": np.ones(7),
}
BAD_NETWORKS = [
    (
        {"w_query": np.ones((5, 7))},
        "expected w_query with d_q=4 to match query, got 5 "
        "(w_query.shape=(5, 7))",
    ),
    (
        {"w_key": np.ones((4, 7))},
        "expected w_key with d_k=6 to match key, got 4",
    ),
    (
        {"w_key": np.ones((6, 8))},
        "expected w_key with d_a=7 to match w_query, got 8",
    ),
    ({"v": np.ones(6)}, "expected v with d_a=7 to match w_query, got 6"),
    ({"v": np.ones((7, 1))}, "expected v with 1 dimensions, got 2"),
    (
        {"w_query": np.ones((1, 4, 7))},
        "expected w_query with 2 dimensions, got 3",
    ),
    (
        {"v": np.ones(7, np.float32)},
        "expected v with dtype=float64 to match query, got float32",
    ),
    (
        {"v": torch.ones(7, dtype=torch.float64)},
        "expected v from the library of query, numpy, got torch",
    ),
    ({"mask": np.ones((3, 5))}, "numbers to add to the scores go into bias"),
    (
        {"mask": np.ones((3, 6), bool)},
        "expected mask to broadcast to the scores' shape (3, 5), got (3, 6)",
    ),
]


@pytest.mark.parametrize("change, message", BAD_NETWORKS)
def test_networks_that_do_not_fit(change, message):
    with raises(message):
        additive_weights(QUERY, KEY, **{**NETWORK, **change})


def test_additive_weights_need_batches_that_broadcast():
    with raises(
        "expected key with batch axes that broadcast with (2,) of query, "
        "got (3,)"
    ):
        additive_weights(np.ones((2, 3, 4)), np.ones((3, 5, 6)), **NETWORK)


def test_masked_softmax_says_what_it_needs():
    with raises("expected allowed of dtype bool"):
        masked_softmax(SMALL, SMALL)
    with raises("expected allowed to broadcast to the scores' shape (3, 4)"):
        masked_softmax(SMALL, np.ones((4, 3), bool))
    with raises("expected scores to be a NumPy array or a torch tensor"):
        masked_softmax([1.0], np.array(True))
    with raises("expected scores of a floating dtype, got int64"):
        masked_softmax(np.arange(3), np.array(True))
    with raises("expected scores with at least 1 dimensions, got 0"):
        masked_softmax(np.array(1.0), np.array(True))
