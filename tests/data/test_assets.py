"""Pictures and sounds: read by name, shipped as scripts that load lazily."""

import base64
import json
import re

import pytest

from attn_course.data import asset_names, assets, data_uri, load_asset
from attn_course.site.assets import write_scripts


@pytest.fixture
def one_sound(tmp_path, monkeypatch):
    """Put one small file where the package's data are."""
    folder = tmp_path / "data" / "sounds"
    folder.mkdir(parents=True)
    (folder / "click.wav").write_bytes(b"RIFF\x00\xff")
    (folder / "about.toml").write_text("a = 1")
    monkeypatch.setattr(assets.resources, "files", lambda _: tmp_path)
    return "sounds/click.wav"


def test_only_pictures_and_sounds_are_assets(one_sound):
    assert asset_names() == [one_sound]
    assert load_asset(one_sound) == b"RIFF\x00\xff"


def test_an_unknown_name_lists_those_there_are(one_sound):
    with pytest.raises(ValueError, match=r"expected one of .*click.*, got"):
        load_asset("../secret")


def test_each_asset_is_one_call_that_hands_over_its_bytes(one_sound, tmp_path):
    (path,) = write_scripts(tmp_path / "site")
    assert path == tmp_path / "site" / f"{one_sound}.js"
    name, uri = json.loads(
        "[" + re.fullmatch(r"attnAsset\((.*)\)", path.read_text())[1] + "]"
    )
    assert name == one_sound
    assert uri == data_uri(one_sound)
    kind, text = uri.split(";base64,")
    assert kind == "data:audio/wav"
    assert base64.b64decode(text) == b"RIFF\x00\xff"
