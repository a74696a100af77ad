#!/usr/bin/env bats
# What the supervisor promises when things go wrong: no byte lost unsaid, no process stalled, nothing left.
load ../lib/common

supervisor_of() { sed 's/.*"supervisor":\[\([0-9]*\),.*/\1/' "$ROOT/$1/state.json"; }
record_of() { jq -r "$2" "$ROOT/$1/exit.json"; }
shell() { bundle ".process.capabilities.ambient = [] | .process.args = [\"sh\", \"-c\", $(jq -n --arg s "$1" '$s')]"; }
has_exited() { [ -e "$ROOT/$1/exit.json" ]; }
has_no_cgroup() { [ -z "$(cgroups_of "$C")" ]; }
ticks_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

@test "every byte comes through, whatever the size, with the end of the container right behind it" {
	for n in 0 1 4095 4096 65535 65536 65537 1048577; do
		shell "head -c $n /dev/zero; head -c $n /dev/zero >&2; exit 3"
		rc=0
		oakum up -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err" || rc=$?
		is $rc 3
		is "$(stat -c %s "$W/out") $(stat -c %s "$W/err")" "$n $n"
		is "$(record_of "$C" '"\(.stdout_bytes) \(.stderr_bytes) \(.complete)"')" "$n $n true"
		ok oakum delete "$C"
	done
}

@test "logs gives back the bytes of both streams, also without a final newline" {
	shell 'printf "a\n\nb"; printf "x\0y\n" >&2; printf "c\nend"'
	ok oakum up -d -b "$B" "$C"
	ok oakum wait "$C"
	oakum logs "$C" </dev/null >"$W/out" 2>"$W/err"
	is "$(od -An -c "$W/out" | tr -d ' \n')" 'a\n\nbc\nend'
	is "$(od -An -c "$W/err" | tr -d ' \n')" 'x\0y\n'
	ok oakum logs -t "$C"
	[[ $output =~ ^20[0-9-]+T[0-9:.]+Z\ a ]]
	ok oakum delete "$C"
}

@test "a foreground up that reads slowly loses nothing: the container waits" {
	bundle '.process.args = ["inside", "fill", "40000"]'
	oakum up -b "$B" "$C" </dev/null | { read -r -t 0.5 _ <> <(:) || :; sha256sum; } >"$W/sum"
	is "$(cat "$W/sum")" "$("$LIB/inside" fill 40000 | sha256sum)"
	ok oakum delete "$C"
}

@test "an attached client that stops reading neither stalls the container nor loses bytes unsaid" {
	shell 'read x; inside fill 50000; read x; exit 0'
	ok oakum up -d -i -b "$B" "$C"
	"$OAKUM" --root "$ROOT" attach --no-stdin --sig-proxy=false "$C" </dev/null >"$W/out" 2>"$W/err" &
	slow=$!
	until_true bash -c "ls -l /proc/$slow/fd | grep -q signalfd"
	kill -STOP $slow
	mkfifo "$W/in"
	"$OAKUM" --root "$ROOT" attach "$C" <"$W/in" >/dev/null 2>&1 &
	quick=$!
	exec 9>"$W/in"
	echo go >&9
	until_true bash -c "'$OAKUM' --root '$ROOT' logs --tail 1 $C | grep -q 49999"
	kill -CONT $slow
	echo end >&9
	exec 9>&-
	wait $slow $quick
	lost=$(sed 's/.*output lost: \([0-9]*\) bytes.*/\1/' "$W/err" | paste -sd+ | bc)
	is $(($(stat -c %s "$W/out") + lost)) "$(record_of "$C" .stdout_bytes)"
	[ "$lost" -gt 0 ]
	ok oakum delete "$C"
}

# bats test_tags=root:kernel
@test "a process that keeps the pipe after the container's end holds nothing up" {
	bundle '.process.args = ["sh", "-c", "sleep 1000 & echo main"] | del(.linux.namespaces[] | select(.type == "pid"))'
	ok oakum up -d -b "$B" "$C"
	ok oakum wait "$C"
	is "$output" 0
	is "$(record_of "$C" .complete)" false
	ok oakum logs "$C"
	is "$output" main
	ok oakum delete "$C"
}

closed() { ! [ -e "/proc/$1/fd/1" ] && ! [ -e "/proc/$1/fd/2" ]; }

@test "a container that closes its output does not keep the supervisor busy" {
	shell 'exec >&- 2>&-; trap "exit 0" TERM; while :; do sleep 0.1; done'
	ok oakum up -d -b "$B" "$C"
	sup=$(supervisor_of "$C")
	before=$(ticks_of "$sup")
	until_true closed "$(pid_of)"
	read -r -t 0.5 _ <> <(:) || :
	[ $(($(ticks_of "$sup") - before)) -le 2 ]
	ok oakum down "$C"
}

@test "a dead init that a tracer holds does not keep the supervisor busy, and its status is not lost" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	sup=$(supervisor_of "$C") pid=$(pid_of)
	mkfifo "$W/hold"
	"$LIB/inside" trace "$pid" <"$W/hold" >"$W/traced" 2>&1 &
	tracer=$!
	exec 9>"$W/hold"
	until_true grep -qx ok "$W/traced"
	kill -KILL "$pid"
	until_true grep -q '^State:.Z' "/proc/$pid/status"
	before=$(ticks_of "$sup")
	read -r -t 1 _ <> <(:) || :
	[ $(($(ticks_of "$sup") - before)) -le 5 ]
	run has_exited "$C"
	is "$status" 1
	exec 9>&-
	wait $tracer
	until_true has_exited "$C"
	is "$(record_of "$C" '"\(.known) \(.signal)"')" "true 9"
	ok oakum delete "$C"
}

@test "up SIGKILLed while the container is being created: it is taken back" {
	printf '#!/bin/sh\necho >"%s/hook"\nread x <"%s/go"\n' "$W" "$W" >"$W/hook.sh"
	chmod +x "$W/hook.sh"
	mkfifo "$W/go"
	sleeper ".hooks.createRuntime = [{\"path\": \"$W/hook.sh\"}]"
	"$OAKUM" --root "$ROOT" up -d -b "$B" "$C" </dev/null >/dev/null 2>&1 &
	up=$!
	until_true test -e "$W/hook"
	kill -KILL $up
	wait $up || :
	echo >"$W/go"
	until_true test ! -e "$ROOT/$C"
	fails 4 oakum state "$C"
}

@test "a foreground up SIGKILLed: the container and its log go on" {
	shell 'trap "exit 0" TERM; while :; do echo tick; sleep 0.02; done'
	"$OAKUM" --root "$ROOT" up -b "$B" "$C" </dev/null >/dev/null &
	up=$!
	until_true is_status running "$C"
	kill -KILL $up
	wait $up || :
	lines=$(oakum logs "$C" </dev/null | wc -l)
	until_true bash -c "[ \$('$OAKUM' --root '$ROOT' logs $C | wc -l) -gt $((lines + 5)) ]"
	is "$(status_of)" running
	ok oakum down "$C"
}

@test "the supervisor SIGKILLed: clients are told, the status is still found or said to be unknown" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	for what in "attach --no-stdin" "logs -f" wait; do
		# shellcheck disable=SC2086
		"$OAKUM" --root "$ROOT" $what "$C" </dev/null >"$W/${what%% *}.out" 2>"$W/${what%% *}.err" &
	done
	sup=$(supervisor_of "$C")
	until_true bash -c "[ \$(ls -l /proc/$sup/fd | grep -c socket:) -ge 3 ]"
	kill -KILL "$sup"
	until_true grep -q "supervisor of $C was killed" "$W/attach.err"
	until_true grep -q "supervisor was killed" "$W/logs.err"
	fails 4 oakum attach "$C"
	ok oakum kill "$C" KILL
	wait
	grep -qx -e 137 -e unknown "$W/wait.out"
	[ ! -e "$ROOT/$C/exit.json" ]
	ok oakum delete "$C"
}

@test "SIGTERM to the supervisor stops the container" {
	shell 'trap "exit 9" TERM; while :; do sleep 0.02; done'
	ok oakum up -d -b "$B" "$C"
	until_true catches TERM "$(pid_of)"
	kill -TERM "$(supervisor_of "$C")"
	ok oakum wait "$C"
	is "$output" 9
	ok oakum delete "$C"
}

@test "end of input: passed on in the foreground, not with -d -i; without -i stdin is empty" {
	bundle '.process.args = ["cat"]'
	is "$(echo text | oakum up --rm -b "$B" "$C")" text
	ok oakum up -d --rm -b "$B" "$C"
	until_true test ! -e "$ROOT/$C"
	ok oakum up -d -i -b "$B" "$C"
	for word in one two; do
		"$OAKUM" --root "$ROOT" attach --sig-proxy=false "$C" <<<"$word" >"$W/$word" 2>&1 &
		client=$!
		until_true grep -q "$word" "$W/$word"
		kill -TERM $client
		wait $client || :
	done
	is "$(status_of)" running
	ok oakum down --timeout 0 "$C"
}

@test "at a terminal: size, detach keys, attach again, exit status" {
	cp -al "$FIXTURE/rootfs" "$W/rootfs"
	mkfifo "$W/keys"
	script -qec "stty rows 31 cols 97; '$OAKUM' --root '$ROOT' up --tty --rootfs '$W/rootfs' $C -- sh" /dev/null \
		<"$W/keys" >"$W/screen" 2>&1 &
	first=$!
	exec 9>"$W/keys"
	until_true grep -q '# ' "$W/screen"
	printf 'stty size\n' >&9
	until_true grep -q '31 97' "$W/screen"
	printf '\020\021' >&9
	wait $first
	exec 9>&-
	is "$(status_of)" running
	script -qec "'$OAKUM' --root '$ROOT' attach $C" /dev/null <"$W/keys" >"$W/again" 2>&1 &
	second=$!
	exec 9>"$W/keys"
	until_true bash -c "ls -l /proc/$(supervisor_of "$C")/fd | grep -c socket: | grep -qx 2"
	printf 'exit 5\n' >&9
	rc=0
	wait $second || rc=$?
	exec 9>&-
	is $rc 5
	ok oakum wait "$C"
	is "$output" 5
	ok oakum delete "$C"
}

@test "more clients than there is room for are refused, the others stay" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	for i in $(seq 33); do
		"$OAKUM" --root "$ROOT" attach --no-stdin --sig-proxy=false "$C" </dev/null >/dev/null 2>"$W/err.$i" &
	done
	until_true bash -c "cat '$W'/err.* | grep -q 'Connection refused'"
	is "$(cat "$W"/err.* | grep -c 'Connection refused')" 1
	ok oakum down "$C"
	wait
}

@test "a log that cannot be written is counted and stops nobody" {
	bundle '.process.args = ["inside", "fill", "100"]'
	ok oakum up -d --log-driver file:/dev/full -b "$B" "$C"
	ok oakum wait "$C"
	is "$output" 0
	is "$(record_of "$C" .log_lost_bytes)" "$(record_of "$C" .stdout_bytes)"
	ok oakum delete "$C"
}

# ended_with SIGNAL KILLS: so the record says.
ended_with() {
	local said
	said=$(record_of "$C" '"\(.signal) \(.oom_kills)"')
	[ "$said" != "$1 null" ] || ! may_be_unknown "$2" || return 0
	is "$said" "$1 $2"
}

# bats test_tags=root:cgroup
@test "the exit record counts OOM kills, of init and of others, and up says so" {
	need_controllers memory
	shell 'tail /dev/zero; tail /dev/zero; exit 5'
	edit '.linux.resources.memory = {limit: 33554432}'
	rc=0
	oakum up -b "$B" "$C" </dev/null >/dev/null 2>"$W/err" || rc=$?
	is $rc 5
	ended_with 0 2
	[ "$(record_of "$C" .oom_kills)" = null ] ||
		grep -q "warning: $C: memory ran out: the kernel killed 2 of its processes" "$W/err"
	ok oakum delete "$C"

	shell 'exec tail /dev/zero'
	edit '.linux.resources.memory = {limit: 33554432}'
	ok oakum up -d -b "$B" "$C"
	ok oakum wait "$C"
	is "$output" 137
	ended_with 9 1
	ok oakum delete "$C"

	bundle '.process.args = ["sleep", "1000"] | .linux.resources.memory = {limit: 33554432}'
	ok oakum up -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	ok oakum wait "$C"
	is "$output" 137
	ended_with 9 0
	ok oakum delete "$C"
}

# bats test_tags=root:cgroup
@test "OOM kills are still known when the cgroup is deleted before the supervisor looks" {
	[ "$OAKUM_ENCLOSED" != systemd ] || skip "there systemd removes the cgroup, whoever may still want to look"
	need_controllers memory
	shell 'read x </fifo; exec tail /dev/zero'
	mkfifo "$B/rootfs/fifo"
	edit '.linux.resources.memory = {limit: 33554432}'
	ok oakum up -d -b "$B" "$C"
	"$OAKUM" --root "$ROOT" attach --no-stdin "$C" </dev/null >"$W/out" 2>"$W/err" &
	client=$!
	pid=$(pid_of) supervisor=$(supervisor_of "$C")
	until_true bash -c "ls -l /proc/$client/fd | grep -q signalfd"
	kill -STOP "$supervisor"
	echo go >"$B/rootfs/fifo"
	until_true grep -q '^State:.*Z' "/proc/$pid/status"
	"$OAKUM" --root "$ROOT" delete --force "$C" </dev/null >"$W/deleted" 2>&1 &
	deleter=$!
	until_true has_no_cgroup
	kill -CONT "$supervisor"
	rc=0
	wait $client || rc=$?
	is $rc 137
	grep -q "memory ran out: the kernel killed 1 of its processes" "$W/err"
	wait $deleter
}
