"""views.*"""

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.blocks import check_view
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World


async def open_view(world: World, caller: Install, given: Parameters) -> JsonObject:
    return _opened(world, caller, given, is_upon=False)


async def push_view(world: World, caller: Install, given: Parameters) -> JsonObject:
    return _opened(world, caller, given, is_upon=True)


async def update_view(world: World, caller: Install, given: Parameters) -> JsonObject:
    view = world.views.find(given.text("view_id"), given.text("external_id"))
    if view.install.id != caller.id:
        raise Refused("not_found")
    if given.text("hash") not in {"", view.hash}:
        raise Refused("hash_conflict")
    view.replace(_view(world, given, "modal", "home"))
    world.changes.happen()
    return {"view": view.to_json(world.options.app.id)}


async def publish_view(world: World, caller: Install, given: Parameters) -> JsonObject:
    user = world.user(given.required("user_id"))
    view = world.views.publish(caller, user.id, _view(world, given, "home"), given.text("hash"))
    world.changes.happen()
    return {"view": view.to_json(world.options.app.id)}


def _opened(world: World, caller: Install, given: Parameters, *, is_upon: bool) -> JsonObject:
    wanted = _view(world, given, "modal")
    if not given.text("trigger_id"):
        raise Refused("invalid_arguments")
    user = world.triggers.use(given.text("trigger_id"))
    view = world.views.open(caller, user, wanted, is_upon=is_upon)
    world.changes.happen()
    return {"view": view.to_json(world.options.app.id)}


def _view(world: World, given: Parameters, *kinds: str) -> JsonObject:
    """Raises Refused."""
    view, limits = given.mapping("view"), world.options.limits
    if view is None or view.get("type") not in kinds:
        raise Refused("invalid_arguments")
    if len(as_json(view)) > limits.view_bytes:
        raise Refused("view_too_large")
    check_view(view, limits.view_blocks)
    return view
