#!/usr/bin/env bash
# Builds the image of agent and collector with buildah, podman or docker, whichever is there.
#
#   IMAGE=tapper:0.1.0   its name           BASE=...   the image to build on; needs Python 3.11 or newer
#   ARCHIVE=x.tar        write it there too, to load into nodes (kind load image-archive, ctr images import)
#   PLATFORM=linux/arm64 for other nodes than this machine. Needs Rust's target (rustup target add
#                        aarch64-unknown-linux-gnu), a linker for it (gcc-aarch64-linux-gnu) and, to run the base's
#                        Python, qemu-user-static with binfmt. Images of several go into one name by
#                        `buildah manifest` or `docker manifest`.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-.venv/bin/python}
IMAGE=${IMAGE:-tapper:$("$PYTHON" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')}
BASE=${BASE:-docker.io/library/python:3.11-slim-bookworm}
work=build/image

for builder in buildah podman docker; do command -v "$builder" > /dev/null && break; builder=; done
[ -n "$builder" ] || { echo "image: needs buildah, podman or docker" >&2; exit 1; }

case $(uname -m) in
    x86_64) own=amd64 ;;
    aarch64 | arm64) own=arm64 ;;
    *) own=$(uname -m) ;;
esac
arch=${PLATFORM:-linux/$own}
arch=${arch#linux/}
case $arch in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "image: PLATFORM is one of linux/amd64, linux/arm64" >&2; exit 1 ;;
esac
wanted=() target=() platform=()
if [ "$arch" != "$own" ]; then
    # pip takes the names of platforms as they are, and wheels have many for "glibc, not newer than that of the base"
    for tag in 2014 _2_17 _2_24 _2_26 _2_27 _2_28; do wanted+=(--platform "manylinux${tag}_$machine"); done
    target=(--target "$machine-unknown-linux-gnu")
    platform=(--platform "linux/$arch")
    name=${machine}_unknown_linux_gnu
    export "CC_$name=$machine-linux-gnu-gcc" "CARGO_TARGET_${name^^}_LINKER=$machine-linux-gnu-gcc"
    command -v "$machine-linux-gnu-gcc" > /dev/null || { echo "image: needs $machine-linux-gnu-gcc" >&2; exit 1; }
fi

# What is installed: the packages of the lock file, and tapper itself. Fetched anew only where the lock changed.
mkdir -p "$work"
lock=$arch-$(sha256sum manifests/requirements.lock | cut -c-16)
if [ ! -e "$work/$lock" ]; then
    rm -rf "$work"
    mkdir -p "$work/wheels"
    "$PYTHON" -m pip download --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        "${wanted[@]}" --dest "$work/wheels" -r manifests/requirements.lock
    touch "$work/$lock"
fi
rm -f "$work"/wheels/tapper-*.whl
PATH="$(dirname "$PYTHON"):$PATH" "$PYTHON" -m maturin build --quiet --release --locked --strip \
    "${target[@]}" --out "$work/wheels"

build=(--tag "$IMAGE" "${platform[@]}" --build-arg "BASE=$BASE" --file manifests/Containerfile "$work")
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
