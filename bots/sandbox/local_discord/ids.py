"""Secrets that nobody guesses."""

import secrets


def secret_text() -> str:
    return secrets.token_urlsafe(48)
