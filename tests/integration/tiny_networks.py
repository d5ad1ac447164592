"""Models of real architectures with few, random weights; made in milliseconds, the same every time."""

from pathlib import Path

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tests.unit import tiny_tokenizers

VOCABULARY = 512
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONFIGS: dict[str, PretrainedConfig] = {
    "gpt2": GPT2Config(
        vocab_size=VOCABULARY, n_positions=256, n_embd=48, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
    ),
    "llama": LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
    ),
    "qwen2": Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
    ),
}


NETWORKS: dict[str, type[PreTrainedModel]] = {
    "gpt2": GPT2LMHeadModel,
    "llama": LlamaForCausalLM,
    "qwen2": Qwen2ForCausalLM,
}


def save_tiny_network(architecture: str, folder: Path) -> Path:
    """Writes a model and a tokenizer with a chat template. Large initial weights make the greedy choice clear."""
    torch.manual_seed(0)
    config = CONFIGS[architecture]
    config.initializer_range = 0.3
    NETWORKS[architecture](config).save_pretrained(folder)
    return tiny_tokenizers.byte_level(folder, CHATML)
