"""What is read off a model's files: whether they are whole, how large they are, and what a stopped pull leaves."""

import struct
import zipfile
from pathlib import Path

import pytest

from core.errors import ModelBroken, ModelError, ModelTooLarge
from core.generation.footprint import dtype_on, memory_needed, require_memory
from core.generation.hub import weight_files
from core.generation.model_store import ModelStore, storage_errors
from core.generation.models import Models
from core.generation.original_checkpoint import deduce_config, rename
from core.generation.progress import silent
from core.generation.tensor_file import count_elements
from tests.unit.model_files import write_model, write_safetensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "cache")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.json", b'{"model_type": "gpt', "can't be read as JSON"),
        ("config.json", b"\xff\xfe", "can't be read as JSON"),
        ("config.json", b"[]", "holds no JSON object"),
        ("config.json", b"[" * 100_000, "can't be read as JSON"),
        ("config.json", None, "holds no config.json"),
        ("tokenizer.json", None, "holds no tokenizer"),
        ("model.safetensors", None, "holds no weights"),
        ("model.safetensors", b"", "its header is not whole"),
        ("model.safetensors", b"\xff" * 50, "its header is not whole"),
        ("model.safetensors", struct.pack("<Q", 4) + b"nope", "its header can't be read"),
        ("model.safetensors", struct.pack("<Q", 8) + b'{"w": 1}', "its header can't be read"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "its header is not whole"),
        ("model.safetensors.index.json", b'{"weight_map": {"w": "model-00001-of-00002.safetensors"}}', "is not there"),
        ("model.safetensors.index.json", b'{"weight_map": {"w": "../../etc/passwd"}}', "is not there"),
        ("model.safetensors.index.json", b"{}", "names no weights"),
    ],
)
def test_a_damaged_file_is_named(models: Models, folder: Path, file: str, content: bytes | None, told: str) -> None:
    (folder / file).unlink(missing_ok=True)
    if content is not None:
        (folder / file).write_bytes(content)

    with pytest.raises(ModelBroken, match=rf"{told}.*; copy it again") as broken:
        models.resolve(str(folder))
    assert "\n" not in str(broken.value)


def test_weights_that_were_cut_short_are_told_by_their_header(models: Models, folder: Path) -> None:
    write_safetensors(folder / "model.safetensors", missing_bytes=3)

    with pytest.raises(ModelBroken, match="bytes and its header describes"):
        models.pull(str(folder))


def test_empty_weights_of_the_old_format_are_told(models: Models, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").touch()

    with pytest.raises(ModelBroken, match=r"pytorch_model\.bin is empty"):
        models.resolve(str(folder))


def test_the_memory_that_is_needed_comes_from_the_headers(folder: Path) -> None:
    assert memory_needed(folder, "float32") == int(6 * 4 * 1.2)
    assert memory_needed(folder, "bfloat16") == int(6 * 2 * 1.2)


@pytest.mark.parametrize(("storage", "width"), [(b"FloatStorage", 4), (b"HalfStorage", 2), (b"BFloat16Storage", 2)])
def test_the_width_of_a_pickles_numbers_is_seen(tmp_path: Path, storage: bytes, width: int) -> None:
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"ctorch\n" + storage)
        archive.writestr("archive/data/0", bytes(40_000))

    assert count_elements(tmp_path / "pytorch_model.bin") == pytest.approx(40_000 / width, rel=0.02)


def test_a_model_too_large_for_the_memory_names_need_and_rest() -> None:
    require_memory("m", 10, 10, "float32")
    with pytest.raises(ModelTooLarge, match=r'm needs 4\.0 GB as float32 and 1\.5 GB are free; .*`dtype = "bfloat16"`'):
        require_memory("m", 4_000_000_000, 1_500_000_000, "float32")


def test_auto_is_wide_on_a_cpu_and_narrow_on_a_gpu() -> None:
    assert (dtype_on("cpu", "auto"), dtype_on("cuda", "auto"), dtype_on("cpu", "float16")) == (
        "float32",
        "bfloat16",
        "float16",
    )


def test_safetensors_are_taken_and_other_copies_left() -> None:
    names = [
        "model.safetensors",
        "pytorch_model.bin",
        "consolidated.safetensors",
        "onnx/model.safetensors",
        "tf_model.h5",
    ]

    assert weight_files("r", names) == ["model.safetensors"]
    assert weight_files("r", names[1:]) == ["pytorch_model.bin"]


def test_all_shards_are_taken_with_their_index() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]

    assert weight_files("r", ["model.safetensors.index.json", *shards]) == ["model.safetensors.index.json", *shards]


def test_a_repository_without_usable_weights_is_refused_before_the_download() -> None:
    with pytest.raises(ModelBroken, match="holds no weights that can be used"):
        weight_files("r", ["model.Q4_K_M.gguf", "tf_model.h5"])


def test_a_folder_that_was_not_finished_is_never_taken_for_whole(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)

    def stop_half_way() -> None:
        with store.lock("m", silent), store.building("m", 0) as building:
            (building / "model.safetensors").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()

    assert not store.folder("m").exists()
    assert not list(tmp_path.glob("models/.building*"))


def test_what_a_crash_left_is_cleared_away(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    left = tmp_path / "models" / ".building-m" / "old"
    left.mkdir(parents=True)

    with store.lock("m", silent), store.building("m", 0) as building:
        (building / "new").write_text("whole")

    assert [file.name for file in store.folder("m").iterdir()] == ["new"]


def test_a_full_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)

    with pytest.raises(ModelError, match=r"is full: 9,000,000,000,000 MB are needed and .* MB are free"):
        store.require_space(9 * 10**18)
    with (
        pytest.raises(ModelError, match=r"is full: 750 MB are needed; make room"),
        storage_errors(tmp_path, 750_000_000),
    ):
        raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)

    with pytest.raises(ModelError, match="is full"), store.lock("m", silent), store.building("m", 9 * 10**18):
        pass
    assert not list(tmp_path.glob("models/.building*"))


def test_a_read_only_cache_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"can't be written .*`paths\.cache`"), storage_errors(tmp_path):
        raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_originals_names_become_transformers_names(prefix: str) -> None:
    names = [
        "transformer.wte.weight",
        "transformer.h.0.attn.bias",
        "transformer.h.0.attn.c_attn.bias",
        "lm_head.decoder.weight",
    ]

    renamed = rename({prefix + name: name for name in names})

    assert list(renamed) == ["transformer.wte.weight", "transformer.h.0.attn.c_attn.bias", "lm_head.weight"]


def test_a_transformer_alone_gets_its_prefix() -> None:
    assert list(rename({"wte.weight": 1, "h.0.ln_1.weight": 2})) == [
        "transformer.wte.weight",
        "transformer.h.0.ln_1.weight",
    ]


def test_the_345m_checkpoints_sizes_come_from_its_shapes() -> None:
    shapes = {"transformer.wte.weight": (50257, 1024), "transformer.wpe.weight": (1024, 1024)}
    shapes |= {f"transformer.h.{n}.mlp.c_fc.weight": (1024, 4096) for n in range(24)}

    sizes = deduce_config(shapes)

    assert (sizes["n_layer"], sizes["n_head"], sizes["n_embd"], sizes["n_positions"]) == (24, 16, 1024, 1024)
    assert sizes["eos_token_id"] == 50256


def test_a_state_dict_of_another_model_is_refused() -> None:
    with pytest.raises(ModelBroken, match="no GPT-2 weights"):
        deduce_config({"bert.embeddings.weight": (30522, 768)})
