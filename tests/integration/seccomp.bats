#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Seccomp: what each action does to a program inside, what the set-up may not need, and notifications
# with an agent (tests/lib/agent.c).

load ../lib/common

NR_getcwd=79 NR_mkdir=83

# agent N HOW…: in the background; its socket is $W/agent.sock, its messages $W/told.
agent() {
	"$LIB/agent" "$W/agent.sock" "$W/told" "$@" 3>&- 4>&- &
	AGENT=$!
	until_true test -S "$W/agent.sock"
}

# notifying NAMES: a filter that notifies these, as a jq filter.
notifying() {
	printf '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "%s", listenerMetadata: "meta\\u0001\\"data", syscalls: [{names: [%s], action: "SCMP_ACT_NOTIFY"}]}' \
		"$W/agent.sock" "$1"
}

# inside_errno WANTED NR [A…]: make the system call in the running container; it must fail so.
inside_errno() {
	local want=$1
	shift
	oakum exec "$C" inside errno "$@" </dev/null >"$W/errno" || :
	is "$* $(cat "$W/errno")" "$* $want"
}

caps_of() { awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { printf "%s ", $2 } /^Seccomp:/ { printf "seccomp %s", $2 }' "/proc/$1/status"; }

# ---- actions ----

@test "every action does to the program what its name says" {
	local all
	# shellcheck disable=SC2016
	all='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["getcwd"], action: "SCMP_ACT_ERRNO"},
		{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 121},
		{names: ["uname"], action: "SCMP_ACT_LOG"},
		{names: ["sync"], action: "SCMP_ACT_TRACE", errnoRet: 7},
		{names: ["getpriority"], action: "SCMP_ACT_KILL"},
		{names: ["sethostname"], action: "SCMP_ACT_KILL_THREAD"},
		{names: ["setdomainname"], action: "SCMP_ACT_KILL_PROCESS"},
		{names: ["getitimer"], action: "SCMP_ACT_TRAP"}]}'
	sleeper "$all"
	ok oakum run -d --bundle "$B" "$C"
	inside_errno 1 $NR_getcwd 0 0
	inside_errno 121 $NR_mkdir 0 0
	inside_errno 38 162 # sync: no tracer is ENOSYS
	ok oakum exec "$C" uname
	local nr status
	for nr in 140 170 171 36; do
		status=0
		oakum exec "$C" inside errno $nr </dev/null >/dev/null 2>&1 || status=$?
		is "$nr $status" "$nr 159"
	done
	ok oakum delete --force "$C"
}

@test "rules that say what the default says, and unknown calls, are fine; by annotation an unknown one is not" {
	bundle '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["bdflush", "no_such_call", "getcwd"], action: "SCMP_ACT_ALLOW"},
		{names: ["no_such_either"], action: "SCMP_ACT_ERRNO"}]}'
	ok oakum run --bundle "$B" "$C"
	edit '.annotations = {"run.oci.seccomp_fail_unknown_syscall": "1"}'
	fails 3 oakum run --bundle "$B" "$C"
	says /linux/seccomp/syscalls/0/names/1 'unknown system call "no_such_call"'
	edit 'del(.linux.seccomp.syscalls[0]) | .annotations = {"run.oci.seccomp_fail_unknown_syscall": "0"}'
	ok oakum run --bundle "$B" "$C"
}

@test "BPF from an annotation takes the place of the profile" {
	# load nr; if it is getcwd, fail with errno 99; else allow.
	local bpf
	bpf=$(printf '\x20\x00\x00\x00\x00\x00\x00\x00\x15\x00\x00\x01\x4f\x00\x00\x00\x06\x00\x00\x00\x63\x00\x05\x00\x06\x00\x00\x00\x00\x00\xff\x7f' | base64 -w0)
	bundle ".process.args = [\"inside\", \"errno\", \"$NR_getcwd\", \"0\", \"0\"] | .annotations = {\"run.oci.seccomp_bpf_data\": \"$bpf\"}
		| .linux.seccomp = {defaultAction: \"SCMP_ACT_KILL\"}"
	local status=0
	oakum run --bundle "$B" "$C" </dev/null >"$W/out" || status=$?
	is "$status $(cat "$W/out")" "1 99"
	edit 'del(.linux.seccomp)'
	status=0
	oakum run --bundle "$B" "$C" </dev/null >"$W/out" || status=$?
	is "$status $(cat "$W/out")" "1 99"
	# What the kernel does not take is an error: a jump out of the program.
	bpf=$(printf '\x05\x00\x00\x00\xff\x00\x00\x00' | base64 -w0)
	edit ".annotations = {\"run.oci.seccomp_bpf_data\": \"$bpf\"}"
	fails 1 oakum run --bundle "$B" "$C"
	says "install the seccomp filter of 1 instructions"
}

# ---- what the set-up may not need ----

@test "without noNewPrivileges a profile may kill capset, capget and prctl, and the capabilities are as asked" {
	local caps='{bounding: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_CHOWN", "CAP_KILL"], inheritable: [], ambient: []}'
	bundle ".process.args = [\"inside\", \"ignore\"] | .process.noNewPrivileges = false | .process.capabilities = $caps"
	ok oakum run -d --bundle "$B" "$C"
	local plain filtered
	plain=$(caps_of "$(pid_of)")
	ok oakum delete --force "$C"
	edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["capset", "capget", "prctl", "setresuid", "setgroups", "sendmsg"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	ok oakum run -d --bundle "$B" "$C"
	filtered=$(caps_of "$(pid_of)")
	is "${filtered% seccomp *}" "${plain% seccomp *}"
	is "${filtered##* }" 2
	ok oakum delete --force "$C"
	# And for a user, with an ambient capability.
	edit '.process.user = {uid: 1000, gid: 1000} | .process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL"])'
	ok oakum run -d --bundle "$B" "$C"
	is "$(caps_of "$(pid_of)")" "0000000000000020 0000000000000020 0000000000000020 0000000000000021 0000000000000020 seccomp 2"
	ok oakum delete --force "$C"
}

@test "a profile that asks for SYS_ADMIN keeps it, and one that does not never shows it" {
	sleeper '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["capset"], action: "SCMP_ACT_ERRNO"}]}
		| .process.capabilities = {bounding: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"]}'
	ok oakum run -d --bundle "$B" "$C"
	is "$(caps_of "$(pid_of)")" "0000000000000000 0000000000200000 0000000000200000 0000000000200000 0000000000000000 seccomp 2"
	ok oakum delete --force "$C"
	edit '.process.capabilities = {}'
	ok oakum run -d --bundle "$B" "$C"
	is "$(caps_of "$(pid_of)")" "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 seccomp 2"
	ok oakum exec "$C" sh -c 'grep -c "^Cap.*0000000000000000$" /proc/self/status'
	is "$output" 5
	ok oakum delete --force "$C"
}

# ---- notifications ----

@test "NOTIFY: the agent is told who, gets the listener, and decides" {
	agent 1 errno $NR_getcwd 95
	bundle "$(notifying '"getcwd"') | .process.args = [\"inside\", \"errno\", \"$NR_getcwd\", \"0\", \"0\"] | .annotations = {\"a\": \"b\"}"
	ok oakum create --bundle "$B" --pid-file "$W/pid" "$C"
	[ ! -s "$W/told" ]
	ok oakum start "$C"
	wait $AGENT
	is "$(jq -c '[.ociVersion, .fds, .metadata, .state.ociVersion, .state.id, .state.status, .state.bundle, .state.annotations.a]' "$W/told")" \
		"[\"0.2.0\",[\"seccompFd\"],\"meta\\u0001\\\"data\",\"$(jq -r .ociVersion "$B/config.json")\",\"$C\",\"creating\",\"$B\",\"b\"]"
	is "$(jq -r '.pid, .state.pid' "$W/told" | uniq)" "$(cat "$W/pid")"
	is "$(cat "$W/told.calls")" $NR_getcwd
	ok oakum delete --force "$C"
}

@test "NOTIFY on what the runtime itself needs: execve, open, read, close, fcntl, sendmsg … with and without noNewPrivileges" {
	local nnp names='"execve", "execveat", "openat", "open", "read", "close", "fcntl", "sendmsg", "recvmsg", "poll", "ppoll", "futex", "capset", "prctl", "exit", "exit_group", "mmap", "ioctl", "pidfd_getfd", "seccomp"'
	for nnp in true false; do
		rm -f "$W/told" "$W/told.calls"
		agent 2 continue
		sleeper "$(notifying "$names") | .process.noNewPrivileges = $nnp"
		ok oakum run -d --bundle "$B" "$C"
		ok oakum exec "$C" sh -c 'echo from $((6 * 7))'
		prints "from 42"
		# The program's own execve was the first that the agent saw: nothing of ours before.
		is "$(head -n 1 "$W/told.calls")" 59
		is "$(jq -r .state.status "$W/told" | paste -sd ' ')" "creating running"
		is "$(jq -r .state.id "$W/told" | uniq)" "$C"
		[ "$(jq -r .pid "$W/told" | sort -u | wc -l)" = 2 ]
		ok oakum delete --force "$C"
		wait $AGENT
	done
}

# bats test_tags=root:ids
@test "NOTIFY from a user namespace and as a user" {
	agent 1 errno $NR_getcwd 95
	bundle "$(notifying '"getcwd", "execve"') | .process.args = [\"inside\", \"errno\", \"$NR_getcwd\", \"0\", \"0\"]
		| .process.user = {uid: 1000, gid: 1000} | .linux.namespaces += [{type: \"user\"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings"
	chmod 755 "$W" "$B"
	local status=0
	oakum run --bundle "$B" "$C" </dev/null >"$W/out" || status=$?
	wait $AGENT
	is "$status $(cat "$W/out")" "1 95"
}

@test "NOTIFY: an agent that has closed its listener is ENOSYS for the program" {
	agent 1 close
	bundle "$(notifying '"getcwd"') | .process.args = [\"inside\", \"errno\", \"$NR_getcwd\", \"0\", \"0\"]"
	local status=0
	oakum run --bundle "$B" "$C" </dev/null >"$W/out" || status=$?
	wait $AGENT
	is "$status $(cat "$W/out")" "1 38"
}

# bats test_tags=root:kernel
@test "NOTIFY: an agent that is killed is ENOSYS from then on" {
	agent 1 continue
	sleeper "$(notifying '"getcwd"')"
	ok oakum run -d --bundle "$B" "$C"
	ok nsenter -t "$(pid_of)" -m -- true
	kill -KILL $(cat /proc/$AGENT/task/$AGENT/children) $AGENT
	wait $AGENT || :
	agent 1 close
	inside_errno 38 $NR_getcwd 0 0
	ok oakum delete --force "$C"
	wait $AGENT
}

@test "NOTIFY: no agent fails, at create where nothing listens, and nothing is left" {
	bundle "$(notifying '"getcwd"')"
	fails 1 oakum create --bundle "$B" "$C"
	says "failed to connect with seccomp agent $W/agent.sock" /linux/seccomp/listenerPath "No such file"
	: >"$W/agent.sock"
	fails 1 oakum create --bundle "$B" "$C"
	says "failed to connect with seccomp agent" ENOTSOCK
	rm "$W/agent.sock"
	# A socket that nobody holds any more: seen when the filter is installed.
	agent 1 continue
	kill $AGENT
	wait $AGENT || :
	ok oakum create --bundle "$B" "$C"
	fails 1 oakum start "$C"
	says "failed to connect with seccomp agent" /linux/seccomp/listenerPath ECONNREFUSED
	is "$(status_of)" stopped
	ok oakum delete "$C"
	fails 1 oakum run --bundle "$B" "$C"
	says "failed to connect with seccomp agent"
	fails 4 oakum state "$C"
	rm -f "$W/agent.sock"
}

@test "NOTIFY: an agent that does not take our connection costs ten seconds, not for ever" {
	bundle "$(notifying '"getcwd"')"
	"$LIB/agent" "$W/agent.sock" "$W/told" 0 hang 3>&- &
	local a=$!
	until_true test -S "$W/agent.sock"
	ok oakum create --bundle "$B" "$C"
	fails 1 oakum start "$C"
	says "failed to connect with seccomp agent" ETIMEDOUT
	is "$(status_of)" stopped
	ok oakum delete "$C"
	kill $a
	wait $a || :
	rm -f "$W/agent.sock"
}

@test "NOTIFY: a start that is killed while it waits for the agent takes the process with it" {
	bundle "$(notifying '"getcwd"')"
	"$LIB/agent" "$W/agent.sock" "$W/told" 0 hang 3>&- &
	local a=$! pid start
	until_true test -S "$W/agent.sock"
	ok oakum create --bundle "$B" "$C"
	pid=$(pid_of)
	"$OAKUM" --root "$ROOT" start "$C" </dev/null >/dev/null 2>&1 3>&- &
	start=$!
	# It has been told of the listener when it waits in connect(2).
	until_true sh -c "grep -q unix_stream_connect /proc/$start/stack || grep -q unix_wait_for_peer /proc/$start/stack || grep -q '^42 ' /proc/$start/syscall"
	kill -KILL $start
	wait $start || :
	until_true is_status stopped "$C"
	until_true gone "$pid"
	ok oakum delete "$C"
	kill $a
	wait $a || :
	rm -f "$W/agent.sock"
}

@test "NOTIFY: exec without an agent fails and leaves the container alone" {
	agent 1 continue
	sleeper "$(notifying '"getcwd"')"
	ok oakum run -d --bundle "$B" "$C"
	wait $AGENT &
	rm -f "$W/agent.sock"
	fails 255 oakum exec "$C" true
	says "failed to connect with seccomp agent" /linux/seccomp/listenerPath
	is "$(status_of)" running
	ok oakum delete --force "$C"
	wait $AGENT
}

@test "NOTIFY: path and rules that cannot be are refused with their place" {
	bundle "$(notifying '"getcwd"')"
	edit '.linux.seccomp |= del(.listenerPath)'
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/listenerPath
	edit '.linux.seccomp.listenerPath = ""'
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/listenerPath
	edit '.linux.seccomp.listenerPath = "@agent"'
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/listenerPath "absolute path"
	bundle "$(notifying '"getcwd", "write"')"
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/syscalls/0/names/1 "SCMP_ACT_NOTIFY cannot be used for the write syscall"
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/x"}'
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/defaultAction "cannot be used as default action"
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}'
	fails 3 oakum create --bundle "$B" "$C"
	says /linux/seccomp/listenerMetadata
}

@test "listenerPath without a rule that notifies: the agent is told if there is one, and not needed" {
	bundle "$(notifying '"getcwd"') | .linux.seccomp.syscalls = [] | .process.args = [\"true\"]"
	ok oakum run --bundle "$B" "$C"
	agent 1 continue
	ok oakum run --bundle "$B" "$C"
	wait $AGENT
	is "$(jq -r .state.id "$W/told")" "$C"
}

@test "crun's ways to name the receiver: annotation and environment" {
	bundle "$(notifying '"getcwd"') | .linux.seccomp |= del(.listenerPath, .listenerMetadata) | .process.args = [\"true\"]
		| .annotations = {\"run.oci.seccomp.receiver\": \"$W/agent.sock\"}"
	agent 1 continue
	ok oakum run --bundle "$B" "$C"
	wait $AGENT
	edit 'del(.annotations)'
	agent 2 continue
	sleeper "$(notifying '"getcwd"') | .linux.seccomp |= del(.listenerPath, .listenerMetadata)"
	# Said once, at create: start and exec may not know it.
	ok env RUN_OCI_SECCOMP_RECEIVER="$W/agent.sock" "$OAKUM" --root "$ROOT" create --bundle "$B" "$C"
	ok oakum start "$C"
	ok oakum exec "$C" true
	ok oakum delete --force "$C"
	wait $AGENT
	is "$(wc -l <"$W/told")" 3
	fails 2 env RUN_OCI_SECCOMP_RECEIVER=relative "$OAKUM" --root "$ROOT" create --bundle "$B" "$C"
	says 'RUN_OCI_SECCOMP_RECEIVER "relative" is not an absolute path'
}

@test "the listener reaches neither hooks nor the container" {
	cat >"$B.hook" <<-'EOF'
	#!/bin/sh
	ls -l /proc/self/fd >>/out/hook
	EOF
	mkdir "$W/out"
	agent 1 continue
	bundle "$(notifying '"execve", "getcwd"') | .process.args = [\"inside\", \"fds\"]
		| .mounts += [{destination: \"/out\", type: \"bind\", source: \"$W/out\", options: [\"rbind\", \"rw\"]}]
		| .hooks = {startContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"inside fds >/out/hook\"]}]}"
	ok oakum run --bundle "$B" "$C"
	wait $AGENT
	is "$(cut -d' ' -f1 "$W/out/hook" | paste -sd' ')" "0 1 2"
	is "$(cut -d' ' -f1 <<<"$output" | paste -sd' ')" "0 1 2"
	rm -f "$B.hook"
}

# bats test_tags=root:kernel
@test "flags: WAIT_KILLABLE_RECV goes with a listener; an absent list and an empty one differ" {
	agent 1 continue
	bundle "$(notifying '"getcwd"') | .linux.seccomp.flags = [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\", \"SECCOMP_FILTER_FLAG_TSYNC\", \"SECCOMP_FILTER_FLAG_LOG\"] | .process.args = [\"true\"]"
	ok strace -f -o "$W/strace" -e trace=seccomp -e signal=none "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	wait $AGENT
	# 2 LOG, 8 NEW_LISTENER, 32 WAIT_KILLABLE_RECV
	grep -E 'seccomp\(SECCOMP_SET_MODE_FILTER, (0x2a|[A-Z_|]*NEW_LISTENER[A-Z_|]*(0x20|WAIT_KILLABLE_RECV)), \{' "$W/strace"
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO"}]} | .process.args = ["true"]'
	ok strace -f -o "$W/strace" -e trace=seccomp -e signal=none "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	grep -E 'seccomp\(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, \{' "$W/strace"
	edit '.linux.seccomp.flags = []'
	ok strace -f -o "$W/strace" -e trace=seccomp -e signal=none "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	grep -E 'seccomp\(SECCOMP_SET_MODE_FILTER, 0, \{' "$W/strace"
}

# ---- hooks under the filter ----

@test "the filter holds for startContainer hooks: one that it kills says so" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_KILL_PROCESS"}]}
		| .process.args = ["echo", "never"] | .hooks = {startContainer: [{path: "/bin/inside", args: ["inside", "errno", "79"]}]}'
	fails 1 oakum run --bundle "$B" "$C"
	says "error running startContainer hook #0" "bad system call" /hooks/startContainer/0
	is "$output" ""
	edit '.linux.seccomp.syscalls[0].action = "SCMP_ACT_KILL"'
	fails 1 oakum run --bundle "$B" "$C"
	says "error running startContainer hook #0" "bad system call"
}

@test "startContainer hooks run under a filter without clone3, sendmsg and close_range, as engines have it" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
			{names: ["clone3", "close_range", "pidfd_open", "openat2"], action: "SCMP_ACT_ERRNO", errnoRet: 38},
			{names: ["sendmsg", "recvmsg"], action: "SCMP_ACT_ERRNO"}]}
		| .process.args = ["echo", "runs"] | .hooks = {startContainer: [{path: "/bin/true"}, {path: "/bin/sh", args: ["sh", "-c", "exit $FAIL"], env: ["FAIL=0"]}]}'
	ok oakum run --bundle "$B" "$C"
	is "$output" runs
	edit '.hooks.startContainer[1].env = ["FAIL=3"]'
	fails 1 oakum run --bundle "$B" "$C"
	says "error running startContainer hook #1" "exit status 3"
	# The program's own fault is still reported, without sendmsg.
	edit 'del(.hooks) | .process.args = ["/etc/hostname-that-is-not"]'
	fails 127 oakum run --bundle "$B" "$C"
}
