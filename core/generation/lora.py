"""LoRA (Hu et al. 2021, arXiv 2106.09685): to the output of a linear layer, each token's own adapter adds B·A of it.

Adapters share the layer that they are laid over, and a forward reads tokens of several adapters and of none. A network
without adapters has no such layer in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from core.generation.scheduler import Chunk

#: Of a forward's flat row of tokens: which are an adapter's.
Span = slice | Tensor
Runs = Sequence[tuple[str, Span]]
ALL_TOKENS = slice(None)


@dataclass(frozen=True, slots=True)
class LowRank:
    """One adapter's part in one layer."""

    #: [rank, in]
    a: Tensor
    #: [out, rank], times the adapter's scaling
    b: Tensor

    @property
    def nbytes(self) -> int:
        return self.a.nbytes + self.b.nbytes

    def add(self, rows: Tensor, output: Tensor, span: Span) -> None:
        """[…, tokens, in] adds to […, tokens, out], where the span says."""
        if isinstance(span, slice):
            output[..., span, :] += linear(linear(rows[..., span, :], self.a), self.b)
        else:
            output.index_add_(-2, span, linear(linear(rows.index_select(-2, span), self.a), self.b))


class Routes:
    """Which tokens of the forward that is under way are whose; shared by all layers of a network."""

    def __init__(self) -> None:
        self.runs: Runs = ()


class LoraLayer(nn.Module):
    """Stands where a linear layer stood, and calls it."""

    def __init__(self, base: nn.Module, routes: Routes) -> None:
        super().__init__()
        self.base = base
        #: By adapter.
        self.parts: dict[str, LowRank] = {}
        self._routes = routes

    def forward(self, rows: Tensor) -> Tensor:
        output: Tensor = self.base(rows)
        for adapter, span in self._routes.runs:
            if adapter in self.parts:
                self.parts[adapter].add(rows, output, span)
        return output


class Adapters:
    """The adapters that are laid over one network, by their folders."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._routes = Routes()
        self._layers: dict[str, LoraLayer] = {}

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for layer in self._layers.values() for part in layer.parts.values())

    def route(self, runs: Runs) -> None:
        """The next forward's tokens are these adapters'; those that no run names are the network's alone."""
        self._routes.runs = runs

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """(width in, width out) of each linear layer by its path, without the one that makes logits."""
        get_output = getattr(self._network, "get_output_embeddings", lambda: None)
        passed_over = {id(layer.base) for layer in self._layers.values()} | {id(get_output())}
        layers = {}
        for path, module in self._network.named_modules():
            widths = _widths(module.base if isinstance(module, LoraLayer) else module)
            if widths and id(module) not in passed_over:
                layers[path] = widths
        return layers

    def add(self, adapter: str, parts: Mapping[str, LowRank]) -> None:
        """`parts` by the paths of their layers."""
        for path, part in parts.items():
            if path not in self._layers:
                self._layers[path] = LoraLayer(self._network.get_submodule(path), self._routes)
                self._network.set_submodule(path, self._layers[path])
            self._layers[path].parts[adapter] = part

    def remove(self, adapter: str) -> None:
        """A layer that no adapter is laid over any more is the network's own again."""
        for path, layer in list(self._layers.items()):
            layer.parts.pop(adapter, None)
            if not layer.parts:
                self._network.set_submodule(path, self._layers.pop(path).base)


def adapter_runs(chunks: Sequence[Chunk], like: Tensor) -> Runs:
    """Of chunks in the order in which a forward reads them."""
    if not any(chunk.adapter for chunk in chunks):
        return ()
    places: dict[str, list[int]] = {}
    first = 0
    for chunk in chunks:
        last = first + len(chunk.token_ids)
        if chunk.adapter:
            places.setdefault(chunk.adapter, []).extend(range(first, last))
        first = last
    return [(adapter, _span(tokens, like)) for adapter, tokens in places.items()]


def _span(tokens: Sequence[int], like: Tensor) -> Span:
    if tokens[-1] - tokens[0] + 1 == len(tokens):
        return slice(tokens[0], tokens[-1] + 1)
    return torch.tensor(tokens, device=like.device)


def _widths(module: nn.Module) -> tuple[int, int] | None:
    """None for what is no linear layer."""
    if isinstance(module, Conv1D):
        return module.weight.shape[0], module.weight.shape[1]
    wide, out = getattr(module, "in_features", None), getattr(module, "out_features", None)
    return (wide, out) if isinstance(wide, int) and isinstance(out, int) else None
