#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A container in a scope that systemd makes: from create to delete, and after crashes in between.
load common

@test "a container lives in its scope, and delete leaves no unit" {
	sleeper
	ok sd create -b "$B" "$C"
	shows ActiveState active
	shows Slice system.slice
	shows Delegate yes
	shows Transient yes
	shows CollectMode inactive-or-failed
	# The container's process, and nobody else.
	is "$(cat "$(directory)/cgroup.procs")" "$(pid_of)"
	ok sd start "$C"
	is "$(sd state "$C" | jq -r '."systemd-scope"')" "$UNIT"
	is "$(systemctl whoami "$(pid_of)" 2>/dev/null || ps -o unit= -p "$(pid_of)")" "$UNIT"
	ok sd kill "$C" KILL
	until_true is_status stopped "$C"
	ok sd delete "$C"
	run systemctl show --property=LoadState --value "$UNIT"
	is "$output" not-found
}

@test "run sees its own scope as the root of its cgroups, and exec joins it" {
	bundle '.process.args = ["cat", "/proc/self/cgroup"]'
	ok sd run -b "$B" "$C"
	prints "/system.slice/$UNIT"
	edit '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	ok sd run -b "$B" "$C"
	is "$(grep -v ':/$' <<<"$output")" ""
	sleeper
	ok sd run -d -b "$B" "$C"
	ok sd exec -d "$C" sleep 1000
	is "$(wc -l <"$(directory)/cgroup.procs")" 3
	ok sd exec "$C" cat /proc/self/cgroup
	prints "/system.slice/$UNIT"
	# The other commands need not be told who made the cgroup.
	ok oakum ps --format json "$C"
	is "$(jq length <<<"$output")" 3
	ok oakum pause "$C"
	is "$(status_of)" paused
	ok oakum resume "$C"
	ok oakum delete --force "$C"
}

@test "cgroupsPath is slice:prefix:name, with nested slices and without one" {
	sleeper '.linux.cgroupsPath = "oakumtest-in_ner.slice:cri:'"$C"'"'
	ok sd run -d -b "$B" "$C"
	shows Slice oakumtest-in_ner.slice "cri-$C.scope"
	is "$(property ControlGroup "cri-$C.scope")" "/oakumtest.slice/oakumtest-in_ner.slice/cri-$C.scope"
	is "$(cat "$(directory "cri-$C.scope")/cgroup.procs" | head -n 1)" "$(pid_of)"
	ok sd delete --force "$C"
	systemctl stop oakumtest.slice
	# The dash is there without a prefix too, as with runc and crun.
	edit '.linux.cgroupsPath = "::'"$C"'"'
	ok sd run -d -b "$B" "$C"
	[[ $(cat "/proc/$(pid_of)/cgroup") == *:"/system.slice/-$C.scope" ]]
	ok sd delete --force "$C"
	edit '.linux.cgroupsPath = "-.slice:root:'"$C"'"'
	ok sd run -d -b "$B" "$C"
	is "$(property ControlGroup "root-$C.scope")" "/root-$C.scope"
	ok sd delete --force "$C"
}

@test "names that systemd makes other directories of, and names with backslashes" {
	local path
	sleeper
	while read -r path unit cgroup; do
		edit '.linux.cgroupsPath = "'"${path//\\/\\\\}"'"'
		ok sd run -d -b "$B" "$C"
		is "$(property ControlGroup "$unit")" "$cgroup"
		[[ $(cat "/proc/$(pid_of)/cgroup") == *:"$cgroup" ]]
		ok sd delete --force "$C"
	done <<-X
		oakumtest\x2da.slice:p:$C p-$C.scope /oakumtest\x2da.slice/p-$C.scope
		oakumtest.slice:_x:$C _x-$C.scope /oakumtest.slice/__x-$C.scope
		oakumtest.slice:cgroup.x:$C cgroup.x-$C.scope /oakumtest.slice/_cgroup.x-$C.scope
		_oakumtest-b.slice:p:$C p-$C.scope /__oakumtest.slice/__oakumtest-b.slice/p-$C.scope
		.oakumtest.slice:p:$C p-$C.scope /_.oakumtest.slice/p-$C.scope
		cpu.slice:p:$C p-$C.scope /_cpu.slice/p-$C.scope
		oakumtest.slice:$C: $C-.scope /oakumtest.slice/$C-.scope
	X
	systemctl stop 'oakumtest*.slice' '_oakumtest*.slice' .oakumtest.slice cpu.slice
}

@test "an annotation says the slice" {
	sleeper '.linux.cgroupsPath = "oakumtest-x.slice:p:'"$C"'" | .annotations = {"org.systemd.property.Slice": "\"oakumtest-y.slice\""}'
	ok sd run -d -b "$B" "$C"
	shows Slice oakumtest-y.slice "p-$C.scope"
	[[ $(cat "/proc/$(pid_of)/cgroup") == *:"/oakumtest.slice/oakumtest-y.slice/p-$C.scope" ]]
	ok sd delete --force "$C"
	edit '.annotations = {"org.systemd.property.Slice": "\"a--b.slice\""}'
	fails 3 sd create -b "$B" "$C"
	says /annotations/org.systemd.property.Slice "a dash in a slice's name"
	systemctl stop 'oakumtest*.slice'
}

@test "a path of another form is an error before anything is made" {
	sleeper '.linux.cgroupsPath = "/a/b"'
	fails 3 sd create -b "$B" "$C"
	says /linux/cgroupsPath slice:prefix:name
	edit '.linux.cgroupsPath = "system.slice:oakum:web"'
	# Without systemd that is a path, of which plan says so.
	ok oakum plan "$B"
	[[ $output == *"a scope only with --systemd-cgroup"* ]]
}

@test "a unit of that name that lives is refused, and left alone" {
	systemd-run -q --scope --unit="$UNIT" sleep 1000 3>&- &
	until_true systemctl -q is-active "$UNIT"
	sleeper
	fails 4 sd create -b "$B" "$C"
	says "$UNIT" "has a unit of that name"
	systemctl -q is-active "$UNIT"
	systemctl stop "$UNIT"
	wait
}

@test "a dead unit of that name is cleared away" {
	printf '#!/bin/sh\ntrap "" TERM\nsleep 1000\n' >"$W/stubborn"
	chmod 755 "$W/stubborn"
	systemd-run -q --scope --unit="$UNIT" -p RuntimeMaxSec=1 -p TimeoutStopSec=1 "$W/stubborn" 3>&- || :
	until_true systemctl -q is-failed "$UNIT"
	sleeper
	ok sd run -d -b "$B" "$C"
	shows ActiveState active
	ok sd delete --force "$C"
}

@test "daemon-reload takes no device away, neither from exec nor from a terminal" {
	sleeper "$NODES"' | .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 228, access: "r"}]'
	ok sd run -d -b "$B" "$C"
	for _ in 1 2 3; do
		systemctl daemon-reload
		ok sd exec "$C" sh -c 'echo x >/dev/null && head -c 4 /dev/zero | wc -c'
		is "$output" 4
		ok script -qec "'$OAKUM' --root '$ROOT' exec -t $C tty" /dev/null
		prints /dev/pts/0
		opens /dev/hpet
		denied /dev/fuse
	done
	shows NeedDaemonReload no
	ok sd delete --force "$C"
}

@test "an annotation is a property of the unit" {
	sleeper '.annotations = {
		"org.systemd.property.TimeoutStopSec": "12.5",
		"org.systemd.property.KillSignal": "2",
		"org.systemd.property.After": "[\"basic.target\"]",
		"org.systemd.property.Description": "\u0027it is \\\"this\\\" \\u00e4\u0027",
		"org.systemd.property.CollectMode": "\u0027inactive\u0027"}'
	edit 'del(.annotations."org.systemd.property.KillSignal")'
	ok sd run -d -b "$B" "$C"
	shows TimeoutStopUSec 12.500000s
	shows CollectMode inactive
	shows Description 'it is "this" ä'
	[[ " $(property After) " == *" basic.target "* ]]
	ok sd delete --force "$C"
	edit '.annotations."org.systemd.property.NoSuchThing" = "true"'
	fails 3 sd run -d -b "$B" "$C"
	says /annotations/org.systemd.property.NoSuchThing "unknown property"
	[[ $errors != *EROFS* && $errors != *read-only* ]]
	edit 'del(.annotations."org.systemd.property.NoSuchThing") | .annotations."org.systemd.property.CollectMode" = "uint32 5"'
	fails 3 sd run -d -b "$B" "$C"
	says "$UNIT" "Unexpected message contents" /annotations
	[[ $errors != *ENXIO\)\;* && $errors != *"no driver"* ]]
	edit '.annotations = {"org.systemd.property.MemoryMax": "5"}'
	fails 3 sd run -d -b "$B" "$C"
	says /annotations/org.systemd.property.MemoryMax
	edit '.annotations = {"org.systemd.property.CPUQuotaPerSec": "1", "org.systemd.property.MemryMax": "uint64 5"}'
	fails 3 sd run -d -b "$B" "$C"
	says /annotations/org.systemd.property.CPUQuotaPerSec
	edit '.annotations = {"org.systemd.property.BindsTo": "[\u0027oakumtest-none.service\u0027]"} | .linux.cgroupsPath = "system.slice:oakum:'"$C"'"'
	fails 3 sd run -d -b "$B" "$C"
	says /annotations/org.systemd.property.BindsTo "oakumtest-none.service not found"
}

@test "run.oci.systemd.subgroup puts the process below its scope" {
	sleeper '.annotations = {"run.oci.systemd.subgroup": "inner/most"}'
	ok sd run -d -b "$B" "$C"
	grep -qx "$(pid_of)" "$(directory)/inner/most/cgroup.procs"
	is "$(cat "$(directory)/cgroup.procs")" ""
	ok sd exec "$C" cat /proc/self/cgroup
	ok sd delete --force "$C"
}

@test "a runtime that is killed in the middle leaves what delete can clear" {
	local n=0 i pid
	sleeper
	for i in $(seq 1 30); do
		"$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C" </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		read -r -t "0.0$(printf %02d $i)" <> <(:) || :
		kill -KILL $pid 2>/dev/null && n=$((n + 1))
		wait $pid 2>/dev/null || :
		ok sd delete --force "$C"
		until_true nothing_left || { left; return 1; }
	done
	echo "killed: $n of 30"
	[ $n -gt 3 ]
}

# In p-NUMBER.scope of this test's slice.
nobody_in() { [ -d "/sys/fs/cgroup/oakumtest.slice/p-$C-$1.scope" ] && [ -z "$(cat "/sys/fs/cgroup/oakumtest.slice/p-$C-$1.scope/cgroup.procs" 2>/dev/null)" ]; }
no_empty_scope() {
	local i
	for i in $(seq 1 40); do ! nobody_in "$i" || return 1; done
}

@test "a runtime that is killed in the middle leaves no scope that nobody is in" {
	on_v2 || skip "looks into the v2 tree"
	local i pid
	sleeper
	for i in $(seq 1 40); do
		edit ".linux.cgroupsPath = \"oakumtest.slice:p:$C-$i\""
		"$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C-$i" </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		read -r -t "0.0$(printf %02d $((i % 20 + 4)))" <> <(:) || :
		kill -KILL $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
	done
	within=3 until_true no_empty_scope
	for i in $(seq 1 40); do
		[ ! -e "$ROOT/$C-$i" ] || ok oakum delete --force "$C-$i"
	done
	systemctl stop oakumtest.slice
}

@test "systemd may execute itself anew beside create and delete" {
	local at
	sleeper
	for at in 00 01 02 03 04 06 08; do
		{ read -r -t 0.$at <> <(:) || :; systemctl daemon-reexec; } 3>&- &
		ok sd create -b "$B" "$C"
		is "$errors" ""
		wait
		{ read -r -t 0.$at <> <(:) || :; systemctl daemon-reexec; } 3>&- &
		ok sd delete --force "$C"
		is "$errors" ""
		wait
	done
}

# ends_bus SECONDS: SIGKILL for the bus, after a while; whoever calls next starts it anew.
ends_bus() {
	read -r -t "$1" <> <(:) || :
	# Not too often for systemd.
	systemctl reset-failed dbus.service dbus.socket
	systemctl kill -s KILL dbus.service
}

@test "the bus may be started anew beside create and delete" {
	local at
	[ -e /machine/command ] || skip "this machine's bus has other users"
	sleeper
	for at in 00 01 02 03 04 06 08; do
		ends_bus 0.$at 3>&- &
		ok sd create -b "$B" "$C"
		is "$errors" ""
		wait
		ends_bus 0.$at 3>&- &
		ok sd delete --force "$C"
		is "$errors" ""
		wait
	done
	until_true busctl list
}

# In a mount namespace of its own, so that the machine keeps its bus.
without_bus() {
	unshare -m --propagation private sh -c 'mount -t tmpfs none /run/dbus && exec "$@"' sh "$OAKUM" --root "$ROOT" "$@" </dev/null >"$W/stdout" 2>"$W/stderr" || { cat "$W/stderr"; return 1; }
}

@test "without a bus root asks systemd itself, unless a bus is named" {
	sleeper '.annotations = {"org.systemd.property.Description": "\"by itself\""}'
	without_bus --systemd-cgroup run -d -b "$B" "$C"
	is "$(cat "$W/stderr")" ""
	shows ActiveState active
	shows Description "by itself"
	without_bus exec "$C" true
	without_bus delete --force "$C"
	[ ! -e "$ROOT/$C" ]
	shows LoadState not-found
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no/such fails 6 sd create -b "$B" "$C"
	says "open the system bus"
}

@test "a helper that is killed while systemd works leaves what delete can clear" {
	local n helper=${OAKUM_SYSTEMD_HELPER-$(dirname "$OAKUM")/oakum-systemd}
	sleeper
	for n in 3 4 5 3 4 5 6; do
		printf '#!/bin/sh\nexec strace -o /dev/null -e inject=ppoll:signal=KILL:when=%s "%s"\n' $n "$helper" >helper
		chmod 755 helper
		OAKUM_SYSTEMD_HELPER=$W/helper "$OAKUM" --root "$ROOT" --systemd-cgroup run -d -b "$B" "$C" </dev/null >/dev/null 2>&1 3>&- || :
		ok oakum delete --force "$C"
		until_true nothing_left || { left; return 1; }
	done
}

@test "state.json is damaged: delete --force finds the scope, and its processes" {
	local how pid unit="cri-$C.scope"
	sleeper ".linux.cgroupsPath = \"oakumtest.slice:cri:$C\""
	for how in missing '' garbage; do
		ok sd run -d -b "$B" "$C"
		pid=$(pid_of)
		shows ActiveState active "$unit"
		echo "$how" >"$ROOT/$C/state.json"
		[ "$how" != missing ] || rm "$ROOT/$C/state.json"
		fails 4 oakum delete "$C"
		shows ActiveState active "$unit"
		ok oakum delete --force "$C"
		until_true gone "$pid"
		shows LoadState not-found "$unit"
	done
	systemctl stop oakumtest.slice
}

@test "a creation that ended before systemd was asked: a unit of that name is another's, and left alone" {
	systemd-run -q --scope --unit="$UNIT" sleep 1000 3>&- &
	until_true systemctl -q is-active "$UNIT"
	sleeper
	# It is refused, and so undone; what a SIGKILL before that would leave is this.
	strace -f -o /dev/null -e inject=unlinkat:signal=KILL "$OAKUM" --root "$ROOT" --systemd-cgroup create -b "$B" "$C" </dev/null >/dev/null 2>&1 || :
	is "$(jq -r .unit "$ROOT/$C/state.json")" "$UNIT"
	oakum delete --force "$C"
	[ ! -e "$ROOT/$C" ]
	systemctl -q is-active "$UNIT"
	systemctl stop "$UNIT"
	wait
}

@test "what the container's process says when it fails is told, though systemd takes its empty scope away" {
	bundle '.process.cwd = "/proc/self/fd/7"'
	for _ in $(seq 1 40); do
		fails 3 sd run -b "$B" "$C"
		says /process/cwd
	done
}

@test "a scope that somebody else stops ends the container, and delete is content" {
	sleeper
	ok sd run -d -b "$B" "$C"
	systemctl stop "$UNIT"
	until_true is_status stopped "$C"
	ok sd delete "$C"
}

@test "doctor asks the bus, and its verdict is that of run" {
	local want what
	sleeper
	ok sd doctor "$B"
	prints "manager: systemd "
	for what in OAKUM_SYSTEMD_HELPER=/no/such DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no/such; do
		want=0
		env $what "$OAKUM" --root "$ROOT" --systemd-cgroup run -d -b "$B" "$C" </dev/null 2>said || want=$?
		[ $want != 0 ]
		run env $what "$OAKUM" --root "$ROOT" --systemd-cgroup doctor "$B"
		is "$status" "$want"
		# In the same words.
		grep "^  fails" <<<"$output" | grep -F -- "$(sed 's/.*: \([^:]*: [^:]*([A-Z]*)\).*/\1/' said)"
	done
}
