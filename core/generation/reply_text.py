"""A reply's tokens as they come → pieces of text that a person can be shown at once."""

from collections.abc import Sequence

from core.dialogue import FinishReason
from core.generation.detokenizer import Detokenizer, StopStrings
from core.generation.messages import Hypothesis
from core.generation.request import Candidate, Piece
from core.generation.tokenizer import Tokenizer


class ReplyText:
    """Never gives out half a character, nor text that may still turn out to be a stop string."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str], prefix_ids: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._stop = stop
        self._detokenizer = Detokenizer(tokenizer)
        self._stop_strings = StopStrings(stop)
        self._text = ""
        self._unsaid_ids: list[int] = []
        #: Everything that was drawn so far.
        self.token_ids: tuple[int, ...] = ()
        self.push(prefix_ids)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was written."""
        return bool(self._stop_strings.found)

    def push(self, token_ids: Sequence[int]) -> Piece | None:
        self.token_ids += tuple(token_ids)
        self._unsaid_ids += token_ids
        return self._piece(self._stop_strings.push(self._detokenizer.push(token_ids)))

    def finish(self) -> Piece | None:
        """What was held back, at the end of the reply."""
        return self._piece(self._stop_strings.push(self._detokenizer.flush()) + self._stop_strings.flush())

    def candidate(self, reason: FinishReason, log_probability: float) -> Candidate:
        if not self.stopped:
            return Candidate(self._text, self.token_ids, reason, log_probability)
        # The tokens that were drawn spell the stop string as well: the reply is what stands before it.
        return Candidate(self._text, tuple(self._tokenizer.encode_data(self._text)), FinishReason.STOP, log_probability)

    def read(self, hypothesis: Hypothesis) -> Candidate:
        """A whole hypothesis at once, by the same rules."""
        whole = ReplyText(self._tokenizer, self._stop, hypothesis.token_ids)
        whole.finish()
        return whole.candidate(hypothesis.finish_reason, hypothesis.log_probability)

    def _piece(self, text: str) -> Piece | None:
        if not text:
            return None
        self._text += text
        token_ids, self._unsaid_ids = tuple(self._unsaid_ids), []
        return Piece(text, token_ids)
