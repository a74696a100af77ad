#!/usr/bin/env bats
# Statistics and events, against the kernel's own files, and against runc's JSON, byte by byte.
load ../lib/common

# watch [ARG…]: `oakum events` of $C into the file `events`, behind us; $watcher is its pid.
watch() {
	"$OAKUM" --root "$ROOT" events "$@" "$C" >events 2>events.err </dev/null 3>&- &
	watcher=$!
	# It sleeps in epoll_wait: all its watches stand.
	until_true watches
}

watches() {
	[ -e "/proc/$watcher/fd" ] && find "/proc/$watcher/fd" -lname 'anon_inode:*eventpoll*' 2>/dev/null | grep -q . &&
		[ "$(awk '/^State/ { print $2 }' "/proc/$watcher/status")" = S ]
}

# Its end, and its exit status.
watched() {
	local rc=0
	wait "$watcher" || rc=$?
	is "$rc" "${1-0}" || { cat events.err; return 1; }
}

has_line() { grep -qF "$1" events; }
count() { grep -cF "$1" events || :; }

# A container that does with memory what it is told: each line on the FIFO is a shell command.
told() {
	bundle '.process.args = ["sh", "-c", "while :; do sh </fifo & wait; done"]'
	mkfifo "$B/rootfs/fifo"
	[ -z "${1-}" ] || edit "$1"
}
tell() { echo "$1" >"$B/rootfs/fifo"; }

# The kernel counts some of what was used before the freeze after it.
as_the_kernel_counts() {
	oakum events --stats "$C" >stats </dev/null
	if on_v2; then
		is "$(jq -r '.data.cpu.usage.total / 1000' stats)" "$(awk '$1 == "usage_usec" { print $2 }' "$(cgroup_dir cpu)/cpu.stat")"
	else
		is "$(jq -r .data.cpu.usage.total stats)" "$(cat "$(cgroup_dir cpuacct)/cpuacct.usage")" &&
			is "$(jq -r '.data.cpu.usage.percpu | join(" ")' stats)" "$(sed 's/ *$//' "$(cgroup_dir cpuacct)/cpuacct.usage_percpu")" &&
			is "$(jq -r .data.pids.current stats)" "$(cat "$(cgroup_dir pids)/pids.current")" &&
			is "$(jq -r .data.memory.usage.max stats)" "$(cat "$(cgroup_dir memory)/memory.max_usage_in_bytes")" &&
			is "$(jq -r .data.memory.raw.total_rss stats)" "$(awk '$1 == "total_rss" { print $2 }' "$(cgroup_dir memory)/memory.stat")"
	fi
}

@test "events --stats: one line that starts as runc's does, with the numbers of the kernel's files" {
	sleeper '.linux.resources.pids = {limit: 23}'
	if ! has_controller pids; then
		edit 'del(.linux.resources.pids)'
	fi
	ok oakum run -d -b "$B" "$C"
	ok oakum pause "$C"
	ok oakum events --stats "$C"
	is "$(wc -l <"$W/stdout")" 1
	case $output in "{\"type\":\"stats\",\"id\":\"$C\",\"data\":{\"cpu\":{\"usage\":{"*) ;; *) echo "$output"; false ;; esac
	until_true as_the_kernel_counts
	is "$(jq -r '.data | keys_unsorted | join(" ")' stats)" "cpu cpuset memory pids blkio hugetlb intel_rdt network_interfaces"
	is "$(jq -r .data.network_interfaces stats)" null
	if on_v2; then
		is "$(jq -r '.data.cpu.psi.some | keys | join(" ")' stats)" "avg10 avg300 avg60 total"
	else
		is "$(jq -r .data.pids.limit stats)" 23
		is "$(jq -r '.data.cpu | has("psi")' stats)" false
	fi
	ok oakum delete -f "$C"
}

# Ours before and after theirs, until nothing has changed in between.
take_both() {
	oakum events --stats "$C" >before </dev/null
	runc --root "$W/runc" events --stats "$C" >theirs 2>runc.err </dev/null || cat runc.err
	oakum events --stats "$C" >ours </dev/null
	# runc does not look for hugetlb in the v2 tree of a hybrid machine.
	sed -i 's/"hugetlb":{[^}]*}*}/"hugetlb":{}/' before ours theirs
	cmp -s before ours
}

# bats test_tags=cgroupfs:path
@test "the statistics of a frozen container are runc's, byte by byte" {
	on_v2 && skip "runc 1.1 does not take a v2 hierarchy without memory and cpu for one"
	command -v runc >/dev/null || skip "runc is not installed"
	local limits='.linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 50} |
		.linux.resources.cpu = {quota: 5000, period: 100000} | .process.args = ["sh", "-c", "i=0; while [ $i -lt 80000 ]; do i=$((i+1)); done; dd if=/dev/zero of=/tmp/x bs=64k count=40 2>/dev/null; sync; touch /tmp/done; sleep 1000"]'
	bundle "$limits | .linux.cgroupsPath = \"/oakum-events/ours\""
	bundle "$limits | .linux.cgroupsPath = \"/oakum-events/theirs\"" "$W/other"
	mkdir -m 700 "$W/runc"
	ok oakum run -d -b "$B" "$C"
	runc --root "$W/runc" run -d -b "$W/other" other < <(:) >/dev/null 2>&1
	# A twentieth of a cpu, that it may be throttled.
	within=300 until_true [ -e "$B/rootfs/tmp/done" ]
	ok oakum pause "$C"

	# runc's own state of its container, turned to ours: so it reads the same files.
	local pid start
	pid=$(pid_of)
	start=$(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $20 }')
	mkdir "$W/runc/$C"
	jq -c --arg id "$C" --argjson pid "$pid" --arg start "$start" '.id = $id | .init_process_pid = $pid |
		.init_process_start = ($start | tonumber) | .cgroup_paths |= with_entries(.value |= sub("theirs$"; "ours"))' \
		"$W/runc/other/state.json" >"$W/runc/$C/state.json"
	# The kernel counts some of what was used before the freeze after it.
	until_true take_both
	[ "$(jq -r .data.cpu.throttling.throttledPeriods ours)" -gt 0 ]
	[ "$(jq -r .data.cpu.usage.user ours)" -gt 0 ]
	cmp ours theirs || { diff <(jq -S . ours) <(jq -S . theirs); false; }
	is "$(jq -r '.data.blkio | has("ioServicedRecursive")' ours)" "$(jq -r '.data.blkio | has("ioServicedRecursive")' theirs)"

	rm -r "$W/runc/$C"
	runc --root "$W/runc" delete -f other
	ok oakum delete -f "$C"
	rmdir /sys/fs/cgroup/*/oakum-events 2>/dev/null || :
}

@test "events prints statistics at every interval and ends with the container" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	watch --interval 50ms
	until_true eval '[ "$(count "{\"type\":\"stats\",\"id\":\"$C\",\"data\":{")" -ge 3 ]'
	ok oakum kill "$C" TERM
	watched
	# Nobody reaps it here before its parent does: known or not, it is the last line.
	is "$(tail -n 1 events | jq -r '.type + " " + .id')" "exit $C"
	is "$(jq -r .type events | sort | uniq -c | awk '$2 == "exit" { print $1 }')" 1
	is "$(cat events.err)" ""
	ok oakum delete "$C"
}

@test "events tells the exit status where somebody reaps it" {
	told
	ok oakum up -d --bundle "$B" "$C"
	watch
	tell 'kill -9 1; exit' || :
	ok oakum kill "$C" KILL
	watched
	local how='"known":true,"status":0,"signal":9' kills=0
	# The kernel tells others than the parent from 6.15 on.
	[ "$(printf '%s\n' 6.15 "$(uname -r)" | sort -V | head -n 1)" = 6.15 ] || how='"known":false,"status":0,"signal":0'
	if ! has_controller memory || { may_be_unknown 0 && grep -q '"oom_kills":null' events; }; then kills=null; fi
	is "$(tail -n 1 events)" "{\"type\":\"exit\",\"id\":\"$C\",\"data\":{$how,\"oom_kills\":$kills}}"
	ok oakum delete -f "$C"
}

@test "events ends when the container is deleted from under it, at whatever moment" {
	sleeper
	local i
	for i in {1..20}; do
		ok oakum run -d -b "$B" "$C"
		# Emptied before anybody looks, not when the other process begins.
		: >events
		"$OAKUM" --root "$ROOT" events --interval 1ms "$C" >events 2>events.err </dev/null 3>&- &
		watcher=$!
		until_true has_line '"stats"'
		ok oakum delete -f "$C"
		watched
		is "$(tail -n 1 events | jq -r .type)" exit
		is "$(cat events.err)" ""
	done
}

@test "events tells paused and resumed, by whomever" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	watch --interval 1h
	ok oakum pause "$C"
	until_true has_line paused
	ok oakum resume "$C"
	until_true has_line resumed
	if on_v2; then
		echo 1 >"$(cgroup_dir freezer)/cgroup.freeze"
	else
		echo FROZEN >"$(cgroup_dir freezer)/freezer.state"
	fi
	until_true eval '[ "$(count paused)" = 2 ]'
	ok oakum resume "$C"
	until_true eval '[ "$(count resumed)" = 2 ]'
	is "$(cat events)" "$(printf '{"type":"%s","id":"%s"}\n' paused "$C" resumed "$C" paused "$C" resumed "$C")"
	ok oakum delete -f "$C"
	watched
}

@test "events without an inotify instance to be had looks at the freezer with the statistics" {
	on_v2 && skip "cgroup v2 needs none"
	sleeper
	ok oakum run -d -b "$B" "$C"
	strace -f -o trace -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE \
		"$OAKUM" --root "$ROOT" events --interval 50ms "$C" >events 2>events.err </dev/null 3>&- &
	watcher=$!
	until_true has_line '"stats"'
	grep -q "EMFILE.*INJECTED" trace
	ok oakum pause "$C"
	until_true has_line paused
	ok oakum resume "$C"
	until_true has_line resumed
	ok oakum delete -f "$C"
	watched
	is "$(cat events.err)" ""
}

@test "events takes a container that waits to be started, and one that is paused" {
	sleeper
	ok oakum create -b "$B" "$C"
	watch --interval 50ms
	until_true has_line '"stats"'
	ok oakum start "$C"
	ok oakum pause "$C"
	"$OAKUM" --root "$ROOT" events --interval 50ms "$C" >second 2>&1 </dev/null 3>&- &
	local second=$!
	until_true grep -q stats second
	ok oakum resume "$C"
	until_true grep -q resumed second
	ok oakum delete -f "$C"
	watched
	wait "$second"
	is "$(head -n 1 second | jq -r .type)" stats
}

@test "events tells each OOM kill, once" {
	need_controllers memory
	told '.linux.resources.memory = {limit: 33554432}'
	ok oakum run -d -b "$B" "$C"
	watch --interval 1h
	for n in 1 2 3; do
		tell 'tail /dev/zero >/dev/null'
		until_true eval '[ "$(count "{\"type\":\"oom\",\"id\":\"$C\"}")" = '$n' ]'
	done
	ok oakum delete -f "$C"
	watched
	is "$(jq -r .type events | sort | uniq -c | xargs)" "1 exit 3 oom"
	is "$(jq -r 'select(.type == "exit").data.oom_kills' events)" 3
}

@test "an OOM kill that ends the container is not missed when it is deleted at once" {
	need_controllers memory
	local i
	for i in 1 2 3 4 5; do
		told '.linux.resources.memory = {limit: 33554432} | .process.args = ["sh", "-c", "read x </fifo; exec tail /dev/zero"]'
		ok oakum run -d -b "$B" "$C"
		watch --interval 1h
		tell go
		until_true is_status stopped "$C"
		ok oakum delete "$C"
		watched
		is "$(jq -r .type events | xargs)" "oom exit"
		rm -rf "$B"
	done
}

@test "events where the OOM killer is switched off tells of who waits for memory" {
	on_v2 && skip "cgroup v2 has no such switch"
	need_controllers memory
	told '.linux.resources.memory = {limit: 33554432, disableOOMKiller: true}'
	ok oakum run -d -b "$B" "$C"
	watch --interval 1h
	# A program that faults by itself: one that is in read(2) gets EFAULT instead.
	tell "awk 'BEGIN { a = \"x\"; while (1) a = a a }'"
	until_true has_line oom
	is "$(awk '$1 == "oom_kill" { print $2 }' "$(cgroup_dir memory)/memory.oom_control")" 0
	ok oakum delete -f "$C"
	watched
	is "$(count '"oom"')" 1
}

# bats test_tags=root:kernel
@test "events counts the interfaces of the container's own network" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	if ! ip link add name ev0 type veth peer name ev1 netns "$(pid_of)" 2>veth.err; then
		grep -q "Unknown device type" veth.err || { cat veth.err; false; }
		ok oakum delete -f "$C"
		skip "this kernel has no veth devices"
	fi
	nsenter -t "$(pid_of)" -n ip link set ev1 up
	ip link set ev0 up
	nsenter -t "$(pid_of)" -n ip addr add 10.99.0.2/24 dev ev1
	ip addr add 10.99.0.3/24 dev ev0
	nsenter -t "$(pid_of)" -n busybox ping -c 2 -i 0.1 10.99.0.3 >/dev/null
	ip link set ev0 down
	ok oakum events --stats "$C"
	is "$(jq -r '.data.network_interfaces | map(.Name) | join(" ")' <<<"$output")" ev1
	is "$(jq -r '.data.network_interfaces[0] | keys_unsorted | join(" ")' <<<"$output")" \
		"Name RxBytes RxPackets RxErrors RxDropped TxBytes TxPackets TxErrors TxDropped"
	[ "$(jq -r '.data.network_interfaces[0].TxBytes' <<<"$output")" -gt 0 ]
	is "$(jq -r '.data.network_interfaces[0].RxBytes' <<<"$output")" \
		"$(nsenter -t "$(pid_of)" -n ip -j -s link show ev1 | jq '.[0].stats64.rx.bytes')"
	ok oakum delete -f "$C"
	ip link del ev0 2>/dev/null || :
}

@test "events refuses what is not there or not running, and an interval of nothing" {
	fails 4 oakum events --stats "$C"
	says "container does not exist"
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 2 oakum events --interval 0 "$C"
	says "must be greater than 0"
	fails 2 oakum events --interval soon "$C"
	ok oakum kill "$C" TERM
	until_true is_status stopped "$C"
	fails 4 oakum events "$C"
	says "container not running"
	fails 4 oakum events --stats "$C"
	ok oakum delete "$C"
}

@test "events ends when its reader has gone, without waiting for the next line" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	mkfifo pipe
	"$OAKUM" --root "$ROOT" events --interval 1h "$C" >pipe 2>events.err </dev/null 3>&- &
	watcher=$!
	exec 7<pipe
	until_true watches
	exec 7<&-
	watched
	ok oakum delete -f "$C"
}
