"""Who is refused: another origin, another host, no token, a wrong or spent one, a path outside; and what never leaves."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.web.gate import POLICY, Gate
from becalm.web.serving import listening, served
from becalm.web.workbench import Workbench


class Caller:
    """Sends requests as any program of this machine could."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> http.client.HTTPResponse:
        """Send one request; a header is named with _ for -, and `host=` replaces the name of the host."""
        link = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        text = None if body is None else json.dumps(body)
        if text is not None:
            given.setdefault("Content-Type", "application/json")
        link.request(method, path, text, given)
        answer = link.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        link.close()
        return answer

    def begin(self) -> str:
        """Spend the token and return the key."""
        text = self.send("GET", f"/?token={self.gate.token}").text  # type: ignore[attr-defined]
        return str(text.split('name="becalm-key" content="')[1].split('"')[0])

    def call(self, name: str, body: object, key: str, **headers: str) -> Any:
        """Make a call with the key."""
        return self.send("POST", f"/call/{name}", body, authorization=f"Bearer {key}", **headers)


LIST = {"reviewer": "A"}


@pytest.fixture
def caller(few: Workbench) -> Iterator[Caller]:
    with listening() as taken, served(few, taken) as gate:
        yield Caller(gate)


def test_the_token_works_once(caller: Caller) -> None:
    """The second use, as from another tab, is refused and has no key; the first session goes on."""
    address = f"/?token={caller.gate.token}"
    key = caller.begin()
    again = caller.send("GET", address)
    assert again.status == 403
    assert "becalm-key" not in again.text  # type: ignore[attr-defined]
    assert caller.call("patients", LIST, key).status == 200


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/?key=x"])
def test_without_the_token_there_is_no_key(caller: Caller, path: str) -> None:
    answer = caller.send("GET", path)
    assert answer.status == 403
    assert "becalm-key" not in answer.text  # type: ignore[attr-defined]
    assert "SECRET" not in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["", "wrong", "Bearer"])
def test_a_call_without_the_key_is_refused(caller: Caller, key: str) -> None:
    """Before a session began, and after."""
    assert caller.call("patients", LIST, key).status == 403
    assert caller.send("POST", "/call/patients", LIST).status == 403
    caller.begin()
    assert caller.call("patients", LIST, key).status == 403
    cookie = caller.send("POST", "/call/patients", LIST, cookie=f"key={caller.gate.key}")
    assert cookie.status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_another_host_name_is_refused(caller: Caller, host: str) -> None:
    """A name that was made to lead to this machine (DNS rebinding), even with the right key."""
    name = host.format(port=caller.gate.port)
    assert caller.send("GET", f"/?token={caller.gate.token}", host=name).status in {400, 421}
    key = caller.begin()
    assert caller.call("patients", LIST, key, host=name).status in {400, 421}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://127.0.0.1:{port}"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_origin_is_refused(caller: Caller, headers: dict[str, str]) -> None:
    given = {name: value.format(port=caller.gate.port) for name, value in headers.items()}
    assert caller.send("GET", f"/?token={caller.gate.token}", **given).status == 403
    key = caller.begin()
    assert caller.call("patients", LIST, key, **given).status == 403
    own = {"origin": f"http://127.0.0.1:{caller.gate.port}", "sec_fetch_site": "same-origin"}
    assert caller.call("patients", LIST, key, **own).status == 200


@pytest.mark.parametrize(
    "path", ["/../page.js", "/page.js/../../pyproject.toml", "/%2e%2e/persons.csv", "/persons.csv", "//etc/passwd", "/call/nothing"]
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_outside_is_refused(caller: Caller, path: str, method: str) -> None:
    """Files are not served by their path, with the key or without."""
    assert caller.send(method, path).status in {403, 404, 405}
    key = caller.begin()
    answer = caller.send(
        method, path, {} if method == "POST" else None, authorization=f"Bearer {key}"
    )
    assert answer.status in {403, 404, 405}
    assert "SECRET" not in answer.text  # type: ignore[attr-defined]


def test_calls_are_made_with_json_of_a_small_size(caller: Caller) -> None:
    """A form of another page cannot send JSON without asking first; a huge body is not read."""
    key = caller.begin()
    assert caller.call("patients", LIST, key, Content_Type="text/plain").status == 405
    assert caller.call("patients", {"reviewer": "A" * (1 << 17)}, key).status == 413
    assert caller.call("patients", {"reviewer": 1}, key).status == 400
    assert caller.call("patients", {"reviewer": "A", "more": 1}, key).status == 400
    assert (
        caller.call("patient", {"person": 99, "reviewer": "A", "question": "relapse"}, key).status
        == 404
    )


def test_every_answer_carries_the_policy(caller: Caller) -> None:
    """Nothing from elsewhere, no script within the page, nothing kept by the browser, no frame around it."""
    key = caller.begin()
    for answer in (
        caller.send("GET", "/"),
        caller.send("GET", "/page.js"),
        caller.send("GET", "/page.css"),
        caller.send("GET", "/nothing"),
        caller.send("GET", "/", host="evil.example"),
        caller.call("patients", LIST, key),
    ):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert "'unsafe" not in POLICY


def test_no_patient_is_named_in_a_log(
    caller: Caller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not where all goes well, and not where a call fails."""
    caplog.set_level(logging.DEBUG)
    key = caller.begin()
    shown = caller.call("patient", {"person": 0, "reviewer": "A", "question": "relapse"}, key)
    assert "SECRET-01" in shown.text
    caller.call("answer", {"person": 0, "reviewer": "", "question": "relapse", "answer": "no"}, key)
    caller.call("patient", {"person": -1, "reviewer": "A", "question": "relapse"}, key)
    out, err = capfd.readouterr()
    assert "SECRET" not in caplog.text + out + err
    assert caller.gate.key not in caplog.text + out + err


def test_it_listens_on_this_machine_alone(caller: Caller, few: Workbench) -> None:
    """And a port that is taken is one line."""
    others = {
        str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    }
    for address in others - {"127.0.0.1"}:
        if not address.startswith("127."):
            with pytest.raises(OSError, match=r"refused|timed out"):
                socket.create_connection((address, caller.gate.port), timeout=2)
    with pytest.raises(UsageError) as told, listening(caller.gate.port):
        pass
    assert told.value.line().startswith(f"--port: the port {caller.gate.port} cannot be used")
    assert "\n" not in told.value.line()


def test_a_port_that_is_taken_is_told_before_anything_is_read(caller: Caller) -> None:
    """Records may take minutes to read."""
    done = CliRunner().invoke(main, ["open", "no such records", "--port", str(caller.gate.port)])
    assert done.exit_code == UsageError.exit_code
    assert done.output.count("\n") == 1
    assert f"the port {caller.gate.port} cannot be used" in done.output
