#!/usr/bin/env bats
# Resource control on whatever hierarchy the enclosure shows (v1 hybrid, or v2 with run-bats -2).
load ../lib/common

limits='.linux.resources = {memory: {limit: 67108864, swap: 67108864}, cpu: {shares: 512, quota: 50000, period: 100000}, pids: {limit: 17}, devices: [{allow: false, access: "rwm"}]}'

has() { [ -e "/sys/fs/cgroup/$1" ] || { on_v2 && grep -qw "$1" /sys/fs/cgroup/cgroup.controllers; }; }

# bats test_tags=root:cgroup
@test "limits are written: memory, cpu, pids" {
	need_controllers memory
	sleeper "$limits"
	ok oakum run -d -b "$B" "$C"
	if on_v2; then
		d=$(cgroup_dir memory)
		is "$(cat "$d/memory.max")" 67108864
		is "$(cat "$d/memory.swap.max" 2>/dev/null || echo 0)" 0
		is "$(cat "$d/cpu.max")" "50000 100000"
		is "$(cat "$d/pids.max")" 17
	else
		is "$(cat "$(cgroup_dir memory)/memory.limit_in_bytes")" 67108864
		is "$(cat "$(cgroup_dir cpu)/cpu.shares")" 512
		is "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us")" 50000
		is "$(cat "$(cgroup_dir pids)/pids.max")" 17
	fi
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "cpuset" {
	need_controllers cpuset
	sleeper '.linux.resources = {cpu: {cpus: "0", mems: "0"}}'
	ok oakum run -d -b "$B" "$C"
	is "$(cat "$(cgroup_dir cpuset)/cpuset.cpus")" 0
	ok oakum exec "$C" grep Cpus_allowed_list /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output")" 0
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "a pids limit is felt" {
	need_controllers memory
	bundle '.linux.resources = {pids: {limit: 5}} | .process.args = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; echo done"]'
	local rc=0
	oakum run -b "$B" "$C" </dev/null >"$W/out" 2>&1 || rc=$?
	grep -qi "can't fork" "$W/out"
}

@test "the memory limit kills" {
	need_controllers memory
	bundle '.linux.resources = {memory: {limit: 8388608, swap: 8388608}} | .process.args = ["sh", "-c", "x=$(head -c 100000000 /dev/zero | tr \"\\\\0\" x); echo survived"]'
	local rc=0
	oakum run -b "$B" "$C" </dev/null >"$W/out" 2>/dev/null || rc=$?
	! grep -q survived "$W/out"
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "cgroupsPath is where the container is, in every hierarchy" {
	sleeper '.linux.cgroupsPath = "/our/deep/path"'
	ok oakum run -d -b "$B" "$C"
	pid=$(pid_of)
	if on_v2; then
		is "$(grep ^0:: "/proc/$pid/cgroup")" 0::/our/deep/path
	else
		is "$(grep -c ':/our/deep/path$' "/proc/$pid/cgroup")" "$(wc -l <"/proc/$pid/cgroup")"
	fi
	ok oakum delete -f "$C"
	is "$(find /sys/fs/cgroup -type d -name our)" ""
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a relative cgroupsPath, and none: absolute, ending in the id" {
	sleeper '.linux.cgroupsPath = "rel"'
	ok oakum run -d -b "$B" "$C"
	grep -q 'rel$' "/proc/$(pid_of)/cgroup"
	ok oakum delete -f "$C"
	sleeper
	ok oakum run -d -b "$B" "$C"
	grep -q ":/.*/$C$" "/proc/$(pid_of)/cgroup"
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "a container started from inside another cgroup is not nested below it" {
	on_v2 && skip "v1 only: on v2 this cgroup is the enclosure's init already"
	sleeper
	mkdir /sys/fs/cgroup/pids/caller
	(
		echo 0 >/sys/fs/cgroup/pids/caller/cgroup.procs 2>/dev/null || echo $BASHPID >/sys/fs/cgroup/pids/caller/cgroup.procs
		exec "$OAKUM" --root "$ROOT" run -d -b "$B" "$C" </dev/null >/dev/null
	)
	case $(grep :pids: "/proc/$(pid_of)/cgroup") in *caller*) false ;; esac
	ok oakum delete -f "$C"
	rmdir /sys/fs/cgroup/pids/caller
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a cgroup with a process in it is refused at once" {
	sleeper '.linux.cgroupsPath = "/taken"'
	d=/sys/fs/cgroup/$(on_v2 || echo pids/)taken
	mkdir "$d"
	sleep 1000 &
	p=$!
	echo $p >"$d/cgroup.procs"
	start=$SECONDS
	fails 4 oakum run -b "$B" "$C"
	says taken "not empty"
	[ $((SECONDS - start)) -lt 30 ]
	kill $p
	wait $p || :
	rmdir "$d"
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a frozen cgroup is refused at once" {
	sleeper '.linux.cgroupsPath = "/ice"'
	if on_v2; then
		d=/sys/fs/cgroup/ice
		mkdir $d
		echo 1 >$d/cgroup.freeze
	else
		d=/sys/fs/cgroup/freezer/ice
		mkdir $d
		echo FROZEN >$d/freezer.state
	fi
	start=$SECONDS
	fails 4 oakum run -b "$B" "$C"
	says ice frozen
	[ $((SECONDS - start)) -lt 30 ]
	rmdir $d
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "cgroups of others stay: only what oakum made is removed" {
	sleeper '.linux.cgroupsPath = "/mine/c"'
	d=/sys/fs/cgroup/$(on_v2 || echo pids/)mine
	mkdir "$d"
	ok oakum run -d -b "$B" "$C"
	ok oakum delete -f "$C"
	[ -d "$d" ]
	rmdir "$d"
}

# bats test_tags=root:cgroup
@test "device rules by access: read allowed, write refused" {
	# No driver has these numbers: ENXIO (6) is what an open that the rules allow gets, EPERM (1) a refused one.
	bundle '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 240, minor: 99, access: "r"}] |
		.linux.devices = [{path: "/dev/none", type: "c", major: 240, minor: 99, fileMode: 438}] |
		.process.args = ["sh", "-c", "inside open /dev/none r; inside open /dev/none w; inside open /dev/none rw; inside open /dev/zero rw"]'
	oakum run -b "$B" "$C" </dev/null >"$W/out" || :
	is "$(tr '\n' ' ' <"$W/out")" "6 1 1 ok "
}

@test "unified on v1 is refused by name, on v2 it overrides" {
	if on_v2; then
		need_controllers memory
		sleeper '.linux.resources = {pids: {limit: 10}, unified: {"pids.max": "11"}}'
		oakum run -d -b "$B" "$C" </dev/null 2>"$W/err" || { grep -q /linux/resources/unified "$W/err"; return; }
		is "$(cat "$(cgroup_dir pids)/pids.max")" 11
		ok oakum delete -f "$C"
	else
		bundle '.linux.resources.unified = {"pids.max": "11"}'
		local rc=0
		oakum run -b "$B" "$C" </dev/null 2>"$W/err" || rc=$?
		[ $rc != 0 ]
		grep -q /linux/resources/unified "$W/err"
	fi
}

# bats test_tags=root:cgroup
@test "pause freezes children too, and processes that fork" {
	bundle '.process.args = ["sh", "-c", "while :; do (sleep 0.001; :) & wait; done"]'
	ok oakum run -d -b "$B" "$C"
	for _ in {1..10}; do
		ok oakum pause "$C"
		is "$(status_of)" paused
		ok oakum resume "$C"
	done
	ok oakum pause "$C"
	ok oakum kill "$C" KILL
	ok oakum delete "$C"
}

# bats test_tags=root:cgroup
@test "v2: without a cgroup namespace, rw is for who could remount it" {
	on_v2 || skip "cgroup v1 shows its own directories alone"
	local look='.linux.namespaces |= map(select(.type != "cgroup")) | (.mounts[] | select(.type == "cgroup") | .options) = ["nosuid", "noexec", "nodev", "rw"] |
		(.process.capabilities | .bounding, .permitted, .effective) += ["CAP_DAC_OVERRIDE"] |
		.process.args = ["sh", "-c", "cat /proc/self/cgroup; for d in /sys/fs/cgroup /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup | tail -n 1); do mkdir $d/inside && rmdir $d/inside && echo made; done"]'
	bundle "$look"
	run oakum run -b "$B" "$C" </dev/null
	is "$(grep -c 'Read-only file system' <<<"$output")" 2
	[[ "$output" != *made* ]]
	bundle "$look | .process.capabilities.bounding += [\"CAP_SYS_ADMIN\"]"
	ok oakum run -b "$B" "$C"
	is "$(grep -c made <<<"$output")" 2
	# What was asked to be read-only is.
	bundle "$look | .process.capabilities.bounding += [\"CAP_SYS_ADMIN\"] | (.mounts[] | select(.type == \"cgroup\") | .options) |= map(if . == \"rw\" then \"ro\" else . end)"
	run oakum run -b "$B" "$C" </dev/null
	is "$(grep -c 'Read-only file system' <<<"$output")" 2
	bundle "$look | .process.capabilities.bounding += [\"CAP_SYS_ADMIN\"] | .linux.namespaces += [{type: \"user\"}]"
	run oakum run -b "$B" "$C" </dev/null
	is "$(grep -c 'Read-only file system' <<<"$output")" 2
}
