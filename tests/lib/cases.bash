# SPDX-License-Identifier: LGPL-2.1-or-later
# Tables of bad input: one case a line. A bats file loads it after common.
# shellcheck shell=bash

# cases [COMMAND [OPTION…]]: lines "STATUS | TEXT; TEXT… | JQ-FILTER #! SHELL" on stdin. Each is a bundle (SHELL is run
# in it), and `oakum COMMAND -b BUNDLE ID` (else: create) must end with STATUS and say each TEXT. When it has failed,
# nothing is left of it; with status 3 nothing has been done at all ("3+": only the container could tell).
cases() {
	local rows row status texts filter filters='' n=0 bad=0 with=("$@")
	[ $# -gt 0 ] || with=(create)
	mapfile -t rows
	for row in "${rows[@]}"; do
		IFS='|' read -r status texts filter <<<"$row"
		filters+="${filters:+, }(${filter%%'#!'*})"
	done
	# All of them by one jq.
	jq -n --seq --slurpfile base "$FIXTURE/base.json" "\$base[] | $filters" >"$W/configs" && mapfile -s 1 -t -d $'\x1e' configs <"$W/configs"
	is ${#configs[@]} ${#rows[@]}
	for row in "${rows[@]}"; do
		IFS='|' read -r status texts filter <<<"$row"
		status=${status// /}
		[ -e "$B" ] || bundle
		printf '%s' "${configs[n++]}" >"$B/config.json"
		[[ $filter != *'#!'* ]] || (cd "$B" && eval "${filter#*'#!'}") || { echo "cannot make$filter"; bad=1; }
		one_case "$status" "$texts" "${with[@]}" -b "$B" "$C" || { echo "$reason:$filter: $(cat "$W/stderr")"; bad=1; }
		oakum delete --force "$C" </dev/null
		# What was refused before anything was done has left the bundle as it was.
		[[ $status = 3 && $filter != *'#!'* ]] || rm -rf "$B"
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
# for configurations alone. $TRACING goes in front of the command.
answers() {
	local want=$1 texts=$2 text rc=0 said
	shift 2
	timeout 20 "${TRACING[@]}" "$OAKUM" --root "$ROOT" "$@" </dev/null >"$W/stdout" 2>"$W/stderr" || rc=$?
	reason="status $rc, not $want"
	[ $rc = "$want" ] || return 1
	said=$(<"$W/stderr")
	while read -r -d ';' text; do
		reason="'$text' is not in the answer"
		[[ $said = *"$text"* ]] || return 1
	done <<<"$texts;"
	reason="not one line"
	[ $rc = 0 ] || [ $rc = 3 ] || [ "$(grep -vc '^oakum: warning: ' "$W/stderr")" = 1 ]
}

one_case() {
	local want=$1 texts=$2 TRACING=()
	shift 2
	[ "$want" != 3 ] || tracing
	answers "${want%+}" "$texts" "$@" || return 1
	[ "$want" != 0 ] || return 0
	reason="something is left"
	[ ! -e "$ROOT/$C" ] && [ -z "$(cgroups_of "$C")" ] || return 1
	reason="something was done before it was refused"
	# systemd's helper is started early and ended again.
	[ "$want" != 3 ] || [ -z "$(effects_seen | grep -v -e vfork ${OAKUM_MANAGER:+-e ' clone(child_stack=NULL'})" ]
}
