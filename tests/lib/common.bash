# SPDX-License-Identifier: LGPL-2.1-or-later
# What every bats file loads. Run by tests/lib/run-bats, inside tests/lib/enclosure.
#
# Around EVERY test stands the leak checker: setup takes what there is, teardown compares.
# In a test: $C is the container's id, $B its bundle, $ROOT the state root; `oakum …` is the program
# under test with that root, `ok …` must succeed and `fails STATUS …` must fail so, and both must keep
# to one line of words on stderr.
# shellcheck shell=bash disable=SC2034

: "${OAKUM:?path of the program under test}" "${LIB:?directory of leaks and inside}"
[ -n "${OAKUM_ENCLOSED-}" ] || { echo "the tests run inside tests/lib/enclosure (./check, tests/lib/run-bats)" >&2; exit 1; }
HERE=${BASH_SOURCE[0]%/*}
FIXTURE=/run/tmp/fixture
ROOT=/run/state/root
# What the leak checker looks at, and what it does not: paths where others come and go as they like.
WATCHED=("$ROOT" /run)
THEIRS=
[ "$OAKUM_ENCLOSED" != systemd ] || THEIRS="/run/log /run/systemd/journal"

setup() {
	untraced
	C=t${BATS_TEST_NUMBER}
	W=$(mktemp -d /run/tmp/test.XXXXXX)
	B=$W/bundle
	[ -d "$ROOT" ] || mkdir -m 700 "$ROOT"
	cd "$W" || return 1
	fixture
	leaks take >"$W.before"
}

# bats looks at where it is before every single command, which costs ten times what most of them do: here the line is
# looked up when one has failed. Where no command did (a test that returns), the test's first line stands for it.
untraced() {
	declare -F bats_debug_trap bats_error_trap >/dev/null || return 0
	trap - DEBUG
	BATS_DEBUG_LAST_STACK_TRACE=("${BASH_LINENO[2]} $BATS_TEST_NAME $BATS_TEST_FILENAME")
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
	trap 'BATS_ERROR_STATUS=$?; bats_debug_trap "$BASH_SOURCE"; bats_error_trap' ERR
}

# leaks take|check [FILE]
leaks() {
	local path options=()
	for path in "${WATCHED[@]}"; do options+=(-r "$path"); done
	# In tests/systemd/run's machine what is mounted below / is so below its root's other name as well.
	for path in ${THEIRS-}; do options+=(-x "$path" -x "/machine/overlay/root$path"); done
	"$LIB/leaks" "$1" "${options[@]}" "${@:2}"
}

teardown() {
	local rc=0
	if [ -n "${BATS_TEST_COMPLETED-}" ]; then
		# Of a helper that was killed, until systemd has done what it was asked for, 10 s at most.
		[ -z "${OAKUM_MANAGER-}" ] || within=20 until_true no_keepers || :
		leaks check "$W.before" >"$W.leaks" || {
			echo "left behind (+) or gone (-):"
			cat "$W.leaks"
			rc=1
		}
	fi
	if [ $rc != 0 ] || [ -z "${BATS_TEST_COMPLETED-}" ]; then
		clean_up
	fi
	cd /
	rm -rf --one-file-system "$W" "$W.before" "$W.leaks" "$W.now"
	return $rc
}

no_keepers() { ! grep -qsx oakum-scope /proc/[0-9]*/comm; }

# After a failed test: the next one starts from nothing.
clean_up() {
	local id p f
	for f in $(find /sys/fs/cgroup -depth -name freezer.state -exec grep -L THAWED {} + 2>/dev/null); do
		echo THAWED >"$f" || :
	done
	for id in "$ROOT"/*/; do
		id=${id%/}
		"$OAKUM" --root "$ROOT" delete --force "${id##*/}" </dev/null >/dev/null 2>&1 || :
	done
	# What was there before the test (bats' own) stays; this shell and its ancestors leaks leaves out.
	"$LIB/leaks" take >"$W.now"
	while read -r p; do
		kill -KILL "$p" 2>/dev/null || :
	done < <(awk '$1 != "process" { next } NR == FNR { had[$2] = 1; next } !($2 in had) { print $2 }' "$W.before" "$W.now")
	if [ "$OAKUM_ENCLOSED" = systemd ]; then
		systemctl stop '*oakum*.scope' 2>/dev/null || :
	else
		find /sys/fs/cgroup -mindepth 1 -depth -type d ! -path '*/init' -exec rmdir {} + 2>/dev/null || :
	fi
	rm -rf "$ROOT"
	mkdir -m 700 "$ROOT"
}

# One rootfs for all tests, hard-linked into each bundle, and the configurations that most begin with: jq takes ten
# times as long to start as the program under test.
fixture() {
	local base='.hostname = "test" | .root.readonly = false | .process.capabilities.ambient = []'
	[ ! -d "$FIXTURE" ] || return 0
	"$HERE/bundle" min "$FIXTURE.new"
	cp "$LIB/inside" "$FIXTURE.new/rootfs/bin/inside"
	jq "$base" "$FIXTURE.new/config.json" >"$FIXTURE.new/base.json"
	jq "$SLEEPS" "$FIXTURE.new/base.json" >"$FIXTURE.new/sleeper.json"
	mv "$FIXTURE.new" "$FIXTURE"
}

# bundle [JQ-FILTER [DIR [ARG…]]]: a fresh bundle in $B or DIR; the ARGs are $ARGS.positional in the filter.
bundle() {
	local filter=${1-} to=${2:-$B}
	mkdir -p "$to"
	[ -d "$to/rootfs" ] || cp -al "$FIXTURE/rootfs" "$to/rootfs"
	if [ -z "$filter" ]; then
		cp "$FIXTURE/base.json" "$to/config.json"
	else
		jq "$filter" --args -- "${@:3}" <"$FIXTURE/base.json" >"$to/config.json"
	fi
}

# A bundle that sleeps until it is told otherwise; sh is its init, so that TERM ends it at once.
SLEEPS='.process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1000 & wait $!; done"]'
sleeper() {
	if [ -n "${1-}" ]; then
		bundle "$SLEEPS | ($1)"
	else
		bundle
		cp "$FIXTURE/sleeper.json" "$B/config.json"
	fi
}

# in_container FILTER SCRIPT: run SCRIPT by sh in a container whose bundle FILTER has changed.
in_container() {
	bundle "$1"
	jq --arg s "$2" '.process.args = ["sh", "-c", $s]' "$B/config.json" >"$B/new"
	mv "$B/new" "$B/config.json"
	ok oakum run -b "$B" "$C"
}

edit() {
	local to=${2-$B}
	jq "$1" "$to/config.json" >"$to/config.new" && mv "$to/config.new" "$to/config.json"
}

# The program under test. stdin is never the caller's, stderr is kept for `said`.
oakum() {
	"$OAKUM" --root "$ROOT" "$@"
}

# ok COMMAND…: must succeed; stdout in $output, stderr in $errors.
ok() {
	local rc=0
	# Files, not pipes: a detached container would hold a pipe open.
	"$@" >"$W/stdout" 2>"$W/stderr" </dev/null || rc=$?
	output=$(<"$W/stdout") errors=$(<"$W/stderr")
	[ $rc = 0 ] || { echo "status $rc from: $*"; echo "$output"; echo "$errors"; return 1; }
}

# fails STATUS COMMAND…: must exit so, with exactly one line of words on stderr.
fails() {
	local want=$1 rc=0
	shift
	"$@" >"$W/stdout" 2>"$W/stderr" </dev/null || rc=$?
	output=$(<"$W/stdout") errors=$(<"$W/stderr")
	[ $rc = "$want" ] || { echo "status $rc, not $want, from: $*"; echo "$output"; echo "$errors"; return 1; }
	[ "$(wc -l <"$W/stderr")" = 1 ] || { echo "not one line on stderr from: $*"; echo "$errors"; return 1; }
}

# says TEXT…: stderr of the last ok/fails contains each text.
says() {
	local text
	for text; do
		case $errors in
		*"$text"*) ;;
		*) echo "stderr lacks '$text': $errors"; return 1 ;;
		esac
	done
}

# prints TEXT…: stdout contains each text.
prints() {
	local text
	for text; do
		case $output in
		*"$text"*) ;;
		*) echo "stdout lacks '$text': $output"; return 1 ;;
		esac
	done
}

is() {
	[ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }
}

status_of() {
	oakum state "${1-$C}" </dev/null | sed -n 's/^  "status": "\(.*\)",$/\1/p'
}

pid_of() {
	oakum state "${1-$C}" </dev/null | sed -n 's/^  "pid": \(.*\),$/\1/p'
}

# until_true COMMAND…: poll, for what another process brings about; for a minute, or the seconds of $within, which only
# bound a hang.
until_true() {
	local end=$((SECONDS + ${within:-60}))
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "not within time: $*"; return 1; }
		read -r -t 0.02 <> <(:) || :
	done
}

# catches SIGNAL PID: its handler stands. Until then the first process of a pid namespace takes no notice of one.
catches() { [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$2/status") >> ($(kill -l "$1") - 1) & 1)) = 1 ]; }

# Does this kernel have the controller, in whichever hierarchy; and AppArmor, switched on?
in_kernel() { grep -q "^$1.*1\$" /proc/cgroups; }
apparmor() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }
# The controller can be had: in v1, or in the v2 tree, of which a user's systemd has what it was given.
has_controller() {
	local own=/sys/fs/cgroup/user.slice/user-$EUID.slice/user@$EUID.service
	[ $EUID != 0 ] && [ -d "$own" ] || own=/sys/fs/cgroup
	! on_v2 || grep -qw "$1" "$own/cgroup.controllers"
}
need_controllers() {
	local name
	for name; do
		has_controller "$name" || skip "no $name controller for us in this machine's v2 hierarchy (tests/vm/run has all)"
	done
}
# may_be_unknown KILLS: systemd removes a scope's cgroup, and its count of OOM kills, maybe before anybody can look. That
# there were none is still to be seen, in v2, in the slice.
may_be_unknown() { [ "$OAKUM_ENCLOSED" = systemd ] && { ! on_v2 || [ "$1" != 0 ]; }; }
# For a test that id-maps a tmpfs.
maps_tmpfs() {
	[ "$(printf '6.3\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.3 ] || skip "a tmpfs cannot be id-mapped before Linux 6.3"
}

is_status() { [ "$(status_of "$2" 2>/dev/null)" = "$1" ]; }
gone() { [ ! -e "/proc/$1" ]; }
has_processes() { [ "$(oakum ps -f json "$C" </dev/null | jq length)" -ge "$1" ]; }

# Every cgroup directory of the container with this id.
cgroups_of() {
	find /sys/fs/cgroup -type d \( -name "$1" -o -name "*-$1.scope" \) 2>/dev/null
}

# The name of the container's own directory.
cgroup_name() { cgroups_of "${1-$C}" | sed -n '1s,.*/,,p'; }

# The enclosure's /dev lacks it.
make_fuse() { [ -c /dev/fuse ] || mknod /dev/fuse c 10 229; }

on_v2() { [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; }

# The directory of the container's cgroup that has this v1 controller, or its v2 one.
cgroup_dir() {
	local controller=$1 id=${2-$C} path
	path=$(cat "/proc/$(pid_of "$id")/cgroup")
	if on_v2; then
		awk -F: '$1 == 0 { print "/sys/fs/cgroup" $3 }' <<<"$path"
	else
		awk -F: -v c="$controller" 'index("," $2 ",", "," c ",") { print "/sys/fs/cgroup/" c $3 }' <<<"$path"
	fi
}

# strace prints which system calls a command made: for "no side effect before the bundle is good". The words to put in front
# of a command, what it has seen then, and both for a command whose answer is of no interest.
tracing() {
	TRACING=(strace -f -qq -o "$W/strace" -e
		trace=mkdir,mkdirat,clone,clone3,fork,vfork,mount,fsmount,move_mount,symlink,symlinkat,mknod,mknodat,link,linkat,rename,renameat,renameat2,unlink,unlinkat)
}
effects_seen() {
	grep -E '^[0-9]+ +[a-z0-9]+\(' "$W/strace" | grep -v -E 'fsmount|= -1 (ENOSYS|EEXIST)' || :
}
side_effects() {
	local TRACING
	tracing
	"${TRACING[@]}" "$@" </dev/null >/dev/null 2>&1 || :
	effects_seen
}

# doc NAME: the fenced block of $DOC (a page of docs/) below the line <!-- NAME -->, with oakum's own path in place
# of the one it is installed under.
doc() {
	local text
	text=$(awk -v mark="<!-- $1 -->" '
		$0 == mark { found = 1; next }
		found && /^```/ { if (inside) exit; inside = 1; next }
		inside' "$DOC")
	[ -n "$text" ] || { echo "$DOC has no block <!-- $1 -->" >&2; return 1; }
	printf '%s\n' "${text//\/usr\/local\/bin\/oakum/$OAKUM}"
}
