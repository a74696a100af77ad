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
