"""What is done with a message whose turn it is."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from core.access import Access, Listed, Name, Ranks
from core.dialogue import Called, Deletion, Edit, Feedback, InboundMessage, Opinion, Person, Platform, TurnState
from core.doorkeeper import ANSWER, Decision, Doorkeeper, Verdict
from core.memory.usage import Admission
from core.pairing import hash_of, new_code
from core.policy import Manner, Policy
from core.quiet_hours import QuietHours, QuietSpan
from core.quotas import Amount, Exceeded, Quotas, Scope, Unit
from tests.unit.spoken import DM, GUILD, NOON, person, said, waiting

BANTER = Manner("banter")
ANNA = Name(Platform.DISCORD, "guild", "anna")
IN_PRIVATE = Called(directly=True)


class Counter:
    """Counts messages alone, whoever they are of."""

    def __init__(self, exceeded: Exceeded | None = None) -> None:
        self.asked: list[Admission] = []
        self._exceeded = exceeded

    async def admit(self, admission: Admission) -> Exceeded | None:
        self.asked.append(admission)
        return self._exceeded


class Book:
    """Who is known, and one code."""

    def __init__(self, *known: str, code: str = "") -> None:
        self.known = set(known)
        self._code = hash_of(code)

    async def redeem(self, code_hash: str, person: Person, moment: datetime) -> bool:
        if code_hash == self._code:
            self.known.add(person.platform_id)
        return code_hash == self._code

    async def is_paired(self, person: Person) -> bool:
        return person.platform_id in self.known


async def judged(
    policy: Policy,
    message: InboundMessage | Edit | Feedback | Deletion,
    counter: Counter | None = None,
    book: Book | None = None,
    at: datetime = NOON,
) -> Verdict:
    return await Doorkeeper(policy, counter or Counter(), book or Book())(waiting(message, at=at))


async def test_whoever_is_admitted_is_answered_and_nothing_is_looked_up() -> None:
    counter = Counter()

    assert await judged(Policy(BANTER), said(), counter) is ANSWER
    assert counter.asked == []


async def test_whoever_was_denied_meanwhile_gets_no_answer() -> None:
    policy = Policy(BANTER, access=Access(denied=Listed(people=frozenset({ANNA}))))

    verdict = await judged(policy, said())

    assert (verdict.decision, verdict.reason) == (Decision.IGNORE, "not admitted")
    press = Feedback(GUILD, person(), "m1", Opinion.REGENERATE, "e1")
    assert (await judged(policy, press)).decision is Decision.IGNORE


async def test_an_edit_asks_for_another_reply_and_does_not_tell_roles() -> None:
    edit = Edit(GUILD, person(), "m1", "2", "hello again")
    role, counter = frozenset({Name(Platform.DISCORD, "guild", "friend")}), Counter()
    by_role = Policy(BANTER, access=Access(Listed(roles=role)), quotas=Quotas(person=Amount(messages=9)))
    by_name = Policy(BANTER, access=Access(denied=Listed(people=frozenset({ANNA}))))

    assert await judged(by_role, edit, counter) is ANSWER
    assert [asked.person for asked in counter.asked] == ["anna"]
    assert (await judged(by_name, edit)).decision is Decision.IGNORE


async def test_what_was_overheard_is_remembered() -> None:
    assert (await judged(Policy(BANTER), replace(said(), is_overheard=True))).decision is Decision.REMEMBER


async def test_what_nobody_asks_for_is_carried_out() -> None:
    assert await judged(Policy(BANTER), Deletion(GUILD, "m1")) is ANSWER


class TestQuietHours:
    QUIET = QuietHours((QuietSpan(time(11), time(13, 30)),))

    async def test_people_are_told_when_they_end(self) -> None:
        verdict = await judged(Policy(replace(BANTER, quiet=self.QUIET)), said())

        assert verdict.decision is Decision.SAY
        assert verdict.ends_as is TurnState.REFUSED
        assert verdict.english.format(**verdict.values) == "I keep quiet until 13:30 UTC. Ask me again then."

    async def test_or_they_are_not(self) -> None:
        silent = replace(self.QUIET, is_told=False)

        assert (await judged(Policy(replace(BANTER, quiet=silent)), said())).decision is Decision.IGNORE

    async def test_what_came_before_them_is_answered_in_them(self) -> None:
        before = NOON.replace(hour=10, minute=59)

        assert await judged(Policy(replace(BANTER, quiet=self.QUIET)), said(), at=before) is ANSWER

    async def test_commands_are_carried_out(self) -> None:
        quiet = Policy(replace(BANTER, quiet=self.QUIET))

        assert await judged(quiet, said("/forget me")) is ANSWER
        assert (await judged(quiet, said("/regenerate"))).decision is Decision.SAY


class TestUnknownPeople:
    ASKS = Policy(replace(BANTER, asks_for_code=True))

    async def test_they_are_asked_for_a_code_in_private(self) -> None:
        for text in ("hello", "/help"):
            verdict = await judged(self.ASKS, said(text, DM, called=IN_PRIVATE))
            assert (verdict.decision, verdict.ends_as) == (Decision.SAY, TurnState.REFUSED)
            assert "Ask whoever runs me for a code" in verdict.english

    async def test_they_are_answered_in_a_group(self) -> None:
        assert await judged(self.ASKS, said()) is ANSWER

    async def test_and_everywhere_where_nobody_is_asked(self) -> None:
        assert await judged(Policy(BANTER), said(key=DM, called=IN_PRIVATE)) is ANSWER

    async def test_a_code_is_welcome_and_so_is_its_copy(self) -> None:
        policy, code = self.ASKS, new_code()
        book = Book(code=code)

        for _ in range(2):
            verdict = await judged(policy, said(code, DM, called=IN_PRIVATE), book=book)
            assert (verdict.english, verdict.ends_as) == ("Welcome! You can talk to me now.", TurnState.DELIVERED)
        assert await judged(policy, said("hello", DM, called=IN_PRIVATE), book=book) is ANSWER

    async def test_a_wrong_code_is_refused(self) -> None:
        verdict = await judged(self.ASKS, said(new_code(), DM, called=IN_PRIVATE), book=Book(code=new_code()))

        assert (verdict.reason, verdict.ends_as) == ("wrong code", TurnState.REFUSED)

    async def test_what_looks_like_a_code_and_comes_from_a_known_person_is_for_the_model(self) -> None:
        assert await judged(self.ASKS, said("1234 5678 9012 3456", DM, called=IN_PRIVATE), book=Book("anna")) is ANSWER

    async def test_who_is_named_in_a_list_is_known(self) -> None:
        names, asks = frozenset({Name(Platform.DISCORD, "", "olga")}), replace(BANTER, asks_for_code=True)

        for policy in (Policy(asks, access=Access(Listed(people=names))), Policy(asks, ranks=Ranks(moderators=names))):
            assert await judged(policy, said(key=DM, by="olga", called=IN_PRIVATE)) is ANSWER


class TestQuotas:
    LIMITED = Policy(
        BANTER,
        ranks=Ranks(operators=frozenset({Name(Platform.DISCORD, "guild", "olga")})),
        quotas=Quotas(person=Amount(messages=2)),
    )

    async def test_a_message_is_counted_for_its_person_on_its_day(self) -> None:
        counter = Counter()

        assert await judged(self.LIMITED, said(), counter) is ANSWER

        [asked] = counter.asked
        assert (asked.inbox_id, asked.key, asked.person, asked.at) == (1, GUILD, "anna", NOON)
        assert asked.limits == {Scope.PERSON: Amount(messages=2)}
        assert asked.day.start == datetime(2026, 3, 2, tzinfo=UTC)

    async def test_a_refusal_is_clear_and_says_when_it_ends(self) -> None:
        used_up = Counter(Exceeded(Scope.PERSON, Unit.MESSAGES, 2))
        today = datetime.now(UTC)

        verdict = await judged(self.LIMITED, said(), used_up, at=today)

        assert (verdict.decision, verdict.ends_as) == (Decision.SAY, TurnState.REFUSED)
        assert verdict.reason == "quota: person messages"
        told = verdict.english.format(**verdict.values)
        assert told.startswith("You have had your 2 messages of today. Go on in ")
        midnight = datetime.combine(today.date() + timedelta(days=1), time(), UTC)
        said_left = timedelta(hours=int(str(verdict.values["hours"])), minutes=int(str(verdict.values["minutes"])))
        assert abs(midnight - today - said_left) < timedelta(minutes=2)

    @pytest.mark.parametrize(
        ("text", "counts"), [("/help", False), ("/new", False), ("/regenerate", True), ("//x", True)]
    )
    async def test_what_the_model_does_not_write_costs_nothing(self, text: str, counts: bool) -> None:
        counter = Counter()

        await judged(self.LIMITED, said(text), counter)

        assert bool(counter.asked) == counts

    async def test_another_reply_costs_whoever_asks_for_it(self) -> None:
        counter = Counter()

        await judged(self.LIMITED, Feedback(GUILD, person("ben"), "m1", Opinion.REGENERATE, "e1"), counter)

        assert [asked.person for asked in counter.asked] == ["ben"]

    async def test_operators_have_none(self) -> None:
        counter = Counter(Exceeded(Scope.PERSON, Unit.MESSAGES, 2))

        assert await judged(self.LIMITED, said(by="olga"), counter) is ANSWER
