#!/bin/sh
# Installs from Debian what tests run: the real packet filters, a real memcached and real clients (test/kernel/), pre-commit
# and git (test/repository/). Needs root. Does nothing where everything is there already.
set -eu

packages="nftables iptables ipset conntrack iproute2 iputils-ping memcached python3 util-linux pre-commit git"

missing=""
for package in $packages; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086 # The list is meant to be split.
apt-get install --yes --quiet --no-install-recommends $missing
