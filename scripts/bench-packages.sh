#!/bin/sh
# Installs from Debian what the benchmarks run beside what the tests do: a compiler for the load generator of
# `npm run bench:conntrack`, and the programs that `npm run bench` compares ctc with. Needs root. None of them is started,
# now or at boot.
set -eu

"$(dirname "$0")/apt-packages.sh"

packages="gcc libc6-dev ferm shorewall firehol"

missing=""
for package in $packages; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

# ferm alone would load a firewall of its own as soon as it is installed.
echo "ferm ferm/enable boolean false" | debconf-set-selections
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086 # The list is meant to be split.
apt-get install --yes --quiet --no-install-recommends $missing
