"""Flash attention: exact attention that never holds the n × n scores.

Each name is fetched from its module when it is first used, so that what
needs torch or Triton is loaded by those who ask for it.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["bench", "cards", "softmax", "steps", "traffic"],
    submod_attrs={
        "fast": ["flash_attention", "flash_attention_backward"],
        "gpu": ["triton_attention", "triton_status", "use_interpreter"],
        "memory": ["ChipFull", "SlowMemory"],
        "naive": ["naive_attention", "naive_attention_in_place"],
        "requested": ["count_requests", "requested_bytes"],
        "softmax": [
            "EMPTY",
            "State",
            "merge",
            "naive_softmax",
            "online_attention",
            "online_softmax",
            "safe_softmax",
            "state_of",
            "update",
        ],
        "tiled": [
            "tiled_attention",
            "tiled_attention_by_query",
            "tiled_backward",
        ],
    },
)
