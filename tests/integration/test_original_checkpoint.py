"""DialoGPT's original `.pkl` files: converted, interrupted, refused."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from core.errors import ModelBroken, ModelError, ModelNotFound
from core.generation import weights
from core.generation.catalogue import ModelFormat
from core.generation.hub import HubAccess
from core.generation.models import Models
from core.generation.request import ModelSpec
from tests.integration.local_hub import LocalHub
from tests.integration.tiny_models import logits, original_state, rounded, tiny_gpt2, write_gpt2_vocabulary

CPU = torch.device("cpu")
PULL = """
import os, pathlib, sys
from core.generation.models import Models
def progress(step, fraction):
    if "die" in sys.argv and fraction is not None:
        os.kill(os.getpid(), 9)
print(Models(pathlib.Path(sys.argv[1])).pull(sys.argv[2], progress).folder)
"""


@pytest.mark.parametrize("variant", ["whole", "module", "transformer only", "headless"])
def test_its_logits_survive_the_conversion(tmp_path: Path, variant: str) -> None:
    model = tiny_gpt2()
    state = original_state(model)
    if variant in ("transformer only", "headless"):
        del state["lm_head.decoder.weight"]
    if variant == "module":
        state = {f"module.{name}": tensor for name, tensor in state.items()}
    if variant == "transformer only":
        state = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    torch.save(state, tmp_path / "small_ft.pkl")

    weights.convert_pkl(tmp_path / "small_ft.pkl", tmp_path / "out", lambda _step, _fraction: None)

    write_gpt2_vocabulary(tmp_path / "out")
    converted = weights.load(ModelSpec("m", str(tmp_path / "out"), "float32"), CPU)
    assert torch.equal(logits(converted), logits(rounded(model)))


def test_it_is_pulled_once_and_talks_as_dialogpt(checkpoint: Path, tmp_path: Path) -> None:
    models = Models(tmp_path / "cache")
    with pytest.raises(ModelNotFound, match="is not converted yet; `banter models pull"):
        models.resolve(str(checkpoint))
    steps: list[str] = []

    pulled = models.pull(str(checkpoint.parent), lambda step, _: steps.append(step))

    assert pulled.format is ModelFormat.DIALOGPT
    assert "Renaming the weights (once)" in steps
    assert models.pull(str(checkpoint), lambda step, _: steps.append(step)).folder == pulled.folder
    assert [file.name for file in (tmp_path / "cache" / "models").glob(".building*")] == []


def test_without_a_vocabulary_the_way_out_is_named(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint.parent / "merges.txt").unlink()

    with pytest.raises(ModelError, match=r"put GPT-2's vocab\.json and merges\.txt beside it, or run"):
        Models(tmp_path / "cache").pull(str(checkpoint))


def test_the_vocabulary_of_a_pulled_dialogpt_serves_too(
    checkpoint: Path, tmp_path: Path, local_hub: LocalHub, repository: Path
) -> None:
    (checkpoint.parent / "merges.txt").unlink()
    local_hub.repositories["microsoft/DialoGPT-small"] = repository
    models = Models(tmp_path / "cache", hub=HubAccess(endpoint=local_hub.endpoint))
    models.pull("microsoft/DialoGPT-small")

    assert (models.pull(str(checkpoint)).folder / "merges.txt").is_file()


def test_a_pickle_that_holds_code_is_refused_and_never_run(tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "pwned"),)

    write_gpt2_vocabulary(tmp_path)
    torch.save({"wte.weight": torch.zeros(2, 2), "code": Code()}, tmp_path / "evil.pkl")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Code(), protocol=2))

    with pytest.raises(ModelBroken, match=r"evil\.pkl can't be converted: .*code .*never run"):
        Models(tmp_path / "cache").pull(str(tmp_path / "evil.pkl"))
    with pytest.raises(ModelBroken, match="never run"):
        weights.convert_pkl(tmp_path / "plain.pkl", tmp_path / "out", lambda _step, _fraction: None)
    assert not (tmp_path / "pwned").exists()
    assert leftovers(tmp_path / "cache") == []


def test_a_conversion_whose_child_is_killed_leaves_nothing(checkpoint: Path, tmp_path: Path) -> None:
    def kill(_step: str, done: float | None, /) -> None:
        for child in psutil.Process().children() if done is not None else ():
            child.kill()

    with pytest.raises(ModelError, match=r"ended early .*killed by signal 9"):
        Models(tmp_path / "cache").pull(str(checkpoint), kill)
    assert leftovers(tmp_path / "cache") == []


def test_a_crash_in_the_middle_is_made_good_by_the_next_pull(checkpoint: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", PULL, str(tmp_path / "cache"), str(checkpoint)]

    crashed = subprocess.run([*command, "die"], check=False)

    assert crashed.returncode == -9
    with pytest.raises(ModelNotFound):
        Models(tmp_path / "cache").resolve(str(checkpoint))
    assert Models(tmp_path / "cache").pull(str(checkpoint)).context_window == 64
    orphans = [p for p in psutil.process_iter(["cmdline"]) if str(checkpoint) in (p.info["cmdline"] or ())]
    assert psutil.wait_procs(orphans, timeout=10)[1] == []


def test_two_processes_at_once_share_one_conversion(checkpoint: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", PULL, str(tmp_path / "cache"), str(checkpoint)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    folders = {process.communicate(timeout=120)[0] for process in processes}

    assert len(folders) == 1
    assert torch.equal(logits(weights.load(ModelSpec("m", folders.pop().strip()), CPU)), logits(rounded(tiny_gpt2())))


def leftovers(cache: Path) -> list[str]:
    """What a failed pull has left but for its lock file."""
    return [path.name for path in (cache / "models").iterdir() if path.suffix != ".lock"]
