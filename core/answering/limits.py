"""How often, how long and how much, when a message is answered."""

from dataclasses import dataclass, field

from core.attachments import AttachmentLimits


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    #: A message whose reply could not be made so often ends as `failed`, with an apology.
    attempts: int = 4
    #: The same for a platform that does not take a reply that was made.
    sending_attempts: int = 20
    first_pause_s: float = 2.0
    longest_pause_s: float = 300.0
    #: Somebody who waits so long is told why.
    notice_after_s: float = 5.0
    #: What one person says within so long is answered as one turn; 0 answers each.
    burst_s: float = 0.0
    attachments: AttachmentLimits = field(default_factory=AttachmentLimits)
    #: An edit of the last question draws its finished reply again; else it changes memory alone.
    redraws_edited: bool = True
