#!/usr/bin/env bash
# Holds the scripts in the present folder against their policies. Arguments go to `ctc golden`: golden.sh --format github
set -euo pipefail
# shellcheck source=ci/common.sh
. "$(dirname "$0")/common.sh"

ctc golden "$@" ${address_root[@]+"${address_root[@]}"}
