"""Every test checks the annotations: who keeps them gets what they promise.

Imported before the package, this lets beartype look at every call that
returns: where its arguments are of the shapes and types in the signature, so
is what comes back. Others are not looked at: tests of our own errors hand over
what no annotation allows, and many doors take more than they promise to
(`test_annotations.py` looks at arguments).
"""

import contextlib
import functools
import inspect
import re
from collections.abc import Callable

import beartype
import jaxtyping
from beartype.roar import BeartypeCallHintParamViolation

# The library; what is built on it is not looked at yet.
MODULES = (
    "nn.encoder_decoder",
    "functional",
    "nn.causal_lm",
    "heads",
    "nn.kv_cache",
    "linear",
    "masks",
    "softmax",
    "interpret.word_pieces",
    "positions",
    "nn.encoder",
)


def judge(function: Callable) -> Callable:
    """Check what jaxtyping asks for after a call, and nothing before it.

    It asks twice, and hands over what came back the second time.
    """
    names = inspect.signature(function).parameters
    if not any(re.fullmatch(r"ret\d*", name) for name in names):
        return function
    checked = beartype.beartype(function)

    @functools.wraps(function)
    def call(*arguments, **named):
        with contextlib.suppress(BeartypeCallHintParamViolation):
            checked(*arguments, **named)

    return call


jaxtyping.install_import_hook(
    [f"attn_course.{name}" for name in MODULES], "typed.judge"
)
