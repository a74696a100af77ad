#!/usr/bin/env bats
# Other limits for a container that lives: each value is read in the kernel's own files.
load ../lib/common

# value V1-FILE V2-FILE WANT: V2-FILE may be "-" (nothing to compare there).
value() {
	local controller=${1%%.*} file=$1 want=$3
	if on_v2; then
		[ "$2" != - ] || return 0
		file=$2
		want=${4-$3}
	fi
	is "$(cat "$(cgroup_dir "$controller")/$file")" "$want"
}

limited='.linux.resources = {memory: {limit: 33554432, reservation: 25165824, swap: 67108864}, cpu: {shares: 100, quota: 500000, period: 1000000}, pids: {limit: 20}, devices: [{allow: false, access: "rwm"}]}'

run_limited() {
	need_controllers memory
	[ -e "$(find /sys/fs/cgroup -maxdepth 2 -name memory.memsw.limit_in_bytes 2>/dev/null | head -n 1)" ] || on_v2 ||
		limited="$limited | del(.linux.resources.memory.swap)"
	sleeper "$limited"
	ok oakum run -d -b "$B" "$C"
}

# bats test_tags=root:cgroup
@test "a container that has used up its cpu quota is deleted nevertheless" {
	need_controllers memory
	bundle '.process.args = ["sh", "-c", "for i in 1 2 3 4 5 6; do (while :; do :; done) & done; wait"]'
	ok oakum run -d -b "$B" "$C"
	until_true has_processes 7
	ok oakum update --cpu-quota 1000 --cpu-period 1000000 "$C"
	ok oakum delete --force "$C"
}

# bats test_tags=root:cgroup
@test "one flag changes one limit and leaves the others" {
	run_limited
	value memory.limit_in_bytes memory.max 33554432
	ok oakum update "$C" --pids-limit 10
	value pids.max pids.max 10
	value memory.limit_in_bytes memory.max 33554432
	ok oakum update --memory 50M "$C"
	value memory.limit_in_bytes memory.max 52428800
	ok oakum update --memory 0.03125g "$C"
	value memory.limit_in_bytes memory.max 33554432
	value memory.soft_limit_in_bytes memory.low 25165824
	ok oakum update --memory-reservation=33554432 "$C"
	value memory.soft_limit_in_bytes memory.low 33554432
	ok oakum update "$C" --cpu-share 200
	value cpu.shares cpu.weight 200 29
	value cpu.cfs_quota_us cpu.max 500000 "500000 1000000"
	ok oakum update "$C" --cpu-quota 300000
	value cpu.cfs_quota_us cpu.max 300000 "300000 1000000"
	ok oakum update "$C" --cpu-period 900000
	value cpu.cfs_period_us cpu.max 900000 "300000 900000"
	ok oakum update "$C" --cpu-quota -1
	value cpu.cfs_quota_us cpu.max -1 "max 900000"
	ok oakum update "$C" --pids-limit -1
	value pids.max pids.max max
	ok oakum update "$C" --pids-limit 0
	value pids.max pids.max 1
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "memory and swap grow and shrink together" {
	run_limited
	[ -e "$(cgroup_dir memory)/memory.memsw.limit_in_bytes" ] || on_v2 || { ok oakum delete -f "$C"; skip "no swap accounting in this kernel"; }
	for size in 96 160 40 200 36; do
		ok oakum update "$C" --memory ${size}M --memory-swap $((2 * size))M
		value memory.limit_in_bytes memory.max $((size << 20))
		value memory.memsw.limit_in_bytes memory.swap.max $((2 * size << 20)) $((size << 20))
	done
	# Each alone only as far as the other lets it; then both are as they were.
	ok oakum update "$C" --memory 50M --memory-swap 80M
	if ! on_v2; then
		fails 1 oakum update "$C" --memory 90M
		says EINVAL "memory and swap together is 83886080" "give both"
		fails 1 oakum update "$C" --memory-swap 40M
		says EINVAL "the memory limit is 52428800" "give both"
	fi
	value memory.memsw.limit_in_bytes memory.swap.max $((80 << 20)) $((30 << 20))
	ok oakum update "$C" --memory-swap 60M
	value memory.limit_in_bytes memory.max $((50 << 20))
	value memory.memsw.limit_in_bytes memory.swap.max $((60 << 20)) $((10 << 20))
	ok oakum update "$C" --memory-swap -1
	value memory.limit_in_bytes memory.max $((50 << 20))
	value memory.memsw.limit_in_bytes memory.swap.max 9223372036854771712 max
	ok oakum update "$C" --memory 60M
	value memory.memsw.limit_in_bytes memory.swap.max 9223372036854771712 max
	ok oakum update "$C" --memory 60M --memory-swap 60M
	value memory.memsw.limit_in_bytes memory.swap.max $((60 << 20)) 0
	ok oakum update "$C" --memory -1
	on_v2 && is "$(cat "$(cgroup_dir memory)/memory.max") $(cat "$(cgroup_dir memory)/memory.swap.max")" "max max"
	on_v2 || [ "$(cat "$(cgroup_dir memory)/memory.memsw.limit_in_bytes")" -gt 1000000000000 ]
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "the JSON of --resources, from a file and from standard input" {
	run_limited
	echo '{"memory": {"limit": 41943040}, "cpu": {"shares": 300, "quota": 400000, "period": 800000}, "pids": {"limit": 15}}' >limits.json
	ok oakum update -r limits.json "$C"
	value memory.limit_in_bytes memory.max 41943040
	value cpu.cfs_period_us cpu.max 800000 "400000 800000"
	value pids.max pids.max 15
	echo '{"pids": {"limit": 16}}' | oakum update --resources - "$C"
	value pids.max pids.max 16
	ok oakum update -r limits.json --pids-limit 99 "$C"
	says "the other options are ignored"
	value pids.max pids.max 15
	# The burst: not above the quota at any moment.
	if [ -e "$(cgroup_dir cpu)/cpu.cfs_burst_us" ]; then
		ok oakum update --cpu-burst 200000 "$C"
		is "$(cat "$(cgroup_dir cpu)/cpu.cfs_burst_us")" 200000
		ok oakum update --cpu-burst 1000 --cpu-quota 2000 "$C"
		is "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us") $(cat "$(cgroup_dir cpu)/cpu.cfs_burst_us")" "2000 1000"
		fails 1 oakum update --cpu-burst 3000 "$C"
		says EINVAL "the quota is 2000"
		ok oakum update --cpu-burst 0 "$C"
	fi
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "the idle switch takes 0 and 1 and nothing else" {
	run_limited
	[ -e "$(cgroup_dir cpu)/cpu.idle" ] || { ok oakum delete -f "$C"; skip "no cpu.idle in this kernel"; }
	ok oakum update --cpu-idle 1 "$C"
	is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 1
	for bad in -1 2 3; do
		fails 3 oakum update --cpu-idle $bad "$C"
		says /cpu/idle
		is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 1
	done
	ok oakum update --pids-limit 7 "$C"
	is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 1
	# What is idle has no shares: the kernel refuses them, and of both at once idle it is.
	# (To systemd, idleness is a weight like others.)
	if [ "$OAKUM_ENCLOSED" != systemd ] || ! on_v2; then
		fails 1 oakum update --cpu-share 333 "$C"
		says EINVAL "cpu.idle is 1"
	fi
	ok oakum update --cpu-share 333 --cpu-idle 0 "$C"
	is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 0
	value cpu.shares cpu.weight 333 42
	for _ in 1 2; do
		ok oakum update --cpu-share 444 --cpu-idle 1 "$C"
		says "unable to apply both"
		is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 1
	done
	ok oakum update --cpu-idle 0 "$C"
	is "$(cat "$(cgroup_dir cpu)/cpu.idle")" 0
	value cpu.shares cpu.weight 1024 100
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "-r: who waits for its input keeps nobody else from the container" {
	need_controllers pids
	sleeper
	ok oakum run -d -b "$B" "$C"
	mkfifo input
	oakum update -r input "$C" 2>errors </dev/null 3>&- &
	local updater=$!
	# Open for writing: it has come as far as to read.
	exec 9>input
	ok oakum pause "$C"
	ok oakum resume "$C"
	echo '{"pids": {"limit": 33}}' >&9
	exec 9>&-
	wait $updater
	is "$(cat errors)" ""
	value pids.max pids.max 33
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "-r -: what is left of standard input, whatever that is" {
	need_controllers pids
	sleeper
	ok oakum run -d -b "$B" "$C"
	printf 'skip\n{"pids": {"limit": 34}}' >"$W/f"
	{ read -r _; "$OAKUM" --root "$ROOT" update -r - "$C"; } <"$W/f"
	value pids.max pids.max 34
	# A socket cannot be opened by a name; nor does it come in one piece, or wait by itself.
	perl -MSocket -MFcntl -e '
		socketpair($a, $b, AF_UNIX, SOCK_STREAM, 0) or die;
		if (!fork) { close $b; syswrite $a, "{\"pids\":"; select undef, undef, undef, 0.05; syswrite $a, "{\"limit\": 35}}"; exit }
		close $a; fcntl($b, F_SETFL, O_NONBLOCK); open STDIN, "<&", $b or die; exec @ARGV' \
		"$OAKUM" --root "$ROOT" update -r - "$C"
	value pids.max pids.max 35
	echo '{"pids": {"limit": "x"}}' >"$W/f"
	rc=0
	"$OAKUM" --root "$ROOT" update -r - "$C" <"$W/f" 2>"$W/stderr" || rc=$?
	is $rc 3
	grep -q "standard input:1:.*/pids/limit" "$W/stderr"
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "cpuset, also in the spelling that Go takes" {
	need_controllers cpuset
	sleeper '.linux.resources = {cpu: {cpus: "0", mems: "0"}}'
	ok oakum run -d -b "$B" "$C"
	[ "$(nproc)" -gt 1 ] || { ok oakum delete -f "$C"; skip "one CPU"; }
	ok oakum update --cpuset-cpus 1 "$C"
	value cpuset.cpus cpuset.cpus 1
	value cpuset.mems cpuset.mems 0
	echo '{"CPU": {"Cpus": "0-1", "Mems": "0"}}' | oakum update -r - "$C"
	value cpuset.cpus cpuset.cpus 0-1
	fails 1 oakum update --cpuset-cpus $(($(nproc --all) + 1)) "$C"
	says "cpuset cpus" "its parent cgroup has CPUs"
	value cpuset.cpus cpuset.cpus 0-1
	fails 1 oakum update --cpuset-mems 1000 "$C"
	says "cpuset mems" "its parent cgroup has memory nodes 0"
	fails 3 oakum update --cpuset-cpus 0-99999 "$C"
	says /cpu/cpus
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a quota above that of the parent is refused by name, period and quota may change at once" {
	need_controllers memory
	on_v2 && skip "v2 takes any quota"
	sleeper '.linux.cgroupsPath = "/pod/web" | .linux.resources = {cpu: {quota: 50000, period: 100000}}'
	mkdir -p /sys/fs/cgroup/cpu/pod
	echo 50000 >/sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us
	ok oakum run -d -b "$B" "$C"
	ok oakum update --cpu-quota 10000 --cpu-period 20000 "$C"
	ok oakum update --cpu-quota 50000 --cpu-period 100000 "$C"
	ok oakum update --cpu-quota 500000 --cpu-period 1000000 "$C"
	value cpu.cfs_period_us - 1000000
	fails 1 oakum update --cpu-quota 900000 "$C"
	says "cpu quota" EINVAL "the period is 1000000" parent
	value cpu.cfs_quota_us - 500000
	ok oakum delete -f "$C"
	find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -name pod -exec rmdir {} +
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "realtime: runtime and period, growing and shrinking at once, within what the parent has" {
	local top=/sys/fs/cgroup/cpu file d
	on_v2 && skip "cgroup v2 has no realtime limits"
	file=$top/cpu.rt_runtime_us
	[ -e "$file" ] || skip "no realtime limits in this kernel"
	echo 50000 >"$file" 2>/dev/null || skip "no realtime budget is left on this machine"
	mkdir $top/pod
	echo 40000 >$top/pod/cpu.rt_runtime_us
	sleeper '.linux.cgroupsPath = "/pod/web"'
	ok oakum run -d -b "$B" "$C"
	d=$(cgroup_dir cpu)
	ok oakum update --cpu-rt-runtime 30001 "$C"
	is "$(cat "$d/cpu.rt_runtime_us") $(cat "$d/cpu.rt_period_us")" "30001 1000000"
	echo '{"cpu": {"realtimePeriod": 500001, "realtimeRuntime": 15001}}' | oakum update -r - "$C"
	is "$(cat "$d/cpu.rt_runtime_us") $(cat "$d/cpu.rt_period_us")" "15001 500001"
	ok oakum update --cpu-rt-runtime 100 --cpu-rt-period 200000 "$C"
	ok oakum update --cpu-rt-runtime 35000 --cpu-rt-period 1000000 "$C"
	is "$(cat "$d/cpu.rt_runtime_us") $(cat "$d/cpu.rt_period_us")" "35000 1000000"
	fails 1 oakum update --cpu-rt-runtime 45000 --cpu-rt-period 900000 "$C"
	says "cpu realtime runtime" EINVAL "its parent cgroup has 40000"
	is "$(cat "$d/cpu.rt_runtime_us") $(cat "$d/cpu.rt_period_us")" "35000 1000000"
	ok oakum delete -f "$C"
	rmdir $top/pod
	# The kernel counts the budget of what was removed a little longer.
	until_true eval 'echo 0 2>/dev/null >"$file"'
	find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -name pod -exec rmdir {} +
}

# bats test_tags=root:cgroup
@test "what is in use is not taken away when that is asked for" {
	run_limited
	if on_v2; then
		echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}' >low.json
		fails 1 oakum update -r low.json "$C"
		says "rejecting memory limit" "leave checkBeforeUpdate out"
	else
		fails 1 oakum update --memory 4096 "$C"
		says "memory limit" EBUSY "bytes are in use"
	fi
	is "$(status_of)" running
	value memory.limit_in_bytes memory.max 33554432
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "a paused container stays paused" {
	run_limited
	ok oakum pause "$C"
	ok oakum update --pids-limit 11 "$C"
	value pids.max pids.max 11
	is "$(status_of)" paused
	ok oakum resume "$C"
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "device rules hold through updates and glitch at no time" {
	need_controllers memory
	mkdir -p "$B"
	bundle '.linux.resources = {devices: [{allow: false, access: "rwm"}], pids: {limit: 50}}
		| .linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11}]
		| .process.capabilities.bounding += ["CAP_SYSLOG"] | .process.capabilities.effective += ["CAP_SYSLOG"] | .process.capabilities.permitted += ["CAP_SYSLOG"]
		| .process.args = ["sh", "-c", "while :; do head -c 100 /dev/kmsg >/dev/null 2>&1 && echo opened && exit 1; done"]'
	oakum run -d -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err"
	for i in {1..30}; do
		ok oakum update --pids-limit $((30 + i % 5)) "$C"
	done
	is "$(status_of)" running
	is "$(cat "$W/out")" ""
	# And they may be replaced.
	echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]}' | oakum update -r - "$C"
	until_true is_status stopped "$C"
	is "$(cat "$W/out")" opened
	ok oakum delete "$C"
}

# bats test_tags=root:cgroup
@test "rates of a device" {
	local name device=
	need_controllers io
	for name in /sys/block/*; do
		case $name in */loop* | */ram* | */zram*) continue ;; esac
		[ -e "$name/dev" ] || continue
		device=$(<"$name/dev")
		break
	done
	[ -n "$device" ] || skip "no block device to limit"
	sleeper
	ok oakum run -d -b "$B" "$C"
	for rate in 1048576 2097152; do
		echo "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${device%:*}, \"minor\": ${device#*:}, \"rate\": $rate}]}}" |
			oakum update -r - "$C"
		if on_v2; then
			grep -q "rbps=$rate" "$(cgroup_dir io)/io.max"
		else
			is "$(cat "$(cgroup_dir blkio)/blkio.throttle.read_bps_device")" "$device $rate"
		fi
	done
	ok oakum delete -f "$C"
}

@test "a container that waits to be started takes limits, and has them when it runs" {
	need_controllers memory
	sleeper
	ok oakum create -b "$B" "$C"
	ok oakum update --pids-limit 44 "$C"
	is "$(status_of)" created
	ok oakum start "$C"
	value pids.max pids.max 44
	ok oakum delete -f "$C"
}

@test "what is null, empty or unknown in the JSON changes nothing; names in any case" {
	run_limited
	for json in '{}' '{"pids": null, "memory": {}, "cpu": {"cpus": "", "quota": 0}}' '{"unknown": 1, "cpu": {"alsoUnknown": 2}}'; do
		echo "$json" | oakum update -r - "$C"
	done
	value pids.max pids.max 20
	value memory.limit_in_bytes memory.max 33554432
	value cpu.cfs_quota_us cpu.max 500000 "500000 1000000"
	echo '{"pid": {"limit": 2}, "pids": {"max": 3}}' >unknown.json
	ok oakum update -r unknown.json "$C"
	says "unknown.json:1:9: /pid: not known" "unknown.json:1:39: /pids/max: not known"
	echo '{"pid": {"limit": 2}}' >unknown.json
	fails 3 oakum --strict update -r unknown.json "$C"
	says /pid --strict
	value pids.max pids.max 20
	echo '{"PIDS": {"Limit": 21}, "Memory": {"LIMIT": 41943040}}' | oakum update -r - "$C"
	value pids.max pids.max 21
	value memory.limit_in_bytes memory.max 41943040
	ok oakum update --kernel-memory 50M "$C"
	says "kernel memory"
	ok oakum delete -f "$C"
}

@test "what stands around the limits in config.json is refused, not taken for nothing" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 3 oakum update -r "$B/config.json" "$C"
	says /linux "not in \"linux\"" "jq .linux.resources"
	jq .linux "$B/config.json" >linux.json
	fails 3 oakum update -r linux.json "$C"
	says /resources "jq .linux.resources"
	jq .linux.resources "$B/config.json" >resources.json
	ok oakum update -r resources.json "$C"
	is "$output" ""
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "a flag that says nothing, as 0 does in runc, is told so; where 0 is a value it is one" {
	run_limited
	ok oakum update --memory 0 "$C"
	says "--memory 0 changes nothing" "-1"
	ok oakum update --cpuset-cpus "" --cpu-quota 0 "$C"
	says '--cpuset-cpus "" changes nothing' "--cpu-quota 0 changes nothing"
	value memory.limit_in_bytes memory.max 33554432
	value cpu.cfs_quota_us cpu.max 500000 "500000 1000000"
	ok oakum update --cpu-burst 0 --pids-limit 0 "$C"
	is "$output" ""
	value pids.max pids.max 1
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "CPUs that a sub-cgroup of the container has cannot be taken: the error says so" {
	need_controllers cpuset
	! on_v2 || skip "v2 takes them"
	grep -q 0-1 /sys/fs/cgroup/cpuset/cpuset.cpus || skip "one CPU"
	sleeper
	ok oakum run -d -b "$B" "$C"
	mkdir "$(cgroup_dir cpuset)/sub"
	echo 0 >"$(cgroup_dir cpuset)/sub/cpuset.cpus"
	fails 1 oakum update --cpuset-cpus 1 "$C"
	says /cpu/cpus EBUSY "sub-cgroup"
	ok oakum update --cpuset-cpus 0 "$C"
	ok oakum delete -f "$C"
}

@test "huge pages, in the spelling that Go takes" {
	local size=2MB page
	[ -n "$(find /sys/fs/cgroup -maxdepth 2 -name 'hugetlb.*' 2>/dev/null | head -n 1)" ] ||
		grep -qw hugetlb /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null ||
		skip "no hugetlb controller"
	[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "no huge pages of 2 MB"
	need_controllers hugetlb
	sleeper '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 2097152}]'
	ok oakum run -d -b "$B" "$C"
	echo '{"hugepageLimits": [{"pagesize": "2MB", "limit": 4194304}]}' | oakum update -r - "$C"
	page=$(find /sys/fs/cgroup -path "*[/-]$C[./]*hugetlb.2MB.max" -o -path "*[/-]$C[./]*hugetlb.2MB.limit_in_bytes")
	is "$(cat "$page")" 4194304
	ok oakum delete -f "$C"
}

@test "unified: files of v2 by their names, refused on v1" {
	run_limited
	if on_v2; then
		echo '{"unified": {"cpu.max": "300000 900000", "pids.max": "17", "memory.high": "20971520"}}' | oakum update -r - "$C"
		value - cpu.max "300000 900000"
		value - pids.max 17
		value - memory.high 20971520
	else
		echo '{"unified": {"pids.max": "17"}}' >limits.json
		fails 6 oakum update -r limits.json "$C"
		says /unified/pids.max "invalid configuration"
		value pids.max - 20
	fi
	ok oakum delete -f "$C"
}

@test "the weight of block I/O" {
	need_controllers io
	sleeper
	ok oakum run -d -b "$B" "$C"
	local file want=750
	file=$(find /sys/fs/cgroup \( -path "*/$C/blkio.bfq.weight" -o -path "*/$C/blkio.weight" -o -path "*/$C/io.bfq.weight" -o -path "*/$C/io.weight" \) 2>/dev/null | sort | head -n 1)
	# On the scale of io.weight, 1 to 10000.
	[[ $file != */io.weight ]] || want=7475
	[ -n "$file" ] || { ok oakum delete -f "$C"; skip "no scheduler with weights in this kernel"; }
	ok oakum update --blkio-weight 750 "$C"
	[[ $(cat "$file") =~ $want$ ]] || { cat "$file"; false; }
	fails 3 oakum update --blkio-weight 1001 "$C"
	[[ $(cat "$file") =~ $want$ ]]
	ok oakum delete -f "$C"
}

@test "an update of which one limit is refused changes none" {
	run_limited
	local before after
	before=$(everything)
	# Huge pages of a size that no kernel has come behind memory, CPU and processes.
	echo '{"memory": {"limit": 60000000, "reservation": 20000000, "swap": 70000000}, "cpu": {"quota": 300000, "period": 800000, "idle": 1, "cpus": "0"},
		"pids": {"limit": 9}, "hugepageLimits": [{"pageSize": "7MB", "limit": 4096}]}' >bad.json
	[ -e "$(cgroup_dir cpu)/cpu.idle" ] || sed -i 's/, "idle": 1//' bad.json
	has_controller cpuset || sed -i 's/, "cpus": "0"//' bad.json
	[ -e "$(cgroup_dir memory)/memory.memsw.limit_in_bytes" ] || on_v2 || sed -i 's/, "swap": 70000000//' bad.json
	jq 'del(.cpu.idle) | .cpu.shares = 777' bad.json >shares.json
	for json in bad.json shares.json; do
		fails 6 oakum update -r $json "$C"
		says /hugepageLimits
		after=$(everything)
		is "$after" "$before"
	done
	# It was that one alone that kept the others.
	jq 'del(.hugepageLimits)' bad.json >good.json
	ok oakum update -r good.json "$C"
	value pids.max pids.max 9
	value memory.limit_in_bytes memory.max 59998208
	[ "$(everything)" != "$before" ]
	ok oakum delete -f "$C"
}

# All that the limits of run_limited and its updates touch.
everything() {
	local file controller
	# An empty cpuset.cpus of v2 means the parent's: what holds is looked at.
	for file in $(on_v2 && echo cpuset.cpus.effective || echo cpuset.cpus) memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.max memory.low memory.swap.max \
		cpu.shares cpu.cfs_quota_us cpu.cfs_period_us cpu.idle cpu.max cpu.weight pids.max; do
		controller=${file%%.*}
		[ ! -e "$(cgroup_dir "$controller")/$file" ] || echo "$file $(cat "$(cgroup_dir "$controller")/$file")"
	done
}

@test "bad input: nothing to change, no such container, a stopped one, bad values, bad JSON" {
	fails 2 oakum update "$C"
	says "nothing to change"
	fails 4 oakum update --pids-limit 5 "$C"
	says "does not exist"
	fails 2 oakum update --memory lots "$C"
	says "--memory" "not a size"
	fails 2 oakum update --cpu-quota 1.5 "$C"
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 3 oakum update --cpu-period 100 "$C"
	says /cpu/period
	fails 3 oakum update --blkio-weight 5 "$C"
	says /blockIO/weight
	echo '{"memory": {"limit": "x"}}' >bad.json
	fails 3 oakum update -r bad.json "$C"
	says bad.json /memory/limit
	echo '{"memory": {' >bad.json
	fails 3 oakum update -r bad.json "$C"
	fails 1 oakum update -r nowhere.json "$C"
	says nowhere.json ENOENT
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	fails 4 oakum update --pids-limit 5 "$C"
	says "not running"
	ok oakum delete "$C"
}
