"""The simulator as a server: uvicorn on a thread and an event loop of its own, for tests on any loop."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tests.simulator.app import TRANSPORT, App
from tests.simulator.recording import Calls, Predicate, Recording
from tests.simulator.replies import ScriptedOrFunction
from tests.simulator.script import Condition, Script


class TransportInScope(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """uvicorn's protocol; its requests carry the connection's transport, so that an answer can be cut."""

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "extensions": {TRANSPORT: transport}}, receive, send)

        self.app = with_transport


class Server(uvicorn.Server):
    """uvicorn's server, stopped by an event instead of a poll, and at once: clients are cut off."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[["Server"], None]) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()
        self._on_listening = on_listening

    async def main_loop(self) -> None:
        """Serve until stopped."""
        self._on_listening(self)
        await self.stopping.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        """Close the listeners and every connection."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.servers[0].sockets[0].getsockname()[1])


class Simulator:
    """A scripted Messages API on a real socket.

        with Simulator() as sim:
            sim.script(Text("Hello"))
            ...a client with base URL sim.url and any API key...
            assert conversation(sim.messages_calls[0]) == [("user", [{"type": "text", "text": "Hi"}])]

    Requests without a rule get an echo ("You said: ..."), an instance of the schema they ask for, or, for
    "call NAME", a call of that tool. What the real API refuses is refused, unless `strict` is False.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1", strict: bool = True) -> None:
        self.recording = Recording()
        self._script = Script()
        self._host = host
        self._port = port
        self._app = App(self._script, self.recording, strict)
        self._thread: threading.Thread | None = None
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def script(self, reply: ScriptedOrFunction, when: Condition | None = None, times: int | None = None) -> None:
        """Add a reply: for the next request, or (with `when`) for all that it takes; `times` says how many.

        The oldest rule that takes a request answers it. `reply` may be a function of the recorded request.
        """
        self._script.add(reply, when, times)

    def reset(self) -> None:
        """Drop the rules and the record, for the next test on the same server."""
        self._script.clear()
        self.recording.clear()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the simulator is not running: enter it with `with`, or call start()")
        return f"http://{self._host}:{self._server.port}"

    @property
    def requests(self) -> Calls:
        """Every request so far."""
        return self.recording.requests

    @property
    def messages_calls(self) -> Calls:
        """The requests to /v1/messages so far."""
        return self.recording.messages_calls

    def wait_for(self, condition: Predicate | int, timeout: float = 60.0) -> Calls:
        """Block until there are so many messages calls, or until the condition holds of them; give them.

        `sim.wait_for(lambda calls: calls[-1].disconnected)`; an IndexError counts as "not yet". Raises
        TimeoutError.
        """
        return self.recording.wait_for(condition, timeout)

    async def await_calls(self, condition: Predicate | int, timeout: float = 60.0) -> Calls:  # noqa: ASYNC109
        """`wait_for` for any event loop."""
        return await self.recording.await_for(condition, timeout)

    def start(self) -> Self:
        """Listen. Returns when the first request can come."""
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="simulator", daemon=True)
        self._thread.start()
        started.wait()
        if self._server is None:
            raise RuntimeError(f"the simulator could not listen on {self._host}:{self._port}")
        return self

    def _run(self, started: threading.Event) -> None:
        try:
            asyncio.run(self._serve(started))
        finally:
            started.set()

    async def _serve(self, started: threading.Event) -> None:
        config = uvicorn.Config(
            self._app,
            host=self._host,
            port=self._port,
            http=TransportInScope,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            date_header=False,
            timeout_keep_alive=600,
        )
        self._loop = asyncio.get_running_loop()

        def listening(server: Server) -> None:
            self._server = server
            started.set()

        await Server(config, listening).serve()

    def stop(self) -> None:
        """Close all connections and stop listening."""
        if self._thread is None or self._server is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._server.stopping.set)
        self._thread.join()
        self._thread = self._server = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
