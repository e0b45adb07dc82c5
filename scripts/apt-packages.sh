#!/bin/sh
# Installs from Debian what the kernel tests (test/kernel/) run: the real packet filters, a real memcached, real clients.
# Needs root. Does nothing where everything is there already.
set -eu

packages="nftables iptables conntrack iproute2 iputils-ping memcached python3 util-linux"

missing=""
for package in $packages; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086 # The list is meant to be split.
apt-get install --yes --quiet --no-install-recommends $missing
