"""OpenAI's Responses: `POST /v1/responses`.

Protocol: https://platform.openai.com/docs/api-reference/responses (schemas CreateResponse, Response and
ResponseStreamEvent of openai/openai-openapi).
"""
