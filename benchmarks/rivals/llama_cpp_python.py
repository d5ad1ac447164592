"""llama-cpp-python, in its own environment's Python: one request after another, which is all that its `Llama` does.

It keeps the last request's keys and values, and reads only what differs in the next prompt.
"""

from itertools import islice, takewhile

from llama_cpp import Llama

from benchmarks.crowd import Ask, Crowd
from benchmarks.rivals.rival import Setting


class LlamaCppPython:
    def __init__(self, setting: Setting) -> None:
        self._llama = Llama(
            setting.folder,
            n_ctx=setting.window,
            n_threads=setting.threads,
            n_threads_batch=setting.threads,
            verbose=False,
        )

    def serve(self, crowd: Crowd) -> None:
        waiting: list[Ask] = []
        while not crowd.done:
            waiting.extend(crowd.asking())
            if waiting:
                self._answer(waiting.pop(0), crowd)
            else:
                crowd.wait()

    def _answer(self, ask: Ask, crowd: Crowd) -> None:
        held = self._llama.input_ids[: self._llama.n_tokens].tolist()
        pairs = zip(held, ask.prompt_ids[:-1], strict=False)
        reused = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        tokens = self._llama.generate(list(ask.prompt_ids), temp=0.0, repeat_penalty=1.0)
        for token_id in islice(tokens, ask.reply_tokens):
            crowd.hears(ask.id, [token_id])
        crowd.hears_prefill(ask.id, len(ask.prompt_ids) - reused)
