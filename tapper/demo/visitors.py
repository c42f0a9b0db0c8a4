"""Those who use the shop: each logs in, looks around, orders now and then."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import aiohttp

from tapper.demo.services import ITEMS, PORT

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
PAUSE = 0.32
"""Mean time between two actions of a visitor, s."""


class Visitor:
    """One visitor.

    Args:
        session: its connections.
        number: what it does follows from it.
        shop: URL of the web server.
        chats: how often it talks over a WebSocket instead of asking, as a share of what it does.
    """

    def __init__(self, session: aiohttp.ClientSession, number: int, shop: str, chats: float = 0.0) -> None:
        self.session = session
        self.shop = shop
        self.chats = chats
        self.chance = random.Random(number)
        self.number = number
        self.token = ""

    async def ask(self, method: str, path: str, **more: object) -> aiohttp.ClientResponse:
        """One request as a browser sends it; the body is read."""
        trace = f"00-{self.chance.getrandbits(128):032x}-{self.chance.getrandbits(64):016x}-01"
        headers = {"traceparent": trace, "X-Request-Id": f"{self.chance.getrandbits(48):012x}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        async with self.session.request(method, self.shop + path, headers=headers, **more) as answer:  # type: ignore[arg-type]
            await answer.read()
            return answer

    async def login(self) -> None:
        """Logs in, sometimes with a wrong password."""
        password = "wrong" if self.chance.random() < 0.15 else f"s3cret-{self.number}"
        answer = await self.ask("POST", "/api/login", json={"user": f"user{self.number}", "password": password})
        if answer.status == 200:
            self.token = (await answer.json())["access_token"]

    async def order(self) -> None:
        """Orders something."""
        wanted = {"item": self.chance.choice(ITEMS), "count": self.chance.randrange(1, 4), "card": "4242424242424242"}
        await self.ask("POST", "/api/orders", json=wanted)

    async def chat(self) -> None:
        """Talks with the gateway over a WebSocket."""
        headers = {"X-Visitor": str(self.number), "Cookie": f"session=ws-{self.number}"}
        url = f"http://gateway:{PORT}/api/live"
        async with self.session.ws_connect(url, headers=headers, compress=self.number % 2 * 15) as socket:
            for turn in range(self.chance.randrange(2, 9)):
                await socket.receive()
                if turn % 3 == 2:
                    await socket.send_bytes(self.chance.randbytes(300))
                else:
                    await socket.send_json({"turn": turn, "password": "hunter2", "text": "how much? " * turn})
                await asyncio.sleep(0.2)
            await socket.send_str("bye")
            while not socket.closed:
                await socket.receive()

    async def act(self) -> None:
        """Does one thing."""
        if self.chats and self.chance.random() < self.chats:
            await self.chat()
            return
        dice = self.chance.random()
        if dice < 0.05:
            await self.login()
        elif dice < 0.25:
            await self.ask("GET", "/api/home")
        elif dice < 0.55:
            await self.ask("GET", f"/api/orders/{self.chance.randrange(100, 400)}")
        elif dice < 0.75:
            await self.order()
        elif dice < 0.87:
            await self.ask("GET", f"/api/users/{self.chance.randrange(64)}?token=t-{self.number}")
        elif dice < 0.95:
            await self.ask("GET", self.chance.choice(("/", "/style.css", "/missing.png")))
        elif dice < 0.97:
            await self.ask("GET", "/api/offers")
        else:
            await self.ask("GET", f"/api/events?count={self.chance.randrange(3, 12)}")

    async def stay(self, until: float) -> None:
        """Acts until it is time to go."""
        await self.login()
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self.act()
            await asyncio.sleep(self.chance.expovariate(1 / PAUSE))
