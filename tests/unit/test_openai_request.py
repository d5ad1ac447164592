"""What an OpenAI-compatible server is asked, and what it says when it can't answer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import BanterError, EngineUnavailable, ModelNotFound, QueueFull, RequestFailed
from core.generation.openai_errors import TryAgain, refusal, retry_after_s
from core.generation.openai_request import Begun, Extension, Mode, OpenAIOptions, request_body, unsaid
from core.generation.request import GenerationRequest, ModelSpec, Prompt, PromptMessage, SamplingParams
from core.generation.tokenizer import Tokenizer
from tests.unit import tiny_tokenizers

EVERYTHING = SamplingParams(
    temperature=0.5,
    top_k=40,
    top_p=0.9,
    min_p=0.05,
    typical_p=0.8,
    repetition_penalty=1.2,
    no_repeat_ngram=3,
    bad_words=("hello", " "),
    stop=("", "\nyou:"),
    min_new_tokens=2,
    max_new_tokens=64,
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(tiny_tokenizers.byte_level(tmp_path_factory.mktemp("tokenizer")))


def options(*extensions: Extension, mode: Mode = "chat", model: str = "") -> OpenAIOptions:
    return OpenAIOptions("http://localhost/v1", model=model, mode=mode, extensions=frozenset(extensions))


def body(
    tokenizer: Tokenizer, given: OpenAIOptions, sampling: SamplingParams = EVERYTHING, begun: Begun | None = None
) -> Mapping[str, object]:
    prompt = Prompt(tuple(tokenizer.encode("<|im_start|>hello")), (PromptMessage("user", "hello"),))
    request = GenerationRequest(ModelSpec("tiny", ""), prompt, sampling, stop_ids=frozenset({2, 0}))
    return request_body(given, request, tokenizer, 7, begun or Begun(), sampling.candidates)


def test_the_standard_fields_are_always_said(tokenizer: Tokenizer) -> None:
    assert body(tokenizer, options()) == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "max_tokens": 64,
        "stop": ["\nyou:"],
    }
    assert "stop" not in body(tokenizer, options(), SamplingParams())
    assert body(tokenizer, options(model="served"))["model"] == "served"


@pytest.mark.parametrize(
    ("extension", "field", "value", "neutral"),
    [
        ("top_k", "top_k", 40, -1),
        ("min_p", "min_p", 0.05, 0),
        ("typical_p", "typical_p", 0.8, 1),
        ("repetition_penalty", "repetition_penalty", 1.2, 1),
        ("repeat_penalty", "repeat_penalty", 1.2, 1),
        ("no_repeat_ngram_size", "no_repeat_ngram_size", 3, 0),
        ("min_tokens", "min_tokens", 2, 0),
        ("bad_words", "bad_words", ["hello", " "], []),
        ("max_completion_tokens", "max_completion_tokens", 64, 256),
        ("stop_token_ids", "stop_token_ids", [0, 2], [0, 2]),
    ],
)
def test_an_extension_that_is_named_is_said_also_where_it_is_neutral(
    tokenizer: Tokenizer, extension: Extension, field: str, value: object, neutral: object
) -> None:
    assert body(tokenizer, options(extension))[field] == value
    assert body(tokenizer, options(extension), SamplingParams())[field] == neutral


def test_a_word_of_one_token_can_be_banned_by_its_logit(tokenizer: Tokenizer) -> None:
    (word,), (after_space,) = tokenizer.encode_data("hello"), tokenizer.encode_data(" of")

    banned = body(tokenizer, options("logit_bias"), replace(EVERYTHING, bad_words=("hello", "of", " ")))["logit_bias"]

    assert banned == {str(word): -100, str(after_space): -100}


def test_what_was_begun_is_gone_on_with(tokenizer: Tokenizer) -> None:
    begun = Begun("Hi", (40, 41))
    prompt = tokenizer.encode("<|im_start|>hello")

    assert body(tokenizer, options(mode="completions"), begun=begun)["prompt"] == [*prompt, 40, 41]
    assert body(tokenizer, options(mode="completions-text"), begun=begun)["prompt"] == "<|im_start|>helloHi"
    assert body(tokenizer, options(mode="completions"), begun=begun)["max_tokens"] == 62
    assert body(tokenizer, options("continue_final_message"), begun=begun)["add_generation_prompt"] is False


def test_a_prompt_without_messages_is_no_chat(tokenizer: Tokenizer) -> None:
    request = GenerationRequest(ModelSpec("tiny", ""), Prompt((1, 2)), SamplingParams(), frozenset())

    with pytest.raises(RequestFailed, match=r"openai\.mode"):
        request_body(options(), request, tokenizer, 7, Begun(), 1)


def test_what_is_not_said_is_known(tokenizer: Tokenizer) -> None:
    assert unsaid(options(), SamplingParams(), tokenizer) == []
    assert [line.split(" ")[0] for line in unsaid(options(), EVERYTHING, tokenizer)] == [
        "sampling.top_k",
        "sampling.min_p",
        "sampling.typical_p",
        "sampling.repetition_penalty",
        "sampling.no_repeat_ngram",
        "sampling.min_new_tokens",
        "sampling.bad_words",
    ]
    long = replace(SamplingParams(), bad_words=("never said",))
    assert unsaid(options("logit_bias"), long, tokenizer) == ["1 of sampling.bad_words, of more than one token"]
    assert unsaid(options("logit_bias", "bad_words"), long, tokenizer) == []


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (401, "", EngineUnavailable),
        (404, "model not found", ModelNotFound),
        (404, "", EngineUnavailable),
        (302, "", EngineUnavailable),
        (413, "too large", RequestFailed),
        (418, "", RequestFailed),
    ],
)
def test_a_refusal_stays_one(status: int, words: str, kind: type[BanterError]) -> None:
    assert type(refusal("http://x", "tiny", status, words)) is kind


@pytest.mark.parametrize(("status", "kind"), [(408, EngineUnavailable), (429, QueueFull), (502, EngineUnavailable)])
def test_a_failure_may_pass(status: int, kind: type[BanterError]) -> None:
    trouble = refusal("http://x", "tiny", status, "a\n\x1b[31mb" + "c" * 999, 2.0)

    assert isinstance(trouble, TryAgain)
    assert type(trouble.error) is kind
    assert trouble.after_s == 2.0
    assert str(trouble).isprintable()
    assert len(str(trouble)) < 300


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 -0000", 10.0),
        ("soon", None),
        ("", None),
        ("-1", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, datetime(2026, 10, 21, 7, 28, tzinfo=UTC)) == seconds
