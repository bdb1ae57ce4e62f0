"""LM Studio's REST API: `/api/v0`, which is OpenAI's with more in the answers, and the lists of `/api/v1`.

Documentation: https://lmstudio.ai/docs/developer/rest/endpoints and https://lmstudio.ai/docs/developer/rest. The
packages named `lmstudio` speak a WebSocket protocol of their own, which is not served.
"""
