#!/usr/bin/env bats
# What the container's program is born with, whatever the caller looked like.
load ../lib/common

@test "signals that the caller ignores or blocks are as new in the container" {
	bundle '.process.args = ["grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"]'
	trap '' USR1 PIPE HUP
	ok oakum run -b "$B" "$C"
	is "$(awk '{ print $2 }' <<<"$output" | sort -u)" 0000000000000000
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" grep SigIgn /proc/self/status
	is "${output#*:}" $'\t0000000000000000'
	ok oakum delete -f "$C"
	ok oakum up --rm --rootfs "$B/rootfs" "$C" -- grep SigIgn /proc/self/status
	is "${output#*:}" $'\t0000000000000000'
}

# bats test_tags=root:ids
@test "exec joins the container's session keyring, in a user namespace too" {
	local users='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	for filter in . "$users"; do
		sleeper "$filter | .linux.maskedPaths = []"
		ok oakum run -d -b "$B" "$C"
		ok oakum exec "$C" grep "_ses.$C" /proc/keys
		is "$(wc -l <<<"$output")" 1
		serial=${output%% *}
		ok oakum exec -u 1000 "$C" true
		ok oakum exec "$C" grep "_ses.$C" /proc/keys
		is "${output%% *}" "$serial"
		ok oakum delete -f "$C"
		ok oakum run -d --no-new-keyring -b "$B" "${C}n"
		ok oakum exec "${C}n" cat /proc/keys
		case $output in *"_ses.${C}n"*) false ;; esac
		ok oakum delete -f "${C}n"
	done
}

# bats test_tags=root:kernel
@test "what is probably a slip in config.json is said, and a capability of another kernel is no error" {
	bundle '.linux.maskedPath = ["/proc/kcore"] | .process.capabilities.bounding += ["CAP_TELEPORT"]'
	ok oakum run -b "$B" "$C"
	says '/linux/maskedPath: not known and ignored; did you mean "maskedPaths"?' \
		'/process/capabilities/bounding/3: unknown capability "CAP_TELEPORT" is not granted'
	bundle '.linux.netDevices = {eth9: {}}'
	fails 3 oakum run -b "$B" "$C"
	says /linux/netDevices
}

@test "hooks of the runtime start in the bundle, wherever the caller is" {
	local kinds='prestart createRuntime createContainer poststart poststop' k
	printf '#!/bin/sh\npwd >"$1"\n' >"$W/hook"
	chmod 755 "$W/hook"
	bundle ".hooks = ([\"${kinds// /\",\"}\"] | map({(.): [{path: \"$W/hook\", args: [\"hook\", (\"$W/\" + .)]}]}) | add)"
	cd /
	ok oakum create -b "$B" "$C"
	ok oakum start "$C"
	ok oakum delete -f "$C"
	for k in $kinds; do
		is "$(cat "$W/$k")" "$B"
	done
	# A bundle that is gone keeps no poststop hook from running.
	ok oakum create -b "$B" "$C"
	mv "$B" "$B.moved"
	ok oakum delete -f "$C"
	is "$(cat "$W/poststop")" /
}

@test "a directory is no program, and create says so" {
	bundle '.process.args = ["/etc"]'
	fails 126 oakum create -b "$B" "$C"
	says 'permission denied' /process/args/0
	fails 126 oakum run -b "$B" "$C"
}

@test "--log: file:PATH and PATH; another kind is refused" {
	fails 4 oakum --log "file:$W/log" state none
	grep -q 'level=error' "$W/log"
	fails 4 oakum --log "$W/a:b" state none
	grep -q 'level=error' "$W/a:b"
	fails 2 oakum --log "frob:$W/log" list
	says frob:
	ok oakum --log syslog:x list
	[ -S /dev/log ] || says /dev/log "nothing is logged"
	ok oakum --log journald:x list
	[ -S /run/systemd/journal/socket ] || says /run/systemd/journal/socket
	fails 2 oakum --log carrier-pigeon:x list
	says "no such kind of log"
}
