"""Files that the bot asks for. Their content lies behind `/file/bot<token>/<file_path>`."""

from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.world import World


async def get_file(world: World, parameters: Parameters) -> object:
    if not parameters.text("file_id"):
        raise bad_request("file_id not specified")
    file = world.files.find(parameters.text("file_id"))
    if file.size > world.limits.download_bytes:
        raise bad_request("file is too big")
    return {
        "file_id": file.id,
        "file_unique_id": f"u{file.id}",
        "file_size": file.size,
        "file_path": file.path,
    }
