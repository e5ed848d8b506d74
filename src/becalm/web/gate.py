"""Who may talk to the page: one browser tab of this machine, by a token that works once.

The address that becalm prints has a token. The first request with it gets the key of the session, and the token is
spent. The page keeps the key for its own tab and sends it with every request; a cookie would go to every program that
listens on this machine. A request with another host name (DNS rebinding), from another origin, or without the key is
refused, and says nothing of what is here. Names of patients are in the bodies of requests, never in an address.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
OPEN: Final = frozenset({"/page.js", "/page.css"})
"""What may be read without the key: the program of the page, without any data."""
START: Final = "/"
LARGEST_BODY: Final = 1 << 16


@dataclass
class Gate:
    """The gate before an application. token : works once. key : of the session that it began, '' before."""

    app: App
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    key: str = ""

    @property
    def address(self) -> str:
        """The address that opens the page once."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def begin(self, token: str) -> str:
        """Return the key of a new session for the token; '' if it is wrong or spent."""
        if not self.token or not hmac.compare_digest(token.encode(), self.token.encode()):
            return ""
        self.token, self.key = "", secrets.token_urlsafe(32)
        return self.key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        if status := self._refused(scope):
            await _answer(send, status)
            return
        await self.app(scope, receive, with_headers(send))

    def _refused(self, scope: Scope) -> int:
        """Return the status of a refusal, 0 where a request may pass."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        names = [value for name, value in scope["headers"] if name.lower() == b"host"]
        host = headers.get(b"host", "")
        if host not in hosts or len(names) != 1:
            return 421
        foreign = headers.get(b"origin", f"http://{host}") != f"http://{host}"
        if foreign or headers.get(b"sec-fetch-site", "none") not in {"none", "same-origin"}:
            return 403
        path, method = scope["path"], scope["method"]
        if method == "GET" and (path == START or path in OPEN):
            return 0
        return self._refused_call(method, headers)

    def _refused_call(self, method: str, headers: Mapping[bytes, str]) -> int:
        """Return the status of a refusal of a request for data, 0 where it may pass."""
        sent = headers.get(b"authorization", "")
        if not self.key or not hmac.compare_digest(sent.encode(), f"Bearer {self.key}".encode()):
            return 403
        if method != "POST" or not headers.get(b"content-type", "").startswith("application/json"):
            return 405
        length = headers.get(b"content-length", "")
        return 0 if length.isdecimal() and int(length) <= LARGEST_BODY else 413


def with_headers(send: Send) -> Send:
    """Return a way to answer in which every answer carries the headers of safety."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [each for each in message["headers"] if each[0].lower() not in dict(HEADERS)]
            message["headers"] = [*kept, *HEADERS]
        await send(message)

    return sent


async def _answer(send: Send, status: int) -> None:
    body = b"Refused.\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
