"""Discord: what needs no connection."""
