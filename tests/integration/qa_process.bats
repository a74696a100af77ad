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
