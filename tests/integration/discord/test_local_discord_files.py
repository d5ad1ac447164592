"""Attachments on the local Discord, and the signed addresses that they are to be had at."""

import json

import aiohttp
import pytest

from bots.sandbox.json_values import list_in, object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import NO_RATES, Limits
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place
from tests.integration.discord.plain_clients import Rest, Said


def form(content: str, *files: tuple[str, bytes], **more: object) -> aiohttp.FormData:
    """As Discord's documentation shows it."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps({"content": content, **more}), content_type="application/json")
    for number, (name, data) in enumerate(files):
        form.add_field(f"files[{number}]", data, filename=name, content_type="application/octet-stream")
    return form


async def posted(rest: Rest, channel: Place, *files: tuple[str, bytes]) -> Said:
    return await rest.ask("POST", f"/channels/{channel.id}/messages", form=form("here", *files))


def address(said: Said) -> str:
    return str(object_in(list_in(said.body["attachments"])[0])["url"])


async def fetched(rest: Rest, url: str) -> tuple[int, bytes]:
    async with rest.session.get(url) as answer:
        return answer.status, await answer.read()


async def test_what_is_attached_can_be_had_until_its_address_is_too_old(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    await ann.says("look", general, files=[Document("paper.txt", "naïve".encode())])
    (message,) = (await rest.ask("GET", f"/channels/{general.id}/messages")).items
    (attachment,) = [object_in(one) for one in list_in(message["attachments"])]
    url = str(attachment["url"])
    had = await fetched(rest, url)
    forged = await fetched(rest, url.replace("hm=", "hm=0"))
    await local.advance(86_401)
    old = await fetched(rest, url)
    renewed = await rest.ask("GET", f"/channels/{general.id}/messages/{message['id']}")

    assert (attachment["filename"], attachment["size"]) == ("paper.txt", 6)
    assert had == (200, "naïve".encode())
    assert (forged[0], old[0]) == (404, 404)
    assert await fetched(rest, address(renewed)) == (200, "naïve".encode())


async def test_files_of_an_edit_replace_or_join_those_that_are_there(rest: Rest, general: Place) -> None:
    first = await posted(rest, general, ("one.md", b"1"))
    where = f"/channels/{general.id}/messages/{first.body['id']}"
    kept = object_in(list_in(first.body["attachments"])[0])["id"]
    both = await rest.ask("PATCH", where, form=form("both", ("two.md", b"2"), attachments=[{"id": kept}, {"id": 0}]))
    second = await rest.ask("PATCH", where, form=form("two", ("two.md", b"2"), attachments=[{"id": 0}]))
    same = await rest.ask("PATCH", where, {"content": "still two"})
    none = await rest.ask("PATCH", where, {"content": "none", "attachments": []})
    edits = (both, second, same, none)

    names = [[object_in(one)["filename"] for one in list_in(edit.body["attachments"])] for edit in edits]
    assert names == [["one.md", "two.md"], ["two.md"], ["two.md"], []]


@pytest.mark.parametrize("options", [Options(rates=NO_RATES, limits=Limits(file_bytes=10, files=2))])
async def test_files_can_be_too_large_or_too_many(rest: Rest, general: Place) -> None:
    large = await posted(rest, general, ("large.bin", b"x" * 11))
    many = await posted(rest, general, *[(f"{number}.md", b"x") for number in range(3)])
    fitting = await posted(rest, general, ("a.md", b"x" * 10), ("b.md", b""))

    assert [(one.status, one.code) for one in (large, many)] == [(413, 40005), (400, 50035)]
    assert fitting.status == 200


async def test_a_deleted_message_takes_its_files_along(rest: Rest, ann: Person, general: Place) -> None:
    said = await posted(rest, general, ("one.md", b"1"))
    await rest.ask("DELETE", f"/channels/{general.id}/messages/{said.body['id']}")

    assert (await fetched(rest, address(said)))[0] == 404


async def test_what_a_person_says_of_a_file_can_be_untrue(rest: Rest, ann: Person) -> None:
    await ann.says("", files=[Document("big.txt", b"abc", size=10_000_000)])
    (message,) = (await rest.ask("GET", f"/channels/{ann.dm.id}/messages")).items

    assert object_in(list_in(message["attachments"])[0])["size"] == 10_000_000
