"""Files that people or the app sent, and where their contents are to be had."""

from dataclasses import dataclass, field

from aiohttp import web

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.ids import Ids, secret_text
from bots.sandbox.local_slack.refusals import Refused

_MOST = 10_000
_PREVIEW_CHARS = 200


@dataclass(slots=True)
class StoredFile:
    id: str
    name: str
    mimetype: str
    user: str
    team: str
    content: bytes = b""
    #: As the sender's client says; the same as the content's but where a test says otherwise.
    size: int = 0
    #: hosted, snippet
    mode: str = "hosted"
    is_deleted: bool = False

    def to_json(self, base: str) -> JsonObject:
        where = f"{base}/files-pri/{self.team}-{self.id}"
        told: JsonObject = {
            "id": self.id,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "filetype": self.name.rpartition(".")[2],
            "size": self.size,
            "mode": self.mode,
            "user": self.user,
            "user_team": self.team,
            "is_external": False,
            "file_access": "visible",
            "url_private": f"{where}/{self.name}",
            "url_private_download": f"{where}/download/{self.name}",
        }
        if self.mode != "snippet":
            return told
        return told | {"preview": self.content.decode(errors="replace")[:_PREVIEW_CHARS], "preview_is_truncated": False}


def hidden_json(file: JsonObject) -> JsonObject:
    """As it is told where another company could see it: files.info says the rest."""
    return {"id": file["id"], "mode": "file_access", "file_access": "check_file_info"}


@dataclass(slots=True)
class Files:
    ids: Ids
    files: dict[str, StoredFile] = field(default_factory=dict)
    #: Where uploads go → the file that comes of it.
    tickets: dict[str, StoredFile] = field(default_factory=dict)

    def keep(self, file: StoredFile) -> StoredFile:
        """Raises Refused."""
        if len(self.files) >= _MOST:
            raise Refused("storage_limit_reached")
        self.files[file.id] = file
        return file

    def ticket(self, file: StoredFile) -> str:
        name = secret_text()
        self.tickets[name] = file
        return name

    def find(self, file_id: str) -> StoredFile:
        """Raises Refused."""
        file = self.files.get(file_id)
        if file is None:
            raise Refused("file_not_found")
        if file.is_deleted:
            raise Refused("file_deleted")
        return file

    async def take_upload(self, request: web.Request) -> web.Response:
        """What an app posts to the URL that it was given; raw, or as a form."""
        file = self.tickets.get(request.match_info["ticket"])
        if file is None:
            return web.Response(status=404)
        if request.content_type == "multipart/form-data":
            parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
            file.content = parts[0].file.read() if parts else b""
        else:
            file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")
