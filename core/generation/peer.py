"""The process that serves the engine's socket, and its end when it hangs.

Linux tells who listens on a socket; elsewhere the engine's own word is taken. A process is known by its number and its
start together, so that a number that belongs to another process by now harms nobody.
"""

import asyncio
import logging
import os
import socket
import struct
import sys
import time

import psutil

from core.errors import EngineUnavailable

logger = logging.getLogger(__name__)

#: How long a killed process is waited for: one that waits for its device in the kernel may stay.
_END_TIMEOUT_S = 5.0
_POLL_S = 0.02


def listener(writer: asyncio.StreamWriter) -> psutil.Process | None:
    """Who listens at the other end; None where the system doesn't tell, or tells nothing of another container."""
    if sys.platform != "linux":
        return None
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, _, _ = struct.unpack("3i", credentials)
    return process_of(pid)


def named(pid: int) -> psutil.Process | None:
    """Who says to be the process of that number; only asked where the system itself doesn't tell."""
    return None if sys.platform == "linux" else process_of(pid)


def process_of(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid) if pid > 0 else None
    except psutil.Error:
        return None


def runs(process: psutil.Process | None) -> bool:
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def kill(process: psutil.Process | None) -> None:
    """Ends a process that hangs; nothing happens where somebody else did already.

    Raises EngineUnavailable where it can't be ended from here.
    """
    if process is None:
        raise EngineUnavailable("the engine hangs and its process can't be seen from here; end it by hand")
    try:
        if process.uids().real != os.getuid() or process.pid == os.getpid():
            raise EngineUnavailable(f"the engine hangs and is not this user's to end; end process {process.pid}")
        process.kill()
        logger.warning("the engine hung and was killed", extra={"action": "kill_engine", "pid": process.pid})
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise EngineUnavailable(f"the engine hangs and can't be ended from here; end process {process.pid}") from None
    await ended(process, _END_TIMEOUT_S)


async def ended(process: psutil.Process | None, timeout_s: float) -> bool:
    """Waits until a process is gone; False where it stayed."""
    give_up_at = time.monotonic() + timeout_s
    while runs(process):
        if time.monotonic() >= give_up_at:
            return False
        await asyncio.sleep(_POLL_S)
    return True
