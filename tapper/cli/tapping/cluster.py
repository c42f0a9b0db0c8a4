"""A tap of a cluster from the command line: places it, tells how far it is, gives its feed, removes it in the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tapper.cli import exits
from tapper.cli.problems import say
from tapper.kube.cluster import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tapper.cli.cluster_options import Placing
    from tapper.cli.options import Listing, Web
    from tapper.feed.remote import RemoteFeed
    from tapper.kube.cluster import Cluster
    from tapper.kube.connect import Access
    from tapper.kube.objects import Pod
    from tapper.kube.placement import Placement, Settings
    from tapper.kube.selection import Selection
    from tapper.kube.session import Progress, Session

    _Result = TypeVar("_Result")

READY_SECONDS = 120.0  # an image of 200 MB over a slow line
REMOVE_SECONDS = 45.0
BEAT_SECONDS = 10.0  # the collector waits for six of them
SHOWN_PODS = 5


class Loop:
    """An event loop in a thread of its own: what shows the feed is synchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Runs it and waits; an interruption is passed on to it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                with contextlib.suppress(BaseException):
                    future.exception(timeout=10)
            raise

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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
        KubeError: it can't be placed, nothing is left; or somebody else removed it.
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
                    if not opening.removed:
                        raise
            if opening.removed:
                raise KubeError(
                    "the tap is no more in the cluster: `tapper clean` removed it, or its collector, after a minute"
                    " without a word from here"
                )
        finally:
            loop.run(opening.end())
    finally:
        loop.close()


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

    async def begin(self) -> str:
        from tapper.kube.connect import connect
        from tapper.kube.rights import require
        from tapper.kube.session import place
        from tapper.kube.targets import look

        cluster = self._cluster = await self._held.enter_async_context(connect(self._access))
        placement = self._placement(cluster.origin.namespace)
        selection = placement.selection
        looking = asyncio.create_task(look(cluster, selection))
        try:
            await require(cluster, placement)  # what is missing is told before anything that fails for want of it
            names = await looking
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        pods = selection.pods(names)
        if not pods:
            raise KubeError(selection.nothing(names))
        self._lines.tapping(pods, cluster.origin.context)
        begun = time.monotonic()
        self._session = await place(cluster, placement)
        self.token = self._session.token
        await self._session.wait(READY_SECONDS, self._lines.progress)
        url = await self._held.enter_async_context(self._session.forwarded())
        self._lines.ready(time.monotonic() - begun)
        self._beat = asyncio.create_task(self._keep_alive(url))
        return url

    async def _keep_alive(self, url: str) -> None:
        """Asks the collector for something now and then: it removes the session when nobody does.

        Ends the tap if somebody else removed it.
        """
        import aiohttp

        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=BEAT_SECONDS)) as http:
            while True:
                try:
                    async with http.get(f"{url}/api/v1/revision") as answer:
                        await answer.read()
                except (aiohttp.ClientError, TimeoutError):
                    if await self._is_gone():
                        self.removed = True
                        os.kill(os.getpid(), signal.SIGTERM)  # as whatever shows the feed knows to end in order
                        return
                await asyncio.sleep(BEAT_SECONDS)

    async def look(self) -> bool:
        """Whether somebody else removed it. It is asked for at the end: the heartbeat stops."""
        if self._beat is not None:
            self._beat.cancel()
        self.removed = self.removed or await self._is_gone()
        return self.removed

    async def _is_gone(self) -> bool:
        from tapper.kube import kinds

        if self._session is None or self._cluster is None:
            return False
        try:
            found = await self._cluster.get(kinds.NAMESPACE, self._session.placement.namespace)
        except KubeError:  # the API server is away: that tells nothing
            return False
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
        except TimeoutError:
            say(f"tapper: namespace {name} is still being deleted; `tapper clean` tells what holds it up")
        except KubeError as error:
            say(
                f"tapper: {name} could not be removed: {error}\n"
                "Its collector removes it within a minute; what is left then, `tapper clean` does."
            )
        else:
            self._lines.say("removed what was placed in the cluster")


class Lines:
    """What is told on stderr while a tap starts: lines that fill in on a terminal, each once elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._open = False

    def say(self, text: str, *, passing: bool = False) -> None:
        """A line; a passing one is overwritten by the next."""
        if self._quiet or (passing and not self._live):
            return
        self.clear()
        if passing:
            from tapper.model.text import clean

            sys.stderr.write(clean(text)[:200])
            sys.stderr.flush()
        else:
            say(text)
        self._open = passing

    def clear(self) -> None:
        """Takes a passing line away."""
        if self._open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._open = False

    def tapping(self, pods: list[Pod], context: str | None) -> None:
        """What is tapped."""
        nodes = sorted({pod.node or "no node yet" for pod in pods})
        shown = ", ".join(pod.scope for pod in pods[:SHOWN_PODS])
        more = f" and {len(pods) - SHOWN_PODS} more" if len(pods) > SHOWN_PODS else ""
        where = f"node {nodes[0]}" if len(nodes) == 1 else f"{len(nodes)} nodes"
        count = f"{len(pods)} pod{'' if len(pods) == 1 else 's'}"
        self.say(f"tapping  {shown}{more}  ({count}, {where})" + (f"     context {context}" if context else ""))

    def progress(self, now: Progress) -> None:
        """How far agents and collector are."""
        if now.problems:
            self.say(f"waiting  {now.problems[0]}")
        else:
            collector = "ready" if now.collector else "starts"
            self.say(f"agent    ready on {now.agents}/{now.nodes} nodes, collector {collector}", passing=True)
        self._last = now

    def ready(self, seconds: float) -> None:
        """All that is needed is there."""
        self.say(f"agent    ready on {self._last.agents}/{self._last.nodes} nodes     {seconds:.1f} s")
        if not self._last.ready:
            self.say("         begun without the others: pods on their nodes are heard once they are ready")
