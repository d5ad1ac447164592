"""Which Discord is spoken to.

discord.py holds its address once for the whole process, so all accounts of a process speak to the same one.
"""

from discord.http import Route

#: Discord's own.
DISCORD_API = "https://discord.com/api/v10"


def speak_to(api_url: str = DISCORD_API) -> None:
    """Requests go there from now on; the gateway's address is what that place names as such."""
    Route.BASE = api_url.rstrip("/")
