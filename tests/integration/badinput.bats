#!/usr/bin/env bats
# Bad input: one line, the place, what to do, the right status, and nothing done before.
load ../lib/common

# refused STATUS TEXT...: create of $B fails with STATUS and each TEXT, and has not touched anything.
refused() {
	local want=$1
	shift
	fails "$want" oakum create -b "$B" "$C"
	says "$@"
	is "$(side_effects "$OAKUM" --root "$ROOT" create -b "$B" "$C" | grep -v -e vfork | head -3)" ""
}

text() {
	bundle
	printf "$@" >"$B/config.json"
}

@test "json: not JSON at all, in twelve ways" {
	text ''
	refused 3 config.json
	text '   \n'
	refused 3 config.json
	text '{"ociVersion": "1.0.0", "root": {"path": "rootfs"'
	refused 3 config.json:1
	text '{"ociVersion": "1.0.0",}'
	refused 3 config.json:1
	bundle; echo garbage >>"$B/config.json"
	refused 3 config.json
	bundle; cat "$B/config.json" "$B/config.json" >"$B/two"; mv "$B/two" "$B/config.json"
	refused 3 config.json
	text '\xef\xbb\xbf{}'
	refused 3 config.json
	text '{"ociVersion": "1.0.0", "x": "\xc3\x28"}'
	refused 3 config.json
	text '{"ociVersion": "1.0.0" /* no */}'
	refused 3 config.json
	for top in null '[]' '"x"' 7 true; do
		text '%s' "$top"
		refused 3 config.json
	done
	text '{"ociVersion": "1.0.0", "hostname": "\\ud800"}'
	refused 3 config.json
	bundle '.process.args = ["/bin/tr\u0000ue"]'
	refused 3 /process/args
}

@test "json: duplicate keys name the key" {
	text '{"ociVersion": "1.0.0", "process": {"args": ["a"], "args": ["b"]}}'
	refused 3 config.json:1 args
}

@test "json: too deep, too big" {
	bundle
	{ printf '{"ociVersion": "1.0.0", "annotations": '; head -c 100000 /dev/zero | tr '\0' '['; } >"$B/config.json"
	refused 3 config.json
	head -c 17000000 /dev/zero | tr '\0' ' ' >"$B/config.json"
	refused 3 config.json 16777216
}

@test "config.json: missing, a directory, a FIFO, a device, unreadable" {
	bundle
	rm "$B/config.json"
	refused 3 "$B" config.json "No such file"
	mkdir "$B/config.json"
	refused 3 config.json
	rmdir "$B/config.json"
	mkfifo "$B/config.json"
	fails 3 timeout 30 "$OAKUM" --root "$ROOT" create -b "$B" "$C"
	says config.json
	rm "$B/config.json"
	ln -s /dev/zero "$B/config.json"
	fails 3 timeout 30 "$OAKUM" --root "$ROOT" create -b "$B" "$C"
	rm "$B/config.json"
	ln -s config.json "$B/config.json"
	refused 3 config.json
}

@test "types: the JSON pointer, what was found, what is wanted" {
	while read -r pointer filter; do
		bundle "$filter"
		rc=0
		oakum create -b "$B" "$C" </dev/null 2>"$W/err" || rc=$?
		grep -Eq "config.json:[0-9]+:[0-9]+: $pointer(/|:| )" "$W/err" && [ $rc = 3 ] ||
			{ echo "$filter: status $rc, not 3 with $pointer:"; cat "$W/err"; oakum delete -f "$C"; false; }
	done <<-'T'
		/process/args .process.args = "sh"
		/process/args .process.args = []
		/process/args/0 .process.args = [7]
		/process/args/1 .process.args = ["sh", null]
		/process/cwd .process.cwd = "relative"
		/process/cwd del(.process.cwd)
		/process/user/uid .process.user.uid = "0"
		/process/user/uid .process.user.uid = -1
		/process/user/uid .process.user.uid = 4294967296
		/process/user/uid .process.user.uid = 4294967295
		/process/user/gid .process.user.gid = 1.5
		/process/user/umask .process.user.umask = 512
		/process/terminal .process.terminal = "true"
		/process/env/0 .process.env[0] = 5
		/process/env/0 .process.env[0] = "JUNK"
		/process/oomScoreAdj .process.oomScoreAdj = 1001
		/process/rlimits/0/type .process.rlimits[0].type = "RLIMIT_BOGUS"
		/process/rlimits/0 .process.rlimits[0].soft = 2000
		/process/rlimits/1 .process.rlimits += .process.rlimits
		/root/path .root.path = ""
		/root/path .root.path = 5
		/root del(.root)
		/process del(.process)
		/ociVersion del(.ociVersion)
		/ociVersion .ociVersion = "banana"
		/ociVersion .ociVersion = "2.0.0"
		/mounts/0/destination del(.mounts[0].destination)
		/mounts/0/options/0 .mounts[0].options = [7]
		/linux/namespaces/0/type .linux.namespaces[0].type = "frob"
		/linux/namespaces/5 .linux.namespaces += [{type: "pid"}]
		/linux/uidMappings .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		/linux/uidMappings/0/size .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 0}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1}]
		/linux/devices/0/type .linux.devices = [{path: "/dev/x", type: "x", major: 1, minor: 1}]
		/linux/devices/0/path .linux.devices = [{path: "/dev/../../x", type: "c", major: 1, minor: 1}]
		/linux/cgroupsPath .linux.cgroupsPath = "/a/../b"
		/linux/resources/memory/limit .linux.resources.memory = {limit: "1M"}
		/linux/resources/memory/limit .linux.resources.memory = {limit: 9223372036854775808}
		/linux/resources/cpu/cpus .linux.resources.cpu = {cpus: "0-99999"}
		/linux/seccomp/defaultAction .linux.seccomp = {defaultAction: "SCMP_ACT_FROB"}
		/linux/seccomp/architectures/0 .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_FROB"]}
		/linux/seccomp/syscalls/0/args/0 .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_ERRNO", args: [{index: 6, value: 0, op: "SCMP_CMP_EQ"}]}]}
		/linux/maskedPaths/0 .linux.maskedPaths = ["relative"]
		/linux/rootfsPropagation .linux.rootfsPropagation = "frob"
		/hooks/prestart/0/path .hooks = {prestart: [{path: "relative"}]}
		/hooks/prestart/0/timeout .hooks = {prestart: [{path: "/bin/true", timeout: 0}]}
		/hooks/prestart/0/timeout .hooks = {prestart: [{path: "/bin/true", timeout: -1}]}
	T
}

# bats test_tags=cgroupfs:helper
@test "a bad config has no side effect: strace sees none" {
	bundle '.process.user.uid = 4294967296'
	refused 3 /process/user/uid
	bundle '.linux.cgroupsPath = "/a/../b"'
	refused 3 /linux/cgroupsPath
	bundle '.root.path = "none"'
	refused 3 none
}

@test "several mistakes are all named, one a line" {
	bundle '.process.cwd = "x" | .process.user.uid = -1 | .hooks = {prestart: [{path: "y"}]}'
	local rc=0
	oakum create -b "$B" "$C" </dev/null 2>"$W/err" || rc=$?
	is $rc 3
	is "$(wc -l <"$W/err")" 3
	for p in /process/cwd /process/user/uid /hooks/prestart/0/path; do
		grep -q "$p" "$W/err"
	done
}

# bats test_tags=cgroupfs:helper
@test "the rootfs: missing, a file, dangling, a loop" {
	bundle
	rm -rf "$B/rootfs"
	refused 3 rootfs
	touch "$B/rootfs"
	refused 3 rootfs
	rm "$B/rootfs"
	ln -s none "$B/rootfs"
	refused 3 rootfs
	rm "$B/rootfs"
	ln -s rootfs "$B/rootfs"
	refused 3 rootfs
}

@test "the bundle: missing, a file" {
	fails 3 oakum create -b "$W/none" "$C"
	says "$W/none"
	touch "$W/file"
	fails 3 oakum create -b "$W/file" "$C"
}

@test "ids: every bad one is refused by every command before it is a path" {
	bundle
	long=$(head -c 1025 /dev/zero | tr '\0' a)
	for bad in "" . .. a/b ../x /x .hidden "a b" $'a\nb' $'a\tb' $'\x01' "$long" '%s;' 'é'; do
		for c in create run start state kill delete exec ps pause resume up down attach logs wait; do
			rc=0
			oakum "$c" "$bad" </dev/null >"$W/out" 2>"$W/err" || rc=$?
			case $c:$rc in exec:255 | *:2) ;; *) echo "$c '$bad' gave $rc: $(cat "$W/err")"; false ;; esac
			is "$(wc -l <"$W/err")" 1
		done
	done
	is "$(ls -A --ignore=.cache "$ROOT")" ""
	strace -f -o "$W/strace" -e trace=%file "$OAKUM" --root "$ROOT" create -b "$B" a/b 2>/dev/null </dev/null || :
	! grep -q '"a/b\|/a/b"' "$W/strace"
	fails 2 oakum state a/b
	says "invalid character" "container ID"
}

@test "ids: good ones of every shape" {
	sleeper
	for good in a A9 a_b a+b a-b a.b "$(head -c 200 /dev/zero | tr '\0' x)"; do
		ok oakum create -b "$B" "$good"
		ok oakum delete "$good"
	done
}

# bats test_tags=root:ids
@test "the state root: a symlink, a file, others may write, somebody else's" {
	bundle
	mkdir -m 700 "$W/real"
	ln -s "$W/real" "$W/link"
	fails 6 "$OAKUM" --root "$W/link" create -b "$B" "$C"
	says "$W/link"
	touch "$W/file"
	fails 6 "$OAKUM" --root "$W/file" create -b "$B" "$C"
	says "$W/file"
	mkdir -m 777 "$W/open"
	chmod 777 "$W/open"
	fails 6 "$OAKUM" --root "$W/open" create -b "$B" "$C"
	says "$W/open"
	mkdir -m 700 "$W/theirs"
	chown 1000 "$W/theirs"
	fails 6 "$OAKUM" --root "$W/theirs" create -b "$B" "$C"
	says "$W/theirs"
	is "$(find "$W/real" "$W/open" "$W/theirs" -mindepth 1)" ""
}

# bats test_tags=root:mount
@test "the state root: full, read-only" {
	bundle
	mkdir "$W/small"
	for n in 1 2 3 4 5; do
		mount -t tmpfs -o nr_inodes=$n,mode=700 small "$W/small"
		rc=0
		"$OAKUM" --root "$W/small" create -b "$B" "$C" </dev/null 2>"$W/err" || rc=$?
		if [ $rc != 0 ]; then
			is "$(wc -l <"$W/err")" 1
			grep -q "No space left" "$W/err"
			is "$(find "$W/small" -mindepth 1 ! -name .cache)" ""
		else
			"$OAKUM" --root "$W/small" delete -f "$C" </dev/null
		fi
		umount "$W/small"
		is "$(cgroups_of "$C")" ""
	done
	mount -t tmpfs -o ro,mode=700 small "$W/small"
	fails 1 "$OAKUM" --root "$W/small" create -b "$B" "$C"
	says "Read-only file system"
	umount "$W/small"
}

# held ARG…: oakum ARG… until it has opened config.json, where it is stopped; $held is its pid.
held() {
	rm -f "$W/strace"
	strace -qq -o "$W/strace" -P config.json -e trace=openat -e inject=openat:signal=STOP:when=1 "$OAKUM" --root "$ROOT" "$@" \
		</dev/null >"$W/out" 2>"$W/err" &
	tracer=$!
	until_true grep -sq "stopped by SIGSTOP" "$W/strace"
	held=$(pgrep -P "$tracer")
}

# go_on STATUS TEXT…: it ends so.
go_on() {
	local rc=0 want=$1
	shift
	kill -CONT "$held"
	wait "$tracer" || rc=$?
	errors=$(<"$W/err")
	[ $rc = "$want" ] || { echo "status $rc, not $want: $errors"; return 1; }
	says "$@"
}

# bats test_tags=root:kernel
@test "config.json: replaced, cut and lengthened while it is read" {
	sleeper '.hostname = "before"'
	cp "$B/config.json" "$W/before"
	# The file that was opened is the one that is read, whatever stands in its place.
	for new in 'echo "{"' 'mkfifo config.json' 'ln -s /dev/zero config.json' 'mkdir config.json'; do
		held create -b "$B" "$C"
		(cd "$B" && mv config.json old && case $new in echo*) eval "$new" >config.json ;; *) eval "$new" ;; esac)
		go_on 0
		cmp "$ROOT/$C/config.json" "$W/before"
		ok oakum delete --force "$C"
		rm -rf "$B/config.json"
		mv "$B/old" "$B/config.json"
	done
	held create -b "$B" "$C"
	truncate -s 300 "$B/config.json"
	go_on 3 "config.json:" "unexpected end of file"
	cp "$W/before" "$B/config.json"
	held create -b "$B" "$C"
	: >"$B/config.json"
	go_on 3 "config.json:1:1" "the file is empty"
	cp "$W/before" "$B/config.json"
	held create -b "$B" "$C"
	echo x >>"$B/config.json"
	go_on 3 "config.json:" "found 'x'"
	held create -b "$B" "$C"
	truncate -s 17M "$B/config.json"
	go_on 3 "16777216 bytes"
	[ ! -e "$ROOT/$C" ]
	is "$(cgroups_of "$C")" ""
}

@test "the state root: deleted while a container is being made" {
	sleeper '.hooks = {createRuntime: [{path: "/bin/rm", args: ["rm", "-rf", "'"$ROOT"'"]}]}'
	fails 1 oakum create -b "$B" "$C"
	says "create $C: write " "No such file or directory (ENOENT)" "was deleted meanwhile"
	[ ! -e "$ROOT" ]
	is "$(cgroups_of "$C")" ""
	edit '.hooks.createRuntime[0].args = ["rm", "-rf", "'"$ROOT/$C"'"]'
	fails 1 oakum run -b "$B" "$C"
	says "run $C: write " "No such file or directory (ENOENT)"
	is "$(cgroups_of "$C")" ""
	mkdir -p -m 700 "$ROOT"
}

# bats test_tags=root:ids
@test "no rights: an ordinary user gets a clear refusal" {
	bundle '.linux.resources.pids = {limit: 20}'
	chmod 755 "$W" "$B"
	mkdir -m 700 "$W/u"
	chown 65534 "$W/u"
	rc=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$W/u/r" run -b "$B" "$C" </dev/null >"$W/out" 2>"$W/err" || rc=$?
	[ $rc != 0 ]
	is "$(wc -l <"$W/err")" 1
	is "$(find "$W/u" -mindepth 2)" ""
	fails 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$ROOT" state "$C" ||
		fails 4 setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$ROOT" state "$C"
}

@test "few descriptors: clean failure or success, nothing left" {
	bundle
	for n in 3 4 5 6 7 8 10 12 16 20 24; do
		rc=0
		(ulimit -n $n; exec timeout 20 "$OAKUM" --root "$ROOT" run -b "$B" "$C") </dev/null >"$W/out" 2>"$W/err" || rc=$?
		[ $rc != 124 ] && [ $rc -lt 128 ]
		[ $rc = 0 ] || is "$(wc -l <"$W/err")" 1
		oakum delete -f "$C" </dev/null
		is "$(cgroups_of "$C")" ""
	done
}

@test "called as runc or crun: every failure is 1" {
	ln -s "$OAKUM" "$W/runc"
	ln -s "$OAKUM" "$W/crun"
	bundle '.process.cwd = "relative"'
	for name in runc crun; do
		fails 1 "$W/$name" --root "$ROOT" create -b "$B" "$C"
		fails 1 "$W/$name" --root "$ROOT" state none
	done
}

@test "mounts that cannot be made name the pointer" {
	bundle '.mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "frobnicate"]}]'
	fails 3 oakum run -b "$B" "$C"
	says /mounts/7/options/1 frobnicate
	bundle '.mounts += [{destination: "/mnt/x", type: "bind", source: "/nonexistent-src", options: ["bind"]}]'
	fails 3 oakum run -b "$B" "$C"
	says /mounts/7 /nonexistent-src "No such file or directory"
	bundle '.mounts += [{destination: "/mnt/x", type: "nosuchfs", source: "x"}]'
	fails 6 oakum run -b "$B" "$C"
	says /mounts/7 nosuchfs
	bundle '.mounts += [{destination: "/mnt/x", type: "tmpfs", source: "x", options: ["size=zzz"]}]'
	fails 1 oakum run -b "$B" "$C"
	says /mounts/7
}
