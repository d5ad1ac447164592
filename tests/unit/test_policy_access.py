"""The lists of who may speak, and of who may more."""

from dataclasses import replace

import pytest

from core.access import EVERYWHERE, Access, Listed, Name, Rank, Ranks
from core.dialogue import Platform, SessionKey
from tests.unit.spoken import DM, GUILD, person

OTHER_GUILD = replace(GUILD, workspace="other")


def named(id: str = "", workspace: str = "guild", platform: Platform = Platform.DISCORD) -> frozenset[Name]:  # noqa: A002
    return frozenset({Name(platform, workspace, id)})


def test_everybody_may_speak_where_no_list_says_otherwise() -> None:
    assert Access().admits(GUILD, person(), frozenset())


@pytest.mark.parametrize(
    "denied",
    [
        Listed(workspaces=named()),
        Listed(channels=named("general")),
        Listed(people=named("anna")),
        Listed(people=named("anna", EVERYWHERE)),
        Listed(roles=named("troll")),
    ],
)
def test_what_is_denied_is_denied_whatever_is_allowed(denied: Listed) -> None:
    allowed = Listed(named(), named("general"), named("anna"), named("friend"))
    roles = frozenset({"friend", "troll"})

    assert Access(allowed).admits(GUILD, person(), roles)
    assert not Access(allowed, denied).admits(GUILD, person(), roles)


@pytest.mark.parametrize(
    "allowed",
    [
        Listed(workspaces=named(workspace="another")),
        Listed(channels=named("announcements")),
        Listed(people=named("ben")),
        Listed(roles=named("friend")),
        Listed(people=named("ben", EVERYWHERE)),
    ],
)
def test_a_list_of_those_who_are_allowed_shuts_the_others_out(allowed: Listed) -> None:
    assert not Access(allowed).admits(GUILD, person(), frozenset({"stranger"}))


@pytest.mark.parametrize(
    "allowed",
    [
        Listed(workspaces=named()),
        Listed(workspaces=named(workspace=EVERYWHERE)),
        Listed(channels=named("general")),
        Listed(people=named("anna")),
        Listed(roles=named("friend")),
        Listed(people=named("ben"), roles=named("friend")),
        Listed(people=named("anna"), roles=named("nobody")),
    ],
)
def test_whoever_is_allowed_may_speak(allowed: Listed) -> None:
    assert Access(allowed).admits(GUILD, person(), frozenset({"friend"}))


@pytest.mark.parametrize(
    "lists",
    [
        Access(Listed(channels=named("announcements"), people=named("ben"), roles=named("friend"))),
        Access(denied=Listed(named(), named("general"), named("anna"), named("friend"))),
    ],
)
@pytest.mark.parametrize("elsewhere", [OTHER_GUILD, DM, replace(GUILD, platform=Platform.SLACK)])
def test_a_list_says_nothing_of_a_workspace_that_it_does_not_name(lists: Access, elsewhere: SessionKey) -> None:
    somebody = replace(person("anna", elsewhere.workspace), platform=elsewhere.platform)

    assert lists.admits(elsewhere, somebody, frozenset({"friend"}))


def test_somebody_from_another_workspace_is_denied_by_their_own_name_and_not_allowed_by_anothers() -> None:
    """As in a channel that two companies share."""
    guest = person("anna", "guests")

    assert not Access(denied=Listed(people=named("anna", "guests"))).admits(GUILD, guest, frozenset())
    assert not Access(Listed(people=named("anna"))).admits(GUILD, guest, frozenset())


def test_who_is_allowed_by_name_is_known() -> None:
    everywhere = Access(Listed(people=named("anna", EVERYWHERE), roles=named("friend", "")))

    assert everywhere.knows(DM, person("anna", ""))
    assert not everywhere.knows(DM, person("ben", ""))


def test_ranks_are_given_by_name_and_by_role() -> None:
    ranks = Ranks(named("mo"), named("mods"), named("olga", EVERYWHERE), named("admins"))

    assert ranks.of(GUILD, person("mo"), frozenset()) is Rank.MODERATOR
    assert ranks.of(GUILD, person("anna"), frozenset({"mods"})) is Rank.MODERATOR
    assert ranks.of(GUILD, person("mo"), frozenset({"admins"})) is Rank.OPERATOR
    assert ranks.of(DM, person("olga", ""), frozenset()) is Rank.OPERATOR
    assert ranks.of(GUILD, person("anna"), frozenset({"others"})) is Rank.PERSON


def test_a_rank_is_of_one_workspace() -> None:
    ranks = Ranks(named("mo"), named("mods"), named("olga"), named("admins"))

    for somebody in ("mo", "olga", "anna"):
        roles = frozenset({"mods", "admins"})
        assert ranks.of(OTHER_GUILD, person(somebody, "other"), roles) is Rank.PERSON
        assert ranks.of(DM, person(somebody, ""), roles) is Rank.PERSON
