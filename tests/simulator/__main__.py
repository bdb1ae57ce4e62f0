"""`python -m tests.simulator [--port N]`: the simulator by itself, echoing, until interrupted."""

import argparse
import signal
import threading

from tests.simulator.server import Simulator


def main() -> None:
    """Serve until SIGINT or SIGTERM; print the URL once it listens."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="A scripted Messages API.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 is any free one")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with Simulator(port=arguments.port) as simulator:
        print(f"simulator listening on {simulator.url}", flush=True)  # noqa: T201 - the line that its starters read
        # Windows delivers signals only between waits.
        while not stopped.wait(0.5):
            pass


if __name__ == "__main__":
    main()
