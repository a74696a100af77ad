#!/usr/bin/env bats
# Scheduler, CPUs, I/O priority, memory policy and personality, as the kernel shows them to the process.
load ../lib/common

# seen FILTER: what `inside sched` prints in a container with it.
seen() {
	bundle "$1 | .process.args = [\"inside\", \"sched\"]"
	ok oakum run -b "$B" "$C"
}

# bats test_tags=root:cgroup
@test "scheduler: nice, batch, idle, and the flag that children begin anew" {
	seen '.process.scheduler = {policy: "SCHED_OTHER", nice: 7}'
	prints "policy=0 nice=7"
	seen '.process.scheduler = {policy: "SCHED_BATCH", nice: -3}'
	prints "policy=3 nice=-3"
	seen '.process.scheduler = {policy: "SCHED_IDLE"}'
	prints "policy=5"
	seen '.process.scheduler = {policy: "SCHED_BATCH", nice: 1, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	prints "policy=3 nice=1 priority=0 flags=1"
}

# bats test_tags=root:cgroup
@test "scheduler: deadline, or why not" {
	bundle '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 20000000, period: 30000000} | .process.args = ["inside", "sched"]'
	if oakum run -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err"; then
		grep -q "policy=6 .*runtime=10000000" "$W/out"
	else
		grep -q "/process/scheduler: sched_setattr" "$W/err"
	fi
	bundle '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 20000000, period: 20000000}
		| .linux.resources.cpu = {cpus: "0", mems: "0"} | .process.args = ["inside", "sched"]' "$W/second"
	if [ -e /sys/fs/cgroup/cpuset/cpuset.cpus ]; then
		fails 1 oakum run -b "$W/second" "$C"
		says "process scheduler can't be used together with AllowedCPUs" /process/scheduler
	fi
}

@test "scheduler: a realtime policy is the container's, or the error names what is missing" {
	bundle '.process.scheduler = {policy: "SCHED_RR", priority: 4} | .process.args = ["inside", "sched"]'
	if oakum run -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err"; then
		grep -q "policy=2 nice=0 priority=4" "$W/out"
	else
		grep -q "/process/scheduler: sched_setattr: SCHED_RR: Operation not permitted (EPERM); .*CAP_SYS_NICE.*rt_runtime" "$W/err"
	fi
}

# bats test_tags=root:cgroup
@test "I/O priority, inherited by exec, overridden by a process.json" {
	sleeper '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6} | .process.scheduler = {policy: "SCHED_BATCH", nice: 2}
		| .linux.memoryPolicy = {mode: "MPOL_PREFERRED", nodes: "0"} | .linux.personality = {domain: "LINUX32"}'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" inside sched
	prints "policy=3 nice=2 " "io=2:6" "personality=8"
	[[ $output == *memory=-1:* ]] || prints "memory=1:1"
	jq -n '{args: ["inside", "sched"], cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"], scheduler: {policy: "SCHED_IDLE"}, ioPriority: {class: "IOPRIO_CLASS_IDLE"}}' >process.json
	ok oakum exec --process process.json "$C"
	prints "policy=5" "io=3:"
	ok oakum exec "$C" uname -m
	is "$output" i686
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "I/O priority classes" {
	seen '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
	prints "io=3:"
	bundle '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 2} | .process.args = ["inside", "sched"]'
	ok oakum run -b "$B" "$C"
	prints "io=1:2"
}

# bats test_tags=root:cgroup
@test "personality" {
	bundle '.linux.personality = {domain: "LINUX32", flags: []} | .process.args = ["uname", "-m"]'
	ok oakum run -b "$B" "$C"
	is "$output" i686
	bundle '.linux.personality = {domain: "LINUX"} | .process.args = ["uname", "-m"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality"], action: "SCMP_ACT_ERRNO"}]}'
	ok oakum run -b "$B" "$C"
	is "$output" "$(uname -m)"
	bundle '.linux.personality = {domain: "LINUX32"} | .process.args = ["uname", "-m"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality", "sched_setattr", "ioprio_set", "set_mempolicy"], action: "SCMP_ACT_KILL"}]}
		| .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 1} | .process.scheduler = {policy: "SCHED_BATCH"}'
	ok oakum run -b "$B" "$C"
	is "$output" i686
}

@test "memory policy: every mode in numa_maps, and its errors" {
	local mode want
	[ -e /proc/self/numa_maps ] || {
		bundle '.linux.memoryPolicy = {mode: "MPOL_LOCAL"}'
		fails 6 oakum run -b "$B" "$C"
		says /linux/memoryPolicy NUMA
		return
	}
	while read -r mode want; do
		bundle ".linux.memoryPolicy = $mode | .process.args = [\"head\", \"-n\", \"1\", \"/proc/self/numa_maps\"]"
		ok oakum run -b "$B" "$C"
		prints " ${want//_/ }"
	done <<-'END'
		{mode:"MPOL_INTERLEAVE",nodes:"0"} interleave:0
		{mode:"MPOL_BIND",nodes:"0"} bind:0
		{mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_STATIC_NODES"]} bind=static:0
		{mode:"MPOL_PREFERRED",nodes:"0",flags:["MPOL_F_STATIC_NODES"]} prefer=static:0
		{mode:"MPOL_PREFERRED",nodes:"0",flags:["MPOL_F_RELATIVE_NODES"]} prefer=relative:0
		{mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_NUMA_BALANCING"]} bind=balancing:0
		{mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_RELATIVE_NODES","MPOL_F_NUMA_BALANCING"]} bind=relative|balancing:0
		{mode:"MPOL_PREFERRED_MANY",nodes:"0"} prefer_(many):0
		{mode:"MPOL_PREFERRED",nodes:"0"} prefer:0
		{mode:"MPOL_LOCAL",nodes:""} local
		{mode:"MPOL_DEFAULT"} default
	END
	bundle '.linux.memoryPolicy = {mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"} | .process.args = ["head", "-n", "1", "/proc/self/numa_maps"]'
	if oakum run -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err"; then
		grep -q "weighted interleave:0" "$W/out"
	else
		grep -q "MPOL_WEIGHTED_INTERLEAVE.*Linux 6.9" "$W/err"
	fi
	bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
	fails 1 oakum run -b "$B" "$C"
	says '/linux/memoryPolicy: set_mempolicy: MPOL_BIND, nodes "1000"' EINVAL "does not have"
	bundle '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}'
	fails 1 oakum run -b "$B" "$C"
	says /linux/memoryPolicy EINVAL "MPOL_BIND or MPOL_PREFERRED_MANY"
	sleeper '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0"}'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" head -n 1 /proc/self/numa_maps
	prints interleave:0
	ok oakum delete -f "$C"
}

@test "memory policy: what is refused before anything is done" {
	local policy says
	while IFS='|' read -r policy says; do
		bundle ".linux.memoryPolicy = $policy"
		fails 3 oakum run -b "$B" "$C"
		says /linux/memoryPolicy "$says"
	done <<-'END'
		{}|invalid memory policy mode
		{mode:"INTERLEAVE"}|invalid memory policy mode
		{mode:"MPOL_DEFAULT",nodes:"0-7"}|invalid memory policy: mode requires 0 nodes but got 8
		{mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_FAST"]}|invalid memory policy flag
		{mode:"MPOL_BIND",nodes:"123456"}|invalid memory policy node
		{mode:"MPOL_BIND",nodes:"x"}|invalid memory policy node
		{mode:"MPOL_BIND",nodes:"1-0"}|invalid memory policy node
		{mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]}|invalid memory policy
		{mode:"MPOL_PREFERRED",flags:["MPOL_F_NUMA_BALANCING"]}|invalid memory policy
		{mode:"MPOL_INTERLEAVE"}|invalid memory policy
		{mode:"MPOL_INTERLEAVE",nodes:""}|invalid memory policy
	END
}

@test "scheduler: SCHED_DEADLINE is judged before it is asked for, in crun's words" {
	local scheduler says
	while IFS='|' read -r scheduler says; do
		bundle ".process.scheduler = {policy: \"SCHED_DEADLINE\"} + $scheduler"
		fails 3 oakum run -b "$B" "$C"
		says /process/scheduler "sched_setattr: \`SCHED_DEADLINE\` $says"
	done <<-'END'
		{deadline:3000}|requires `runtime`
		{runtime:3000}|requires `deadline`
		{runtime:0,deadline:3000}|runtime must be greater than 0
		{runtime:4000,deadline:3000}|runtime `4000` must be <= deadline `3000`
		{runtime:4000,deadline:5000,period:4500}|deadline `5000` must be <= period `4500`
		{runtime:512,deadline:1000000}|runtime `512` must be between `
		{runtime:10000000000000000000,deadline:10000000000000000000}|runtime `10000000000000000000` must be between `
	END
}

# bats test_tags=root:kernel
@test "scheduler: what this kernel has not" {
	local scheduler says
	while IFS='|' read -r scheduler says; do
		bundle ".process.scheduler = $scheduler | .process.args = [\"inside\", \"sched\"]"
		if oakum run -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err"; then
			grep -q "policy=" "$W/out"
		else
			grep -q "/process/scheduler: sched_setattr: .*$says" "$W/err"
		fi
	done <<-'END'
		{policy:"SCHED_EXT"}|CONFIG_SCHED_CLASS_EXT
		{policy:"SCHED_OTHER",flags:["SCHED_FLAG_UTIL_CLAMP_MAX"]}|CONFIG_UCLAMP_TASK
		{policy:"SCHED_DEADLINE",runtime:2000,deadline:3000}|sched_deadline_period_min_us
	END
	bundle '.process.scheduler = {policy: "SCHED_ISO"}'
	fails 3 oakum run -b "$B" "$C"
	says "no kernel has SCHED_ISO" /process/scheduler/policy
}

# allowed COMMAND…: Cpus_allowed_list of a process that it starts.
allowed() {
	ok "$@"
	output=$(awk '/Cpus_allowed_list/ { print $2 }' <<<"$output")
}

# bats test_tags=root:cgroup
@test "the caller's CPUs are not the container's" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	local all
	all=$(awk '/Cpus_allowed_list/ { print $2 }' /proc/self/status)
	sleeper
	ok taskset -c 0 "$OAKUM" --root "$ROOT" run -d -b "$B" "$C"
	is "$(awk '/Cpus_allowed_list/ { print $2 }' "/proc/$(pid_of)/status")" "$all"
	allowed taskset -c 1 "$OAKUM" --root "$ROOT" exec "$C" cat /proc/self/status
	is "$output" "$all"
	ok oakum delete -f "$C"
	if [ -e /sys/fs/cgroup/cpuset/cpuset.cpus ]; then
		sleeper '.linux.resources.cpu = {cpus: "1", mems: "0"}'
		ok taskset -c 0 "$OAKUM" --root "$ROOT" run -d -b "$B" "$C"
		is "$(awk '/Cpus_allowed_list/ { print $2 }' "/proc/$(pid_of)/status")" 1
		allowed taskset -c 0 "$OAKUM" --root "$ROOT" exec "$C" cat /proc/self/status
		is "$output" 1
		ok oakum delete -f "$C"
	fi
}

@test "execCPUAffinity: from config.json and from a process.json, and CPUs nobody has" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	sleeper '.process.execCPUAffinity = {initial: "0", final: "1"}'
	ok oakum run -d -b "$B" "$C"
	allowed oakum exec "$C" cat /proc/self/status
	is "$output" 1
	for final in 0 0-1 0,1; do
		jq -n --arg f "$final" '{args: ["cat", "/proc/self/status"], cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"], execCPUAffinity: {initial: "1", final: $f}}' >process.json
		allowed oakum exec --process process.json "$C"
		is "$output" "${final/,/-}"
	done
	# "initial" is for the way only.
	jq -n '{args: ["cat", "/proc/self/status"], cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"], execCPUAffinity: {initial: "1"}}' >process.json
	allowed taskset -c 0 "$OAKUM" --root "$ROOT" exec --process process.json "$C"
	is "$output" "$(awk '/Cpus_allowed_list/ { print $2 }' /proc/self/status)"
	for part in initial final; do
		jq -n --arg p $part '{args: ["true"], cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"], execCPUAffinity: {($p): "4000"}}' >process.json
		fails 255 oakum exec --process process.json "$C"
		says "/process/execCPUAffinity/$part: set the CPU affinity: Invalid argument (EINVAL)"
	done
	for bad in 8192 1- a 2-1 "0 1"; do
		jq -n --arg l "$bad" '{args: ["true"], cwd: "/", env: ["PATH=/bin"], execCPUAffinity: {final: $l}}' >process.json
		fails 255 oakum exec --process process.json "$C"
		says /execCPUAffinity/final
	done
	ok oakum delete -f "$C"
}

# The calls that set an affinity, in their order, with the write that joins the cgroup.
# bats test_tags=root:cgroup
@test "execCPUAffinity: initial before the cgroup is joined, final behind it, the command's own afterwards" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	sleeper '.process.execCPUAffinity = {initial: "1", final: "0"}'
	ok oakum run -d -b "$B" "$C"
	ok taskset -c 0-1 strace -f -o "$W/strace" -e trace=sched_setaffinity,clone3,execve "$OAKUM" --root "$ROOT" exec "$C" true
	calls() { grep "^$1 " "$W/strace" | grep -oE 'sched_setaffinity\([^]]*\]|clone3\(|execve\("/bin/true"' | sed 's/(0, [0-9]*, /(/; s/ \.\.\.\]/]/; s/\]$/])/; s/clone3(/clone3/' | tr '\n' ' '; }
	parent=$(awk '/clone3/ { print $1; exit }' "$W/strace")
	child=$(awk '/"\/bin\/true"/ { print $1; exit }' "$W/strace")
	is "$(calls "$parent")" 'sched_setaffinity([1]) clone3 sched_setaffinity([0 1]) '
	is "$(calls "$child")" 'sched_setaffinity([0]) execve("/bin/true" '
	ok oakum delete -f "$C"
}
