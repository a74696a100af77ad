# SPDX-License-Identifier: LGPL-2.1-or-later
# Tables of bad input: one case a line. A bats file loads it after common.
# shellcheck shell=bash

# cases [COMMAND [OPTION…]]: lines "STATUS | TEXT; TEXT… | JQ-FILTER #! SHELL" on stdin. Each is a bundle (SHELL is run
# in it), and `oakum COMMAND -b BUNDLE ID` (else: create) must end with STATUS and say each TEXT. When it has failed,
# nothing is left of it; with status 3 nothing has been done at all ("3+": only the container could tell).
cases() {
	local status texts filter n=0 bad=0 with=("$@")
	[ $# -gt 0 ] || with=(create)
	while IFS='|' read -r status texts filter; do
		n=$((n + 1))
		rm -rf "$B"
		bundle "$filter"
		[[ $filter != *'#!'* ]] || (cd "$B" && eval "${filter#*#!}") || { echo "cannot make$filter"; bad=1; }
		one_case "${status// /}" "$texts" "${with[@]}" -b "$B" "$C" || { echo "$reason:$filter: $(cat "$W/stderr")"; bad=1; }
		oakum delete --force "$C" </dev/null
	done
	[ $n -gt 0 ] && [ $bad = 0 ]
}

# commands [SHELL]: lines "STATUS | TEXT; TEXT… | ARG…" on stdin: the same of `oakum ARG…`, where ARG… is expanded by the
# shell, with the container as it is; SHELL is run in front of each.
commands() {
	local status texts args n=0 bad=0 before=${1-}
	while IFS='|' read -r status texts args; do
		n=$((n + 1))
		eval "$before" || { echo "cannot prepare$args"; bad=1; }
		eval "set -- $args"
		answers "${status// /}" "$texts" "$@" || { echo "$reason:$args: $(cat "$W/stderr")"; bad=1; }
	done
	[ $n -gt 0 ] && [ $bad = 0 ]
}

# answers STATUS TEXTS ARG…: does oakum with these arguments? Else $reason says why not. More than one line on stderr is
# for configurations alone.
answers() {
	local want=$1 texts=$2 text rc=0
	shift 2
	timeout 20 "$OAKUM" --root "$ROOT" "$@" </dev/null >"$W/stdout" 2>"$W/stderr" || rc=$?
	reason="status $rc, not $want"
	[ $rc = "$want" ] || return 1
	while read -r text; do
		reason="'$text' is not in the answer"
		[ -z "$text" ] || grep -qF -e "$text" "$W/stderr" || return 1
	done < <(tr ';' '\n' <<<"$texts" | sed 's/^ *//; s/ *$//')
	reason="not one line"
	[ $rc = 0 ] || [ $rc = 3 ] || [ "$(grep -vc '^oakum: warning: ' "$W/stderr")" = 1 ]
}

one_case() {
	local want=$1 texts=$2
	shift 2
	answers "${want%+}" "$texts" "$@" || return 1
	[ "$want" != 0 ] || return 0
	reason="something is left"
	[ ! -e "$ROOT/$C" ] && [ -z "$(cgroups_of "$C")" ] || return 1
	reason="something was done before it was refused"
	[ "$want" != 3 ] || [ -z "$(side_effects "$OAKUM" --root "$ROOT" "$@" | grep -v vfork)" ]
}
