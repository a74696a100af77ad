#!/usr/bin/env bats
# checkpoint and restore, by the criu that is installed; and what is said where it is not, or fails.
load ../lib/common

# criu keeps what it has learnt of the kernel in /run: before the leak checker looks.
setup_file() {
	criu check >/dev/null 2>&1 </dev/null || :
}

need_criu() {
	command -v criu >/dev/null || skip "there is no criu here"
	criu check >criu.said 2>&1 </dev/null ||
		skip "criu $(criu --version 2>/dev/null | awk '{ print $2; exit }') does not work with kernel $(uname -r) (tests/vm/run has one that does)"
}

# It counts in its own memory; a file in its tmpfs shows how far.
counter() {
	bundle '.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/dev/shm/new; mv /dev/shm/new /dev/shm/count; usleep 20000; done"]'
	[ -z "${1-}" ] || edit "$1"
}
count() { oakum exec "${1-$C}" cat /dev/shm/count </dev/null 2>/dev/null; }
counted() { local n; n=$(count "${2-$C}") && [ "${n:-0}" -gt "$1" ]; }

begin() {
	# /dev/null: what is a file would have to be the same one again.
	oakum run -d -b "$B" "$@" "$C" </dev/null >/dev/null 2>&1
	# In an emulated machine that is busy this takes its time.
	until_true counted 5
}

# A criu that is none: it ends as told, after it has left a log.
fake_criu() {
	mkdir -p fake
	printf '#!/bin/sh\n%s\n' "$1" >fake/criu
	chmod 755 fake/criu
}

@test "a container that is saved and restored goes on where it was, twice, and under another id" {
	need_criu
	counter
	begin
	ok oakum checkpoint --image-path saved "$C"
	is "$(find saved -maxdepth 0 -printf %m)" 700
	fails 4 oakum state "$C"
	is "$(cgroups_of "$C")" ""
	ok oakum restore -d -b "$B" --image-path saved --pid-file pid "$C"
	is "$(status_of)" running
	is "$(pid_of)" "$(cat pid)"
	until_true counted 6
	first=$(count)
	[ -n "$(cgroups_of "$C")" ]

	ok oakum checkpoint --image-path again --work-path work "$C"
	[ -s work/dump.log ]
	[ ! -e again/dump.log ]
	ok oakum restore -d -b "$B" --image-path again --work-path work "$C-other"
	[ -s work/restore.log ]
	fails 4 oakum state "$C"
	until_true counted "$first" "$C-other"
	is "$(cgroups_of "$C")" ""
	[ -n "$(cgroups_of "$C-other")" ]
	ok oakum kill "$C-other" KILL
	until_true is_status stopped "$C-other"
	ok oakum delete "$C-other"
}

@test "its memory comes back from the images, not its program from the beginning" {
	need_criu
	counter
	begin
	until_true counted 50
	ok oakum checkpoint --image-path saved "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	until_true counted 0
	[ "$(count)" -gt 50 ]
	ok oakum delete --force "$C"
}

@test "with --leave-running it goes on, and what was saved is another one" {
	need_criu
	counter
	begin
	ok oakum checkpoint --leave-running --image-path saved "$C"
	is "$(status_of)" running
	now=$(count)
	until_true counted "$now"
	ok oakum restore -d -b "$B" --image-path saved "$C-2"
	until_true counted 5 "$C-2"
	ok oakum delete --force "$C-2"
	ok oakum delete --force "$C"
}

@test "a paused container is saved too" {
	need_criu
	counter
	begin
	ok oakum pause "$C"
	ok oakum checkpoint --image-path saved "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	until_true counted 6
	ok oakum delete --force "$C"
}

@test "--pre-dump saves memory and lets it go on; --parent-path makes the next one smaller" {
	need_criu
	criu check --feature mem_dirty_track >/dev/null 2>&1 || skip "this kernel does not track dirty memory (CONFIG_MEM_SOFT_DIRTY)"
	# Who has the memory starts nothing in between: a child that begins just then would have all of it, and is new.
	counter '.process.args = ["sh", "-c", "(x=$(head -c 8000000 /dev/zero | tr \\\\0 x); sleep 100000 & >/dev/shm/ready; wait) & until [ -e /dev/shm/ready ]; do usleep 20000; done; i=0; while :; do i=$((i+1)); echo $i >/dev/shm/new; mv /dev/shm/new /dev/shm/count; usleep 20000; done"]'
	begin
	ok oakum checkpoint --pre-dump --image-path first "$C"
	is "$(status_of)" running
	ok oakum checkpoint --parent-path ../first --image-path last "$C"
	[ -L last/parent ]
	[ "$(du -sk last | cut -f1)" -lt "$(du -sk first | cut -f1)" ]
	ok oakum restore -d -b "$B" --image-path last "$C"
	until_true counted 6
	ok oakum delete --force "$C"
}

@test "mounts of the host come from where the bundle says now, also behind links and below each other" {
	need_criu
	mkdir -p data/sub other
	echo first >data/file
	echo nested >other/nested
	echo one >single
	counter ".mounts += [
		{destination: \"/link/bound\", type: \"bind\", source: \"$W/data\", options: [\"rbind\", \"ro\"]},
		{destination: \"/link/bound/sub\", type: \"bind\", source: \"$W/other\", options: [\"bind\"]},
		{destination: \"/etc/single\", type: \"bind\", source: \"$W/single\", options: [\"bind\", \"ro\", \"rprivate\"]}]"
	ln -s /real "$B/rootfs/link"
	mkdir "$B/rootfs/real"
	begin
	ok oakum exec "$C" cat /real/bound/file /real/bound/sub/nested /etc/single
	is "$output" "$(printf 'first\nnested\none')"
	ok oakum checkpoint --image-path saved "$C"
	mv data data2
	echo second >data2/file
	edit "(.mounts[] | select(.source == \"$W/data\") | .source) = \"$W/data2\""
	# A root that was unpacked anew has no mount points yet.
	rm -rf "$B/rootfs/real/bound" "$B/rootfs/etc/single"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	ok oakum exec "$C" cat /real/bound/file /real/bound/sub/nested /etc/single
	is "$output" "$(printf 'second\nnested\none')"
	run oakum exec "$C" touch /real/bound/x </dev/null
	[ "$status" != 0 ]
	[[ $output == *"Read-only file system"* ]]
	run oakum exec "$C" sh -c 'echo x >/etc/single' </dev/null
	[ "$status" != 0 ]
	ok oakum delete --force "$C"
}

@test "a directory beside the root whose name begins like the root's is the host's" {
	need_criu
	counter ".mounts += [{destination: \"/beside\", type: \"bind\", source: \"$B/rootfs-beside\", options: [\"bind\"]}]"
	mkdir "$B/rootfs-beside" "$B/moved"
	echo first >"$B/rootfs-beside/file"
	begin
	ok oakum checkpoint --image-path saved "$C"
	echo second >"$B/moved/file"
	edit "(.mounts[] | select(.destination == \"/beside\") | .source) = \"$B/moved\""
	ok oakum restore -d -b "$B" --image-path saved "$C"
	ok oakum exec "$C" cat /beside/file
	is "$output" second
	ok oakum delete --force "$C"
}

@test "masked and read-only paths are so after a restore" {
	need_criu
	counter
	begin
	ok oakum checkpoint --image-path saved "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	ok oakum exec "$C" sh -c 'wc -c </proc/keys; find /sys/firmware /proc/acpi -mindepth 1 | wc -l; grep -c " /proc/sys ro," /proc/self/mountinfo'
	is "$output" "0
0
1"
	run oakum exec "$C" sh -c 'echo 1 >/proc/sys/kernel/msgmax' </dev/null
	[[ $output == *"Read-only file system"* ]]
	ok oakum delete --force "$C"
}

@test "each mount keeps what is forbidden of it, also where several show one file system" {
	need_criu
	mkdir a b c
	counter ".mounts += [
		{destination: \"/a\", type: \"bind\", source: \"$W/a\", options: [\"bind\", \"ro\", \"noexec\"]},
		{destination: \"/b\", type: \"bind\", source: \"$W/b\", options: [\"bind\", \"ro\", \"nosuid\"]},
		{destination: \"/c\", type: \"bind\", source: \"$W/c\", options: [\"bind\"]},
		{destination: \"/twice\", type: \"bind\", source: \"$W/b\", options: [\"bind\", \"ro\"]},
		{destination: \"/twice\", type: \"bind\", source: \"$W/c\", options: [\"bind\"]}]"
	begin
	ok oakum exec "$C" awk '{ print $5, $6 }' /proc/self/mountinfo
	sort "$W/stdout" >before
	ok oakum checkpoint --image-path saved "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	ok oakum exec "$C" awk '{ print $5, $6 }' /proc/self/mountinfo
	sort "$W/stdout" >after
	diff -u before after
	ok oakum delete --force "$C"
}

@test "a network namespace that was joined is joined again" {
	need_criu
	ip netns add "$C"
	inode=$(stat -Lc %i "/run/netns/$C")
	counter "(.linux.namespaces[] | select(.type == \"network\")) += {path: \"/run/netns/$C\"}"
	begin
	ok oakum checkpoint --image-path saved "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	is "$(stat -Lc %i "/proc/$(pid_of)/ns/net")" "$inode"
	ok oakum delete --force "$C"
	ip netns del "$C"
	rmdir /run/netns 2>/dev/null || { umount /run/netns && rmdir /run/netns; }
}

@test "pipes of stdio are those of the restore, and the exit status comes back in the foreground" {
	need_criu
	bundle '.process.args = ["sh", "-c", "echo ready; read line; echo got $line; exit 7"]'
	# Pipes that this shell holds open at both ends.
	exec 7<> <(:) 8<> <(:)
	"$OAKUM" --root "$ROOT" run -d -b "$B" "$C" <&7 >&8 2>/dev/null 7>&- 8>&-
	read -r -t 60 line <&8
	is "$line" ready
	ok oakum checkpoint --image-path saved "$C" 7>&- 8>&-
	exec 7>&- 8>&-
	printf 'word\n' | { rc=0; "$OAKUM" --root "$ROOT" restore -b "$B" --image-path saved "$C" 2>stderr || rc=$?; echo "$rc" >status; } | cat >said
	is "$(cat said)" "got word"
	is "$(cat status)" 7
	fails 4 oakum state "$C"
}

# A terminal's other end: what comes out of it is in the file $1.
receive() {
	rm -f console
	"$LIB/inside" recvfd "$W/console" >"$1" &
	receiver=$!
	until_true test -S console
}
seen() { [ "$(grep -c "^line [0-9]*" "$1")" -gt 3 ]; }

@test "a terminal: the restored one goes to the restore's console socket" {
	need_criu
	counter '.process.terminal = true | .process.args[2] |= sub("usleep"; "echo line $i; usleep")'
	receive first
	ok oakum run -d --console-socket console -b "$B" "$C"
	until_true seen first
	ok oakum checkpoint --image-path saved "$C"
	wait $receiver || :
	receive second
	ok oakum restore -d --console-socket console -b "$B" --image-path saved "$C"
	until_true seen second
	[ "$(sed -n 's/^line \([0-9]*\).*/\1/p;T;q' second)" -gt 3 ]
	ok oakum delete --force "$C"
	wait $receiver || :
}

# Two processes of the container that talk by TCP, on the loopback of its own network.
talkers() {
	counter '.process.args[2] = "sleep 1000 | nc -l -p 7000 >/dev/shm/got & until [ -s /dev/shm/got ]; do (i=0; while :; do i=$((i+1)); echo $i; usleep 20000; done) | nc 127.0.0.1 7000; done"'
}
got() { local n; n=$(oakum exec "$C" tail -n 1 /dev/shm/got </dev/null 2>/dev/null) && [ "${n:-0}" -gt "$1" ]; }

@test "established TCP connections: only when asked for, and then they go on" {
	need_criu
	talkers
	ok oakum run -d -b "$B" "$C" </dev/null
	until_true got 5
	fails 1 oakum checkpoint --image-path refused "$C"
	says "criu" "tcp"
	is "$(status_of)" running
	ok oakum checkpoint --tcp-established --image-path saved "$C"
	ok oakum restore -d --tcp-established -b "$B" --image-path saved "$C"
	until_true got "$(oakum exec "$C" tail -n 1 /dev/shm/got)"
	ok oakum delete --force "$C"
}

served() { ss -ltnH "sport = :$1" | grep -q .; }

@test "--page-server: memory goes to who listens there" {
	need_criu
	counter
	begin
	mkdir pages
	criu page-server --images-dir pages --address 127.0.0.1 --port 7001 </dev/null >page-server.log 2>&1 &
	server=$!
	until_true served 7001
	ok oakum checkpoint --page-server 127.0.0.1:7001 --image-path saved "$C"
	wait $server
	[ -z "$(find saved -name 'pages-*.img')" ]
	[ -n "$(find pages -name 'pages-*.img')" ]
	cp pages/* saved
	ok oakum restore -d -b "$B" --image-path saved "$C"
	until_true counted 6
	ok oakum delete --force "$C"
}

@test "--lazy-pages: the restored runs while its memory still comes, from a checkpoint that says when it serves" {
	need_criu
	criu check --feature uffd-noncoop >/dev/null 2>&1 || skip "this kernel has no userfaultfd that follows forks"
	counter
	begin
	mkdir lazy ready
	mkfifo ready/fifo
	exec 7<>ready/fifo
	oakum checkpoint --lazy-pages --page-server 127.0.0.1:7002 --status-fd 7 --image-path saved "$C" </dev/null >checkpoint.log 2>&1 &
	checkpoint=$!
	is "$(timeout 60 head -c 1 <&7 | od -An -tu1 | tr -d ' ')" 0
	criu lazy-pages --page-server --address 127.0.0.1 --port 7002 --images-dir saved --work-dir lazy </dev/null >lazy.log 2>&1 7>&- &
	pages=$!
	until_true test -S lazy/lazy-pages.socket
	# The one that was saved is there until its last page has gone.
	ok oakum restore -d --lazy-pages -b "$B" --image-path saved --work-path lazy "$C-2" 7>&-
	until_true counted 6 "$C-2"
	wait $checkpoint
	wait $pages
	exec 7>&-
	fails 4 oakum state "$C"
	ok oakum delete --force "$C-2"
}

@test "hooks: prestart and createRuntime run at a restore too, with the pid of the new process" {
	need_criu
	counter '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "cat >>'"$W"'/states; echo >>'"$W"'/states"]}]}'
	begin
	ok oakum checkpoint --image-path saved "$C"
	: >states
	ok oakum restore -d -b "$B" --image-path saved "$C"
	is "$(jq -r .id states)" "$C"
	is "$(jq -r .pid states)" "$(pid_of)"
	ok oakum delete --force "$C"
}

@test "criu's own configuration by annotation wins" {
	need_criu
	echo 'log-file by-configuration.log' >"$W/criu.conf"
	counter ".annotations = {\"org.criu.config\": \"$W/criu.conf\"}"
	begin
	ok oakum checkpoint --image-path saved --work-path work "$C"
	[ -s work/by-configuration.log ]
	[ ! -e work/dump.log ]
	ok oakum restore -d -b "$B" --image-path saved --work-path work "$C"
	ok oakum delete --force "$C"
}

# bats test_tags=cgroupfs:path
@test "--manage-cgroups-mode ignore: the cgroup is that of the bundle all the same" {
	need_criu
	counter
	begin
	ok oakum checkpoint --manage-cgroups-mode ignore --image-path saved "$C"
	edit '.linux.cgroupsPath = "/elsewhere/x"'
	ok oakum restore -d --manage-cgroups-mode ignore -b "$B" --image-path saved "$C"
	is "$(cut -d: -f3 "/proc/$(pid_of)/cgroup" | sort -u)" /elsewhere/x
	ok oakum delete --force "$C"
}

# bats test_tags=root:kernel
@test "without criu: status 6 and its name, and the container goes on" {
	sleeper
	oakum run -d -b "$B" "$C" </dev/null >/dev/null 2>&1
	mkdir empty
	fails 6 env PATH="$W/empty" "$OAKUM" --root "$ROOT" checkpoint --image-path saved "$C"
	says "checkpoint $C: start criu from the PATH" "(ENOENT)" "install criu"
	is "$(status_of)" running
	ok oakum delete --force "$C"
	mkdir -p saved
	echo '["/dev/null","/dev/null","/dev/null"]' >saved/descriptors.json
	fails 6 env PATH="$W/empty" "$OAKUM" --root "$ROOT" restore -d -b "$B" --image-path saved "$C"
	says "restore $C: start criu from the PATH" "install criu"
	fails 4 oakum state "$C"
	is "$(cgroups_of "$C")" ""
}

# bats test_tags=root:kernel
@test "what criu refuses is said with the last errors of its log, and the container goes on" {
	fake_criu "printf '%s\\n' '(00.01) Error (criu/x.c:1): early' '(00.02)      1: Error (criu/y.c:22): the socket is busy' \\
		'(00.03) Error (criu/z.c:3): task 1 failed' '(00.04) Error (criu/cr-dump.c:4): Dumping FAILED.' '(00.05) Error (criu/w.c:5): late' >$W/saved/dump.log"
	sleeper
	oakum run -d -b "$B" "$C" </dev/null >/dev/null 2>&1
	fails 1 env PATH="$W/fake:$PATH" "$OAKUM" --root "$ROOT" checkpoint --image-path "$W/saved" "$C"
	says "criu could not checkpoint: the socket is busy; task 1 failed" "criu's log is $W/saved/dump.log"
	is "$(status_of)" running
	fake_criu 'kill -SEGV $$'
	rm saved/dump.log
	fails 1 env PATH="$W/fake:$PATH" "$OAKUM" --root "$ROOT" checkpoint --image-path saved "$C"
	says "criu could not checkpoint (killed by SIGSEGV)"
	fake_criu 'exit 3'
	fails 1 env PATH="$W/fake:$PATH" "$OAKUM" --root "$ROOT" checkpoint --image-path saved "$C"
	says "(it ended with status 3)"
	ok oakum delete --force "$C"
	fails 1 env PATH="$W/fake:$PATH" "$OAKUM" --root "$ROOT" restore -b "$B" --image-path saved "$C"
	says "criu could not restore (it ended with status 3)"
	fails 4 oakum state "$C"
	is "$(cgroups_of "$C")" ""
}

# asked COMMAND…: ask a criu that only keeps the request; its options are then in the file asked, NUMBER=VALUE a line
# (the numbers of criu_opts in criu's rpc.proto).
asked() {
	rm -f request
	rc=0
	env PATH="$W/fake:$PATH" "$OAKUM" --root "$ROOT" "$@" </dev/null >"$W/out" 2>"$W/err" || rc=$?
	is $rc 1
	python3 -c '
import sys
def fields(data):
    at = 0
    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]; at += 1
            n |= (byte & 127) << shift; shift += 7
            if byte < 128: return n
    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            at += value
            value = data[at - value:at]
        yield key >> 3, value
for number, value in fields(dict(fields(open("request", "rb").read()))[2]):
    print("%d=%s" % (number, value.decode("latin1") if isinstance(value, bytes) else value))' >asked
}

# asks NUMBER=VALUE COMMAND…: this must be among it.
asks() {
	local want=$1
	shift
	asked "$@"
	grep -qxF -- "$want" asked || { echo "$*: not asked: $want"; cat asked; return 1; }
}

# bats test_tags=root:mount
@test "each flag of checkpoint and restore is asked of criu by its number, and the configuration file that comes first" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	local flag rest
	mkdir -p fake saved
	printf '#!/bin/bash\ndd bs=65536 count=1 <&"$2" >%s 2>/dev/null\nexit 1\n' "$W/request" >fake/criu
	chmod 755 fake/criu
	sleeper
	oakum run -d -b "$B" "$C" </dev/null >/dev/null 2>&1
	asked checkpoint --image-path saved "$C"
	cp asked plain
	grep -qx 10=dump.log plain
	while read -r flag rest; do
		# Nobody asks for it by himself.
		! grep -qxF -- "$rest" plain || { echo "$rest is asked without $flag"; return 1; }
		asks "$rest" checkpoint --image-path saved "$flag" "$C"
	done <<-'END'
		--leave-running 3=1
		--ext-unix-sk 4=1
		--tcp-established 5=1
		--shell-job 7=1
		--file-locks 8=1
		--auto-dedup 16=1
		--link-remap 18=1
		--pre-dump 15=1
		--tcp-skip-in-flight 46=1
		--manage-cgroups-mode=ignore 34=0
		--manage-cgroups-mode=full 34=4
		--manage-cgroups-mode=strict 34=5
		--network-lock=iptables 64=1
		--network-lock=nftables 64=2
		--network-lock=skip 64=3
		--empty-ns=network 38=1073741824
	END
	is "$(status_of)" running
	ok oakum delete -f "$C"

	while read -r flag rest; do
		asks "$rest" restore -b "$B" --image-path saved "$flag" "$C"
		fails 4 oakum state "$C"
	done <<-'END'
		--ext-unix-sk 4=1
		--tcp-established 5=1
		--shell-job 7=1
		--file-locks 8=1
		--auto-dedup 16=1
		--lazy-pages 48=1
		--tcp-close 52=1
		--lsm-profile=apparmor:other 53=apparmor:other
		--lsm-mount-context=system_u:object_r:t 63=system_u:object_r:t
		--manage-cgroups-mode=strict 34=5
		--empty-ns=network 38=1073741824
		--no-pivot 10=restore.log
		--no-subreaper 26=1
	END

	# The annotation comes before crun's file, and that before runc's.
	if [ -d /etc/criu ]; then
		mount -t tmpfs criu /etc/criu
		: >/etc/criu/runc.conf
		asks 51=/etc/criu/runc.conf restore -b "$B" --image-path saved "$C"
		: >/etc/criu/crun.conf
		asks 51=/etc/criu/crun.conf restore -b "$B" --image-path saved "$C"
		edit '.annotations = {"org.criu.config": "/etc/criu/own.conf"}'
		asks 51=/etc/criu/own.conf restore -b "$B" --image-path saved "$C"
		umount /etc/criu
	fi
}

@test "a file that is open and has lost the name it was opened by: refused without --link-remap, and kept with it" {
	need_criu
	bundle '.process.args = ["sh", "-c", "cd /dev/shm; echo x >kept; ln kept gone; exec 3<gone; rm gone; i=0; while :; do i=$((i+1)); echo $i >new; mv new count; usleep 20000; done"]'
	begin
	fails 1 oakum checkpoint --image-path saved "$C"
	says link
	ok oakum checkpoint --image-path saved --link-remap "$C"
	ok oakum restore -d -b "$B" --image-path saved "$C"
	until_true counted 6
	is "$(oakum exec "$C" cat /proc/1/fd/3)" x
	ok oakum delete -f "$C"
}

@test "what cannot be asked of criu is refused before it is started" {
	sleeper
	ok oakum create -b "$B" "$C"
	fails 4 oakum checkpoint "$C"
	says "cannot checkpoint a container that is created"
	ok oakum start "$C"
	fails 2 oakum checkpoint --image-path saved --parent-path /abs "$C"
	says "--parent-path"
	fails 2 oakum checkpoint --image-path saved --parent-path ../not-there "$C"
	says "--parent-path" "(ENOENT)"
	fails 2 oakum checkpoint --image-path saved --page-server nowhere "$C"
	says "--page-server" "ADDRESS:PORT"
	fails 2 oakum checkpoint --image-path saved --status-fd 77 "$C"
	says "--status-fd 77" "(EBADF)"
	fails 2 oakum checkpoint --image-path saved --manage-cgroups-mode hard "$C"
	says "manage-cgroups-mode"
	fails 2 oakum checkpoint --image-path saved --empty-ns pid "$C"
	says "empty-ns"
	is "$(status_of)" running
	fails 5 oakum restore -d -b "$B" --image-path saved "$C"
	ok oakum delete --force "$C"
	fails 4 oakum checkpoint "$C"
	fails 1 oakum restore -d -b "$B" --image-path not-there "$C"
	says "not-there" "(ENOENT)" "--image-path"
	fails 1 oakum restore -d -b "$B" --image-path "$W" "$C"
	says "descriptors.json"
	fails 4 oakum state "$C"
}
