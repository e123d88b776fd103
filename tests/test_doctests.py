"""Every example in a docstring gives what it says."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import attn_course

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(attn_course.__path__, "attn_course.")
    # Kernels, without examples, in a language that only Linux has.
    if sys.platform == "linux" or "triton_kernels" not in module.name
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_the_examples_are_found():
    names = (
        "functional",
        "masks",
        "html",
        "widgets.attention_steps",
        "widgets.qkv_playground",
        "regression",
    )
    for name in names:
        module = importlib.import_module(f"attn_course.{name}")
        assert doctest.testmod(module).attempted > 0, name
