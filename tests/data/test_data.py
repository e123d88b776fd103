import doctest
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attn_course import data, experiments, functional
from attn_course.data import packing, store

STEP = 1 / 64
ARRAYS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
    elements=st.floats(-500, 500),
)
RECORDED = {"command": "x", "commit": "y", "seeds": [], "versions": {}}


@pytest.mark.parametrize("module", [functional, packing, store])
def test_the_examples_run(module):
    assert doctest.testmod(module).failed == 0


def test_the_formula_has_examples():
    assert doctest.testmod(functional).attempted >= 10


@given(ARRAYS)
def test_a_step_rounds_by_at_most_half_of_it(array):
    packed = json.loads(json.dumps(data.pack_array(array, step=STEP)))
    unpacked = data.unpack_array(packed)
    assert unpacked.shape == array.shape
    assert np.abs(unpacked - array).max(initial=0) <= STEP / 2


@given(ARRAYS)
def test_without_a_step_numbers_travel_as_float32(array):
    unpacked = data.unpack_array(data.pack_array(array))
    np.testing.assert_array_equal(unpacked, array.astype(np.float32))


@given(ARRAYS)
def test_packing_twice_changes_nothing_more(array):
    once = data.unpack_array(data.pack_array(array, step=STEP))
    twice = data.unpack_array(data.pack_array(once, step=STEP))
    np.testing.assert_array_equal(once, twice)


def test_packing_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match="expected finite numbers, got NaN"):
        data.pack_array([np.nan])
    with pytest.raises(ValueError, match=r"for step=0\.01, got 400"):
        data.pack_array([400.0], step=0.01)


def test_unpacking_refuses_what_does_not_fit_together():
    packed = data.pack_array(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"expected \[2, 4\] numbers, got 6"):
        data.unpack_array({**packed, "shape": [2, 4]})
    with pytest.raises(ValueError, match="expected dtype in"):
        data.unpack_array({**packed, "dtype": "float8"})
    for wrong in ({"step": "x"}, {"missing": [99]}, {"missing": "x"}):
        with pytest.raises(ValueError, match="expected a step and the places"):
            data.unpack_array({**packed, **wrong})
    with pytest.raises(ValueError, match="expected shape of counts"):
        data.unpack_array({**packed, "shape": [True, True]})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"dtype": None}, "expected dtype in"),
        ({"dtype": ["float32"]}, "expected dtype in"),
        ({"shape": None}, "expected shape of counts, got None"),
        ({"shape": 6}, "expected shape of counts, got 6"),
        ({"shape": [-2, -3]}, "expected shape of counts"),
        ({"shape": [2, 1.5]}, "expected shape of counts"),
        ({"shape": ["2", "3"]}, "expected shape of counts"),
        ({"base64": None}, "expected numbers in base64"),
        ({"base64": "AAA"}, "expected numbers in base64"),
        ({"base64": "é"}, "expected numbers in base64"),
        ({"base64": "AAAAAAA="}, r"expected \[2, 3\] numbers, got 1\.25"),
        ({"base64": ""}, r"expected \[2, 3\] numbers, got 0"),
    ],
)
def test_unpacking_says_what_is_damaged(change, message):
    packed = data.pack_array(np.ones((2, 3)))
    with pytest.raises(ValueError, match=message):
        data.unpack_array({**packed, **change})


@pytest.mark.parametrize("packed", [None, [], "AAAA", 3, {}])
def test_unpacking_says_what_is_no_array(packed):
    with pytest.raises(ValueError, match=r"expected (a packed array|dtype)"):
        data.unpack_array(packed)


# What a recording may weigh: it could grow unnoticed. The largest is a sweep
# of 792 runs, each with its loss over time.
MOST_BYTES = 400_000


@pytest.mark.parametrize("name", data.recordings())
def test_a_recording_says_how_it_was_made(name):
    path = Path(store.__file__).parent / f"recordings/{name}.json"
    assert path.stat().st_size < MOST_BYTES
    recorded = data.load_recording(name)["recorded"]
    assert recorded["command"] == f"attn-course experiments --only {name}"
    # What ran before it was committed came out the same at a commit since.
    dirty = recorded["commit"].endswith(" with changes")
    commit = recorded["same_slice_at" if dirty else "commit"]
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    assert recorded["seeds"] == list(range(len(recorded["seeds"])))
    assert all(recorded["versions"].values())
    assert recorded["versions"]["attn-course"]


def test_every_recording_has_its_study_and_every_study_its_recording():
    assert set(data.recordings()) == set(experiments.studies())


def test_sources_name_the_packages_whose_content_is_recorded():
    sources = Path(__file__).parents[2] / "SOURCES.md"
    text = sources.read_text("utf-8")
    needed = {n for s in experiments.studies().values() for n in s.needs}
    missing = {name for name in needed if name not in text}
    assert missing == set()


def test_an_unknown_recording_lists_those_there_are():
    with pytest.raises(ValueError, match=r"expected one of .*got 'nothing'"):
        data.load_recording("nothing")


def test_saving_writes_the_whole_file(tmp_path, monkeypatch):
    (tmp_path / "recordings").mkdir()
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    path = data.save_recording("mine", {"x": "é", "recorded": RECORDED})
    assert path == tmp_path / "recordings" / "mine.json"
    assert json.loads(path.read_text("utf-8"))["x"] == "é"
    assert list(path.parent.iterdir()) == [path]


def test_saving_needs_to_know_how_it_was_recorded():
    with pytest.raises(ValueError, match=r"got none of .*'seeds'"):
        data.save_recording("mine", {"recorded": {"command": "x"}})
