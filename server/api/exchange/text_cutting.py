"""Filtering of the texts in an answer's stream events."""

from collections.abc import Iterator

from server.core.messages import StreamEvent
from server.core.text_filters import TextFilter
from server.models.token_estimate import estimate_text_tokens

_WRITTEN = ("thinking", "partial_json")
"""What the model writes in deltas other than text."""


class TextCutting:
    """Passes on the events of one answer, with its texts filtered.

    Once the filter has ended the text, the answer gets a regular end, and `ended` asks the caller to close the
    backend's stream. The API then never says how many tokens were written, so that the count is an estimate.
    """

    def __init__(self, text_filter: TextFilter) -> None:
        self._filter = text_filter
        self._written: list[str] = []
        """All texts as the model wrote them, thinking included, for the estimate."""
        self._open_texts: set[int] = set()
        """Indices of unfinished text blocks."""
        self.ended = False

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events for the client."""
        match event.get("type"):
            case "content_block_start" if event["content_block"].get("type") == "text":
                self._open_texts.add(event["index"])
                yield {**event, "content_block": {**event["content_block"], "text": ""}}
                yield from self._pass_text(event["index"], event["content_block"].get("text") or "")
            case "content_block_delta" if event["delta"].get("type") == "text_delta":
                yield from self._pass_text(event["index"], event["delta"]["text"])
            case "content_block_stop" if event["index"] in self._open_texts:
                yield from self._finish_text(event["index"])
            case _:
                if event.get("type") == "content_block_delta":
                    self._written += [event["delta"][name] for name in _WRITTEN if name in event["delta"]]
                yield event

    def _pass_text(self, index: int, text: str) -> Iterator[StreamEvent]:
        self._written.append(text)
        passed = self._filter.feed(text)
        if passed:
            yield _text_delta(index, passed)
        if self._filter.ended:
            yield from self._finish_text(index)

    def _finish_text(self, index: int) -> Iterator[StreamEvent]:
        rest = self._filter.finish()
        self._open_texts.discard(index)
        if rest:
            yield _text_delta(index, rest)
        yield {"type": "content_block_stop", "index": index}
        if self._filter.ended:
            self.ended = True
            stop = self._filter.stop
            delta = {"stop_reason": "end_turn" if stop is None else "stop_sequence", "stop_sequence": stop}
            usage = {"output_tokens": estimate_text_tokens("".join(self._written))}
            yield {"type": "message_delta", "delta": delta, "usage": usage}
            yield {"type": "message_stop"}


def _text_delta(index: int, text: str) -> StreamEvent:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}
