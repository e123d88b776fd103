"""Where softmax and masks break: the tables say what is so."""

import doctest

import numpy as np
import pytest

from attn_course import numerics


@pytest.fixture(scope="module")
def masks():
    return numerics.mask_table()


@pytest.fixture(scope="module")
def overflow():
    return numerics.overflow_table()


def results(table, **wanted):
    return {
        r["result"]
        for r in table
        if all(r[key] == value for key, value in wanted.items())
    }


def test_examples():
    assert doctest.testmod(numerics).failed == 0


@pytest.mark.parametrize(
    "dtype, score", [("float16", 12), ("float32", 89), ("float64", 710)]
)
def test_without_the_maximum_subtracted_softmax_overflows(
    overflow, dtype, score
):
    found = results(overflow, dtype=dtype, case="nothing subtracted")
    assert found == {score}
    # That is where e^s passes the largest number of the dtype.
    largest = np.log(np.finfo(dtype).max.astype("float64"))
    assert score - 1 < largest < score


def test_with_the_maximum_subtracted_nothing_overflows(overflow):
    assert results(overflow, case="maximum subtracted") == {None}
    assert len(overflow) == 3 * 4


def test_every_library_meets_every_fill_and_case(masks):
    met = {(r["library"], r["dtype"], r["fill"], r["case"]) for r in masks}
    assert len(met) == len(masks) == 2 * (3 + 4 + 4 + 4) * 4
    assert {r["fill"] for r in masks} == set(numerics.FILLS)
    words = {"right", "zeros", "NaN", "all alike", "hidden keys are read"}
    said = {r["result"] for r in masks}
    assert all(r in words or r.startswith("refused: ") for r in said)


def test_every_fill_hides_one_key_of_several(masks):
    assert results(masks, case="last key hidden") == {"right"}
    for r in masks:
        if r["case"] == "last key hidden":
            assert r["output"] == pytest.approx([0.269, 0.731, 0], abs=0.001)


def test_minus_infinity_added_as_written_makes_empty_rows_nan(masks):
    found = results(
        masks,
        library="NumPy, as written",
        fill="-inf",
        case="all keys hidden",
    )
    assert found == {"NaN"}


def test_a_large_number_reads_what_is_hidden(masks):
    for case in ("all keys hidden", "all hidden, scores below 0"):
        found = results(masks, dtype="float32", fill="-1e9", case=case)
        assert found <= {"all alike", "hidden keys are read"}


def test_a_billion_is_infinite_in_float16(masks):
    for library in ("NumPy, as written", "attn_course"):
        kept, infinite = (
            [
                r["output"]
                for r in masks
                if r["library"] == library
                and r["dtype"] == "float16"
                and r["fill"] == fill
            ]
            for fill in ("-1e9", "-inf")
        )
        np.testing.assert_array_equal(kept, infinite)


def test_ours_gives_zeros_and_lets_no_hidden_nan_through(masks):
    for fill in ("-inf", "bool"):
        ours = {"library": "attn_course", "fill": fill}
        assert results(masks, **ours, case="all keys hidden") == {"zeros"}
        assert results(masks, **ours, case="hidden value is NaN") == {"right"}


def test_zero_times_nan_is_nan_elsewhere(masks):
    for library in ("NumPy, as written", "nn.MultiheadAttention"):
        found = results(masks, library=library, case="hidden value is NaN")
        assert found == {"NaN"}


def test_torchs_global_random_numbers_stay_as_they_are():
    import torch

    state = torch.random.get_rng_state()
    numerics.mask_table()
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_refusal_is_recorded():
    def refuse(*arguments):
        raise RuntimeError("not in float16\nand more")

    output, problem = numerics._try(refuse, None, None, "bool", None)
    assert output is None
    assert problem == "refused: not in float16"


def test_words_for_weights():
    describe = numerics.describe
    assert describe([0.2, 0.5, 0.3], [True] * 3) == "hidden keys are read"
    assert describe([0.2, 0.8], [True, False]) == "hidden keys are read"
    assert describe([0.0, 0.0], [True, True]) == "zeros"


def test_a_row_for_each_fill_and_a_column_for_each_library():
    rows = numerics.rows_without_keys()
    assert [r["hidden keys get"] for r in rows] == [
        "-1e9", "finfo.min", "-inf", "a boolean mask",
    ]  # fmt: skip
    assert rows[0]["torch SDPA"] == "hidden keys are read"
    assert rows[2]["NumPy, as written"] == "NaN"
    assert rows[3]["NumPy, as written"] == "–"
    assert rows[3]["attn_course"] == "zeros"
