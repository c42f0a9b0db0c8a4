"""What to tap, in a person's words: pods by name or pattern, by label, of a workload, behind a service."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import re2

from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.kube.facts import Pod
    from tapper.kube.naming import ClusterNames

WORKLOADS = {
    "deployment": "Deployment",
    "deployments": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
    "sts": "StatefulSet",
    "daemonset": "DaemonSet",
    "daemonsets": "DaemonSet",
    "ds": "DaemonSet",
    "replicaset": "ReplicaSet",
    "replicasets": "ReplicaSet",
    "rs": "ReplicaSet",
    "job": "Job",
    "jobs": "Job",
    "cronjob": "CronJob",
    "cronjobs": "CronJob",
    "cj": "CronJob",
}
"""kubectl's words for what makes pods."""
SERVICES = ("service", "services", "svc")
PODS = ("pod", "pods", "po")

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_TERM = re.compile(
    r"\s*(?:!\s*(?P<absent>[^\s=!,()]+)|(?P<key>[^\s=!,()]+)\s*(?:(?P<equal>==?|!=)\s*(?P<value>[^\s=!,()]*)"
    r"|(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


class SelectionError(KubeError):
    """The words can't be understood."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a label selector: whether the label's value is in `values` (None: has any) is `wanted`."""

    key: str
    values: tuple[str, ...] | None
    wanted: bool

    def holds(self, labels: dict[str, str]) -> bool:
        """Whether labels are so; as in Kubernetes, `!=` and `notin` hold where there is no such label."""
        value = labels.get(self.key)
        return (value is not None and (self.values is None or value in self.values)) is self.wanted


def parse_labels(text: str) -> tuple[Term, ...]:
    """A label selector as kubectl takes it: `a=b,c!=d,e in (x, y),f,!g`.

    Raises:
        SelectionError: it is none.
    """
    terms: list[Term] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or found.end() == at:
            raise SelectionError(f"-l {text}: can't be read at {text[at:]!r}; such as -l app=orders,tier!=cache")
        at = found.end()
        if found["absent"]:
            terms.append(Term(found["absent"], None, False))
        elif found["set"]:
            values = tuple(value.strip() for value in found["values"].split(","))
            terms.append(Term(found["key"], values, found["set"] == "in"))
        elif found["equal"]:
            terms.append(Term(found["key"], (found["value"],), found["equal"] != "!="))
        else:
            terms.append(Term(found["key"], None, True))
    return tuple(terms)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that was read: a name of a pod or workload (`kind` empty), of a kind, or a pattern for names of pods."""

    kind: str
    """"pod", "service", or a workload's as the API has it."""
    name: str
    pattern: Any = None

    def fits(self, pod: Pod, cluster: ClusterNames) -> bool:
        if self.pattern is not None:
            return self.pattern.search(pod.name) is not None
        if self.kind == PODS[0]:
            return pod.name == self.name
        if self.kind == SERVICES[0]:
            service = cluster.service(pod.namespace, self.name)
            return service is not None and bool(service.selector) and service.selector.items() <= pod.labels.items()
        owner = cluster.workload(pod)
        if not self.kind:
            return self.name == pod.name or (owner is not None and self.name == owner.name)
        return any(o is not None and (o.kind, o.name) == (self.kind, self.name) for o in (pod.owner, owner))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which pods are tapped, now and as they come.

    A word is a pod's name or that of its deployment or other workload, `kind/name` as kubectl has it, or a regular
    expression (RE2) for names of pods. None: all pods.
    """

    words: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None
    """None: all."""
    labels: str = ""
    own: bool = False
    """Whether tapper's own pods are among them: to see whether tapping works."""
    _terms: tuple[Term, ...] = field(init=False, repr=False)
    _words: tuple[_Word, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_terms", parse_labels(self.labels))
        object.__setattr__(self, "_words", tuple(_parsed(word) for word in self.words))

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {name: getattr(self, name) for name in ("words", "namespaces", "labels", "own")}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Selection:
        """The opposite of `document`."""
        made: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in document.items()}
        return cls(**made)

    def pods(self, cluster: ClusterNames) -> list[Pod]:
        """Those of the cluster that are to be tapped, by namespace and name."""
        found = [pod for pod in cluster.pods() if self.has(pod, cluster)]
        return sorted(found, key=lambda pod: pod.key)

    def has(self, pod: Pod, cluster: ClusterNames) -> bool:
        """Whether a pod is to be tapped."""
        if pod.finished or (not self.own and _is_own(pod)):
            return False
        if self.namespaces is not None and pod.namespace not in self.namespaces:
            return False
        if not all(term.holds(pod.labels) for term in self._terms):
            return False
        return not self._words or any(word.fits(pod, cluster) for word in self._words)

    def goes_by(self, service: str) -> bool:
        """Whether it depends on services of this name which pods fit."""
        return any(word.kind == SERVICES[0] and word.name == service for word in self._words)

    def describe(self) -> str:
        """What it is, short: "shop/orders"."""
        where = "*" if self.namespaces is None else ",".join(self.namespaces)
        what = ",".join(self.words) or "*"
        return f"{where}/{what}" + (f" -l {self.labels}" if self.labels else "")

    def nothing(self, cluster: ClusterNames) -> str:
        """Why no pod fits, and what to do."""
        where = "any namespace" if self.namespaces is None else f"namespace {', '.join(self.namespaces)}"
        pods = [p for p in cluster.pods() if self.own or not _is_own(p)]
        inside = [p for p in pods if self.namespaces is None or p.namespace in self.namespaces]
        if not inside:
            return f"There are no pods in {where}. `-n NAMESPACE` looks in another, `-A` in all."
        if not self.words:
            return f"No pod in {where} has labels {self.labels}."
        said = " ".join(self.words)
        near = _near((w.rpartition("/")[2] for w in self.words), inside, cluster)
        hint = f" Near: {', '.join(near)}." if near else ""
        return f"No pod matches `{said}` in {where}.{hint}" + (
            "" if self.namespaces is None else " `-A` looks in all namespaces."
        )


def _parsed(word: str) -> _Word:
    kind, slash, name = word.partition("/")
    if not slash and _NAME.fullmatch(word):
        return _Word("", word)
    if not slash:
        try:
            return _Word("", word, re2.compile(word, _quiet()))
        except re2.error as error:
            raise SelectionError(f"{word!r} is no name and no regular expression: {_text(error)}") from error
    for group in (PODS, SERVICES):
        if kind.lower() in group:
            return _Word(group[0], name)
    if kind.lower() not in WORKLOADS:
        raise SelectionError(f"no kind {kind!r} to tap; such as pod/{name}, deploy/{name}, svc/{name}")
    return _Word(WORKLOADS[kind.lower()], name)


def _is_own(pod: Pod) -> bool:
    return pod.labels.get("app.kubernetes.io/managed-by") == "tapper"


def _near(words: Iterable[str], pods: list[Pod], cluster: ClusterNames) -> list[str]:
    shown: dict[str, str] = {}
    for pod in pods:
        shown.setdefault(pod.name, pod.name)
        if (owner := cluster.workload(pod)) is not None:
            shown.setdefault(owner.name, pod.name)
    found: list[str] = []
    for word in words:
        close = difflib.get_close_matches(word, list(shown), n=3, cutoff=0.6)
        close += [name for name in shown if word in name and name not in close][:3]
        found += [shown[name] for name in close if shown[name] not in found]
    return found[:5]


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


def _text(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode() if isinstance(told, bytes) else str(told)
