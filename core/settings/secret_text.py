"""Secrets of a platform: from the environment, from config.toml, or from files that hold one each."""

from pathlib import Path

from pydantic import SecretStr


def read_secret(secret: SecretStr, file: str, key: str) -> str:
    """ "" where there is none. `key` is the file's setting. Raises ValueError where the file can't be read."""
    if secret.get_secret_value() or not file:
        return secret.get_secret_value().strip()
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise ValueError(f"{key}: {type(error).__name__}; name a file that can be read") from None
