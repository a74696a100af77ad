#!/usr/bin/env bats
# What is installed beside the program and written by it: the manual pages and what shells complete, in those shells.
load ../lib/common

# Nothing of it is to be found elsewhere.
BUILD=${OAKUM_SYSTEMD_HELPER%/*}

# Every command in sight; the flags of $1 in sight ("*": those before the command), one a line.
commands_shown() { "$OAKUM" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }' | sort; }
flags_shown() { "$OAKUM" __generate flags | awk -v c="$1" '$1 == c && $2 ~ /^--/ && !/hidden/ { print $2 }' | sort -u; }

# in_shell WORDS…: what bash offers behind these words, one a line.
in_bash() {
	bash --norc -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oakum; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$BUILD/oakum.bash" oakum "$@" | sed 's/[= ]*$//' | sort -u
}

# Where there is no fish to ask, what the file says to it.
in_fish() {
	local state='__fish_use_subcommand '
	[ $# = 1 ] || state="'__fish_seen_subcommand_from $1'"
	if ! command -v fish >/dev/null; then
		grep -F -- "-n $state" "$BUILD/oakum.fish" | sed -nE 's/.* -l ([a-z0-9-]+) .*/--\1/p; s/.* -a ([a-z]+) -d .*/\1/p' | sort -u
		return
	fi
	# shellcheck disable=SC2016
	HOME=$W fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$BUILD/oakum.fish" "oakum $*" | cut -f 1 | sort -u
}

# complete SHELL: all commands, and behind each of them all of its flags.
completes() {
	local command
	is "$(comm -23 <(commands_shown) <("in_$1" ""))" ""
	is "$(comm -23 <(flags_shown '*') <("in_$1" --))" ""
	[ "$(flags_shown exec | wc -l)" -gt 10 ] && [ "$(flags_shown '*' | wc -l)" -gt 8 ] && [ "$(commands_shown | wc -l)" -gt 20 ]
	while read -r command; do
		is "$command: $(comm -23 <(flags_shown "$command") <("in_$1" "$command" --))" "$command: "
	done < <(commands_shown)
}

@test "bash completes every command and flag, the containers and the words of a flag" {
	completes bash
	bundle
	ok oakum create -b "$B" "$C"
	is "$(PATH=$BUILD:$PATH in_bash --root "$ROOT" start "")" "$C"
	is "$(in_bash --log-format "")" $'json\ntext'
	ok oakum delete -f "$C"
}

@test "fish completes every command and flag" {
	completes fish
}

@test "zsh takes the file, and every command and flag stands in it" {
	local command
	! command -v zsh >/dev/null || ok zsh -f -n "$BUILD/_oakum"
	while read -r command; do
		grep -q "'$command:" "$BUILD/_oakum"
		is "$command: $(comm -23 <(flags_shown "$command") <(sed -n "/^	*$command)/,/;;/p" "$BUILD/_oakum" | grep -o -- '--[a-z0-9-]*' | sort -u))" "$command: "
	done < <(commands_shown)
}

@test "a manual page for every command has every flag of it, and is good troff" {
	local command page
	for command in "" $(commands_shown); do
		page=$BUILD/oakum${command:+-$command}.1
		[ -s "$page" ]
		is "$command: $(comm -23 <(flags_shown "${command:-*}") <(sed 's/\\-/-/g; s/\\f.//g' "$page" | grep -o -- '--[a-z0-9-]*' | sort -u))" "$command: "
		! command -v groff >/dev/null || is "$(groff -man -ww -z "$page" 2>&1)" ""
	done
	is "$(comm -3 <(commands_shown) <(sed -n '/^.SH COMMANDS/,/^.SH GLOBAL/s/^\\fB\([a-z]*\)\\fR.*/\1/p' "$BUILD/oakum.1" | sort))" ""
}

@test "the pages of docs/ for users are manual pages with every row and block of theirs" {
	local name page
	for name in annotations compat engines errors systemd; do
		page=$BUILD/oakum-$name.7
		is "$(grep -c '^\.TP' "$page")" "$(awk '/^\|[-| ]*$/ { getline; while (/^\|/) { n++; if (getline <= 0) break } } END { print n + 0 }' "$BATS_TEST_DIRNAME/../../docs/$name.md")"
		is "$(grep -c '^\.nf' "$page")" "$(grep -c '^\.fi' "$page")"
		! command -v groff >/dev/null || is "$(groff -k -man -ww -z -T utf8 "$page" 2>&1)" ""
		grep -q "^\.BR oakum\\\\-$name (7)" "$BUILD/oakum.1"
	done
	[ "$(grep -c '^\.TP' "$BUILD/oakum-compat.7")" -gt 200 ]
}

@test "docs/engines.md: each block but those of engines that are not here is what a test configures its engine with" {
	local doc=$BATS_TEST_DIRNAME/../../docs/engines.md name
	# A fence that has no name above it is a mistake; each name is read by a test.
	is "$(awk '/^## From the documentation/ { exit } /^```/ { if (!open && last !~ /^<!-- .* -->$/) print NR; open = !open } { last = $0 }' "$doc")" ""
	sed -n 's/^<!-- \(.*\) -->$/\1/p' "$doc" >names
	[ "$(wc -l <names)" -ge 7 ]
	while read -r name; do
		grep -qE "(doc|(docker|containerd)_config)( .*)? \"?$name\"?( |\$|\)|\")" "$BATS_TEST_DIRNAME"/../engines/*.ba* || { echo "no test reads $name"; return 1; }
	done <names
}
