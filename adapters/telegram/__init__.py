"""Telegram: receiving over raw updates, sending over python-telegram-bot."""
