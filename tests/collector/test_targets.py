"""Agents are told what they tap, by a collector that knows all of a cluster."""

from __future__ import annotations

import asyncio

from agent import shipper
from agent.shipper import Shipper
from agent.spool import Spool
from tapper.collector.collector import Collector, Options
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION

NODES, PODS = 400, 20_000


def _pod(number: int, node: int | None = None) -> control.Target:
    name, of = f"shop/orders-7d9f8b6c5d-{number:05}", f"node-{number % NODES if node is None else node}"
    return control.Target("pod", f"6fd0b4a1-2f4e-4a53-9d0c-{number:012}", name, "shop", of, own_network=True)


async def _told(node: str, at: shipper.Collector, heard: asyncio.Queue[control.Down]) -> None:
    hello = control.Hello(node, "boot", SCHEMA_VERSION, node=node)
    await Shipper(at, hello, Spool(1 << 20), heard.put_nowait, control.Status).run()


def test_an_agent_is_told_of_its_own_node_and_only_when_that_changed() -> None:
    """All pods of a large cluster are more than an agent takes in one message."""

    async def run() -> None:
        async with Collector(Options(token="t")) as collector:
            host, port = await collector.listen("127.0.0.1", 0)
            pods = [_pod(number) for number in range(PODS)]
            anywhere = control.Target("interface", "eth0")
            collector.set_targets([*pods, anywhere])
            at = shipper.Collector(f"http://{host}:{port}", "t")
            queues: list[asyncio.Queue[control.Down]] = [asyncio.Queue(), asyncio.Queue()]
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                agents = [tasks.create_task(_told(f"node-{n}", at, queue)) for n, queue in enumerate(queues)]
                for number, queue in enumerate(queues):
                    welcome = await queue.get()
                    assert isinstance(welcome, control.Welcome)
                    assert welcome.targets == (anywhere, *pods[number::NODES])
                collector.set_targets([*pods, _pod(PODS, node=1)])
                collector.set_targets([*pods, _pod(PODS, node=2), _pod(PODS + 1, node=1)])
                collector.stop_agents()
                expected = (1, 2)  # of the first node once, as what is tapped anywhere went
                for number, queue in enumerate(queues):
                    said = [await queue.get() for _ in range(expected[number])]
                    assert all(isinstance(message, control.Targets) for message in said)
                    assert isinstance(await queue.get(), control.Stop)
                for agent in agents:
                    agent.cancel()

    asyncio.run(run())
