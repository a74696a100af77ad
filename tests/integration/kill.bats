#!/usr/bin/env bats
# kill, pause, resume, delete.
load ../lib/common

@test "kill takes names with and without SIG, numbers, and 0" {
	bundle '.process.args = ["sh", "-c", "trap \"echo term\" TERM; trap \"echo hup\" HUP; trap \"echo usr1\" USR1; echo ready; while :; do sleep 0.02; done"]'
	oakum run -d -b "$B" "$C" </dev/null >"$W/out"
	until_true grep -q ready "$W/out"
	ok oakum kill "$C"
	until_true grep -q term "$W/out"
	ok oakum kill "$C" SIGHUP
	until_true grep -q hup "$W/out"
	ok oakum kill "$C" USR1
	until_true grep -q usr1 "$W/out"
	ok oakum kill "$C" 0
	ok oakum kill "$C" 9
	until_true is_status stopped "$C"
	ok oakum delete "$C"
}

@test "kill: an unknown signal, an unknown container, a stopped one" {
	sleeper
	for s in FOO SIGFOO 65 -1 SIGRTMIN+99 4294967305 9x ""; do
		fails 2 oakum kill "$C" -- "$s"
	done
	fails 4 oakum kill "$C" KILL
	says "$C"
	ok oakum run -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	fails 4 oakum kill "$C" KILL
	says "container not running"
	ok oakum delete "$C"
}

@test "a container that waits to be started ends by the signals that ask for it" {
	for s in HUP INT QUIT TERM; do
		sleeper
		ok oakum create -b "$B" "$C"
		ok oakum kill "$C" USR1
		[ "$(status_of "$C")" = created ]
		ok oakum kill "$C" "$s"
		until_true is_status stopped "$C"
		fails 4 oakum start "$C"
		ok oakum delete "$C"
	done
}

@test "kill --all reaches every process" {
	bundle '.process.args = ["sh", "-c", "inside ignore & inside ignore & echo ready; wait"]'
	oakum run -d -b "$B" "$C" </dev/null >"$W/out"
	until_true has_processes 3
	ok oakum kill --all "$C" KILL
	until_true is_status stopped "$C"
	ok oakum delete "$C"
}

# bats test_tags=root:kernel
@test "KILL with a shared pid namespace kills all, init alive or not" {
	bundle '.linux.namespaces |= map(select(.type != "pid")) |
		.process.args = ["sh", "-c", "sleep 1000 & sleep 1000 & wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 3
	ok oakum kill "$C" KILL
	ok oakum delete "$C"

	bundle '.linux.namespaces |= map(select(.type != "pid")) |
		.process.args = ["sh", "-c", "sleep 1000 & sleep 1000 & exit 0"]'
	ok oakum run -d -b "$B" "$C"
	until_true is_status stopped "$C"
	ok oakum delete "$C"
}

@test "after kill KILL it is dead, not dying" {
	bundle '.process.args = ["sh", "-c", "for i in $(seq 150); do sleep 1000 & done; echo ready; wait"]'
	for all in "" --all; do
		oakum run -d -b "$B" "$C" </dev/null >"$W/out"
		until_true grep -q ready "$W/out"
		ok oakum kill $all "$C" KILL
		is "$(status_of)" stopped
		ok oakum delete "$C"
	done
}

@test "delete right after kill KILL succeeds, every time" {
	sleeper
	for _ in {1..25}; do
		ok oakum run -d -b "$B" "$C"
		ok oakum kill "$C" KILL
		ok oakum delete "$C"
	done
}

@test "delete of a running container is refused and names the way out" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 4 oakum delete "$C"
	says running --force
	is "$(status_of)" running
	ok oakum delete --force "$C"
}

@test "delete of an unknown container: refused, with --force quietly fine" {
	fails 4 oakum delete none
	ok oakum delete --force none
	is "$output$errors" ""
}

# bats test_tags=root:cgroup
@test "delete --force of created, running, paused and stopped containers" {
	sleeper
	ok oakum create -b "$B" "$C"
	ok oakum delete -f "$C"
	ok oakum run -d -b "$B" "$C"
	ok oakum delete -f "$C"
	ok oakum run -d -b "$B" "$C"
	ok oakum pause "$C"
	ok oakum delete -f "$C"
	ok oakum run -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	ok oakum delete -f "$C"
}

@test "delete removes sub-cgroups the container's processes left" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	for dir in $(cgroups_of "$C"); do
		mkdir -p "$dir/sub/sub"
	done
	ok oakum kill "$C" KILL
	ok oakum delete "$C"
	is "$(cgroups_of "$C")" ""
}

# bats test_tags=root:cgroup
@test "delete --wait bounds the wait and names who is left" {
	on_v2 && skip "on v2 a frozen process dies of SIGKILL, so there is none to wait for"
	# A child in somebody else's frozen cgroup cannot die, and the container's init waits for it.
	bundle '.process.args = ["sh", "-c", "sleep 1000 & wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 2
	child=$(oakum ps -f json "$C" </dev/null | jq "map(select(. != $(pid_of))) | .[0]")
	mkdir /sys/fs/cgroup/freezer/ice
	echo "$child" >/sys/fs/cgroup/freezer/ice/cgroup.procs
	echo FROZEN >/sys/fs/cgroup/freezer/ice/freezer.state
	until_true grep -q FROZEN /sys/fs/cgroup/freezer/ice/freezer.state
	ok oakum kill "$C" KILL
	start=${EPOCHREALTIME/./}
	fails 1 oakum delete --wait=500ms "$C"
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $took -ge 450 ] && [ $took -lt 3000 ]
	says "$child" sleep
	echo THAWED >/sys/fs/cgroup/freezer/ice/freezer.state
	ok oakum delete "$C"
	rmdir /sys/fs/cgroup/freezer/ice
}

# bats test_tags=root:cgroup
@test "delete --force ends whom somebody else has frozen" {
	on_v2 && skip "on v2 a frozen process dies of SIGKILL"
	bundle '.process.args = ["sh", "-c", "sleep 1000 & wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 2
	mkdir /sys/fs/cgroup/freezer/ice
	for p in $(oakum ps -f json "$C" </dev/null | jq '.[]'); do
		echo "$p" >/sys/fs/cgroup/freezer/ice/cgroup.procs
	done
	echo FROZEN >/sys/fs/cgroup/freezer/ice/freezer.state
	until_true grep -q FROZEN /sys/fs/cgroup/freezer/ice/freezer.state
	ok oakum delete --force "$C"
	is "$(cat /sys/fs/cgroup/freezer/ice/cgroup.procs)" ""
	is "$(cat /sys/fs/cgroup/freezer/ice/freezer.state)" FROZEN
	rmdir /sys/fs/cgroup/freezer/ice
}

# bats test_tags=root:cgroup
@test "pause returns when frozen, resume when running" {
	bundle '.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /mnt/count; done"]'
	ok oakum run -d -b "$B" "$C"
	until_true test -s "$B/rootfs/mnt/count"
	for _ in {1..5}; do
		ok oakum pause "$C"
		is "$output$errors" ""
		is "$(status_of)" paused
		a=$(cat "$B/rootfs/mnt/count")
		read -r -t 0.1 <> <(:) || :
		is "$(cat "$B/rootfs/mnt/count")" "$a"
		ok oakum resume "$C"
		is "$(status_of)" running
	done
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "pause and resume in the wrong state" {
	fails 4 oakum pause none
	fails 4 oakum resume none
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 4 oakum resume "$C"
	ok oakum pause "$C"
	fails 4 oakum pause "$C"
	ok oakum resume "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	fails 4 oakum pause "$C"
	ok oakum delete "$C"
}

# bats test_tags=root:cgroup
@test "kill works on a paused container" {
	sleeper
	for _ in {1..5}; do
		ok oakum run -d -b "$B" "$C"
		ok oakum pause "$C"
		ok oakum kill "$C" KILL
		ok oakum delete "$C"
	done
}

# bats test_tags=root:cgroup
@test "a TERM sent while paused arrives after resume" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	# Its trap is set by then.
	until_true has_processes 2
	ok oakum pause "$C"
	ok oakum kill "$C" TERM
	is "$(status_of)" paused
	ok oakum resume "$C"
	until_true is_status stopped "$C"
	ok oakum delete "$C"
}

@test "a recycled pid is never signalled" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	pid=$(pid_of)
	# The record now speaks of this shell's child, with the start time of the container's init.
	ok oakum kill "$C" KILL
	until_true gone "$pid"
	sleep 1000 &
	stranger=$!
	sed -i "s/\"init\":\[$pid,/\"init\":[$stranger,/" "$ROOT/$C/state.json"
	grep -q "$stranger" "$ROOT/$C/state.json"
	fails 4 oakum kill "$C" KILL
	is "$(status_of)" stopped
	ok oakum delete --force "$C"
	kill -0 $stranger
	kill $stranger
	wait $stranger || :
}

@test "kill and delete by regular expression: all that match, and no other" {
	sleeper
	for id in "$C-a1" "$C-a2" "$C-b1"; do
		ok oakum run -d -b "$B" "$id"
	done
	ok oakum kill --regex "^$C-a" KILL
	until_true is_status stopped "$C-a1"
	until_true is_status stopped "$C-a2"
	is "$(status_of "$C-b1")" running
	ok oakum delete --regex "$C-a[0-9]"
	is "$(oakum list -q)" "$C-b1"
	# Each is tried, and the failure of one is the command's.
	fails 4 oakum delete -r "$C-.*"
	ok oakum delete --force --regex '.*'
	is "$(oakum list -q)" ""
	fails 2 oakum delete --regex '['
	says "regular expression '['"
}
