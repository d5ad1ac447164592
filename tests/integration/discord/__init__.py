"""Slack: receiving over slack-bolt, sending over slack-sdk."""
