"""What is asked of an OpenAI-compatible server: a request → the JSON that it is sent. Pure; no connection, no torch.

Servers agree on `temperature`, `top_p`, `max_tokens`, `stop` and `seed`; all else is an extension that some know, some
refuse and some ignore without a word. So only those are sent that the operator names, and then always: a server's own
default need not be neutral (llama.cpp: top_k 40, min_p 0.05; vLLM: the model's generation_config.json).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.errors import RequestFailed
from core.generation.queue import QueueLimits
from core.generation.request import GenerationRequest, SamplingParams
from core.generation.tokenizer import Tokenizer

#: "chat": messages, which the server writes for the model. The others: the prompt as it is, in token ids or as text.
Mode = Literal["chat", "completions", "completions-text"]
Extension = Literal[
    "assistant_prefill",
    "bad_words",
    "continue_final_message",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "min_p",
    "min_tokens",
    "n",
    "no_repeat_ngram_size",
    "repeat_penalty",
    "repetition_penalty",
    "stop_token_ids",
    "top_k",
    "typical_p",
]

#: Servers take no more of them; the others are looked for on this side.
STOPS_SENT = 4
_NEVER = -100


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    #: With its path, as "http://localhost:8000/v1".
    base_url: str
    #: What the model is called there; "" is the name that it has here.
    model: str = ""
    api_key: str = field(default="", repr=False)
    mode: Mode = "chat"
    #: What the server knows beyond the standard.
    extensions: frozenset[Extension] = frozenset()
    connect_timeout_s: float = 10.0
    #: The longest silence, before the first word and between two.
    read_timeout_s: float = 120.0
    #: After a failure that may pass, and where nobody would see a second beginning.
    retries: int = 3
    #: Before the first retry; doubled for each further one, up to 8 s, less a random part of up to a half.
    backoff_s: float = 0.5
    #: Requests at the server at once; the candidates of one reply count as one.
    parallel_requests: int = 16
    #: For those that wait for that.
    queue: QueueLimits = field(default_factory=QueueLimits)
    #: The most that one answer may be.
    response_limit_bytes: int = 16 * 1024 * 1024

    @property
    def path(self) -> str:
        return "chat/completions" if self.mode == "chat" else "completions"

    @property
    def can_continue(self) -> bool:
        """Whether the server can be asked to go on after the reply's first words."""
        return self.mode != "chat" or bool(self.extensions & {"continue_final_message", "assistant_prefill"})


@dataclass(frozen=True, slots=True)
class Begun:
    """What there is of a reply already, which the server goes on after."""

    text: str = ""
    token_ids: tuple[int, ...] = ()


def request_body(
    options: OpenAIOptions, request: GenerationRequest, tokenizer: Tokenizer, seed: int, begun: Begun, candidates: int
) -> dict[str, object]:
    """`candidates` are what this one body asks for.

    Raises RequestFailed where a chat is asked for and the prompt has no messages.
    """
    sampling = request.sampling
    limit = "max_completion_tokens" if "max_completion_tokens" in options.extensions else "max_tokens"
    body: dict[str, object] = {
        "model": options.model or request.model.name,
        "stream": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": seed,
        limit: max(sampling.max_new_tokens - len(begun.token_ids), 1),
        **_asked(options, request, tokenizer, begun),
    }
    stops = [stop for stop in sampling.stop if stop][:STOPS_SENT]
    if stops:
        body["stop"] = stops
    if candidates > 1:
        body["n"] = candidates
    for extension, value in _EXTENSIONS.items():
        if extension in options.extensions:
            body[extension] = value(sampling)
    return body | _of_tokens(options, request, tokenizer)


def unsaid(options: OpenAIOptions, sampling: SamplingParams, tokenizer: Tokenizer) -> list[str]:
    """The sampling settings that this server is not told of, each with what would do it."""
    wanted = {
        "top_k": (sampling.top_k != 0, {"top_k"}),
        "min_p": (sampling.min_p != 0, {"min_p"}),
        "typical_p": (sampling.typical_p != 1, {"typical_p"}),
        "repetition_penalty": (sampling.repetition_penalty != 1, {"repeat_penalty", "repetition_penalty"}),
        "no_repeat_ngram": (sampling.no_repeat_ngram != 0, {"no_repeat_ngram_size"}),
        "min_new_tokens": (sampling.min_new_tokens != 0, {"min_tokens"}),
        "bad_words": (bool(sampling.bad_words), {"bad_words", "logit_bias"}),
    }
    missing = [
        f"sampling.{name} (openai.extensions: {' or '.join(sorted(known))})"
        for name, (is_set, known) in wanted.items()
        if is_set and not known & options.extensions
    ]
    if options.extensions & {"bad_words", "logit_bias"} == {"logit_bias"}:
        long = [word for word in sampling.bad_words if any(len(ids) > 1 for ids in _spelled(word, tokenizer))]
        missing += [f"{len(long)} of sampling.bad_words, of more than one token"] if long else []
    return missing


#: -1 keeps all tokens: 0 is refused by SGLang and by older versions of vLLM.
_EXTENSIONS: Mapping[Extension, Callable[[SamplingParams], object]] = {
    "top_k": lambda sampling: sampling.top_k or -1,
    "min_p": lambda sampling: sampling.min_p,
    "typical_p": lambda sampling: sampling.typical_p,
    "repetition_penalty": lambda sampling: sampling.repetition_penalty,
    "repeat_penalty": lambda sampling: sampling.repetition_penalty,
    "no_repeat_ngram_size": lambda sampling: sampling.no_repeat_ngram,
    "min_tokens": lambda sampling: sampling.min_new_tokens,
    "bad_words": lambda sampling: list(sampling.bad_words),
}


def _asked(options: OpenAIOptions, request: GenerationRequest, tokenizer: Tokenizer, begun: Begun) -> dict[str, object]:
    prompt = request.prompt
    if options.mode == "completions":
        return {"prompt": [*prompt.token_ids, *begun.token_ids]}
    if options.mode == "completions-text":
        return {"prompt": tokenizer.decode_visibly(prompt.token_ids) + begun.text}
    if not prompt.messages:
        raise RequestFailed('this prompt has no messages for a chat; set `openai.mode = "completions"`')
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    if not begun.text:
        return {"messages": messages}
    messages.append({"role": "assistant", "content": begun.text})
    if "continue_final_message" not in options.extensions:
        return {"messages": messages}
    return {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}


def _of_tokens(options: OpenAIOptions, request: GenerationRequest, tokenizer: Tokenizer) -> dict[str, object]:
    """The extensions that are about token ids, or go with another field."""
    fields: dict[str, object] = {}
    if "stop_token_ids" in options.extensions:
        fields["stop_token_ids"] = sorted(request.stop_ids)
    if "repeat_penalty" in options.extensions:
        fields["repeat_last_n"] = -1  # llama.cpp looks at the last 64 tokens only
    if "logprobs" in options.extensions:
        fields["logprobs"] = True if options.mode == "chat" else 1
    if "logit_bias" in options.extensions:
        spelled = [ids for word in request.sampling.bad_words for ids in _spelled(word, tokenizer)]
        fields["logit_bias"] = {str(ids[0]): _NEVER for ids in spelled if len(ids) == 1}
    return fields


def _spelled(word: str, tokenizer: Tokenizer) -> list[list[int]]:
    """A word at the start of a text and one after a space are different tokens."""
    return [tokenizer.encode_data(spelling) for spelling in (word, f" {word}") if word.strip()]
