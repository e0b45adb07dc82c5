#!/usr/bin/env bash
# All steps on GitLab: leaves ctc-quality.json (Code Quality), ctc-lint.xml and ctc-golden.xml (test reports) and
# ctc-diff.md (what the merge request means for packets) in the present folder, and fails where any step does.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=ci/common.sh
. "$here/common.sh"

lint=$(mktemp) golden=$(mktemp)
trap 'rm -f "$lint" "$golden"' EXIT

# Several of these fail for one reason; the first to fail decides the exit code.
status=0
step() { "$@" || status=$((status ? status : $?)); }

step "$here/lint.sh" --format gitlab >"$lint"
step "$here/golden.sh" --format gitlab >"$golden"
step "$here/lint.sh" --format junit >ctc-lint.xml
step "$here/golden.sh" --format junit >ctc-golden.xml
# People read the log.
step "$here/lint.sh"
step "$here/golden.sh"
if [ -n "${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}" ]; then
  step "$here/diff.sh" "$CI_MERGE_REQUEST_DIFF_BASE_SHA" ctc-diff.md
  cat ctc-diff.md
fi

# One report for both: GitLab takes one file. What both have found stands in it once.
"$node" -e '
  const { readFileSync } = require("node:fs");
  const reports = process.argv.slice(1).map((file) => readFileSync(file, "utf8") || "[]");
  const findings = new Map(reports.flatMap((text) => JSON.parse(text)).map((one) => [one.fingerprint, one]));
  console.log(JSON.stringify([...findings.values()], null, 2));
' "$lint" "$golden" >ctc-quality.json
exit "$status"
