# shellcheck shell=bash
# What the steps of this folder share; to be sourced. Sets `ctc` and `policy_files`.

ctc_home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Paths of policies: an extended regular expression, the same as in .pre-commit-hooks.yaml.
policy_files=${CTC_FILES:-'(^|/)([^/]+\.)?policy\.ya?ml$'}

complain() {
  # The only text of ours that a CI service takes for a command; nothing of the repository stands in it.
  if [ "${GITHUB_ACTIONS:-}" = true ]; then printf '::error title=ctc::%s\n' "$1"; fi
  printf 'ctc: %s\n' "$1" >&2
  exit 2
}

command -v git >/dev/null || complain "git is missing; install it in a step before this one"

# The first Node that is new enough: the one on the PATH, else one that GitHub's machines keep ready.
node_for_ctc() {
  local node
  for node in "$(command -v node || true)" "${RUNNER_TOOL_CACHE:-/nonexistent}"/node/*/*/bin/node; do
    [ -x "$node" ] || continue
    if "$node" "$ctc_home/dist/ctc.mjs" --version >/dev/null 2>&1; then
      printf '%s\n' "$node"
      return
    fi
  done
}
node=$(node_for_ctc)
[ -n "$node" ] || complain "needs Node.js 22.12 or newer, and there is none here; install it in a step before this one (actions/setup-node on GitHub, image: node:24 on GitLab)"

ctc() { "$node" "$ctc_home/dist/ctc.mjs" "$@"; }

# Address files may stand below this folder; without it, in the folder of their policy.
address_root=()
if [ -n "${CTC_ROOT:-}" ]; then address_root=(--root "$CTC_ROOT"); fi

# Reads the policies of a revision (of the work tree without one) into the array `policies`.
list_policies() {
  policies=()
  local path
  while IFS= read -r -d '' path; do
    policies+=("$path")
  done < <(
    if [ $# -gt 0 ]; then git ls-tree -r -z --name-only "$1"; else git ls-files -z; fi |
      { grep -z -E -e "$policy_files" || true; }
  )
}
