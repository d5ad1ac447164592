"""Tokenizers of the three common kinds, small enough to be made in a test."""

import json
from collections.abc import Mapping
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE, Unigram

SENTENCES = (
    "Hello there, how are you today? I am fine, thank you.",
    "What is the capital of France? The capital of France is Paris.",
    "hello world the end of the story\n\nuser\nassistant\nsystem\n",
    "[INST] <<SYS>> [/INST] it's 12 o'clock; don't worry",
)
BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))


def save(folder: Path, backend: tokenizers.Tokenizer, settings: Mapping[str, object], template: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if template:
        (folder / "chat_template.jinja").write_text(template)
    return folder


def byte_level(folder: Path, template: str = "") -> Path:
    """As GPT-2, SmolLM2 and Qwen have it: `<think>` was added as an ordinary token, and so were two spaces."""
    backend = tokenizers.Tokenizer(BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.add_tokens([AddedToken(text, normalized=False) for text in ("<think>", "</think>", "  ")])
    settings = {
        "bos_token": {"__type": "AddedToken", "content": "<|endoftext|>"},
        "eos_token": "<|im_end|>",
        "pad_token": None,
    }
    return save(folder, backend, settings, template)


def sentencepiece_bpe(folder: Path, template: str = "") -> Path:
    """As Llama 2 and Mistral have it: "▁" for spaces, one before every text, and bytes for rare characters."""
    trained = tokenizers.Tokenizer(BPE())
    trained.normalizer = _sentencepiece_spaces()
    trained.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=300, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    names = [*_SPECIALS, *BYTE_TOKENS, *model["vocab"]]
    vocabulary = {token: number for number, token in enumerate(names)}
    merges = [(left, right) for left, right in model["merges"]]
    backend = tokenizers.Tokenizer(BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    backend.normalizer = _sentencepiece_spaces()
    return save(folder, _finished(backend), {"bos_token": "<s>", "eos_token": "</s>"}, template)


def unigram(folder: Path, template: str = "") -> Path:
    """Its own vocabulary holds `<think>`, so that the model makes it of plain text."""
    letters = sorted({letter for sentence in SENTENCES for letter in sentence.replace(" ", "▁")})
    words = ["▁the", "▁hello", "▁capital", "▁of", "▁France", "in", "er", "▁a", "<think>"]
    pieces = [(token, 0.0) for token in _SPECIALS]
    pieces += [(token, -9.0) for token in BYTE_TOKENS]
    pieces += [(token, -6.0) for token in letters] + [(token, -3.0) for token in words]
    backend = tokenizers.Tokenizer(Unigram(pieces, 0, byte_fallback=True))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    backend = _finished(backend)
    backend.add_tokens([AddedToken("<think>", normalized=False)])
    return save(folder, backend, {"bos_token": "<s>", "eos_token": "</s>"}, template)


KINDS = {"byte-level": byte_level, "sentencepiece": sentencepiece_bpe, "unigram": unigram}

_SPECIALS = ("<unk>", "<s>", "</s>")


def _sentencepiece_spaces() -> normalizers.Sequence:
    return normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])


def _finished(backend: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    backend.decoder = decoders.Sequence(steps)
    backend.add_special_tokens([AddedToken(text, normalized=False) for text in _SPECIALS])
    return backend
