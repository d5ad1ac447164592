"""Discord: receiving and sending over discord.py, on a local server."""
