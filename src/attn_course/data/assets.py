"""Files that a widget loads when it comes into view: what it shows or runs."""

import base64
from importlib import resources

__all__ = ["asset_names", "data_uri", "load_asset"]

FOLDERS = ("pictures", "sounds", "weights")
# The rest of these folders says what the files show and who may use them.
KINDS = {
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "png": "image/png",
    "safetensors": "application/octet-stream",
    "wav": "audio/wav",
    "webp": "image/webp",
}


def asset_names() -> list[str]:
    """Name every picture, sound and model, as `pictures/NAME.jpg`."""
    data = resources.files("attn_course") / "data"
    return sorted(
        f"{folder}/{file.name}"
        for folder in FOLDERS
        if (data / folder).is_dir()
        for file in (data / folder).iterdir()
        if _suffix(file.name) in KINDS
    )


def load_asset(name: str) -> bytes:
    """Read one picture, sound or model.

    Raises
    ------
    ValueError
        When there is none of that name; the message lists those there are.
    """
    if name not in asset_names():
        raise ValueError(f"expected one of {asset_names()}, got {name!r}")
    return (resources.files("attn_course") / "data" / name).read_bytes()


def data_uri(name: str) -> str:
    """Give one of them as a data URI, as a browser reads it."""
    text = base64.b64encode(load_asset(name)).decode("ascii")
    return f"data:{KINDS[_suffix(name)]};base64,{text}"


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
