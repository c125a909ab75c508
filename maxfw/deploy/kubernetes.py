"""Manifests for Kubernetes: for each model what keeps it running, reachable, and within its bounds."""

from __future__ import annotations

from typing import Any

from maxfw import __version__
from maxfw.deploy.compose import PORT, Deployment
from maxfw.deploy.described import Described
from maxfw.deploy.manifests import to_yaml

USER = 10001
"""The user of every image of ours."""

FEWEST, MOST = 2, 10
"""Replicas: two survive the loss of one."""


def kubernetes_manifests(models: list[Described], plan: Deployment) -> list[dict[str, Any]]:
    """Deployment, Service, autoscaler, disruption budget and network policy of each model, and the way in, if any."""
    found: list[dict[str, Any]] = []
    for model in models:
        found += [
            _deployment(model, plan),
            _service(model, plan),
            _autoscaler(model, plan),
            _disruption_budget(model, plan),
            _network_policy(model, plan),
        ]
    return [*found, _ingress(models, plan)] if plan.domain else found


def kubernetes_yaml(models: list[Described], plan: Deployment) -> str:
    """The manifests as one file for `kubectl apply -f`."""
    return to_yaml(*kubernetes_manifests(models, plan))


def _object(api: str, kind: str, model: Described, plan: Deployment, spec: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": model.name, "labels": _labels(model)}
    if plan.namespace:
        metadata["namespace"] = plan.namespace
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def _labels(model: Described) -> dict[str, str]:
    return {
        **_selector(model),
        "app.kubernetes.io/part-of": "maxfw",
        "app.kubernetes.io/version": __version__,
    }


def _selector(model: Described) -> dict[str, str]:
    return {"app.kubernetes.io/name": model.name}


def _deployment(model: Described, plan: Deployment) -> dict[str, Any]:
    scraped = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(PORT),
        "prometheus.io/path": "/metrics",
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _selector(model)},
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": plan.stop_s,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [spread],
        "containers": [_container(model, plan)],
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}],
    }
    # No `replicas`: the autoscaler decides, and applying this file again must not.
    spec = {
        "selector": {"matchLabels": _selector(model)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {"metadata": {"labels": _labels(model), "annotations": scraped}, "spec": pod},
    }
    return _object("apps/v1", "Deployment", model, plan, spec)


def _container(model: Described, plan: Deployment) -> dict[str, Any]:
    most = {"cpu": f"{round(plan.cpus * 1000)}m", "memory": f"{plan.memory_mb}Mi"}
    return {
        "name": model.name,
        "image": plan.image(model.name),
        "ports": [{"name": "http", "containerPort": PORT}],
        "env": [{"name": "MAXFW_GRACE_S", "value": f"{plan.grace_s:g}"}],
        "resources": {"requests": {**most, "cpu": f"{round(plan.cpus * 500)}m"}, "limits": most},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # Loading a large model may take ten minutes; only from then on is silence a sign of death.
        "startupProbe": {**_probe("/health/live"), "periodSeconds": 5, "failureThreshold": 120},
        "livenessProbe": {**_probe("/health/live"), "periodSeconds": 10, "failureThreshold": 3},
        "readinessProbe": {**_probe("/health/ready"), "periodSeconds": 5, "failureThreshold": 2},
        # Others go on sending for a moment after a pod is told to end; until they know, it goes on answering.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(plan.pause_s)]}}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 8}


def _service(model: Described, plan: Deployment) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": _selector(model), "ports": ports}
    return _object("v1", "Service", model, plan, spec)


def _autoscaler(model: Described, plan: Deployment) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": model.name}
    busy = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    spec = {"scaleTargetRef": target, "minReplicas": FEWEST, "maxReplicas": MOST, "metrics": [busy]}
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", model, plan, spec)


def _disruption_budget(model: Described, plan: Deployment) -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _selector(model)}}
    return _object("policy/v1", "PodDisruptionBudget", model, plan, spec)


def _network_policy(model: Described, plan: Deployment) -> dict[str, Any]:
    """Whoever may reach the namespace's pods reaches this one, on its one port; it reaches nobody."""
    spec = {
        "podSelector": {"matchLabels": _selector(model)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": [],
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", model, plan, spec)


def _ingress(models: list[Described], plan: Deployment) -> dict[str, Any]:
    """A host name for each model: `max-object-detector.models.example.org`; paths stay as they are."""
    rules = []
    for model in models:
        backend = {"service": {"name": model.name, "port": {"name": "http"}}}
        path = {"path": "/", "pathType": "Prefix", "backend": backend}
        rules.append({"host": f"{model.name}.{plan.domain}", "http": {"paths": [path]}})
    metadata: dict[str, Any] = {"name": "maxfw", "labels": {"app.kubernetes.io/part-of": "maxfw"}}
    if plan.namespace:
        metadata["namespace"] = plan.namespace
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"rules": rules},
    }
