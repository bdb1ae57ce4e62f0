"""What the application runs on: Qt's event loop as asyncio's, what wakes it, and what ends it."""
