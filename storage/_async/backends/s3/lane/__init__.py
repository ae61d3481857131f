"""The fast lane: the frequent operations, signed and sent without the client.

`transport` is what a way of sending requests looks like; `lean` is one straight on asyncio,
`aiohttp_transport` another, and neither knows anything of S3. `sending` is the lane itself. On the
way out, `operations` and `parameters` say what goes where in a request, `documents` writes its XML
and `sign` signs it for the `identity` that `plain` reads from arguments, or `borrowed` from a
client. On the way back `results`, `xml`, `bodies` and `errors` say it in the client's words, and
`retries` when to try again.
"""
