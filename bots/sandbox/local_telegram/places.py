"""What happens to chats and to the bot in them: groups begin, move and end, the bot is blocked, kicked, promoted."""

from collections.abc import Sequence
from dataclasses import replace

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import User
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing
from bots.sandbox.local_telegram.methods.chats import bot_member
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.world import World

_FIRST_PERSON = 500_001
_FIRST_GROUP = -4_000_001
_FIRST_SUPERGROUP = -1_002_000_000_001


class Places:
    """Everything that a person can do to a chat."""

    def __init__(self, world: World) -> None:
        self._world = world

    def person(self, first_name: str, username: str = "", language_code: str = "", *, is_bot: bool = False) -> User:
        """Somebody new, with a private chat that is not begun."""
        user = User(_FIRST_PERSON + len(self._world.people), first_name, username, language_code, is_bot)
        self._world.people[user.id] = user
        chat = Chat(user.id, Kind.PRIVATE, person=user, members={user.id: user}, is_begun=False)
        self._world.open_chat(chat)
        return user

    def group(self, title: str, people: Sequence[User], kind: Kind = Kind.SUPERGROUP) -> Chat:
        """The bot is in it as a member."""
        chat = Chat(self._next_id(kind), kind, title, members={person.id: person for person in people})
        self._world.open_chat(chat)
        self.stand(chat, Standing.MEMBER, by=people[0] if people else None, was=Standing.LEFT)
        return chat

    def business(self, owner: User, customer: User) -> Chat:
        """The bot writes for its owner, in the owner's chat with a customer."""
        connection_id = next((known for known, person in self._world.businesses.items() if person == owner), "")
        if not connection_id:
            connection_id = f"business-{len(self._world.businesses) + 1}"
            self._world.businesses[connection_id] = owner
            told: JsonObject = {"id": connection_id, "user": owner.to_json(), "user_chat_id": owner.id}
            told |= {"date": self._world.now(), "is_enabled": True, "rights": {"can_reply": True}}
            self._world.tell("business_connection", self._world.chat(owner.id), told)
        chat = Chat(customer.id, Kind.PRIVATE, person=customer, business=connection_id)
        chat.members = {customer.id: customer}
        return self._world.open_chat(chat)

    def stand(
        self,
        chat: Chat,
        standing: Standing,
        *,
        by: User | None,
        was: Standing | None = None,
        rights: Sequence[str] = (),
    ) -> None:
        """The bot is something else there from now on, and is told so."""
        before = replace(chat, standing=was or chat.standing)
        chat.standing, chat.rights = standing, frozenset(rights)
        actor = by or next(iter(chat.members.values()), None)
        if actor is None:
            raise bad_request("somebody must do it")
        change: JsonObject = {"chat": chat.to_json(), "from": actor.to_json(), "date": self._world.now()}
        change |= {"old_chat_member": bot_member(self._world, before), "new_chat_member": bot_member(self._world, chat)}
        self._world.tell("my_chat_member", chat, change)
        self._world.change(chat)

    def upgrade(self, chat: Chat) -> Chat:
        """A group becomes a supergroup: another chat, whose messages begin anew. Both tell of it."""
        if chat.kind is not Kind.GROUP or chat.moved_to:
            raise bad_request("only a group becomes a supergroup")
        person = next(iter(chat.members.values()))
        new = Chat(self._next_id(Kind.SUPERGROUP), Kind.SUPERGROUP, chat.title, members=dict(chat.members))
        new.standing, new.rights = chat.standing, chat.rights
        self._world.open_chat(new)
        self._world.note(chat, person, {"migrate_to_chat_id": new.id})
        chat.moved_to = new.id
        self._world.note(new, person, {"migrate_from_chat_id": chat.id})
        return new

    def _next_id(self, kind: Kind) -> int:
        first = _FIRST_GROUP if kind is Kind.GROUP else _FIRST_SUPERGROUP
        return first - len(self._world.chats)
