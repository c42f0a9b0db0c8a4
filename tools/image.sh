#!/usr/bin/env bash
# Builds the image of agent and collector with buildah, podman or docker, whichever is there.
#
#   IMAGE=tapper:0.1.0   its name           BASE=...   the image to build on; needs Python 3.11 or newer
#   ARCHIVE=x.tar        write it there too, to load into nodes (kind load image-archive, ctr images import)
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-.venv/bin/python}
IMAGE=${IMAGE:-tapper:$("$PYTHON" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')}
BASE=${BASE:-docker.io/library/python:3.11-slim-bookworm}
work=build/image

for builder in buildah podman docker; do command -v "$builder" > /dev/null && break; builder=; done
[ -n "$builder" ] || { echo "image: needs buildah, podman or docker" >&2; exit 1; }

# What is installed: the packages of the lock file, and tapper itself. Fetched anew only where the lock changed.
mkdir -p "$work"
lock=$(sha256sum manifests/requirements.lock | cut -c-16)
if [ ! -e "$work/$lock" ]; then
    rm -rf "$work"
    mkdir -p "$work/wheels"
    "$PYTHON" -m pip download --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        --dest "$work/wheels" -r manifests/requirements.lock
    touch "$work/$lock"
fi
rm -f "$work"/wheels/tapper-*.whl
PATH="$(dirname "$PYTHON"):$PATH" "$PYTHON" -m maturin build --quiet --release --locked --strip --out "$work/wheels"

build=(--tag "$IMAGE" --build-arg "BASE=$BASE" --file manifests/Containerfile "$work")
case $builder in
    buildah) buildah build --quiet --layers --isolation chroot --network host --pull=missing "${build[@]}" ;;
    podman) podman build --quiet --network none --pull=missing "${build[@]}" ;;
    docker) docker build --quiet --network none "${build[@]}" ;;
esac > /dev/null
echo "$IMAGE"

[ -n "${ARCHIVE:-}" ] || exit 0
rm -f "$ARCHIVE"
case $builder in
    buildah) buildah push --quiet "$IMAGE" "docker-archive:$ARCHIVE:$IMAGE" ;;
    *) "$builder" save --output "$ARCHIVE" "$IMAGE" ;;
esac
