"""Several workers or people at once, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Barrier, Thread
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def begin(work: Callable[[], Result]) -> "Future[Result]":
    """Do it in a thread; what it raises is raised by `result()`."""
    future: Future[Result] = Future()

    def body() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        finally:
            connection.close()

    Thread(target=body, daemon=True).start()
    return future


def at_once(count: int, work: Callable[[int], Result]) -> list["Future[Result]"]:
    """Do it `count` times at the same moment; every one has ended when this returns."""
    barrier = Barrier(count)

    def wait_and_work(number: int) -> Result:
        barrier.wait(10)
        return work(number)

    futures = [begin(lambda number=number: wait_and_work(number)) for number in range(count)]  # type: ignore[misc]
    for future in futures:
        future.exception(timeout=60)
    return futures
