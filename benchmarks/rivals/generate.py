"""`generate()` of transformers: one request after another, or one static batch after another.

A batch is whoever waits when the last one has ended; it runs to its longest reply, and what is drawn beyond a shorter
one's end is thrown away.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.streamers import BaseStreamer

from benchmarks.crowd import Ask, Crowd
from benchmarks.rivals.rival import Setting

_PADDING_ID = 0


def load_network(setting: Setting) -> Any:
    """A causal model of transformers in float32; no token ends a reply."""
    torch.set_num_threads(setting.threads)
    network = AutoModelForCausalLM.from_pretrained(setting.folder, dtype=torch.float32)
    network.generation_config = GenerationConfig(do_sample=False, pad_token_id=_PADDING_ID)
    return network


class Generate:
    def __init__(self, setting: Setting, largest_batch: int) -> None:
        self._network = load_network(setting)
        self._largest_batch = largest_batch

    def serve(self, crowd: Crowd) -> None:
        waiting: deque[Ask] = deque()
        while not crowd.done:
            waiting.extend(crowd.asking())
            if not waiting:
                crowd.wait()
                continue
            batch = [waiting.popleft() for _ in range(min(self._largest_batch, len(waiting)))]
            self._answer(batch, crowd)

    def _answer(self, batch: Sequence[Ask], crowd: Crowd) -> None:
        ids, mask = padded([ask.prompt_ids for ask in batch])
        self._network.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=max(ask.reply_tokens for ask in batch),
            streamer=_Stream(batch, crowd),
        )
        for ask in batch:
            crowd.hears_prefill(ask.id, len(ask.prompt_ids))


def padded(prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, both [row, longest], padded on the left."""
    longest = max(map(len, prompts))
    ids = [[_PADDING_ID] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


class _Stream(BaseStreamer):
    """Hands each step's tokens to the crowd."""

    def __init__(self, batch: Sequence[Ask], crowd: Crowd) -> None:
        self._batch = batch
        self._crowd = crowd
        #: Of every row; the prompt is handed over first.
        self._steps = -1

    def put(self, value: Tensor) -> None:
        """`value` is [row], and the first time the prompts."""
        self._steps += 1
        if self._steps:
            for ask, token_id in zip(self._batch, value.tolist(), strict=True):
                if self._steps <= ask.reply_tokens:
                    self._crowd.hears(ask.id, [token_id])

    def end(self) -> None:
        """`generate` says that it is done."""
