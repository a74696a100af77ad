#!/usr/bin/env bats
# The controllers that few ask for, in the kernel's own files: block I/O, huge pages, network, the unified map.
load ../lib/common

# The first block device that takes a limit: MAJOR:MINOR in $device.
block_device() {
	local name
	for name in /sys/block/*; do
		case $name in */loop* | */ram* | */zram*) continue ;; esac
		[ -e "$name/dev" ] || continue
		device=$(<"$name/dev")
		return
	done
	skip "no block device to limit"
}

v1() { [ -d "/sys/fs/cgroup/$1" ] && [ "$(stat -f -c %T "/sys/fs/cgroup/$1")" = cgroupfs ]; }
v2_dir() { awk -F: '$1 == 0 { print $3 }' "/proc/$(pid_of)/cgroup"; }

# bats test_tags=root:cgroup
@test "block I/O: rates of a device, the same device twice" {
	block_device
	if on_v2 && ! grep -qw io /sys/fs/cgroup/cgroup.controllers; then
		skip "this machine's v2 hierarchy has no io controller (tests/vm/run has)"
	fi
	sleeper ".linux.resources = {blockIO: {
		throttleReadBpsDevice: [{major: ${device%:*}, minor: ${device#*:}, rate: 1048576}, {major: ${device%:*}, minor: ${device#*:}, rate: 2097152}],
		throttleWriteIOPSDevice: [{major: ${device%:*}, minor: ${device#*:}, rate: 500}]}}"
	ok oakum run -d -b "$B" "$C"
	if on_v2; then
		grep -q "^$device rbps=2097152 wbps=max riops=max wiops=500" "$(cgroup_dir io)/io.max"
	else
		is "$(cat "$(cgroup_dir blkio)/blkio.throttle.read_bps_device")" "$device 2097152"
		is "$(cat "$(cgroup_dir blkio)/blkio.throttle.write_iops_device")" "$device 500"
	fi
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "block I/O: a device that does not exist is an error that names it" {
	if on_v2 && ! grep -qw io /sys/fs/cgroup/cgroup.controllers; then
		skip "this machine's v2 hierarchy has no io controller (tests/vm/run has)"
	fi
	bundle '.linux.resources = {blockIO: {throttleReadBpsDevice: [{major: 4000, minor: 1, rate: 1}]}}'
	fails 1 oakum create -b "$B" "$C"
	says "/linux/resources" "4000:1" "ENODEV"
}

# bats test_tags=root:cgroup
@test "block I/O: a weight the kernel has no file for is an error that names it" {
	v1 blkio || skip "blkio is not a v1 hierarchy here"
	if [ -e /sys/fs/cgroup/blkio/blkio.bfq.weight ] || [ -e /sys/fs/cgroup/blkio/blkio.weight ]; then
		sleeper '.linux.resources = {blockIO: {weight: 500}}'
		ok oakum run -d -b "$B" "$C"
		is "$(cat "$(cgroup_dir blkio)"/blkio{.bfq,}.weight 2>/dev/null | tr -dc 0-9)" 500
		ok oakum delete -f "$C"
	else
		bundle '.linux.resources = {blockIO: {weight: 500}}'
		fails 6 oakum create -b "$B" "$C"
		says "/linux/resources" "blkio.weight" "bfq"
	fi
}

# bats test_tags=root:cgroup
@test "huge pages: limit and reservation" {
	local dir file
	sleeper '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
	if ! v1 hugetlb && ! grep -qw hugetlb /sys/fs/cgroup{,/unified}/cgroup.controllers 2>/dev/null; then
		fails 6 oakum create -b "$B" "$C"
		says hugetlb
		return
	fi
	ok oakum run -d -b "$B" "$C"
	if v1 hugetlb; then
		is "$(cat "$(cgroup_dir hugetlb)/hugetlb.2MB.limit_in_bytes")" 4194304
		is "$(cat "$(cgroup_dir hugetlb)/hugetlb.2MB.rsvd.limit_in_bytes")" 4194304
	else
		for dir in /sys/fs/cgroup /sys/fs/cgroup/unified; do
			file=$dir$(v2_dir)/hugetlb.2MB.max
			[ -e "$file" ] || continue
			is "$(cat "$file")" 4194304
			is "$(cat "${file%max}rsvd.max")" 4194304
			found=yes
		done
		is "${found-}" yes
	fi
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "huge pages: a size the kernel does not have is an error that names its file" {
	bundle '.linux.resources = {hugepageLimits: [{pageSize: "3MB", limit: 4194304}]}'
	fails 6 oakum create -b "$B" "$C"
	says hugetlb
}

# bats test_tags=root:cgroup
@test "network: class and priorities, or where they are missing" {
	sleeper '.linux.resources = {network: {classID: 1048577, priorities: [{name: "lo", priority: 3}]}}'
	if v1 net_cls && v1 net_prio; then
		ok oakum run -d -b "$B" "$C"
		is "$(cat "$(cgroup_dir net_cls)/net_cls.classid")" 1048577
		ok oakum delete -f "$C"
	else
		fails 6 oakum create -b "$B" "$C"
		says "/linux/resources" net_cls
	fi
}

# bats test_tags=root:cgroup
@test "unified: a file of the v2 tree, or why not" {
	sleeper '.linux.resources = {unified: {"hugetlb.2MB.max": "4194304"}}'
	if v1 hugetlb; then
		fails 6 oakum create -b "$B" "$C"
		says "invalid configuration" "/linux/resources/unified/hugetlb.2MB.max"
	elif grep -qw hugetlb /sys/fs/cgroup{,/unified}/cgroup.controllers 2>/dev/null; then
		ok oakum run -d -b "$B" "$C"
		is "$(cat /sys/fs/cgroup{,/unified}"$(v2_dir)"/hugetlb.2MB.max 2>/dev/null)" 4194304
		ok oakum delete -f "$C"
	else
		fails 6 oakum create -b "$B" "$C"
	fi
}

# bats test_tags=root:cgroup
@test "unified: a controller of v1, one nobody has, a file nobody has" {
	bundle '.linux.resources = {unified: {"foo.max": "1"}}'
	fails 6 oakum create -b "$B" "$C"
	on_v2 || ls -d /sys/fs/cgroup/unified >/dev/null 2>&1 && says "the requested cgroup controller \`foo\` is not available"
	bundle '.linux.resources = {unified: {"memory.min": "131072"}}' "$W/second"
	if v1 memory; then
		fails 6 oakum create -b "$W/second" "$C"
		says "invalid configuration"
	fi
	bundle '.linux.resources = {unified: {"cgroup.nofile": "1"}}' "$W/third"
	fails 3 oakum create -b "$W/third" "$C"
	says "/linux/resources/unified/cgroup.nofile" "not a limit"
}

@test "rdma: what the kernel says of an unknown device" {
	bundle '.linux.resources = {rdma: {mlx5_9: {hcaHandles: 2}}}'
	fails 1 oakum create -b "$B" "$C" || fails 6 oakum create -b "$B" "$C"
	says rdma
}
