"""What tests order people to do, by name: each order is a function of its parameters."""

import base64
from collections.abc import Callable

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import User
from bots.sandbox.local_telegram.acts import Acts, Spot
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing
from bots.sandbox.local_telegram.methods.chats import open_topic, remove_topic, toggle_topic
from bots.sandbox.local_telegram.parameters import Parameters, Upload
from bots.sandbox.local_telegram.places import Places
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.world import World, topic_in

Order = Callable[[Parameters], object]


class Staging:
    """People and chats, by request."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts = Acts(world)
        self._places = Places(world)

    def orders(self) -> dict[str, Order]:
        return {
            "person": self._person,
            "group": self._group,
            "business": self._business,
            "join": self._join,
            "say": self._say,
            "send_files": self._send_files,
            "edit": self._edit,
            "touch": self._touch,
            "delete": self._delete,
            "press": self._press,
            "react": self._react,
            "open_topic": self._open_topic,
            "toggle_topic": self._toggle_topic,
            "delete_topic": self._delete_topic,
            "stand": self._stand,
            "permit": self._permit,
            "upgrade": self._upgrade,
            "delete_chat": self._delete_chat,
            "update": self._update,
        }

    def _person(self, given: Parameters) -> object:
        names = given.text("name"), given.text("username"), given.text("language")
        return self._places.person(*names, is_bot=given.flag("is_bot")).to_json()

    def _group(self, given: Parameters) -> object:
        ids = given.json("people")
        people = [self._known(int(str(user_id))) for user_id in (ids if isinstance(ids, list) else [])]
        chat = self._places.group(given.text("title"), people, Kind(given.text("kind") or "supergroup"))
        chat.is_forum, chat.is_direct = given.flag("is_forum"), given.flag("is_direct")
        return chat.to_json()

    def _business(self, given: Parameters) -> object:
        chat = self._places.business(self._known(given.integer("owner")), self._known(given.integer("customer")))
        return chat.to_json() | {"business": chat.business}

    def _join(self, given: Parameters) -> object:
        chat, person = self._chat(given), self._person_of(given)
        chat.members[person.id] = person
        self._world.note(chat, person, {"new_chat_members": [person.to_json()]})
        return True

    def _say(self, given: Parameters) -> object:
        entities = given.json("entities")
        found = entities if isinstance(entities, list) else None
        more = given.json_object("more") or {}
        return self._acts.say(self._person_of(given), _spot(given), given.text("text"), found, more).shown()

    def _send_files(self, given: Parameters) -> object:
        sent = given.json("files")
        files = [self._file(item) for item in (sent if isinstance(sent, list) else [])]
        messages = self._acts.send_files(self._person_of(given), _spot(given), given.text("caption"), files)
        return [message.shown() for message in messages]

    def _edit(self, given: Parameters) -> object:
        person, chat = self._person_of(given), self._chat(given)
        return self._acts.edit(person, chat, given.integer("message_id"), given.text("text")).shown()

    def _touch(self, given: Parameters) -> object:
        return self._acts.touch(self._chat(given), given.integer("message_id")).shown()

    def _delete(self, given: Parameters) -> object:
        self._acts.delete(self._chat(given), given.integer("message_id"))
        return True

    def _press(self, given: Parameters) -> object:
        press = self._acts.forge_press if given.flag("is_forged") else self._acts.press
        return press(self._person_of(given), self._chat(given), given.integer("message_id"), given.text("button"))

    def _react(self, given: Parameters) -> object:
        emoji = given.json("emoji")
        chosen = [str(one) for one in emoji] if isinstance(emoji, list) else []
        self._acts.react(self._person_of(given), self._chat(given), given.integer("message_id"), chosen)
        return True

    def _open_topic(self, given: Parameters) -> object:
        chat, person = self._chat(given), self._person_of(given)
        chat.is_begun = True
        is_implicit = given.flag("is_name_implicit")
        return open_topic(self._world, chat, person.id, given.text("name"), is_name_implicit=is_implicit).to_json()

    def _toggle_topic(self, given: Parameters) -> object:
        chat, person = self._chat(given), self._person_of(given)
        topic = topic_in(chat, given.integer("thread_id"))
        toggle_topic(self._world, chat, topic, person.id, is_closed=given.flag("is_closed"))
        return True

    def _delete_topic(self, given: Parameters) -> object:
        chat = self._chat(given)
        remove_topic(self._world, chat, topic_in(chat, given.integer("thread_id")))
        return True

    def _stand(self, given: Parameters) -> object:
        """`standing`: the bot's from now on; of a private chat "kicked" means that it is blocked."""
        rights = given.json("rights")
        chosen = [str(right) for right in rights] if isinstance(rights, list) else []
        by = self._person_of(given) if given.integer("person") else None
        self._places.stand(self._chat(given), Standing(given.text("standing")), by=by, rights=chosen)
        return True

    def _permit(self, given: Parameters) -> object:
        self._chat(given).members_may_write = given.flag("members_may_write")
        return True

    def _upgrade(self, given: Parameters) -> object:
        return self._places.upgrade(self._chat(given)).to_json()

    def _delete_chat(self, given: Parameters) -> object:
        self._chat(given).is_deleted = True
        return True

    def _update(self, given: Parameters) -> object:
        """An update as it is given, whatever it says."""
        payload = given.json_object("payload") or {}
        return self._world.updates.add(given.text("kind"), ("", given.integer("chat_id")), payload)

    def _person_of(self, given: Parameters) -> User:
        return self._known(given.integer("person"))

    def _known(self, user_id: int) -> User:
        if user_id not in self._world.people:
            raise bad_request("nobody has that id")
        return self._world.people[user_id]

    def _chat(self, given: Parameters) -> Chat:
        return self._world.chat(given.integer("chat_id"), given.text("business"))

    def _file(self, item: object) -> JsonObject:
        """`{"name", "content" (base64), "type", "size"?, "is_photo"?}` as a message carries it."""
        if not isinstance(item, dict):
            raise bad_request("a file is an object")
        content = base64.b64decode(str(item.get("content", "")))
        upload = Upload(str(item.get("name", "file")), str(item.get("type", "text/plain")), content)
        size = item.get("size")
        file = self._world.files.keep(upload, size if isinstance(size, int) else None)
        return {"photo": file.photo()} if item.get("is_photo") else {"document": file.document()}


def _spot(given: Parameters) -> Spot:
    return Spot(
        given.integer("chat_id"),
        given.text("business"),
        given.integer("thread_id"),
        given.integer("reply_to_id"),
        given.text("quote"),
    )
