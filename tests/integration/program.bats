#!/usr/bin/env bats
# A program that does not run: the words that engines match, and beside them the reason.
load ../lib/common

setup_program() {
	sleeper "${1-.}"
	mkdir -p "$B/rootfs/p"
	# A hard link of the fixture is not to be written to: these are files of our own.
	printf '%s' "${2-}" >"$B/rootfs/p/x"
	chmod "${3-755}" "$B/rootfs/p/x"
}

# An ELF header for machine $2, with a loader $3 where one is given, into file $1.
elf() {
	{
		printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0'
		# shellcheck disable=SC2059
		printf "$2"
		printf '\x01\0\0\0'
		printf '\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\x38\0\x01\0\0\0\0\0\0\0'
		printf '\x03\0\0\0\x04\0\0\0\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x $((${#3} + 1)))\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0%s\0" "${3-}"
	} >"$1"
}

# refused STATUS TEXT...: as the container's program, by run and by create and start, and by exec.
refused() {
	local status=$1
	shift
	edit '.process.args = ["/p/x"]'
	fails "$status" oakum run -b "$B" "$C"
	says "$@"
	ok oakum create -b "$B" "$C"
	fails "$status" oakum start "$C"
	says /process/args/0 "$@"
	ok oakum delete --force "$C"
	edit '.process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1000 & wait $!; done"]'
	ok oakum run -d -b "$B" "$C"
	fails "$status" oakum exec "$C" /p/x
	says "$@"
	ok oakum delete --force "$C"
}

@test "a #! line that names nothing that exists" {
	setup_program . $'#!/none/such -x\n'
	refused 127 "exec /p/x: no such file or directory" "its #! line names /none/such, which does not exist"
}

@test "a #! line that ends in a carriage return" {
	setup_program . $'#!/bin/sh\r\necho hello\r\n'
	refused 127 "exec /p/x: no such file or directory" '"/bin/sh\r": convert the file from CRLF to LF'
}

@test "a loader that does not exist" {
	setup_program
	elf "$B/rootfs/p/x" '\x3e\0' /lib/ld-musl-x86_64.so.1
	[ "$(uname -m)" = x86_64 ] || skip "the made file is for x86_64"
	refused 127 "exec /p/x: no such file or directory" "the loader it needs, /lib/ld-musl-x86_64.so.1, does not exist" "musl"
}

@test "a program for another machine" {
	setup_program
	elf "$B/rootfs/p/x" '\xb7\0' /lib/ld.so
	[ "$(uname -m)" = x86_64 ] || skip "the made file is for aarch64"
	refused 126 "exec /p/x: exec format error" "the program is for aarch64, this machine is x86_64"
}

@test "a text file without #!, an empty one, a byte order mark" {
	setup_program . $'echo hello\n'
	refused 126 "exec /p/x: exec format error" "a text file without #!"
	: >"$B/rootfs/p/x"
	refused 126 "exec /p/x: exec format error" "the file is empty"
	printf '\xef\xbb\xbf#!/bin/sh\n' >"$B/rootfs/p/x"
	refused 126 "exec /p/x: exec format error" "byte order mark"
}

@test "no execute permission for anybody" {
	setup_program . $'#!/bin/sh\n' 644
	refused 126 "exec /p/x: permission denied" "no execute permission for anybody (mode 0644): chmod +x"
}

# bats test_tags=root:kernel
@test "no execute permission for this user, a directory that is closed to it" {
	setup_program '.process.user = {uid: 1000, gid: 1000}' $'#!/bin/sh\n' 700
	refused 126 "exec /p/x: permission denied" "mode 0700 of 0:0 does not let 1000:1000 execute it"
	chmod 700 "$B/rootfs/p"
	refused 126 "exec /p/x: permission denied" "the directory /p may not be searched by uid 1000"
}

@test "a file system mounted noexec" {
	setup_program '.mounts += [{destination: "/p", type: "bind", source: "files", options: ["bind", "noexec"]}]'
	mkdir "$B/files"
	printf '#!/bin/sh\n' >"$B/files/x"
	chmod 755 "$B/files/x"
	refused 126 "exec /p/x: permission denied" "mounted noexec"
}

@test "somebody has the program open for writing" {
	setup_program . $'#!/bin/sh\n'
	exec 5>>"$B/rootfs/p/x"
	refused 126 "exec /p/x" ETXTBSY "open for writing"
	exec 5>&-
}

@test "interpreters in a circle" {
	setup_program . $'#!/p/x\n'
	refused 126 "exec /p/x" ELOOP "scripts themselves"
}

@test "a directory, a dangling link, a directory that is not there: refused by create" {
	setup_program
	for program in /p /p/ ./p; do
		edit ".process.args = [\"$program\"]"
		fails 126 oakum create -b "$B" "$C"
		says /process/args/0 "permission denied" "it is a directory"
	done
	ln -s /none/such "$B/rootfs/p/link"
	edit '.process.args = ["/p/link"]'
	fails 127 oakum create -b "$B" "$C"
	says "stat /p/link: no such file or directory" "a symbolic link to /none/such, which does not exist"
	edit '.process.args = ["/opt/app/bin/x"]'
	fails 127 oakum create -b "$B" "$C"
	says "no such file or directory" "/opt is missing"
	edit '.process.args = ["none"] | .process.env = ["PATH=/bin:/p"]'
	fails 127 oakum create -b "$B" "$C"
	says "executable file not found in \$PATH" "none of /bin:/p has it"
}

@test "a filter that kills whoever opens a file: the plain reason arrives" {
	setup_program '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["open", "openat", "stat", "newfstatat", "statx", "statfs", "getxattr", "access"], action: "SCMP_ACT_KILL_PROCESS"}]}' $'#!/none/such\n'
	edit '.process.args = ["/p/x"]'
	ok oakum create -b "$B" "$C"
	fails 127 oakum start "$C"
	says "exec /p/x: no such file or directory"
	ok oakum delete --force "$C"
}

@test "a filter that forbids execve" {
	setup_program '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: "SCMP_ACT_ERRNO"}]}' $'#!/bin/sh\n'
	refused_start() {
		ok oakum create -b "$B" "$C"
		fails 126 oakum start "$C"
		says "exec /p/x" EPERM "the seccomp profile may forbid execve"
		ok oakum delete --force "$C"
	}
	edit '.process.args = ["/p/x"]'
	refused_start
}

@test "a hook that does not run names the reason too" {
	setup_program
	printf '#!/none/such\n' >"$W/hook"
	chmod 755 "$W/hook"
	edit ".hooks = {createRuntime: [{path: \"/bin/true\"}, {path: \"$W/hook\"}]}"
	fails 1 oakum create -b "$B" "$C"
	says /hooks/createRuntime/1 "execute $W/hook" ENOENT "its #! line names /none/such"
	chmod 644 "$W/hook"
	fails 1 oakum create -b "$B" "$C"
	says EACCES "chmod +x"
}
