#!/usr/bin/env bats
# linux.namespaces of type time and linux.timeOffsets, looked at from inside.
load ../lib/common

time_ns='.linux.namespaces += [{type: "time"}]'
offsets='.linux.timeOffsets = {monotonic: {secs: 86400, nanosecs: 7}, boottime: {secs: 172800}}'

# off BY-MONOTONIC BY-BOOTTIME FROM "MONOTONIC BOOTTIME": are these clocks, read now, so far from FROM?
off() {
	local m b
	read -r m b <<<"$4"
	read -r m0 b0 <<<"$3"
	m=$((m - m0 - $1)) b=$((b - b0 - $2))
	[ $m -ge 0 ] && [ $m -lt 120 ] && [ $b -ge 0 ] && [ $b -lt 120 ] || { echo "off by $m and $b"; return 1; }
}

@test "offsets of both clocks, in a namespace of its own" {
	bundle "$time_ns | $offsets | .process.args = [\"sh\", \"-c\", \"inside clock; readlink /proc/self/ns/time; readlink /proc/self/ns/time_for_children; cat /proc/self/timens_offsets\"]"
	before=$("$LIB/inside" clock)
	ok oakum run -b "$B" "$C"
	off 86400 172800 "$before" "$(sed -n 1p <<<"$output")"
	[ "$(sed -n 2p <<<"$output")" != "$(readlink /proc/self/ns/time)" ]
	is "$(sed -n 2p <<<"$output")" "$(sed -n 3p <<<"$output")"
	is "$(sed -n 4,5p <<<"$output" | tr -s ' \n' ' ')" "monotonic 86400 7 boottime 172800 0 "
}

@test "without offsets they are zero, without a namespace they are the host's" {
	bundle "$time_ns | .process.args = [\"sh\", \"-c\", \"inside clock; readlink /proc/self/ns/time\"]"
	before=$("$LIB/inside" clock)
	ok oakum run -b "$B" "$C"
	off 0 0 "$before" "$(sed -n 1p <<<"$output")"
	[ "$(sed -n 2p <<<"$output")" != "$(readlink /proc/self/ns/time)" ]
	bundle '.process.args = ["readlink", "/proc/self/ns/time"]'
	ok oakum run -b "$B" "$C"
	is "$output" "$(readlink /proc/self/ns/time)"
}

# bats test_tags=root:ids
@test "with a user namespace, which owns it" {
	bundle "$time_ns | $offsets | .linux.namespaces += [{type: \"user\"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.process.args = [\"inside\", \"clock\"]"
	before=$("$LIB/inside" clock)
	ok oakum run -b "$B" "$C"
	off 86400 172800 "$before" "$output"
}

# bats test_tags=root:kernel
@test "hooks inside, exec into a created and into a running container: the same clocks" {
	sleeper "$time_ns | $offsets | .hooks = {startContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"inside clock > /hook; readlink /proc/self/ns/time >> /hook\"]}]}"
	before=$("$LIB/inside" clock)
	ok oakum create -b "$B" "$C"
	is "$(readlink "/proc/$(pid_of)/ns/time")" "$(readlink "/proc/$(pid_of)/ns/time_for_children")"
	ok oakum exec "$C" inside clock
	off 86400 172800 "$before" "$output"
	ok oakum start "$C"
	ok oakum exec "$C" sh -c 'inside clock; readlink /proc/self/ns/time'
	off 86400 172800 "$before" "$(sed -n 1p <<<"$output")"
	is "$(sed -n 2p <<<"$output")" "$(readlink "/proc/$(pid_of)/ns/time")"
	off 86400 172800 "$before" "$(sed -n 1p "$B/rootfs/hook")"
	is "$(sed -n 2p "$B/rootfs/hook")" "$(readlink "/proc/$(pid_of)/ns/time")"
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "joined by path: its offsets stay" {
	sleeper "$time_ns | $offsets"
	before=$("$LIB/inside" clock)
	ok oakum run -d -b "$B" "$C"
	bundle ".linux.namespaces += [{type: \"time\", path: \"/proc/$(pid_of)/ns/time\"}] | .process.args = [\"sh\", \"-c\", \"inside clock; readlink /proc/self/ns/time\"]" "$W/second"
	ok oakum run -b "$W/second" "$C-second"
	off 86400 172800 "$before" "$(sed -n 1p <<<"$output")"
	is "$(sed -n 2p <<<"$output")" "$(readlink "/proc/$(pid_of)/ns/time")"
	edit "$offsets" "$W/second"
	fails 3 oakum run -b "$W/second" "$C-second"
	says /linux/timeOffsets joined
	ok oakum delete -f "$C"
}

@test "offsets that cannot be are errors with their pointer, and nothing is left" {
	bundle "$offsets"
	fails 3 oakum run -b "$B" "$C"
	says /linux/timeOffsets "time namespace"
	bundle "$time_ns | .linux.timeOffsets = {boottime: {secs: -9000000000}}"
	fails 1 oakum run -b "$B" "$C"
	says /linux/timeOffsets ERANGE boottime
	bundle "$time_ns | .linux.timeOffsets = {realtime: {secs: 5}}"
	fails 3 oakum run -b "$B" "$C"
	says /linux/timeOffsets/realtime
	bundle "$time_ns | .linux.timeOffsets = {monotonic: {secs: 1, nanosecs: 1000000000}}"
	fails 3 oakum run -b "$B" "$C"
	says /linux/timeOffsets/monotonic/nanosecs
	fails 4 oakum state "$C"
}

@test "features lists time namespaces" {
	ok oakum features
	is "$(jq -r '.linux.namespaces | index("time") != null' <<<"$output")" true
}
