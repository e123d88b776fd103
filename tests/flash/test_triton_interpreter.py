"""The Triton kernels in the interpreter: numbers, gradients, bytes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from attn_course.flash import interpreted
from attn_course.flash.cards import Tiles
from attn_course.flash.interpreted import Case
from attn_course.flash.requested import requested_bytes

# Elsewhere there is no Triton to run: what is said there is tested too.
linux = pytest.mark.skipif(
    sys.platform != "linux", reason="Triton is made for Linux"
)
TOLERANCE = {"float32": 1e-5, "float16": 1e-3}
SMALL = (16, 16, 4, 1)  # small tiles, so that there are many


def drawn(seed, **fixed):
    """Draw a shape: ragged, heads shared, causal or not."""
    rng = np.random.default_rng(seed)
    kv_heads = int(rng.integers(1, 3))
    case = {
        "batch": int(rng.integers(1, 3)),
        "heads": kv_heads * int(rng.integers(1, 4)),
        "kv_heads": kv_heads,
        "n_q": int(rng.integers(1, 50)),
        "n_k": int(rng.integers(1, 50)),
        "d": int(rng.integers(16, 129)),
        "causal": bool(rng.integers(2)),
        "tiles": (
            int(rng.choice([16, 32])),
            int(rng.choice([16, 32, 64])),
            4,
            1,
        ),
    }
    return Case(**{**case, **fixed})


CASES = [
    # As the launcher chooses: whole tiles, then ragged ends.
    Case(1, 2, 2, 64, 64, 64),
    Case(1, 2, 2, 64, 64, 64, causal=True),
    Case(1, 2, 1, 65, 63, 16, "float16", causal=True),
    Case(1, 1, 1, 33, 40, 128, "float16"),
    # One query, one key: Triton treats the number 1 as a constant.
    Case(1, 1, 1, 1, 1, 16),
    # More keys than queries, and the other way round: aligned at the start.
    Case(1, 1, 1, 20, 70, 32, causal=True, tiles=SMALL),
    Case(1, 1, 1, 70, 20, 32, causal=True, tiles=SMALL),
    # Queries that stand later: new ones after a cache, and past the keys.
    Case(1, 2, 1, 20, 70, 32, causal=True, tiles=SMALL, q_offset=50),
    Case(1, 1, 1, 1, 40, 16, "float16", causal=True, q_offset=39),
    Case(1, 2, 2, 40, 20, 16, causal=True, tiles=SMALL, q_offset=2**70),
    # And before the first key, where some or all see nothing.
    Case(2, 2, 1, 37, 20, 16, causal=True, tiles=SMALL, q_offset=-17),
    Case(1, 1, 1, 20, 20, 16, causal=True, tiles=SMALL, q_offset=-(2**70)),
    # Without a causal mask it makes no difference.
    Case(1, 1, 1, 20, 20, 16, tiles=SMALL, q_offset=-9),
    *(drawn(seed) for seed in range(5)),
    *(drawn(seed, causal=True, q_offset=seed - 12) for seed in range(9, 13)),
    *(drawn(seed, dtype="float16") for seed in range(6, 9)),
]
COUNTED = [
    Case(1, 2, 2, 64, 64, 32, tiles=(32, 16, 4, 1)),
    Case(1, 2, 2, 64, 64, 32, "float16", causal=True, tiles=(16, 32, 4, 1)),
    *(drawn(seed) for seed in range(20, 24)),
]


@pytest.fixture(scope="module")
def errors():
    return dict(zip(CASES, interpreted.try_cases(CASES), strict=True))


@pytest.fixture(scope="module")
def requests():
    found = interpreted.try_cases(COUNTED, what="requests")
    return dict(zip(COUNTED, found, strict=True))


@linux
@pytest.mark.parametrize("case", CASES, ids=str)
def test_output_and_gradients_agree_with_float64(case, errors):
    assert set(errors[case]) == {"output", "dq", "dk", "dv"}
    for name, error in errors[case].items():
        assert error <= TOLERANCE[case.dtype], name


@linux
@pytest.mark.parametrize("case", COUNTED, ids=str)
def test_requested_bytes_are_those_of_the_formula(case, requests):
    for way in ("forward", "backward"):
        assert requests[case][way]["counted"] == requests[case][way]["formula"]


def test_the_formula_by_hand():
    """Two blocks of 16 queries over 32 keys of 16 numbers of 4 bytes."""
    asked = requested_bytes(
        "forward", 32, 32, 16, tiles=Tiles(*SMALL), dtype="float32"
    )
    # q once, k and v for each block; output and lse.
    assert asked.loaded == 4 * 16 * (32 + 2 * 2 * 32)
    assert asked.stored == 4 * (32 * 16 + 32)
    causal = requested_bytes(
        "forward", 32, 32, 16, tiles=Tiles(*SMALL), dtype="float32",
        causal=True,
    )  # fmt: skip
    # The first block of queries reads one block of keys and values less.
    assert asked.loaded - causal.loaded == 2 * 4 * 16 * 16


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kernel": "sideways"}, "expected one of .*got 'sideways'"),
        ({"dtype": "int8"}, "expected one of .*got 'int8'"),
        ({"n_q": 0}, "n_q of at least 1, got 0"),
        ({"kv_heads": 0}, "kv_heads of at least 1, got 0"),
    ],
)
def test_the_formula_refuses(options, message):
    good = {"kernel": "forward", "n_q": 1, "n_k": 1, "d": 16}
    with pytest.raises(ValueError, match=message):
        requested_bytes(**{**good, "tiles": Tiles(*SMALL), **options})


def python(code, **variables):
    """Run a program of a few lines in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


SETUP = """
import torch
from attn_course.flash.gpu import (
    triton_attention, triton_status, use_interpreter)
x = torch.randn(2, 4, 20, 16)
"""
REFUSED = [
    ("x[..., :8], x[..., :8], x[..., :8]", "expected d from 16 to 128, got 8"),
    ("x, x[..., :4], x", "expected key with d_k=16"),
    ("x, x[..., :9, :], x", "expected value with n_k=9"),
    ("x, x[:, :3], x[:, :3]", "number of heads that divides H=4, got 3"),
    ("x, x, torch.randn(2, 4, 20, 32)", "expected value with d_v=16"),
    ("x, x, x, q_offset=0.5", "q_offset to be an integer, got 0.5"),
    ("x, x.half(), x", "expected key with dtype=torch.float32"),
    ("x.double(), x.double(), x.double()", "expected one of"),
    ("x[:0], x[:0], x[:0]", "expected at least one query and one key"),
    ("x.bfloat16(), x.bfloat16(), x.bfloat16()", "multiplies bfloat16 wro"),
    ("x.numpy(), x.numpy(), x.numpy()", "expected tensors of torch"),
    ("x.expand(9**5, 2, 4, 20, 16), x, x", "at most 65535 heads"),
]


@linux
def test_bad_input_is_named():
    attempts = "".join(
        f"""
try:
    triton_attention({arguments})
    print("accepted")
except ValueError as error:
    print(error)
"""
        for arguments, _ in REFUSED
    )
    done = python(SETUP + "use_interpreter()" + attempts)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(REFUSED)
    for line, (_, message) in zip(lines, REFUSED, strict=True):
        assert message in line


@linux
def test_shapes_scale_and_strides_are_those_of_attention():
    """Two axes, three, heads shared, batches that broadcast, transposed."""
    done = python(
        SETUP
        + """
from attn_course.functional import attention
print(use_interpreter().kind)
y = torch.randn(20, 2, 16).transpose(0, 1)
for q, k, v in [(x[0, 0],) * 3, (x[0], y, y), (x, y, y), (x[:1], x, x),
                (x[0, 0], y[:1], y[:1])]:
    for options in ({}, {"scale": 0.5}, {"causal": True}):
        ours = triton_attention(q, k, v, **options)
        theirs = attention(q, k, v, **options)
        assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
        assert (ours - theirs).abs().max() < 1e-5
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["interpreter"]


@linux
def test_nan_and_inf_reach_those_who_see_them_as_in_attention():
    """Outputs, and gradients of arrays of which one number is odd."""
    done = python(
        SETUP
        + """
from attn_course.flash.cards import Tiles
from attn_course.functional import attention
use_interpreter()
torch.manual_seed(0)
nan, inf = float("nan"), float("inf")
q, v = torch.zeros(2, 16), torch.randn(2, 16)
v[1] = nan
output = triton_attention(q, q, v, causal=True)
assert output[0].isfinite().all() and output[1].isnan().all(), output

n_q, n_k = 12, 20
for name, places in {
    "query": [((0, 1, 9, 0), nan)],
    "key": [((0, 1, 10, 3), -inf), ((0, 0, 19, 2), nan)],
    "value": [((0, 0, 10, 3), nan), ((0, 0, 11, 4), inf),
              ((0, 1, 1, 5), inf), ((0, 1, 5, 5), -inf)],
}.items():
    for options in ({}, {"causal": True, "q_offset": 8},
                    {"causal": True, "q_offset": -4}):
        given = {"query": torch.randn(1, 4, n_q, 16),
                 "key": torch.randn(1, 2, n_k, 16),
                 "value": torch.randn(1, 2, n_k, 16)}
        for place, number in places:
            given[name][place] = number
        found = []
        for way, dtype in ((triton_attention, torch.float32),
                           (attention, torch.float64)):
            arrays = [x.to(dtype, copy=True).requires_grad_()
                      for x in given.values()]
            tiles = {"tiles": Tiles(16, 16, 4, 1)}
            more = tiles if way is triton_attention else {}
            output = way(*arrays, **options, **more)
            # What comes back from odd outputs is no matter here.
            output.nan_to_num(0.0, 0.0, 0.0).sum().backward()
            found.append([output, *(x.grad for x in arrays)])
        for ours, theirs in zip(*found):
            torch.testing.assert_close(
                ours.double(), theirs, atol=1e-5, rtol=1e-5, equal_nan=True)
print("the same")
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["the", "same"]


@linux
def test_a_process_that_compiles_is_told_to_start_again():
    done = python(
        SETUP
        + """
import triton
try:
    use_interpreter()
except RuntimeError as error:
    print(error)
""",
        TRITON_INTERPRET="0",
    )
    assert done.returncode == 0, done.stderr
    assert "start Python (or the notebook's kernel) again" in done.stdout


@linux
def test_without_a_gpu_and_an_interpreter_attention_says_what_to_do():
    import torch

    from attn_course.flash import gpu

    x = torch.ones(20, 16)
    status = gpu.triton_status()
    if not torch.cuda.is_available():
        assert (status.kind, status.runs) == ("none", False)
        with pytest.raises(RuntimeError, match=r"call use_interpreter\(\)"):
            gpu.triton_attention(x, x, x)


@pytest.mark.parametrize(
    "system, name", [("darwin", "macOS"), ("win32", "Windows")]
)
def test_where_there_is_no_triton_the_status_says_so(
    system, name, monkeypatch
):
    from attn_course.flash import gpu

    monkeypatch.setattr(gpu.sys, "platform", system)
    status = gpu.use_interpreter()
    assert status.kind == "none"
    assert f"this is {name}" in status.why


@linux
def test_where_triton_is_not_installed_the_status_says_how(monkeypatch):
    from attn_course.flash import gpu

    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: None)
    assert "pip install triton" in gpu.triton_status().why


def test_requests_are_counted_in_the_interpreter_only():
    from attn_course.flash.requested import count_requests

    with (
        pytest.raises(RuntimeError, match="expected Triton's interpreter"),
        count_requests(),
    ):
        pass


@linux
def test_a_failing_process_passes_on_what_it_said():
    with pytest.raises(RuntimeError, match="expected d from 16 to 128, got 9"):
        interpreted.try_cases([Case(1, 1, 1, 4, 4, 9)])
