"""A server that speaks as much of the Hugging Face hub's protocol as a download needs, over folders on this disk."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_JSON = "application/json"


@dataclass
class LocalHub:
    """Repositories by name; `requests` is what was asked for, in order."""

    repositories: dict[str, Path] = field(default_factory=dict)
    #: Need a token; the value is the one that is let in.
    gated: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    #: Answers every request with this status, where it is set.
    broken: int = 0
    endpoint: str = ""

    def commit(self, repository: str) -> str:
        return hashlib.sha1(repository.encode()).hexdigest()

    def files(self, repository: str) -> list[Path]:
        return sorted(path for path in self.repositories[repository].iterdir() if path.is_file())


@contextmanager
def running_hub() -> Iterator[LocalHub]:
    hub = LocalHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_message: object) -> None:
            return None

        def _answer(self, *, with_body: bool) -> None:
            path = urlsplit(self.path).path
            hub.requests.append(f"{self.command} {path}")
            status, headers, body = _reply(hub, path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def _reply(hub: LocalHub, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
    if hub.broken:
        return hub.broken, {}, b"out of order"
    repository = next((name for name in hub.repositories if f"/{name}/" in f"{path}/"), None)
    if repository is None:
        return 404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, b""
    rest = path.split(repository, 1)[1]
    gated = repository in hub.gated and rest.startswith("/resolve/")
    if gated and authorization != f"Bearer {hub.gated[repository]}":
        return 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"}, b""
    if rest.startswith("/resolve/"):
        return _file(hub, repository, rest.removeprefix("/resolve/").split("/", 1)[1])
    revision = rest.removeprefix("/revision/") if rest.startswith("/revision/") else "main"
    if revision not in ("main", hub.commit(repository)) and not rest.startswith("/tree/"):
        return 404, {"X-Error-Code": "RevisionNotFound"}, b""
    described = _tree(hub, repository) if rest.startswith("/tree/") else _information(hub, repository)
    return 200, {"Content-Type": _JSON}, json.dumps(described).encode()


def _file(hub: LocalHub, repository: str, name: str) -> tuple[int, dict[str, str], bytes]:
    file = hub.repositories[repository] / name
    if not file.is_file():
        return 404, {"X-Error-Code": "EntryNotFound"}, b""
    body = file.read_bytes()
    return 200, {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": hub.commit(repository)}, body


def _information(hub: LocalHub, repository: str) -> dict[str, object]:
    siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in hub.files(repository)]
    return {
        "id": repository,
        "modelId": repository,
        "sha": hub.commit(repository),
        "tags": ["license:mit"],
        "siblings": siblings,
    }


def _tree(hub: LocalHub, repository: str) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "path": file.name,
            "size": file.stat().st_size,
            "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
        }
        for file in hub.files(repository)
    ]
