#!/usr/bin/env bats
# What is different for somebody without privileges. Run by `tests/lib/run-bats -r ranges|single [-d]`;
# what is the same for everybody is in tests/integration, whose tests run as a user too, but those with a
# tag: root:cgroup (limits, the freezer, a path of its own), root:mount (the test itself mounts), root:ids
# (it changes owners, or maps other ids), root:devices, root:kernel (other rights, or a look into a process
# that is closed to its owner). Here, the tag `delegated` needs -d, and `alone` needs to be without.
load ../lib/common

# A container as `oakum spec --rootless` has it, with all its mounts.
rootless_bundle() {
	bundle
	rm "$B/config.json"
	(cd "$B" && ok oakum spec --rootless) || return 1
	edit '.process.terminal = false | .root.readonly = false | .process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1000 & wait $!; done"]'
	[ -z "${1-}" ] || edit "$1"
}

# Somebody of the user's own, in a user namespace too, whom no command may touch.
sleeper_beside() {
	unshare -Ur sleep 1006 </dev/null >/dev/null 2>&1 3>&- &
	beside=$!
}

are_sleeping() { [ "$(pgrep -cxf 'sleep 1005')" = "$1" ]; }

@test "spec --rootless runs as it is" {
	rootless_bundle '.process.args = ["sh", "-c", "cat /proc/self/uid_map; ls -d /proc/1 /sys/kernel; touch /here"]'
	ok oakum run -b "$B" "$C"
	is "$(head -n 1 <<<"$output" | xargs)" "0 $(id -u) 1"
	prints /proc/1 /sys/kernel
	is "$(stat -c %u:%g "$B/rootfs/here")" "$(id -u):$(id -g)"
}

@test "a terminal, also where its group is no id of the user's" {
	local group=0
	rootless_bundle '.process.terminal = true | .process.args = ["sh", "-c", "stat -c %u:%g $(readlink /proc/self/fd/0)"]'
	grep -q "gid=5" "$B/config.json" && group=5
	ok oakum run -b "$B" "$C"
	is "$output" 0:$group
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	ok oakum exec -t "$C" sh -c 'stat -c %u $(readlink /proc/self/fd/0)'
	is "$output" 0
	ok oakum delete --force "$C"
}

@test "run -d, state, ps, exec, kill, delete" {
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	is "$(status_of)" running
	is "$(oakum state "$C" </dev/null | jq -r .owner)" oakum-test
	ok oakum exec "$C" sh -c 'id -u; for n in self/ns/user 1/ns/user self/ns/pid 1/ns/pid; do readlink /proc/$n; done'
	is "$(sort -u <<<"$output" | wc -l)" 3
	is "$(head -n 1 <<<"$output")" 0
	ok oakum exec -d "$C" sleep 777
	until_true bash -c "[ \$('$OAKUM' --root '$ROOT' ps -f json $C | jq length) = 3 ]"
	ok oakum kill --all "$C" TERM
	until_true is_status stopped "$C"
	ok oakum delete "$C"
}

@test "the statuses of exec are the program's, and what it cannot find is said" {
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	fails_with() { local rc=0; oakum exec "$C" sh -c "$2" </dev/null || rc=$?; is $rc "$1"; }
	fails_with 7 'exit 7'
	fails_with 137 'kill -KILL $$'
	fails 127 oakum exec "$C" nosuch
	says "executable file not found"
	ok oakum delete --force "$C"
}

@test "exec before start: in all of its namespaces, and the container still waits" {
	rootless_bundle '.process.args = ["sh", "-c", "echo started >/mark; exec sleep 1000"]'
	ok oakum create -b "$B" "$C"
	ok oakum exec "$C" sh -c 'echo "$(id -u) $PPID"; cat /proc/self/uid_map; for n in user pid mnt net ipc uts cgroup; do readlink /proc/self/ns/$n; done; ls -d /proc/1'
	before=$output
	is "$(head -n 1 <<<"$before")" "0 0"
	is "$(status_of)" created
	[ ! -e "$B/rootfs/mark" ]
	# Nobody looks into the process that waits, not even from inside.
	fails_to_look() { ! oakum exec "$C" ls /proc/1/fd </dev/null >"$W/looked" 2>&1; }
	fails_to_look
	grep -q 'Permission denied' "$W/looked"
	ok oakum start "$C"
	until_true test -e "$B/rootfs/mark"
	ok oakum exec "$C" sh -c 'echo "$(id -u) $PPID"; cat /proc/self/uid_map; for n in user pid mnt net ipc uts cgroup; do readlink /proc/1/ns/$n; done; ls -d /proc/1'
	is "$output" "$before"
	ok oakum delete --force "$C"
}

@test "exec while a startContainer hook runs is refused by name, and works when it has" {
	rootless_bundle '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "touch /hooked; until [ -e /go ]; do sleep 0.1; done"]}]}'
	ok oakum create -b "$B" "$C"
	oakum start "$C" </dev/null >"$W/started" 2>&1 3>&- &
	local starter=$!
	until_true test -e "$B/rootfs/hooked"
	fails 255 oakum exec "$C" true
	says "just being started"
	touch "$B/rootfs/go"
	wait "$starter"
	ok oakum exec "$C" id -u
	is "$output" 0
	ok oakum delete --force "$C"
}

@test "exec before start where the user namespace is another container's" {
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	ns=/proc/$(pid_of)/ns
	edit ".linux.namespaces |= map(if .type == \"user\" or .type == \"pid\" then .path = \"$ns/\" + .type else . end) | del(.linux.uidMappings, .linux.gidMappings)"
	ok oakum create -b "$B" "$C.2"
	ok oakum exec "$C.2" sh -c 'readlink /proc/self/ns/user; readlink /proc/self/ns/mnt'
	is "$(head -n 1 <<<"$output")" "$(readlink "$ns/user")"
	[ "$(tail -n 1 <<<"$output")" != "$(readlink "$ns/mnt")" ]
	is "$(status_of "$C.2")" created
	ok oakum delete --force "$C.2"
	ok oakum delete --force "$C"
}

@test "the runtime's hooks may enter the namespaces, for a network; nobody may afterwards" {
	cat >"$W/hook" <<-'EOF'
		#!/bin/sh
		nsenter -t "$(jq .pid)" -U -n --preserve-credentials sh -c 'ip addr add 10.9.8.7/32 dev lo'
	EOF
	chmod 755 "$W/hook"
	rootless_bundle ".linux.namespaces += [{type: \"network\"}] | .process.args = [\"cat\", \"/proc/net/fib_trie\"] |
		.hooks = {createRuntime: [{path: \"$W/hook\"}]}"
	ok oakum create -b "$B" "$C"
	fails 1 nsenter -t "$(pid_of)" -U -n --preserve-credentials true
	ok oakum delete --force "$C"
	ok oakum run -b "$B" "$C"
	prints 10.9.8.7
}

@test "a configuration without a user namespace gets one; the ids are what the user has" {
	bundle '.process.args = ["cat", "/proc/self/uid_map", "/proc/self/gid_map"]'
	ok oakum run -b "$B" "$C"
	if [ "$OAKUM_ROOTLESS" = single ]; then
		is "$(xargs <<<"$output")" "0 $(id -u) 1 0 $(id -g) 1"
	else
		is "$(awk '{ n += $3 } END { print (n > 60000) }' <<<"$output")" 1
		is "$(head -n 1 <<<"$output" | awk '{ print $1, $2, $3 }')" "0 $(id -u) 1"
	fi
}

# bats test_tags=alone
@test "without rights over cgroups, limits and paths are refused by name, and nothing else is" {
	rootless_bundle '.linux.resources.pids = {limit: 20}'
	fails 6 oakum run -b "$B" "$C"
	says /linux/resources/pids "rootless needs no limits + no cgrouppath when no permission is granted for cgroups"
	rootless_bundle '.linux.cgroupsPath = "/mine/box"'
	fails 6 oakum run -b "$B" "$C"
	says /linux/cgroupsPath "unable to apply cgroup configuration" "permission denied" "delegated"
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	is "$(cgroups_of "$C")" ""
	fails 6 oakum pause "$C"
	says "no cgroup to freeze" "delegated"
	fails 6 oakum update --pids-limit 3 "$C"
	says "no cgroup" "delegated"
	fails 255 oakum exec --cgroup sub "$C" true
	says "the container has no cgroup in which sub could be"
	ok oakum delete --force "$C"
}

# bats test_tags=alone
@test "the host's cgroups are to be seen inside, and not to be changed" {
	rootless_bundle '.process.args = ["sh", "-c", "ls /sys/fs/cgroup; for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/x; done"]'
	run oakum run -b "$B" "$C" </dev/null
	[[ "$output" == *"Read-only file system"* ]]
	[ "$(grep -c 'mkdir:' <<<"$output")" = "$(grep -c 'Read-only file system\|File exists' <<<"$output")" ]
	is "$(find /sys/fs/cgroup -name x)" ""
}

# bats test_tags=delegated
@test "a cgroup that is delegated is found and used: pause, kill --all, delete" {
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	dir=$(cgroups_of "$C")
	is "$(wc -l <<<"$dir")" 1
	grep -qx "$(pid_of)" "$dir/cgroup.procs"
	# Beside the caller's own, below what is above both.
	own=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
	[[ "$dir" == *"${own%/*}/oakum"*"/$C" ]]
	ok oakum exec -d "$C" sleep 777
	until_true bash -c "[ \$(wc -l <'$dir/cgroup.procs') = 3 ]"
	ok oakum pause "$C"
	is "$(status_of)" paused
	grep -qx 'frozen 1' "$dir/cgroup.events"
	ok oakum resume "$C"
	ok oakum kill --all "$C" KILL
	until_true is_status stopped "$C"
	ok oakum delete "$C"
	is "$(cgroups_of "$C")" ""
}

# bats test_tags=delegated
@test "an update that has device rules with all else, as engines give it, does what a user can" {
	rootless_bundle
	ok oakum run -d -b "$B" "$C"
	echo '{"devices": [{"allow": false, "access": "rwm"}], "unified": {"cgroup.max.depth": "3"}}' >limits.json
	ok oakum update -r limits.json "$C"
	says /devices "not for this user"
	is "$(find /sys/fs/cgroup -path "*/$C/cgroup.max.depth" -exec cat {} +)" 3
	ok oakum delete -f "$C"
}

# bats test_tags=delegated
@test "a path below what is delegated is made; one elsewhere is refused" {
	own=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
	rootless_bundle ".linux.cgroupsPath = \"${own%/*}/mine/box\""
	ok oakum run -d -b "$B" "$C"
	grep -rqx "$(pid_of)" "$(find /sys/fs/cgroup -path '*/mine/box')/cgroup.procs"
	ok oakum delete --force "$C"
	is "$(find /sys/fs/cgroup -name mine)" ""
	rootless_bundle '.linux.cgroupsPath = "/elsewhere/box"'
	fails 6 oakum run -b "$B" "$C"
	says /linux/cgroupsPath "permission denied"
}

# bats test_tags=alone
@test "the pid namespace of the host and no cgroup: a warning, and still all of it is found and ended" {
	rootless_bundle '.linux.namespaces |= map(select(.type != "pid")) |
		.process.args = ["sh", "-c", "(sleep 1001 & sleep 1002 &) ; sleep 1003 & wait"]'
	ok oakum run -d -b "$B" "$C"
	says "Such configuration is strongly discouraged"
	# Two of the three sleepers have lost their parent.
	until_true bash -c "[ \$('$OAKUM' --root '$ROOT' ps -f json $C | jq length) = 4 ]"
	ok oakum kill --all "$C" 0
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	ok oakum delete "$C"
	is "$(pgrep -f 'sleep 100[123]')" ""
}

# bats test_tags=alone
@test "who outlives init there is found by ps, kill and delete; with a session of their own, by its numbers" {
	for left in 'sleep 1005 & sleep 1005 & (sleep 1005 &)' 'setsid sleep 1005 & setsid sh -c "sleep 1005 & exec sleep 1005" &'; do
		# Linux before 6.18 has no number that a namespace never shares.
		case $left in setsid*) [ "$(uname -r | cut -d. -f1-2 | tr . ' ' | awk '{ print $1 * 1000 + $2 }')" -ge 6018 ] || continue ;; esac
		rootless_bundle ".linux.namespaces |= map(select(.type != \"pid\")) | .process.args = [\"sh\", \"-c\", $(jq -n --arg x "$left"$'\n''until [ -e /go ]; do sleep 0.1; done' '$x')]"
		sleeper_beside
		ok oakum run -d -b "$B" "$C"
		until_true are_sleeping 3
		touch "$B/rootfs/go"
		until_true is_status stopped "$C"
		ok oakum ps -f json "$C"
		is "$(jq length <<<"$output")" 3
		is "$(pgrep -xf 'sleep 1005' | sort -n | xargs)" "$(jq -r '.[]' <<<"$output" | sort -n | xargs)"
		kill -0 "$beside"
		ok oakum kill --all "$C" TERM
		until_true are_sleeping 0
		kill -0 "$beside"
		ok oakum delete "$C"
		# The same, for delete alone.
		rm "$B/rootfs/go"
		ok oakum run -d -b "$B" "$C"
		until_true are_sleeping 3
		touch "$B/rootfs/go"
		until_true is_status stopped "$C"
		ok oakum delete "$C"
		are_sleeping 0
		kill "$beside"
		wait "$beside" || :
	done
}

# bats test_tags=alone
@test "the same with delete --force, while it forks" {
	rootless_bundle '.linux.namespaces |= map(select(.type != "pid")) |
		.process.args = ["sh", "-c", "i=0; while [ $i -lt 40 ]; do (sleep 1004 &); i=$((i + 1)); done; wait; sleep 1004"]'
	ok oakum run -d -b "$B" "$C"
	until_true pgrep -f 'sleep 1004'
	ok oakum delete --force "$C"
	is "$(pgrep -f 'sleep 1004')" ""
}

@test "up -d, logs, attach, wait; its FIFOs are in no mount and go with the supervisor" {
	rootless_bundle '.process.args = ["sh", "-c", "echo hello; read x; echo got $x; exit 5"]'
	find /run -type p >fifos 2>/dev/null || :
	ok oakum up -d -i -b "$B" "$C"
	until_true bash -c "'$OAKUM' --root '$ROOT' logs $C | grep -q hello"
	is "$(find /run -type p 2>/dev/null)" "$(<fifos)"
	is "$(grep -c oakum /proc/self/mountinfo)" 0
	echo word | oakum attach "$C" >"$W/attached" || rc=$?
	is "$(oakum wait "$C" </dev/null)" 5
	ok oakum logs "$C"
	prints "got word"
	ok oakum delete "$C"
}

@test "up in the foreground, hardened, without a bundle" {
	bundle
	ok oakum up --rm --rootfs "$B/rootfs" "$C" -- sh -c 'id -u; grep -c . /proc/self/uid_map; grep Seccomp: /proc/self/status'
	is "$(head -n 1 <<<"$output")" 0
	prints "Seccomp:	2"
}

# bats test_tags=cgroupfs:bus
@test "the state root is in XDG_RUNTIME_DIR, and without it the error says what to set" {
	rootless_bundle
	ok "$OAKUM" run -d -b "$B" "$C"
	[ -e "$XDG_RUNTIME_DIR/oakum/$C/state.json" ]
	# Sticky: not to be cleaned up for its age.
	is "$(stat -c %a "$XDG_RUNTIME_DIR/oakum")" 1700
	ok "$OAKUM" delete --force "$C"
	rm -rf "$XDG_RUNTIME_DIR/oakum"
	fails 1 env -u XDG_RUNTIME_DIR "$OAKUM" run -b "$B" "$C"
	says /run/oakum XDG_RUNTIME_DIR --root
	mkdir -m 0 "$W/closed"
	fails 1 "$OAKUM" --root "$W/closed" list
	says "$W/closed" "Permission denied" --root
	fails 1 env XDG_RUNTIME_DIR="$W/closed" "$OAKUM" run -b "$B" "$C"
	says "$W/closed/oakum" "Permission denied" --root
	[[ "$errors" != *XDG_RUNTIME_DIR* ]]
}

# bats test_tags=cgroupfs:bus
@test "so it is for root of a user namespace, unless it is called root" {
	rootless_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	ok unshare -Ur env USER=somebody "$OAKUM" run -d -b "$B" "$C"
	[ -e "$XDG_RUNTIME_DIR/oakum/$C/state.json" ]
	ok unshare -Ur env -u USER "$OAKUM" list -q
	is "$output" "$C"
	ok "$OAKUM" delete --force "$C"
	fails 1 unshare -Ur env USER=root "$OAKUM" run -b "$B" "$C"
	says /run/oakum "unset USER" XDG_RUNTIME_DIR --root
	fails 1 unshare -Ur env -u XDG_RUNTIME_DIR "$OAKUM" run -b "$B" "$C"
	says /run/oakum "set XDG_RUNTIME_DIR" --root
	# A directory of the host's root, whoever we call ourselves.
	fails 6 unshare -Ur "$OAKUM" --root /etc list
	says "belongs to uid 65534" --root
	rm -rf "$XDG_RUNTIME_DIR/oakum"
}

# bats test_tags=alone
@test "root of a user namespace, as in an unshared shell" {
	rootless_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	edit '.process.args = ["cat", "/proc/self/uid_map"]'
	ok unshare -Ur "$OAKUM" --root "$W/root" run -b "$B" "$C"
	is "$(xargs <<<"$output")" "0 0 1"
	edit '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	ok unshare -Ur "$OAKUM" --root "$W/root" run -b "$B" "$C"
}

# bats test_tags=alone
@test "devices are the host's, bound; doctor agrees with run" {
	rootless_bundle '.process.args = ["sh", "-c", "echo x >/dev/null && head -c 4 /dev/urandom | wc -c && stat -c %t:%T /dev/null /dev/full"]'
	ok oakum doctor "$B"
	ok oakum run -b "$B" "$C"
	is "$(xargs <<<"$output")" "4 1:3 1:7"
	rootless_bundle '.linux.resources.memory = {limit: 10000000}'
	fails 6 oakum run -b "$B" "$C"
	run oakum doctor "$B" </dev/null
	is "$status" 6
	[[ "$output" == *"delegation"* ]]
}

@test "restore, which criu has for root alone, says so" {
	rootless_bundle
	mkdir saved
	echo '["/dev/null","/dev/null","/dev/null"]' >saved/descriptors.json
	fails 6 oakum restore -d -b "$B" --image-path saved "$C"
	says "start criu" "Operation not permitted" root
	fails 4 oakum state "$C"
	[ ! -e "$ROOT/$C" ]
}
