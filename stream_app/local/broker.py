"""A real Kafka broker on this machine: one KRaft node, on the loopback interface only."""

from pathlib import Path
from typing import ClassVar

from stream_app.local.environment import cache_directory
from stream_app.local.java import Java, find_java
from stream_app.local.kafka_format import cluster_id, format_log_directory
from stream_app.local.kafka_jars import kafka_jars
from stream_app.local.kafka_probe import is_ready
from stream_app.local.ports import LOOPBACK
from stream_app.local.server import LocalServer

# Everything not named here is Kafka's default, as on a real cluster: above all message.max.bytes,
# which a topic that carries more must raise for itself, here as anywhere.
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=CLIENTS://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENTS://{host}:{port}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
log.dirs={directory}/log
auto.create.topics.enable=false
# One node: nothing is copied.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Groups form at once, and a dead member is missed after seconds if it asks for that.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After a kill the controller lets the node in again only when its last session has run out.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Small: two cores and 400 MB are shared with everything else.
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
"""

_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
"""


class LocalBroker(LocalServer):
    """A Kafka broker; the first one ever on a machine is downloaded.

    Attributes:
        java: what runs it; None before the first start.
    """

    name: ClassVar[str] = "Kafka"
    _port_count: ClassVar[int] = 2  # clients, controller
    _ready_timeout_seconds: ClassVar[float] = 120.0
    _stop_timeout_seconds: ClassVar[float] = 15.0
    java: Java | None = None
    _cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """The bootstrap server for Kafka clients, as `host:port`."""
        return self.address

    def _prepare(self) -> list[str]:
        self.java = find_java(bundled=self._bundled)
        jars = kafka_jars(cache_directory(), self._listener)
        self._tell("preparing")
        settings = self._write_settings()
        java_command = self._java_command(self.java, jars)
        log_directory = self.directory / "log"
        format_log_directory(log_directory, settings, java_command=java_command, jars=jars)
        self._cluster_id = cluster_id(log_directory)
        return [*java_command, "kafka.Kafka", str(settings)]

    def _is_ready(self, _pid: int) -> bool:
        return is_ready(self.port, self._cluster_id)

    def _write_settings(self) -> Path:
        port, controller_port = self._all_ports()
        values = {"host": LOOPBACK, "port": port, "controller_port": controller_port}
        settings = self.directory / "server.properties"
        settings.write_text(_SETTINGS.format(directory=self.directory, **values))
        return settings

    def _java_command(self, java: Java, jars: Path) -> list[str]:
        """How Java runs a class of Kafka's.

        Measured on two cores: with all compilers the broker answers after 2.1 s and 3.4 CPU
        seconds, with the first one only after 1.7 s and 2.1, and then moves as many records.
        """
        logging = self.directory / "log4j2.properties"
        logging.write_text(_LOGGING)
        temporary = self.directory / "tmp"  # Java unpacks native libraries there
        temporary.mkdir(exist_ok=True)
        return [
            str(java.path),
            *("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
            *("-Djava.net.preferIPv4Stack=true", f"-Djava.io.tmpdir={temporary}"),
            *(f"-Dlog4j2.configurationFile={logging}", "-cp", str(jars / "*")),
        ]
