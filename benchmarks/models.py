"""The models that are measured: GPT-2's shape with random weights, the default model, or any folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from benchmarks.workloads import Vocabulary
from core.errors import ModelNotFound
from core.generation.model_folder import open_folder
from core.generation.models import Models

GPT2 = "gpt2"
#: Longer dialogues are trimmed; a window that every model here has.
LONGEST_WINDOW = 1024

#: 124 M parameters: GPT2Config's defaults. A folder without a tokenizer counts as damaged, so it has an empty one.
_MAKE_GPT2 = """
import sys, tokenizers, torch, transformers
tokenizers.Tokenizer(tokenizers.models.BPE()).save(sys.argv[1] + "/tokenizer.json")
torch.manual_seed(0)
transformers.GPT2LMHeadModel(transformers.GPT2Config()).save_pretrained(sys.argv[1])
"""


def model_folder(name: str) -> Path:
    """Where the model's files are; GPT-2 is made once. Raises ModelError where a name means no model on this disk."""
    cache = Path(os.environ.get("MODEL_CACHE_FOR_TESTS") or platformdirs.user_cache_dir("banter"))
    if name == GPT2:
        return _random_gpt2(cache / "benchmarks")
    if Path(name).is_dir():
        return open_folder(Path(name).absolute()).path
    try:
        return Models(cache).resolve(name).folder
    except ModelNotFound as error:
        raise ModelNotFound(f"{error}; {GPT2} needs no download") from error


def vocabulary(folder: Path) -> Vocabulary:
    found = open_folder(folder)
    size = found.config["vocab_size"]
    assert isinstance(size, int)
    return Vocabulary(size, min(found.context_window, LONGEST_WINDOW))


def _random_gpt2(cache: Path) -> Path:
    folder = cache / "gpt2-124m-random"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="gpt2-", dir=cache))
        try:
            subprocess.run([sys.executable, "-P", "-c", _MAKE_GPT2, str(made)], check=True, stderr=subprocess.DEVNULL)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder
