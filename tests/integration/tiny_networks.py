"""Models of real architectures with few, random weights; made in milliseconds, the same every time."""

import copy
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BlenderbotConfig,
    BloomConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    OPTConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from tests.unit import tiny_tokenizers

VOCABULARY = 512
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_ENDS = {"bos_token_id": 0, "eos_token_id": 0}
_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    **_ENDS,
}
#: Those that run in slots.
CONFIGS: dict[str, PretrainedConfig] = {
    "gpt2": GPT2Config.from_dict(
        {"vocab_size": VOCABULARY, "n_positions": 256, "n_embd": 48, "n_layer": 2, "n_head": 4, **_ENDS}
    ),
    "llama": LlamaConfig.from_dict({**_SIZES, "num_key_value_heads": 2}),
    "qwen2": Qwen2Config.from_dict({**_SIZES, "num_key_value_heads": 2}),
    "qwen3": Qwen3Config.from_dict({**_SIZES, "num_key_value_heads": 2, "head_dim": 16}),
    "neox": GPTNeoXConfig.from_dict(_SIZES),
    "opt": OPTConfig.from_dict({**_SIZES, "ffn_dim": 96, "word_embed_proj_dim": 48}),
}
#: Those that slots can't hold.
FALLBACKS: dict[str, PretrainedConfig] = {
    "mistral with a sliding window": MistralConfig.from_dict({**_SIZES, "num_key_value_heads": 2, "sliding_window": 8}),
    "mamba": MambaConfig.from_dict({**_SIZES, "state_size": 4}),
    "bloom": BloomConfig.from_dict({"vocab_size": VOCABULARY, "hidden_size": 48, "n_layer": 2, "n_head": 4, **_ENDS}),
    "blenderbot": BlenderbotConfig.from_dict(
        {
            "vocab_size": VOCABULARY,
            "d_model": 48,
            "encoder_layers": 1,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 96,
            "decoder_ffn_dim": 96,
            "max_position_embeddings": 256,
            "decoder_start_token_id": 1,
        }
    ),
}


def save_tiny_network(architecture: str, folder: Path) -> Path:
    """Writes a model and a tokenizer with a chat template. Large initial weights make the greedy choice clear."""
    torch.manual_seed(0)
    config = copy.deepcopy((CONFIGS | FALLBACKS)[architecture])
    for name in ("initializer_range", "init_std"):
        if hasattr(config, name):
            setattr(config, name, 0.3)
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    network: PreTrainedModel = kind.from_config(config)  # type: ignore[no-untyped-call]  # theirs
    network.save_pretrained(folder)
    return tiny_tokenizers.byte_level(folder, CHATML)
