"""Modals, one upon the other, and App Home, as each person sees them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.blocks import elements_of
from bots.sandbox.local_slack.ids import Ids, secret_text
from bots.sandbox.local_slack.refusals import Refused

_MOST = 100_000
_MOST_UPON_EACH_OTHER = 3


@dataclass(slots=True)
class View:
    id: str
    install: Install
    user: str
    given: JsonObject
    root_id: str
    previous_id: str = ""
    hash: str = field(default_factory=secret_text)
    #: What was put into it: by block, by action.
    values: dict[str, dict[str, JsonObject]] = field(default_factory=dict)
    #: `time.monotonic()` of each time that it was shown anew.
    times: list[float] = field(default_factory=list)

    def replace(self, given: JsonObject) -> None:
        self.given = _with_block_ids(given)
        self.hash = secret_text()
        self.times.append(time.monotonic())

    @property
    def blocks(self) -> list[JsonObject]:
        return [object_in(block) for block in list_in(self.given.get("blocks"))]

    def to_json(self, app_id: str) -> JsonObject:
        """As answers and interactions carry it."""
        told: JsonObject = {
            "id": self.id,
            "team_id": self.install.team_ids[0] if self.install.team_ids else self.install.id,
            "app_id": app_id,
            "app_installed_team_id": self.install.id,
            "bot_id": self.install.bot.bot_id,
            "hash": self.hash,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id or None,
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            "title": {"type": "plain_text", "text": "View Title", "emoji": True},
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
        }
        return told | self.given | {"state": {"values": self._state()}}

    def _state(self) -> JsonObject:
        """What is filled in, or was so from the beginning."""
        state: dict[str, JsonObject] = {}
        for block, element in elements_of(self.blocks):
            if block.get("type") != "input":
                continue
            block_id, action_id = str(block["block_id"]), str(element["action_id"])
            filled = self.values.get(block_id, {}).get(action_id) or _initial(element)
            state.setdefault(block_id, {})[action_id] = filled
        return dict(state)


class Views:
    """Everybody's."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.views: dict[str, View] = {}
        #: By person: the newest is on top.
        self.modals: dict[str, list[View]] = {}
        #: By installation and person.
        self.homes: dict[tuple[str, str], View] = {}

    def open(self, install: Install, user: str, given: JsonObject, *, is_upon: bool) -> View:
        """Raises Refused."""
        stack = self.modals.get(user, []) if is_upon else []
        if len(stack) >= _MOST_UPON_EACH_OTHER:
            raise Refused("push_limit_reached")
        view = self._new(install, user, given)
        if stack:
            view.root_id, view.previous_id = stack[0].id, stack[-1].id
        self.modals[user] = [*stack, view]
        return view

    def publish(self, install: Install, user: str, given: JsonObject, known_hash: str) -> View:
        """Raises Refused."""
        home = self.homes.get((install.id, user))
        if home is None:
            home = self.homes[install.id, user] = self._new(install, user, given)
            return home
        if known_hash and known_hash != home.hash:
            raise Refused("hash_conflict")
        home.replace(given)
        return home

    def find(self, view_id: str, external_id: str) -> View:
        """Raises Refused."""
        found = self.views.get(view_id) or next(
            (one for one in self.views.values() if external_id and one.given.get("external_id") == external_id), None
        )
        if found is None:
            raise Refused("not_found")
        return found

    def close(self, view: View, *, is_all: bool = False) -> None:
        stack = self.modals.get(view.user, [])
        self.modals[view.user] = [] if is_all else [one for one in stack if one is not view]

    def top(self, user: str) -> View:
        """Raises Refused."""
        stack = self.modals.get(user, [])
        if not stack:
            raise Refused("no modal is open")
        return stack[-1]

    def _new(self, install: Install, user: str, given: JsonObject) -> View:
        if len(self.views) >= _MOST:
            raise Refused("too_many_views")
        view_id = self._ids.next("V")
        view = View(view_id, install, user, _with_block_ids(given), view_id, times=[time.monotonic()])
        self.views[view_id] = view
        return view


def with_ids(blocks: Sequence[object]) -> list[JsonObject]:
    """Blocks that have no id get one."""
    return [{"block_id": f"b{number}"} | object_in(block) for number, block in enumerate(blocks)]


def _with_block_ids(given: JsonObject) -> JsonObject:
    return given | {"blocks": with_ids(list_in(given.get("blocks")))}


def _initial(element: JsonObject) -> JsonObject:
    """As a person finds it."""
    told: JsonObject = {"type": element.get("type")}
    for name, filled in (("initial_option", "selected_option"), ("initial_options", "selected_options")):
        if str(element.get("type")).endswith(("select", "radio_buttons", "checkboxes")):
            is_many = name.endswith("s")
            if is_many == str(element.get("type")).startswith(("multi_", "checkboxes")):
                told[filled] = element.get(name, [] if is_many else None)
    if element.get("type") in {"plain_text_input", "number_input", "email_text_input", "url_text_input"}:
        told["value"] = element.get("initial_value")
    return told
