# SPDX-License-Identifier: LGPL-2.1-or-later
# What the bats files of real engines load, on top of tests/lib/common.bash. Run by tests/engines/run.
#
# A file has one engine for all its tests. It defines
#
#	NEEDS		the programs without which its tests are skipped, by name; and engine_lacks, if there is one,
#			prints why they are skipped
#	engine_first	if there is one: brings what stays, before the first look of the leak checker
#	engine_start	with `start NAME COMMAND…`; what it keeps goes below $E, or below /run at places of its own
#	engine_stop	with `stop NAME`; and what the engine leaves in /run is removed
#	engine_sweep	after a failed test: every container and task is removed
#
# The leak checker stands around every test, with the engine running, and around the whole file. What an
# engine itself leaves behind at a test is named in it: `theirs PATH…`. THEIRS lists the paths where it comes and
# goes as it likes while it runs.
# shellcheck shell=bash disable=SC2034,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.bash"

ENGINES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DOC=$ENGINES/../../docs/engines.md
# Everything of the file's engine: configuration, images, logs, pids.
E=/run/tmp/engine
WATCHED=(/run)
IMAGE=docker.io/library/box:1

# start NAME COMMAND…: a daemon, its output in $E/NAME.log. Its parent is gone at once, so that pid 1 reaps it.
start() {
	local name=$1
	shift
	("$@" >>"$E/$name.log" 2>&1 </dev/null 3>&- 4>&- & echo $! >"$E/$name.pid")
}

# stop NAME: ask it to end, and see to it.
stop() {
	local pid
	pid=$(<"$E/$1.pid")
	rm "$E/$1.pid"
	kill -TERM "$pid" 2>/dev/null || :
	until_true gone "$pid" || { kill -KILL "$pid"; return 1; }
}

setup_file() {
	local program
	export LACKS=
	for program in $NEEDS; do
		command -v "$program" >/dev/null || LACKS="$program is not installed"
	done
	[ -n "$LACKS" ] || ! declare -F engine_lacks >/dev/null || LACKS=$(engine_lacks)
	[ -z "$LACKS" ] || return 0
	mkdir -p "$E"
	fixture
	! declare -F engine_first >/dev/null || engine_first
	leaks take >/run/tmp/file.before
	engine_start || { tail -n 40 "$E"/*.log; return 1; }
}

teardown_file() {
	local rc=0
	[ -z "$LACKS" ] || return 0
	engine_stop || rc=1
	rm -rf --one-file-system "$E"
	leaks check /run/tmp/file.before || { echo "left behind (+) or gone (-) by the whole file"; rc=1; }
	return $rc
}

setup() {
	untraced
	[ -z "$LACKS" ] || skip "$LACKS"
	C=t${BATS_TEST_NUMBER}
	W=$(mktemp -d /run/tmp/test.XXXXXX)
	cd "$W" || return 1
	until_true one_clock
	until_true all_reaped
	leaks take >"$W.before"
}

# A kernel may have none; docker's daemon does not start with one then.
has_bridges() { ip link add oakum-try type bridge 2>/dev/null && ip link delete oakum-try; }
need_bridges() { has_bridges || skip "no bridges in this kernel"; }

# has_logged ENGINE WORD: the container has, as `ENGINE logs` tells.
has_logged() { "$1" logs "$C" | grep -q "$2"; }

# bats' own clock of this test is there, before it is looked at, and that of the test before has ended.
one_clock() {
	[ -n "${BATS_killer_pid-}" ] || return 0
	pgrep -x -P "$BATS_killer_pid" sleep >/dev/null || return 1
	pgrep -f bats-exec-test >"$W.clocks"
	! grep -vx -e $$ -e "$BATS_killer_pid" "$W.clocks" && [ "$(pgrep -cxf "sleep $BATS_TEST_TIMEOUT")" = 1 ]
}

all_reaped() { ! grep -q -s ') Z ' /proc/[0-9]*/stat; }

teardown() {
	local rc=0
	[ -z "$LACKS" ] || return 0
	if [ -n "${BATS_TEST_COMPLETED-}" ]; then
		leaks check "$W.before" >"$W.leaks" || {
			echo "left behind (+) or gone (-):"
			cat "$W.leaks"
			rc=1
		}
	fi
	if [ $rc != 0 ] || [ -z "${BATS_TEST_COMPLETED-}" ]; then
		echo "the engine's last words:"
		tail -n 8 "$E"/*.log | cut -c 1-400
		engine_sweep >/dev/null 2>&1 || :
	fi
	cd /
	rm -rf --one-file-system "$W" "$W".*
	return $rc
}

# gives STATUS COMMAND…: must exit so; stdout in $output, stderr in $errors.
gives() {
	local want=$1 rc=0
	shift
	"$@" >"$W/stdout" 2>"$W/stderr" </dev/null || rc=$?
	output=$(<"$W/stdout") errors=$(<"$W/stderr")
	[ $rc = "$want" ] || { echo "status $rc, not $want, from: $*"; echo "$output"; echo "$errors"; return 1; }
}

# anew PATTERN: what the leak checker took of lines with PATTERN is taken again: a daemon was started anew.
anew() {
	{
		grep -v -E "$1" "$W.before"
		leaks take | grep -E "$1"
	} >"$W.anew"
	mv "$W.anew" "$W.before"
}

# theirs PATH…: what the engine leaves behind by itself, whatever the runtime: taken away by name, and said.
theirs() {
	local path
	for path; do
		[ -e "$path" ] || [ -L "$path" ] || { echo "the engine does not leave $path"; return 1; }
		echo "# the engine leaves $(find "$path" | wc -l) inodes: $path" >&3
		rm -rf --one-file-system "$path"
	done
}

# image TAR [NAME [COMMAND…]]: the tests' root file system as an image, in the form of `docker save`.
image() {
	local tar=$1 name=${2:-$IMAGE} dir=$E/image layer
	shift $(($# > 1 ? 2 : 1))
	[ $# -gt 0 ] || set -- sh
	mkdir -p "$dir"
	tar -C "$FIXTURE/rootfs" --numeric-owner --owner 0 --group 0 -cf "$dir/layer.tar" .
	layer=$(sha256sum <"$dir/layer.tar")
	jq -n --arg layer "sha256:${layer%% *}" '{
		architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: [$layer]},
		config: {Env: ["PATH=/bin"], Cmd: $ARGS.positional}
	}' --args "$@" >"$dir/config.json"
	jq -n --arg name "$name" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$dir/manifest.json"
	tar -C "$dir" -cf "$tar" config.json layer.tar manifest.json
	rm -r "$dir"
}

# frozen PID: the kernel says that it is.
frozen() {
	if on_v2; then
		grep -q '^frozen 1$' "$(cgroup_of "$1" "")/cgroup.events"
	else
		grep -q '^FROZEN$' "$(cgroup_of "$1" freezer)/freezer.state"
	fi
}

# unit_has PID PROPERTY VALUE: so systemd says of the process's unit, where it is asked for one at all.
unit_has() {
	[ -z "${OAKUM_MANAGER-}" ] || is "$(systemctl show -P "$2" "$(basename "$(cgroup_of "$1" pids)")")" "$3"
}

# cgroup_of PID CONTROLLER: the directory of the process's cgroup that has the limits of CONTROLLER.
cgroup_of() {
	awk -F: -v c="$2" -v v2="$(on_v2 && echo 1)" '
		v2 && $1 == 0 { print "/sys/fs/cgroup" $3 }
		!v2 && $2 == c { print "/sys/fs/cgroup/" c $3 }' "/proc/$1/cgroup"
}
