"""How many layers and heads real models have, as published."""

import csv
from importlib import resources
from typing import NamedTuple

__all__ = ["ModelShape", "load_model_shapes"]


class ModelShape(NamedTuple):
    """The sizes of one model.

    `layers` counts one stack: the encoder-decoders here (Transformer, T5)
    have a second one as high. `d_head` is the length of a head's values.
    `latent` is how many numbers a layer keeps of each token where keys and
    values are computed from a shared shorter vector (multi-head latent
    attention), else 0. `key` is that of the source in references.bib,
    `where` the place in it.
    """

    name: str
    year: int
    layers: int
    heads: int
    kv_heads: int
    d_model: int
    d_head: int
    latent: int
    key: str
    where: str

    @property
    def kept_per_token(self) -> int:
        """Count the numbers that all layers of a stack cache of a token.

        >>> load_model_shapes()["Llama 3 8B"].kept_per_token
        65536
        """
        keys_and_values = 2 * self.kv_heads * self.d_head
        return self.layers * (self.latent or keys_and_values)

    def cache_bytes(
        self, n: int, *, batch: int = 1, bytes_each: int = 2
    ) -> int:
        """Count the bytes that a stack's cache of n tokens takes.

        layers · 2 · kv_heads · d_head · n · batch · bytes of a number; with
        latent attention layers · latent · n · … instead. Numbers of 16 bits
        take 2 bytes.

        >>> shape = load_model_shapes()["Llama 3 8B"]
        >>> shape.cache_bytes(8192) / 2**30  # GiB
        1.0
        """
        return self.kept_per_token * n * batch * bytes_each


def load_model_shapes() -> dict[str, ModelShape]:
    """Read the models by name, in order of years.

    Examples
    --------
    >>> shapes = load_model_shapes()
    >>> base = shapes["BERT base"]
    >>> base.heads, base.d_head, base.d_model
    (12, 64, 768)
    """
    file = resources.files("attn_course") / "data/model-shapes.csv"
    rows = csv.DictReader(file.read_text("utf-8").splitlines())
    texts = ("name", "key", "where")
    shapes = [
        ModelShape(
            **{k: v if k in texts else int(v or 0) for k, v in row.items()}  # pyright: ignore[reportArgumentType]
        )
        for row in rows
    ]
    return {shape.name: shape for shape in shapes}
