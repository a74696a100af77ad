#!/usr/bin/env bats
# create, start, run and the states in between.
load ../lib/common

@test "create, start, state, kill, delete" {
	sleeper
	ok oakum create --bundle "$B" "$C"
	is "$output$errors" ""
	is "$(status_of)" created
	ok oakum start "$C"
	is "$output$errors" ""
	is "$(status_of)" running
	ok oakum kill "$C" KILL
	ok oakum delete "$C"
	fails 4 oakum state "$C"
	says "$C"
}

@test "a created container waits: its program has not run" {
	bundle '.process.args = ["sh", "-c", "echo ran > /mnt/ran"]'
	ok oakum create -b "$B" "$C"
	[ ! -e "$B/rootfs/mnt/ran" ]
	ok oakum start "$C"
	until_true is_status stopped "$C"
	is "$(cat "$B/rootfs/mnt/ran")" ran
	ok oakum delete "$C"
}

@test "delete of a container that was never started" {
	bundle
	ok oakum create --bundle="$B" "$C"
	ok oakum delete "$C"
}

@test "start twice, start of a stopped and of an unknown container" {
	sleeper
	ok oakum create -b "$B" "$C"
	ok oakum start "$C"
	fails 4 oakum start "$C"
	says running
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	fails 4 oakum start "$C"
	says stopped
	ok oakum delete "$C"
	fails 4 oakum start "$C"
}

@test "an id in use is refused and the first container untouched" {
	sleeper
	ok oakum create -b "$B" "$C"
	pid=$(pid_of)
	fails 5 oakum create -b "$B" "$C"
	says "$C"
	fails 5 oakum run -b "$B" "$C"
	is "$(pid_of)" "$pid"
	is "$(status_of)" created
	ok oakum delete -f "$C"
}

@test "run passes output and status on and leaves nothing" {
	bundle '.process.args = ["sh", "-c", "echo out; echo err >&2; exit 42"]'
	fails 42 oakum run -b "$B" "$C"
	is "$output" out
	is "$errors" err
	fails 4 oakum state "$C"
}

@test "run passes stdin on" {
	bundle '.process.args = ["cat"]'
	is "$(echo through | oakum run -b "$B" "$C")" through
}

@test "run twice with one id" {
	bundle
	ok oakum run -b "$B" "$C"
	ok oakum run -b "$B" "$C"
}

@test "a signal that ends the program is 128 + its number" {
	bundle '.process.args = ["inside", "signal", "9"]'
	local rc=0
	# As pid 1 a process does not kill itself; share the pid namespace.
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	oakum run -b "$B" "$C" </dev/null || rc=$?
	is $rc 137
}

# bats test_tags=root:cgroup,cgroupfs:empty
@test "run --keep leaves a stopped container and its cgroup until delete" {
	bundle
	ok oakum run --keep -b "$B" "$C"
	is "$(status_of)" stopped
	[ -n "$(cgroups_of "$C")" ]
	fails 5 oakum run -b "$B" "$C"
	ok oakum delete "$C"
	is "$(cgroups_of "$C")" ""
}

@test "run --detach returns when it runs and prints nothing" {
	sleeper
	ok oakum run --detach --bundle "$B" "$C"
	is "$output$errors" ""
	is "$(status_of)" running
	ok oakum delete --force "$C"
}

@test "run -d inherits stdio" {
	bundle '.process.args = ["sh", "-c", "echo detached"]'
	oakum run -d -b "$B" "$C" </dev/null >"$W/out"
	until_true is_status stopped "$C"
	is "$(cat "$W/out")" detached
	ok oakum delete "$C"
}

@test "run -d with a terminal needs a console socket" {
	bundle '.process.terminal = true'
	fails 2 oakum run -d -b "$B" "$C"
	says /process/terminal "--console-socket"
}

@test "--pid-file is relative to the caller and equals the state's pid" {
	sleeper
	ok oakum create --pid-file pid -b "$B" "$C"
	is "$(cat "$W/pid")" "$(pid_of)"
	ok oakum delete -f "$C"
	ok oakum run -d --pid-file="$W/pid2" -b "$B" "$C"
	is "$(cat "$W/pid2")" "$(pid_of)"
	ok oakum delete -f "$C"
	ok oakum up -d --pid-file pid3 -b "$B" "$C"
	is "$(cat "$W/pid3")" "$(pid_of)"
	ok oakum delete -f "$C"
}

@test "a pid file that cannot be written fails and leaves nothing" {
	sleeper
	fails 1 oakum create --pid-file "$W/none/pid" -b "$B" "$C"
	says "$W/none/pid"
}

@test "--config names another file, the bundle is the working directory" {
	bundle '.process.args = ["echo", "other"]'
	mkdir "$B/config"
	mv "$B/config.json" "$B/config/my.json"
	cd "$B"
	ok oakum run --config config/my.json "$C"
	is "$output" other
}

@test "the bundle defaults to the working directory" {
	bundle
	cd "$B"
	ok oakum run "$C"
}

@test "the rootfs may be the bundle itself" {
	bundle '.root.path = "." | .process.args = ["/bin/echo", "here"]'
	mv "$B/rootfs"/* "$B"
	rmdir "$B/rootfs"
	ok oakum run -b "$B" "$C"
	is "$output" here
}

@test "options may stand after the id" {
	sleeper
	ok oakum create "$C" --bundle "$B"
	ok oakum kill "$C" KILL --all
	ok oakum delete "$C" --force
}

@test "--preserve-fds passes descriptors on, and nothing else" {
	bundle '.process.args = ["inside", "fds"]'
	exec 7<"$B/config.json"
	ok oakum run -b "$B" "$C"
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 "
	ok oakum run --preserve-fds 2 -b "$B" "$C" 3<"$B/config.json" 4<"$B"
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 3 4 "
	exec 7<&-
}

@test "--preserve-fds with gaps: what is not open is skipped" {
	bundle '.process.args = ["inside", "fds"]'
	ok oakum run --preserve-fds 6 -b "$B" "$C" 5<"$B/config.json" 3<&- 4<&-
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 5 "
	ok oakum run --preserve-fds 100 -b "$B" "$C" 7<"$B/config.json"
	prints "7 "
}

@test "LISTEN_FDS is passed on with LISTEN_PID 1" {
	bundle '.process.args = ["sh", "-c", "exec inside listen"]'
	LISTEN_FDS=1 ok oakum run -b "$B" "$C" 3<"$B/config.json"
	is "$output" "LISTEN_FDS=1 LISTEN_PID=1 pid=1"
}

@test "--console-socket gets the terminal as the kernel makes it; fds are ttys" {
	bundle '.process.terminal = true | .process.consoleSize = {height: 33, width: 77} |
		.process.args = ["inside", "tty"]'
	"$LIB/inside" recvfd "$W/console" >"$W/out" &
	receiver=$!
	until_true test -S "$W/console"
	ok oakum create --console-socket "$W/console" -b "$B" "$C"
	ok oakum start "$C"
	until_true is_status stopped "$C"
	ok oakum delete "$C"
	wait $receiver || :
	output=$(<"$W/out")
	prints "terminal 1" "tty 1 1 1" "onlcr 1" "rows 33 columns 77"
}

@test "a console socket without a terminal, and one that is not there" {
	bundle '.process.terminal = true'
	fails 1 oakum create --console-socket "$W/none" -b "$B" "$C"
	says "$W/none"
}

@test "--pidfd-socket gets a pidfd of the container" {
	sleeper
	"$LIB/inside" recvpid "$W/pidfd" >"$W/out" &
	receiver=$!
	until_true test -S "$W/pidfd"
	ok oakum create --pidfd-socket "$W/pidfd" -b "$B" "$C"
	wait $receiver
	is "$(cat "$W/out")" "$(pid_of)"
	ok oakum delete -f "$C"
}

@test "--no-pivot, --no-new-keyring, --no-subreaper" {
	bundle '.process.args = ["sh", "-c", "echo in; ls /"]'
	ok oakum run --no-pivot -b "$B" "$C"
	prints in proc
	ok oakum run --no-new-keyring --no-subreaper -b "$B" "$C"
}

@test "the session keyring is the container's own" {
	bundle '.process.args = ["inside", "keyring"]'
	ok oakum run -b "$B" "$C"
	prints "_ses.$C"
}

@test "programs are found by PATH, by absolute and by relative path" {
	for program in echo /bin/echo ./bin/echo bin/echo; do
		bundle ".process.args = [\"$program\", \"found\"]"
		ok oakum run -b "$B" "$C"
		is "$output" found
	done
}

@test "a program that is not there is 127, one not executable 126" {
	bundle '.process.args = ["/bin/nope"]'
	fails 127 oakum run -b "$B" "$C"
	says /bin/nope "no such file or directory"
	bundle '.process.args = ["nope"]'
	fails 127 oakum run -b "$B" "$C"
	says nope "executable file not found"
	bundle '.process.args = ["/etc/passwd"]'
	fails 126 oakum run -b "$B" "$C"
	says /etc/passwd "permission denied"
	bundle '.process.args = ["/bin"]'
	fails 126 oakum run -b "$B" "$C"
}

@test "a script without an interpreter" {
	bundle '.process.args = ["/mnt/run.sh"]'
	printf '#!/none/such\n' >"$B/rootfs/mnt/run.sh"
	chmod 755 "$B/rootfs/mnt/run.sh"
	fails 127 oakum run -b "$B" "$C"
	says /mnt/run.sh "no such file or directory"
}

@test "state says what it must" {
	sleeper '.annotations = {"org.example.key": "value"}'
	ok oakum create -b "$B" "$C"
	ok oakum state "$C"
	jq -e --arg id "$C" --arg b "$B" '.ociVersion and .id == $id and .status == "created" and .pid > 1
		and .bundle == $b and .rootfs and (.created | test("^[0-9-]+T[0-9:]+\\.[0-9]+Z$"))
		and .annotations["org.example.key"] == "value"' <<<"$output"
	ok oakum delete -f "$C"
}

@test "two state roots know nothing of each other" {
	sleeper
	mkdir -m 700 "$W/other"
	ok oakum create -b "$B" "$C"
	fails 4 "$OAKUM" --root "$W/other" state "$C"
	fails 4 "$OAKUM" --root "$W/other" delete "$C"
	ok oakum delete -f "$C"
	rm -rf "$W/other"
}

@test "the same id under two state roots: two containers, two cgroups" {
	sleeper
	ok oakum create -b "$B" "$C"
	ok "$OAKUM" --root "$W/other" create -b "$B" "$C"
	[ "$(oakum state "$C" | jq .pid)" != "$("$OAKUM" --root "$W/other" state "$C" | jq .pid)" ]
	ok "$OAKUM" --root "$W/other" delete -f "$C"
	is "$(status_of)" created
	ok oakum delete -f "$C"
}

@test "mounts without a mount namespace: a private one, and the host's mounts stay as they are" {
	local before
	before=$(cat /proc/self/mountinfo)
	bundle '.linux.namespaces |= map(select(.type != "mount")) | .process.args = ["sh", "-c", "grep -c \" /proc \" /proc/self/mountinfo; readlink /proc/self/ns/mnt"]'
	ok oakum run -b "$B" "$C"
	says "no mount namespace in /linux/namespaces"
	[ "${output%%$'\n'*}" -ge 1 ]
	[ "${output##*$'\n'}" != "$(readlink /proc/self/ns/mnt)" ]
	is "$(cat /proc/self/mountinfo)" "$before"
}

@test "as runc: a program that is not there is said in its words, and createContainer hooks run in the root" {
	ln -s "$OAKUM" runc
	ln -s "$OAKUM" crun
	bundle '.process.args = ["/bin/nobody"]'
	fails 1 ./runc --root "$ROOT" run -b "$B" "$C"
	says 'exec: "/bin/nobody": stat /bin/nobody: no such file or directory'
	printf '#!/nowhere\n' >"$B/rootfs/bin/script"
	chmod 755 "$B/rootfs/bin/script"
	edit '.process.args = ["/bin/script"]'
	fails 1 ./runc --root "$ROOT" run -b "$B" "$C"
	is "$errors" 'exec /bin/script: no such file or directory'
	rm -f "$B/rootfs/bin/script"
	bundle '.process.args = ["true"] | .hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "pwd >&2; exit 3"]}]'
	fails 1 ./runc --root "$ROOT" run -b "$B" "$C"
	says "exit status 3: $B/rootfs"
	fails 1 ./crun --root "$ROOT" run -b "$B" "$C"
	says "exit status 3: $B"
	[[ $errors != *"$B/rootfs"* ]]
}
