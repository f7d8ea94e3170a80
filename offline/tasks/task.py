"""What all tasks share: expected failures become one message and an exit code, and flags become a configuration."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from offline.console import Console
from offline.errors import INTERRUPTED, FailedError, OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from offline.config.load import Config

SOURCE_HELP = {
    "source": "the application's checkout; without it ../xiaozhi-esp32-server, else examples/mini",
    "config": "the release.yml to read; without it the source's own, else the kit's",
}
BUILD_HELP = SOURCE_HELP | {
    "strategy": "offline (plan A) or two-stage (plan B)",
    "mode": "the widest mode the bundle can serve, such as all or single",
}
_DISK_HINT = "see to that (space? owner? mode?), then run the same command again; nothing half-written was left"


SINCE_HELP = {
    "since": "leave out what that release has, by id, bundle or result file; several times: what all of them have"
}
PART_SIZE_HELP = {
    "part-size": "cut the bundle into files of that size (3900M fits FAT32); join.sh beside them unpacks them"
}


class OfflineTask(Task):  # type: ignore[type-arg]
    """A task whose expected failures end in a message and a documented exit code, never in a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body; SIGTERM stops it as Ctrl-C does, so that nothing stays half-written.

        A script's background job ignores Ctrl-C; docker does not even then, and a build that it stopped would look
        failed. So neither do we.
        """
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return super().__call__(*args, **kwargs)
        except OfflineError as error:
            Console().error(str(error))
            raise Exit(code=error.exit_code) from None
        except BrokenPipeError:
            # The reader of our output has gone (`| head`): nobody is left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise Exit(code=1) from None
        except OSError as error:
            # A folder that may not be written, a full disk: what was being written is gone, what was there stays.
            Console().error(
                str(FailedError(f"{error.filename or 'a file'}: {error.strerror or error}", hint=_DISK_HINT))
            )
            raise Exit(code=FailedError.exit_code) from None
        except KeyboardInterrupt:
            Console().error("interrupted; nothing half-written was left")
            raise Exit(code=INTERRUPTED) from None


def task(**options: Any) -> Callable[[Callable[..., None]], OfflineTask]:
    """The kit's `@task`: Invoke's, with the class above. Options as Invoke takes them."""
    decorator: Callable[[Callable[..., None]], OfflineTask] = invoke_task(klass=OfflineTask, **options)
    return decorator


def load_config(config: str | None, **flags: str | None) -> Config:
    """The configuration for a task's flags."""
    from offline.config.load import load

    return load(environ=os.environ, flags={name: value for name, value in flags.items() if value}, config=config)
