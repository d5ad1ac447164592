"""How the bots answer on the platforms, and what an operator sees of it."""

from typing import Annotated

from pydantic import Field

from core.settings.section import Section


class ServiceSettings(Section):
    """How people are answered on the platforms."""

    #: Places at which one process answers at once.
    places: Annotated[int, Field(ge=1, le=10_000)] = 64
    #: What one person says within so long is answered as one turn; 0 answers each message.
    burst_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    #: A longer text file that comes with a message is not read; 0 reads none.
    attachment_kib: Annotated[int, Field(ge=0, le=20_000)] = 32
    #: Whoever edits their last question gets its finished reply drawn again; else only memory changes.
    redraw_edited: bool = True
    #: Somebody who waits so long is told why.
    notice_after_s: Annotated[float, Field(ge=0)] = 5.0
    #: A message whose reply could not be made so often ends with an apology.
    attempts: Annotated[int, Field(ge=1, le=100)] = 4
    #: After SIGTERM, replies that are being written may go on for so long.
    drain_s: Annotated[float, Field(ge=0)] = 20.0
    #: Another process goes on where one has said nothing for so long. No call on a platform may take as long.
    lease_s: Annotated[float, Field(ge=45)] = 60.0
    #: How often it looks for what nobody told it of.
    poll_s: Annotated[float, Field(gt=0)] = 1.0


class WebSettings(Section):
    """Where /metrics, /healthz and /readyz are."""

    host: str = "127.0.0.1"
    #: 0 is none.
    port: Annotated[int, Field(ge=0, le=65535)] = 8484
