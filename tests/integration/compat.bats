#!/usr/bin/env bats
# docs/compat.md against what the program is made from.
load ../lib/common

DOC=$BATS_TEST_DIRNAME/../../docs/compat.md
SEEDS=$BATS_TEST_DIRNAME/../badinput/seeds

# The first cells of the table below the heading $1, one a line.
cells() {
	awk -v heading="## $1" '$0 == heading { on = 1; next } /^## / { on = 0 } on && /^\| `/ { split($0, c, "`"); print c[2] }' "$DOC" | sort
}

@test "every flag of the commands that the peers have stands in the table, and no other" {
	local own='^(up|down|attach|logs|wait|help|plan|doctor|stats|generate) '
	"$OAKUM" __generate flags | awk '$2 ~ /^--/ { print $1, $2 }' | grep -vE "$own" | sort >flags
	cells Flags >table
	is "$(uniq -d table)" ""
	diff -u flags table
}

@test "every member of config.json stands in the table, and every row is a member" {
	local path pattern found
	for f in "$SEEDS"/*.json; do
		jq -r 'paths(type != "object" and type != "array") | map(if type == "number" then "N" else . end) | "/" + join("/")' "$f"
		jq -r 'paths(. == {} or . == []) | map(if type == "number" then "N" else . end) | "/" + join("/")' "$f"
	done | sort -u >members
	[ "$(wc -l <members)" -gt 150 ]
	cells "Members of config.json" >table
	is "$(uniq -d table)" ""
	mapfile -t patterns <table
	declare -A used
	while read -r path; do
		found=
		for pattern in "${patterns[@]}"; do
			# shellcheck disable=SC2053
			if [[ $path == $pattern ]]; then
				found=yes
				used[$pattern]=yes
			fi
		done
		[ -n "$found" ] || { echo "docs/compat.md does not have $path"; return 1; }
	done <members
	for pattern in "${patterns[@]}"; do
		[ -n "${used[$pattern]-}" ] || { echo "no member is $pattern"; return 1; }
	done
}

# Every name that the help of a peer, $1, has in a line of the form $2 (in it, \1 is the name), in the words $3….
help_names() {
	local program=$1 form=$2
	shift 2
	"$program" "$@" | sed -nE "s/$form/\1/p" | sort -u
}

# same_help PEER COMMAND-FORM OPTION-FORM: the commands and the options of the installed PEER stand in our help, in its form.
same_help() {
	local peer commands options command
	# --criu was made to do nothing, and hidden, by runc itself.
	peer=$(command -v "$1") || skip "$1 is not installed"
	ln -s "$OAKUM" "$1"
	commands=$(help_names "$peer" "$2" --help)
	[ "$(wc -l <<<"$commands")" -ge 12 ]
	is "$(comm -23 - <(help_names "./$1" "$2" --help) <<<"$commands")" ""
	is "$(comm -23 <(help_names "$peer" "$3" --help | grep -v '^--criu') <(help_names "./$1" "$3" --help))" ""
	for command in $commands; do
		# help is none of runc's commands with options.
		[ "$command" != help ] || continue
		options=$(comm -23 <(help_names "$peer" "$3" "$command" --help) <(help_names "./$1" "$3" "$command" --help))
		is "$command: $options" "$command: "
	done
}

@test "as runc: all that runc's own help has stands in ours, in its form; --version too" {
	same_help runc '^   ([a-z]+)(, [a-z])?  +[a-zA-Z].*' '^   (--[a-z-]+( value)?(, -[a-z]( value)?)?)( .*)?$'
	ok ./runc --version
	is "$(sed -n 1,3p <<<"$output" | sed 's/ .*//')" $'runc\ncommit:\nspec:'
	prints "libseccomp: $(pkg-config --modversion libseccomp)"
	[[ $output != *+CAP* ]]
}

@test "as crun: all that crun's own help has stands in ours, in its form; --version too" {
	same_help crun '^\t([a-z]+) +- .*' '^ +((-[a-z], )?--[a-z-]+)([][= ].*)?$'
	ok ./crun --version
	is "$(sed -n 1,3p <<<"$output" | sed 's/ .*//')" $'crun\ncommit:\nspec:'
	prints $'\n+CAP '
}

@test "as runc or crun: the statuses are theirs" {
	ln -s "$OAKUM" runc
	ln -s "$OAKUM" crun
	sleeper
	ok oakum run -d -b "$B" "$C"
	for name in runc crun; do
		fails 1 "./$name" --root "$ROOT" run -b "$B" "$C"
		fails 1 "./$name" --root "$ROOT" state none
		# What is wrong before the command begins is 1 with exec, too; and 255 is the command's.
		fails 1 "./$name" --root "$ROOT" exec --bogus "$C" true
		fails 1 "./$name" --root "$ROOT" exec
		fails 255 "./$name" --root "$ROOT" exec none true
		fails 255 "./$name" --root "$ROOT" exec "$C" /nowhere
		fails 255 "./$name" --root "$ROOT" exec "$C" /etc/passwd
		rc=0
		"./$name" --root "$ROOT" exec "$C" sh -c 'exit 7' || rc=$?
		is $rc 7
		for program in /nowhere /etc/passwd; do
			bundle ".process.args = [\"$program\"]"
			fails 1 "./$name" --root "$ROOT" run -b "$B" "$C-2"
		done
	done
	ok oakum delete -f "$C"
}
