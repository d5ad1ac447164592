"""A Slack on this machine, with workspaces, people, channels and faults by request.

It is written against Slack's public documentation; it knows nothing of the adapter that talks to it. Only 127.0.0.1 can
reach it. How a test drives it:

    from bots.sandbox.local_slack.driver import local_slack
    from bots.sandbox.local_slack.limits import NO_RATES
    from bots.sandbox.local_slack.options import Options

    async with local_slack(Options(rates=NO_RATES)) as slack:    # tiers are kept to where no rates are given
        client = AsyncWebClient(slack.token, base_url=slack.api_url, retry_handlers=[])
        ann = await slack.person("Ann")                          # with a DM with the app: ann.dm
        general = await slack.channel("general", ann)            # the bot is a member
        asked = await ann.says(f"{slack.mention} hello", general)
        await ann.says("and now?", general, thread=asked)
        await general.shows("you said: hello")                   # waits; what people read, once no stream is open
        (reply,) = await general.answers(root=asked)             # texts, raw, times, blocks, metadata, stream, fires

Socket Mode: slack.app_token. HTTP: slack.signing_secret, `await slack.post_events_to(url)`. OAuth: slack.client_id,
slack.client_secret. People: `Person` (says, edits, deletes, reacts, stops, opens_app, presses, commands, uses_shortcut,
modal, submits, home …). What was called, by whom and when: slack.calls(), slack.deliveries(), slack.excesses(). Time:
slack.advance(60) moves Slack's clock: event retries, streams' age, tiers, triggers. Faults: slack.fault("drop_after",
"chat.postMessage") and more in `bots.sandbox.faults`; slack.go_away(). In a process of its own:
`own_process.local_slack_process`.
"""
