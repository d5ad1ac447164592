"""A server that writes another long reply to every request, as fast as a large engine, and knows them all."""

import random

from tests.integration.local_openai import CHAT, DONE, Answer, Asked, LocalOpenAI, spaced, words


class Novelist(LocalOpenAI):
    """The replies are of so many pieces, which come so long after each other."""

    def __init__(self, pieces: int = 40, piece_s: float = 0.05) -> None:
        super().__init__()
        self.written: list[str] = []
        self._pieces, self._piece_s = pieces, piece_s
        self._random = random.Random(1)

    def _chosen(self, asked: Asked) -> Answer:
        if asked.path != CHAT:
            return super()._chosen(asked)
        number, draw = len(self.written), self._random
        pieces = [
            f"Chapter {number}.{piece} has {draw.randrange(10**9)} words{', and more' * draw.randrange(10)}.\n\n"
            for piece in range(self._pieces)
        ]
        self.written.append("".join(pieces))
        return Answer([*spaced(words(CHAT, *pieces), self._piece_s), DONE])


def bare(text: str) -> str:
    """Without its blanks: where a reply is cut into parts, some are left out."""
    return "".join(text.split())
