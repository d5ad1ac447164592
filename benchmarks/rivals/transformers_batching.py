"""The continuous batching that transformers brings: `init_continuous_batching`.

Pages of 32 tokens: on a CPU its default of 256 was slower and its attention reads whole pages.
"""

from transformers import ContinuousBatchingConfig, GenerationConfig

from benchmarks.crowd import Crowd
from benchmarks.rivals.generate import load_network
from benchmarks.rivals.rival import LARGEST_BATCH, Setting

_PAGE_TOKENS = 32
#: -1 is its word for none.
_NO_STOP_ID = -1
#: Replies are awaited so long, then it is looked who else has come.
_LONGEST_WAIT_S = 0.5


class TransformersBatching:
    def __init__(self, setting: Setting) -> None:
        self._manager = load_network(setting).init_continuous_batching(
            GenerationConfig(do_sample=False, eos_token_id=_NO_STOP_ID),
            ContinuousBatchingConfig(
                page_size=_PAGE_TOKENS,
                num_blocks=LARGEST_BATCH * setting.window // _PAGE_TOKENS // 2,
                max_batch_tokens=setting.window,
                max_requests_per_batch=LARGEST_BATCH,
            ),
        )
        self._manager.start()

    def serve(self, crowd: Crowd) -> None:
        heard: dict[str, int] = {}
        while not crowd.done:
            for ask in crowd.asking():
                heard[ask.id] = 0
                self._manager.add_request(
                    list(ask.prompt_ids), ask.id, ask.reply_tokens, streaming=True, eos_token_id=_NO_STOP_ID
                )
            if not heard:
                crowd.wait()
                continue
            self._listen(crowd, heard)

    def _listen(self, crowd: Crowd, heard: dict[str, int]) -> None:
        """Takes one token, or waits for one until somebody else asks."""
        pause_s = crowd.until_next_s()
        output = self._manager.get_result(timeout=_LONGEST_WAIT_S if pause_s is None else min(pause_s, _LONGEST_WAIT_S))
        if output is None:
            if not self._manager.is_running():
                raise RuntimeError("continuous batching ended its thread")
            return
        if output.error:
            raise RuntimeError(output.error)
        crowd.hears(output.request_id, output.generated_tokens[heard[output.request_id] :])
        heard[output.request_id] = len(output.generated_tokens)
        if output.is_finished():
            del heard[output.request_id]
