"""Addresses on the web, as settings name them."""

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _an_address(url: str) -> str:
    if url and re.match(r"https?://[^/\s]+", url) is None:
        raise PydanticCustomError("no_address", "should begin with https:// (or http://) and name a host")
    return url.rstrip("/")


#: Without a slash at its end; "" is none.
Address = Annotated[str, AfterValidator(_an_address)]
