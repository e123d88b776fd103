"""Call functions in a process of their own, which interprets or compiles.

Triton decides when it is loaded whether it interprets its kernels, for the
whole process. BLAS gets one thread there: the interpreter's tiles are small,
and on few busy cores two threads wait for each other.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["ask_apart"]


def ask_apart(
    function: str,
    questions: Sequence[Any],
    *,
    interpret: bool,
    timeout: float = 600,
) -> list[Any]:
    """Call a function on each question; give the answers in order.

    Parameters
    ----------
    function
        `module:name`.
    questions
        What to call it on; like the answers, good for JSON.
    interpret
        Whether Triton interprets or compiles there.
    timeout
        In seconds, for all questions together.

    Raises
    ------
    RuntimeError
        When the process fails; with what it said.

    Examples
    --------
    >>> ask_apart("math:sqrt", [4, 9], interpret=False)
    [2.0, 3.0]
    """
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    mode = {"TRITON_INTERPRET": "1" if interpret else "0"}
    done = subprocess.run(
        [sys.executable, "-m", "attn_course.flash.apart", function],
        input=json.dumps(questions),
        env={**os.environ, **one_thread, **mode},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if done.returncode:
        raise RuntimeError(f"{function} failed:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(importlib.import_module(module), name)
    json.dump([answer(x) for x in json.load(sys.stdin)], sys.stdout)
