"""`KVCacheMeter`: what published models keep of a text while they write."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import traitlets

from attn_course.html import html_table
from attn_course.pretrained.shapes import ModelShape, load_model_shapes
from attn_course.widgets.base import CourseWidget

__all__ = ["KVCacheMeter"]

# Encoders write nothing, so they keep nothing.
ENCODERS = ("BERT base", "BERT large", "all-MiniLM-L6")
LONGEST = 131_072
MOST_HEADS = 1024


class KVCacheMeter(CourseWidget):
    """The memory of a KV cache, from the published shape of a model.

    Parameters
    ----------
    models
        Names from `model_shapes.load_model_shapes`; all that write unless
        told.
    title, note, name
        Words above and below; the name in links.
    **state
        Start values of the traits: model, kv_heads (0: as published), length
        (tokens), batch (texts at once), bits (of a number: 8, 16 or 32).

    Raises
    ------
    ValueError
        When a model is not known.

    Examples
    --------
    >>> meter = KVCacheMeter(model="Llama 3 8B", length=1000)
    >>> meter.memory  # bytes
    131072000
    >>> meter.kv_heads = 32  # as many as there are query heads
    >>> meter.memory
    524288000
    """

    _tag = "attn-kv-cache"
    _reader: ClassVar[tuple[str, ...]] = (
        "model", "kv_heads", "length", "batch", "bits",
    )  # fmt: skip
    _constants = ("MOST_HEADS",)

    model = traitlets.Unicode().tag(sync=True)
    kv_heads = traitlets.Int(0, min=0, max=MOST_HEADS).tag(sync=True)
    length = traitlets.Int(4096, min=1, max=LONGEST).tag(sync=True)
    batch = traitlets.Int(1, min=1, max=256).tag(sync=True)
    bits = traitlets.Enum((8, 16, 32), 16).tag(sync=True)

    def __init__(
        self,
        models: Sequence[str] | None = None,
        *,
        title: str = "What a KV cache weighs",
        note: str = "",
        name: str = "kv-cache",
        **state: Any,
    ) -> None:
        known = load_model_shapes()
        chosen = [m for m in known if m not in ENCODERS]
        chosen = chosen if models is None else list(models)
        unknown = [m for m in chosen if m not in known]
        if unknown or not chosen:
            raise ValueError(f"expected models in {list(known)}, got {chosen}")
        self._shapes = {m: known[m] for m in chosen}
        source = {
            "models": [_packed(shape) for shape in self._shapes.values()],
            "title": title,
            "note": note,
        }
        usual = "Llama 3 8B"
        start = {"model": usual if usual in chosen else chosen[0]}
        super().__init__(name=name, source=source, **{**start, **state})

    @traitlets.validate("model")
    def _known_model(self, proposal: Any) -> str:
        if proposal["value"] not in self._shapes:
            raise traitlets.TraitError(
                f"expected a model in {list(self._shapes)}, "
                f"got {proposal['value']!r}"
            )
        return proposal["value"]

    @property
    def memory(self) -> int:
        """The bytes of the cache."""
        return self._bytes(self._shapes[self.model], self.kv_heads)

    def _bytes(self, shape: ModelShape, kv_heads: int) -> int:
        """Count bytes; a number of heads that can't be is as published."""
        if kv_heads and shape.heads % kv_heads == 0:
            shape = shape._replace(kv_heads=kv_heads, latent=0)
        return shape.cache_bytes(
            self.length, batch=self.batch, bytes_each=self.bits // 8
        )

    def table(self) -> str:
        """Give the cache of every model, as published, as an HTML table."""
        rows = [
            (
                shape.name,
                [
                    str(shape.layers),
                    str(shape.heads),
                    str(shape.kv_heads),
                    f"{self._bytes(shape, 0) / 1e9:.2f}",
                ],
            )
            for shape in self._shapes.values()
        ]
        title = (
            f"{self.source['title']}: {self.length} tokens, "
            f"texts at once: {self.batch}, {self.bits} bits"
        )
        head = ["model", "layers", "heads", "heads of keys", "GB"]
        return html_table(title, head, rows)


def _packed(shape: ModelShape) -> dict[str, Any]:
    """Give what the browser needs of a model, and its source in words."""
    names = ("name", "layers", "heads", "kv_heads", "d_head", "latent")
    first, year = re.findall(r"^([a-z]+)(\d{4})", shape.key)[0]
    return {
        **{name: getattr(shape, name) for name in names},
        "source": f"{first.title()} {year}, {shape.where}",
    }
