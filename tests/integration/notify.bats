#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# NOTIFY_SOCKET: what a container notifies reaches the host's socket, from every kind of container, and
# nothing stays when it ends. The host's end is `inside notified`.

load ../lib/common

# receiver N [SOCKET]: take N messages at SOCKET into $W/got.
receiver() {
	HOST=${2-$W/host.sock}
	: >"$W/got"
	"$LIB/inside" notified "$HOST" "$1" >"$W/got" 3>&- 4>&- &
	RECEIVER=$!
	case $HOST in
	@*) until_true grep -q " $HOST\$" /proc/net/unix ;;
	*) until_true test -S "$HOST" ;;
	esac
}

with_host() { env NOTIFY_SOCKET="$HOST" "$OAKUM" --root "$ROOT" "$@"; }
got() { [ "$(wc -l <"$W/got")" -ge "$1" ]; }

@test "inside: a mount at the socket's path, a socket called notify, NOTIFY_SOCKET" {
	HOST=/run/some/where/the-socket
	bundle '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET; ls -a $(dirname $NOTIFY_SOCKET); test -S $NOTIFY_SOCKET && echo socket; grep the-socket /proc/self/mountinfo; touch /run/some/where/the-socket/x"]'
	local status=0
	with_host run --bundle "$B" "$C" </dev/null >"$W/out" 2>"$W/err" || status=$?
	is "$status" 1
	is "$(head -n 5 "$W/out")" "$(printf '%s\n' $HOST/notify . .. notify socket)"
	grep -Eq " / $HOST ro,nosuid,nodev,noexec.* - tmpfs " "$W/out"
	grep -q 'Read-only file system' "$W/err"
	[ ! -e $HOST ]
}

@test "run in the foreground passes on all that a service may say, as long as it lives, and nothing else" {
	receiver 7
	bundle '.process.args = ["sh", "-c", "inside notify \"STATUS=begins|MAINPID=77\"; inside notify MAINPID=1; inside notify READY=1; inside notify WATCHDOG=1; inside notify \"X=1|RELOADING=1|MONOTONIC_USEC=5\"; inside notify FDSTORE=1; inside notify NOTIFYACCESS=all; inside notify BARRIER && echo passed; inside notify \"STOPPING=1\"; inside notify \"STATUS=last\""]'
	ok with_host run --bundle "$B" "$C"
	wait $RECEIVER
	is "$(cat "$W/got")" "$(printf '%s\n' STATUS=begins READY=1 WATCHDOG=1 'RELOADING=1|MONOTONIC_USEC=5' BARRIER=1 STOPPING=1 STATUS=last)"
	prints passed
}

# bats test_tags=root:kernel
@test "create and start: start returns when the container is ready, and says whose pid it is" {
	receiver 3
	bundle '.process.args = ["sh", "-c", "while [ ! -e /go ]; do sleep 0.05; done; inside notify STATUS=almost; inside notify READY=1; inside ignore"]'
	ok with_host create --bundle "$B" "$C"
	with_host start "$C" </dev/null >"$W/start.out" 2>&1 3>&- &
	local start=$! pid
	until_true is_status running "$C"
	kill -0 $start
	[ ! -s "$W/got" ]
	touch "$B/rootfs/go"
	wait $start
	wait $RECEIVER
	pid=$(pid_of)
	is "$(cat "$W/got")" "$(printf '%s\n' STATUS=almost "READY=1|MAINPID=$pid" BARRIER=1)"
	# Nobody listens any more: what comes later is refused, not queued.
	local status=0
	nsenter -t "$pid" -m -r env NOTIFY_SOCKET="$HOST/notify" /bin/inside notify READY=1 >"$W/late" || status=$?
	is "$status $(cat "$W/late")" "1 111"
	ok oakum delete --force "$C"
}

@test "run --detach waits for READY=1 likewise" {
	receiver 2
	bundle '.process.args = ["sh", "-c", "inside notify READY=1; inside ignore"]'
	ok with_host run -d --bundle "$B" "$C"
	wait $RECEIVER
	is "$(head -n 1 "$W/got")" "READY=1|MAINPID=$(pid_of)"
	ok oakum delete --force "$C"
}

@test "a container that start waits for can be looked at, killed and deleted" {
	receiver 1
	sleeper
	ok with_host create --bundle "$B" "$C"
	with_host start "$C" </dev/null >"$W/start.out" 2>&1 3>&- &
	local start=$!
	until_true is_status running "$C"
	ok oakum exec "$C" true
	ok oakum kill "$C" TERM
	wait $start
	is "$(cat "$W/start.out")" ""
	ok oakum delete "$C"
	ok with_host create --bundle "$B" "$C"
	with_host start "$C" </dev/null >"$W/start.out" 2>&1 3>&- &
	start=$!
	until_true is_status running "$C"
	ok oakum delete --force "$C"
	wait $start
	kill $RECEIVER
	rm -f "$HOST"
}

@test "what was said before the end is passed on, also by a container that ends at once" {
	receiver 2
	bundle '.process.args = ["inside", "notify", "READY=1"]'
	ok with_host create --bundle "$B" "$C"
	ok with_host start "$C"
	wait $RECEIVER
	head -n 1 "$W/got" | grep -Eqx 'READY=1\|MAINPID=[1-9][0-9]*'
	ok oakum delete "$C"
}

@test "start without NOTIFY_SOCKET waits for nobody, and the container's messages are refused" {
	HOST=$W/host.sock
	sleeper
	ok with_host create --bundle "$B" "$C"
	ok oakum start "$C"
	local status=0
	oakum exec --env "NOTIFY_SOCKET=$HOST/notify" "$C" inside notify READY=1 </dev/null >"$W/out" || status=$?
	is "$status $(cat "$W/out")" "1 111"
	ok oakum delete --force "$C"
	# And where create had none, start has nothing to wait for.
	ok oakum create --bundle "$B" "$C"
	ok with_host start "$C"
	ok oakum delete --force "$C"
}

# bats test_tags=root:ids
@test "from a user namespace, as a user, with a read-only root" {
	receiver 1
	bundle '.process.args = ["inside", "notify", "READY=1"] | .process.user = {uid: 1000, gid: 1000} | .root.readonly = true
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	mkdir -p "$B/rootfs$W"
	chmod 755 "$W" "$B"
	mkdir -p "$B/rootfs$HOST"
	chown -R 100000:100000 "$B/rootfs$HOST"
	ok with_host run --bundle "$B" "$C"
	prints ok
	wait $RECEIVER
	is "$(cat "$W/got")" READY=1
}

@test "abstract sockets of the host, from another network namespace" {
	receiver 1 "@oakum-test-$$"
	bundle '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET; inside notify READY=1"]'
	ok with_host run --bundle "$B" "$C"
	is "$output" "$(printf '/run/notify/notify\nok')"
	wait $RECEIVER
	is "$(cat "$W/got")" READY=1
}

@test "a configuration with its own NOTIFY_SOCKET, and one without a mount namespace, are left alone" {
	HOST=$W/host.sock
	bundle '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET"] | .process.env += ["NOTIFY_SOCKET=/run/notify/notify.sock"]'
	ok with_host run --bundle "$B" "$C"
	is "$output" /run/notify/notify.sock
	bundle '.linux.namespaces |= map(select(.type != "mount")) | del(.mounts, .linux.maskedPaths, .linux.readonlyPaths) | .process.args = ["sh", "-c", "echo .$NOTIFY_SOCKET"]'
	ok with_host run --bundle "$B" "$C"
	is "$output" .
}

@test "a NOTIFY_SOCKET that is none is a warning; an empty one is nothing" {
	bundle '.process.args = ["sh", "-c", "echo .$NOTIFY_SOCKET"]'
	ok env NOTIFY_SOCKET=vsock:2:5 "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	is "$output" .
	says 'warning' 'NOTIFY_SOCKET "vsock:2:5"' ignored
	ok env NOTIFY_SOCKET= "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	is "$output$errors" .
}

@test "a root that cannot have the directory is an error that says what to do" {
	HOST=/proc/1/notify
	bundle
	fails 1 with_host run --bundle "$B" "$C"
	says "notify socket: make /proc/1/notify for the notify socket" "unset NOTIFY_SOCKET"
}

@test "a manager that is gone is a warning; one that does not read costs seconds, not for ever" {
	HOST=$W/nobody.sock
	bundle '.process.args = ["sh", "-c", "inside notify READY=1; exec sleep 1000"]'
	ok with_host run -d --bundle "$B" "$C"
	says warning "tell $HOST that the container says READY=1" ENOENT
	ok oakum delete --force "$C"
	# It reads one message and then nothing, so that the barrier is not passed.
	receiver 1
	kill -STOP $RECEIVER
	local began=$SECONDS
	ok with_host run -d --bundle "$B" "$C"
	[ $((SECONDS - began)) -lt 60 ]
	kill -CONT $RECEIVER
	wait $RECEIVER
	is "$(cat "$W/got")" "READY=1|MAINPID=$(pid_of)"
	ok oakum delete --force "$C"
}

@test "up says what is wrong with the socket of its manager, whoever is to say READY" {
	bundle '.process.args = ["true"]'
	local who bad long
	long=/$(printf 'x%.0s' {1..150})
	for who in runtime container; do
		for bad in run/x vsock:2:5 @ "$long"; do
			ok env NOTIFY_SOCKET="$bad" "$OAKUM" --root "$ROOT" up --rm --sdnotify $who -b "$B" "$C"
			says warning "NOTIFY_SOCKET \"$bad\"" ignored
			[ "$bad" != "$long" ] || says "longer than an address can be"
		done
		ok env NOTIFY_SOCKET="$W/nobody.sock" "$OAKUM" --root "$ROOT" up --rm --sdnotify $who -b "$B" "$C"
		says warning "$W/nobody.sock" ENOENT
	done
	receiver 1
	kill -KILL $RECEIVER
	wait $RECEIVER || :
	ok env NOTIFY_SOCKET="$HOST" "$OAKUM" --root "$ROOT" up --rm --sdnotify container -b "$B" "$C"
	says warning "$HOST" ECONNREFUSED
	rm -f "$HOST"
}

# full_receiver N: as receiver, but with a queue that is full.
full_receiver() {
	receiver "$1"
	kill -STOP $RECEIVER
	while NOTIFY_SOCKET=$HOST timeout 0.3 "$LIB/inside" notify X=1 >/dev/null; do :; done
}

@test "up waits for room in the manager's queue to say that it is ready, and says last how it ended" {
	bundle '.process.args = ["sh", "-c", "exit 7"]'
	local -A expected=([foreground]=7 [-d]=0)
	local options said rc
	for options in "" -d; do
		full_receiver 1000
		(sleep 1; kill -CONT $RECEIVER) 3>&- &
		rc=0
		# shellcheck disable=SC2086
		with_host up --rm $options -b "$B" "$C" </dev/null >"$W/out" 2>&1 || rc=$?
		is "$options $rc $(cat "$W/out")" "$options ${expected[${options:-foreground}]} "
		until_true grep -q 'STATUS=the container' "$W/got"
		said=$(grep -v -e X=1 -e BARRIER "$W/got" | sed 's/MAINPID=.*/MAINPID/')
		is "$said" "$(printf '%s\n' "READY=1|STATUS=container $C runs|MAINPID" "STATUS=the container exited with status 7")"
		kill $RECEIVER
		wait $RECEIVER || :
		rm -f "$HOST"
		until_true test ! -e "$ROOT/$C"
	done
}

@test "a watchdog of next to no time is answered a thousand times a second at most" {
	receiver 1000000
	bundle '.process.args = ["sleep", "1"]'
	ok env WATCHDOG_USEC=1 NOTIFY_SOCKET="$HOST" "$OAKUM" --root "$ROOT" up --rm -b "$B" "$C"
	kill $RECEIVER
	wait $RECEIVER || :
	rm -f "$HOST"
	grep -q WATCHDOG=1 "$W/got"
	[[ $(grep -c WATCHDOG=1 "$W/got") -lt 2500 ]]
}

@test "a container that notifies without end does not keep run from its end" {
	receiver 100000
	bundle '.process.args = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (while :; do inside notify WATCHDOG=1 >/dev/null; done) & done; sleep 1; inside notify STATUS=end; exit 5"]'
	local status=0
	with_host run --bundle "$B" "$C" </dev/null || status=$?
	is "$status" 5
	kill $RECEIVER
	wait $RECEIVER || :
	rm -f "$HOST"
	grep -qx STATUS=end "$W/got" || grep -qx WATCHDOG=1 "$W/got"
}

@test "run in the foreground warns when the manager cannot be told that the container is ready" {
	HOST=$W/nobody.sock
	bundle '.process.args = ["inside", "notify", "STATUS=x|READY=1"]'
	ok with_host run --bundle "$B" "$C"
	says warning "tell $HOST that the container says STATUS=x" ENOENT
}

@test "LISTEN_FDNAMES comes along with LISTEN_FDS" {
	bundle '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES"]'
	ok sh -c 'exec 3</dev/null 4</dev/null; LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=web:tls exec "$@"' sh "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	is "$output" "2 1 web:tls"
	# Not one for each.
	local names
	for names in web web:tls:more :: ""; do
		ok sh -c 'exec 3</dev/null 4</dev/null; LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=$1; shift; export LISTEN_FDS LISTEN_PID LISTEN_FDNAMES; exec "$@"' sh "$names" "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
		is "$output" "2 1"
	done
}
