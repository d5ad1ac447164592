"""A logger that says nothing: Slack's SDKs tell theirs whole messages, addresses with tickets, and traces of both."""

import logging

#: Bolt makes its own loggers as silent as the one that it is given.
SILENT = logging.getLogger("adapters.slack.silent")
SILENT.setLevel(logging.CRITICAL + 1)
SILENT.disabled = True
SILENT.propagate = False
