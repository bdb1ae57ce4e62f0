"""The event loop of Qt and asyncio; signals, sleep, garbage collection."""
