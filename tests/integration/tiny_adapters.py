"""LoRA adapters for the tiny networks, made by PEFT, and what PEFT itself computes with them."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM


def save_adapter(base: Path, folder: Path, seed: int, **options: Any) -> Path:
    """Random in A and in B, as if it were trained."""
    torch.manual_seed(seed)
    network = AutoModelForCausalLM.from_pretrained(base)
    plain: dict[str, Any] = {"r": 4, "lora_alpha": 8, "init_lora_weights": False, "target_modules": "all-linear"}
    layout = {"fan_in_fan_out": network.config.model_type == "gpt2"}
    config = LoraConfig(task_type="CAUSAL_LM", **(plain | layout | options))
    get_peft_model(network, config).save_pretrained(str(folder))
    return folder


def adapted(base: Path, adapter: Path | None, *, merged: bool = False) -> Any:
    """The model as PEFT runs it."""
    network: Any = AutoModelForCausalLM.from_pretrained(base)
    if adapter is None:
        return network
    laid_over: Any = PeftModel.from_pretrained(network, adapter)
    return laid_over.merge_and_unload() if merged else laid_over


def greedy(network: Any, prompt: tuple[int, ...], new_tokens: int) -> tuple[int, ...]:
    ids = torch.tensor([prompt])
    lengths = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
    output = network.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0, **lengths
    )
    return tuple(output[0, len(prompt) :].tolist())


def log_probability(network: Any, prefix: tuple[int, ...], continuation: tuple[int, ...]) -> float:
    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([prefix + continuation])).logits[0]
    predicted = logits[len(prefix) - 1 : -1].log_softmax(dim=-1)
    return float(predicted.gather(1, torch.tensor(continuation).unsqueeze(1)).sum())
