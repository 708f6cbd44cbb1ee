"""An event loop of virtual time, in which processes can be stopped, resumed and killed anywhere.

Nothing waits for real: when nobody is ready the clock moves to the next timer. Every callback
belongs to the process in whose context it was made (or to none: the servers). A paused process'
callbacks are kept until it goes on, a killed one's never run, as after SIGSTOP and SIGKILL: no
`finally`, no farewell. The order of callbacks is asyncio's; what varies from seed to seed is how
long every request and reply takes.
"""

import asyncio
import contextlib
import heapq
import inspect
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context, ContextVar, copy_context
from typing import Any


class Stuck(Exception):
    """Nobody will ever do anything again, or not within the time a schedule may take."""


class Process:
    """What a worker's operating system process is.

    Attributes:
        steps: how many callbacks it has run.
        dies_at: the step before which it is killed, if any.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.is_paused = False
        self.steps = 0
        self.dies_at: int | None = None
        self.on_death: Callable[[], None] = lambda: None
        self.kept: list[asyncio.Handle] = []
        self.context: Context = copy_context()
        self.context.run(_process.set, self)

    def may_run(self, handle: asyncio.Handle) -> bool:
        """Whether its next callback runs now; if it is only paused, later."""
        if self.is_paused or not self.is_alive:
            self.kept.append(handle)
            return False
        if self.dies_at is not None and self.steps >= self.dies_at:
            self.dies_at = None
            self.on_death()
            self.kept.append(handle)
            return False
        self.steps += 1
        return True


_process: ContextVar[Process | None] = ContextVar("process", default=None)
NOBODY: Context = Context()
"""The context of the servers."""


class SimulatedLoop(BaseEventLoop):
    """Runs callbacks in asyncio's order and virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self.until_s = 1_000.0
        self.errors: list[dict[str, Any]] = []
        self.set_task_factory(_task)
        self.set_exception_handler(lambda _, context: self.errors.append(context))

    def time(self) -> float:
        return self._now_s

    def start(self, process: Process, work: Coroutine[Any, Any, None]) -> None:
        """Begin a process."""
        self.create_task(work, context=process.context)

    def resume(self, process: Process) -> None:
        """Let a paused process go on."""
        process.is_paused = False
        kept, process.kept = process.kept, []
        self._ready.extend(kept)  # type: ignore[attr-defined]

    def bury(self, processes: Iterable[Process]) -> None:
        """The end of the world: every task is cancelled, the killed ones' too.

        What would be left to the garbage collector would say farewell then, in another world.
        """
        for process in processes:
            process.is_alive = True
            process.dies_at = None
            self.resume(process)
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            _close_unbegun(task.get_coro())
            task.cancel()
        self.until_s = self._now_s + 1_000.0
        with contextlib.suppress(Stuck):
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def later(self, delay_s: float, callback: Callable[..., object], *args: object) -> None:
        """What a server does after some time."""
        self.call_later(delay_s, callback, *args, context=NOBODY)

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready:
            if not scheduled:
                raise Stuck("nobody has anything to do any more")
            self._now_s = max(self._now_s, scheduled[0].when())
            if self._now_s > self.until_s:
                raise Stuck(f"not done after {self.until_s:g} s of virtual time")
            while scheduled and scheduled[0].when() <= self._now_s:
                timer = heapq.heappop(scheduled)
                timer._scheduled = False
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle.cancelled():
                continue
            process = handle._context.get(_process)
            if process is None or process.may_run(handle):
                handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # they are few, and go when their time comes

    def _write_to_self(self) -> None:
        pass

    def _process_events(self, event_list: object) -> None:
        pass


def _close_unbegun(work: Any) -> None:
    """What a coroutine that never began was to wait for will never be waited for."""
    if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
        for argument in inspect.getcoroutinelocals(work).values():
            _close_unbegun(argument)
        work.close()


def _task(loop: Any, work: Any, **options: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return task
