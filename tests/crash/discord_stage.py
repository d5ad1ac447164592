"""Everything that there is on the local Discord of a trial, and how people speak there."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from tests.crash.discord_judge import Question
from tests.crash.discord_scenario import ASK, ELSEWHERE, NEW_POST
from tests.platforms.paper_sender import PaperEvent

#: An interaction whose answer comes later.
_DEFERRED = 5


@dataclass(frozen=True, slots=True)
class Stage:
    discord: LocalDiscord
    people: Mapping[str, Person]
    #: By the scenario's names.
    places: Mapping[str, Place]
    #: Channels that the bot knows → the newest message there; as the adapter names them.
    marks: Mapping[str, int]

    async def said(self, event: PaperEvent) -> Question:
        """By a message."""
        person, place = self.people[event.person], self.places[event.channel]
        if event.channel == NEW_POST:
            post = await person.posts("Rain", f"{self.discord.mention} {event.text}", place)
            return Question(event, post.id, post.id)
        is_direct = event.channel in self.people
        text = event.text if is_direct else f"{self.discord.mention} {event.text}"
        message = await person.says(text, place)
        return Question(event, place.id, message.id)

    async def asked(self, event: PaperEvent) -> Question:
        """By a command."""
        place = self.places[event.channel]
        answer = await self.people[event.person].commands("ask", place, question=event.text)
        return Question(event, place.id, answer.id, is_command=True, is_acked=is_promised(answer))


def is_promised(answer: AnswerSeen) -> bool:
    return answer.type == _DEFERRED


async def staged(discord: LocalDiscord) -> Stage:
    """Two servers, which are on different shards where there are two, and one that the bot is not in."""
    anna, ben = await discord.person("Anna"), await discord.person("Ben", has_app=True)
    rain = await discord.guild("Rain", anna, ben, shard=(0, 2))
    weather = await discord.guild("Weather", anna, ben, shard=(1, 2))
    elsewhere = await discord.guild("Elsewhere", anna, ben, has_bot=False)
    general, voice = await rain.channel("general"), await rain.channel("voice", "voice")
    talk, forum = await weather.channel("talk"), await weather.forum("help")
    thread, post = await anna.begins_thread("clouds", talk), await ben.posts("Fog", "What is fog?", forum)
    known = (general, voice, talk, forum, thread, post)
    marks = {place.id: await _newest(place) for place in known}
    marks |= {f"@{person.dm.id}": await _newest(person.dm) for person in (anna, ben)}
    places = {"anna": anna.dm, "ben": ben.dm, "channel": general, "voice": voice, "thread": thread, "post": post}
    places |= {NEW_POST: forum, ASK: general, ELSEWHERE: await elsewhere.channel("general")}
    return Stage(discord, {"anna": anna, "ben": ben}, places, marks)


async def _newest(place: Place) -> int:
    said = (await place.look()).all_messages
    return max([int(place.id), *(int(message.id) for message in said)])
