#!/usr/bin/env bash
# Says what a change means for packets, policy by policy, as Markdown for reviewers.
#
#   diff.sh BASE FILE
#
# Compares the work tree with BASE. Where that is empty, it is what HEAD was merged into, if HEAD is a merge as GitHub
# checks it out for a pull request, or else CTC_BASE. FILE receives the text of a comment. Where GitHub asks for them, the
# step summary receives it too, and the outputs `changed` (whether any packet is treated differently) and `comment` (FILE).
# Fails where a policy cannot be compared, not where it differs.
set -euo pipefail
# shellcheck source=ci/common.sh
. "$(dirname "$0")/common.sh"

base=$1 comment=$2

# What services take: a comment on GitHub 65,536 characters, a step summary 1 MiB.
longest_comment=60000 longest_summary=1000000

finish() {
  if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'changed=%s\ncomment=%s\n' "$1" "$comment" >>"$GITHUB_OUTPUT"; fi
  exit "${2:-0}"
}

# The name of a commit, fetched where a shallow clone lacks it.
commit_of() {
  local name=$1
  if ! git rev-parse --verify --quiet --short --end-of-options "$name^{commit}" 2>/dev/null; then
    git fetch --quiet --no-tags --depth=1 origin -- "$name" >&2 || return 1
    git rev-parse --verify --quiet --short --end-of-options "$name^{commit}"
  fi
}

# A path as Markdown shows it, whatever characters are in it.
quoted() {
  local path=${1//\`/\'}
  printf '`%s`' "${path//[[:cntrl:]]/?}"
}

if [ -z "$base" ]; then
  parents=$(git cat-file commit HEAD | sed -n -e '/^$/q' -e 's/^parent //p')
  if [ "$(wc -l <<<"$parents")" -gt 1 ]; then base=${parents%%$'\n'*}; else base=${CTC_BASE:-}; fi
fi
# A push that makes a branch comes after forty zeros.
if [ -z "${base//0/}" ]; then
  echo "ctc: there is nothing to compare with" >&2
  : >"$comment"
  finish false
fi
base=$(commit_of "$base") || complain "cannot find the commit to compare with; check out with its history (fetch-depth: 0)"

# Where each policy was, by where it is; empty for those that have been told of.
declare -A old_paths=()
list_policies "$base"
for path in ${policies[@]+"${policies[@]}"}; do old_paths[$path]=$path; done
while IFS= read -r -d '' _ && IFS= read -r -d '' from && IFS= read -r -d '' to; do
  if [ -n "${old_paths[$from]:-}" ]; then
    old_paths[$to]=$from
    old_paths[$from]=""
  fi
done < <(git diff -z --name-status --find-renames --diff-filter=R "$base" --)
list_policies

full=$(mktemp) brief=$(mktemp) text=$(mktemp)
trap 'rm -f "$full" "$brief" "$text"' EXIT
changed=false status=0

# A paragraph for a policy, in the full and in the brief text.
say() { printf '%s\n\n' "$1" | tee -a "$brief" >>"$full"; }

for path in ${policies[@]+"${policies[@]}"}; do
  old=${old_paths[$path]:-}
  old_paths[$path]=""
  title="**$(quoted "$path")**"
  if [ -z "$old" ]; then
    changed=true
    say "$title is new: there is nothing to compare it with."
    continue
  fi
  # A policy means what it and its address files say, and those stand below one folder.
  folder=${CTC_ROOT:-$(dirname -- "$path")}
  if [ "$old" != "$path" ]; then
    title="$title, which was $(quoted "$old")"
  elif git diff --quiet "$base" -- ":(literal)$folder"; then
    continue
  fi

  outcome=0
  ctc diff --format markdown ${address_root[@]+"${address_root[@]}"} -- "$base:$old" "$path" >"$text" || outcome=$?
  if [ "$outcome" -eq 0 ]; then
    if ! git diff --quiet "$base" -- ":(literal)$path"; then say "$title: no packet is treated differently."; fi
  elif [ "$outcome" -eq 1 ] && [ -s "$text" ]; then
    changed=true
    printf '%s: packets are treated differently.\n\n' "$title" >>"$brief"
    if [ "$old" != "$path" ]; then printf '%s:\n\n' "$title" >>"$full"; fi
    cat "$text" - <<<"" >>"$full"
  else
    status=$outcome
    say "$title cannot be compared: the log of this job says why."
  fi
done
while IFS= read -r -d '' path; do
  changed=true
  say "**$(quoted "$path")** is removed."
done < <(
  for path in ${old_paths[@]+"${!old_paths[@]}"}; do
    if [ -n "${old_paths[$path]}" ]; then printf '%s\0' "$path"; fi
  done | sort -z
)

# $1: a limit in bytes. Prints all that there is to say, or, where it is longer, what is most needed.
within() {
  if [ "$(wc -c <"$full")" -le "$1" ]; then cat "$full"; else cat "$brief" && echo "$2"; fi
}
within "$longest_comment" "All of it is too long for a comment: see the summary of the job." >"$comment"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  within "$longest_summary" "All of it is too long to show: run \`ctc diff\`." >>"$GITHUB_STEP_SUMMARY"
fi
finish "$changed" "$status"
