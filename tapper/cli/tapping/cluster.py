"""A tap of a cluster from the command line: places it, tells how far it is, gives its feed, removes it in the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tapper.cli import exits
from tapper.cli.problems import say
from tapper.cli.tapping.lines import Lines
from tapper.cli.tapping.loop import Loop
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tapper.cli.cluster_options import Placing
    from tapper.cli.values import Listing, Web
    from tapper.feed.remote import RemoteFeed
    from tapper.kube.cluster import Cluster
    from tapper.kube.connect import Access
    from tapper.kube.placement import Placement, Settings
    from tapper.kube.selection import Selection
    from tapper.kube.session import Session

    _Result = TypeVar("_Result")

READY_SECONDS = 120.0  # an image of 200 MB over a slow line
REMOVE_SECONDS = 45.0
BEAT_SECONDS = 10.0  # the collector waits for six of them
LOST_SECONDS = 75.0  # without a word of the cluster: by then the collector has removed all, if it is not lost itself


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to tap, as the user said it."""

    words: tuple[str, ...]
    namespaces: tuple[str, ...] | None
    """None: all; none named: that of the kubeconfig's context."""
    labels: str

    def selection(self, current: str) -> Selection:
        """With the namespace that is meant where none was said."""
        from tapper.kube.selection import Selection

        return Selection(self.words, (current,) if self.namespaces == () else self.namespaces, self.labels)


@dataclass(frozen=True, slots=True)
class Shown:
    """How to show it."""

    where: str
    listing: Listing
    web: Web
    seconds: float | None


def tap(access: Access, wanted: Wanted, placing: Placing, settings: Settings, shown: Shown) -> int:
    """Taps and shows until the user leaves; the exit code.

    Raises:
        KubeError: it can't be placed; nothing is left.
    """
    from tapper.cli.following import Until
    from tapper.cli.tapping import showing
    from tapper.kube.session import new_session

    def placement(current: str) -> Placement:
        return placing.placement(new_session(), wanted.selection(current), settings=settings)

    wanted.selection("default")  # what can't be understood is told before the cluster is asked
    with _signals(), tapped(access, placement, quiet=shown.listing.quiet) as feed, Until(shown.seconds) as until:
        showing.show(feed, shown.where, shown.listing, shown.web, until)
    return exits.OK


@contextmanager
def _signals() -> Iterator[None]:
    """Lets SIGTERM and a closed terminal end a tap as Ctrl-C does: in order."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def tapped(access: Access, placement: Callable[[str], Placement], *, quiet: bool = False) -> Iterator[RemoteFeed]:
    """A tap while the block runs. Whatever ends the block, what was placed is removed, or it is said what is left.

    `placement` gets the current namespace of the kubeconfig.

    Raises:
        KubeError: it can't be placed, nothing is left; or somebody else removed it, or the cluster is lost for good.
    """
    from tapper.feed.interface import FeedError
    from tapper.feed.remote import open_remote

    loop = Loop()
    try:
        opening = _Opening(access, placement, quiet=quiet)
        try:
            url = loop.run(opening.begin())
            with open_remote(url, opening.token) as feed:
                try:
                    try:
                        yield feed
                    except FeedError:  # the collector is away, and the feed may tell so before the heartbeat does
                        if not loop.run(opening.look()):
                            raise
                except KeyboardInterrupt:
                    if not (opening.removed or opening.lost):
                        raise
            if opening.removed:
                raise KubeError(
                    "the tap is no more in the cluster: `tapper clean` removed it, or its collector, after a minute"
                    " without a word from here"
                )
            if opening.lost:
                raise KubeError(f"nothing was heard of the cluster for {LOST_SECONDS:g} s: the tap has ended")
        finally:
            loop.run(opening.end())
    finally:
        loop.close()


def _load() -> None:
    """Imports what shows the feed, while pods start."""
    import tapper.cli.following
    import tapper.cli.streaming
    import tapper.feed.remote  # noqa: F401


class _Opening:
    """The steps of a tap, and what has to be undone."""

    def __init__(self, access: Access, placement: Callable[[str], Placement], *, quiet: bool) -> None:
        self._access = access
        self._placement = placement
        self._lines = Lines(quiet=quiet)
        self._held = contextlib.AsyncExitStack()
        self._session: Session | None = None
        self._cluster: Cluster | None = None
        self._beat: asyncio.Task[None] | None = None
        self.token = ""
        self.removed = False
        """Whether somebody else removed it."""
        self.lost = False
        """Whether nothing was heard of the cluster for LOST_SECONDS."""

    async def begin(self) -> str:
        from tapper.kube import sessions
        from tapper.kube.connect import connect
        from tapper.kube.rights import require
        from tapper.kube.session import plan
        from tapper.kube.starting import ready
        from tapper.kube.tapped import not_tapped
        from tapper.kube.targets import look, nothing

        cluster = self._cluster = await self._held.enter_async_context(connect(self._access))
        placement = self._placement(cluster.origin.namespace)
        selection = placement.selection
        looking = asyncio.create_task(look(cluster, selection))
        left = asyncio.create_task(sessions.dead(cluster))
        try:
            await require(cluster, placement)  # what is missing is told before anything that fails for want of it
            names = await looking
            self._lines.left(await left)
        finally:
            for task in (looking, left):
                task.cancel()
            await asyncio.gather(looking, left, return_exceptions=True)
        pods = selection.pods(names)
        if not pods:
            raise KubeError(await nothing(cluster, selection, names))
        mixed = [pod for pod in pods if not pod.apart]
        pods = [pod for pod in pods if pod.apart]
        if not pods:
            raise KubeError(not_tapped(mixed))
        self._lines.tapping(pods, cluster.origin.context)
        if mixed:
            self._lines.say(not_tapped(mixed))
        self._lines.placing(placement)
        begun = time.monotonic()
        session = plan(cluster, placement)
        self._session = session  # whatever comes now, there may be something to remove
        await session.place()
        loading = asyncio.create_task(asyncio.to_thread(_load))
        self.token = session.token
        url = await self._held.enter_async_context(session.forwarded())
        matter = {pod.node for pod in pods if pod.node is not None}
        await ready(session, READY_SECONDS, self._lines.progress, matter=matter, url=url)
        await loading
        self._lines.ready(time.monotonic() - begun)
        self._beat = asyncio.create_task(self._keep_alive(url))
        return url

    async def _keep_alive(self, url: str) -> None:
        """Asks the collector for something now and then: it removes the session when nobody does.

        Ends the tap if somebody else removed it, or nothing is heard of the cluster for too long.
        """
        import aiohttp

        heard = time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=BEAT_SECONDS)) as http:
            while True:
                try:
                    async with http.get(f"{url}/api/v1/revision") as answer:
                        await answer.read()
                    heard = time.monotonic()
                except (aiohttp.ClientError, TimeoutError):
                    gone = await self._is_gone()
                    if gone is False:  # only the collector is away, and may come again
                        heard = time.monotonic()
                    self.removed, self.lost = gone is True, time.monotonic() - heard > LOST_SECONDS
                    if self.removed or self.lost:
                        os.kill(os.getpid(), signal.SIGTERM)  # as whatever shows the feed knows to end in order
                        return
                await asyncio.sleep(BEAT_SECONDS)

    async def look(self) -> bool:
        """Whether it is known why the collector is away. It is asked for at the end: the heartbeat stops."""
        if self._beat is not None:
            self._beat.cancel()
        self.removed = self.removed or await self._is_gone() is True
        return self.removed or self.lost

    async def _is_gone(self) -> bool | None:
        """Whether its namespace is; None: the API server does not tell."""
        from tapper.kube import kinds

        if self._session is None or self._cluster is None:
            return False
        try:
            found = await self._cluster.get(kinds.NAMESPACE, self._session.placement.namespace)
        except KubeError:
            return None
        return found is None or "deletionTimestamp" in found["metadata"]

    async def end(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        try:
            if self._session is not None and self._cluster is not None and not self.removed:
                await self._remove(self._session)
        finally:
            await self._held.aclose()

    async def _remove(self, session: Session) -> None:
        self._lines.say("removing what was placed in the cluster ...", passing=True)
        name = session.placement.namespace
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                await session.remove()
        except asyncio.CancelledError:
            say(f"tapper: left before {name} was removed: `tapper clean` does it, or its collector within a minute")
            raise
        except TimeoutError:
            say(f"tapper: namespace {name} is still being deleted; `tapper clean` tells what holds it up")
        except KubeError as error:
            say(
                f"tapper: {name} could not be removed: {error}\n"
                "Its collector removes it within a minute; what is left then, `tapper clean` does."
            )
        else:
            self._lines.say("removed what was placed in the cluster")
