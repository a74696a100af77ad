#!/usr/bin/env bats
# The supervised commands: up, down, attach, logs, wait.
load ../lib/common

status() {
	local rc=0
	"$@" </dev/null || rc=$?
	echo "status=$rc"
}

supervisor_of() { oakum state "$1" </dev/null | jq -r '.supervisor.pid? // .supervisor? // empty'; }

# Our processes in the enclosure that run the program under test.
no_oakums() { [ -z "$(oakums)" ]; }
oakums() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/exe" 2>/dev/null)" != "$OAKUM" ] && ! grep -qs '^oakum' "$p/comm" || echo "${p#/proc/}"
	done
}

@test "up in the foreground: output, stdin, status" {
	bundle '.process.args = ["sh", "-c", "cat; echo err >&2; exit 42"]'
	local rc=0
	output=$(echo through | oakum up -b "$B" "$C" 2>"$W/err") || rc=$?
	is $rc 42
	is "$output" through
	is "$(cat "$W/err")" err
	is "$(status_of)" stopped
	ok oakum logs "$C"
	prints through
	ok oakum delete "$C"
}

@test "up passes on the descriptors of LISTEN_FDS with their names, and none that are another's" {
	bundle '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3; cat <&4"]'
	echo one >"$W/one"
	echo two >"$W/two"
	ok sh -c 'exec 3<one 4<two; LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=web:tls exec "$@"' sh "$OAKUM" --root "$ROOT" up --rm -b "$B" "$C"
	is "$output" "$(printf '%s\n' '2 1 web:tls' one two)"
	bundle '.process.args = ["sh", "-c", "echo .$LISTEN_FDS; [ ! -e /proc/self/fd/3 ] || readlink /proc/self/fd/3"]'
	ok sh -c 'exec 3<one; LISTEN_FDS=1 LISTEN_PID=1 exec "$@"' sh "$OAKUM" --root "$ROOT" up --rm -b "$B" "$C"
	is "$(head -n 1 <<<"$output")" .
	[[ $output != *one* ]]
}

@test "up --rm deletes at exit, in the foreground and with -d" {
	bundle '.process.args = ["echo", "gone"]'
	ok oakum up --rm -b "$B" "$C"
	is "$output" gone
	fails 4 oakum state "$C"
	bundle '.process.args = ["sleep", "0.2"]'
	ok oakum up -d --rm -b "$B" "$C"
	until_true test ! -e "$ROOT/$C"
	is "$(cgroups_of "$C")" ""
}

@test "up -d prints nothing and returns when it runs" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	is "$output$errors" ""
	is "$(status_of)" running
	ok oakum down "$C"
	is "$output$errors" ""
	fails 4 oakum state "$C"
}

# bats test_tags=root:cgroup
@test "up -d, pause, resume, kill, delete: no supervisor is left" {
	sleeper
	for _ in {1..10}; do
		ok oakum up -d -b "$B" "$C"
		ok oakum pause "$C"
		ok oakum resume "$C"
		ok oakum kill "$C" KILL
		ok oakum delete "$C"
	done
	until_true no_oakums
}

@test "up: what fails is said on stderr and nothing is left" {
	bundle '.process.args = ["/bin/nope"]'
	fails 127 oakum up -b "$B" "$C"
	says nope
	fails 127 oakum up -d -b "$B" "$C"
	fails 4 oakum state "$C"
	bundle '.process.args = ["/etc/passwd"]'
	fails 126 oakum up -d -b "$B" "$C"
	bundle '.process.args = 7'
	fails 3 oakum up -d -b "$B" "$C"
	says /process/args
	sleeper
	ok oakum up -d -b "$B" "$C"
	fails 5 oakum up -d -b "$B" "$C"
	ok oakum down "$C"
}

@test "up --rootfs: no bundle, a hardened container" {
	cp -al "$FIXTURE/rootfs" "$W/rootfs"
	ok oakum up --rm --rootfs "$W/rootfs" "$C" -- sh -c 'id -u; pwd; grep -E "Seccomp:|NoNewPrivs|CapEff" /proc/self/status; ls /proc/kcore /sys/firmware | head -3; cat /proc/self/cgroup | head -1'
	prints "Seccomp:	2" "NoNewPrivs:	1" "CapEff:	00000000a80425fb"
}

# bats test_tags=root:cgroup
@test "up --rootfs: --env --mount --user --workdir --hostname --read-only --memory --cpus --pids" {
	cp -al "$FIXTURE/rootfs" "$W/rootfs"
	mkdir "$W/data"
	echo data >"$W/data/file"
	ok oakum up --rm --rootfs "$W/rootfs" --env A=1 --env=B=2 --mount "type=bind,source=$W/data,target=/mnt/data,readonly" \
		--user 1000:1001 --workdir /bin --hostname named --read-only "$C" -- sh -c 'echo $A $B; cat /mnt/data/file; touch /mnt/data/x 2>&1; id -u; id -g; pwd; hostname; touch /x 2>&1; true'
	is "$(sed -n 1,2p <<<"$output" | tr '\n' ' ')" "1 2 data "
	prints "Read-only" 1000 1001 /bin named
	on_v2 && return
	ok oakum up -d --rootfs "$W/rootfs" --memory 64M --cpus 0.5 --pids 33 "$C" -- sleep 1000
	is "$(cat "$(cgroup_dir memory)/memory.limit_in_bytes")" 67108864
	is "$(cat "$(cgroup_dir pids)/pids.max")" 33
	is "$(($(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us") * 100 / $(cat "$(cgroup_dir cpu)/cpu.cfs_period_us")))" 50
	ok oakum down --timeout 0 "$C"
}

@test "up --rootfs --network host|none" {
	cp -al "$FIXTURE/rootfs" "$W/rootfs"
	ok oakum up --rm --rootfs "$W/rootfs" --network host "$C" -- readlink /proc/self/ns/net
	is "$output" "$(readlink /proc/self/ns/net)"
	ok oakum up --rm --rootfs "$W/rootfs" --network none "$C" -- readlink /proc/self/ns/net
	[ "$output" != "$(readlink /proc/self/ns/net)" ]
	fails 2 oakum up --rm --rootfs "$W/rootfs" --network frob "$C" -- true
}

@test "up --tty" {
	cp -al "$FIXTURE/rootfs" "$W/rootfs"
	ok oakum up --rm --tty --rootfs "$W/rootfs" "$C" -- inside tty
	prints "tty 1 1 1"
}

@test "up: bad values are usage errors" {
	for o in --memory=x --memory=-1 --cpus=none --cpus=-1 --pids=1e9x --user=root --user=-1 --mount=frob --env=NOEQUALS; do
		fails 2 oakum up --rootfs "$FIXTURE/rootfs" "$o" "$C" -- true
	done
	fails 2 oakum up
	fails 2 oakum up --rootfs "$FIXTURE/rootfs" --bundle "$W" "$C" -- true
}

# held [OPTION...]: an up whose creation stands in a hook until somebody writes to the FIFO go.
held() {
	mkfifo "$W/go"
	sleeper '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo >'"$W"'/there; cat '"$W"'/go"]}]'
	"$OAKUM" --root "$ROOT" up "$@" -b "$B" "$C" </dev/null >"$W/out" 2>&1 3>&- &
	up=$!
	until_true test -s "$W/there"
}

@test "told to end before the program runs, up ends when all has been taken back" {
	local rc options
	for options in "" -d; do
		held $options
		kill -TERM $up
		echo >"$W/go"
		rc=0
		wait $up || rc=$?
		is $rc 143
		[ ! -e "$ROOT/$C" ]
		is "$(cat "$W/out")" ""
		rm "$W/go" "$W/there"
	done
}

@test "told twice it ends at once, and the supervisor takes all back by itself" {
	local rc=0
	held
	kill -TERM $up
	kill -HUP $up
	wait $up || rc=$?
	[ $rc = 143 ] || is $rc 129
	[ -e "$ROOT/$C" ]
	echo >"$W/go"
	until_true test ! -e "$ROOT/$C"
	until_true no_oakums
}

@test "a foreground up passes TERM on and exits with the status" {
	bundle '.process.args = ["sh", "-c", "trap \"echo got term; exit 7\" TERM; echo ready; while :; do sleep 0.02; done"]'
	"$OAKUM" --root "$ROOT" up -b "$B" "$C" </dev/null >"$W/out" &
	up=$!
	until_true grep -q ready "$W/out"
	kill -TERM $up
	local rc=0
	wait $up || rc=$?
	is $rc 7
	grep -q "got term" "$W/out"
	ok oakum delete "$C"
}

@test "down: the stop signal, then KILL after --timeout" {
	bundle '.process.args = ["sh", "-c", "trap \"echo stopping; exit 0\" TERM; echo ready; while :; do sleep 0.02; done"]'
	ok oakum up -d -b "$B" "$C"
	until_true bash -c "\"$OAKUM\" --root \"$ROOT\" logs $C | grep -q ready"
	ok oakum down "$C"
	bundle '.process.args = ["inside", "ignore"]'
	ok oakum up -d -b "$B" "$C"
	until_true bash -c "\"$OAKUM\" --root \"$ROOT\" logs $C | grep -q ignoring"
	start=$SECONDS
	ok oakum down --timeout 1 "$C"
	[ $((SECONDS - start)) -lt 9 ]
	fails 4 oakum down "$C"
}

@test "down: the signal of the image, and of one that says none a warning" {
	bundle '.process.args = ["sh", "-c", "for s in TERM USR1; do trap \"echo $s; exit 0\" $s; done; while :; do sleep 1000 & wait $!; done"]'
	for signal in SIGUSR1 bogus ""; do
		edit ".annotations = {\"org.opencontainers.image.stopSignal\": \"$signal\"}"
		ok oakum up -d --log-driver "file:$W/log$signal" -b "$B" "$C"
		until_true catches USR1 "$(pid_of)"
		ok oakum down "$C"
		[ "$signal" = bogus ] || is "$errors" ""
		[ "$signal" != bogus ] || says "warning: " stopSignal '"bogus" is no signal'
	done
	is "$(sed "s/.* F //" "$W/logSIGUSR1" "$W/logbogus" "$W/log")" $'USR1\nTERM\nTERM'
}

# bats test_tags=root:cgroup
@test "down of created, paused, stopped and unsupervised containers" {
	sleeper
	ok oakum create -b "$B" "$C"
	ok oakum down "$C"
	ok oakum run -d -b "$B" "$C"
	ok oakum down "$C"
	ok oakum up -d -b "$B" "$C"
	ok oakum pause "$C"
	ok oakum down --timeout 1 "$C"
	ok oakum up -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	ok oakum down "$C"
}

@test "logs: all, --tail, -f, --since, of a running and of a stopped one" {
	bundle '.process.args = ["sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; echo to err >&2; sleep 0.5; echo last"]'
	ok oakum up -d -b "$B" "$C"
	oakum logs -f "$C" </dev/null >"$W/followed" 2>&1
	grep -q "line 1" "$W/followed"
	grep -q "last" "$W/followed"
	ok oakum logs "$C"
	prints "line 1" "line 5" last
	ok oakum logs --tail 1 "$C"
	is "$output" last
	ok oakum logs --tail 0 "$C"
	is "$output" ""
	ok oakum logs --since 1h "$C"
	prints "line 1"
	ok oakum logs --since 2099-01-01T00:00:00Z "$C"
	is "$output" ""
	fails 2 oakum logs --tail x "$C"
	ok oakum delete "$C"
	fails 4 oakum logs "$C"
}

@test "the default log is bounded and gone with delete" {
	bundle '.process.args = ["inside", "fill", "60000"]'
	ok oakum up -d -b "$B" "$C"
	ok oakum wait "$C"
	[ "$(du -sk "$ROOT/$C" | cut -f1)" -lt 3072 ]
	ok oakum logs --tail 1 "$C"
	prints "0000059999"
	ok oakum delete "$C"
}

@test "--log-driver file:PATH and none" {
	bundle '.process.args = ["echo", "to the file"]'
	ok oakum up -d --log-driver "file:$W/log" -b "$B" "$C"
	ok oakum wait "$C"
	grep -q "to the file" "$W/log"
	ok oakum delete "$C"
	grep -q "to the file" "$W/log"
	ok oakum up -d --log-driver none -b "$B" "$C"
	ok oakum wait "$C"
	local rc=0
	oakum logs "$C" </dev/null >"$W/out" 2>/dev/null || rc=$?
	[ ! -s "$W/out" ]
	ok oakum delete "$C"
	fails 2 oakum up -d --log-driver frob -b "$B" "$C"
}

@test "wait: the status of exits and signals, before and after" {
	bundle '.process.args = ["sh", "-c", "sleep 0.3; exit 42"]'
	ok oakum up -d -b "$B" "$C"
	local rc=0
	oakum wait "$C" </dev/null >"$W/out" || rc=$?
	grep -q 42 "$W/out" || is $rc 42
	rc=0
	oakum wait "$C" </dev/null >"$W/out" || rc=$?
	grep -q 42 "$W/out" || is $rc 42
	ok oakum delete "$C"
	sleeper
	ok oakum up -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	rc=0
	oakum wait "$C" </dev/null >"$W/out" || rc=$?
	grep -q 137 "$W/out" || is $rc 137
	ok oakum delete "$C"
	fails 4 oakum wait none
}

@test "attach: output from now on, stdin, and several at once" {
	bundle '.process.args = ["sh", "-c", "while read line; do echo got $line; done"]'
	mkfifo "$W/in"
	ok oakum up -d --interactive -b "$B" "$C"
	oakum attach "$C" </dev/null >"$W/two" &
	second=$!
	oakum attach "$C" <"$W/in" >"$W/one" &
	first=$!
	exec 9>"$W/in"
	# Neither need have come to attach at the first.
	until_true bash -c "echo hello >&9; grep -q 'got hello' '$W/one' && grep -q 'got hello' '$W/two'"
	ok oakum kill "$C" KILL
	wait $first || :
	wait $second || :
	exec 9>&-
	ok oakum delete "$C"
}

# bats test_tags=root:cgroup
@test "the supervisor SIGKILLed: container lives, FIFOs and socket are gone, the commands work" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	sup=$(awk '/^PPid/ { print $2 }' "/proc/$(pid_of)/status")
	[ "$sup" -gt 1 ]
	kill -KILL "$sup"
	until_true gone "$sup"
	is "$(status_of)" running
	ok oakum exec "$C" echo alive
	is "$output" alive
	ok oakum pause "$C"
	ok oakum resume "$C"
	ok oakum kill "$C" KILL
	ok oakum delete "$C"

	ok oakum up -d -b "$B" "$C"
	sup=$(awk '/^PPid/ { print $2 }' "/proc/$(pid_of)/status")
	kill -KILL "$sup"
	ok oakum down --timeout 1 "$C"
}

pipes_and_sockets() { find "$ROOT" /run -xdev \( -type p -o -type s \) ! -name gate 2>/dev/null || :; }

@test "no file, FIFO, socket or mount of the supervisor's is in sight" {
	local before
	before=$(pipes_and_sockets)
	sleeper
	ok oakum up -d -b "$B" "$C"
	is "$(pipes_and_sockets)" "$before"
	is "$(grep -c oakum /proc/self/mountinfo)" 0
	is "$(awk 'NR > 1 && $8 ~ /^@/' /proc/net/unix | grep -c oakum)" 0
	ok oakum down --timeout 1 "$C"
}

@test "up runs as a container's whole output, byte for byte" {
	bundle '.process.args = ["inside", "fill", "20000"]'
	oakum up -b "$B" "$C" </dev/null >"$W/out"
	is "$(sha256sum <"$W/out")" "$("$LIB/inside" fill 20000 | sha256sum)"
	ok oakum delete "$C"
}

@test "exec into a supervised container" {
	sleeper
	ok oakum up -d -b "$B" "$C"
	ok oakum exec "$C" echo in
	is "$output" in
	ok oakum down "$C"
}
