#!/usr/bin/env bash
# The programs that tests and benchmarks talk to. As root on Debian they are installed; elsewhere what is missing is
# named, and the tests that need it skip with the reason.
set -euo pipefail

declare -A package=(
    [tshark]=tshark [tcpdump]=tcpdump [nginx]=nginx [dnsmasq]=dnsmasq [dot]=graphviz [ip]=iproute2
    [redis-server]=redis-server [nats-server]=nats-server [tmux]=tmux [node]=nodejs [npm]=npm [chromium]=chromium
    [h2load]=nghttp2-client
)
missing=()
for program in "${!package[@]}"; do
    command -v "$program" > /dev/null || [[ -x /usr/sbin/$program ]] || missing+=("${package[$program]}")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
if [[ $(id -u) -eq 0 ]] && command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # Their services must not start: the tests start what they need, on ports of their own.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
else
    echo "some tests will be skipped; to run them all, install: ${missing[*]}"
fi
