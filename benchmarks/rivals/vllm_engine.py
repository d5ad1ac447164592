"""vLLM, in its own environment's Python: its engine without its server.

Its sampler draws greedily, as all rivals do. The first start compiles for a minute.
"""

from vllm import EngineArgs, RequestOutput, SamplingParams
from vllm.inputs import TokensPrompt
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.llm_engine import LLMEngine

from benchmarks.crowd import Ask, Crowd
from benchmarks.rivals.rival import LARGEST_BATCH, Setting


class VllmEngine:
    def __init__(self, setting: Setting) -> None:
        self._engine = LLMEngine.from_engine_args(
            EngineArgs(
                model=setting.folder,
                dtype="float32",
                max_model_len=setting.window,
                max_num_seqs=LARGEST_BATCH,
                skip_tokenizer_init=True,
                disable_log_stats=True,
            )
        )

    def serve(self, crowd: Crowd) -> None:
        while not crowd.done:
            for ask in crowd.asking():
                self._submit(ask)
            if not self._engine.has_unfinished_requests():
                crowd.wait()
                continue
            for output in self._engine.step():
                self._pass_on(output, crowd)

    def _submit(self, ask: Ask) -> None:
        sampling = SamplingParams(
            temperature=0.0,
            max_tokens=ask.reply_tokens,
            ignore_eos=True,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )
        self._engine.add_request(ask.id, TokensPrompt(prompt_token_ids=list(ask.prompt_ids)), sampling)

    @staticmethod
    def _pass_on(output: RequestOutput, crowd: Crowd) -> None:
        crowd.hears(output.request_id, output.outputs[0].token_ids)
        if output.finished:
            crowd.hears_prefill(output.request_id, len(output.prompt_token_ids) - (output.num_cached_tokens or 0))
