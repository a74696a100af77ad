#!/usr/bin/env bats
# What a person types wrong, and every command in every state: the status, what is named, and what to do.
load ../lib/common
load ../lib/cases

@test "ids" {
	sleeper
	x=$(head -c 1025 /dev/zero | tr '\0' x)
	commands <<-'T'
		2 | invalid container ID; empty | create -b "$B" ""
		2 | invalid container ID | create -b "$B" .
		2 | invalid container ID | create -b "$B" ..
		2 | invalid container ID; invalid character | create -b "$B" a/b
		2 | invalid container ID | create -b "$B" ../../x
		2 | invalid container ID | create -b "$B" .hidden
		2 | invalid container ID | create -b "$B" "a b"
		2 | invalid container ID | create -b "$B" $'a\nb'
		2 | invalid container ID | create -b "$B" $'a\tb'
		2 | invalid container ID | create -b "$B" é
		2 | invalid container ID | create -b "$B" %s%n
		2 | invalid container ID | create -b "$B" ";rm"
		2 | invalid container ID | create -b "$B" a:b
		2 | invalid container ID | create -b "$B" "$x"
		2 | unknown option '-x' | create -b "$B" -x
		0 | | create -b "$B" -- -x
	T
	is "$(ls -A --ignore=.cache "$ROOT")" -x
	ok oakum delete --force -- -x
}

# bats test_tags=root:kernel
@test "options, arguments, files" {
	sleeper
	touch "$W/file"
	mkdir "$W/dir"
	ln -s none "$W/dangling"
	ln -s file "$W/link"
	perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("sock")) or die'
	commands 'oakum delete --force "$C"' <<-'T'
		2 | unknown command 'frobnicate'; oakum --help | frobnicate
		2 | unknown option '--frobnicate'; oakum create --help | create --frobnicate "$C"
		2 | flag needs an argument: '-b' | create -b
		2 | too few arguments; usage: oakum create | create -b "$B"
		2 | unexpected argument 'extra'; usage: oakum create | create -b "$B" "$C" extra
		0 | | create -b none -b "$B" "$C"
		3 | bundle none; No such file or directory (ENOENT); --bundle | create -b none "$C"
		3 | bundle; No such file or directory (ENOENT) | create -b "" "$C"
		3 | file: Not a directory (ENOTDIR) | create -b file "$C"
		1 | pid file none/pid; No such file or directory (ENOENT) | create -b "$B" --pid-file none/pid "$C"
		1 | pid file dir; Is a directory (EISDIR) | create -b "$B" --pid-file dir "$C"
		2 | pid file "" has no name | create -b "$B" --pid-file "" "$C"
		1 | pid file /proc/pid; ENOENT | create -b "$B" --pid-file /proc/pid "$C"
		2 | /process/terminal; a console socket is of no use | create -b "$B" --console-socket sock "$C"
		2 | --preserve-fds; '-1' is not a number | create -b "$B" --preserve-fds -1 "$C"
		2 | --preserve-fds; 'x' is not a number | create -b "$B" --preserve-fds x "$C"
		2 | --preserve-fds; out of range | create -b "$B" --preserve-fds 99999999999 "$C"
		1 | open the log none/log; (ENOENT) | --log none/log create -b "$B" "$C"
		1 | open the log dir; (EISDIR) | --log dir create -b "$B" "$C"
		2 | --log-format; 'junk' is none of: text json | --log-format junk create -b "$B" "$C"
		2 | --log-level; 'junk' is none of: error | --log-level junk create -b "$B" "$C"
		2 | --cgroup-manager; 'junk' is none of: cgroupfs | --cgroup-manager junk create -b "$B" "$C"
		6 | state root; file is not a directory; --root | --root file create -b "$B" "$C"
		6 | state root; dangling is not a directory; --root | --root dangling create -b "$B" "$C"
		2 | the state root is empty | --root "" create -b "$B" "$C"
		1 | make the state root /proc/x; --root | --root /proc/x create -b "$B" "$C"
		2 | --format; 'junk' is none of | list -f junk
		2 | unexpected argument 'x' | features x
		3 | oakum: plan: bundle none; ENOENT | plan none
		3 | oakum: plan x: bundle none; ENOENT | plan --id x none
		3 | oakum: run t; bundle none | run -b none "$C"
		3 | oakum: up t; bundle none | up -d -b none "$C"
		1 | oakum: spec: open the bundle none | spec -b none
	T
	edit '.process.terminal = true'
	commands 'oakum delete --force "$C"' <<-'T'
		1 | console socket none; (ENOENT) | create -b "$B" --console-socket none "$C"
		1 | console socket file; (ECONNREFUSED) | create -b "$B" --console-socket file "$C"
		1 | console socket sock; (ECONNREFUSED) | create -b "$B" --console-socket sock "$C"
		1 | console socket; (ENAMETOOLONG) | create -b "$B" --console-socket "$(head -c 300 /dev/zero | tr '\0' a)" "$C"
		2 | /process/terminal; use --console-socket | run -d -b "$B" "$C"
	T
	is "$(cgroups_of "$C")" ""
}

@test "pid files on what is there already" {
	sleeper
	touch "$W/file"
	mkfifo "$W/fifo"
	ln -s file "$W/link"
	for f in file fifo link; do
		ok oakum create -b "$B" --pid-file $f "$C"
		is "$(cat "$W/$f")" "$(pid_of)"
		[ ! -L "$W/$f" ]
		ok oakum delete --force "$C"
	done
}

# A listener that takes no connection: its queue is full.
@test "a console socket whose listener is busy" {
	sleeper '.process.terminal = true'
	perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("sock")) or die; listen(S, 0) or die;
		socket(C, PF_UNIX, SOCK_STREAM, 0); connect(C, sockaddr_un("sock")) or die; print "ready\n"; $| = 1; close STDOUT; sleep 100' >"$W/ready" &
	listener=$!
	until_true test -s "$W/ready"
	fails 1 timeout 30 "$OAKUM" --root "$ROOT" create -b "$B" --console-socket sock "$C"
	says "console socket sock: Connection timed out (ETIMEDOUT)"
	kill "$listener"
	fails 4 oakum state "$C"
}

@test "a FIFO whose writer comes later is waited for" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	mkfifo fifo
	{ sleep 0.3; echo '{"args": ["echo", "late"], "cwd": "/", "env": ["PATH=/bin"]}' >fifo; } &
	ok oakum exec -p fifo "$C"
	is "$output" late
	wait $!
	ok oakum delete -f "$C"
}

@test "exec, kill and update of a running container" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	process() { echo "$1" >"$W/p.json"; }
	mkfifo "$W/fifo"
	commands <<-'T'
		2 | unknown signal 'FOO' | kill "$C" FOO
		2 | unknown signal '65' | kill "$C" 65
		2 | unknown option '-1' | kill "$C" -1
		2 | unknown signal 'SIGRTMIN+99' | kill "$C" SIGRTMIN+99
		2 | unknown signal '' | kill "$C" ""
		2 | unknown signal '9 ' | kill "$C" "9 "
		2 | unexpected argument 'extra' | kill "$C" TERM extra
		0 | | kill "$C" 0
		255 | no command and no --process | exec "$C"
		255 | both --process and a command | exec -p p.json "$C" true
		127 | /process/args/0; executable file not found; set PATH | exec "$C" nope
		126 | /process/args/0; permission denied; chmod +x | exec "$C" /etc/passwd
		255 | cwd "nope" is not an absolute path | exec --cwd nope "$C" true
		255 | /process/cwd; "/nope"; (ENOENT) | exec --cwd /nope "$C" true
		255 | expected UID[:GID] | exec --user nobody "$C" true
		255 | expected UID[:GID] | exec --user 4294967295 "$C" true
		255 | expected NAME=VALUE | exec --env =x "$C" true
		255 | expected NAME=VALUE | exec --env X "$C" true
		255 | unknown capability "CAP_FROB" | exec --cap CAP_FROB "$C" true
		255 | --preserve-fds; 'x' is not a number | exec --preserve-fds x "$C" true
		255 | /process/selinuxLabel; SELinux is not enabled | exec --process-label x "$C" true
		255 | pid file none/x; (ENOENT) | exec --pid-file none/x "$C" true
		255 | console socket none; (ENOENT) | exec --console-socket none -t "$C" true
		255 | open none; (ENOENT) | exec -p none "$C"
		255 | wait for who writes to fifo; (ETIMEDOUT) | exec -p fifo "$C"
		255 | 16777216 bytes; (EFBIG) | exec -p /dev/zero "$C"
		255 | p.json:2:1; unexpected end of file | exec $(process '{') -p p.json "$C"
		255 | p.json:1:1; expected an object | exec $(process '[]') -p p.json "$C"
		255 | /args; did you mean ["true"]? | exec $(process '{"args":"true","cwd":"/"}') -p p.json "$C"
		255 | /cwd: missing | exec $(process '{"args":["true"]}') -p p.json "$C"
		255 | /user/uid; -1 is out of range | exec $(process '{"args":["true"],"cwd":"/","user":{"uid":-1}}') -p p.json "$C"
		255 | /env/0; NAME=VALUE | exec $(process '{"args":["true"],"cwd":"/","env":["x"]}') -p p.json "$C"
		255 | /rlimits/0/type; RLIMIT_X | exec $(process '{"args":["true"],"cwd":"/","rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]}') -p p.json "$C"
		255 | /capabilities/effective/0; CAP_CHOWN | exec $(process '{"args":["true"],"cwd":"/","capabilities":{"effective":["CAP_CHOWN"]}}') -p p.json "$C"
		2 | nothing to change | update "$C"
		1 | open none; (ENOENT) | update -r none "$C"
		1 | wait for who writes to fifo; (ETIMEDOUT) | update -r fifo "$C"
		3 | /dev/null:1:1; the file is empty | update -r /dev/null "$C"
		3 | p.json:1:12; unexpected end of file inside /memory | update $(printf '{"memory":{' >p.json) -r p.json "$C"
		3 | /memory/limit; expected an integer | update $(process '{"memory":{"limit":"x"}}') -r p.json "$C"
		2 | --memory; 'x' is not a size | update --memory x "$C"
		2 | --pids-limit; 'x' is not a number | update --pids-limit x "$C"
		3 | /cpu/cpus; list of numbers | update --cpuset-cpus x "$C"
		3 | /memory/swap; is below limit | update --memory 1m --memory-swap 512k "$C"
		2 | --interval; 'x' is not a duration | events --interval x "$C"
		2 | --format; 'junk' is none of | ps -f junk "$C"
		2 | unexpected argument | state "$C" "$C"
	T
	is "$(status_of)" running
	ok oakum delete --force "$C"
}

# bats test_tags=root:cgroup
@test "update: what the kernel refuses" {
	need_controllers cpuset pids
	sleeper
	ok oakum run -d -b "$B" "$C"
	commands <<-'T'
		1 | /cpu/cpus; 900; its parent cgroup has CPUs | update --cpuset-cpus 900 "$C"
		1 | /pids/limit; up to 4194304 | update --pids-limit 99999999999 "$C"
	T
	on_v2 || commands <<-'T'
		1 | /memory/limit; (EBUSY); bytes are in use | update --memory 4096 "$C"
	T
	ok oakum delete --force "$C"
}

# into STATE: $C is in this state, from whatever it was.
into() {
	oakum delete --force "$C" </dev/null
	case $1 in
	absent) return ;;
	created) oakum create -b "$B" "$C" </dev/null >/dev/null 2>&1; return ;;
	esac
	oakum run -d -b "$B" "$C" </dev/null >/dev/null 2>&1
	case $1 in
	paused) oakum pause "$C" ;;
	stopped) oakum kill "$C" KILL && until_true is_status stopped "$C" ;;
	esac
}

@test "every command in every state" {
	local states=(absent created running paused stopped) want says args i bad=0
	sleeper
	echo '[{"destination": "/mnt/x", "type": "tmpfs"}]' >m.json
	mkdir imgs
	# What is said where the status is not 0: one of these.
	while IFS='|' read -r want says args; do
		[[ $args != *--pids-limit* ]] || has_controller pids || continue
		read -ra want <<<"$want"
		for i in 0 1 2 3 4; do
			[ "${want[i]}" != - ] || continue
			into "${states[i]}"
			eval "set -- $args"
			answers "${want[i]}" "" "$@" || { echo "${states[i]}:$args: $reason: $(cat "$W/stderr")"; bad=1; }
			# In the name of the command that was called, whatever it asks of the library.
			[ "${want[i]}" = 0 ] || grep -q "^oakum: $1[: ]" "$W/stderr" || { echo "${states[i]}:$args: $(cat "$W/stderr")"; bad=1; }
			[ "${want[i]}" = 0 ] || grep -qF -f <(tr ';' '\n' <<<"$says" | sed 's/^ *//; s/ *$//') "$W/stderr" || { echo "${states[i]}:$args: $(cat "$W/stderr")"; bad=1; }
		done
	done <<-'T'
		0 5 5 5 5 | already exists; choose another id, or remove it with `oakum delete --force | create -b "$B" "$C"
		- 5 5 5 5 | choose another id, or remove it with `oakum delete --force | run -d -b "$B" "$C"
		- 5 5 5 5 | choose another id, or remove it with `oakum delete --force | up -d -b "$B" "$C"
		4 0 4 4 4 | does not exist; already running; is paused; is stopped | start "$C"
		4 0 0 0 0 | does not exist | state "$C"
		4 0 0 0 4 | does not exist; not running | kill "$C"
		4 0 4 4 0 | does not exist; needs it stopped | delete "$C"
		0 0 0 0 0 | | delete --force "$C"
		255 0 0 255 255 | does not exist; resume it, or use --ignore-paused; is stopped | exec "$C" true
		4 0 0 0 0 | does not exist | ps "$C"
		4 0 0 4 4 | does not exist; already paused; not running | pause "$C"
		4 4 4 0 4 | does not exist; not paused; not running | resume "$C"
		4 0 0 0 4 | does not exist; not running | update --pids-limit 50 "$C"
		4 0 0 0 4 | does not exist; not running | events --stats "$C"
		4 0 0 0 4 | does not exist; not running | stats --no-stream "$C"
		4 4 - - 4 | does not exist; cannot checkpoint a container that is | checkpoint --image-path img "$C"
		- 5 5 5 5 | choose another id, or remove it with `oakum delete --force | restore --image-path imgs -b "$B" "$C"
		4 0 0 0 4 | does not exist; not running; it has stopped: `oakum delete | mounts add "$C" m.json
		4 0 0 0 0 | does not exist | down "$C"
		4 4 4 4 4 | does not exist; has no supervisor | attach "$C"
		4 4 4 4 4 | does not exist; no log is kept | logs "$C"
		4 - - - - | does not exist | wait "$C"
	T
	oakum delete --force "$C" </dev/null
	[ $bad = 0 ]
}
