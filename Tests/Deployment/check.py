#!/usr/bin/env python3
"""Checks that the files of Config/replicas agree with each other. `DeploymentFileTests` runs it, and checks each file
by its own schema.

usage: check.py FOLDER: also writes the gateways' configurations into the folder
"""

import re
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parents[2] / "Config" / "replicas"
problems = []


def expect(is_so, problem):
    if not is_so:
        problems.append(problem)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m)", str(text)).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def shutdown(configuration):
    """Returns the delay and the grace of a gateway's configuration."""
    return (seconds(configuration["shutdown"]["delay"]), seconds(configuration["shutdown"]["grace"]))


def check_compose(configuration, haproxy):
    compose = yaml.safe_load((HERE / "compose.yaml").read_text())
    gateways = {name: service for name, service in compose["services"].items() if name.startswith("gateway-")}
    delay, grace = shutdown(configuration)
    expect(len(gateways) == 2, "compose.yaml has two gateways")
    for name, service in gateways.items():
        expect(seconds(service["stop_grace_period"]) > delay + grace, f"{name} may take its shutdown's time")
        expect(service["environment"]["KLING_GATEWAY_MASTER_KEY"].startswith("${"), f"{name} gets the master key")
    volumes = [service["volumes"] for service in gateways.values()]
    expect(volumes[0] != volumes[1], "each gateway has a folder of its own")
    subnet = compose["networks"]["default"]["ipam"]["config"][0]["subnet"]
    expect(configuration["trusted_proxies"] == [subnet], "gateway.yaml trusts HAProxy's network and no other")

    port = configuration["admin"]["listen"].rpartition(":")[2]
    check = re.search(r"check port (\d+) inter (\d+)s fall (\d+)", haproxy)
    expect(check[1] == port, "HAProxy checks the port of gateway.yaml")
    expect(int(check[2]) * int(check[3]) < delay, "HAProxy notices a gateway that stops within its delay")
    for backend in ("writes", "reads"):
        section = re.search(rf"^backend {backend} .*\n((?:    .*\n)+)", haproxy, re.M)[1]
        servers = dict(re.findall(r"^ +server (\S+) (\S+)", section, re.M))
        expect(servers == {name: f"{name}:8080" for name in gateways}, f"the backend {backend} has every gateway")
    expect(seconds(re.search(r"timeout server (\S+)", haproxy)[1]) > 300, "HAProxy waits for an edit")


def check_kubernetes():
    """Checks the manifest, and returns the gateway's configuration in it as text."""
    documents = list(yaml.safe_load_all((HERE / "kubernetes.yaml").read_text()))
    objects = {document["kind"]: document for document in documents}
    template = objects["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    pod, container = template["spec"], template["spec"]["containers"][0]
    selectors = [objects[kind]["spec"]["selector"] for kind in ("Deployment", "PodDisruptionBudget")]
    for selector in [selector["matchLabels"] for selector in selectors] + [objects["Service"]["spec"]["selector"]]:
        expect(selector.items() <= labels.items(), f"a pod has the labels {selector}")
    for constraint in pod["topologySpreadConstraints"]:
        expect(constraint["labelSelector"]["matchLabels"].items() <= labels.items(), "a pod is spread by its labels")

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        expect(container[probe]["httpGet"]["port"] in ports, f"the port of the {probe} exists")
    expect(all(port["targetPort"] in ports for port in objects["Service"]["spec"]["ports"]), "the Service's port exists")
    volumes = {volume["name"] for volume in pod["volumes"]}
    expect({mount["name"] for mount in container["volumeMounts"]} == volumes, "every volume is mounted")

    text = objects["ConfigMap"]["data"]["config.yaml"]
    configuration = yaml.safe_load(text)
    delay, grace = shutdown(configuration)
    readiness = container["readinessProbe"]
    expect(pod["terminationGracePeriodSeconds"] > delay + grace, "a pod may take its shutdown's time")
    expect(readiness["periodSeconds"] * readiness["failureThreshold"] < delay, "a stopping pod is noticed in its delay")
    expect(configuration["admin"]["listen"].endswith(f":{ports['admin']}"), "the port admin is the gateway's")
    return text


def main():
    folder = Path(sys.argv[1])
    text = (HERE / "gateway.yaml").read_text()
    check_compose(yaml.safe_load(text), (HERE / "haproxy.cfg").read_text())
    (folder / "compose.yaml").write_text(text)
    (folder / "kubernetes.yaml").write_text(check_kubernetes())
    for problem in problems:
        print(f"this does not hold: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
