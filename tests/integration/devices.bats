#!/usr/bin/env bats
# bats file_tags=root:devices
# linux.devices, seen from inside: nodes, their owners and modes, with and without a user namespace.
load ../lib/common

# seen FORMAT PATH…: stat(1) of them in the container of the bundle.
seen() {
	local format=$1
	shift
	edit ".process.args = $(jq -cn '["stat", "-c", $ARGS.positional[]] ' --args "$format" "$@")"
	ok oakum run -b "$B" "$C"
}

full_mapping='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 100000}] | .linux.gidMappings = .linux.uidMappings'

@test "devices of every type have the type, number, owner and mode that were asked for" {
	bundle '.linux.devices = [
		{path: "/dev/char", type: "c", major: 1, minor: 3, uid: 10, gid: 11, fileMode: 420},
		{path: "/dev/unbuffered", type: "u", major: 1, minor: 5, fileMode: 384},
		{path: "/dev/new/sub/block", type: "b", major: 1, minor: 5, uid: 1, gid: 2, fileMode: 111},
		{path: "/dev/fifo", type: "p", uid: 3, gid: 4, fileMode: 432}]'
	umask 077
	seen "%n %F %t:%T %u:%g %a" /dev/char /dev/unbuffered /dev/new/sub/block /dev/fifo
	is "$output" "/dev/char character special file 1:3 10:11 644
/dev/unbuffered character special file 1:5 0:0 600
/dev/new/sub/block block special file 1:5 1:2 157
/dev/fifo fifo 0:0 3:4 660"
}

@test "a device's path may end in a slash or have two of them" {
	bundle '.linux.devices = [{path: "/dev/slash/", type: "c", major: 1, minor: 3}, {path: "/dev//two", type: "c", major: 1, minor: 5}]'
	seen "%n %t:%T" /dev/slash /dev/two
	is "$output" "/dev/slash 1:3
/dev/two 1:5"
}

@test "default devices that are listed too stay root's with mode 666, and ptmx stays a pty's" {
	bundle '.linux.devices = [
		{path: "/dev/tty", type: "c", major: 5, minor: 0, uid: 0, gid: 0, fileMode: 438},
		{path: "/dev/ptmx", type: "c", major: 5, minor: 2, uid: 0, gid: 0, fileMode: 438}]'
	edit '.process.args = ["sh", "-c", "stat -Lc \"%t:%T %u:%g %a\" /dev/tty /dev/ptmx"]'
	ok oakum run -b "$B" "$C"
	is "$output" "5:0 0:0 666
5:2 0:0 666"
}

@test "a mount on the very path of a device stays, and what is mounted there is not changed" {
	local mounts user
	echo text >"$W/file"
	mknod -m 640 "$W/zero" c 1 5
	mounts='.mounts += [{destination: "/dev/random", source: "/dev/urandom", type: "bind", options: ["bind"]},
		{destination: "/dev/null", source: "'$W'/file", type: "bind", options: ["bind"]},
		{destination: "/dev/own", source: "'$W'/zero", type: "bind", options: ["bind"]}]
		| .linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 5, uid: 5, fileMode: 438}]
		| .process.args = ["sh", "-c", "stat -c \"%n %t:%T\" /dev/random; cat /dev/null; stat -c %a:%u /dev/own"]'
	for user in . "$full_mapping"; do
		bundle "$user | $mounts"
		ok oakum doctor "$B"
		ok oakum run -b "$B" "$C"
		is "$output" "/dev/random 1:9
text
640:0"
		is "$(stat -c %a:%u "$W/zero")" 640:0
	done
}

@test "in a user namespace, a device that the host does not have has its owner and mode, and opens" {
	bundle "$full_mapping | .linux.devices = [
		{path: \"/dev/char\", type: \"c\", major: 1, minor: 5, uid: 10, gid: 11, fileMode: 111},
		{path: \"/dev/sub/zero\", type: \"c\", major: 1, minor: 5, fileMode: 438},
		{path: \"/dev/block\", type: \"b\", major: 1, minor: 5, uid: 5, gid: 6, fileMode: 384},
		{path: \"/dev/fifo\", type: \"p\", uid: 3, gid: 4, fileMode: 432}]
		| .linux.resources.devices = [{allow: true, access: \"rwm\"}]"
	seen "%n %F %t:%T %u:%g %a" /dev/char /dev/sub/zero /dev/block /dev/fifo
	is "$output" "/dev/char character special file 1:5 10:11 157
/dev/sub/zero character special file 1:5 0:0 666
/dev/block block special file 1:5 5:6 600
/dev/fifo fifo 0:0 3:4 660"
	edit '.process.args = ["sh", "-c", "head -c 3 /dev/sub/zero | wc -c; grep /dev/sub/zero /proc/self/mountinfo"]'
	ok oakum run -b "$B" "$C"
	is "$(head -1 <<<"$output")" 3
	prints "nosuid" "noexec"
	edit '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {} | .process.args = ["head", "-c", "1", "/dev/char"] | .linux.devices[0].fileMode = 384'
	fails 1 oakum run -b "$B" "$C"
	says "Permission denied"
	edit '.process.user = {uid: 10, gid: 11}'
	ok oakum run -b "$B" "$C"
	is "$(wc -c <"$W/stdout")" 1
}

@test "in a user namespace, ids of an own mapping are the container's, and one outside is refused" {
	bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| .linux.devices = [{path: "/dev/char", type: "c", major: 1, minor: 5, uid: 10, gid: 11}]'
	chown -R 100000:100000 "$B/rootfs/dev"
	chmod 755 "$W"
	seen "%u:%g" /dev/char
	is "$output" 10:11
	edit '.linux.devices[0].gid = 5000'
	fails 3 oakum create -b "$B" "$C"
	says "/linux/devices/0/gid" "not mapped"
}

@test "in a user namespace, a device that the host has is the host's, nosuid and noexec" {
	bundle "$full_mapping | .linux.devices = [{path: \"/dev/full\", type: \"c\", major: 1, minor: 7}, {path: \"/dev/kmsg\", type: \"c\", major: 1, minor: 11}]
		| .process.args = [\"grep\", \"/dev/kmsg\", \"/proc/self/mountinfo\"]"
	[ -c /dev/kmsg ] || mknod /dev/kmsg c 1 11
	ok oakum run -b "$B" "$C"
	prints "nosuid" "noexec"
}
