"""What users bring, as arrays: one conversion, and one set of words for it.

NumPy arrays, nested lists, torch tensors (whatever their dtype, device and
gradient) and tuples of layers, as transformers returns them, become NumPy
arrays here. What has no right reading is refused, in words that say what was
expected, what came and what to do. `attention`, which computes in the
library that it is given, asks the same checks. Nothing here loads torch.
"""

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_torch_array,
    to_device,
)
from jaxtyping import Bool, Float

__all__ = [
    "as_array",
    "as_layers",
    "as_mask",
    "as_numbers",
    "bring",
    "bring_mask",
    "check_filled",
    "check_plain",
    "fit_shape",
    "library",
]

Shape = tuple[int | None, ...]


def as_array(name: str, x: Any) -> np.ndarray:
    """Give what a user brings as a NumPy array of booleans or numbers.

    A tensor leaves its gradient and its device; bfloat16 becomes float32. A
    tuple or list of arrays is stacked. An array of NumPy stays the same
    object: change it only after a copy.

    Raises
    ------
    ValueError
        When it is no array of booleans or real numbers.

    Examples
    --------
    >>> as_array("weights", [[0.5, 0.5], (1, 0)]).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    array = _plain(name, x)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"expected {name} as real numbers, got {_described(x, array)}"
        )
    return array


def as_numbers(
    name: str,
    x: Any,
    shape: Shape | None = None,
    *,
    least_ndim: int = 0,
    finite: bool = False,
) -> Float[np.ndarray, "..."]:
    """Give what a user brings as float64.

    Parameters
    ----------
    name
        What the messages call it.
    x
        As `as_array` takes it.
    shape
        The shape wanted; None in it stands for any size.
    least_ndim
        How many dimensions it must have, where no shape is wanted.
    finite
        Refuse NaN and inf.

    Raises
    ------
    ValueError
        When it is no array of real numbers or does not fit.

    Examples
    --------
    >>> as_numbers("query", [1, 2], shape=(None,))
    array([1., 2.])
    """
    array = as_array(name, x)
    if array.ndim < least_ndim:
        raise ValueError(
            f"expected {name} with at least {least_ndim} dimensions, got "
            f"{array.ndim} ({name}.shape={array.shape})"
        )
    if shape is not None:
        fit_shape(name, array, shape)
    if finite and not np.isfinite(array).all():
        raise ValueError(
            f"expected finite numbers in {name}, got NaN or inf; "
            "hidden pairs go in mask=..."
        )
    if array.dtype.itemsize > 8:  # a longer float than float64
        most = np.finfo(np.float64).max
        array = np.where(np.isfinite(array), array.clip(-most, most), array)
    return array.astype(np.float64, copy=False)


def as_mask(
    name: str, mask: Any, shape: tuple[int, ...]
) -> Bool[np.ndarray, "..."]:
    """Give a mask of one shape, True = may look, if `attention` takes it.

    Examples
    --------
    >>> as_mask("mask", [True, False], (2, 2))
    array([[ True, False],
           [ True, False]])
    """
    mask = as_array(name, mask)
    ones = (mask == 1).any() and np.isin(mask, [0, 1]).all()
    instead = (
        f'where 1 means "may look", pass {name} == 1'
        if ones
        else f"of numbers that are added to the scores, pass {name} == 0"
    )
    mask = bring_mask(name, mask, np.empty(0), shape, instead=instead)
    return np.broadcast_to(mask, shape)


def as_layers(
    name: str,
    weights: Any,
    *,
    tokens: int | None = None,
    batch: int | None = None,
) -> Float[np.ndarray, "layers heads n n"]:
    """Give the attention maps of one text, `(layers, heads, n, n)`.

    Parameters
    ----------
    name
        What the messages call them.
    weights
        An array of that shape, or with a batch axis after the layers:
        `(layers, batch, heads, n, n)`, as `outputs.attentions` of
        transformers, a tuple of one tensor a layer.
    tokens
        How many tokens the text has, where that is known.
    batch
        Which text of the batch; a batch of one needs no choice.

    Raises
    ------
    ValueError
        When the shape is another, or a batch of several has no choice.

    Examples
    --------
    >>> layer = np.full((1, 2, 3, 3), 1 / 3)  # a batch of one, two heads
    >>> as_layers("weights", (layer, layer)).shape
    (2, 2, 3, 3)
    """
    array = _one_text(name, as_numbers(name, weights), batch)
    n = tokens if tokens is not None else (array.shape or (0,))[-1]
    if array.ndim != 4 or array.shape[2:] != (n, n) or 0 in array.shape:
        size = "n" if tokens is None else tokens
        raise ValueError(
            f"expected {name} of shape (layers, heads, {size}, {size}), or "
            f"with a batch axis after the layers, got {array.shape}"
        )
    return array


def fit_shape(name: str, x: Any, shape: Shape) -> None:
    """Check a shape; None stands for any size.

    Raises
    ------
    ValueError
        When it is another.
    """
    fits = len(x.shape) == len(shape) and all(
        want in (None, got) for want, got in zip(shape, x.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("d" if n is None else str(n) for n in shape)
        comma = "," if len(shape) == 1 else ""
        raise ValueError(
            f"expected {name} of shape ({wanted}{comma}), got {tuple(x.shape)}"
        )


# What `attention` asks of an array that stays in its library


def library(x: Any) -> str:
    """Name the library that an array comes from."""
    return array_namespace(x).__name__.removeprefix("array_api_compat.")


def check_plain(name: str, x: Any) -> None:
    """Check for an array in which every number stands where it seems to.

    Raises
    ------
    ValueError
        When it is masked, sparse, nested or quantized, or no array.
    """
    if not is_array_api_obj(x):
        raise ValueError(
            f"expected {name} to be a NumPy array or a torch tensor, got "
            f"{type(x).__name__}"
        )
    if (odd := _odd(x)) is not None:
        raise ValueError(f"expected {name} as a plain array, got {odd}")


def check_filled(name: str, x: Any) -> None:
    """Check that a tensor is more than a shape.

    Raises
    ------
    ValueError
        When it is on torch's device "meta".
    """
    if str(device(x)) == "meta":
        raise ValueError(
            f"expected {name} with numbers in it, got device=meta, which "
            "keeps shapes only"
        )


def bring(name: str, x: Any, like: Any, shape: tuple[int, ...]) -> Any:
    """Bring a mask or bias to the library and device of `like`.

    Raises
    ------
    ValueError
        When it is of a third library, does not broadcast to `shape`, or
        holds no numbers.
    """
    known = is_array_api_obj(x)
    if not known or library(x) not in ("numpy", library(like)):
        raise ValueError(
            f"expected {name} to be an array of {library(like)} or NumPy, "
            f"got {library(x) if known else type(x).__name__}"
        )
    check_plain(name, x)
    check_filled(name, x)
    try:
        fits = np.broadcast_shapes(tuple(x.shape), shape) == tuple(shape)  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"expected {name} to broadcast to the scores' shape "
            f"{tuple(shape)}, got {tuple(x.shape)}"  # pyright: ignore[reportAttributeAccessIssue]
        )
    if library(x) == library(like):
        return to_device(x, device(like))
    # A plain copy: torch takes no negative strides and no read-only memory.
    copy = np.array(x, order="C")
    try:
        return array_namespace(like).asarray(copy, device=device(like))
    except TypeError:
        raise ValueError(
            f"expected {name} as booleans or numbers, got {x.dtype}"  # pyright: ignore[reportAttributeAccessIssue]
        ) from None


def bring_mask(
    name: str,
    mask: Any,
    like: Any,
    shape: tuple[int, ...],
    *,
    instead: str = "numbers to add to the scores go into bias",
) -> Any:
    """Check that a mask is boolean; bring it to where `like` is.

    Raises
    ------
    ValueError
        As `bring`; when the mask is not boolean.
    """
    mask = bring(name, mask, like, shape)
    if not array_namespace(mask).isdtype(mask.dtype, "bool"):
        raise ValueError(
            f'expected {name} of dtype bool (True means "may look"), got '
            f"{mask.dtype}: {instead}"
        )
    return mask


# How it is done


def _plain(name: str, x: Any) -> np.ndarray:
    """Turn anything into an array of NumPy; errors are ours."""
    if type(x) is np.ndarray:
        return x
    if isinstance(x, list | tuple) and _holds_arrays(x):
        return _stacked(name, x)
    if is_array_api_obj(x):
        check_plain(name, x)
    try:
        if is_torch_array(x):
            return _from_torch(x)
        return np.asarray(x)
    except Exception as error:
        # Whatever a foreign object does when it is asked for an array.
        said = (str(error).splitlines() or [""])[0]
        if "inhomogeneous" in said:
            said = "its parts differ in length"
        raise ValueError(
            f"expected {name} as an array of numbers, got "
            f"{type(x).__name__}: {said}"
        ) from error


def _from_torch(x: Any) -> np.ndarray:
    """Give a tensor's numbers, without its gradient, from any device."""
    x = x.detach().cpu().resolve_conj().resolve_neg()
    if x.is_floating_point() and x.itemsize < 4:
        x = x.float()  # NumPy knows no bfloat16
    return x.numpy()


def _holds_arrays(items: Sequence[Any]) -> bool:
    """Say whether a list, or its first lists, hold arrays, not numbers."""
    while isinstance(items, list | tuple) and len(items):
        items = items[0]
    # NumPy stacks its own numbers; a tensor may need its gradient taken off.
    return is_array_api_obj(items) and (
        items.ndim > 0 or is_torch_array(items)  # pyright: ignore[reportAttributeAccessIssue]
    )


def _stacked(name: str, items: Sequence[Any]) -> np.ndarray:
    """Stack arrays, as of layers."""
    arrays = [_plain(name, item) for item in items]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"expected the parts of {name} to have one shape, "
            f"got {sorted(set(shapes))}"
        )
    return np.stack(arrays)


def _one_text(name: str, array: np.ndarray, batch: int | None) -> np.ndarray:
    """Pick a text where there is a batch axis, the second of five."""
    if array.ndim != 5:
        if batch is None:
            return array
        raise ValueError(
            f"expected {name} of shape (layers, batch, heads, n, n) to take "
            f"batch={batch} of it, got {array.shape}"
        )
    size = array.shape[1]
    if batch is None and size == 1:
        return array[:, 0]
    whole = isinstance(batch, numbers.Integral) and not isinstance(batch, bool)
    if not (whole and 0 <= batch < size):  # pyright: ignore[reportOperatorIssue]
        raise ValueError(
            f"expected batch=0 to {size - 1}, which of {size} texts, "
            f"got {batch!r} ({name}.shape={array.shape})"
        )
    return array[:, batch]


def _odd(x: Any) -> str | None:
    """Say what keeps an array from being plain; None where nothing does."""
    if isinstance(x, np.ma.MaskedArray):
        return (
            "a masked one: give its numbers as x.filled(0), and hide pairs "
            "with mask"
        )
    if not is_torch_array(x):
        return None
    if type(x).__name__ == "MaskedTensor":
        return "a masked one: hide pairs with mask"
    if x.is_nested:
        return "a nested one: x.to_padded_tensor(0) makes it plain"
    if str(x.layout) != "torch.strided":
        return "a sparse one: x.to_dense() makes it plain"
    if x.is_quantized:
        return "a quantized one: x.dequantize() makes it plain"
    return None


def _described(x: Any, array: np.ndarray) -> str:
    """Say what came, when it was no numbers."""
    if isinstance(x, list | tuple) and x and all(i is None for i in x):
        return (
            "None: a model of transformers gives its weights when it is "
            'loaded with attn_implementation="eager" and called with '
            "output_attentions=True"
        )
    if array.ndim == 0 and array.dtype.kind in "OSU":
        return f"{type(x).__name__} {x!r:.60}"
    return f"dtype={array.dtype}, shape={array.shape}"
