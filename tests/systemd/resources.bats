#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits are properties of the scope and stand in its cgroup, at creation and after updates, and survive
# daemon-reload. What needs a controller that this machine has not says so.
load common

# reads FILE VALUE: what the kernel has in the container's cgroup.
reads() {
	local dir now
	if on_v2; then
		dir=$(directory)
	else
		dir=/sys/fs/cgroup/${1%%.*}$(awk -F: -v c="${1%%.*}" '{ n = split($2, a, ","); for (i = 1; i <= n; i++) if (a[i] == c) print $3 }' "/proc/$(pid_of)/cgroup")
	fi
	now=$(cat "$dir/$1")
	[ "$now" = "$2" ] || { echo "$1 is '$now', not '$2'"; return 1; }
}

@test "memory: limit, reservation and swap" {
	need memory
	sleeper '.linux.resources.memory = {limit: 33554432, reservation: 16777216, swap: 50331648}'
	if ! on_v2; then
		edit 'del(.linux.resources.memory.swap)'
		ok sd run -d -b "$B" "$C"
		reads memory.limit_in_bytes 33554432
		shows MemoryLimit 33554432
		ok sd update --memory 64M "$C"
		shows MemoryLimit 67108864
	else
		ok sd run -d -b "$B" "$C"
		reads memory.max 33554432
		shows MemoryMax 33554432
		shows MemoryLow 16777216
		shows MemorySwapMax 16777216
		ok sd update --memory 64M --memory-swap 96M --memory-reservation 1M "$C"
		shows MemoryMax 67108864
		shows MemoryLow 1048576
		shows MemorySwapMax 33554432
		systemctl daemon-reload
		reads memory.max 67108864
		reads memory.low 1048576
		ok sd update --memory -1 "$C"
		shows MemoryMax infinity
		reads memory.max max
	fi
	ok sd delete --force "$C"
}

@test "cpu: quota with its period, one without the other, and shares" {
	need cpu
	sleeper '.linux.resources.cpu = {quota: 12345, period: 50000, shares: 1024}'
	ok sd run -d -b "$B" "$C"
	# 24.69 % is rounded up to a hundredth.
	shows CPUQuotaPerSecUSec 250ms
	shows CPUQuotaPeriodUSec 50ms
	if on_v2; then
		reads cpu.max "12345 50000"
		shows CPUWeight 100
	else
		reads cpu.cfs_quota_us 12345
		shows CPUShares 1024
	fi
	ok sd update --cpu-quota 25000 "$C"
	shows CPUQuotaPerSecUSec 500ms
	shows CPUQuotaPeriodUSec 50ms
	ok sd update --cpu-period 100000 "$C"
	shows CPUQuotaPerSecUSec 250ms
	shows CPUQuotaPeriodUSec 100ms
	systemctl daemon-reload
	! on_v2 || reads cpu.max "25000 100000"
	ok sd update --cpu-quota -1 --cpu-share 2048 "$C"
	shows CPUQuotaPerSecUSec infinity
	if on_v2; then
		shows CPUWeight 174
	else
		shows CPUShares 2048
	fi
	ok sd delete --force "$C"
}

@test "pids: a limit, none, and the least" {
	need pids
	sleeper '.linux.resources.pids.limit = 20'
	ok sd run -d -b "$B" "$C"
	reads pids.max 20
	shows TasksMax 20
	ok sd update --pids-limit -1 "$C"
	shows TasksMax infinity
	reads pids.max max
	ok sd delete --force "$C"
	bundle '.process.args = ["true"] | .linux.resources.pids.limit = 0'
	ok sd create -b "$B" "$C"
	shows TasksMax 1
	ok sd start "$C"
	until_true is_status stopped "$C"
	ok sd delete "$C"
}

@test "cpuset stands before the container starts" {
	need cpuset
	bundle '.process.args = ["grep", "Cpus_allowed_list", "/proc/self/status"] | .linux.resources.cpu = {cpus: "0", mems: "0"}'
	ok sd run -b "$B" "$C"
	prints "	0"
	sleeper '.linux.resources.cpu = {cpus: "0", mems: "0"}'
	ok sd run -d -b "$B" "$C"
	reads cpuset.cpus 0
	if on_v2; then
		shows AllowedCPUs 0
		shows AllowedMemoryNodes 0
	fi
	ok sd delete --force "$C"
}

@test "unified keys are properties too" {
	need memory
	on_v2 || skip "unified is for v2"
	sleeper '.linux.resources.unified = {"memory.high": "20M", "memory.min": "1M", "pids.max": "33", "cpu.weight": "77", "cpu.max": "30000 100000"}'
	ok sd run -d -b "$B" "$C"
	shows MemoryHigh 20971520
	shows MemoryMin 1048576
	shows TasksMax 33
	shows CPUWeight 77
	shows CPUQuotaPerSecUSec 300ms
	reads memory.high 20971520
	ok sd update -r - "$C" <<<'{"unified": {"memory.high": "40M"}}' || :
	printf '{"unified": {"memory.high": "40M", "cpu.weight": "88"}}' >"$W/more"
	ok sd update -r "$W/more" "$C"
	shows MemoryHigh 41943040
	shows CPUWeight 88
	ok sd delete --force "$C"
}

@test "cpu idle is a weight of 0" {
	need cpu
	on_v2 || skip "cpu.idle of v1 has no property"
	sleeper '.linux.resources.cpu = {idle: 1}'
	ok sd run -d -b "$B" "$C"
	reads cpu.idle 1
	shows CPUWeight idle
	ok sd update --pids-limit 30 "$C"
	reads cpu.idle 1
	ok sd update --cpu-share 200 --cpu-idle 1 "$C"
	says "unable to apply both"
	reads cpu.idle 1
	# Shares alone end it.
	ok sd update --cpu-share 200 "$C"
	reads cpu.idle 0
	reads cpu.weight 29
	shows CPUWeight 29
	ok sd delete --force "$C"
}

@test "device rules of an update are systemd's as well" {
	local allowed
	sleeper "$NODES"' | .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	ok sd run -d -b "$B" "$C"
	shows DevicePolicy strict
	opens /dev/fuse
	denied /dev/hpet
	allowed=$(property DeviceAllow)
	[[ $allowed == *"/dev/char/10:229 rw"* && $allowed == *"/dev/char/1:3 rwm"* ]]
	printf '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "r"}, {"allow": true, "type": "c", "major": 10, "minor": 228, "access": "r"}]}' >"$W/more"
	# What systemd is not even asked leaves them as they are, and all else.
	if on_v2; then
		jq '. + {unified: {"cgroup.max.descendants": "7"}}' "$W/more" >"$W/all"
	else
		jq '. + {pids: {limit: 7}}' "$W/more" >"$W/all"
	fi
	OAKUM_SYSTEMD_HELPER=/bin/false fails 1 sd update -r "$W/all" "$C"
	opens /dev/fuse
	denied /dev/hpet
	if on_v2; then reads cgroup.max.descendants max; else [ "$(cat "$(cgroup_dir pids)/pids.max")" != 7 ]; fi
	is "$(property DeviceAllow)" "$allowed"
	ok sd update -r "$W/more" "$C"
	allowed=$(property DeviceAllow)
	[[ $allowed != *"10:229"* && $allowed == *"/dev/char/10:228 r"* && $allowed == *"/dev/char/1:3 rwm"* ]]
	systemctl daemon-reload
	opens /dev/hpet
	denied /dev/fuse
	ok sd exec "$C" sh -c 'echo x >/dev/null'
	ok sd delete --force "$C"
}
