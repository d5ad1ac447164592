"""A Discord on this machine, with people, servers, channels and faults by request.

It is written against Discord's public documentation; it knows nothing of the adapter that talks to it. Only 127.0.0.1
can reach it. How a test drives it:

    from bots.sandbox.local_discord.driver import local_discord
    from bots.sandbox.local_discord.limits import NO_RATES
    from bots.sandbox.local_discord.options import Options

    async with local_discord(Options(rates=NO_RATES)) as discord:  # rate limits are kept to where none are given
        discord.api_url, discord.token                             # what a bot is given
        ann = await discord.person("Ann")                          # with a DM with the bot: ann.dm
        server = await discord.guild("Friends", ann)               # the bot is a member
        general = await server.channel("general")
        asked = await ann.says(f"{discord.mention} hello", general)
        thread = await general.thread_from(asked)                  # waits until the bot has begun it
        await thread.shows("you said: hello")                      # what people read
        (reply,) = await thread.answers()                          # texts, times, nonce, replies_to, labels, pings …

People: `Person` (says, edits, deletes, reacts, posts, begins_thread, commands, types_into, uses_on, presses, modal,
submits …). The gateway: discord.reconnect(), invalidate(), close(), cut(), mute(), hold_events() …; what went over
which connection, and how late heartbeats came: discord.told(), discord.look(). Requests: discord.calls(),
discord.excesses(). Time: discord.advance(60) moves Discord's clock: rate limits, nonces, tokens of interactions,
sessions, links. Faults: discord.fault("drop_after", "create_message") and more in `bots.sandbox.faults`;
discord.go_away(). In a process of its own: `own_process.local_discord_process`.
"""
