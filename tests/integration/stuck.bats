#!/usr/bin/env bats
# bats file_tags=root:cgroup
# Containers that somebody else has frozen, in whole or in part: every command comes to its end in time, and delete
# succeeds.
load ../lib/common

# A hang is a failure here, not the end of all tests.
oakum() { timeout 60 "$OAKUM" --root "$ROOT" "$@"; }

# within MILLISECONDS COMMAND…
within() {
	local most=$1 start=${EPOCHREALTIME/./} took
	shift
	"$@"
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $took -le "$most" ] || { echo "$took ms, more than $most, for: $*"; return 1; }
}

freezer() { if on_v2; then cgroup_dir "" "$@"; else cgroup_dir freezer "$@"; fi; }

# freeze DIRECTORY: by hand, as somebody else would.
freeze() {
	if on_v2; then
		echo 1 >"$1/cgroup.freeze"
		until_true grep -q 'frozen 1' "$1/cgroup.events"
	else
		echo FROZEN >"$1/freezer.state"
		until_true grep -q FROZEN "$1/freezer.state"
	fi
}

is_thawed() {
	if on_v2; then grep -q 'frozen 0' "$1/cgroup.events"; else grep -q THAWED "$1/freezer.state"; fi
}

# A container whose child is in a cgroup of its own making, frozen: $dir, $child.
frozen_child() {
	bundle '.process.args = ["sh", "-c", "sleep 1000 & wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 2
	child=$(oakum ps -f json "$C" </dev/null | jq "map(select(. != $(pid_of))) | .[0]")
	dir=$(freezer)/child
	mkdir "$dir"
	echo "$child" >"$dir/cgroup.procs"
	freeze "$dir"
}

@test "a frozen child cgroup: pause, resume, kill, delete" {
	frozen_child
	is "$(status_of)" running
	within 15000 ok oakum pause "$C"
	is "$(status_of)" paused
	within 15000 ok oakum resume "$C"
	is "$(status_of)" running
	# What the container froze itself stays so.
	if is_thawed "$dir"; then false; fi
	within 15000 ok oakum kill "$C" KILL
	within 15000 ok oakum delete "$C"

	frozen_child
	within 15000 ok oakum pause "$C"
	within 15000 ok oakum kill "$C" KILL
	within 15000 ok oakum delete "$C"

	for before in true "oakum pause $C"; do
		frozen_child
		ok $before
		within 15000 ok oakum delete --force "$C"
	done
}

@test "a container that somebody else has frozen: pause, exec, kill, delete" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	freeze "$(freezer)"
	is "$(status_of)" paused
	within 15000 fails 4 oakum pause "$C"
	says "already paused"
	within 15000 fails 255 oakum exec "$C" true
	says paused
	within 15000 ok oakum resume "$C"
	is "$(status_of)" running
	freeze "$(freezer)"
	within 15000 fails 4 oakum delete "$C"
	within 15000 ok oakum kill "$C" KILL
	within 15000 ok oakum delete "$C"

	ok oakum run -d -b "$B" "$C"
	freeze "$(freezer)"
	within 15000 ok oakum delete --force "$C"
}

# v1: who is frozen does not die, and a parent's freezing is not ours to take back.
@test "a parent cgroup that somebody has frozen: resume, kill and delete name it, a later delete succeeds" {
	local parent
	if on_v2; then skip "in v2 who is frozen dies of KILL"; fi
	sleeper ".linux.cgroupsPath = \"/above$C/$C\""
	ok oakum run -d -b "$B" "$C"
	parent=$(freezer)
	parent=${parent%/*}
	freeze "$parent"
	within 15000 fails 1 oakum resume "$C"
	says "a parent of it is frozen" "thaw that"
	within 15000 ok oakum kill "$C" KILL
	says "a parent of it is frozen, " "left: $(pid_of) (sh, "
	within 15000 fails 1 oakum delete --force "$C"
	says "a parent of it is frozen, " "thaw that parent, then delete again"
	echo THAWED >"$parent/freezer.state"
	within 15000 ok oakum delete --force "$C"
}

# A container that forks as fast as its limit lets it. Without a pids controller the limit is the user's own.
bomb() {
	# The machine is for others too.
	bundle '.process.args = ["inside", "bomb"] | .process.scheduler = {policy: "SCHED_OTHER", nice: 19}'
	if has_controller pids; then
		edit '.linux.resources.pids = {limit: 24}'
	else
		edit '.process.user = {uid: 4242, gid: 4242} | .process.rlimits = [{type: "RLIMIT_NPROC", soft: 24, hard: 24}]'
	fi
	[ -z "${1-}" ] || edit "$1"
	ok oakum run -d -b "$B" "$C"
	until_true at_limit
}

at_limit() {
	local dir
	dir=$(cgroup_dir pids)
	if [ -e "$dir/pids.events" ]; then ! grep -qx 'max 0' "$dir/pids.events"; else has_processes 20; fi
}

# Frozen by the kernel's word, and nobody is born or ends.
pause_bomb() {
	local before
	within 15000 ok oakum pause "$C"
	if is_thawed "$(freezer)"; then false; fi
	before=$(oakum ps -f json "$C" </dev/null)
	has_processes 12
	is "$(oakum ps -f json "$C" </dev/null)" "$before"
}

@test "a fork bomb at its limit: pause, resume, kill, delete, 20 rounds" {
	for namespace in . '.linux.namespaces |= map(select(.type != "pid"))'; do
		for all in "" --all; do
			bomb "$namespace"
			pause_bomb
			within 15000 ok oakum resume "$C"
			within 15000 ok oakum kill $all "$C" KILL
			within 15000 ok oakum delete "$C"

			bomb "$namespace"
			pause_bomb
			within 15000 ok oakum kill $all "$C" KILL
			within 15000 ok oakum delete "$C"

			bomb "$namespace"
			within 15000 ok oakum kill $all "$C" KILL
			within 15000 ok oakum delete "$C"

			bomb "$namespace"
			pause_bomb
			within 15000 ok oakum delete --force "$C"

			bomb "$namespace"
			within 15000 ok oakum delete --force "$C"
		done
	done
}

# serve [JQ-FILTER]: a bundle with a file system, /mute, whose server, $server, does not answer.
serve() {
	mkdir -p "$W/mute"
	"$LIB/stuck" "$W/mute" >"$W/serves" 3>&- &
	server=$!
	until_true grep -q ready "$W/serves" || skip "no FUSE in this kernel"
	bundle '.process.args = ["sh", "-c", "sleep 1000 & cat /mute/file & wait"]
		| .mounts += [{"destination": "/mute", "type": "bind", "source": "'"$W"'/mute", "options": ["rbind"]}]'
	[ -z "${1-}" ] || edit "$1"
}

mute() {
	serve "$@"
	ok oakum run -d -b "$B" "$C"
}

# A container with a process, $pid, whose request has been read, beside one that sleeps.
unanswered() {
	mute "$@"
	until_true waits_for_answer
}

waits_for_answer() {
	local p
	for p in $(oakum ps -f json "$C" </dev/null | jq '.[]'); do
		! grep -q request_wait_answer "/proc/$p/wchan" || { pid=$p; return 0; }
	done
	return 1
}

# As the administrator aborts the connection: whoever waits gets an error.
answer() {
	kill "$server"
	wait "$server" || :
	umount "$W/mute"
}

shared='.linux.namespaces |= map(select(.type != "pid"))'
only='.process.args = ["cat", "/mute/file"]'

@test "a file system that does not answer: pause names who waits for it, and nobody else" {
	unanswered
	within 20000 fails 1 oakum pause "$C"
	says "not frozen: $pid (cat, state D in request_wait_answer): "
	is "$(status_of)" running
	is_thawed "$(freezer)"
	answer
	within 15000 ok oakum pause "$C"
	within 15000 ok oakum delete --force "$C"
}

@test "a file system that does not answer: kill and delete name who waits for it, and a later delete succeeds" {
	for change in . "$shared" "$only"; do
		unanswered "$change"
		within 15000 ok oakum kill "$C" KILL
		says "warning: kill $C: sent: " "$pid (cat, state D in request_wait_answer)"
		within 15000 fails 1 oakum delete --wait=300ms "$C"
		says "1 process left: $pid (cat, state D in request_wait_answer)" "delete again"
		within 15000 ok oakum kill --all "$C" KILL
		says "$pid (cat, state D in request_wait_answer)"
		answer
		within 15000 ok oakum delete "$C"
		is "$(cgroups_of "$C")" ""

		unanswered "$change"
		within 20000 fails 1 oakum delete --force "$C"
		says "1 process left: $pid (cat, state D in request_wait_answer)"
		answer
		within 15000 ok oakum delete "$C"
	done
}

@test "a file system whose server has not read the request: who waits for it dies of KILL, but is not frozen" {
	for command in "kill $C KILL" "delete --force $C"; do
		mute '.process.args = ["sh", "-c", "until [ -e /go ]; do sleep 0.05; done; exec cat /mute/file"]'
		kill -STOP "$server"
		until_true grep -q '^State:.T' "/proc/$server/status"
		touch "$B/rootfs/go"
		until_true waits_for_answer
		if [ "$command" = "kill $C KILL" ]; then
			within 20000 fails 1 oakum pause "$C"
			says "not frozen: $pid (cat, state D in request_wait_answer): "
		fi
		within 15000 ok oakum $command
		is "$errors" ""
		until_true gone "$pid"
		within 15000 ok oakum delete --force "$C"
		kill -CONT "$server"
		answer
		rm "$B/rootfs/go"
	done
}

@test "a file system that does not answer while a container is made: up gives up in time and names it, and delete succeeds" {
	local timeout=1s
	serve '.mounts += [{"destination": "/mute/below", "type": "tmpfs", "source": "tmpfs"}]'
	# A manager takes its part of that time, and more of it in an emulated machine.
	[ "$OAKUM_ENCLOSED" != systemd ] || timeout=10s
	within 40000 fails 1 oakum up -d --timeout "$timeout" -b "$B" "$C"
	says ", state S in request_wait_answer): " "delete again"
	answer
	within 15000 ok oakum delete "$C"
	is "$(cgroups_of "$C")" ""

	# A source that an earlier mount brings: it is opened by a process of ours in the container.
	serve '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{destination: "/copy", type: "bind", source: "'"$B"'/rootfs/mute/file", options: ["bind", "idmap"]}]'
	within 40000 fails 1 oakum up -d --timeout 1s -b "$B" "$C"
	says "process of ours in the container" ", state S in request_wait_answer): " "/mounts/"
	answer
	until_true oakum delete --force "$C" </dev/null
	is "$(cgroups_of "$C")" ""
}

ended() { gone "$1" || grep -q '^State:.[ZX]' "/proc/$1/status"; }

# hold PID [exit]: a tracer, $tracer, that never waits for it. release: it ends.
hold() {
	rm -f "$W/hold" "$W/traced"
	mkfifo "$W/hold"
	"$LIB/inside" trace "$@" <"$W/hold" >"$W/traced" 2>&1 3>&- &
	tracer=$!
	exec 9>"$W/hold"
	until_true grep -qx ok "$W/traced"
}

release() {
	exec 9>&-
	wait "$tracer"
}

# A container of two processes: $init and its $child.
two() {
	bundle '.process.args = ["sh", "-c", "sleep 1000 & wait"]'
	[ -z "${1-}" ] || edit "$1"
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 2
	init=$(pid_of)
	child=$(oakum ps -f json "$C" </dev/null | jq "map(select(. != $init)) | .[0]")
}

@test "a tracer holds a dead child, which init waits for: kill and delete name both and the tracer, a later delete succeeds" {
	two
	hold "$child"
	within 15000 ok oakum kill "$C" KILL
	says "warning: kill $C: sent: " "process $init (sh, state S" "waits for $child (sleep, state Z, traced by $tracer (inside, state S))"
	within 15000 fails 1 oakum delete --wait=300ms "$C"
	says "$child (sleep, state Z, traced by $tracer (inside, state S))" "delete again"
	is "$(status_of)" running
	within 20000 fails 1 oakum delete --force "$C"
	says "process $init (sh, state S" "$child (sleep, state Z, traced by $tracer (inside, state S))"
	release
	within 15000 ok oakum delete "$C"
	is "$(cgroups_of "$C")" ""
	until_true gone "$init"
}

@test "a tracer holds who is dead and nobody waits for: only a number is left, and delete succeeds" {
	for change in . "$shared"; do
		for whom in init child; do
			[ "$change $whom" != ". child" ] || continue
			two "$change"
			hold "${!whom}"
			within 15000 ok oakum kill "$C" KILL
			is "$errors" ""
			until_true grep -q '^State:.Z' "/proc/${!whom}/status"
			within 15000 ok oakum delete "$C"
			is "$(cgroups_of "$C")" ""
			release
			until_true gone "${!whom}"
		done
	done
}

@test "a tracer holds who is about to end, which SIGKILL does not change: it is named, and a later delete succeeds" {
	for change in . "$shared"; do
		for whom in init child; do
			two "$change"
			hold "${!whom}" exit
			within 15000 ok oakum kill "$C" KILL
			says "warning: kill $C: sent: " ", state t in ptrace_stop, traced by $tracer (inside, state S))"
			within 15000 fails 1 oakum delete --force --wait=300ms "$C"
			says "1 process left: ${!whom} (" ", state t in ptrace_stop, traced by $tracer (inside, state S))"
			release
			# Its end begins only now.
			until_true ended "$init"
			within 15000 ok oakum delete "$C"
			is "$(cgroups_of "$C")" ""
		done
	done
}

@test "a tracer holds the dead init: down ends its supervisor in time" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	init=$(pid_of)
	hold "$init"
	within 40000 ok oakum down "$C"
	is "$(cgroups_of "$C")" ""
	release
	until_true gone "$init"
}

@test "a supervisor that is stopped: attach and wait end in time and name it" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	supervisor=$(jq ".supervisor[0]" "$ROOT/$C/state.json")
	kill -STOP "$supervisor"
	within 30000 fails 1 oakum attach "$C"
	says "no answer from the supervisor, process $supervisor (" ", state T" "SIGCONT"
	within 30000 fails 1 oakum wait "$C"
	says "no answer from the supervisor, process $supervisor ("
	kill -CONT "$supervisor"
	within 15000 ok oakum down "$C"
}
