"""Compile the Triton kernels for GPUs that are not here, and read the code.

Triton brings NVIDIA's assembler and disassembler, so that neither a GPU nor a
driver is needed. What comes out is machine code for a card: how many registers
and how much shared memory a program takes, what did not fit, and whether
tensor cores take part. How fast it is it does not say.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attn_course.flash.apart import ask_apart
from attn_course.flash.cards import Capability, Tiles, tiles_for
from attn_course.optional import need

__all__ = ["TENSOR_CORES", "Code", "Target", "code_of", "compile_for"]

# The instructions by which tensor cores multiply: Ampere's and Ada's,
# Hopper's, Blackwell's.
TENSOR_CORES = ("HMMA", "HGMMA", "UTCHMMA")
SHORT = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}


class Target(NamedTuple):
    """What to compile, and for which card."""

    kernel: str  # one of `cards.KERNELS`
    capability: Capability
    dtype: str
    d: int
    causal: bool = True
    tiles: tuple[int, ...] | None = None  # as in `Tiles`; None: the default
    # Arguments that are known to be 1: Triton makes such numbers constants.
    ones: tuple[str, ...] = ()


class Code(NamedTuple):
    """What the machine code tells."""

    registers: int  # of a thread, of 255 at most
    spilled: int  # bytes of a thread that registers did not hold
    shared: int  # bytes of shared memory of a program
    tensor_cores: dict[str, int]  # instructions, by name; those that occur
    multiply_adds: int  # FFMA instructions: one number each, no tensor core


def compile_for(targets: Sequence[Target]) -> list[Code]:
    """Compile each target, in a process that compiles; read the code.

    Takes 1 to 10 seconds a target the first time; Triton keeps the code.

    Raises
    ------
    RuntimeError
        When Triton is not there or refuses; with what it said.
    """
    answers = ask_apart(f"{__name__}:code_of", targets, interpret=False)
    return [Code(*answer) for answer in answers]


def code_of(target: Sequence[Any]) -> Code:
    """Compile one target here. Needs a process that does not interpret."""
    triton = need("triton")
    GPUTarget = need("triton.backends.compiler").GPUTarget
    ASTSource = need("triton.compiler").ASTSource

    from attn_course.flash import triton_kernels

    target = Target(*target)
    capability = tuple(target.capability)
    chosen = tiles_for(capability, target.dtype, target.d, target.kernel)  # pyright: ignore[reportArgumentType]
    tiles = Tiles(*target.tiles) if target.tiles else chosen
    kernel = getattr(triton_kernels, target.kernel)
    constants = _constants(target, tiles)
    source = ASTSource(
        kernel,
        {
            name: _type(name, target.dtype, constants)
            for name in kernel.arg_names
        },
        constants,
        {
            # torch's arrays begin at multiples of 16 bytes.
            (place,): [["tt.divisibility", 16]]
            for place, name in enumerate(kernel.arg_names)
            if name.endswith("_ptr")
        },
    )
    major, minor = capability
    compiled = triton.compile(
        source,
        target=GPUTarget("cuda", 10 * major + minor, 32),
        options={"num_warps": tiles.warps, "num_stages": tiles.stages},
    )
    return _read(compiled.asm["cubin"], compiled.metadata.shared)


def _constants(target: Target, tiles: Tiles) -> dict[str, Any]:
    """Give what is known when a kernel is compiled."""
    from attn_course.flash.gpu import block_d

    return {
        "CAUSAL": target.causal,
        "D": target.d,
        "BLOCK_D": block_d(target.d),
        "BLOCK_Q": tiles.block_q,
        "BLOCK_K": tiles.block_k,
        **dict.fromkeys(target.ones, 1),
    }


def _type(name: str, dtype: str, constants: Mapping[str, Any]) -> str:
    """Give the type of one of a kernel's arguments, as Triton writes it."""
    if name in constants:
        return "constexpr"
    if name in ("lse_ptr", "delta_ptr"):
        return "*fp32"
    if name.endswith("_ptr"):
        return f"*{SHORT[dtype]}"
    return "fp32" if name == "scale" else "i32"


def _read(binary: bytes, shared: int) -> Code:
    """Read machine code with the disassembler that Triton brings."""
    triton = need("triton")
    program = triton.knobs.nvidia.cuobjdump.path
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(binary)
        usage, listing = (
            subprocess.run(
                [program, option, path],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for option in ("-res-usage", "-sass")
        )
    return Code(
        registers=_number("REG", usage),
        spilled=_number("STACK", usage),
        shared=shared,
        tensor_cores={
            name: count
            for name in TENSOR_CORES
            if (count := _count(name, listing))
        },
        multiply_adds=_count("FFMA", listing),
    )


def _number(name: str, usage: str) -> int:
    """Read `NAME:number`."""
    return int(re.search(rf"\b{name}:(\d+)", usage)[1])  # pyright: ignore[reportOptionalSubscript]


def _count(instruction: str, listing: str) -> int:
    """Count an instruction in all its forms."""
    return len(re.findall(rf"\b{instruction}\b", listing))
