"""Settings → who is answered, where, how and how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, time, tzinfo
from zoneinfo import ZoneInfo

from core.access import Access, Listed, Name, Ranks
from core.dialogue import Platform
from core.generation.request import SamplingParams
from core.policy import Calling, Calls, Manner, Place, Policy
from core.quiet_hours import QuietHours, QuietSpan
from core.quotas import Amount, Quotas
from core.settings.answering import AccessSettings, AnsweringSettings, PlaceSettings, QuotaSettings, RankSettings
from core.settings.sampling import SamplingSettings
from core.settings.settings import Settings
from core.voice import Tuning


def policy_of(settings: Settings) -> Policy:
    everywhere = _Around(settings.answering, settings.persona)
    return Policy(
        everywhere.manner(),
        _places(settings.places, everywhere),
        _access(settings.access),
        _ranks(settings.ranks),
        _quotas(settings.quotas, _zone(settings.answering.time_zone)),
    )


def models_of_places(settings: Settings) -> tuple[str, ...]:
    """Those that people may meet beside their personas' models."""
    return tuple(place.model for place in settings.places.values() if place.model)


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds at a place, and in it where nothing else is said."""

    answering: AnsweringSettings
    persona: str
    model: str = ""
    #: The outermost first.
    sampling: tuple[SamplingSettings, ...] = ()

    def within(self, place: PlaceSettings) -> "_Around":
        said = {name: getattr(place, name) for name in AnsweringSettings.model_fields}
        changes = {name: value for name, value in said.items() if value is not None}
        return _Around(
            self.answering.model_copy(update=changes),
            self.persona if place.persona is None else place.persona,
            self.model if place.model is None else place.model,
            (*self.sampling, place.sampling) if place.sampling != SamplingSettings() else self.sampling,
        )

    def manner(self) -> Manner:
        said = self.answering
        return Manner(
            persona=self.persona,
            language=said.language,
            model=self.model,
            sampling=_tuning(self.sampling) if self.sampling else None,
            calls=Calls(frozenset(map(Calling, said.answer_to)), said.prefixes, said.names),
            each_alone=said.each_alone,
            overhears=said.group_context,
            idle_s=said.idle_s,
            quiet=QuietHours(tuple(map(_span, said.quiet_hours)), _zone(said.time_zone), said.quiet_notice),
            asks_for_code=said.unknown_people == "pair",
        )


def _places(places: Mapping[str, PlaceSettings], everywhere: _Around) -> dict[Place, Manner]:
    """A channel is within its workspace, whichever of them the file names first."""
    named = {_name(text): settings for text, settings in places.items()}
    manners = {}
    for name, settings in named.items():
        around = everywhere
        of_workspace = Name(name.platform, name.workspace)
        if name.id and of_workspace in named:
            around = around.within(named[of_workspace])
        manners[name.platform, name.workspace, name.id] = around.within(settings).manner()
    return manners


def _tuning(layers: tuple[SamplingSettings, ...]) -> Tuning:
    def tuned(params: SamplingParams) -> SamplingParams:
        for layer in layers:
            params = layer.over(params)
        return params

    return tuned


def _access(access: AccessSettings) -> Access:
    return Access(
        Listed(
            _names(access.allow_workspaces),
            _names(access.allow_channels),
            _names(access.allow_people),
            _names(access.allow_roles),
        ),
        Listed(
            _names(access.deny_workspaces),
            _names(access.deny_channels),
            _names(access.deny_people),
            _names(access.deny_roles),
        ),
    )


def _ranks(ranks: RankSettings) -> Ranks:
    return Ranks(
        _names(ranks.moderators),
        _names(ranks.moderator_roles),
        _names(ranks.operators),
        _names(ranks.operator_roles),
    )


def _quotas(quotas: QuotaSettings, zone: tzinfo) -> Quotas:
    return Quotas(
        Amount(quotas.person_messages, quotas.person_tokens, quotas.person_gpu_s),
        Amount(quotas.channel_messages, quotas.channel_tokens, quotas.channel_gpu_s),
        Amount(quotas.workspace_messages, quotas.workspace_tokens, quotas.workspace_gpu_s),
        zone,
    )


def _names(texts: Iterable[str]) -> frozenset[Name]:
    return frozenset(map(_name, texts))


def _name(text: str) -> Name:
    """What stands behind the second slash is the platform's own, whatever is in it."""
    platform, workspace, *rest = text.split("/", 2)
    return Name(Platform(platform), workspace, "".join(rest))


def _span(text: str) -> QuietSpan:
    start, _, end = text.partition("-")
    return QuietSpan(time.fromisoformat(start), time.fromisoformat(end))


def _zone(name: str) -> tzinfo:
    """Coordinated time is known without the machine's table of zones."""
    return UTC if name == "UTC" else ZoneInfo(name)
