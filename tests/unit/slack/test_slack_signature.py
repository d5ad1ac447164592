"""Slack's signatures, after the example in its documentation."""

import pytest

from adapters.slack.signature import is_fresh, is_signed, looks_signed

# https://docs.slack.dev/authentication/verifying-requests-from-slack
SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
TOLD = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_slacks_own_example_is_signed() -> None:
    assert looks_signed(SIGNATURE)
    assert is_signed(SECRET, TOLD, BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("secret", "told", "body"),
    [(SECRET + b"x", TOLD, BODY), (SECRET, "1531420619", BODY), (SECRET, TOLD, BODY + b"x"), (SECRET, TOLD, b"")],
)
def test_anything_else_is_not(secret: bytes, told: str, body: bytes) -> None:
    assert not is_signed(secret, told, body, SIGNATURE)


@pytest.mark.parametrize(
    ("now", "is_it"), [(0.0, True), (300.0, True), (-300.0, True), (300.5, False), (-301.0, False), (1e9, False)]
)
def test_a_time_is_good_for_five_minutes_either_way(now: float, is_it: bool) -> None:
    assert is_fresh(TOLD, int(TOLD) + now) is is_it


@pytest.mark.parametrize("told", ["", "now", "1e9", "-1", "9" * 5000, "١٥٣١٤٢٠٦١٨", "1531420618\n"])
def test_what_is_no_time_is_never_fresh(told: str) -> None:
    assert not is_fresh(told, 1531420618.0)


@pytest.mark.parametrize(
    "signature", ["", "v0=", SIGNATURE[:-1], SIGNATURE + "0", "v1" + SIGNATURE[2:], "v0=" + "é" * 64]
)
def test_what_is_no_signature_does_not_look_like_one(signature: str) -> None:
    assert not looks_signed(signature)
