"""A transformers model: the newest tokens of many slots in, logits out.

Whether its keys and values fit slots is found out when it is loaded, by its configuration and by a self-test against
the model's own forward.
"""

import inspect
import logging
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from core.errors import ModelTooLarge, RequestFailed
from core.generation.cpu_linear import Int8Linear, Layer, PackedLinear, replace_layers
from core.generation.decode_graphs import DecodeGraphs
from core.generation.failures import is_out_of_memory
from core.generation.kv_cache import LayerShape, SlotCache
from core.generation.lora import ALL_TOKENS, Adapters
from core.generation.request import ModelSpec
from core.generation.scheduler import Chunk
from core.generation.slot_attention import ATTENTION, Batch, batch_of, slot_attention
from core.generation.slots import Slot

logger = logging.getLogger(__name__)

AttentionInterface.register(ATTENTION, slot_attention)

#: Largest difference of log probabilities that rounding makes, by type.
_TOLERANCES = {torch.float64: 1e-8, torch.float32: 2e-3, torch.float16: 0.3, torch.bfloat16: 0.6}
#: The self-test's prompts: three lengths, so that one is read in pieces and one with others.
_PROBE_LENGTHS = (5, 11, 3)
_NO_WINDOW = 2**31


class Unbatchable(Exception):
    """The slots can't hold this model; the message says why."""


class Network:
    """A transformers model that reads whole sequences, or new tokens of many slots."""

    def __init__(self, spec: ModelSpec, network: PreTrainedModel) -> None:
        self.spec = spec
        self.module = network.eval()
        self.window = getattr(network.config, "max_position_embeddings", None) or _NO_WINDOW
        #: Has the type and the device of what it computes.
        self.like: Tensor = next(parameter for parameter in network.parameters() if parameter.is_floating_point())
        #: For steps of replies alone; only a GPU has them.
        self.graphs: DecodeGraphs | None = None
        self.adapters = Adapters(network)
        self._keeps_some = "logits_to_keep" in inspect.signature(network.forward).parameters

    def check_tokens(self, token_ids: Sequence[int]) -> None:
        """Raises RequestFailed for one that it does not know: on a GPU reading it would cost the device."""
        known = cast("nn.Embedding", self.module.get_input_embeddings()).num_embeddings
        strange = next((token for token in token_ids if not 0 <= token < known), None)
        if strange is not None:
            raise RequestFailed(
                f"token {strange} is none of the {known} that {self.spec.name} knows; its tokenizer is another model's"
            )

    @property
    def device(self) -> torch.device:
        return self.like.device

    @property
    def weights_bytes(self) -> int:
        packed = (part.nbytes for part in self.module.modules() if isinstance(part, PackedLinear | Int8Linear))
        plain: int = sum(parameter.nbytes for parameter in self.module.parameters())
        return plain + sum(packed) + self.adapters.nbytes

    def read(self, chunks: Sequence[Chunk], cache: SlotCache) -> tuple[Tensor, list[Chunk]]:
        """(logits [draw, vocabulary], the chunk of each): the cache grows by the chunks' tokens."""
        if self.graphs is not None and DecodeGraphs.fit(chunks):
            try:
                return self.graphs.read(chunks), list(chunks)
            except RuntimeError as error:
                if is_out_of_memory(error) or isinstance(error, torch.AcceleratorError):
                    raise
                logger.warning("no CUDA graphs: %s", error, extra={"action": "no_graphs", "model": self.spec.name})
                self.graphs = None
        batch, drawing = batch_of(chunks, self.like)
        return self.forward(batch, cache), drawing

    def forward(self, batch: Batch, cache: SlotCache) -> Tensor:
        """Logits [wanted, vocabulary]."""
        cache.expect(batch)
        self.adapters.route(batch.adapters)
        output = self.module(
            input_ids=batch.token_ids.unsqueeze(0),
            position_ids=batch.positions.unsqueeze(0),
            past_key_values=cache,
            use_cache=True,
            slot_batch=batch,
            **({"logits_to_keep": batch.wanted} if self._keeps_some else {}),
        )
        logits: Tensor = output.logits[0]
        return logits if self._keeps_some else logits[batch.wanted]

    def let_read(self, adapter: str) -> None:
        """All of the next forward's tokens are read by this adapter; "" is none."""
        self.adapters.route([(adapter, ALL_TOKENS)] if adapter else ())

    def read_whole(self, token_ids: Tensor, adapter: str = "") -> Tensor:
        """[row, tokens] → logits [row, tokens, vocabulary], no cache."""
        self.let_read(adapter)
        logits: Tensor = self.module(input_ids=token_ids, use_cache=False).logits
        return logits

    def layer_shapes(self) -> list[LayerShape]:
        """Raises Unbatchable for anything but plain full attention in every layer."""
        config = self.module.config
        if config.is_encoder_decoder:
            raise Unbatchable("it is an encoder-decoder")
        if not self.module._supports_attention_backend:
            raise Unbatchable("its attention can't be exchanged")
        strange = sorted(set(getattr(config, "layer_types", None) or ()) - {"full_attention"})
        if strange:
            raise Unbatchable(f"it has layers of another kind: {', '.join(strange)}")
        cache = DynamicCache(config=config)
        self.module(input_ids=self._probe(3), past_key_values=cache, use_cache=True)
        if not cache.layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
            raise Unbatchable("its cache is not one of keys and values at every position")
        return [
            LayerShape(layer.keys.shape[1], layer.keys.shape[3], layer.values.shape[3])
            for layer in cache.layers
            if isinstance(layer, DynamicLayer) and layer.keys is not None and layer.values is not None
        ]

    def _probe(self, length: int) -> Tensor:
        vocabulary = self.module.config.get_text_config().vocab_size
        ids: Tensor = torch.arange(length, device=self.like.device) * 7919 % vocabulary
        return ids.unsqueeze(0)

    def own_log_probabilities(self, adapter: str = "") -> list[Tensor]:
        """The model's own forward, as it came, on the self-test's prompts: [1, tokens, vocabulary] of each.

        The adapter reads all but the second.
        """
        readers = (adapter, "", adapter)
        return [
            self.read_whole(self._probe(length), reader).double().log_softmax(-1)
            for length, reader in zip(_PROBE_LENGTHS, readers, strict=True)
        ]

    def check(self, expected: Sequence[Tensor], shapes: Sequence[LayerShape], adapter: str = "") -> None:
        """Reads the prompts through slots, in pieces and together. Raises Unbatchable where the logits differ."""
        cache = SlotCache(shapes, len(expected), max(_PROBE_LENGTHS), self.like)
        ids = [self._probe(length)[0].tolist() for length in _PROBE_LENGTHS]
        steps = [
            [(0, 0, 4), (1, 0, 6)],  # two prompts' beginnings
            [(0, 4, 5), (1, 6, 10), (2, 0, 2)],  # a reply's token, the rest of a prompt, another's beginning
            [(0, 4, 5), (1, 10, 11), (2, 2, 3)],  # three of different lengths together
        ]
        worst = 0.0
        for step in steps:
            chunks = [
                _probe_chunk(slot, ids[slot][first:last], first, "" if slot == 1 else adapter)
                for slot, first, last in step
            ]
            logits, drawing = self.read(chunks, cache)
            for row, chunk in zip(logits.double().log_softmax(-1), drawing, strict=True):
                end = chunk.start + len(chunk.token_ids) - 1
                worst = max(worst, float((row - expected[chunk.slot.number][0, end]).abs().max()))
        if not worst <= _TOLERANCES[self.like.dtype]:
            raise Unbatchable(f"its logits in a batch differ by {worst:.2g} from its own")


def _probe_chunk(slot: int, token_ids: Sequence[int], start: int, adapter: str) -> Chunk:
    return Chunk(None, Slot(slot), token_ids, start, draws=(None,), adapter=adapter)  # type: ignore[arg-type]  # nobody's


def prepare(network: Network, layer: Layer | None) -> list[LayerShape]:
    """Switches the model to the slots' attention and packs its weights. Raises Unbatchable and leaves it as it was."""
    module = network.module
    before = module.config._attn_implementation
    try:
        with torch.inference_mode():
            shapes, expected = network.layer_shapes(), network.own_log_probabilities()
            module.set_attn_implementation(ATTENTION)
            network.check(expected, shapes)
            if layer is not None:
                replace_layers(module, layer)
            if layer is PackedLinear:
                network.check(expected, shapes)
    except Unbatchable:
        module.set_attn_implementation(before)
        raise
    except Exception as error:  # whatever a model's code raises at the slots' attention: then it runs without
        if is_out_of_memory(error):
            raise ModelTooLarge(f"{network.spec.name} leaves no memory to run in; take a smaller model") from error
        logger.warning("the self-test failed", exc_info=True, extra={"action": "self_test", "model": network.spec.name})
        module.set_attn_implementation(before)
        raise Unbatchable(f"the self-test failed with {type(error).__name__}") from error
    return shapes
