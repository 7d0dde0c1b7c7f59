"""A broker that asks who is there and what he may do, and the rights (ACLs) of its users.

The suites themselves use its PLAINTEXT listener, where everybody is ANONYMOUS, a super user. Users come
by SASL (PLAIN or SCRAM-SHA-512, without TLS) or by TLS with a certificate; StandardAuthorizer lets them do
what an ACL allows and nothing else.
"""

import subprocess

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType,
                                   ResourceType, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion)

from kafka_client import admin, set_topic
from parts import Broker
from processes import HOST, PartError, free_port, fresh_dir, wait_until

USER, PASSWORD = "stoker", "a-word-of-its-own"
SETTINGS = {
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map":
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config":
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}";',
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
    "listener.name.ssl.ssl.client.auth": "required",
    "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
}


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise PartError(f"openssl {args[0]}: {done.stderr.strip()}")


class Certificates:
    """An authority, and who it vouches for: NAME.key and NAME.pem in a folder."""

    def __init__(self, name):
        self.dir = fresh_dir(name)
        self.authority = self.dir / "authority.pem"
        self._key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
        _openssl("req", "-x509", *self._key, "-subj", "/CN=authority",
                 "-keyout", self.dir / "authority.key", "-out", self.authority)

    def give(self, name):
        """(certificate, key) of one more subject."""
        key, certificate = self.dir / f"{name}.key", self.dir / f"{name}.pem"
        _openssl("req", "-x509", *self._key, "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{HOST}",
                 "-CA", self.authority, "-CAkey", self.dir / "authority.key",
                 "-keyout", key, "-out", certificate)
        return certificate, key


class SecuredBroker(Broker):
    """`bootstrap` is for the suites, `sasl` and `tls` are for users."""

    def __init__(self, version, name="kafka-secured"):
        port, controller, sasl, tls = (free_port() for _ in range(4))
        self.sasl, self.tls = f"{HOST}:{sasl}", f"{HOST}:{tls}"
        self.certificates = Certificates(f"{name}-certificates")
        certificate, key = self.certificates.give("broker")
        both = self.certificates.dir / "broker.both.pem"
        both.write_text(key.read_text() + certificate.read_text())
        outside = f"PLAINTEXT://{HOST}:{port},SASL_PLAINTEXT://{self.sasl},SSL://{self.tls}"
        super().__init__(version, name, {
            **SETTINGS, "listeners": f"{outside},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": outside, "ssl.keystore.location": both,
            "ssl.truststore.location": self.certificates.authority}, (port, controller))

    def set_scram_password(self, password):
        """What the user must know to come by SCRAM."""
        wanted = UserScramCredentialUpsertion(
            USER, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password.encode())
        client = admin(self.bootstrap)
        client.alter_user_scram_credentials([wanted])[USER].result(20)

    def set(self, topic, key, value):
        """One setting of a topic."""
        set_topic(self.bootstrap, topic, key, value)

    def allow(self, *rights):
        """Gives the user these rights, see read(), write() and the others."""
        client = admin(self.bootstrap)
        for future in client.create_acls([_binding(right) for right in rights]).values():
            future.result(20)
        wait_until("the rights given", lambda: set(rights) <= self._rights(client), 10)

    def deny(self, *rights):
        """Takes these rights away, each of which he must have."""
        client = admin(self.bootstrap)
        filters = [AclBindingFilter(*_fields(right)) for right in rights]
        for future in client.delete_acls(filters).values():
            if len(future.result(20)) != 1:
                raise PartError(f"of {rights} one was not there")
        wait_until("the rights taken", lambda: not set(rights) & self._rights(client), 10)

    @staticmethod
    def _rights(client):
        everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None,
                                      AclOperation.ANY, AclPermissionType.ANY)
        return {(a.restype, a.name, a.resource_pattern_type, a.operation)
                for a in client.describe_acls(everything).result(20)}


def read(topic):
    return ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, AclOperation.READ


def write(topic):
    return ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, AclOperation.WRITE


def describe_configs(topic):
    return ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, AclOperation.DESCRIBE_CONFIGS


def read_group(group):
    return ResourceType.GROUP, group, ResourcePatternType.LITERAL, AclOperation.READ


def read_groups(prefix):
    return ResourceType.GROUP, prefix, ResourcePatternType.PREFIXED, AclOperation.READ


def write_transactions(prefix):
    return ResourceType.TRANSACTIONAL_ID, prefix, ResourcePatternType.PREFIXED, AclOperation.WRITE


def _fields(right):
    kind, name, pattern, operation = right
    return kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW


def _binding(right):
    return AclBinding(*_fields(right))
