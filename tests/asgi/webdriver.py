"""A headless Chromium, driven by WebDriver's own words over HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.services.process import free_ports, get

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1100,760", "--lang=en",
]  # fmt: skip
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing() -> str | None:
    """Why there is no browser, or None."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"{program} is missing: apt-get install chromium chromium-driver"
    return None


class Browser:
    """One window."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        options = {
            "binary": shutil.which("chromium"),
            "args": [*FLAGS, f"--user-data-dir={folder / 'profile'}"],
            "prefs": {"download.default_directory": str(folder / "downloads")},
        }
        wanted = {"goog:chromeOptions": options, "unhandledPromptBehavior": "ignore"}
        logs = {"goog:loggingPrefs": {"browser": "ALL"}}
        body = {"capabilities": {"alwaysMatch": {**wanted, **logs}}}
        self._session = ""
        self._session = f"/session/{self('POST', '/session', body)['sessionId']}"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """One command; what it gives."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            data = json.dumps(body if body is not None or method != "POST" else {})
            connection.request(method, self._session + path, data if method == "POST" else None)
            found = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(found, dict) and "error" in found:
            raise AssertionError(f"{found['error']}: {found['message']}")
        return found

    def open(self, url: str) -> None:
        """Go to a page."""
        self("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self("POST", "/execute/sync", {"script": script, "args": arguments})

    def find(self, selector: str) -> str:
        """The path of an element."""
        found = self("POST", "/element", {"using": "css selector", "value": selector})
        return f"/element/{found[ELEMENT]}"

    def type(self, selector: str, text: str) -> None:
        """Type into an element, or choose a file there."""
        self("POST", f"{self.find(selector)}/value", {"text": text})

    def keys(self, text: str) -> None:
        """Type to whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self("POST", "/actions", {"actions": [source]})

    def answer(self, *, yes: bool) -> str:
        """Answer the question that is asked; gives its text."""
        self.until(self._asked)
        text: str = self("GET", "/alert/text")
        self("POST", f"/alert/{'accept' if yes else 'dismiss'}")
        return text

    def _asked(self) -> bool:
        try:
            self("GET", "/alert/text")
        except AssertionError:
            return False
        return True

    def until(self, holds: Any) -> Any:
        """Wait for something that is true; gives it."""
        deadline = time.monotonic() + 20
        while not (found := holds()):
            assert time.monotonic() < deadline, "it did not come to be"
            time.sleep(0.03)
        return found

    def complaints(self) -> list[str]:
        """What the console has got since it was asked last."""
        return [entry["message"] for entry in self("POST", "/se/log", {"type": "browser"})]

    def style(self, *, dark: bool = False, width: int = 1100) -> None:
        """Prefer light or dark, in a window of a width in pixels."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        for command, parameters in (
            ("Emulation.setEmulatedMedia", {"features": features}),
            (
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 760, "deviceScaleFactor": 1, "mobile": False},
            ),
        ):
            self("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, path: Path) -> None:
        """Keep what is seen."""
        path.write_bytes(base64.b64decode(self("GET", "/screenshot")))


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Start it, and end it with all that it has started."""
    driver = shutil.which("chromedriver")
    assert driver, "ask missing() first"
    (port,) = free_ports(1)
    environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    with subprocess.Popen(
        [driver, f"--port={port}"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 20
            while get(port, "/status") is None:
                assert time.monotonic() < deadline, "chromedriver does not answer"
                time.sleep(0.03)
            browser = Browser(port, folder)
            try:
                yield browser
            finally:
                browser("DELETE", "")
        finally:
            process.terminate()
