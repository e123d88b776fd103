"""The data of the course, which travels inside the package."""

from attn_course.data.assets import asset_names, data_uri, load_asset
from attn_course.data.digits import Digits, load_digits
from attn_course.data.packing import pack_array, unpack_array
from attn_course.data.photos import Photo, Region, load_photos
from attn_course.data.proteins import Chain, load_chains
from attn_course.data.series import Series, load_series
from attn_course.data.store import (
    load_recording,
    recordings,
    save_recording,
)
from attn_course.data.utterances import Utterances, load_utterances
from attn_course.data.voices import VOICES, Voice, load_voice, voice_asset

__all__ = [
    "VOICES",
    "Chain",
    "Digits",
    "Photo",
    "Region",
    "Series",
    "Utterances",
    "Voice",
    "asset_names",
    "data_uri",
    "load_asset",
    "load_chains",
    "load_digits",
    "load_photos",
    "load_recording",
    "load_series",
    "load_utterances",
    "load_voice",
    "pack_array",
    "recordings",
    "save_recording",
    "unpack_array",
    "voice_asset",
]
