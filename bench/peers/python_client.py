#!/usr/bin/python3
"""python_client.py aiohttp|httpx URL BODY IN_FLIGHT SECONDS: requests straight at the service."""
import asyncio
import json
import sys
import time

LIBRARY, URL, BODY, IN_FLIGHT, SECONDS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
HEADERS = {"Content-Type": "application/json"}
counts = {"requests": 0, "errors": 0}


async def repeat(post):
    end = time.monotonic() + SECONDS

    async def one_after_the_other():
        while time.monotonic() < end:
            counts["errors"] += await post() != 200
            counts["requests"] += 1
    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))


async def with_aiohttp():
    import aiohttp
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        async def post():
            async with session.post(URL, data=BODY, headers=HEADERS) as answer:
                await answer.read()
                return answer.status
        await repeat(post)


async def with_httpx():
    import httpx
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(limits=limits) as client:
        async def post():
            return (await client.post(URL, content=BODY, headers=HEADERS)).status_code
        await repeat(post)


begin = time.monotonic()
asyncio.run({"aiohttp": with_aiohttp, "httpx": with_httpx}[LIBRARY]())
print(json.dumps({"per_second": counts["requests"] / (time.monotonic() - begin), "errors": counts["errors"]}))
