"""What a name means: files of a few bytes, no network, no torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ModelError, ModelNotFound, NoChatFormat
from core.generation.catalogue import CATALOGUE, DEFAULT_MODEL, ModelFormat
from core.generation.model_folder import open_folder
from core.generation.models import ModelOptions, Models
from core.generation.request import SamplingParams
from core.generation.source import FolderSource, HubSource, PickleSource, parse_source
from tests.unit.model_files import CONVERSATIONAL, GPT2, write_model, write_safetensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "cache")


def test_the_catalogue_knows_the_default_model_dialogpt_and_its_rankers() -> None:
    assert CATALOGUE[DEFAULT_MODEL].format is ModelFormat.CHAT
    assert CATALOGUE["microsoft/DialoGPT-medium"].format is ModelFormat.DIALOGPT
    assert CATALOGUE["microsoft/DialoGPT-small"].sampling == SamplingParams(temperature=1.0, top_k=40, top_p=0.9)
    assert sum(entry.format is ModelFormat.RANKER for entry in CATALOGUE.values()) == 5


def test_every_model_of_the_catalogue_is_listed_as_not_on_this_disk(models: Models) -> None:
    listed = models.list()

    assert [model.name for model in listed] == list(CATALOGUE)
    assert not any(model.on_disk or model.problem for model in listed)


def test_a_configured_model_is_listed_with_its_size(tmp_path: Path, folder: Path) -> None:
    models = Models(tmp_path / "cache", {"mine": ModelOptions(source=str(folder))})

    listed = models.list()[-1]

    assert (listed.name, listed.on_disk) == ("mine", True)
    assert listed.weights_bytes == (folder / "model.safetensors").stat().st_size


def test_a_damaged_model_is_listed_with_its_problem(tmp_path: Path, folder: Path) -> None:
    write_safetensors(folder / "model.safetensors", missing_bytes=1)

    assert "is damaged" in Models(tmp_path / "cache", {"mine": ModelOptions(source=str(folder))}).list()[-1].problem


@pytest.mark.parametrize(
    "name",
    [
        "a/../../x",
        "..",
        "a/..",
        "a..b",
        "a/b/c",
        "a\\b",
        "a b",
        "",
        "-a",
        "a/.git",
        "x.git",
        "a\0b",
        "a--b/c",
        "ä/b",
        "a" * 97,
    ],
)
def test_a_name_that_is_no_name_is_refused(models: Models, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelNotFound, match="is no model name"):
        models.pull(name)
    assert not (tmp_path / "cache").exists()


def test_a_path_upwards_is_a_folder_and_never_a_hub_name(models: Models) -> None:
    with pytest.raises(ModelNotFound, match="there is no folder"):
        models.pull("../../no/such/folder")


@pytest.mark.parametrize("name", ["gpt2", "microsoft/DialoGPT-small", "a_b/c.d-e", "HuggingFaceTB/SmolLM2-135M"])
def test_a_hub_name_is_read(name: str) -> None:
    assert parse_source(name) == HubSource(name)


def test_a_folder_and_an_original_checkpoint_are_told_apart(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "medium_ft.pkl").touch()

    assert parse_source(str(folder)) == FolderSource(folder)
    assert parse_source(str(tmp_path / "medium_ft.pkl")) == PickleSource(tmp_path / "medium_ft.pkl")
    assert parse_source(str(tmp_path)) == PickleSource(tmp_path / "medium_ft.pkl")


def test_the_fine_tuned_checkpoint_wins_over_the_plain_weights_beside_it(folder: Path) -> None:
    (folder / "small_ft.pkl").touch()

    assert parse_source(str(folder)) == PickleSource(folder / "small_ft.pkl")


def test_a_stray_pickle_beside_weights_is_ignored(folder: Path) -> None:
    (folder / "optimizer.pkl").touch()

    assert parse_source(str(folder)) == FolderSource(folder)


def test_a_folder_is_resolved_with_what_it_says_of_itself(models: Models, folder: Path) -> None:
    model = models.resolve(str(folder))

    assert model.format is ModelFormat.DIALOGPT
    assert model.context_window == 1024
    assert model.sampling == SamplingParams(temperature=1.0, top_k=40, top_p=0.9)
    assert model.spec.folder == str(folder)


def test_a_configured_context_window_never_exceeds_the_models_own(tmp_path: Path, folder: Path) -> None:
    def window(tokens: int) -> int:
        options = ModelOptions(source=str(folder), context_window=tokens)
        return Models(tmp_path, {"mine": options}).resolve("mine").context_window

    assert [window(0), window(256), window(9999)] == [1024, 256, 1024]


def test_the_window_of_a_model_with_a_text_part_is_found(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 4096}}))

    assert open_folder(folder).context_window == 4096


def test_a_chat_template_makes_a_chat_model(models: Models, folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    (folder / "generation_config.json").write_text(
        '{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": null}'
    )

    model = models.resolve(str(folder))

    assert model.format is ModelFormat.CHAT
    assert model.sampling == SamplingParams(temperature=0.6, top_k=20)


def test_the_operators_template_goes_before_the_models_own(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "mine.jinja").write_text("{{ messages[0] }}")
    options = ModelOptions(source=str(folder), chat_template=str(tmp_path / "mine.jinja"))

    model = Models(tmp_path, {"mine": options}).resolve("mine")

    assert (model.format, model.chat_template) == (ModelFormat.CHAT, "{{ messages[0] }}")


def test_a_missing_template_file_is_named(tmp_path: Path, folder: Path) -> None:
    options = ModelOptions(source=str(folder), chat_template=str(tmp_path / "gone.jinja"))

    with pytest.raises(ModelError, match=r"gone\.jinja can't be read .* correct `chat_template`"):
        Models(tmp_path, {"mine": options}).resolve("mine")


def test_a_model_without_a_chat_format_names_the_way_out(models: Models, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(GPT2))

    with pytest.raises(NoChatFormat, match='set `format = "dialogpt"`'):
        models.resolve(str(folder))


def test_the_operator_says_how_turns_become_a_prompt(tmp_path: Path, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(GPT2))
    models = Models(tmp_path, {"mine": ModelOptions(source=str(folder), format="dialogpt")})

    assert models.resolve("mine").format is ModelFormat.DIALOGPT


def test_the_chat_format_needs_a_template(tmp_path: Path, folder: Path) -> None:
    models = Models(tmp_path, {"mine": ModelOptions(source=str(folder), format="chat")})

    with pytest.raises(NoChatFormat):
        models.resolve("mine")


def test_a_ranker_is_not_talked_to(models: Models, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**GPT2, "architectures": ["GPT2ForSequenceClassification"]}))
    model = models.resolve(str(folder))

    with pytest.raises(NoChatFormat, match="ranks replies"):
        model.require_dialogue()


def test_code_of_a_repository_needs_the_operators_trust(tmp_path: Path, folder: Path) -> None:
    config = {**CONVERSATIONAL, "model_type": "homemade", "auto_map": {"AutoModelForCausalLM": "homemade.Model"}}
    (folder / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelError, match="set `trust_remote_code = true`"):
        Models(tmp_path).resolve(str(folder))
    trusting = Models(tmp_path, {"mine": ModelOptions(source=str(folder), format="dialogpt", trust_remote_code=True)})
    assert trusting.resolve("mine").spec.trust_remote_code


def test_code_of_a_repository_is_not_needed_where_the_architecture_is_known(models: Models, folder: Path) -> None:
    config = {**CONVERSATIONAL, "auto_map": {"AutoModelForCausalLM": "old.Model"}}
    (folder / "config.json").write_text(json.dumps(config))

    assert not models.resolve(str(folder)).spec.trust_remote_code


def test_a_model_that_is_not_here_says_how_to_get_it(models: Models) -> None:
    with pytest.raises(ModelNotFound, match=rf"`banter models pull {DEFAULT_MODEL}` gets it$"):
        models.resolve(DEFAULT_MODEL)


def test_a_misspelt_name_is_answered_with_the_near_one(models: Models) -> None:
    with pytest.raises(ModelNotFound, match=rf"did you mean {DEFAULT_MODEL}\?"):
        models.resolve("smollm2-135m-instrct")


def test_a_checkpoint_that_is_not_there_is_named(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="there is no file"):
        models.pull(str(tmp_path / "large_ft.pkl"))


def test_the_bots_side_of_models_loads_neither_torch_nor_the_hubs_library() -> None:
    code = (
        "import sys, core.generation.models as m, pathlib; m.Models(pathlib.Path('/nowhere')).list(); "
        "print([n for n in ('torch', 'transformers', 'huggingface_hub') if n in sys.modules])"
    )

    ended = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"
