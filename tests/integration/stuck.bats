#!/usr/bin/env bats
# bats file_tags=root:cgroup
# Containers that somebody else has frozen, in whole or in part: every command comes to its end in time, and delete
# succeeds.
load ../lib/common

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
		until_true 5 grep -q 'frozen 1' "$1/cgroup.events"
	else
		echo FROZEN >"$1/freezer.state"
		until_true 5 grep -q FROZEN "$1/freezer.state"
	fi
}


is_thawed() {
	if on_v2; then grep -q 'frozen 0' "$1/cgroup.events"; else grep -q THAWED "$1/freezer.state"; fi
}

# A container whose child is in a cgroup of its own making, frozen: $dir, $child.
frozen_child() {
	bundle '.process.args = ["sh", "-c", "sleep 1000 & wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true 5 has_processes 2
	child=$(oakum ps -f json "$C" </dev/null | jq "map(select(. != $(pid_of))) | .[0]")
	dir=$(freezer)/child
	mkdir "$dir"
	echo "$child" >"$dir/cgroup.procs"
	freeze "$dir"
}

@test "a frozen child cgroup: pause, resume, kill, delete" {
	frozen_child
	is "$(status_of)" running
	within 3000 ok oakum pause "$C"
	is "$(status_of)" paused
	within 3000 ok oakum resume "$C"
	is "$(status_of)" running
	# What the container froze itself stays so.
	if is_thawed "$dir"; then false; fi
	within 3000 ok oakum kill "$C" KILL
	within 3000 ok oakum delete "$C"

	frozen_child
	within 3000 ok oakum pause "$C"
	within 3000 ok oakum kill "$C" KILL
	within 3000 ok oakum delete "$C"

	for before in true "oakum pause $C"; do
		frozen_child
		ok $before
		within 3000 ok oakum delete --force "$C"
	done
}

@test "a container that somebody else has frozen: pause, exec, kill, delete" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	freeze "$(freezer)"
	is "$(status_of)" paused
	within 3000 fails 4 oakum pause "$C"
	says "already paused"
	within 3000 fails 255 oakum exec "$C" true
	says paused
	within 3000 ok oakum resume "$C"
	is "$(status_of)" running
	freeze "$(freezer)"
	within 3000 fails 4 oakum delete "$C"
	within 3000 ok oakum kill "$C" KILL
	within 3000 ok oakum delete "$C"

	ok oakum run -d -b "$B" "$C"
	freeze "$(freezer)"
	within 3000 ok oakum delete --force "$C"
}

# The only program of the container opens a file that no answer comes for: $pid, and $stuck is who does not answer.
unanswered() {
	mkdir -p "$W/mute"
	stick mute "$W/mute" || skip "no FUSE in this kernel"
	bundle '.process.args = ["sh", "-c", "(cat /mute/file) & echo ready; wait"]
		| .linux.namespaces |= map(select(.type != "pid"))
		| .mounts += [{"destination": "/mute", "type": "bind", "source": "'"$W"'/mute", "options": ["rbind"]}]'
	ok timeout 20 "$OAKUM" --root "$ROOT" run -d -b "$B" "$C"
	until_true 5 has_processes 2
	until_true 5 waits_for_answer
}

waits_for_answer() {
	local p
	for p in $(oakum ps -f json "$C" </dev/null | jq '.[]'); do
		! grep -q request_wait_answer "/proc/$p/wchan" || { pid=$p; return 0; }
	done
	return 1
}

answer_never() {
	unstick
	umount "$W/mute"
}
