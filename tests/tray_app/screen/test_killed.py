"""An application that was killed: the next one takes its place, finds what was kept, and nothing of it is left."""

import signal
import threading
from contextlib import suppress
from pathlib import Path

import openai
import psutil

from tests.simulator import Simulator
from tests.simulator.gate import Hang
from tests.simulator.replies import Text
from tests.systems import posix_only
from tests.tray_app.screen.accessibility import ScreenReader
from tests.tray_app.screen.desktop import Desktop, until
from tests.tray_app.screen.person import Person

pytestmark = posix_only("signals")


def test_an_application_that_was_killed_is_followed_by_one_that_goes_on(
    desktop: Desktop, simulator: Simulator, cli_path: Path
) -> None:
    person = Person(desktop, simulator.url, cli_path)
    application = person.start("--port", "0")
    url = person.url()
    key = person.key()
    simulator.script(Text("In the reeds."))
    assert person.ask(url, "Where is the heron?") == "In the reeds."
    hang = Hang()
    simulator.script(hang)

    def ask_in_vain() -> None:
        with suppress(openai.OpenAIError):
            person.ask(url, "Where is the stork?", key=key)

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    (running,) = until(lambda: person.get(url, "/api/requests?status=running", key)["items"])
    hang.wait_reached()
    ours = psutil.Process(application.pid).children(recursive=True)
    assert ours, "CLI processes run"
    application.send_signal(signal.SIGKILL)
    assert application.wait(60) == -signal.SIGKILL
    asking.join(60)
    assert not asking.is_alive()
    _, left = psutil.wait_procs(ours, timeout=60)
    assert left == []

    with ScreenReader(desktop) as reader:
        person.start("--port", "0")
        again = person.url(2)
        assert person.key() == key
        assert person.get(again, "/api/sessions", key)["total"] >= 1
        request = person.get(again, f"/api/requests/{running['id']}", key)
        assert request["status"] == "error"
        assert "was stopped while this request was running" in request["error"]
        person.window()
        desktop.keys("ctrl+2")
        reader.wait_for("(Error|Cut|Cancelled).*", "cell")
        desktop.keys("ctrl+3")
        reader.wait_for("Where is the heron\\?", "cell")
        # And it is the one that others find.
        assert person.start().wait(60) == 0
