#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Which descriptors reach a container's process, its hooks and its waiting init: those asked for.

load ../lib/common

numbers() { cut -d' ' -f1 <<<"$output" | paste -sd' '; }

@test "LISTEN_FDS and --preserve-fds add up: the listening ones first" {
	bundle '.process.args = ["sh", "-c", "inside fds | cut -d\" \" -f1; cat <&5; inside listen"]'
	echo five >"$W/five"
	LISTEN_FDS=1 ok oakum run --preserve-fds 2 -b "$B" "$C" 3<"$B/config.json" 4<"$B/config.json" 5<"$W/five" 6<"$B/config.json" 7<"$B"
	is "$(paste -sd' ' <<<"${output% pid=*}")" "0 1 2 3 4 5 five LISTEN_FDS=1 LISTEN_PID=1"
}

@test "of LISTEN_FDS as many as there are, and no number of more" {
	local rt
	bundle '.process.args = ["sh", "-c", "inside fds | cut -d\" \" -f1; inside listen"]'
	for rt in run "up --rm"; do
		# shellcheck disable=SC2086
		LISTEN_FDS=4 ok oakum --log "$W/log" $rt -b "$B" "$C" 3<"$B/config.json" 4<"$B/config.json" 5<&-
		is "$(paste -sd' ' <<<"${output% pid=*}")" "0 1 2 3 4 LISTEN_FDS=2 LISTEN_PID=1"
		oakum delete --force "$C" || :
		# shellcheck disable=SC2086
		LISTEN_FDS=2 ok oakum $rt -b "$B" "$C" 3<&- 4<"$B/config.json"
		is "$(paste -sd' ' <<<"${output% pid=*}")" "0 1 2 LISTEN_FDS=- LISTEN_PID=-"
		oakum delete --force "$C" || :
	done
}

@test "none asked for, none there: whatever the caller has open without close-on-exec" {
	bundle '.process.args = ["inside", "fds"]'
	ok oakum run -b "$B" "$C" 3<"$B" 4<"$B/config.json" 9</proc 77<"$B"
	is "$(numbers)" "0 1 2"
	ok oakum run --preserve-fds 0 -b "$B" "$C" 3<"$B" 40<"$B/config.json"
	is "$(numbers)" "0 1 2"
}

@test "exec: LISTEN_FDS and --preserve-fds with gaps; more than are open" {
	sleeper
	ok oakum run -d --bundle "$B" "$C"
	LISTEN_FDS=1 ok oakum exec --preserve-fds 3 "$C" inside fds 3<"$B/config.json" 4<&- 5<"$B/config.json" 6<"$B/config.json" 7<"$B"
	is "$(numbers)" "0 1 2 3 5 6"
	ok oakum exec --preserve-fds 100 "$C" inside fds 50<"$B/config.json" 3<&- 4<&-
	is "$(numbers | sed 's/ [3-9]\b//g; s/ [1-4][0-9]\b//g')" "0 1 2 50"
	ok oakum exec "$C" inside fds 3<"$B" 4<"$B"
	is "$(numbers)" "0 1 2"
	ok oakum delete --force "$C"
}

# bats test_tags=root:ids
@test "with every feature that opens something, the program has 0, 1 and 2" {
	bundle '.process.args = ["inside", "fds"] | .process.user = {uid: 1000, gid: 1000}
		| .linux.namespaces += [{type: "user"}, {type: "cgroup"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO"}]}
		| .annotations = {"run.oci.hooks.stdout": "out.log", "run.oci.hooks.stderr": "err.log"}
		| .hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}]}
		| .mounts += [{destination: "/b", type: "bind", source: "/run/tmp", options: ["rbind", "ro"]}, {destination: "/t", type: "tmpfs", source: "t", options: ["tmpcopyup"]}]'
	chmod 755 "$W" "$B"
	mkdir -p "$B/rootfs/b" "$B/rootfs/t" "$B/rootfs$W/host.sock"
	"$LIB/inside" notified "$W/host.sock" 1 3>&- &
	local receiver=$!
	ok env NOTIFY_SOCKET="$W/host.sock" "$OAKUM" --root "$ROOT" run -b "$B" "$C"
	kill $receiver
	rm -f "$W/host.sock"
	is "$(numbers)" "0 1 2"
}

@test "a created container's init holds no file, no directory of the host's" {
	bundle '.process.args = ["inside", "ignore"] | .annotations = {"run.oci.hooks.stdout": "out.log"} | .hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}]}'
	ok env NOTIFY_SOCKET=/run/x/notify "$OAKUM" --root "$ROOT" create -b "$B" "$C" 3<"$B" 4<"$B/config.json"
	local pid fd
	pid=$(pid_of)
	for fd in /proc/"$pid"/fd/*; do
		[ "${fd##*/}" -gt 2 ] || continue
		case $(readlink "$fd") in
		socket:* | pipe:* | anon_inode:*) ;;
		*) is "$(stat -L -f -c %T "$fd")" proc ;;
		esac
	done
	ok oakum start "$C"
	is "$(ls "/proc/$pid/fd" | paste -sd' ')" "0 1 2"
	ok oakum delete --force "$C"
}

@test "hooks get neither preserved descriptors nor the caller's" {
	bundle '.process.args = ["inside", "fds"] | .hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "inside fds >/seen"]}]}'
	ok oakum run --preserve-fds 2 -b "$B" "$C" 3<"$B/config.json" 4<"$B/config.json"
	is "$(numbers)" "0 1 2 3 4"
	is "$(cut -d' ' -f1 "$B/rootfs/seen" | paste -sd' ')" "0 1 2"
}
