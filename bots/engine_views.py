"""What the engine does, as an operator reads it."""

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from core.clean_text import printable
from core.generation.messages import Statistics


def engine_table(statistics: Statistics) -> Table:
    table = Table("engine", printable(statistics.device), box=None, pad_edge=False)
    wait = f", about {statistics.expected_wait_s:.0f} s for the next one" if statistics.expected_wait_s else ""
    table.add_row("running", f"{statistics.running:,}")
    table.add_row("waiting", f"{statistics.waiting:,}{wait}")
    return table


def loaded_table(statistics: Statistics) -> Table:
    """Each model with its slots and bytes, and the tokens since it was loaded."""
    table = Table("model", "way", "running", "slots", "kept", box=None, pad_edge=False)
    for name in ("weights", "slots' memory", "read", "known already", "drawn"):
        table.add_column(name)
    for model in statistics.models:
        slots = (f"{count:,}" for count in (model.running, model.slots, model.retained))
        tokens = (f"{count:,}" for count in (model.prefilled_tokens, model.reused_tokens, model.drawn_tokens))
        sizes = (decimal(model.weights_bytes), decimal(model.slots_bytes))
        table.add_row(*(Text(printable(cell)) for cell in (model.name, model.way, *slots, *sizes, *tokens)))
    return table
