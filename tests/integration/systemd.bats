#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The systemd cgroup manager where there is no systemd: against a bus of our own (tests/lib/manager.c) that
# answers well, badly, late or never. With a real one: tests/systemd.
# bats file_tags=root:cgroup
load ../lib/common

# manager [METHOD=HOW|DIRECTORY]...: the bus, as long as the test.
manager() {
	end_manager
	rm -f "$W/bus" "$W/calls"
	"$LIB/manager" "$W/bus" "$W/calls" "$@" </dev/null >"$W/manager" 2>&1 3>&- &
	MANAGER=$!
	until_true test -S "$W/bus"
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$W/bus OAKUM_SYSTEMD_TIMEOUT=1500
	# One that answers has the time that a busy machine takes.
	[[ $* = *=* ]] || OAKUM_SYSTEMD_TIMEOUT=20000
}

end_manager() {
	[ -z "${MANAGER-}" ] || { kill "$MANAGER" 2>/dev/null || :; wait "$MANAGER" 2>/dev/null || :; }
	MANAGER=
}

# Hierarchies as systemd has them: all of v2, in v1 those of its controllers.
trees() {
	local tree
	if on_v2; then
		echo /sys/fs/cgroup
	else
		for tree in systemd cpu,cpuacct memory pids blkio devices cpu cpuacct unified; do
			[ ! -d "/sys/fs/cgroup/$tree" ] || [ -L "/sys/fs/cgroup/$tree" ] || echo "/sys/fs/cgroup/$tree"
		done
	fi
}

sd() { oakum --systemd-cgroup "$@"; }

# soon FUNCTION…: within the deadline and what two undoings may take.
soon() {
	local from=$SECONDS
	"$@"
	[ $((SECONDS - from)) -lt 12 ] || { echo "took $((SECONDS - from)) s: $*"; return 1; }
}

nobody_is_left() {
	is "$(ls "$ROOT" | grep -v '^\.cache$' || :)" ""
	run grep -lx -e oakum-systemd -e oakum-scope /proc/[0-9]*/comm
	is "$output" ""
}

@test "a good systemd: the container lives in the scope in every hierarchy, and delete stops it" {
	local dirs
	mapfile -t dirs < <(trees)
	manager "${dirs[@]}"
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'" | .annotations = {"org.systemd.property.TimeoutStopSec": "3"}'
	ok sd create -b "$B" "$C"
	for d in $(find /sys/fs/cgroup -type d -name "sd-$C.scope"); do
		is "$d $(cat "$d/cgroup.procs")" "$d $(pid_of)"
	done
	[ "$(cgroups_of "sd-$C.scope" | wc -l)" -ge ${#dirs[@]} ]
	is "$(sd state "$C" | jq -r '."systemd-scope"')" "sd-$C.scope"
	grep -q "^StartTransientUnit sd-$C.scope fail .*Slice=-.slice Delegate:b .*DeviceAllow:a(ss) .*TimeoutStopUSec=3000000 PIDs:au" calls
	ok sd start "$C"
	ok oakum exec "$C" true
	ok oakum delete --force "$C"
	grep -q "^StopUnit sd-$C.scope" calls
	is "$(cgroups_of "sd-$C.scope")" ""
	nobody_is_left
	end_manager
}

@test "limits are properties, at once and by update" {
	on_v2 && skip "the v2 tree beside v1 has no such controllers; tests/systemd/resources.bats"
	local dirs
	mapfile -t dirs < <(trees)
	manager "${dirs[@]}"
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'" | .linux.resources = {pids: {limit: 20}, memory: {limit: 33554432}, cpu: {quota: 12345, period: 50000}}'
	ok sd run -d -b "$B" "$C"
	grep -q "^SetUnitProperties sd-$C.scope MemoryLimit=33554432 TasksMax=20 CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=250000$" calls
	is "$(cat "$(cgroup_dir pids)/pids.max")" 20
	is "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us")" 12345
	ok oakum update --cpu-quota 25000 --pids-limit 50 "$C"
	grep -q "^SetUnitProperties sd-$C.scope TasksMax=50 CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=500000$" calls
	is "$(cat "$(cgroup_dir pids)/pids.max")" 50
	ok oakum delete --force "$C"
	end_manager
}

@test "a bus that never answers is an error at the deadline, and nothing is made" {
	local how
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	for how in accept=mute Hello=mute Get=mute Subscribe=mute; do
		manager $how
		soon fails 1 sd create -b "$B" "$C"
		says "connect to systemd" "no answer from systemd" ETIMEDOUT
		nobody_is_left
	done
	end_manager
}

@test "a systemd that never answers, or whose job never ends, is an error at the deadline" {
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	manager StartTransientUnit=mute
	soon fails 1 sd create -b "$B" "$C"
	says "start sd-$C.scope" ETIMEDOUT
	nobody_is_left
	manager JobRemoved=mute
	soon fails 1 sd create -b "$B" "$C"
	says "start sd-$C.scope" "job has not ended" "systemctl list-jobs"
	written_down
	end_manager
}

# lives_through HOW TREE…: a container is made and deleted beside a manager of that kind, and nobody hears of it.
lives_through() {
	manager "$@"
	OAKUM_SYSTEMD_TIMEOUT=20000
	soon ok sd run -d -b "$B" "$C"
	is "$errors" ""
	cgroups_of "sd-$C.scope" | xargs -I{} cat {}/cgroup.procs | grep -x "$(pid_of)" >/dev/null
	soon ok oakum delete --force "$C"
	is "$errors" ""
	nobody_is_left
	is "$(cgroups_of "$C")" ""
}

@test "a systemd that executes itself anew is asked again, within the deadline" {
	local dirs how from
	mapfile -t dirs < <(trees)
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	for how in Get=again Subscribe=again StartTransientUnit=again StartTransientUnit=lost SetUnitProperties=again StopUnit=again StopUnit=lost JobRemoved=lost; do
		lives_through $how "${dirs[@]}"
	done
	# One that stays away is late when the time is over, no sooner.
	for how in Get Subscribe StartTransientUnit; do
		manager $how=away
		from=$(date +%s%3N)
		soon fails 1 sd create -b "$B" "$C"
		[ $(($(date +%s%3N) - from)) -ge 1400 ]
		says "no answer from systemd" ETIMEDOUT
		nobody_is_left
	done
	end_manager
}

@test "a connection that breaks is made again, within the deadline" {
	local dirs how
	mapfile -t dirs < <(trees)
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	for how in Get=cut Subscribe=cut StartTransientUnit=cut StartTransientUnit=torn SetUnitProperties=cut StopUnit=cut StopUnit=torn JobRemoved=cut; do
		lives_through $how "${dirs[@]}"
		# What is to be heard is asked for on each connection.
		case $how in
		Subscribe=*) ;;
		*) [ "$(grep -c ^Subscribe calls)" -ge 2 ] ;;
		esac
	done
	end_manager
}

@test "delete asks systemd also where it may not wait for processes" {
	manager StopUnit=again "$(trees | head -n 1)"
	OAKUM_SYSTEMD_TIMEOUT=20000
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	ok sd run -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	until_true unpopulated
	ok oakum delete --wait 0 "$C"
	grep -q "^StopUnit sd-$C.scope" calls
	nobody_is_left
	end_manager
}
unpopulated() { [ -z "$(find /sys/fs/cgroup -path "*sd-$C.scope*" -name cgroup.procs -exec cat {} +)" ]; }

@test "what systemd answers is in the error" {
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	manager StartTransientUnit=error
	fails 1 sd create -b "$B" "$C"
	says "not to you" AccessDenied
	manager JobRemoved=failed
	fails 1 sd create -b "$B" "$C"
	says 'job has ended with "failed"'
	written_down
	manager StartTransientUnit=exists
	fails 4 sd create -b "$B" "$C"
	says "has a unit of that name" "systemctl status sd-$C.scope"
	# One that is not ours is not stopped.
	run grep -c StopUnit calls
	is "$output" 0
	manager SetUnitProperties=error "$(trees | head -n 1)"
	edit '.linux.resources.pids = {limit: 5}'
	on_v2 || fails 1 sd create -b "$B" "$C"
	on_v2 || says "set properties of sd-$C.scope" "not to you"
	nobody_is_left
	end_manager
}

@test "a bus that dies is an error, and the next command goes on" {
	local dirs how
	mapfile -t dirs < <(trees)
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	for how in Get=die StartTransientUnit=die; do
		manager $how
		soon fails_somehow sd create -b "$B" "$C"
		[ $how = Get=die ] || written_down
		nobody_is_left
	done
	manager "${dirs[@]}"
	ok sd run -d -b "$B" "$C"
	end_manager
	rm -f "$W/bus"
	# Whose scope it is only systemd knows: delete says so, and can be repeated.
	soon fails 6 oakum delete --force "$C"
	says "open the system bus"
	is "$(status_of)" stopped
	manager
	ok oakum delete "$C"
	nobody_is_left
	end_manager
}

# Where systemd cannot be asked, or does not do it, nobody knows whether there is a scope: it stays written down.
written_down() {
	is "$(jq -r .unit "$ROOT/$C/state.json")" "sd-$C.scope"
	manager
	ok oakum delete "$C"
	grep -q "^GetUnitProcesses" calls
	nobody_is_left
}

fails_somehow() {
	local rc=0
	"$@" >"$W/stdout" 2>"$W/stderr" </dev/null || rc=$?
	[ $rc = 1 ] || [ $rc = 6 ]
}

@test "a helper that is killed, hangs or speaks another version is an error; delete clears up" {
	local dirs pid rc
	mapfile -t dirs < <(trees)
	manager StartTransientUnit=mute
	export OAKUM_SYSTEMD_TIMEOUT=20000
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	"$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C" </dev/null >"$W/stdout" 2>"$W/stderr" 3>&- &
	pid=$!
	until_true grep -q StartTransientUnit calls
	kill -KILL "$(grep -lx oakum-systemd /proc/[0-9]*/comm | tr -dc '0-9\n')"
	rc=0
	wait $pid || rc=$?
	is $rc 1
	grep -q "start sd-$C.scope: the systemd helper has ended unexpectedly" "$W/stderr"
	within=15 until_true no_such oakum-scope
	nobody_is_left
	manager
	export OAKUM_SYSTEMD_TIMEOUT=1000
	printf '#!/bin/sh\nexec sleep 1000\n' >"$W/hangs"
	printf '#!/bin/sh\ndd bs=4096 count=1 <&3 >/dev/null 2>&1\necho hello >&3\nexec sleep 1000\n' >"$W/odd"
	printf '#!/bin/sh\nexit 3\n' >"$W/ends"
	chmod 755 "$W/hangs" "$W/odd" "$W/ends"
	OAKUM_SYSTEMD_HELPER=$W/hangs soon fails 1 sd create -b "$B" "$C"
	says ETIMEDOUT
	OAKUM_SYSTEMD_HELPER=$W/odd fails 6 sd create -b "$B" "$C"
	says "of another version of oakum"
	OAKUM_SYSTEMD_HELPER=$W/ends fails 1 sd create -b "$B" "$C"
	says "has ended unexpectedly"
	nobody_is_left
	end_manager
}

@test "a runtime that is killed while systemd is busy takes its helper along, and delete clears up" {
	local pid keeper busy dirs
	mapfile -t dirs < <(trees)
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	for busy in StartTransientUnit JobRemoved; do
		manager $busy=mute "${dirs[@]}"
		OAKUM_SYSTEMD_TIMEOUT=20000
		"$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C" </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		until_true grep -q StartTransientUnit calls
		[ $busy = StartTransientUnit ] || until_true test -d "${dirs[-1]}/sd-$C.scope"
		keeper=$(of_name oakum-scope)
		# Nothing of the caller's: its end of a pipe.
		is "$(ls "/proc/$keeper/fd")" 0
		kill -KILL $pid
		wait $pid || :
		within=5 until_true no_such oakum-systemd
		if [ $busy = StartTransientUnit ]; then
			# systemd may yet put it into the scope, and must not find a zombie.
			is "$(of_name oakum-scope)" "$keeper"
			mkdir "${dirs[-1]}/late-$C"
			echo "$keeper" >"${dirs[-1]}/late-$C/cgroup.procs"
			within=5 until_true no_such oakum-scope
			rmdir "${dirs[-1]}/late-$C"
		fi
		within=5 until_true no_such oakum-scope
		is "$(jq -r .unit "$ROOT/$C/state.json")" "sd-$C.scope"
		manager "${dirs[@]}"
		ok oakum delete "$C"
		is "$errors" ""
		# One of that name in which somebody lives would be another's.
		grep -q "^GetUnitProcesses" calls
		nobody_is_left
		is "$(cgroups_of "$C")" ""
	done
	end_manager
}

@test "a helper whose runtime is gone before it has asked says nothing" {
	: >stderr
	# A descriptor 3 whose other end has closed with what was sent to it unread.
	python3 -c 'import os, socket, sys
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
b.send(b"x")
a.close()
os.dup2(b.fileno(), 3)
os.execv(sys.argv[1], sys.argv[1:])' "$OAKUM_SYSTEMD_HELPER" 2>stderr || :
	is "$(cat stderr)" ""
}

of_name() { grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | tr -dc '0-9\n'; }
no_such() { [ -z "$(of_name "$1")" ]; }

@test "who keeps the scope for a runtime that is killed waits for a systemd that never comes no longer than 10 s" {
	local pid keeper from
	sleeper '.linux.cgroupsPath = "-.slice:sd:'"$C"'"'
	manager StartTransientUnit=mute
	OAKUM_SYSTEMD_TIMEOUT=20000
	"$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C" </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	until_true grep -q StartTransientUnit calls
	keeper=$(of_name oakum-scope)
	from=$SECONDS
	kill -KILL $pid
	wait $pid || :
	# A SIGTERM does not hurry it: it may be systemd's own, at the end of a unit that oakum is in.
	kill -TERM "$keeper"
	within=20 until_true no_such oakum-scope
	[ $((SECONDS - from)) -ge 8 ]
	manager
	ok oakum delete "$C"
	nobody_is_left
	end_manager
}

@test "the helper by itself says what it is for" {
	run "$OAKUM_SYSTEMD_HELPER" 3<&-
	is "$status" 1
	[[ $output == *"started by oakum"* ]]
}

@test "features names the manager, and plan shows the unit without asking anybody" {
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere
	ok oakum features
	is "$(jq -c '.linux.cgroup | [.systemd, .systemdUser]' <<<"$output")" '[true,true]'
	bundle '.linux.cgroupsPath = "a-b.slice:p:n"'
	ok oakum --systemd-cgroup plan "$B"
	prints "ask systemd p-n.scope, slice a-b.slice" "/a.slice/a-b.slice/p-n.scope" "DevicePolicy='strict'"
}
