"""Models of several families with random weights, small enough to make."""

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

SIZES = {
    "vocab_size": 8,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
}
LLAMA = {**SIZES, "num_key_value_heads": 2}
CONFIGS = {
    "bert": transformers.BertConfig(**SIZES),
    "roberta": transformers.RobertaConfig(**SIZES, pad_token_id=0),
    "llama": transformers.LlamaConfig(**LLAMA),
    "qwen2": transformers.Qwen2Config(**LLAMA),
    "relu": transformers.BertConfig(**SIZES, hidden_act="relu"),
    "stretched": transformers.LlamaConfig(
        **LLAMA,
        rope_parameters={
            "rope_type": "linear",
            "factor": 2.0,
            "rope_theta": 1e4,
        },
    ),
    "gpt2": transformers.GPT2Config(
        vocab_size=8, n_embd=24, n_layer=2, n_head=4, n_positions=16
    ),
    "t5": transformers.T5Config(
        vocab_size=8, d_model=24, d_kv=6, d_ff=40, num_layers=1, num_heads=4
    ),
}


WORDS = "[UNK] the cat sat on mat .".split()


def save(name: str, folder: Path) -> str:
    """Save a model and a tokenizer of six words; give the folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.AutoModel.from_config(CONFIGS[name])
    model.save_pretrained(folder)
    numbers = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]"
    ).save_pretrained(folder)
    return str(folder)
