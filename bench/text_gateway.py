"""A stand-in for Twilio's Messages over HTTP: 50 ms for each call; it can be asked what was sent to a number.

Prints its port. ``/taken`` tells the numbers of what it took, in order, and forgets them; ``/count`` how many.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

SECONDS = 0.05
taken: list[str] = []
by_number: dict[str, list[dict[str, str]]] = {}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            method, target, _version = line.decode().split()
            length = 0
            while (header := await reader.readline()) not in {b"\r\n", b""}:
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = (await reader.readexactly(length)).decode()
            status, answer = await reply(method, target, body)
            payload = json.dumps(answer).encode()
            head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
            writer.write(head.encode() + payload)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def reply(method: str, target: str, body: str) -> tuple[str, object]:
    parts = urlsplit(target)
    if parts.path == "/taken":
        told = list(taken)
        taken.clear()
        return "200 OK", told
    if parts.path == "/count":
        return "200 OK", len(taken)
    if method == "POST":
        fields = parse_qs(body)
        to, words = fields["To"][0], fields["Body"][0]
        message = {"sid": f"SM{len(taken):032x}", "to": to, "body": words, "status": "queued"}
        # Taken as the call comes in: whoever is killed while it lasts has sent it all the same.
        taken.append(to)
        by_number.setdefault(to, []).append(message)
        await asyncio.sleep(SECONDS)
        return "201 Created", message
    await asyncio.sleep(SECONDS)
    to = parse_qs(parts.query).get("To", [""])[0]
    return "200 OK", {"messages": by_number.get(to, []), "page": 0, "page_size": 50}


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
