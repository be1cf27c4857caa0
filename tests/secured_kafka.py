"""A Kafka that lets nobody in without TLS and a name, and nobody do what no ACL allows.

Three doors: SASL over TLS (SCRAM-SHA-512 and OAUTHBEARER), mutual TLS, and the broker's own for its controller, mutual
TLS too. The administrator is a certificate. What is not allowed is denied.
"""

import json
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.asymmetric import rsa

from streams.local_kafka.kafka_jars import KAFKA_VERSION
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.loopback import broker_answers, free_ports
from streams.processing.access import Right
from tests.certificates import Authority, CertificateFiles
from tests.token_endpoint import CLIENT_ID, CLIENT_SECRET

_SCRAM_ITERATIONS = 4096
_ANSWER_SECONDS_MAX = 60
_AUDIENCE = "kafka"
_ISSUER = "tests"


class SecuredKafka(LocalKafka):
    """The broker, and its administrator.

    Args:
        folder: For certificates, keys and tokens.
        version: The Kafka to run.
    """

    def __init__(self, folder: Path, version: str = KAFKA_VERSION) -> None:
        self.authority = Authority(folder / "authority")
        self._folder_of_keys = folder
        (self._mutual_port,) = free_ports(1)
        self._broker = self.authority.issue("broker", "127.0.0.1")
        self._admin = self.authority.issue("admin")
        self._signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        keys = self._write_public_keys()
        super().__init__(
            version=version,
            more_properties=self._properties(keys),
            more_jvm_options=[
                # Kafka 4 reads keys from nowhere that was not allowed.
                f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}",
                # Each decision, with the rule that it rests on.
                "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug",
            ],
        )

    @property
    def mutual_bootstrap_servers(self) -> str:
        """Where clients connect that show a certificate."""
        return f"127.0.0.1:{self._mutual_port}"

    @property
    def is_answering(self) -> bool:
        """Whether a client with the administrator's certificate would be served now."""
        context = ssl.create_default_context(cafile=self.authority.ca_file)
        context.load_cert_chain(*self._admin)
        return broker_answers(self._mutual_port, tls=context)

    def stop(self) -> None:
        """Let the administrator go, who would look for the broker for ever, and shut down."""
        self.__dict__.pop("_administrator", None)
        super().stop()

    def as_administrator(self) -> dict[str, Any]:
        """The settings of who may do everything."""
        return self.by_certificate(self._admin)

    def by_certificate(self, files: CertificateFiles) -> dict[str, Any]:
        """The settings of who shows a certificate."""
        return {
            "bootstrap_servers": self.mutual_bootstrap_servers,
            "security_protocol": "SSL",
            "tls_ca_file": self.authority.ca_file,
            "tls_certificate_file": files.certificate,
            "tls_key_file": files.key,
        }

    def by_password(self, name: str, password: str) -> dict[str, Any]:
        """The settings of who has a password."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": "SASL_SSL",
            "tls_ca_file": self.authority.ca_file,
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": name,
            "sasl_password": password,
        }

    def by_token(self, token_file: Path) -> dict[str, Any]:
        """The settings of who has a token."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": "SASL_SSL",
            "tls_ca_file": self.authority.ca_file,
            "sasl_mechanism": "OAUTHBEARER",
            "oauth_token_file": token_file,
        }

    def by_endpoint(self, url: str) -> dict[str, Any]:
        """The settings of who gets tokens from the token endpoint of the tests."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": "SASL_SSL",
            "tls_ca_file": self.authority.ca_file,
            "sasl_mechanism": "OAUTHBEARER",
            "oauth_token_endpoint": url,
            "oauth_ca_file": self.authority.ca_file,
            "oauth_client_id": CLIENT_ID,
            "oauth_client_secret": CLIENT_SECRET,
        }

    def add_user(self, name: str, password: str) -> None:
        """Let *name* in by SCRAM-SHA-512; a user who is there gets a new password."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
        self._alter_user(UserScramCredentialUpsertion(name, info, password.encode()))

    def remove_user(self, name: str) -> None:
        """Let *name* in no more; connections that are open stay so."""
        self._alter_user(UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512))

    def token(self, name: str, *, valid_for: timedelta = timedelta(hours=1)) -> str:
        """What lets *name* in by OAUTHBEARER."""
        now = datetime.now(UTC)
        claims = {"sub": name, "iss": _ISSUER, "aud": _AUDIENCE, "iat": now - timedelta(days=1), "exp": now + valid_for}
        return jwt.encode(claims, self._signing_key, algorithm="RS256", headers={"kid": "tests"})

    def grant(self, name: str, rights: Iterable[Right]) -> None:
        """Allow *name* each of *rights*; true when this returns."""
        _await(self._administrator.create_acls([AclBinding(*_parts(name, right)) for right in rights]))

    def revoke(self, name: str, rights: Iterable[Right]) -> None:
        """Allow *name* none of *rights* any more."""
        _await(self._administrator.delete_acls([AclBindingFilter(*_parts(name, right)) for right in rights]))

    def _alter_user(self, alteration: UserScramCredentialAlteration) -> None:
        _await(self._administrator.alter_user_scram_credentials([alteration]))

    @cached_property
    def _administrator(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.mutual_bootstrap_servers,
                "security.protocol": "SSL",
                "ssl.ca.location": str(self.authority.ca_file),
                "ssl.certificate.location": str(self._admin.certificate),
                "ssl.key.location": str(self._admin.key),
            }
        )

    def _properties(self, keys: Path) -> dict[str, str]:
        doors = {"SASL": "$broker_port", "MUTUAL": str(self._mutual_port), "CONTROLLER": "$controller_port"}
        keystore = self._broker.certificate.read_bytes() + self._broker.key.read_bytes()
        store = self._folder_of_keys / "broker-keystore.pem"
        store.touch(mode=0o600)
        store.write_bytes(keystore)
        sasl = "listener.name.sasl"
        return {
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in doors.items()),
            "advertised.listeners": ",".join(
                f"{name}://127.0.0.1:{port}" for name, port in doors.items() if name != "CONTROLLER"
            ),
            "listener.security.protocol.map": "SASL:SASL_SSL,MUTUAL:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "MUTUAL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.ca_file),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+),.*$$/$$1/",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:broker;User:admin",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
            f"{sasl}.sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
            f"{sasl}.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            f"{sasl}.oauthbearer.sasl.jaas.config": (
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
            ),
            f"{sasl}.oauthbearer.sasl.server.callback.handler.class": (
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
            ),
            "sasl.oauthbearer.jwks.endpoint.url": keys.as_uri(),
            "sasl.oauthbearer.expected.audience": _AUDIENCE,
            "sasl.oauthbearer.expected.issuer": _ISSUER,
        }

    def _write_public_keys(self) -> Path:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._signing_key.public_key()))
        path = self._folder_of_keys / "keys.json"
        path.write_text(json.dumps({"keys": [{**public, "kid": "tests", "use": "sig", "alg": "RS256"}]}))
        return path


def _await(futures: dict[Any, Any]) -> None:
    for future in futures.values():
        future.result(_ANSWER_SECONDS_MAX)


def _parts(name: str, right: Right) -> tuple[Any, ...]:
    return (
        ResourceType[right.resource_type.name],
        right.name,
        ResourcePatternType[right.pattern_type.name],
        f"User:{name}",
        "*",
        AclOperation[right.operation.name],
        AclPermissionType.ALLOW,
    )
