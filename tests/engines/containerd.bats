#!/usr/bin/env bats
# containerd with ctr and its own shim, pointed at oakum: whatever the shim asks of a runtime.
load containerd

engine_start() {
	containerd_start
	containerd_image default
	# What the first task alone makes: directories that containerd keeps.
	C=first
	launch --rm "$IMAGE" "$C" true
}

# At a terminal of its own; the first argument is what is typed.
at_terminal() {
	local typed=$1
	shift
	printf '%s' "$typed" | script -qec "$(printf '%q ' "$@")" /dev/null | tr -d '\r'
}

@test "run: output, both streams, and the exit status" {
	gives 7 launch --rm "$IMAGE" "$C" sh -c 'echo out; echo err >&2; exit 7'
	is "$output" out
	is "$errors" err
	gives 0 launch --rm "$IMAGE" "$C" true
	# The end of input is late: ctr 1.6 forgets one that comes before the task is made.
	is "$({ echo typed; until_true task_is RUNNING; } | launch --rm "$IMAGE" "$C" cat)" typed
}

# bats test_tags=cgroupfs:ctr
@test "run: as docs/engines.md has it" {
	command=$(doc ctr)
	gives 0 sh -c "${command/docker.io\/library\/busybox:latest/$IMAGE}"
	is "$output" hello
}

@test "run: 5 MB come through whole" {
	launch --rm "$IMAGE" "$C" sh -c 'head -c 5000000 /dev/zero' >"$W/zeros" </dev/null
	is "$(stat -c %s "$W/zeros")" 5000000
}

# bats test_tags=cgroupfs:ctr
@test "run -t: a terminal, its size, and what is typed" {
	at_terminal $'echo typed $((6*7))\nstty size >/tmp/size; test -t 0 && echo is-a-tty\nexit 5\n' \
		ctr run --rm -t --runc-binary "$OAKUM" "$IMAGE" "$C" sh >"$W/out" || rc=$?
	is "${rc-0}" 0
	grep 'typed 42' "$W/out"
	grep '^is-a-tty' "$W/out"
}

@test "run with options: what the process sees" {
	mkdir "$W/dir"
	echo there >"$W/dir/file"
	gives 0 launch --rm --read-only --cap-drop CAP_CHOWN --env A=b --cwd /tmp --label x=y --annotation n=o \
		--mount "type=bind,src=$W/dir,dst=/mnt,options=rbind:ro" --device /dev/zero --seccomp \
		"$IMAGE" "$C" sh -c 'pwd; echo $A; cat /mnt/file; touch /x /mnt/x; grep -E "Cap(Bnd|Eff)|Seccomp:|NoNew" /proc/self/status; hostname'
	is "$(sed -n 1,3p <<<"$output")" $'/tmp\nb\nthere'
	case $errors in *"/x: Read-only file system"*"/mnt/x: Read-only file system"*) ;; *) echo "$errors"; false ;; esac
	grep -q '^NoNewPrivs:.1' <<<"$output"
	grep -q '^Seccomp:.2' <<<"$output"
	[ $((0x$(awk '/CapBnd/ { print $2 }' <<<"$output") & 1)) = 0 ]
	gives 0 launch --rm --net-host "$IMAGE" "$C" cat /proc/self/cgroup
	grep -qE ":(/default/$C|.*/ctr-$C\.scope)$" <<<"$output"
	gives 0 launch --rm --net-host "$IMAGE" "$C" sh -c 'ls -l /proc/self/ns/net'
	prints "$(readlink /proc/self/ns/net)"
	gives 0 launch --rm --rootfs "$FIXTURE/rootfs" "$C" echo of a directory
	is "$output" "of a directory"
}

# With these options ctr forgets --runc-binary, and the shim calls runc: by that name it finds oakum.
# bats test_tags=cgroupfs:ctr
@test "called as runc: without pivot_root, and in a user namespace" {
	gives 0 launch --rm --no-pivot "$IMAGE" "$C" echo without pivot_root
	is "$output" "without pivot_root"
	gives 0 launch --rm --uidmap 0:100000:65536 --gidmap 0:200000:65536 "$IMAGE" "$C" sh -c 'id -u; cat /proc/self/uid_map; cat /proc/self/gid_map; ls -n -d /root'
	is "$(sed -n 1p <<<"$output")" 0
	grep -qE '^ +0 +100000 +65536$' <<<"$output"
	grep -qE '^ +0 +200000 +65536$' <<<"$output"
	grep -qE ' 0 +0 ' <<<"$output"
	gives 1 launch --rm --no-pivot "$IMAGE" "$C" nonesuch
	case $errors in *'OCI runtime create failed: create '*'"nonesuch": executable file not found in $PATH'*": unknown") ;; *) echo "$errors"; false ;; esac
}

@test "what the shim calls, all through a life" {
	printf '#!/bin/sh\necho "$*" >>%s/calls\nexec %s "$@"\n' "$W" "$OAKUM" >"$W/recorder"
	chmod 755 "$W/recorder"
	OAKUM=$W/recorder lives
	gives 0 ctr task pause "$C"
	gives 0 ctr task resume "$C"
	gives 0 ctr task ps "$C"
	ends
	log="--root /run/containerd/runc/default --log /run/containerd/state/io.containerd.runtime.v2.task/default/$C/log.json --log-format json"
	[ -z "${OAKUM_MANAGER-}" ] || sed -i 's/ --systemd-cgroup//' "$W/calls"
	cat "$W/calls"
	is "$(grep -v -v -F -- "$log " "$W/calls" || :)" ""
	for call in "create --bundle /run/containerd/state/io.containerd.runtime.v2.task/default/$C --pid-file " "start $C" "exec --process " \
		"pause $C" "resume $C" "ps --format json $C" "kill $C 9" "delete "; do
		grep -q -F -- "$log $call" "$W/calls"
	done
}

@test "run --with-ns: the network of another process is joined" {
	unshare -n sleep 1000 3>&- &
	holder=$!
	until_true grep -qs '^sleep' /proc/$holder/comm
	gives 0 launch --rm --with-ns "network:/proc/$holder/ns/net" "$IMAGE" "$C" sh -c 'ls -l /proc/self/ns/net'
	prints "$(readlink /proc/$holder/ns/net)"
	kill $holder
	wait $holder || :
}

@test "limits: in the cgroup's own files" {
	need_controllers memory
	lives --memory-limit 67108864 --cpu-quota 50000 --cpu-period 100000
	pid=$(task_pid "$C")
	unit_has "$pid" MemoryMax 67108864
	unit_has "$pid" CPUQuotaPerSecUSec 500ms
	if on_v2; then
		is "$(<"$(cgroup_of "$pid" memory)/memory.max")" 67108864
		is "$(<"$(cgroup_of "$pid" cpu)/cpu.max")" "50000 100000"
	else
		is "$(<"$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 67108864
		is "$(<"$(cgroup_of "$pid" cpu)/cpu.cfs_quota_us")" 50000
		is "$(<"$(cgroup_of "$pid" cpu)/cpu.cfs_period_us")" 100000
	fi
	ends
}

@test "memory that runs out: 137, and containerd publishes the event" {
	need_controllers memory
	(ctr events >"$W/events" 3>&- & echo $! >"$W/events.pid")
	gives 137 launch --rm --memory-limit 20971520 "$IMAGE" "$C" sh -c 'x=a; while :; do x=$x$x; done'
	# systemd removes the scope's cgroup, maybe before the shim has read what the kernel counts.
	may_be_unknown 1 || until_true grep -q "/tasks/oom.*$C" "$W/events"
	kill "$(<"$W/events.pid")"
}

@test "run -d: task ls, task ps, metrics, and a second of the same name" {
	lives
	pid=$(task_pid "$C")
	is "$(task_status "$C")" RUNNING
	is "$(status_of "$C")" running
	is "$(pid_of "$C")" "$pid"
	gives 0 ctr task exec -d --exec-id long "$C" sleep 1000
	until_true has_exec long
	grep -q "^$pid " "$W/stdout"
	gives 0 ctr task metrics --format json "$C"
	# The shell, its sleep, and the one executed.
	on_v2 || is "$(jq .pids.current <<<"$output")" 3
	if ! on_v2; then
		# Both read the same files: what does not move between two looks is the same.
		local theirs=$output
		gives 0 oakum events --stats "$C"
		is "$(jq -c '[.data.pids.current, .data.memory.usage.limit, .data.memory.raw.hierarchical_memory_limit, .data.memory.usage.failcnt]' <<<"$output")" \
			"$(jq -c '[.pids.current, .memory.usage.limit, .memory.hierarchical_memory_limit, .memory.usage.failcnt // 0]' <<<"$theirs")"
	fi
	gives 1 launch -d "$IMAGE" "$C" true
	says "already exists"
	ends
	# An exec that was started detached has no owner in containerd 1.6: its FIFOs stay.
	theirs /run/containerd/fifo/*
}

has_exec() {
	gives 0 ctr task ps "$C"
	grep -q -E "(ExecID:|exec_id:\")$1" <<<"$output"
}

@test "exec: output, exit status, user, directory; and at a terminal" {
	lives
	gives 3 ctr task exec --exec-id x "$C" sh -c 'echo out; echo err >&2; exit 3'
	is "$output" out
	is "$errors" err
	gives 0 ctr task exec --exec-id x --cwd /tmp --user 1000:1001 "$C" sh -c 'pwd; id -u; id -g'
	is "$output" $'/tmp\n1000\n1001'
	rc=0
	at_terminal $'test -t 0 && echo is-a-tty\nexit 5\n' ctr task exec -t --exec-id x "$C" sh >"$W/out" || rc=$?
	grep '^is-a-tty' "$W/out"
	ends
}

# ctr may cancel, at the end of a process, what it has not read yet (containerd #13931): so none ends before that.
all_said() {
	for i in {1..20}; do [ -s "$W/said.$i" ] || return 1; done
}

@test "exec: 20 at a time" {
	lives
	pids=()
	for i in {1..20}; do
		ctr task exec --exec-id "n$i" "$C" sh -c "echo I am $i; while [ ! -e /go ]; do sleep 0.1; done; exit $i" >"$W/said.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	until_true all_said
	gives 0 ctr task exec --exec-id go "$C" touch /go
	for i in {1..20}; do
		rc=0
		wait "${pids[i - 1]}" || rc=$?
		is "$rc $(<"$W/said.$i")" "$i I am $i"
	done
	ends
}

@test "pause and resume: the kernel's word, and containerd's" {
	lives
	pid=$(task_pid "$C")
	gives 0 ctr task pause "$C"
	is "$(task_status "$C")" PAUSED
	is "$(status_of "$C")" paused
	frozen "$pid"
	gives 1 ctr task exec --exec-id x "$C" true
	gives 0 ctr task resume "$C"
	is "$(task_status "$C")" RUNNING
	! frozen "$pid"
	gives 0 ctr task exec --exec-id x "$C" true
	ends
}

@test "kill: a signal that is handled, one by number, all processes, and one that is late" {
	lives
	gives 0 ctr task kill "$C"
	until_true stopped "$C"
	gives 1 ctr task kill "$C"
	says "process already finished: not found"
	gives 0 ctr task delete "$C"
	says "exit with non-zero exit code 9"
	gives 0 ctr container delete "$C"

	lives
	gives 0 ctr task exec -d --exec-id other "$C" sleep 1000
	until_true has_exec other
	gives 0 ctr task kill -a -s 9 "$C"
	until_true stopped "$C"
	gives 0 ctr task delete "$C"
	says "exit with non-zero exit code 137"
	gives 0 ctr container delete "$C"
	theirs /run/containerd/fifo/*
}

@test "kill of a paused task ends it" {
	lives
	gives 0 ctr task pause "$C"
	gives 0 ctr task kill -s SIGKILL "$C"
	until_true stopped "$C"
	gives 0 ctr container delete "$C"
}

@test "delete: not of a running task; the task alone, then the container" {
	lives
	gives 1 ctr container delete "$C"
	says "cannot delete a non stopped container"
	is "$(task_status "$C")" RUNNING
	gives 0 ctr task kill -s KILL "$C"
	until_true stopped "$C"
	gives 0 ctr task delete "$C"
	says "exit with non-zero exit code 137"
	[ -z "$(ls "$ROOT")" ]
	gives 0 ctr container delete "$C"
}

# says_so PATTERN: what ctr says of the last command.
says_so() {
	# shellcheck disable=SC2254
	case $errors in $1) ;; *) echo "not '$1' but: $errors"; return 1 ;; esac
}

@test "errors are those of the log: a program that is not there, one that may not run, a bad mount" {
	create="ctr: failed to create shim task: OCI runtime create failed: create $C: "
	gives 1 launch --rm "$IMAGE" "$C" nonesuch
	says_so "$create"'*"nonesuch": executable file not found in $PATH*: unknown'
	gives 1 launch --rm "$IMAGE" "$C" /none/such
	says_so "$create"'*/none/such*no such file or directory*: unknown'
	gives 1 launch --rm "$IMAGE" "$C" /etc/passwd
	says_so 'ctr: *OCI runtime *permission denied*: unknown'
	gives 1 launch --rm --mount "type=bind,src=/none/such,dst=/mnt,options=rbind:ro" "$IMAGE" "$C" true
	says_so "$create"'*/mounts/*/none/such*: unknown'
	lives
	gives 1 ctr task exec --exec-id x "$C" nonesuch
	says_so "*OCI runtime exec failed: exec $C: "'*"nonesuch": executable file not found in $PATH*: unknown'
	gives 0 ctr task pause "$C"
	gives 1 ctr task exec --exec-id x "$C" true
	says "cannot exec in a paused state"
	ends
}

@test "--runc-root: the state is kept there" {
	lives --runc-root /run/elsewhere
	is "$(ls /run/elsewhere/default)" "$C"
	is "$("$OAKUM" --root /run/elsewhere/default state "$C" | jq -r .status)" running
	ends
	is "$(ls -A /run/elsewhere/default)" ""
	rm -rf /run/elsewhere
}

@test "containerd stopped and started: the task goes on and is known again" {
	lives
	pid=$(task_pid "$C")
	stop containerd
	[ -d /proc/$pid ]
	is "$(status_of "$C")" running
	containerd_start
	anew 'process [0-9]+ containerd |socket [0-9]+ /run/containerd/containerd.sock'
	is "$(task_status "$C")" RUNNING
	is "$(task_pid "$C")" "$pid"
	gives 0 ctr task exec --exec-id x "$C" echo still here
	is "$output" "still here"
	ends
}

# What the shim kept is containerd's to lose: one directory of FIFOs and its socket. Ours is to be gone.
shim_is_killed() {
	kill -KILL "$(shim_pid "$C")"
	until_true no_task
	until_true no_state
	until_true gone "$1"
	is "$(cgroups_of "$C")" ""
	gives 0 ctr container delete "$C"
	theirs /run/containerd/fifo/* /run/containerd/s/*
}

no_state() { [ ! -e "$ROOT/$C" ]; }
no_task() { [ -z "$(task_status "$C")" ]; }

@test "the shim killed under a running task: its delete --force takes all of ours" {
	lives
	shim_is_killed "$(task_pid "$C")"
}

@test "the shim killed under a paused task" {
	lives
	gives 0 ctr task pause "$C"
	shim_is_killed "$(task_pid "$C")"
}

# Every container and task gone, of whatever state; what the killed clients had asked for may still come.
all_ended() {
	local id
	for id in $(ctr container ls -q); do
		ctr task kill -s KILL "$id" || :
		ctr container delete "$id" || :
	done
	[ -z "$(ctr container ls -q)$(ctr task ls -q)$(ls "$ROOT")$(pgrep -f "^$OAKUM" || :)" ]
} >/dev/null 2>&1

@test "the client killed while it starts a task, at 16 moments: nothing of ours stays" {
	for i in {1..16}; do
		(exec ctr run -d --runc-binary "$OAKUM" "$IMAGE" "$C.$i" sleep 1000 >/dev/null 2>&1 3>&- & echo $! >"$W/pid")
		read -r -t "$(printf 0.%03d $((i * 10)))" <> <(:) || :
		kill -KILL "$(<"$W/pid")" 2>/dev/null || :
	done
	until_true all_ended
	# Shims whose client died before it asked for the task, and their sockets, FIFOs and snapshots.
	for shim in $(pgrep containerd-shim || :); do
		echo "# the engine leaves a shim without a task" >&3
		kill -KILL "$shim"
	done
	until_true no_shim
	is "$(find /sys/fs/cgroup -name "$C.*")" ""
	is "$(ls "$ROOT")" ""
	rm -rf /run/containerd/fifo/* /run/containerd/s/* /run/containerd/state/io.containerd.runtime.v2.task/default/*
	# The client reads the image's passwd file in a mount of its own.
	for mount in /run/tmp/containerd-mount*; do
		[ -e "$mount" ] || continue
		echo "# the client leaves a mount: $mount" >&3
		mountpoint -q "$mount" && umount "$mount"
		rmdir "$mount"
	done
}

no_shim() { ! pgrep containerd-shim >/dev/null; }

# 200 rounds, as those of the report that found the leak, or OAKUM_ROUNDS.
@test "the loop: run -d, pause, resume, kill, container delete; 200 times" {
	local rounds=${OAKUM_ROUNDS:-200}
	for ((i = 1; i <= rounds; i++)); do
		launch -d "$IMAGE" "$C" sleep 1000 || break
		ctr task pause "$C" || break
		ctr task resume "$C" || break
		ctr task kill -s SIGKILL "$C" || break
		ctr container delete "$C" || break
		done=$i
	done >"$W/loop" 2>&1 </dev/null
	cat "$W/loop"
	is "$done" "$rounds"
	is "$(<"$W/loop")" ""
}
