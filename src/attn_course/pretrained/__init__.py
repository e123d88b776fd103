"""Real models: loading them, reading their attention, their shapes."""

from attn_course.pretrained.model import (
    Model,
    head,
    load,
)

__all__ = [
    "Model",
    "head",
    "load",
]
