"""Which jars make a Kafka broker."""

from collections.abc import Callable
from pathlib import Path
from string import Template

from streams.local_kafka.maven import fetch_jars

KAFKA_VERSION = "4.3.0"
SUPPORTED_KAFKA_VERSIONS = ("3.9.2", KAFKA_VERSION)
"""The last of the line that upgrades go through, and the newest: what the tests hold the worker to."""

# Kafka depends on slf4j-api alone and would be silent; slf4j-simple writes its log to standard error.
_POM = Template("""\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>g9603</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$kafka_version</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
""")


def fetch_kafka_jars(version: str, *, cache_dir: Path, on_progress: Callable[[str], None]) -> Path:
    """The folder with the jars of Apache Kafka *version* (3.9 or newer), fetched on first use.

    Raises:
        MavenUnavailableError: Maven is not installed, or could not fetch.
    """
    pom = _POM.substitute(kafka_version=version)
    return fetch_jars(f"kafka-{version}", pom, cache_dir=cache_dir, on_progress=on_progress)
