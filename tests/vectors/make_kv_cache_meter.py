"""Write kv_cache_meter.json: KVCacheMeter, by plain loops over what is kept.

`python tests/vectors/make_kv_cache_meter.py` writes the file again.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent

# name, layers, heads, heads of keys and values, d_head, latent
SHAPES = [
    ("small", 2, 4, 2, 3, 0),
    ("full", 3, 6, 6, 2, 0),
    ("latent", 2, 8, 8, 4, 5),
    ("shared by all", 1, 4, 1, 8, 0),
]
# kv_heads (0: as published), tokens, texts, bits
STATES = [(0, 7, 1, 16), (0, 5, 3, 32), (1, 4, 2, 8), (3, 2, 1, 16)]


def kept(layers, heads, kv_heads, d_head, latent, chosen):
    """Count the numbers kept of a token, one by one."""
    own = chosen > 0 and heads % chosen == 0
    shared, count = chosen if own else kv_heads, 0
    for _ in range(layers):
        if latent and not own:
            count += latent
            continue
        for _ in range(shared):
            count += d_head  # a key
            count += d_head  # a value
    return count


def make():
    """Try every shape with every state."""
    names = ("name", "layers", "heads", "kv_heads", "d_head", "latent")
    cases = []
    for name, *sizes in SHAPES:
        for chosen, length, batch, bits in STATES:
            numbers = 0
            for _ in range(batch * length):
                numbers += kept(*sizes, chosen)
            shape = dict(zip(names, [name, *sizes], strict=True))
            state = {
                "model": name,
                "kv_heads": chosen,
                "length": length,
                "batch": batch,
                "bits": bits,
            }
            cases.append(
                {
                    "shape": {**shape, "source": ""},
                    "state": state,
                    "bytes": numbers * bits // 8,
                }
            )
    return cases


if __name__ == "__main__":
    text = json.dumps(make(), indent=1) + "\n"
    (HERE / "kv_cache_meter.json").write_text(text, "utf-8")
