"""The API backend with a stored key, against the simulator."""

import pytest

from server.backends.anthropic_api import AnthropicApiBackend
from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import MemoryStorage

KEY = "sk-ant-api03-the-key-of-this-test_0123456789"


@pytest.fixture
async def key_store():
    store = KeyStore(MemoryStorage())
    await store.set(ANTHROPIC_API_KEY, KEY)
    return store


@pytest.fixture
async def backend(simulator, key_store):
    backend = AnthropicApiBackend(simulator.url, key_store)
    await backend.start()
    yield backend
    await backend.stop()
