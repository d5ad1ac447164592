"""Names of processes that share a database, so that each can tell which of the others are gone.

A process is named by its kernel's boot, its namespace of process numbers, its number, and a word of its own: another
machine's, another container's and a later process with the same number are all told apart. Linux tells the first two
(https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html, https://man7.org/linux/man-pages/man7/pid_namespaces.7.html);
elsewhere no process is known to be gone.
"""

import os
import secrets
import socket
from pathlib import Path

import psutil

_BOOT, _NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
#: Digits of a process number; what is longer is no such number.
_LONGEST_NUMBER = 9

#: Names that this process has given.
_given: set[str] = set()


def process_name() -> str:
    """No other process, and no later one, is called so; asked again it is another name."""
    name = f"{_realm() or socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    _given.add(name)
    return name


def has_ended(name: str) -> bool:
    """Whether the process of that name is known to be gone; False where nobody here can tell."""
    realm, _, rest = name.partition("/")
    number = rest.partition("/")[0]
    if not number.isdecimal() or len(number) > _LONGEST_NUMBER or not realm or realm != _realm():
        return False
    if int(number) == os.getpid():
        return name not in _given  # an earlier process had the number that this one has now
    return not psutil.pid_exists(int(number)) or _is_zombie(int(number))


def _is_zombie(number: int) -> bool:
    """Killed, and its parent was not told yet; in a container perhaps never."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:  # others' processes may be hidden
        return False


def _realm() -> str:
    """Where process numbers mean what they mean here; "" where that is not known."""
    try:
        return f"{_BOOT.read_text().strip()}.{_NAMESPACE.readlink()}"
    except OSError:
        return ""
