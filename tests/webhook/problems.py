"""What a response says: the detail of a problem, or its text."""

import aiohttp

from webhook.problem import TYPE


async def said(response: aiohttp.ClientResponse) -> str:
    """Return it; a refusal that is no problem fails."""
    if response.status < 400:
        return await response.text()
    assert response.content_type == TYPE
    problem = await response.json(content_type=TYPE)
    assert (problem["status"], problem["type"]) == (response.status, "about:blank")
    return str(problem["detail"])
