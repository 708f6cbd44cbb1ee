"""Renews kafka_lock.py: asks Maven Central (through jgo) which jars make up a Kafka broker.

    python -m stream_app.local.kafka_resolve > lock.py && mv lock.py stream_app/local/kafka_lock.py

For maintainers, when the version of Kafka changes. Resolving takes three times as long as
downloading and its result never changes for one version, so it is kept: a newcomer's first start
is quicker, and what arrives is known byte for byte.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

BROKER = "org.apache.kafka:kafka_2.13:4.1.0"

# Without it the broker's log is empty. Kafka's own distribution adds it too, at the version of the
# log4j that it depends on. It is not resolved together with the broker: jgo would then let its
# managed versions win, and quietly pair the broker with the kafka-clients of another release.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"

_MODULE = '''"""The jars of a Kafka broker, to the byte. Written by kafka_resolve.py."""

KAFKA_VERSION = "{version}"

# Coordinates in Maven Central, size in bytes, SHA-256.
JARS = """
{jars}
"""
'''


def main() -> None:
    """Print the new kafka_lock.py."""
    with tempfile.TemporaryDirectory(prefix="stream-app-resolve-") as folder:
        context = MavenContext(repo_cache=Path(folder), resolver=PythonResolver())
        broker = context.create_dependency(BROKER)
        inputs, transitive = context.resolver.resolve([broker])
        runtime = [each for each in transitive if each.scope in {"compile", "runtime"}]
        entries = []
        for needed in [*inputs, *runtime, context.create_dependency(LOGGING)]:
            artifact = needed.artifact
            jar = artifact.resolve().read_bytes()
            coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            entries.append(f"{coordinates} {len(jar)}\n    {hashlib.sha256(jar).hexdigest()}")
    version = BROKER.rpartition(":")[2]
    sys.stdout.write(_MODULE.format(version=version, jars="\n".join(sorted(entries))))


if __name__ == "__main__":
    main()
