"""CUDA graphs for the steps in which every reply gets one token: hundreds of kernels are started by one call.

A graph is recorded for each bucket of (slots, positions) when it is first needed; a step is padded to its bucket. Not
run on a GPU so far: tests/gpu holds what has to be seen there; the padding is tested on a CPU with a recorder that
repeats the call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.generation.scheduler import Chunk
from core.generation.slot_attention import Batch, Segment

#: Positions of a bucket are a multiple of this: what a kernel reads in one go.
_POSITIONS = 256

#: Computes logits [slots, vocabulary] of a batch.
Forward = Callable[[Batch], Tensor]
#: Takes a call without arguments that always works on the same tensors; gives one that repeats it.
Recorder = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One bucket."""

    batch: Batch
    #: Repeats the forward on what is in `batch` now; logits [slots, vocabulary].
    repeat: Callable[[], Tensor]


class DecodeGraphs:
    def __init__(self, forward: Forward, slots: int, window: int, like: Tensor, recorder: Recorder) -> None:
        """`window` is the slots' last position, which nothing but padding is written to."""
        self._forward = forward
        self._slots = slots
        self._window = window
        self._like = like
        self._recorder = recorder
        self._recorded: dict[tuple[int, int], Recorded] = {}

    @staticmethod
    def fit(chunks: Sequence[Chunk]) -> bool:
        """One token each, each of them wanted and read by no adapter."""
        return all(len(chunk.token_ids) == 1 and chunk.draws and not chunk.adapter for chunk in chunks)

    def read(self, chunks: Sequence[Chunk]) -> Tensor:
        """Logits [chunk, vocabulary]; the chunks' tokens are written to their slots."""
        slots = slot_bucket(max(chunk.slot.number for chunk in chunks) + 1, self._slots)
        positions = position_bucket(max(chunk.start for chunk in chunks) + 1, self._window)
        recorded = self._recorded.get((slots, positions))
        if recorded is None:
            recorded = self._recorded[slots, positions] = self._record(slots, positions)
        self._fill(recorded.batch, chunks)
        logits = recorded.repeat()
        return logits[torch.tensor([chunk.slot.number for chunk in chunks], device=logits.device)]

    def _fill(self, batch: Batch, chunks: Sequence[Chunk]) -> None:
        rows = [[0] * len(batch.slots), [0] * len(batch.slots), [self._window] * len(batch.slots)]
        for chunk in chunks:
            number = chunk.slot.number
            rows[0][number], rows[1][number], rows[2][number] = chunk.token_ids[0], chunk.start, chunk.start
        filled = torch.tensor(rows, device=self._like.device)
        batch.token_ids.copy_(filled[0])
        batch.positions.copy_(filled[1])
        batch.places.copy_(filled[2])

    def _record(self, slots: int, positions: int) -> Recorded:
        numbers = torch.arange(slots, device=self._like.device)
        mask = torch.zeros(slots, 1, 1, positions, dtype=self._like.dtype, device=self._like.device)
        segment = Segment(0, slots, 0, slots, positions, mask)
        batch = Batch(numbers.clone(), numbers, numbers.clone(), numbers.clone(), (segment,), numbers)
        batch.token_ids.zero_()
        batch.positions.zero_()
        batch.places.fill_(self._window)
        looked_at = torch.arange(positions, device=self._like.device)

        def call() -> Tensor:
            beyond = (looked_at > batch.positions[:, None]).view(slots, 1, 1, positions)
            mask.zero_().masked_fill_(beyond, float("-inf"))
            return self._forward(batch)

        return Recorded(batch, self._recorder(call))


def slot_bucket(slots: int, most: int) -> int:
    """1, 2, 4, then multiples of 8: padding costs little there and every bucket costs memory."""
    bucket = next((size for size in (1, 2, 4) if slots <= size), -(-slots // 8) * 8)
    return min(bucket, most)


def position_bucket(positions: int, window: int) -> int:
    return min(-(-positions // _POSITIONS) * _POSITIONS, window)


def cuda_recorder() -> Recorder:
    """Warms up on a stream of its own, then captures, as torch's notes on CUDA graphs ask for it.

    Its graphs share one pool of memory: they never run at the same time, and each result is read before the next.
    """
    pool = torch.cuda.graph_pool_handle()

    def record(call: Callable[[], Tensor]) -> Callable[[], Tensor]:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # theirs
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                call()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            logits = call()

        def repeat() -> Tensor:
            graph.replay()
            return logits

        return repeat

    return record
