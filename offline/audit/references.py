"""Image references: their parts, and what a name alone says about where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from offline.audit.listed import listed

# Docker Official Images (hub.docker.com/u/library), current and retired: a plain word that is one of them is an image.
OFFICIAL = listed(
    """
    adminer aerospike alpine alt almalinux amazoncorretto amazonlinux api-firewall arangodb archlinux backdrop
    bash bonita buildpack-deps busybox caddy cassandra centos chronograf cirros clearlinux clefos clickhouse
    clojure composer consul convertigo couchbase couchdb crate cratedb crux dart debian docker drupal
    eclipse-mosquitto eclipse-temurin eggdrop elasticsearch elixir emqx erlang express-gateway fedora flink
    fluentd fsharp gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch
    hola-mundo httpd hylang ibm-semeru-runtimes ibmjava influxdb irssi java jetty jobber joomla jruby julia
    kaazing-gateway kapacitor kibana known kong krakend lightstreamer liquibase logstash mageia mariadb matomo
    maven mediawiki memcached mongo mongo-express monica mono mysql nats nats-streaming neo4j neurodebian
    nextcloud nginx node notary nuxeo odoo open-liberty openjdk opensuse oraclelinux orientdb percona perl
    photon php php-zendserver phpmyadmin piwik plone postfixadmin postgres pypy python r-base rabbitmq
    rakudo-star redis redmine registry rethinkdb rockylinux ros ruby rust sapmachine scratch silverpeas sl solr
    sonarqube sourcemage spark spiped storm swarm swift swipl tarantool teamspeak telegraf thrift tomcat tomee
    traefik ubuntu unit ubuntu-debootstrap ubuntu-upstart unit varnish vault websphere-liberty wordpress xwiki
    yourls znc zookeeper
    """
)

# Registries that give their images to anybody, whoever owns them.
PUBLIC_HOSTS = listed(
    """
    docker.io index.docker.io registry-1.docker.io quay.io mcr.microsoft.com registry.k8s.io k8s.gcr.io
    public.ecr.aws nvcr.io docker.elastic.co registry.access.redhat.com registry.fedoraproject.org
    registry.opensuse.org registry.suse.com container-registry.oracle.com gcr.io us.gcr.io eu.gcr.io lscr.io
    cgr.dev registry.centos.org docker.n8n.io ghcr.io registry.gitlab.com docker.redpanda.com
    images.linuxcontainers.org dhi.io xpkg.upbound.io
    """
)
# Registries of accounts: an image there is as public as its owner made it.
ACCOUNT_HOSTS = frozenset({"ghcr.io", "registry.gitlab.com", "gcr.io", "us.gcr.io", "eu.gcr.io"})
_INSIDE = re.compile(
    r"^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[^.]+$|.*\.(?:local|internal|intranet|corp|lan|home|test|svc)$)"
)
_PLAIN_WORD = re.compile(r"^[A-Za-z0-9_.-]+$")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """host/repository:tag@digest; `host` is "" for Docker Hub."""

    host: str
    repository: str
    tag: str
    digest: str

    @property
    def official(self) -> bool:
        """An image of Docker's own library."""
        return not self.host and ("/" not in self.repository or self.repository.startswith("library/"))

    @property
    def basename(self) -> str:
        """The last part of the repository."""
        return self.repository.rsplit("/", 1)[-1]


def parse_reference(text: str) -> Reference:
    """Take a reference apart (distribution/reference grammar: a first part with `.`, `:` or `localhost` is a host)."""
    name, _, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    host = first if slash and ("." in first or ":" in first or first == "localhost") else ""
    path = rest if host else name
    repository, colon, tag = path.rpartition(":")
    if not colon:
        repository, tag = path, ""
    return Reference(host=host, repository=repository, tag=tag, digest=digest)


def is_plain_word(name: str) -> bool:
    """No tag, no path, no digest: it reads like the name of a stage."""
    return _PLAIN_WORD.match(name) is not None


def reach(reference: Reference) -> str:
    """`public`, `account` (public if its owner made it so), `inside` (a private network) or `unknown`."""
    host = reference.host.partition(":")[0]
    if not reference.host:
        return "public"
    if _INSIDE.match(host):
        return "inside"
    if host in ACCOUNT_HOSTS and not reference.repository.startswith(("distroless/", "google", "k8s-")):
        return "account"
    return "public" if host in PUBLIC_HOSTS or host.endswith((".docker.io", ".pkg.dev")) else "unknown"
