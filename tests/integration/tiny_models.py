"""Tiny models of real architectures with random weights, made on the spot."""

import json
from pathlib import Path

import torch
import transformers


def tiny_gpt2() -> transformers.GPT2LMHeadModel:
    torch.manual_seed(0)
    sizes = {"vocab_size": 259, "n_positions": 64, "n_embd": 128, "n_layer": 2, "n_head": 2}
    config = transformers.GPT2Config.from_dict({**sizes, "bos_token_id": 258, "eos_token_id": 258})
    model = transformers.GPT2LMHeadModel(config)
    model.train(mode=False)
    return model


def rounded(model: transformers.GPT2LMHeadModel) -> transformers.GPT2LMHeadModel:
    """Its weights as they are after a stay in fp16."""
    model.load_state_dict({name: tensor.half().float() for name, tensor in model.state_dict().items()})
    return model


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        output: torch.Tensor = model(torch.tensor([[1, 2, 3, 258, 4]])).logits
    return output


def greedy(model: torch.nn.Module, ids: list[int], new_tokens: int) -> list[int]:
    """The likeliest continuation, one whole forward pass a token."""
    context = list(ids)
    with torch.inference_mode():
        for _ in range(new_tokens):
            context.append(int(model(torch.tensor([context])).logits[0, -1].argmax()))
    return context[len(ids) :]


def original_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """As the first release saved it: fp16, its own name of the head, causal masks among the weights."""
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    state["lm_head.decoder.weight"] = state.pop("lm_head.weight")
    return {**state, "transformer.h.0.attn.bias": torch.ones(1, 1, 64, 64).tril().half()}


def write_gpt2_vocabulary(folder: Path) -> None:
    """The 256 bytes, two merges and the end of text, as GPT-2's files have them."""
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + n) for n in range(256 - len(letters))]
    tokens = [*letters, "he", "Ġt", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: n for n, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nh e\nĠ t\n")
