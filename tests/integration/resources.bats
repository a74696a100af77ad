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
	need_controllers io
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
	need_controllers io
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
@test "block I/O: a weight of a device with another scheduler than bfq is an error that names the scheduler" {
	local file
	block_device
	on_v2 && file=init/io.bfq.weight || file=blkio/blkio.bfq.weight_device
	[ -e "/sys/fs/cgroup/$file" ] || skip "no bfq in this kernel"
	! grep -q '\[bfq\]' "/sys/dev/block/$device/queue/scheduler" || skip "$device has bfq"
	bundle ".linux.resources = {blockIO: {weightDevice: [{major: ${device%:*}, minor: ${device#*:}, weight: 300}]}}"
	fails 1 oakum create -b "$B" "$C"
	says /linux/resources/blockIO EOPNOTSUPP "/sys/dev/block/$device/queue/scheduler"
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
		bundle '.linux.resources = {network: {priorities: [{name: "nope0", priority: 3}]}}'
		fails 1 oakum create -b "$B" "$C"
		says /linux/resources/network/priorities ENODEV "ip link"
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

# bats test_tags=root:cgroup
@test "unified: a CPU partition that the kernel takes and does not make is an error, and no update" {
	on_v2 || skip "v1 has no partitions"
	need_controllers cpuset
	bundle '.linux.resources = {unified: {"cpuset.cpus.partition": "root"}}'
	fails 1 oakum create -b "$B" "$C"
	says "/linux/resources/unified/cpuset.cpus.partition" 'the kernel made it "root invalid ('
	sleeper '.linux.resources = {unified: {"cpuset.cpus.partition": "member"}}'
	ok oakum run -d -b "$B" "$C"
	echo '{"unified": {"cpuset.cpus.partition": "root"}}' >limits.json
	fails 1 oakum update -r limits.json "$C"
	says 'the kernel made it "root invalid ('
	is "$(cat "/sys/fs/cgroup$(v2_dir)/cpuset.cpus.partition")" member
	ok oakum delete -f "$C"
}

@test "rdma: what the kernel says of an unknown device" {
	bundle '.linux.resources = {rdma: {mlx5_9: {hcaHandles: 2}}}'
	fails "$(in_kernel rdma && has_controller rdma && echo 1 || echo 6)" oakum create -b "$B" "$C"
	says /linux/resources/rdma
	! in_kernel rdma || ! has_controller rdma || says ENODEV /sys/class/infiniband
}

# has V1-FILE V2-FILE WANT [WANT-V2]: in the kernel's file of the container's cgroup.
has() {
	local file=$1 want=$3
	if on_v2; then
		file=$2 want=${4-$3}
	fi
	[ "$file" = - ] || is "$file $(cat "$(cgroup_dir "${1%%.*}")/$file")" "$file $want"
}

need() {
	need_controllers "$1"
	on_v2 || v1 "$1" || skip "$1 is not a v1 hierarchy here"
}

# bats test_tags=root:cgroup
@test "cpu at creation: burst, idle, quota and period each alone" {
	need cpu
	sleeper '.linux.resources.cpu = {quota: 20000, period: 50000, burst: 10000}'
	ok oakum create -b "$B" "$C"
	has cpu.cfs_quota_us cpu.max 20000 "20000 50000"
	has cpu.cfs_burst_us cpu.max.burst 10000
	ok oakum delete -f "$C"
	edit '.linux.resources.cpu = {quota: 30000}'
	ok oakum create -b "$B" "$C"
	has cpu.cfs_quota_us cpu.max 30000 "30000 100000"
	ok oakum delete -f "$C"
	edit '.linux.resources.cpu = {period: 70000}'
	ok oakum create -b "$B" "$C"
	has cpu.cfs_quota_us cpu.max -1 "max 70000"
	has cpu.cfs_period_us cpu.max 70000 "max 70000"
	ok oakum delete -f "$C"
	edit '.linux.resources.cpu = {idle: 1, shares: 100}'
	ok oakum create -b "$B" "$C"
	says "/linux/resources/cpu/shares" "unable to apply both"
	has cpu.idle cpu.idle 1
	ok oakum delete -f "$C"
	edit '.linux.resources.cpu = {period: 100}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/resources/cpu/period
}

# bats test_tags=root:cgroup
@test "cpu at creation: realtime, where the parent has a budget for it" {
	local top=/sys/fs/cgroup/cpu
	on_v2 && skip "cgroup v2 has no realtime limits"
	need cpu
	[ -e $top/cpu.rt_runtime_us ] || skip "no realtime limits in this kernel"
	sleeper '.linux.cgroupsPath = "/pod/web" | .linux.resources.cpu = {realtimeRuntime: 5000, realtimePeriod: 200000}'
	fails 1 oakum create -b "$B" "$C"
	says "cpu realtime runtime" "its parent cgroup has 0"
	echo 50000 2>/dev/null >$top/cpu.rt_runtime_us || skip "no realtime budget is left on this machine"
	mkdir $top/pod
	echo 40000 >$top/pod/cpu.rt_runtime_us
	ok oakum create -b "$B" "$C"
	is "$(cat $top/pod/web/cpu.rt_runtime_us) $(cat $top/pod/web/cpu.rt_period_us)" "5000 200000"
	ok oakum delete -f "$C"
	rmdir $top/pod
	until_true eval 'echo 0 2>/dev/null >$top/cpu.rt_runtime_us'
	find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -name pod -exec rmdir {} +
}

# bats test_tags=root:cgroup
@test "memory at creation: swappiness and the OOM killer, which only v1 lets go of; reservation alone" {
	need memory
	sleeper '.linux.resources.memory = {limit: 33554432, swappiness: 7, disableOOMKiller: true}'
	if on_v2; then
		fails 6 oakum create -b "$B" "$C"
		says "memory swappiness" "cgroup v2"
		edit 'del(.linux.resources.memory.swappiness)'
		fails 6 oakum create -b "$B" "$C"
		says "OOM killer" "cgroup v2"
	else
		ok oakum create -b "$B" "$C"
		has memory.swappiness - 7
		grep -q "^oom_kill_disable 1$" "$(cgroup_dir memory)/memory.oom_control"
		ok oakum delete -f "$C"
	fi
	edit '.linux.resources.memory = {reservation: 16777216, kernel: 1, kernelTCP: 1, useHierarchy: true}'
	ok oakum create -b "$B" "$C"
	has memory.soft_limit_in_bytes memory.low 16777216
	has memory.limit_in_bytes memory.max 9223372036854771712 max
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "pids at creation: 0 is 1, -1 is none" {
	need pids
	sleeper '.linux.resources.pids = {limit: 0}'
	ok oakum create -b "$B" "$C"
	has pids.max pids.max 1
	ok oakum delete -f "$C"
	edit '.linux.resources.pids = {limit: -1}'
	ok oakum create -b "$B" "$C"
	has pids.max pids.max max
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "a controller that is missing is named with where it is missing" {
	local part name
	on_v2 || skip "v1 only"
	for part in '{memory: {limit: 33554432}}' '{pids: {limit: 9}}' '{cpu: {shares: 99}}' '{cpu: {cpus: "0"}}' '{blockIO: {weight: 99}}' '{rdma: {mlx5_0: {hcaHandles: 1}}}'; do
		name=$(jq -nr "$part | keys[0]")
		name=$(sed 's/blockIO/io/' <<<"$name")
		[ "$part" != '{cpu: {cpus: "0"}}' ] || name=cpuset
		! grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || continue
		rm -rf "$B"
		bundle ".linux.resources = $part"
		fails 6 oakum create -b "$B" "$C"
		says "controller $name"
		if awk -v c="$name" '($1 == c || c == "io" && $1 == "blkio") && $2 != 0 { found = 1 } END { exit !found }' /proc/cgroups; then
			says "belongs to a cgroup v1 hierarchy, not to /sys/fs/cgroup"
		else
			says "is not in this kernel" || says "is not in /sys/fs/cgroup/cgroup.controllers"
		fi
	done
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a controller that the cgroup above cannot pass on is named with that one" {
	on_v2 || skip "v1 passes nothing on"
	grep -qw hugetlb /sys/fs/cgroup/cgroup.controllers || skip "no hugetlb in this v2 hierarchy"
	sleep 1000 &
	mkdir /sys/fs/cgroup/busy
	echo $! >/sys/fs/cgroup/busy/cgroup.procs
	bundle '.linux.cgroupsPath = "/busy/web" | .linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 2097152}]'
	fails 6 oakum create -b "$B" "$C"
	says "enable controller hugetlb in /sys/fs/cgroup/busy/cgroup.subtree_control" "processes live in"
	kill $!
	wait $! || :
	rmdir /sys/fs/cgroup/busy
}
