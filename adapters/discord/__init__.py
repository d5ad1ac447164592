"""Discord: receiving and sending over discord.py."""
