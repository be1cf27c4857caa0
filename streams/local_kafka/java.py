"""Finds a Java that is new enough."""

import re
import shutil
import subprocess

JAVA_VERSION_MIN = 17
"""What a Kafka 4 broker needs: KIP-1013 (cwiki.apache.org, page 284789510)."""

_ANSWER_SECONDS_MAX = 30


class JavaUnavailableError(Exception):
    """There is no Java, or only an old one; the message says what to do."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"A local Kafka needs Java {JAVA_VERSION_MIN} or newer, and {found}: install one (a package such "
            "as `default-jre-headless`), or set G9603_BOOTSTRAP_SERVERS to a Kafka that is running."
        )


def find_java(command: str = "java") -> str:
    """The path of the Java that *command* names.

    Raises:
        JavaUnavailableError: There is none, or it is older than `JAVA_VERSION_MIN`.
    """
    path = shutil.which(command)
    if path is None:
        found = f"there is no `{command}` on the PATH"
        raise JavaUnavailableError(found)
    answer = subprocess.run(  # noqa: S603 - the caller names the Java to use
        [path, "-version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_ANSWER_SECONDS_MAX,
        check=False,
    )
    # 'openjdk version "17.0.15" 2025-04-15'; before Java 9 the first number was a 1, as in "1.8.0_392".
    version = re.search(r'version "(\d+)', answer.stdout)
    if version is None:
        found = f"`{path} -version` does not say what it is"
        raise JavaUnavailableError(found)
    if int(version[1]) < JAVA_VERSION_MIN:
        found = f"`{path}` is older"
        raise JavaUnavailableError(found)
    return path
