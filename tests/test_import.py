"""Importing the course is light: heavy libraries wait until used."""

import json
import subprocess
import sys

HEAVY = [
    "torch",
    "triton",
    "matplotlib",
    "anywidget",
    "transformers",
    "ipywidgets",
]


def run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loaded_after(statement):
    return run(
        f"import json, sys; {statement}; "
        f"print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import attn_course") == []


def test_attention_on_numpy_loads_nothing_heavy():
    statement = (
        "import numpy as np; from attn_course import attention, masks; "
        "x = np.eye(2); attention(x, x, x, mask=masks.causal(2))"
    )
    assert loaded_after(statement) == []


def test_cards_and_requested_bytes_load_nothing_heavy():
    statement = (
        "from attn_course.flash import cards, requested_bytes; "
        "tiles = cards.tiles_for((9, 0), 'bfloat16', 64, 'forward'); "
        "requested_bytes('forward', 9, 9, 64, tiles=tiles)"
    )
    assert loaded_after(statement) == []


def test_calling_the_kernels_does_not_load_triton_before_it_must():
    status = "from attn_course.flash import triton_status; triton_status()"
    assert loaded_after(status) == ["torch"]


def test_data_and_pretrained_load_nothing_heavy():
    assert loaded_after("from attn_course import data, pretrained") == []
    assert loaded_after("import attn_course.cli") == []


def test_attention_is_the_function():
    answer = run(
        "import json; from attn_course import attention, attention_weights, "
        "additive_weights; import attn_course, attn_course.functional; "
        "print(json.dumps([callable(attention), "
        "attn_course.attention is attn_course.functional.attention]))"
    )
    assert answer == [True, True]


def test_every_name_that_the_package_offers_from_its_formula_exists():
    import attn_course

    for name in ("attention", "attention_weights", "additive_weights"):
        assert name in dir(attn_course)
        assert callable(getattr(attn_course, name))
