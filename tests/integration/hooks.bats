#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks: where each kind runs and what it sees, what a failing one says, and that none can hold the
# runtime. Order, state and environment: container.bats.

load ../lib/common

# A hook that writes what it sees: script WHAT-IT-DOES.
script() {
	printf '#!/bin/sh\n%s\n' "$1" >"$W/hook"
	chmod 755 "$W/hook"
}

# in_rootfs SCRIPT: the same inside, for startContainer.
in_rootfs() {
	printf '#!/bin/sh\n%s\n' "$1" >"$B/rootfs/hook"
	chmod 755 "$B/rootfs/hook"
}

KINDS="prestart createRuntime createContainer startContainer poststart"

@test "each kind of hook that fails names itself, its index, its status and its last words" {
	local kind
	for kind in $KINDS; do
		sleeper ".hooks = {$kind: [{path: \"/bin/true\"}, {path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo not this >&2; echo the reason is it >&2; exit 7\"]}]}"
		fails 1 oakum run -d --bundle "$B" "$C"
		says "error running $kind hook #1: /bin/sh: exit status 7: not this the reason is it" "/hooks/$kind/1"
		fails 4 oakum state "$C"
	done
}

@test "of a thousand hooks all run, and the one that fails is named" {
	sleeper '.hooks = {startContainer: [range(500) | {path: "/bin/true"}], createRuntime: ([range(999) | {path: "/bin/true"}] + [{path: "/bin/false"}])}'
	fails 1 oakum run -d --bundle "$B" "$C"
	says "error running createRuntime hook #999: /bin/false: exit status 1" /hooks/createRuntime/999
	edit '.hooks.createRuntime[999].path = "/bin/true"'
	ok oakum run -d --bundle "$B" "$C"
	ok oakum delete --force "$C"
}

@test "a failing poststart hook: start fails, the process is killed, the container is gone, poststop has run" {
	sleeper ".hooks = {poststart: [{path: \"/bin/false\"}], poststop: [{path: \"/bin/touch\", args: [\"touch\", \"$W/stopped\"]}]}"
	ok oakum create --bundle "$B" "$C"
	local pid
	pid=$(pid_of)
	fails 1 oakum start "$C"
	says "error running poststart hook #0: /bin/false: exit status 1"
	until_true gone "$pid"
	[ -e "$W/stopped" ]
	fails 4 oakum state "$C"
	[ -z "$(cgroups_of "$C")" ]
}

@test "a hook that fails at create: nothing is left, and poststop hooks have cleaned up" {
	local kind
	for kind in prestart createRuntime createContainer; do
		bundle ".hooks = {$kind: [{path: \"/bin/false\"}], poststop: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat >$W/stopped; exit 3\"]}]}"
		rm -f "$W/stopped"
		local rc=0
		oakum create --bundle "$B" "$C" </dev/null 2>"$W/err" || rc=$?
		is "$rc" 1
		grep -q "warning: .*poststop hook failed with exit code.*exit status 3" "$W/err"
		tail -n 1 "$W/err" | grep -q "error running $kind hook #0"
		is "$(jq -r '.status + " " + .id' "$W/stopped")" "stopped $C"
	done
	# What fails before them never had anything to clean up.
	bundle ".process.args = [\"/no/such\"] | .mounts += [{destination: \"/x\", type: \"no-such-fs\", source: \"x\"}] | .hooks = {poststop: [{path: \"/bin/touch\", args: [\"touch\", \"$W/late\"]}]}"
	oakum create --bundle "$B" "$C" </dev/null 2>"$W/err" && return 1
	[ ! -e "$W/late" ]
}

@test "failing poststop hooks are warnings with their index; the rest run" {
	bundle ".process.args = [\"true\"] | .hooks = {poststop: [{path: \"/bin/true\"}, {path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo why >&2; exit 3\"]}, {path: \"/no/such\"}, {path: \"/bin/touch\", args: [\"touch\", \"$W/ran\"]}]}"
	ok oakum run --bundle "$B" "$C"
	says "poststop hook failed with exit code" "poststop hook #1: /bin/sh: exit status 3: why" "poststop hook #2" "execute /no/such"
	[ -e "$W/ran" ]
}

@test "createContainer: in the bundle, everything mounted, before the root is changed" {
	bundle '.process.args = ["cat", "/seen"]'
	script "pwd >rootfs/seen; ls -d rootfs/proc/self /bin/busybox rootfs/dev/pts/ptmx >>rootfs/seen; readlink /proc/self/root >>rootfs/seen"
	edit ".hooks = {createContainer: [{path: \"$W/hook\"}]}"
	ok oakum run --bundle "$B" "$C"
	prints "$B" "rootfs/proc/self" "rootfs/dev/pts/ptmx"
}

@test "createRuntime runs in the runtime's namespaces, createContainer and startContainer in the container's" {
	bundle '.process.args = ["true"]'
	mkdir "$W/ns"
	script "for n in mnt net pid uts; do readlink /proc/self/ns/\$n; done >\"$W/ns/\$1\""
	cp "$W/hook" "$B/rootfs/hook"
	edit ".hooks = {createRuntime: [{path: \"$W/hook\", args: [\"hook\", \"createRuntime\"]}], createContainer: [{path: \"$W/hook\", args: [\"hook\", \"createContainer\"]}],
		startContainer: [{path: \"/hook\", args: [\"hook\", \"startContainer\"]}]}
		| .mounts += [{destination: \"$W/ns\", type: \"bind\", source: \"$W/ns\", options: [\"rbind\"]}]"
	ok oakum run --bundle "$B" "$C"
	local n
	is "$(cat "$W/ns/createRuntime")" "$(for n in mnt net pid uts; do readlink /proc/self/ns/$n; done)"
	for n in createContainer startContainer; do
		! grep -qxF -f "$W/ns/createRuntime" "$W/ns/$n"
	done
	is "$(cat "$W/ns/createContainer")" "$(cat "$W/ns/startContainer")"
}

# bats test_tags=root:kernel
@test "mounts that createRuntime (by nsenter) and createContainer hooks make are there for startContainer and the program" {
	bundle '.process.args = ["sh", "-c", "cat /libs/one /libs/two; cat /cache"]'
	mkdir -p "$B/rootfs/libs" "$W/libs"
	echo one >"$W/libs/a"
	echo two >"$W/libs/b"
	touch "$B/rootfs/libs/one" "$B/rootfs/libs/two"
	script "pid=\$(tr ',' '\n' | sed -n 's/.*\"pid\":\([0-9]*\).*/\1/p'); nsenter -t \$pid -m mount --bind $W/libs/a $B/rootfs/libs/one"
	printf '#!/bin/sh\nmount --bind %s rootfs/libs/two\n' "$W/libs/b" >"$W/second"
	chmod 755 "$W/second"
	in_rootfs 'cat /libs/one /libs/two | tr a-z A-Z >/cache'
	edit ".hooks = {createRuntime: [{path: \"$W/hook\"}], createContainer: [{path: \"$W/second\"}], startContainer: [{path: \"/hook\"}]}"
	ok oakum run --bundle "$B" "$C"
	is "$output" "$(printf 'one\ntwo\nONE\nTWO')"
	# Nothing of it on the host.
	is "$(cat "$B/rootfs/libs/one")" ""
}

@test "without a mount namespace: createRuntime runs once, in the bundle" {
	bundle '.linux.namespaces |= map(select(.type != "mount")) | del(.mounts, .linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false | .process.args = ["true"]'
	script "pwd >>$W/seen"
	edit ".hooks = {createRuntime: [{path: \"$W/hook\"}]}"
	ok oakum run --bundle "$B" "$C"
	is "$(cat "$W/seen")" "$B"
}

@test "environment and arguments: inherited, replaced, empty; argv[0] is as written" {
	bundle '.process.args = ["true"] | .process.env = ["PATH=/bin", "INSIDE=1"]'
	mkdir "$W/env"
	script "tr '\\0' '\\n' </proc/\$\$/environ | grep -v ^_= | sort >\"$W/env/\$1\"; tr '\\0' ' ' </proc/\$\$/cmdline >\"$W/env/\$1.args\""
	cp "$W/hook" "$B/rootfs/hook"
	edit ".hooks = {prestart: [{path: \"$W/hook\", args: [\"zero\", \"inherited\"]}, {path: \"$W/hook\", args: [\"zero\", \"replaced\"], env: [\"A=b\", \"PATH=/usr/bin:/bin\"]}],
		startContainer: [{path: \"/hook\", args: [\"zero\", \"inside\"]}],
		createRuntime: [{path: \"/bin/busybox\", args: [\"env\"], env: []}]}
		| .mounts += [{destination: \"$W/env\", type: \"bind\", source: \"$W/env\", options: [\"rbind\"]}]"
	ok env -i PATH="$PATH" OUTER=yes "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	grep -qx OUTER=yes "$W/env/inherited"
	is "$(grep -E '^(A|OUTER)=' "$W/env/replaced")" A=b
	is "$(grep -E '^(HOME|INSIDE|PATH|OUTER)=' "$W/env/inside" | paste -sd' ')" "HOME=/root INSIDE=1 PATH=/bin"
	# busybox goes by argv[0], which is not its path.
	script 'echo "$0" >&2; exit 1'
	edit ".hooks = {prestart: [{path: \"/bin/busybox\", args: [\"false\", \"x\"]}]}"
	fails 1 oakum run --bundle "$B" "$C"
	says "prestart hook #0: /bin/busybox: exit status 1"
}

@test "output goes to the files of the annotations, appended, for every kind; and the error still says why" {
	bundle '.process.args = ["true"]'
	script 'echo "out $1"; echo "err $1" >&2'
	cp "$W/hook" "$B/rootfs/hook"
	echo before >"$B/out.log"
	edit ".annotations = {\"run.oci.hooks.stdout\": \"out.log\", \"run.oci.hooks.stderr\": \"$W/err.log\"}
		| .hooks = ([\"prestart\", \"createRuntime\", \"createContainer\", \"poststart\", \"poststop\"] | map({(.): [{path: \"$W/hook\", args: [\"hook\", .]}]}) | add)
		| .hooks.startContainer = [{path: \"/hook\", args: [\"hook\", \"startContainer\"]}]"
	ok oakum run --bundle "$B" "$C"
	local all="prestart createRuntime createContainer startContainer poststart poststop"
	is "$(sed 's/^out //' "$B/out.log" | paste -sd' ')" "before $all"
	is "$(sed 's/^err //' "$W/err.log" | paste -sd' ')" "$all"
	is "$(stat -c %a "$W/err.log")" 600
	is "$output" ""
	script 'echo the cause >&2; exit 4'
	edit ".hooks = {createContainer: [{path: \"$W/hook\"}]}"
	fails 1 oakum run --bundle "$B" "$C"
	says "exit status 4: the cause"
	is "$(tail -n 1 "$W/err.log")" "the cause"
	rm "$W/err.log"
}

# bats test_tags=root:devices
@test "the output files are opened with care: no link, no FIFO, no device" {
	bundle '.process.args = ["true"] | .hooks = {createRuntime: [{path: "/bin/true"}]}'
	ln -s "$W/elsewhere" "$B/link"
	mkfifo "$B/fifo"
	mknod "$B/null" c 1 3
	local f
	for f in link fifo null .; do
		edit ".annotations = {\"run.oci.hooks.stdout\": \"$f\"}"
		fails 1 oakum run --bundle "$B" "$C"
		says /annotations/run.oci.hooks.stdout "open $f for the hooks' output"
	done
	[ ! -e "$W/elsewhere" ]
}

@test "a hook that writes a megabyte, and one that writes without end, are bounded" {
	script 'head -c 1048576 /dev/zero | tr "\0" x >&2; echo >&2; echo end of it >&2; exit 1'
	bundle ".hooks = {createRuntime: [{path: \"$W/hook\"}]}"
	fails 1 oakum run --bundle "$B" "$C"
	says "exit status 1: end of it"
	[ ${#errors} -lt 800 ]
	script 'while :; do echo yes; done >&2'
	edit ".hooks.createRuntime[0].timeout = 1"
	fails 1 oakum run --bundle "$B" "$C"
	says "killed after its timeout of 1 s"
}

@test "what a hook leaves running, with its output held, is not waited for" {
	script "sleep 30 & echo \$! >$W/left; echo bye >&2; exit \$1"
	bundle ".process.args = [\"true\"] | .hooks = {createRuntime: [{path: \"$W/hook\", args: [\"hook\", \"0\"]}]}"
	local began=$SECONDS
	ok oakum run --bundle "$B" "$C"
	[ $((SECONDS - began)) -lt 20 ]
	kill -0 "$(cat "$W/left")"
	kill "$(cat "$W/left")"
	edit ".hooks.createRuntime[0].args[1] = \"9\""
	fails 1 oakum run --bundle "$B" "$C"
	says "exit status 9: bye"
	kill "$(cat "$W/left")"
	until_true gone "$(cat "$W/left")"
}

@test "a hook that ignores TERM and forks is killed with its group when its time is up" {
	script "trap '' TERM; sleep 100 & echo \$! >$W/child; wait"
	bundle ".hooks = {createRuntime: [{path: \"$W/hook\", timeout: 1}]}"
	fails 1 oakum run --bundle "$B" "$C"
	says "createRuntime hook #0" "killed after its timeout of 1 s"
	until_true gone "$(cat "$W/child")"
}

@test "hooks that cannot be executed: missing, not a program, a directory" {
	local path
	echo 'not a program' >"$W/text"
	for path in /no/such/hook "$W/text" "$W"; do
		bundle ".hooks = {createRuntime: [{path: \"$path\"}]}"
		fails 1 oakum run --bundle "$B" "$C"
		says "createRuntime hook #0: execute $path"
	done
	bundle '.hooks = {startContainer: [{path: "/usr/bin/env-of-the-host-only"}]}'
	fails 1 oakum run --bundle "$B" "$C"
	says "startContainer hook #0: execute /usr/bin/env-of-the-host-only"
}

@test "the state on stdin: what the specification names, the same pid in every kind" {
	bundle '.process.args = ["true"] | .annotations = {"k": "v\"\\"}'
	mkdir "$W/state"
	script "cat >\"$W/state/\$1\""
	cp "$W/hook" "$B/rootfs/hook"
	edit ".hooks = ([\"prestart\", \"createRuntime\", \"createContainer\", \"poststart\", \"poststop\"] | map({(.): [{path: \"$W/hook\", args: [\"hook\", .]}]}) | add)
		| .hooks.startContainer = [{path: \"/hook\", args: [\"hook\", \"startContainer\"]}]
		| .mounts += [{destination: \"$W/state\", type: \"bind\", source: \"$W/state\", options: [\"rbind\"]}]"
	ok oakum run --bundle "$B" --pid-file "$W/pid" "$C"
	local kind want=creating
	for kind in $KINDS; do
		[ $kind != startContainer ] || want=created
		[ $kind != poststart ] || want=running
		is "$kind $(jq -rc '[.ociVersion, .id, .status, .pid, .bundle, .annotations.k] | join(" ")' "$W/state/$kind")" \
			"$kind $(jq -r .ociVersion "$B/config.json") $C $want $(cat "$W/pid") $B v\"\\"
	done
	jq -e '.status == "stopped" and .pid == null' "$W/state/poststop"
	[ -e "$(jq -r .bundle "$W/state/prestart")/config.json" ]
}

@test "a hook that does not read its input, with a large state, cannot stop us" {
	bundle '.process.args = ["true"] | .annotations = ([range(500) | {key: "k\(.)", value: ("x" * 500)}] | from_entries)
		| .hooks = {createRuntime: [{path: "/bin/true"}, {path: "/bin/true"}], startContainer: [{path: "/bin/true"}]}'
	ok oakum run --bundle "$B" "$C"
}
