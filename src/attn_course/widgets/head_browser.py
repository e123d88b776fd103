"""`HeadBrowser`: every head of a model at a glance, by a measured score."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Float

from attn_course.arrays import as_array, as_layers, as_numbers, fit_shape
from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.functional import masked_softmax
from attn_course.html import html_table
from attn_course.interpret.head_scores import (
    THRESHOLD,
    TIMES,
    Reading,
    labelled,
)
from attn_course.widgets.base import CourseWidget

__all__ = ["HeadBrowser", "recorded_models"]

STEP = 1 / 1000  # scores travel as multiples of it
# What a browser draws at most: layers, heads of each; tokens of a map.
MOST, MOST_TOKENS = 256, 2048
NAMES = {
    "previous": ("previous word", "Weight on the word before."),
    "next": ("next word", "Weight on the word after."),
    "itself": ("itself", "Weight of a word on itself."),
    "same": ("same word", "Weight on the same word elsewhere."),
    "first": ("first token", "Weight on the first token, often a sink."),
    "separator": ("separator", "Weight on the separator at the end."),
    "punctuation": ("punctuation", "Weight of words on punctuation."),
    "spread": (
        "spread (broad)",
        "Entropy of the weights, divided by that of equal weights: 1 for a "
        "head that looks at all tokens alike.",
    ),
}
RULE = (
    f"A head earns a label when its score is at least {THRESHOLD:g} and "
    f"{TIMES:g} times what equal weights give; where the target depends on "
    f"the word that asks, also {TIMES:g} times what other words give the "
    "same targets."
)


class HeadBrowser(CourseWidget):
    """All heads of some models, coloured by a score that the reader picks.

    Parameters
    ----------
    models
        For each model a mapping: `measures`, and, for the map of the picked
        head, `weights` of shape `(L, H, n, n)` with their `tokens`; they may
        have a batch axis after the layers, as `outputs.attentions` of
        transformers, of which `batch` picks a text. A measure is an array of
        scores from 0 to 1, `(L, H)`, NaN where it can't be measured; an
        `interpret.head_scores.Reading`; or a mapping with `score` and, where
        there are, the controls `others` `(L, H)` and `uniform` (a number),
        `labelled` `(L, H)`, and `text`, what is measured. A model may lack
        a measure that another has.
    threshold
        Where the colour bar is marked: the least score that earns a label.
    rule
        How a head earns a label, in words.
    title, note, name
        Words above and below; the name in links.
    **state
        Start values of the traits: model, measure, layer, head (both
        counted from 1). By default the highest score of the first measure.

    Raises
    ------
    ValueError
        When shapes do not fit, or a score is not between 0 and 1.

    Examples
    --------
    >>> scores = np.array([[0.1, 0.9], [0.2, 0.3]])  # 2 layers of 2 heads
    >>> browser = HeadBrowser({"tiny": {"measures": {"previous": scores}}})
    >>> browser.layer, browser.head
    (1, 2)
    >>> browser.layer = 2
    >>> browser.scores["previous"].score
    0.3
    """

    _tag = "attn-heads"
    _reader: ClassVar[tuple[str, ...]] = ("model", "measure", "layer", "head")
    _constants = ("MOST", "MOST_TOKENS")

    model = traitlets.Unicode().tag(sync=True)
    measure = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Int(1).tag(sync=True)
    head = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        models: Mapping[str, Mapping[str, Any]],
        *,
        threshold: float | None = THRESHOLD,
        rule: str = RULE,
        title: str = "Every head by a measured score",
        note: str = "",
        name: str = "heads",
        **state: Any,
    ) -> None:
        if not models:
            raise ValueError("expected at least one model, got none")
        parts = {
            model: {
                measure: _parts(given, f"{measure!r} of {model}")
                for measure, given in parts.get("measures", {}).items()
            }
            for model, parts in models.items()
        }
        texts: dict[str, str] = {}
        for measures in parts.values():
            for measure, reading in measures.items():
                texts.setdefault(measure, reading["text"])
        packed = [
            _pack_model(model, models[model], measures, list(texts))
            for model, measures in parts.items()
        ]
        if threshold is not None:
            given = as_numbers("threshold", threshold, (), finite=True)
            threshold = float(given)
        source = {
            "measures": [{"name": m, "text": t} for m, t in texts.items()],
            "models": packed,
            "threshold": threshold,
            "rule": rule,
            "title": title,
            "note": note,
        }
        first, measure = next(iter(models)), next(iter(texts))
        if measure in parts[first]:
            score = parts[first][measure]["score"]
            best = np.where(np.isnan(score), -1.0, score).argmax()
            row, col = np.unravel_index(best, score.shape)
            start = {"layer": int(row) + 1, "head": int(col) + 1}
        else:
            start = {}
        start |= {"model": first, "measure": measure}
        super().__init__(name=name, source=source, **{**start, **state})

    @classmethod
    def from_recording(
        cls,
        recording: str = "head-readings",
        *,
        models: Sequence[str] | None = None,
        maps: Mapping[str, str] | None = None,
        by: str = "weights",
        **options: Any,
    ) -> "HeadBrowser":
        """Show the heads of the models that were read, or of some of them.

        `maps` names for a model the recording of one sentence; `by="norms"`
        takes the readings that weigh how long the values are. `options` are
        those of the class.
        """
        record = load_recording(recording)
        found = recorded_models(record, maps=maps, by=by)
        made = record["recorded"]
        note = (
            f"Means over {len(record['sentences'])} sentences, recorded "
            f"{made['date']} by “{made['command']}”. {record['rounding']} "
            f"Here to the nearest {STEP:g}."
        )
        chosen = {m: found[m] for m in models or found}
        return cls(chosen, **{"note": note, "name": recording, **options})

    @traitlets.validate("model", "measure")
    def _known(self, proposal: Any) -> str:
        name = proposal["trait"].name
        known = [entry["name"] for entry in self.source.get(f"{name}s", [])]
        if proposal["value"] not in known:
            raise ValueError(
                f"expected {name} among {known}, got {proposal['value']!r}"
            )
        return proposal["value"]

    @traitlets.validate("layer", "head")
    def _inside(self, proposal: Any) -> int:
        name = proposal["trait"].name
        most = max(m[f"{name}s"] for m in self.source.get("models", []))
        if not 1 <= proposal["value"] <= most:
            raise ValueError(
                f"expected {name} from 1 to {most}, got {proposal['value']}"
            )
        return proposal["value"]

    @property
    def scores(self) -> dict[str, Reading]:
        """What was measured of the picked head, as it travels (rounded).

        A model with fewer layers or heads than the pick shows its last.
        """
        model = self._model()
        at = (
            min(self.layer, model["layers"]) - 1,
            min(self.head, model["heads"]) - 1,
        )
        return {
            measure["name"]: Reading(
                float(unpack_array(reading["score"])[at]),
                float(unpack_array(reading["others"])[at])
                if reading["others"]
                else None,
                reading["uniform"],
            )
            for measure, reading in zip(
                self.source["measures"], model["readings"], strict=True
            )
            if reading
        }

    def table(self) -> str:
        """Give for each model and score the heads that stand out."""
        head = [
            "score", "heads with the label", "highest", "where",
            "other words", "equal weights",
        ]  # fmt: skip
        rows = [
            (f"{model['name']}: {measure['name']}", _stand_out(model, reading))
            for model in self.source["models"]
            for measure, reading in zip(
                self.source["measures"], model["readings"], strict=True
            )
            if reading
        ]
        title = f"{self.source['title']}. Heads as layer.head. "
        return html_table(title + self.source["rule"], head, rows)

    def _model(self) -> dict[str, Any]:
        (model,) = (
            m for m in self.source["models"] if m["name"] == self.model
        )
        return model


def recorded_models(
    record: Mapping[str, Any],
    *,
    maps: Mapping[str, str] | None = None,
    by: str = "weights",
) -> dict[str, dict[str, Any]]:
    """Give what `HeadBrowser` shows, from the recording `head-readings`.

    More measures can be put beside those: `models["MiniLM"]["measures"]`.

    Raises
    ------
    ValueError
        When `by` is neither "weights" nor "norms", or `maps` names a model
        that was not recorded.
    """
    if by not in ("weights", "norms"):
        raise ValueError(f"expected by='weights' or 'norms', got {by!r}")
    unknown = set(maps or {}) - set(record["models"])
    if unknown:
        raise ValueError(
            f"expected maps of {list(record['models'])}, got {sorted(unknown)}"
        )
    models = {}
    for name, model in record["models"].items():
        measures = {
            NAMES[measure][0]: _recorded(measure, packed)
            for measure, packed in model[by].items()
            if packed
        }
        title, text = NAMES["spread"]
        spread = unpack_array(model["spread"])
        measures[title] = {"score": spread, "text": text}
        models[name] = {"measures": measures}
    for name, recording in (maps or {}).items():
        models[name] |= _maps(load_recording(recording))
    return models


def _recorded(measure: str, packed: Mapping[str, Any]) -> dict[str, Any]:
    """Unpack one measure, and say which heads earn its label."""
    score, others = (unpack_array(packed[k]) for k in ("score", "others"))
    return {
        "score": score,
        "others": others,
        "uniform": packed["uniform"],
        "labelled": labelled(measure, score, others, packed["uniform"]),
        "text": NAMES[measure][1],
    }


def _maps(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turn recorded scores into the weights of all heads."""
    n = len(record["tokens"])
    scores = unpack_array(record["scores"]) * record["d_k"] ** -0.5
    allowed = np.tri(n, dtype=bool) if record.get("causal") else np.array(True)
    return {
        "weights": masked_softmax(scores, allowed),
        "tokens": record["tokens"],
    }


def _parts(given: Any, name: str) -> dict[str, Any]:
    """Bring a measure into one form, and check its numbers."""
    if isinstance(given, Reading):
        given = given._asdict()
    elif not isinstance(given, Mapping):
        given = {"score": given}
    if "score" not in given:
        raise ValueError(
            f"expected a score in {name}, got {sorted(map(str, given))}"
        )
    score = _from_0_to_1(given["score"], name, missing=True)
    if score.ndim != 2 or not score.size:
        raise ValueError(
            f"expected scores {name} of shape (layers, heads), "
            f"got {score.shape}"
        )
    parts: dict[str, Any] = {"score": score, "text": given.get("text", "")}
    uniform = given.get("uniform")
    if uniform is not None:
        uniform = as_numbers(f"uniform {name}", uniform, shape=())
        uniform = float(_from_0_to_1(uniform, f"uniform {name}", missing=True))
    # NaN: no word has a target, so nothing can be measured.
    parts["uniform"] = None if uniform is None or isnan(uniform) else uniform
    for part in ("others", "labelled"):
        array = given.get(part)
        if array is not None:
            array = as_array(f"{part} {name}", array)
            fit_shape(f"{part} {name}", array, score.shape)
        parts[part] = array
    if parts["others"] is not None:
        others = _from_0_to_1(parts["others"], f"others {name}", missing=True)
        parts["others"] = None if np.isnan(others).all() else others
    return parts


def _from_0_to_1(
    array: Any, name: str, *, missing: bool = False
) -> Float[np.ndarray, "..."]:
    """Check scores; where some may be missing, NaN stands for them."""
    array = as_numbers(f"scores {name}", array)
    # Weights sum to 1 only up to rounding.
    good = (array >= -STEP) & (array <= 1 + STEP)  # NaN is neither
    if missing:
        good |= np.isnan(array)
    if not good.all():
        raise ValueError(
            f"expected scores {name} from 0 to 1, got {array[~good][0]:g}"
        )
    return array


def _pack_model(
    name: str,
    given: Mapping[str, Any],
    measures: Mapping[str, dict[str, Any]],
    order: Sequence[str],
) -> dict[str, Any]:
    """Check that all of a model fits together, and pack it."""
    if not measures:
        raise ValueError(f"expected measures of {name}, got none")
    shapes = {reading["score"].shape for reading in measures.values()}
    if len(shapes) > 1:
        raise ValueError(
            f"expected scores of {name} of one shape, got {sorted(shapes)}"
        )
    ((layers, heads),) = shapes
    if max(layers, heads) > MOST:
        raise ValueError(
            f"expected at most {MOST} layers and heads of {name}, got "
            f"{layers} and {heads}"
        )
    tokens = given.get("tokens", ())
    if isinstance(tokens, str):
        raise ValueError("expected tokens as a list of texts, got one text")
    tokens = [str(token) for token in tokens]
    weights, batch = given.get("weights"), given.get("batch")
    if weights is not None:
        n = len(tokens)
        if not 1 <= n <= MOST_TOKENS:
            raise ValueError(
                f"expected 1 to {MOST_TOKENS} tokens for the weights of "
                f"{name}, got {n}"
            )
        weights = as_layers(f"weights of {name}", weights, batch=batch)
        fit_shape(f"weights of {name}", weights, (layers, heads, n, n))
        weights = pack_array(_from_0_to_1(weights, name), half=True)
    readings = [
        _pack_reading(measures[measure]) if measure in measures else None
        for measure in order
    ]
    return {
        "name": name,
        "layers": layers,
        "heads": heads,
        "readings": readings,
        "tokens": tokens,
        "weights": weights,
    }


def _pack_reading(reading: Mapping[str, Any]) -> dict[str, Any]:
    others, labels = reading["others"], reading["labelled"]
    return {
        "score": pack_array(reading["score"], step=STEP, missing=True),
        "others": None
        if others is None
        else pack_array(others, step=STEP, missing=True),
        "uniform": reading["uniform"],
        "labelled": None
        if labels is None
        else np.flatnonzero(labels).tolist(),
    }


def _stand_out(
    model: Mapping[str, Any], reading: Mapping[str, Any]
) -> list[str]:
    """Name the heads with the label, and the one that scores highest."""

    def name(c: int) -> str:
        layer, head = divmod(c, model["heads"])
        return f"{layer + 1}.{head + 1}"

    score = unpack_array(reading["score"]).ravel()
    labels = reading["labelled"]
    earned = "–" if labels is None else ", ".join(map(name, labels)) or "none"
    if np.isnan(score).all():
        return ["–" if earned == "none" else earned, *["–"] * 4]
    best = int(np.nanargmax(score))
    others = reading["others"]
    other = unpack_array(others).ravel()[best] if others else None
    return [
        earned,
        _two(score[best]),
        name(best),
        _two(other),
        _two(reading["uniform"]),
    ]


def _two(number: float | None) -> str:
    """Write two decimals, or a dash for what can't be measured."""
    return "–" if number is None or isnan(number) else f"{number:.2f}"
