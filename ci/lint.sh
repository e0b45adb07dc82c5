#!/usr/bin/env bash
# Lints every policy of the repository in the present folder. Arguments go to `ctc lint`: lint.sh --format github
set -euo pipefail
# shellcheck source=ci/common.sh
. "$(dirname "$0")/common.sh"

list_policies
[ ${#policies[@]} -gt 0 ] || complain "there is no policy here: a policy is a file policy.yaml or NAME.policy.yaml"
ctc lint "$@" ${address_root[@]+"${address_root[@]}"} -- "${policies[@]}"
