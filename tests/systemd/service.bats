#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers as services: `oakum up` in units of Type=notify.
load common

# service [LINE...]: a unit whose main process is `oakum up $UP`, with more lines for [Service].
service() {
	UNIT=oakumtest-$C.service
	unit "$UNIT" <<-END
		[Service]
		Type=notify
		Delegate=yes
		KillMode=mixed
		TimeoutStartSec=30
		ExecStart=$OAKUM --root $ROOT up --rm -b $B ${UP-} $C
		ExecStopPost=$OAKUM --root $ROOT delete --force $C
		$(printf '%s\n' "$@")
	END
}

# The container's init, by its supervisor's state.
init() { oakum state "$C" 2>/dev/null | jq -e 'select(.status == "running") | .pid' 2>/dev/null; }

started() { ok systemctl start "$UNIT"; }
is_now() { [ "$(property ActiveState)" = "$1" ]; }
comes_to() { until_true is_now "$1" || { systemctl status "$UNIT"; return 1; }; }

# Where systemd counts a process: in the v2 tree, also where v1 has the controllers, or in its own tree of v1.
place() { awk -F: '$1 == 0 { v2 = $3 } $2 == "name=systemd" { v1 = $3 } END { print v2 ? v2 : v1 }' "/proc/$1/cgroup"; }

@test "it is ready when the container runs, in the unit's own cgroup, and says so" {
	local main
	sleeper
	service
	started
	is_now active
	main=$(property MainPID)
	is "$(tr '\0' ' ' <"/proc/$main/cmdline" | grep -o ' up .*')" " up --rm -b $B $C "
	shows StatusText "container $C runs"
	is "$(place "$(init)")" "/system.slice/$UNIT/container"
	# Nobody lives in the unit's v2 cgroup itself, so all it has been given can be used below it.
	if grep -q ^0:: /proc/self/cgroup; then
		is "$(place "$main")" "/system.slice/$UNIT/supervisor"
		is "$(cat "$(on_v2 && directory || echo "/sys/fs/cgroup/unified$(property ControlGroup)")/cgroup.procs")" ""
	else
		is "$(place "$main")" "/system.slice/$UNIT"
	fi
	is "$(oakum state "$C" | jq -r .status)" running
	# The container has no socket: it need not say anything.
	ok oakum exec "$C" env
	is "$(grep -c NOTIFY_SOCKET <<<"$output")" 0
	ok systemctl stop "$UNIT"
	is_now inactive
	shows Result success
	is "$(left)" ""
}

@test "limits are set in the unit's cgroup, and its own stand above them" {
	need memory
	sleeper '.linux.resources.memory.limit = 33554432 | .linux.resources.pids.limit = 20'
	service MemoryMax=64M
	started
	is "$(cat "$(directory)/container/memory.max")" 33554432
	is "$(cat "$(directory)/container/pids.max")" 20
	is "$(cat "$(directory)/memory.max")" 67108864
	ok oakum exec "$C" true
	ok oakum update --memory 16M "$C"
	is "$(cat "$(directory)/container/memory.max")" 16777216
}

@test "a cgroup of the configuration's stays, and can be asked for either way" {
	sleeper '.linux.cgroupsPath = "/oakumtest/'"$C"'"'
	service
	started
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup")" "/oakumtest/$C"
	ok systemctl stop "$UNIT"
	UP="--cgroup unit" service
	started
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup")" "/system.slice/$UNIT/container"
	ok systemctl stop "$UNIT"
	edit 'del(.linux.cgroupsPath)'
	UP="--cgroup config" service
	started
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup" | grep -c system.slice)" 0
}

@test "a unit without delegation, and no unit at all" {
	sleeper
	UP="--cgroup unit" service Delegate=no
	fails_to_start "Delegate=yes"
	service Delegate=no
	started
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup" | grep -c system.slice)" 0
	ok systemctl stop "$UNIT"
	fails 6 oakum up -d --cgroup unit -b "$B" "$C"
	says "Delegate=yes"
	fails 2 sd up -d --cgroup unit -b "$B" "$C"
	says cgroupfs
}

@test "a systemd before 248, which does not say who is the main process" {
	local env="/usr/bin/env -u SYSTEMD_EXEC_PID" options main
	bundle '.process.args = ["sh", "-c", "trap \"exit 5\" TERM; while :; do sleep 1000 & wait $!; done"]'
	for options in "" "--cgroup unit" "-d" "-d --cgroup unit"; do
		UP=$options service
		sed -i "s|^ExecStart=|&$env |" "/run/systemd/system/$UNIT"
		systemctl daemon-reload
		started
		is "$(place "$(init)")" "/system.slice/$UNIT/container"
		main=$(property MainPID)
		is "$(place "$main")" "/system.slice/$UNIT/supervisor"
		is "$(awk '{ print $4 }' "/proc/$main/stat")" 1
		until_true catches TERM "$(init)"
		ok systemctl kill -s TERM --kill-whom=main "$UNIT"
		comes_to failed
		shows ExecMainStatus 5
		systemctl reset-failed "$UNIT"
	done
	# Two processes: none of them need be the main one.
	UP="--cgroup unit" service
	sed -i "s|^ExecStart=\(.*\)|ExecStart=$env sh -c '\1; exit \$\$?'|" "/run/systemd/system/$UNIT"
	systemctl daemon-reload
	fails_to_start "SYSTEMD_EXEC_PID is not set"
	journal_says "since version 248"
	UP="--cgroup unit" service Delegate=no
	sed -i "s|^ExecStart=|&$env |" "/run/systemd/system/$UNIT"
	systemctl daemon-reload
	fails_to_start "this systemd unit has no Delegate=yes"
}

# fails_to_start WORDS: and the journal of the unit says why.
fails_to_start() {
	if systemctl start "$UNIT" 2>/dev/null; then
		echo "it has started"
		return 1
	fi
	until_true journal_says "$1"
	systemctl reset-failed "$UNIT"
}
journal_says() { journalctl -q -o cat -u "$UNIT" --no-pager | grep -qF -- "$1"; }

@test "with --sdnotify container it is ready when the container says so" {
	bundle '.process.args = ["sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; trap \"exit 0\" TERM; inside notify \"READY=1|STATUS=open for business|MAINPID=1\"; while :; do sleep 1000 & wait $!; done"] | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	UP="--sdnotify container" service
	systemctl start --no-block "$UNIT"
	until_true init
	until_true is_status running "$C"
	is_now activating
	ok oakum exec "$C" touch /tmp/go
	comes_to active
	shows StatusText "open for business"
	# Not what it says of pids.
	is "$(tr '\0' ' ' <"/proc/$(property MainPID)/cmdline" | grep -c ' up ')" 1
	ok oakum exec "$C" env
	is "$(grep -c NOTIFY_SOCKET= <<<"$output")" 0
	ok systemctl stop "$UNIT"
	shows Result success
}

@test "so it is from a user namespace" {
	bundle '.process.args = ["sh", "-c", "trap \"exit 0\" TERM; inside notify READY=1; while :; do sleep 1000 & wait $!; done"] | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$B/rootfs"
	chmod 755 "$W" /run/tmp
	UP="--sdnotify container" service
	started
	is_now active
}

@test "a stop that comes while the container is being made leaves nothing, without ExecStopPost= too" {
	mkfifo "$W/go"
	sleeper '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo >'"$W"'/there; cat '"$W"'/go"]}]'
	service
	sed -i /^ExecStopPost=/d "/run/systemd/system/$UNIT"
	systemctl daemon-reload
	systemctl start --no-block "$UNIT"
	until_true test -s "$W/there"
	systemctl stop --no-block "$UNIT"
	until_true is_sub stop-sigterm
	echo >"$W/go"
	comes_to inactive
	shows Result success
	is "$(left | grep -v "^$UNIT\$")" ""
}
is_sub() { [ "$(property SubState)" = "$1" ]; }

@test "the unit's signal stops it, whichever that is, and no earlier than the unit says" {
	local options sig
	bundle '.process.args = ["sh", "-c", "trap \"exit 5\" INT QUIT WINCH 37; trap \"sleep 11; exit 6\" TERM; while :; do sleep 1000 & wait $!; done"]'
	for options in "" "-d"; do
		for sig in SIGINT SIGQUIT SIGWINCH SIGRTMIN+3; do
			UP=$options service KillSignal=$sig
			started
			until_true catches INT "$(init)"
			ok systemctl stop "$UNIT"
			shows ExecMainStatus 5
			systemctl reset-failed "$UNIT"
		done
	done
	UP=-d service
	started
	until_true catches TERM "$(init)"
	ok systemctl stop "$UNIT"
	shows ExecMainStatus 6
}

@test "a container that ends before it is ready has failed to start" {
	bundle '.process.args = ["sh", "-c", "exit 3"]'
	UP="--sdnotify container" service
	if systemctl start "$UNIT" 2>/dev/null; then false; fi
	shows Result exit-code
	shows ExecMainStatus 3
	shows StatusText "the container exited with status 3"
	is "$(left | grep -v "^$UNIT\$")" ""
}

@test "the last word of a container that ends at once is how it ended" {
	bundle '.process.args = ["sh", "-c", "exit 7"]'
	local options
	for options in "" -d; do
		UP=$options service StartLimitIntervalSec=0
		for _ in $(seq 12); do
			systemctl start "$UNIT" 2>/dev/null || :
			comes_to failed
			shows StatusText "the container exited with status 7"
			systemctl reset-failed "$UNIT"
		done
	done
}

@test "the exit status of the container is the unit's" {
	bundle '.process.args = ["sh", "-c", "trap \"exit 7\" USR1; while :; do sleep 1000 & wait $!; done"]'
	service
	started
	until_true catches USR1 "$(init)"
	ok oakum kill "$C" USR1
	comes_to failed
	shows ExecMainStatus 7
	systemctl reset-failed "$UNIT"
	started
	ok oakum kill "$C" KILL
	comes_to failed
	shows ExecMainStatus 137
	shows StatusText "the container was killed by SIGKILL"
}

@test "detached, the supervisor is the main process and its status the container's" {
	bundle '.process.args = ["sh", "-c", "trap \"exit 9\" TERM USR1; while :; do sleep 1000 & wait $!; done"]'
	UP="-d" service
	started
	is "$(oakum state "$C" | jq .pid)" "$(init)"
	is "$(cat "/proc/$(property MainPID)/cgroup" | sed -n 's/^0:://p')" "/system.slice/$UNIT/supervisor"
	until_true catches USR1 "$(init)"
	ok oakum kill "$C" USR1
	comes_to failed
	shows ExecMainStatus 9
	UP="-d --sdnotify container" service
	bundle '.process.args = ["sh", "-c", "trap \"exit 0\" TERM; inside notify READY=1; while :; do sleep 1000 & wait $!; done"]'
	started
	is_now active
	ok systemctl stop "$UNIT"
	shows Result success
}

# is_heard_again: systemd has had another sign of life.
is_heard_again() {
	local before
	before=$(property WatchdogTimestampMonotonic)
	until_true heard_since "$before"
}
heard_since() { [ "$(property WatchdogTimestampMonotonic)" -gt "$1" ]; }

@test "WATCHDOG: the supervisor's, or the container's own" {
	sleeper
	service WatchdogSec=4
	started
	is_heard_again
	is_heard_again
	is_now active
	ok systemctl stop "$UNIT"
	bundle '.process.args = ["sh", "-c", "echo $WATCHDOG_USEC >/tmp/usec; inside notify READY=1; while [ ! -e /tmp/silent ]; do sleep 0.5; inside notify WATCHDOG=1; done; sleep 1000"] | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	UP="--sdnotify container" service WatchdogSec=4
	started
	ok oakum exec "$C" cat /tmp/usec
	is "$output" 4000000
	is_heard_again
	is_heard_again
	ok oakum exec "$C" touch /tmp/silent
	comes_to failed
	shows Result watchdog
}

@test "a supervisor that is killed takes nothing with it that stays" {
	local main pid
	sleeper
	UP="--replace" service Restart=always RestartSec=100ms
	started
	main=$(property MainPID) pid=$(init)
	kill -KILL "$(pgrep -P "$main")"
	until_true restarted "$main"
	until_true gone "$pid"
	is "$(find "$ROOT" -mindepth 1 -maxdepth 1 -type d -not -name .cache | wc -l)" 1
	main=$(property MainPID) pid=$(init)
	kill -KILL "$main"
	until_true restarted "$main"
	until_true gone "$pid"
	# The container itself.
	main=$(property MainPID)
	kill -KILL "$(init)"
	until_true restarted "$main"
	ok systemctl stop "$UNIT"
	is "$(left | grep -v "^$UNIT\$")" ""
}
# Asked in this order: it may end between the two.
restarted() {
	local main
	main=$(property MainPID)
	[ "$main" != 0 ] && [ "$main" != "$1" ] && is_now active && init
}

@test "--replace takes away what there is of that ID" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 5 oakum up -d -b "$B" "$C"
	ok oakum up -d --replace -b "$B" "$C"
	ok oakum up -d --rm --replace -b "$B" "$C"
	ok oakum up -d --rm --replace -b "$B" "$C"
	ok oakum exec "$C" true
	ok oakum down "$C"
}

# entries FILTER...: the container's in the journal, as JSON.
entries() { journalctl -q --no-pager -o json CONTAINER_ID="$C" "$@"; }
has_entries() { [ "$(entries | wc -l)" -ge "$1" ]; }

@test "the journal as the log: a line an entry, by stream, once" {
	bundle '.process.args = ["sh", "-c", "echo to stdout; echo to stderr >&2; printf %70000s end; echo; printf unfinished; trap \"exit 0\" TERM; while :; do sleep 1000 & wait $!; done"]'
	UP="--log-driver journald" service
	started
	until_true has_entries 4
	is "$(entries | jq -r 'select(.CONTAINER_STREAM == "stderr") | "\(.MESSAGE) \(.PRIORITY) \(.CONTAINER_NAME) \(._SYSTEMD_UNIT)"')" \
		"to stderr 3 $C $UNIT"
	is "$(entries | jq -r 'select(.MESSAGE == "to stdout") | "\(.PRIORITY) \(.SYSLOG_IDENTIFIER) \(.CONTAINER_ID_FULL)"')" "6 $C $C"
	is "$(entries --all | jq -r 'select(.CONTAINER_PARTIAL_MESSAGE == "true") | .MESSAGE | length')" 65536
	ok systemctl stop "$UNIT"
	until_true has_entries 5
	is "$(entries | jq -r .MESSAGE | tail -n 1)" unfinished
	# `up` has the journal as its own stdout.
	is "$(journalctl -q --no-pager -o cat -u "$UNIT" | grep -c 'to stdout')" 1
}

@test "the journal as the log, and one of the unit's streams goes elsewhere: each gets a line once" {
	bundle '.process.args = ["sh", "-c", "echo to stdout; echo to stderr >&2"]'
	UP="--log-driver journald" service "StandardError=file:/run/tmp/$C.stderr"
	started
	until_true has_entries 2
	comes_to inactive
	is "$(cat "/run/tmp/$C.stderr")" "to stderr"
	is "$(journalctl -q --no-pager -o cat -u "$UNIT" | grep -c 'to stdout')" 1
	rm "/run/tmp/$C.stderr"
}

@test "logs says that the log is in the journal" {
	sleeper
	ok oakum up -d --log-driver journald -b "$B" "$C"
	fails 4 oakum logs "$C"
	says "journalctl CONTAINER_ID=$C"
	ok oakum down "$C"
}

@test "a socket-activated container gets what its unit listens on, and the name" {
	local name=oakumtest-$C
	# shellcheck disable=SC2016
	bundle '.process.args = ["sh", "-c", "read line <&3; echo \"$line: $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES\"; trap \"exit 0\" TERM; while :; do sleep 1000 & wait; done"]'
	unit "$name.socket" <<-END
		[Socket]
		ListenFIFO=/run/tmp/$C.fifo
		FileDescriptorName=web
		RemoveOnStop=yes
	END
	UP="--log-driver journald" service
	ok systemctl start "$name.socket"
	is_now inactive
	timeout 30 sh -c "echo called >/run/tmp/$C.fifo"
	comes_to active
	until_true has_entries 1
	is "$(entries | jq -r .MESSAGE)" "called: 1 1 web"
}

@test "generate systemd: the unit it writes starts, stops and leaves nothing" {
	sleeper '.annotations = {"org.opencontainers.image.stopSignal": "SIGUSR1"}'
	edit '.process.args[2] |= sub("TERM"; "USR1")'
	ok oakum run -d -b "$B" "$C"
	ok oakum generate systemd "$C"
	UNIT=oakumtest-$C.service
	unit "$UNIT" <<<"$output"
	ok systemd-analyze verify --man=no "/run/systemd/system/$UNIT"
	is "$errors" ""
	ok oakum delete --force "$C"
	started
	shows Slice oakum.slice
	shows KillSignal 10
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup")" "/oakum.slice/$UNIT/container"
	ok systemctl stop "$UNIT"
	shows Result success
	is "$(find "$ROOT" -mindepth 1 -not -path "$ROOT/.cache*")" ""
}

@test "generate systemd: names that its lines have to be told of" {
	local C=-$C made=$W/$'cr\r t\t"q"$HOME'
	sleeper
	mv "$B" "$made"
	ok oakum run -d -b "$made" -- "$C"
	ok oakum generate systemd -- "$C"
	UNIT=oakumtest$C.service
	unit "$UNIT" <<<"$output"
	ok systemd-analyze verify --man=no "/run/systemd/system/$UNIT"
	is "$errors" ""
	ok oakum delete --force -- "$C"
	started
	is "$(oakum state -- "$C" | jq -r .bundle)" "$made"
	until_true catches TERM "$(oakum state -- "$C" | jq .pid)"
	ok systemctl stop "$UNIT"
	shows Result success
	is "$(find "$ROOT" -mindepth 1 -not -path "$ROOT/.cache*")" ""
}

# The template that is installed, with paths of this test's.
@test "oakum@.service runs the bundle of its instance's name" {
	local build=$LIB/../.. template=oakumtest-$C@.service
	[ "$(find "$build/src/systemd" -name 'oakum@.service')" ]
	sleeper
	mkdir "$W/bundles"
	mv "$B" "$W/bundles/$C"
	# Where else is $OAKUM to be named: a prefix of its own has the build.
	unit "$template" < <(sed -e "s|=\\(-\\?\\)[^ ]*/oakum |=\\1$OAKUM --root $ROOT |" -e "s|%S/oakum/|$W/bundles/|" "$build/src/systemd/oakum@.service")
	UNIT=oakumtest-$C@$C.service
	echo "$UNIT" >>"$W/units"
	ok systemd-analyze verify --man=no "/run/systemd/system/$template"
	is "$errors" ""
	started
	is_now active
	is "$(awk -F: '$1 == 0 { print $3 }' "/proc/$(init)/cgroup")" "$(property ControlGroup)/container"
	until_true catches TERM "$(init)"
	ok systemctl stop "$UNIT"
	shows Result success
	is "$(find "$ROOT" -mindepth 1 -not -path "$ROOT/.cache*")" ""
	# One that begins as an option does.
	mv "$W/bundles/$C" "$W/bundles/-$C"
	UNIT=oakumtest-$C@-$C.service
	echo "$UNIT" >>"$W/units"
	started
	ok systemctl stop "$UNIT"
	shows Result success
	# Without a bundle it has not started, and says so.
	fails 1 systemctl start "oakumtest-$C@nope.service"
	says "Assertion failed"
	ok systemd-tmpfiles --create --root="$W" "$BATS_TEST_DIRNAME/../../src/systemd/oakum.conf"
	is "$(stat -c %a:%u "$W/run/oakum" "$W/var/lib/oakum" | sort -u)" 700:0
}

@test "generate systemd: of a container without a bundle one is written" {
	ok oakum up -d --rootfs "$FIXTURE/rootfs" "$C" -- sleep 1000
	fails 4 oakum generate systemd "$C"
	says "--bundle DIR"
	ok oakum generate systemd --bundle "$W/made %n" --restart no --sdnotify container "$C"
	is "$(jq -c .process.args "$W/made %n/config.json")" '["sleep","1000"]'
	is "$(grep -c -- "--bundle \"$W/made %%n\"" <<<"$output")" 1
	is "$(grep -c '^Restart=no$' <<<"$output")" 1
	is "$(grep -c -- ' --sdnotify container ' <<<"$output")" 1
	fails 5 oakum generate systemd --bundle "$W/made %n" "$C"
	says "made %n/config.json"
	fails 2 oakum generate podman "$C"
	fails 4 oakum generate systemd nobody
	ok oakum down "$C"
	ok oakum run -d -b "$FIXTURE" "$C"
	fails 2 oakum generate systemd --bundle "$W/made %n" "$C"
	says "$FIXTURE"
	ok oakum delete --force "$C"
}
