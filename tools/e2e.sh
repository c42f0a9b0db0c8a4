#!/usr/bin/env bash
# Runs tests/e2e on a cluster that is made for them by a folder of scripts: `up` (prints the KUBECONFIG to export),
# `import ARCHIVE` (an image, onto its nodes) and `down`. With a cluster of your own: make image, load it into the
# nodes, and KUBECONFIG=... pytest tests/e2e.
#
#   TAPPER_CLUSTER=FOLDER   default: ../shared/cluster; where there is none, the tests are skipped
set -euo pipefail
cd "$(dirname "$0")/.."

cluster=${TAPPER_CLUSTER:-../shared/cluster}
[[ -x $cluster/up ]] || { echo "e2e: skipped, no scripts that make a cluster in $cluster (TAPPER_CLUSTER)"; exit 0; }
[[ $(id -u) = 0 ]] || { echo "e2e: skipped, to make a cluster needs root"; exit 0; }
cluster=$(cd "$cluster" && pwd)
export TAPPER_CLUSTER=$cluster  # to run commands on its nodes
export K8SLAB_NODES=${K8SLAB_NODES:-2}

work=$(mktemp -d)
trap 'rm -rf "$work"; "$cluster/down" > /dev/null 2>&1 || true' EXIT

# Nothing is said of what works; of what fails, all.
quietly() { "$@" > "$work/told" 2>&1 || { tail -n 100 "$work/told"; echo "e2e: failed: $*"; return 1; }; }

command -v buildah > /dev/null || {
    quietly apt-get update -qq
    quietly env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 buildah
}

up() { "$cluster/down" > /dev/null 2>&1 || true; quietly timeout 150 "$cluster/up"; }
up || { echo "e2e: once more"; up; }
KUBECONFIG=$(sed -n 's/^export KUBECONFIG=//p' "$work/told")
export KUBECONFIG

# The image is built on the base that the cluster's folder has, so that no registry is needed.
base=$cluster/dist/images/base.tar
[[ -f $base ]] || { tar -I zstd -C "$work" -xf "$cluster/bin.tar.zst" dist/images/base.tar; base=$work/dist/images/base.tar; }
quietly buildah pull --quiet "docker-archive:$base"
BASE=$(tail -n 1 "$work/told")
export BASE
rm -rf "$work/dist"
quietly env ARCHIVE="$work/tapper.tar" bash tools/image.sh
quietly "$cluster/import" "$work/tapper.tar"
rm "$work/tapper.tar"

nothing_left() {
    local left
    left=$(.venv/bin/tapper clean --dry-run) && [[ -z $left ]] || { echo "e2e: taps left in the cluster:"; echo "$left"; return 1; }
}
tests() { timeout 1500 .venv/bin/python -m pytest -q --durations 5 tests/e2e "$@"; }
{ tests -m "not alone" -n 3 --dist worksteal && tests -m alone && nothing_left; } || {
    status=$?
    echo "e2e: failed; the cluster's pods, last events, and words of its nodes:"
    kubectl=$(command -v kubectl || echo "$(dirname "$KUBECONFIG")/dist/kubectl")
    "$kubectl" get pods -A -o wide || true
    "$kubectl" get events -A --sort-by=.lastTimestamp | tail -n 40 || true
    tail -n 15 "$(dirname "$KUBECONFIG")"/node*/log/* || true
    exit "$status"
}
