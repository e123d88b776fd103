"""An executable course on the attention mechanism.

Importing this package loads NumPy and nothing heavier: each name below is
fetched from its module when it is first used.
"""

import lazy_loader as _lazy

from attn_course.optional import explain_imports as _explain_imports

__version__ = "0.1.0"

# Before any other module is loaded, as some stand on optional packages.
_explain_imports()

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "data",
        "figures",
        "flash",
        "lab",
        "masks",
        "pretrained",
        "widgets",
    ],
    submod_attrs={
        "functional": [
            "additive_weights",
            "attention",
            "attention_weights",
        ],
    },
)
