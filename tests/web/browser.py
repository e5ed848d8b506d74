"""A real Chromium, driven by its DevTools protocol: keys, what the page shows, pictures, what it asks for."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.report.test_page import browser as chromium

WAIT_S = 60.0


class Tab:
    """One tab of a browser. requests : the addresses that it asked for. violations : of the policy of contents."""

    def __init__(self, link: ClientConnection, session: str) -> None:
        self._link, self._session, self._number = link, session, 0
        self.requests: list[str] = []
        self.console: list[str] = []

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; events that come meanwhile are noted."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._link.send(json.dumps(message))
        while True:
            told = json.loads(self._link.recv(timeout=WAIT_S))
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def _note(self, told: Mapping[str, Any]) -> None:
        params = told.get("params", {})
        if told.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if told.get("method") == "Log.entryAdded":
            self.console.append(params["entry"]["text"])
        if told.get("method") == "Runtime.exceptionThrown":
            self.console.append(
                str(params["exceptionDetails"].get("exception", {}).get("description"))
            )

    def js(self, code: str) -> Any:
        """Run JavaScript in the page and return what it gives; promises are waited for."""
        told = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, code: str) -> Any:
        """Wait until JavaScript gives something true."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if found := self.js(
                f"(() => {{ const found = {code}; return found instanceof Node ? true : found; }})()"
            ):
                return found
            time.sleep(0.01)
        raise AssertionError(f"{code} stays false: {self.js('document.body.innerText')}")

    def go(self, address: str) -> None:
        """Open an address."""
        self.send("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def key(self, key: str) -> None:
        """Press a key, as a person would."""
        codes = {"Enter": 13, "Tab": 9, " ": 32, "Escape": 27, "ArrowRight": 39}
        text = "\r" if key == "Enter" else "" if len(key) > 1 else key
        press = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
        self.send("Input.dispatchKeyEvent", type="keyUp", **press)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.send("Input.insertText", text=text)

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus is on an element."""
        for _ in range(400):
            if self.js(f"document.activeElement.matches({selector!r})"):
                return
            self.key("Tab")
        raise AssertionError(f"Tab never comes to {selector}")

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the window."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def picture(self, file: Path) -> None:
        """Save what is shown as PNG."""
        shown = self.send("Page.captureScreenshot", captureBeyondViewport=False)
        file.write_bytes(base64.b64decode(shown["data"]))


@contextmanager
def tab(folder: Path, *flags: str) -> Iterator[Tab]:
    """Start a browser with one tab; it ends with the block."""
    command = [
        chromium(), "--headless", "--no-sandbox", "--remote-debugging-port=0",
        f"--user-data-dir={folder / 'profile'}", *flags, "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        try:
            address = ""
            for line in process.stderr:
                if found := re.search(r"listening on (ws://\S+)", line):
                    address = found.group(1)
                    break
            with connect(address, max_size=None) as link:
                root = Tab(link, "")
                target = root.send("Target.createTarget", url="about:blank")["targetId"]
                attached = root.send("Target.attachToTarget", targetId=target, flatten=True)
                opened = Tab(link, attached["sessionId"])
                for domain in ("Page", "Runtime", "Network", "Log"):
                    opened.send(f"{domain}.enable")
                opened.size(1280)
                yield opened
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it has started
