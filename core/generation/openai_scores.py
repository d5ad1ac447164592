"""Scores from an OpenAI-compatible server: the log probabilities of a prompt that it says back. Pure.

`echo` with `logprobs` is part of OpenAI's older completions format. vLLM knows it; llama.cpp and Ollama give the log
probabilities of new tokens alone.
"""

import math
from collections.abc import Sequence

from core.errors import RequestFailed
from core.generation.openai_stream import Choice, Chunk
from core.generation.request import ScorePair


def score_body(model: str, pairs: Sequence[ScorePair]) -> dict[str, object]:
    """Raises RequestFailed for a pair without a prefix: nobody knows the probability of a first token."""
    if any(not pair.prefix_ids for pair in pairs):
        raise RequestFailed("a score needs at least one token before the continuation")
    prompts = [[*pair.prefix_ids, *pair.continuation_ids] for pair in pairs]
    # One new token is drawn and not looked at: some servers refuse to draw none.
    return {"model": model, "prompt": prompts, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}


def scores_of(answer: Chunk, pairs: Sequence[ScorePair], where: str) -> list[float]:
    """In nats, in the order of the pairs. Raises RequestFailed where the server did not give them."""
    choices = {choice.index: choice for choice in answer.choices}
    return [_score(choices.get(number), pair, where) for number, pair in enumerate(pairs)]


def _score(choice: Choice | None, pair: ScorePair, where: str) -> float:
    start, end = len(pair.prefix_ids), len(pair.prefix_ids) + len(pair.continuation_ids)
    told = (choice.logprobs.token_logprobs or ()) if choice is not None and choice.logprobs is not None else ()
    given = [each for each in told[start:end] if each is not None and math.isfinite(each)]
    if len(given) < end - start or len(told) < end:
        raise RequestFailed(
            f"{where} can't score: it gives no log probabilities of a prompt (`echo` with `logprobs`, as vLLM has it); "
            'set `generation.backend = "local"` for what needs scores'
        )
    return math.fsum(given)
