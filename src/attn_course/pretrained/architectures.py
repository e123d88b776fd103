"""Where real models keep the parts of their layers, family by family."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any

from attn_course.masks import check_count

__all__ = ["FAMILIES", "Family", "family_of", "rotary_base"]


@dataclass(frozen=True)
class Family:
    """Models built alike, as transformers names their parts.

    Attributes
    ----------
    types
        The values of `config.model_type` that belong here.
    layers
        Where the model keeps its list of layers.
    parts
        Our name of each part of a layer, and theirs.
    build
        Makes our layer, of the size that a config says.
    rotary
        Whether queries and keys are turned by their position.
    """

    types: tuple[str, ...]
    layers: str
    parts: dict[str, str]
    build: Callable[[Any], Any]
    rotary: bool = False

    def layers_of(self, model: Any) -> list[Any]:
        """List the layers of a model."""
        return list(attrgetter(self.layers)(model))

    def part(self, layer: Any, name: str) -> Any:
        """Give one part of a layer, by our name."""
        return attrgetter(self.parts[name])(layer)

    def our_layer(self, model: Any, number: int) -> Any:
        """Make our layer with the weights of a model's, from 0.

        Raises
        ------
        ValueError
            When there is no such layer, or it has weights that ours has
            not, or other sizes.
        """
        layers = self.layers_of(model)
        check_count("number", number)
        if number >= len(layers):
            raise ValueError(
                f"expected a layer from 0 to {len(layers) - 1}, got {number}"
            )
        theirs = layers[number].state_dict()
        ours = self.build(model.config)
        wanted = {
            name: f"{self.parts[part]}.{kind}"
            for name in ours.state_dict()
            for part, _, kind in [name.partition(".")]
        }
        odd = set(theirs) ^ set(wanted.values())
        if odd:
            raise ValueError(
                f"expected the weights of {type(ours).__name__}, got a layer "
                f"that differs in {sorted(odd)}"
            )
        ours.load_state_dict({k: theirs[v] for k, v in wanted.items()})
        return ours.eval()


def family_of(config: Any) -> Family:
    """Find the family of a model.

    Raises
    ------
    ValueError
        When it belongs to none; the message lists those that are known.
    """
    for family in FAMILIES:
        if config.model_type in family.types:
            return family
    known = [name for family in FAMILIES for name in family.types]
    raise ValueError(
        f"expected a model of type {known} to look for queries, keys and "
        f"values, got {config.model_type!r}: only its tokens and attention "
        "maps can be read"
    )


def rotary_base(config: Any) -> float:
    """Give the base of a model's rotary positions.

    Raises
    ------
    ValueError
        When its positions are stretched in one of the later ways.
    """
    # transformers 5 keeps them together, older ones apart.
    rope = getattr(config, "rope_parameters", None) or {
        "rope_theta": config.rope_theta,
        **(getattr(config, "rope_scaling", None) or {}),
    }
    kind = rope.get("rope_type", "default")
    if kind != "default":
        raise ValueError(
            f"expected plain rotary positions, got rope_type={kind!r}"
        )
    return float(rope["rope_theta"])


def _encoder_layer(config: Any) -> Any:
    """Make an empty layer of a BERT-like model."""
    _check_activation(config, "gelu")
    return import_module("attn_course.nn.encoder").EncoderLayer(
        config.hidden_size,
        config.num_attention_heads,
        config.intermediate_size,
        eps=config.layer_norm_eps,
    )


def _causal_block(config: Any) -> Any:
    """Make an empty block of a Llama-like model."""
    _check_activation(config, "silu")
    return import_module("attn_course.nn.encoder").CausalBlock(
        config.hidden_size,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.intermediate_size,
        base=rotary_base(config),
        eps=config.rms_norm_eps,
    )


def _check_activation(config: Any, wanted: str) -> None:
    if config.hidden_act != wanted:
        raise ValueError(
            f"expected hidden_act={wanted!r}, got {config.hidden_act!r}"
        )


FAMILIES = (
    Family(
        types=("bert", "camembert", "electra", "roberta", "xlm-roberta"),
        layers="encoder.layer",
        parts={
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "output": "attention.output.dense",
            "norm_1": "attention.output.LayerNorm",
            "widen": "intermediate.dense",
            "narrow": "output.dense",
            "norm_2": "output.LayerNorm",
        },
        build=_encoder_layer,
    ),
    Family(
        types=("llama", "qwen2"),
        layers="layers",
        parts={
            "query": "self_attn.q_proj",
            "key": "self_attn.k_proj",
            "value": "self_attn.v_proj",
            "output": "self_attn.o_proj",
            "norm_1": "input_layernorm",
            "gate": "mlp.gate_proj",
            "widen": "mlp.up_proj",
            "narrow": "mlp.down_proj",
            "norm_2": "post_attention_layernorm",
        },
        build=_causal_block,
        rotary=True,
    ),
)
