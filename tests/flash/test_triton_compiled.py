"""The Triton kernels compiled for cards that are not here; the recording."""

import sys

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import triton_kernels as experiment
from attn_course.flash.cards import KERNELS, shared_memory
from attn_course.flash.compiled import Target, compile_for

# Elsewhere there is no Triton that compiles; the recording is read anywhere.
linux = pytest.mark.skipif(
    sys.platform != "linux", reason="Triton is made for Linux"
)
TURING, AMPERE, HOPPER = (7, 5), (8, 0), (9, 0)
TARGETS = [
    *(Target(kernel, TURING, "float16", 64) for kernel in KERNELS),
    *(Target(kernel, AMPERE, "bfloat16", 64) for kernel in KERNELS),
    *(Target(kernel, HOPPER, "float16", 64) for kernel in KERNELS),
    # What holds most at once.
    Target("gradient_of_queries", TURING, "float16", 128),
    Target("gradient_of_keys", AMPERE, "float16", 128),
    Target("gradient_of_keys", HOPPER, "bfloat16", 128),
]
# Triton makes constants of numbers that are 1: other code, which must compile.
ONES = [
    *(
        Target(kernel, TURING, "float16", 16, ones=("n_q", "n_k", "group"))
        for kernel in KERNELS
    ),
    Target("forward", TURING, "float16", 16, causal=False, ones=("group",)),
]


@pytest.fixture(scope="module")
def codes():
    return dict(zip(TARGETS, compile_for(TARGETS), strict=True))


def most_spilled(capability, d):
    """Say how many bytes of a thread may lie outside registers."""
    # A T4 multiplies number by number: at d = 128 not all fits.
    return 256 if d == 128 and tuple(capability) == TURING else 16


@linux
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_kernel_fits_its_card(target, codes):
    code = codes[target]
    assert 0 < code.shared <= shared_memory(target.capability)
    assert 0 < code.registers <= 255
    assert code.spilled <= most_spilled(target.capability, target.d)


@linux
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_tensor_cores_multiply_where_triton_uses_them(target, codes):
    expected = {TURING: [], AMPERE: ["HMMA"], HOPPER: ["HGMMA"]}
    found = codes[target].tensor_cores
    assert list(found) == expected[target.capability]
    if target.capability == TURING:
        # At least one multiplication for each number of a row and a key.
        assert codes[target].multiply_adds >= target.d
    else:
        assert min(found.values()) >= 4


@linux
def test_single_queries_keys_and_groups_compile():
    assert all(code.registers for code in compile_for(ONES))


@linux
def test_what_triton_refuses_is_passed_on():
    odd = Target("forward", AMPERE, "float16", 64, tiles=(48, 32, 4, 1))
    with pytest.raises(RuntimeError, match="power of 2"):
        compile_for([odd])


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("triton-kernels")


def test_the_recording_has_every_target(recording):
    assert recording["settings"] == experiment.SETTINGS
    rows = [
        (row["kernel"], tuple(row["capability"]), row["dtype"], row["d"])
        for row in recording["compiled"]
    ]
    assert rows == [target[:4] for target in experiment.targets()]


def test_every_recorded_kernel_fits_its_card(recording):
    for row in recording["compiled"]:
        assert row["shared"] <= row["shared_limit"], row
        if row["dtype"] != "float32" and row["capability"] < [10, 0]:
            limit = most_spilled(row["capability"], row["d"])
            assert row["spilled"] <= limit, row


def test_tiles_too_large_for_a_t4_spill(recording):
    for row in recording["too_large"]:
        assert row["capability"] == [7, 5]
        assert row["spilled"] > 1000, row


def test_recorded_tensor_cores_are_those_of_the_generation(recording):
    names = {7: [], 8: ["HMMA"], 9: ["HGMMA"], 10: ["UTCHMMA"]}
    for row in recording["compiled"]:
        half = row["dtype"] != "float32"
        expected = names[row["capability"][0]] if half else []
        assert list(row["tensor_cores"]) == expected, row


def test_recorded_errors_are_small_in_every_shape_and_seed(recording):
    limits = {"float32": 1e-5, "float16": 1e-3}
    assert len(recording["errors"]) == experiment.SETTINGS["shapes"]
    for row in recording["errors"]:
        found = np.array(list(row["errors"].values()))
        assert found.shape == (4, 3)
        assert found.max() <= limits[row["dtype"]], row


def test_recorded_bytes_are_those_of_the_formula_and_fall(recording):
    rows = recording["requested"]
    for row in rows:
        for way in ("forward", "backward"):
            assert row[way]["counted"] == row[way]["formula"], row
    whole = [row for row in rows if not row["causal"]]
    loaded = [row["forward"]["counted"][0] for row in whole]
    assert loaded == sorted(loaded, reverse=True)
    assert loaded[0] > 2 * loaded[-1]
