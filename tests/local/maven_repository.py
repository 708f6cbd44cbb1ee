"""A small Maven repository on the loopback interface, whose files and manners tests decide."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_PATIENCE_SECONDS = 20


class MavenRepository:
    """Serves jars; counts what was asked for; can stop in the middle of every jar."""

    def __init__(self, jars: dict[str, bytes]) -> None:
        self.jars = jars  # by coordinates
        self.requested: list[str] = []
        self.half_sent = threading.Event()
        self.may_finish = threading.Event()
        self.may_finish.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/maven2"

    @property
    def lock(self) -> str:
        """What kafka_lock.py would say of its jars."""
        return "\n".join(
            f"{coordinates} {len(jar)} {hashlib.sha256(jar).hexdigest()}"
            for coordinates, jar in self.jars.items()
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_finish.set()
        self._server.shutdown()
        self._server.server_close()

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        repository = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                filename = self.path.rpartition("/")[2]
                jar = repository._named(filename)
                if jar is None:
                    self.send_error(404)
                    return
                repository.requested.append(filename)
                self.send_response(200)
                self.send_header("Content-Length", str(len(jar)))
                self.end_headers()
                self.wfile.write(jar[: len(jar) // 2])
                self.wfile.flush()
                repository.half_sent.set()
                repository.may_finish.wait(_PATIENCE_SECONDS)
                self.wfile.write(jar[len(jar) // 2 :])

            def log_message(self, *_: object) -> None:
                pass

        return Answer

    def _named(self, filename: str) -> bytes | None:
        for coordinates, jar in self.jars.items():
            _group, artifact, version = coordinates.split(":")
            if filename == f"{artifact}-{version}.jar":
                return jar
        return None
