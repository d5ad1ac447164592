"""A Bot API server on this machine, with people, chats and faults by request.

It is written against Telegram's public description of the Bot API and the texts of its open-source server;
it knows nothing of the adapter that talks to it. Only 127.0.0.1 can reach it.
"""
