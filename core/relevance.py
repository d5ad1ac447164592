"""What a question is about: the words to look for, and how well a turn answers to them.

Words alone; it knows neither databases nor models. What it gives out holds no character that any query syntax knows.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

#: So many words of a question are looked for: its longest, which are the rarest more often than not.
WORDS_LIMIT = 10
#: So many turns are ranked at most.
RANKED_LIMIT = 200
#: Of one word. What was said more often tells little.
TURNS_PER_WORD = RANKED_LIMIT // WORDS_LIMIT

#: A text with so many of the words is about them, however common they are.
_ENOUGH_WORDS = 3
_SHORTEST_WORD = 2
#: PostgreSQL knows no word of more than 2,046 bytes, and people none of half of that.
_LONGEST_WORD = 64
#: So much of a text is ranked, and of a question read.
_READ_CHARS = 4_000

# Letters and digits, and the marks that Unicode sets upon them: accents, and the vowels of Hebrew, Arabic, India, Thai.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0981-\u109d"
_MARKS += "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")

#: Okapi BM25's usual constants (Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework").
_SATURATION, _LENGTH_SHARE = 1.2, 0.75

_Key = TypeVar("_Key")


def words_of(question: str) -> tuple[str, ...]:
    """Different words as they are written, the longest first."""
    different = {word.lower(): word for word in _WORD.findall(question[:_READ_CHARS])}
    known = (word for word in different.values() if _SHORTEST_WORD <= len(word) <= _LONGEST_WORD)
    return tuple(sorted(known, key=len, reverse=True)[:WORDS_LIMIT])


def rank(words: Sequence[str], texts: Mapping[_Key, str]) -> list[_Key]:
    """The keys of the texts that are about the words, the best first; of equals, the last one.

    How rare a word is, is told by these texts alone. A text that has none but words that many have, and few of those
    that were asked for, is about nothing.
    """
    asked = {word.lower() for word in words}
    counts = {key: Counter(_WORD.findall(text[:_READ_CHARS].lower())) for key, text in texts.items()}
    having = Counter(word for count in counts.values() for word in asked & count.keys())
    rare = {word for word in asked if having[word] < TURNS_PER_WORD}
    mean_length = sum(map(Counter.total, counts.values())) / max(len(counts), 1)

    def score(count: Counter[str]) -> float:
        length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * count.total() / mean_length
        return sum(
            math.log(1 + len(counts) / having[word])
            * (count[word] * (_SATURATION + 1) / (count[word] + _SATURATION * length))
            for word in asked & count.keys()
        )

    def is_about(count: Counter[str]) -> bool:
        found = asked & count.keys()
        return bool(found & rare) or len(found) >= _ENOUGH_WORDS or 2 * len(found) > len(asked)

    about = [(score(count), number, key) for number, (key, count) in enumerate(counts.items()) if is_about(count)]
    return [key for _, _, key in sorted(about, key=lambda one: one[:2], reverse=True)]
