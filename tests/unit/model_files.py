"""A model's folder of a few bytes, whole enough to be resolved."""

import json
import struct
from pathlib import Path

GPT2 = {"model_type": "gpt2", "n_positions": 1024, "architectures": ["GPT2LMHeadModel"]}
CONVERSATIONAL = {**GPT2, "task_specific_params": {"conversational": {"max_length": 1000}}}


def write_safetensors(file: Path, elements: int = 6, *, missing_bytes: int = 0) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [elements], "data_offsets": [0, 4 * elements]}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(4 * elements)
    file.write_bytes(content[: len(content) - missing_bytes])


def write_model(folder: Path) -> Path:
    """A whole model that says it is DialoGPT's kind."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONVERSATIONAL))
    (folder / "tokenizer.json").write_text("{}")
    write_safetensors(folder / "model.safetensors")
    return folder
