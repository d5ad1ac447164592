"""What the server hands to the device, without a device."""

import asyncio
from typing import cast

from core.dialogue import FinishReason
from core.generation.device_thread import DeviceThread
from core.generation.engine import Engine, Job
from core.generation.loaded_models import EngineLimits
from core.generation.messages import Submit
from core.generation.request import ModelSpec
from core.generation.server import Server, ServerLimits
from tests.integration.engine_runs import job


class NoDevice:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def submit(self, submitted: Job) -> None:
        assert isinstance(submitted, Submit)
        self.seeds.append(submitted.seed)


class GoneClient:
    def is_closing(self) -> bool:
        return True


async def test_those_behind_one_that_has_to_run_alone_start_when_it_is_called_off() -> None:
    server, device = Server(Engine(EngineLimits(device="cpu")), ServerLimits()), NoDevice()
    server._device = cast("DeviceThread", device)
    client, spec = cast("asyncio.StreamWriter", GoneClient()), ModelSpec("tiny", "folder")
    for number, alone in enumerate((False, True, False)):
        server._admit(client, job(spec, id=str(number), seed=number, alone=alone))
    assert device.seeds == [0]

    server._end((client, "1"), FinishReason.CANCELLED)

    assert device.seeds == [0, 2]
