"""Linear layers as a CPU likes them: weights in oneDNN's own layout, once, at load.

On 2 cores and GPT-2's shapes a packed layer takes 0.4 to 0.6 of the time of torch's own for 8 rows and 0.7 for 32
(benchmarks/LOG.md, 2026-11-21). `torch.ops.mkldnn` is what torch.compile's freezing uses; where it is missing nothing
is packed.
"""

import warnings

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D

#: Rows that the layout is made for; it serves any number.
_ROWS = 32


class PackedLinear(nn.Module):
    """Takes the place of an `nn.Linear` or a `Conv1D` in float32."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """`weight` is [out, in]."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS)
        self.bias = bias

    @property
    def nbytes(self) -> int:
        return 4 * self.out_features * self.in_features

    def forward(self, rows: Tensor) -> Tensor:
        """[…, in] → […, out]"""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self.packed, self.bias, "none", [], "")
        return product


class Int8Linear(nn.Module):
    """The same with 8-bit weights, a scale for each output; what comes in is rounded to 8 bits, a scale for each row.

    A quarter of the memory. The kernel has one scale for all rows of a call: so each is brought to [−1, 1] before, and
    a row that holds both ends goes along. A batch has no say in how a row is rounded.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """`weight` is [out, in]."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        scales = weight.abs().amax(dim=1).clamp_min(1e-12).double() / 127
        zero_points = torch.zeros(self.out_features, dtype=torch.int64)
        with warnings.catch_warnings():
            # Deprecated, and nothing else in torch 2.13 is fast at this on a CPU (benchmarks/LOG.md, 2026-11-21).
            warnings.simplefilter("ignore", UserWarning)
            rounded = torch.quantize_per_channel(weight.contiguous(), scales, zero_points, 0, torch.qint8)
            self.packed = torch.ops.quantized.linear_prepack(rounded, None)
        self.bias = bias
        self.ends = torch.zeros(1, self.in_features)
        self.ends[0, 0], self.ends[0, -1] = -1.0, 1.0

    @property
    def nbytes(self) -> int:
        return self.out_features * self.in_features

    def forward(self, rows: Tensor) -> Tensor:
        """[…, in] → […, out]"""
        flat = rows.reshape(-1, self.in_features)
        scales = flat.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
        # reduce_range: without it the kernel for AVX2 overflows.
        product = torch.ops.quantized.linear_dynamic(torch.cat([flat / scales, self.ends]), self.packed, True)
        output: Tensor = (product[:-1] * scales).view(*rows.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


Layer = type[PackedLinear] | type[Int8Linear]


def fast_layer(dtype: str) -> Layer | None:
    """What linear layers are replaced by; None where torch has nothing better here."""
    if dtype == "int8":
        return Int8Linear
    packs = bool(torch.backends.mkldnn.enabled) and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    return PackedLinear if packs else None


def replace_layers(network: PreTrainedModel, layer: Layer) -> None:
    """Replaces the linear layers, one after another, so that no more than one of them is held twice.

    A weight that is an embedding as well stays for it: then the vocabulary's layer is held twice.
    """
    with torch.no_grad():
        for module in list(network.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear and child.weight.dtype == torch.float32:
                    setattr(module, name, layer(child.weight.detach(), _detached(child.bias)))
                elif type(child) is Conv1D and child.weight.dtype == torch.float32:
                    setattr(module, name, layer(child.weight.detach().t(), _detached(child.bias)))
                elif type(child) is NewGELUActivation:
                    setattr(module, name, nn.GELU(approximate="tanh"))  # the same formula, in one pass


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()
