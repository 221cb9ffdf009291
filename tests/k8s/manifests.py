#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The manifests of drivers-cfg/k8s: each fits its schema (schemas.yaml), they fit each other, and the pod's
arguments and environment are what rill-echo reads. The image has what the programs are linked with.

usage: manifests.py SOURCE_ROOT RILL_ECHO
"""
import copy
import json
import os
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(f"skipped: {error}; tests/tools/packages.sh lists python3-jsonschema and python3-yaml")
    sys.exit(77)

# What rill-echo asks for with its defaults, and some room.
HUGEPAGES_LEAST = 600 << 20


def expect(condition, sentence):
    if not condition:
        sys.exit(f"FAILED: {sentence}")


class Schemas:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.all = yaml.safe_load(file)
        self.definitions = {**self.all["definitions"], **self.all["parts"]}

    def errors(self, name, thing):
        schema = self.all.get(name) or self.all["parts"].get(name)
        if schema is None:
            return [f"no schema for a {name}"]
        whole = {**schema, "definitions": self.definitions}
        found = jsonschema.Draft7Validator(whole).iter_errors(thing)
        return [f"{'/'.join(str(step) for step in one.path)}: {one.message}" for one in found]

    def check(self, name, thing, where):
        errors = self.errors(name, thing)
        expect(not errors, f"{where}: " + "; ".join(errors))


def load(folder):
    objects = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".yaml"):
            with open(f"{folder}/{name}", encoding="utf-8") as file:
                for one in yaml.safe_load_all(file):
                    objects[one["kind"]] = one
    return objects


def schemas_find_mistakes(schemas, pod):
    """A schema that finds nothing wrong is none."""
    for change in (lambda p: p["spec"].update(container=[]),
                   lambda p: p["spec"]["containers"][0].update(argss=["--x"]),
                   lambda p: p["spec"]["containers"][0]["resources"]["limits"].update(cpu=2),
                   lambda p: p["metadata"].update(name="Rill_Echo"),
                   lambda p: p["spec"].pop("containers")):
        wrong = copy.deepcopy(pod)
        change(wrong)
        expect(schemas.errors("Pod", wrong), "a wrong pod fits its schema")


def resource_of(plugin):
    one = plugin["resourceList"][0]
    return f"{one['resourcePrefix']}/{one['resourceName']}"


def fit_each_other(plugin, network, pod):
    """One resource, from the node's VFs to the variable that the device plugin sets."""
    resource = resource_of(plugin)
    expect(plugin["resourceList"][0]["selectors"]["drivers"] == ["vfio-pci"], "VFs of another driver")
    expect(network["metadata"]["annotations"]["k8s.v1.cni.cncf.io/resourceName"] == resource,
           "the network is not of the plugin's resource")
    expect(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"] == network["metadata"]["name"],
           "the pod asks for another network")
    container = pod["spec"]["containers"][0]
    expect(container["resources"]["limits"].get(resource) == "1", "the pod does not ask for a VF")
    variable = "PCIDEVICE_" + re.sub(r"[^A-Z0-9]", "_", resource.upper())
    expect(f"--dev=env:{variable}" in container["args"], f"rill-echo does not read {variable}")
    return variable


def is_guaranteed(pod):
    """Requests are limits, cores are whole: what the static CPU manager takes."""
    for container in pod["spec"]["containers"]:
        resources = container["resources"]
        expect(resources["requests"] == resources["limits"], "requests are not limits")
        expect(re.fullmatch(r"[1-9][0-9]*", resources["limits"]["cpu"]), "no whole cores")
        expect("memory" in resources["limits"], "no memory: the pod is not Guaranteed")
        number, unit = re.fullmatch(r"([0-9]+)(Mi|Gi)", resources["limits"]["hugepages-2Mi"]).groups()
        expect(int(number) << {"Mi": 20, "Gi": 30}[unit] >= HUGEPAGES_LEAST, "too few hugepages")
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]
                   if volume["emptyDir"]["medium"].startswith("HugePages")}
        expect(mounts == volumes, "the hugepages are not mounted")


def is_read(program, pod, variable):
    """rill-echo takes the arguments, and gets as far as the device, which this machine does not have."""
    container = pod["spec"]["containers"][0]
    env = {**os.environ, variable: "0000:ff:1f.7",
           **{one["name"]: one["value"] for one in container["env"]}}
    expect(container["command"] == ["rill-echo"], "another program")
    done = subprocess.run([program, *container["args"]], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30)
    print(done.stdout)
    expect(done.returncode == 2 and "0000:ff:1f.7: there is no PCI device" in done.stdout,
           f"rill-echo, status {done.returncode}: {done.stdout}")


def image_has_libraries(containerfile, program):
    """Packages of the last stage, with what they depend on, have every library that is not Rill's."""
    with open(containerfile, encoding="utf-8") as file:
        last = file.read().split("\nFROM ")[-1]
    named = re.search(r"--no-install-recommends ([^\\]+)", last).group(1).split()
    try:
        closure = subprocess.run(
            ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
             "--no-breaks", "--no-replaces", "--no-enhances", *named],
            stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        print("no apt-cache here: the image's packages are not looked at")
        return
    packages = {line.strip() for line in closure.split("\n") if line and not line.startswith(" ")}
    linked = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in re.findall(r"=> (/\S+)", linked):
        owner = subprocess.run(["dpkg", "-S", os.path.realpath(path)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True).stdout.split(":")[0]
        if owner and not owner.startswith(("libasan", "libubsan")):  # of a build with sanitizers
            expect(owner in packages, f"{path} is of {owner}, which the image does not have")
    expect(any(name.startswith("librte-mempool-ring") for name in packages), "no mempools in the image")


def main():
    root, program = sys.argv[1], sys.argv[2]
    folder = f"{root}/drivers-cfg/k8s"
    schemas = Schemas(os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemas.yaml"))
    objects = load(folder)
    for kind, one in objects.items():
        schemas.check(kind, one, kind)
    expect(set(objects) == {"ConfigMap", "NetworkAttachmentDefinition", "Pod"}, f"{set(objects)}")
    plugin = json.loads(objects["ConfigMap"]["data"]["config.json"])
    schemas.check("devicePlugin", plugin, "config.json")
    schemas.check("cni", json.loads(objects["NetworkAttachmentDefinition"]["spec"]["config"]), "config")
    schemas_find_mistakes(schemas, objects["Pod"])
    variable = fit_each_other(plugin, objects["NetworkAttachmentDefinition"], objects["Pod"])
    is_guaranteed(objects["Pod"])
    is_read(program, objects["Pod"], variable)
    image_has_libraries(f"{folder}/Containerfile", program)
    print(f"{len(objects)} objects fit")


main()
