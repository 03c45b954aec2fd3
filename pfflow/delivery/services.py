"""Telling a chat service something, by Apprise, and learning what became of it. Blocking: each call is one request.

Apprise says only yes or no, so the status is read from what a service's plugin would log. No address, and nothing that
may hold one, goes into a log, an answer or an exception.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import cast

import requests
from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, PersistentStoreMode

from pfflow.delivery.answers import UNREACHED, Answer, refusal
from pfflow.delivery.errors import ChatAddressError
from pfflow.delivery.robots import asked_robot

_this_thread = threading.local()
_STATUS = re.compile(r"error=(\d{3})\b|failed: (\d{3})\b")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def quiet_libraries() -> None:
    """Keep Apprise, and the connections it makes, from logging the addresses they are given."""
    logging.getLogger("apprise").disabled = True
    logging.getLogger("urllib3.connectionpool").addFilter(_is_no_chat)


def _is_no_chat(_record: logging.LogRecord) -> bool:
    return not getattr(_this_thread, "tells", False)


class Service:
    """One address of a chat service. `timeout` (seconds) is for connecting, and for each wait for an answer."""

    def __init__(self, address: str, timeout: float) -> None:
        """Read the address. Raises ChatAddressError."""
        quiet_libraries()
        asset = AppriseAsset(
            storage_mode=PersistentStoreMode.MEMORY, http_redirects=False, async_mode=False, app_id="pfflow"
        )
        plugin = Apprise.instantiate(address, asset=asset)
        if plugin is None:
            raise ChatAddressError("Apprise knows no service by this address")
        if _in_clear(plugin) and plugin.host not in _LOOPBACK:
            raise ChatAddressError("it would go without TLS; write the service's secure form, such as jsons for json")
        self._remarks = _Remarks()
        plugin.logger = self._remarks.logger
        plugin.redirects = False  # a redirect would carry the text to who knows whom
        plugin.verify_certificate = True
        plugin.retry = 0  # the outbox tries again, and writes it down
        if len(plugin) != 1:
            raise ChatAddressError("it names several receivers, and what became of each could not be told; write one")
        plugin.socket_connect_timeout = plugin.socket_read_timeout = timeout
        self._plugin = plugin
        self._apprise = Apprise(plugin, asset=asset)
        self._turn = threading.Lock()

    @property
    def longest(self) -> int:
        """How many characters the service takes in one message."""
        return int(self._plugin.body_maxlen)

    @property
    def pause(self) -> float:
        """Seconds Apprise leaves between two messages to the service."""
        return float(self._plugin.request_rate_per_sec)

    def tell(self, text: str) -> Answer:
        """Send a text; one at a time, and never raises for what a service or its plugin does."""
        if not self._turn.acquire(blocking=False):
            return Answer(taken=False, said="the service still has not answered to the text before", again=True)
        _this_thread.tells = True
        try:
            return self._told(text)
        except requests.RequestException:
            return UNREACHED
        except Exception as error:  # noqa: BLE001 - some hundred plugins; whatever one raises may hold its address
            return Answer(taken=False, said=f"the service's plugin failed: {type(error).__name__}")
        finally:
            _this_thread.tells = False
            self._turn.release()

    def _told(self, text: str) -> Answer:
        answer = asked_robot(self._plugin, text)
        if answer is not None:
            return answer
        self._remarks.clear()
        if self._apprise.notify(body=text, body_format=NotifyFormat.TEXT):
            return Answer(taken=True, said="accepted")
        return refusal(self._remarks.status) if self._remarks.status else UNREACHED


class _Remarks(logging.Handler):
    """What a plugin logs, kept here and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        # Made, not got: it has no parent, so what it is told goes nowhere else.
        self.logger = logging.Logger("apprise of pfflow", logging.WARNING)  # noqa: LOG001 - see above
        self.logger.addHandler(self)
        self.status: int | None = None

    def clear(self) -> None:
        """Forget the text before."""
        self.status = None

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        if found:
            self.status = int(found[1] or found[2])


def _in_clear(plugin: NotifyBase) -> bool:
    """Whether the plugin was asked for by a protocol of its own that is not the secure one."""
    plain = cast("object", plugin.protocol)  # a name, several, or none
    return plugin.schema == plain or (isinstance(plain, tuple | list | set) and plugin.schema in plain)
