"""The data of the course: recordings that travel inside the package."""

from attn_course.data.packing import pack_array, unpack_array
from attn_course.data.store import (
    load_recording,
    recordings,
    save_recording,
)

__all__ = [
    "load_recording",
    "pack_array",
    "recordings",
    "save_recording",
    "unpack_array",
]
