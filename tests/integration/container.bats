#!/usr/bin/env bats
# What the container looks like from inside: section by section of config.json.
load ../lib/common

@test "namespaces: pid 1, its own hostname, ipc, mounts and network with lo up" {
	in_container . 'echo $$; hostname; for n in pid net ipc uts mnt; do readlink /proc/self/ns/$n; done; cat /sys/class/net/lo/operstate; ls /sys/class/net; ip -o addr show lo'
	is "$(sed -n 1p <<<"$output")" 1
	is "$(sed -n 2p <<<"$output")" test
	for n in pid net ipc uts mnt; do
		case $output in *"$(readlink /proc/self/ns/$n)"*) false ;; esac
	done
	prints 127.0.0.1
	is "$(sed -n 9p <<<"$output")" lo
}

@test "a shared pid namespace: not pid 1" {
	in_container '.linux.namespaces |= map(select(.type != "pid"))' 'echo $$'
	[ "$output" -gt 1 ]
}

# bats test_tags=root:ids
@test "namespaces by path are joined" {
	unshare -n -u -i sleep 1000 &
	holder=$!
	until_true grep -qs '^sleep' /proc/$holder/comm
	in_container "del(.hostname) | .linux.namespaces |= map(if .type == \"network\" then .path = \"/proc/$holder/ns/net\"
		elif .type == \"uts\" then .path = \"/proc/$holder/ns/uts\" elif .type == \"ipc\" then .path = \"/proc/$holder/ns/ipc\" else . end)" \
		'for n in net uts ipc; do readlink /proc/self/ns/$n; done'
	is "$output" "$(for n in net uts ipc; do readlink /proc/$holder/ns/$n; done)"
	kill $holder
	wait $holder || :
}

@test "a namespace path that is not there, or of the wrong kind" {
	bundle '.linux.namespaces |= map(if .type == "network" then .path = "/none/net" else . end)'
	fails 3 oakum run -b "$B" "$C"
	says /linux/namespaces/1 /none/net
	bundle '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)'
	fails 3 oakum run -b "$B" "$C"
	says /linux/namespaces/1
}

@test "a cgroup namespace" {
	in_container '.linux.namespaces += [{type: "cgroup"}]' 'readlink /proc/self/ns/cgroup; cat /proc/self/cgroup'
	[ "$(head -1 <<<"$output")" != "$(readlink /proc/self/ns/cgroup)" ]
	[ -z "$(grep -v ':/$' <<<"$(tail -n +2 <<<"$output")")" ]
}

# bats test_tags=root:ids
@test "a user namespace with mappings" {
	in_container '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .root.readonly = true' \
		'id -u; cat /proc/self/uid_map; cat /proc/self/gid_map; cat /proc/self/setgroups'
	is "$(sed -n 1p <<<"$output")" 0
	is "$(sed -n 2p <<<"$output" | tr -s ' ')" " 0 100000 65536"
	is "$(sed -n 3p <<<"$output" | tr -s ' ')" " 0 200000 65536"
	is "$(sed -n 4p <<<"$output")" allow
}

# bats test_tags=root:ids
@test "a user namespace: exec, kill and delete work" {
	sleeper '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	ok oakum run -d -b "$B" "$C"
	is "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of)/status")" 100000
	ok oakum exec "$C" id -u
	is "$output" 0
	ok oakum exec -u 7 "$C" id -u
	is "$output" 7
	ok oakum kill "$C" KILL
	ok oakum delete "$C"
}

@test "the process: user, groups, umask, cwd, env, HOME" {
	bundle '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6], umask: 7} | .process.args = ["inside", "ids"]'
	ok oakum run -b "$B" "$C"
	is "$output" "uid=1000 gid=1001 groups=5,6"
	in_container '.process.user = {uid: 1000, gid: 1001, umask: 23} | .process.cwd = "/bin" | .process.env += ["A=one two", "A=last", "N=a\nb"]' \
		'umask; pwd; echo "$A"; echo "$HOME"; env | grep -c ^A=; echo "$N"'
	is "$output" "0027
/bin
last
/
1
a
b"
	in_container . 'echo $HOME'
	is "$output" /root
}

@test "a working directory that is missing is created" {
	in_container '.process.cwd = "/made/for/me"' pwd
	is "$output" /made/for/me
}

@test "capabilities: five sets" {
	in_container '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_KILL", "CAP_CHOWN"], inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"]}' \
		'grep ^Cap /proc/self/status'
	is "$(awk '{ print $1 $2 }' <<<"$output")" "CapInh:0000000000000001
CapPrm:0000000000000021
CapEff:0000000000000021
CapBnd:0000000000000021
CapAmb:0000000000000001"
	in_container 'del(.process.capabilities)' 'grep ^Cap /proc/self/status'
	is "$(awk '{ print $2 }' <<<"$output" | sort -u)" 0000000000000000
	in_container '.process.user.uid = 1000 | .process.capabilities = {bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}' \
		'grep CapEff /proc/self/status'
	is "$(awk '{ print $2 }' <<<"$output")" 0000000000000001
}

# bats test_tags=root:ids
@test "oomScoreAdj in a user namespace, made or joined; and of what is executed in it" {
	maps='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	bundle ".linux.namespaces += [{type: \"user\"}] | $maps | .process.oomScoreAdj = 77 | .root.readonly = true |
		.process.args = [\"sh\", \"-c\", \"cat /proc/self/oom_score_adj; trap 'exit 0' TERM; sleep 1000 & wait\"]"
	oakum run -d -b "$B" "$C" </dev/null >"$W/out"
	until_true grep -q . "$W/out"
	is "$(<"$W/out")" 77
	ok oakum exec "$C" cat /proc/self/oom_score_adj
	is "$output" 77
	bundle ".linux.namespaces += [{type: \"user\", path: \"/proc/$(pid_of)/ns/user\"}] | .process.oomScoreAdj = 78 | .root.readonly = true |
		.process.args = [\"cat\", \"/proc/self/oom_score_adj\"]" "$W/second"
	ok oakum run -b "$W/second" "$C.second"
	is "$output" 78
	ok oakum delete --force "$C"
}

@test "noNewPrivileges, oomScoreAdj, rlimits" {
	in_container '.process.noNewPrivileges = true | .process.oomScoreAdj = 100 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]' \
		'grep NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn; ulimit -c'
	is "$(tr '\n\t' '  ' <<<"$output")" "NoNewPrivs: 1 100 100 200 0 "
	in_container '.process.noNewPrivileges = false' 'grep NoNewPrivs /proc/self/status'
	is "$(awk '{ print $2 }' <<<"$output")" 0
}

@test "the root file system: read-only or not, host not in sight" {
	in_container '.root.readonly = true' 'touch /x 2>&1 || echo refused; ls /'
	prints refused "Read-only"
	case $output in *" fixture"*) false ;; esac
	in_container . 'touch /written && echo ok'
	is "$output" ok
	[ -e "$B/rootfs/written" ]
}

@test "mounts: proc, tmpfs, devpts, mqueue, sysfs with their options" {
	in_container '.mounts += [{destination: "/mnt/t", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=700", "nosuid", "nodev", "noexec", "noatime"]}]' 'cat /proc/self/mountinfo'
	for point in /proc /dev /dev/pts /dev/shm /dev/mqueue /sys; do
		grep -q " $point " <<<"$output"
	done
	line=$(grep ' /mnt/t ' <<<"$output")
	case $line in *nosuid*nodev*noexec*noatime*tmpfs*size=64k*mode=700*) ;; *) echo "$line"; false ;; esac
	grep ' /sys ' <<<"$output" | grep -q ' ro,'
}

# bats test_tags=root:mount
@test "mounts: bind, rbind, of files, read-only, relative sources" {
	mkdir -p "$W/src/sub" "$B"
	echo content >"$W/src/file"
	mount -t tmpfs sub "$W/src/sub"
	echo below >"$W/src/sub/file"
	in_container ".mounts += [
		{destination: \"/mnt/bind\", type: \"bind\", source: \"$W/src\", options: [\"bind\"]},
		{destination: \"/mnt/rbind\", type: \"bind\", source: \"$W/src\", options: [\"rbind\", \"ro\"]},
		{destination: \"/mnt/rro\", source: \"$W/src\", options: [\"rbind\", \"rro\"]},
		{destination: \"/mnt/file\", type: \"none\", source: \"$W/src/file\", options: [\"bind\", \"ro\"]}]" \
		'cat /mnt/bind/file /mnt/file; ls /mnt/bind/sub; cat /mnt/rbind/sub/file
		(echo x > /mnt/rbind/file) 2>/dev/null || echo ro1; (echo x > /mnt/rbind/sub/file) 2>/dev/null && echo rw2
		(echo x > /mnt/rro/sub/file) 2>/dev/null || echo ro3; (echo x > /mnt/file) 2>/dev/null || echo ro4
		echo changed > /mnt/bind/file'
	is "$output" "content
content
below
ro1
rw2
ro3
ro4"
	is "$(cat "$W/src/file")" changed
	umount "$W/src/sub"
	mkdir "$B/beside"
	in_container '.mounts += [{destination: "/mnt/rel", type: "bind", source: "beside", options: ["bind"]}]' 'ls -d /mnt/rel'
}

@test "mounts: propagation" {
	in_container '.mounts += [{destination: "/mnt/s", type: "tmpfs", source: "s", options: ["shared"]}, {destination: "/mnt/p", type: "tmpfs", source: "p", options: ["private"]}, {destination: "/mnt/u", type: "tmpfs", source: "u", options: ["unbindable"]}]' \
		'cat /proc/self/mountinfo'
	grep ' /mnt/s ' <<<"$output" | grep -q 'shared:'
	case $(grep ' /mnt/p ' <<<"$output") in *shared:* | *master:*) false ;; esac
	grep ' /mnt/u ' <<<"$output" | grep -q unbindable
}

@test "mounts: tmpcopyup" {
	bundle
	mkdir -p "$B/rootfs/mnt/up/deep"
	echo kept >"$B/rootfs/mnt/up/deep/file"
	chmod 750 "$B/rootfs/mnt/up/deep"
	edit '.mounts += [{destination: "/mnt/up", type: "tmpfs", source: "t", options: ["tmpcopyup"]}] |
		.process.args = ["sh", "-c", "cat /mnt/up/deep/file; stat -c %a /mnt/up/deep; echo new > /mnt/up/deep/file; grep -c \" /mnt/up \" /proc/self/mountinfo"]'
	ok oakum run -b "$B" "$C"
	is "$output" "kept
750
1"
	is "$(cat "$B/rootfs/mnt/up/deep/file")" kept
}

@test "mounts: missing destinations are created, symlinks stay inside" {
	bundle
	ln -s /mnt/target "$B/rootfs/mnt/absolute"
	ln -s ../../../../../../mnt/target2 "$B/rootfs/mnt/relative"
	edit '.mounts += [{destination: "/mnt/absolute/x", type: "tmpfs", source: "a"}, {destination: "/mnt/relative", type: "tmpfs", source: "b"}, {destination: "/new/deep", type: "tmpfs", source: "c"}] |
		.process.args = ["cat", "/proc/self/mountinfo"]'
	ok oakum run -b "$B" "$C"
	grep -q ' /mnt/target/x ' <<<"$output"
	grep -q ' /mnt/target2 ' <<<"$output"
	grep -q ' /new/deep ' <<<"$output"
	[ ! -e /mnt/target ] && [ ! -e /mnt/target2 ]
}

@test "the cgroup mount shows the container's own, read-only" {
	in_container . 'cat /proc/self/mountinfo; ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/x 2>&1 || echo refused; for d in /sys/fs/cgroup/*/; do mkdir $d/x 2>/dev/null && echo made $d; done; true'
	grep -q ' /sys/fs/cgroup' <<<"$output"
	prints refused
	case $output in *made*) false ;; esac
}

# bats test_tags=root:kernel
@test "default devices and links" {
	in_container . 'for d in null zero full random urandom tty; do stat -c "%n %a %t:%T %u:%g" /dev/$d; done
		for l in fd stdin stdout stderr ptmx; do echo $l $(readlink /dev/$l); done; echo x > /dev/null; head -c 3 /dev/zero | wc -c'
	is "$output" "/dev/null 666 1:3 0:0
/dev/zero 666 1:5 0:0
/dev/full 666 1:7 0:0
/dev/random 666 1:8 0:0
/dev/urandom 666 1:9 0:0
/dev/tty 666 5:0 0:0
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx
3"
}

# bats test_tags=root:devices
@test "linux.devices: char, block, fifo, mode and owner, missing directories" {
	in_container '.linux.devices = [{path: "/dev/mychar", type: "c", major: 1, minor: 5, fileMode: 390, uid: 3, gid: 4},
		{path: "/dev/sub/block", type: "b", major: 7, minor: 99, fileMode: 432}, {path: "/dev/pipe", type: "p"}] |
		.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]' \
		'stat -c "%F %a %t:%T %u:%g" /dev/mychar /dev/sub/block; [ -p /dev/pipe ] && echo fifo; head -c 2 /dev/mychar | wc -c; cat /dev/sub/block 2>&1; true'
	prints "character special file 606 1:5 3:4" "block special file 660 7:63 0:0" fifo "Operation not permitted"
	is "$(sed -n 4p <<<"$output")" 2
}

# bats test_tags=root:devices
@test "device rules: what is not allowed is refused" {
	in_container '.linux.devices = [{path: "/dev/kmsg2", type: "c", major: 1, minor: 11, fileMode: 438}]' 'cat /dev/kmsg2 2>&1 | head -1; inside open /dev/kmsg2 w; mknod /tmp/n c 1 11 2>&1 || :'
	prints "Operation not permitted"
	is "$(sed -n 2p <<<"$output")" 1
}

@test "masked and read-only paths" {
	bundle
	mkdir "$B/rootfs/mnt/secret" "$B/rootfs/mnt/secret2" "$B/rootfs/mnt/ro"
	echo secret >"$B/rootfs/mnt/secret/file"
	echo secret >"$B/rootfs/mnt/secretfile"
	edit '.linux.maskedPaths += ["/mnt/secret", "/mnt/secret2", "/mnt/secretfile", "/mnt/not/there", "/mnt/secret"] | .linux.readonlyPaths += ["/mnt/ro", "/mnt/none"] |
		.process.args = ["sh", "-c", "ls /mnt/secret | wc -l; cat /mnt/secretfile | wc -c; touch /mnt/secret/x 2>&1; touch /mnt/ro/x 2>&1; stat -c %d /mnt/secret /mnt/secret2 | uniq | wc -l; echo x > /proc/sys/net/ipv4/ip_default_ttl; grep -c \" /mnt/secret \" /proc/self/mountinfo"]'
	output=$(oakum run -b "$B" "$C" </dev/null 2>&1)
	is "$(sed -n 1,2p <<<"$output" | tr '\n' ' ')" "0 0 "
	is "$(grep -c "Read-only file system" <<<"$output")" 3
	is "$(sed -n 5p <<<"$output")" 1
	is "$(tail -1 <<<"$output")" 1
}

@test "sysctl: namespaced ones are set, others refused" {
	in_container '.linux.sysctl = {"net.ipv4.ip_default_ttl": "77", "kernel.msgmax": "9000", "fs.mqueue.msg_max": "20"}' \
		'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max'
	is "$output" "77
9000
20"
	# Never a value that would change the machine if it were written.
	for bad in kernel.hostname kernel.foo bar.baz vm.swappiness "net/../net/ipv4/ip_default_ttl"; do
		bundle ".linux.sysctl = {\"$bad\": \"$(cat /proc/sys/vm/swappiness)\"}"
		fails 3 oakum run -b "$B" "$C"
		says /linux/sysctl
	done
	bundle '.linux.namespaces |= map(select(.type != "network")) | .linux.sysctl = {"net.ipv4.ip_default_ttl": "7"}'
	fails 3 oakum run -b "$B" "$C"
	is "$(cat /proc/sys/net/ipv4/ip_default_ttl)" 64
}

# bats test_tags=root:kernel
@test "domainname, and the sysctl of it, which the kernel has for root alone" {
	in_container '.domainname = "example.org" | .linux.sysctl = {"kernel.domainname": "example.org"}' 'cat /proc/sys/kernel/domainname'
	is "$output" example.org
	in_container '.linux.sysctl = {"kernel.domainname": "by.sysctl"}' 'cat /proc/sys/kernel/domainname'
	is "$output" by.sysctl
}

@test "hostname and domainname" {
	in_container '.hostname = "a.long.host.name" | .domainname = "example.org"' 'hostname; cat /proc/sys/kernel/domainname'
	is "$output" "a.long.host.name
example.org"
	bundle '.linux.namespaces |= map(select(.type != "uts"))'
	fails 3 oakum run -b "$B" "$C"
	says /hostname
	edit 'del(.hostname) | .linux.sysctl = {"kernel.domainname": "example.org"}'
	fails 3 oakum run -b "$B" "$C"
	says /linux/sysctl/kernel.domainname "type uts"
}

@test "seccomp: actions, arguments, errnoRet, unknown and newer calls" {
	in_container '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"], syscalls: [
		{names: ["getcwd", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 121},
		{names: ["sethostname"], action: "SCMP_ACT_ERRNO"},
		{names: ["personality"], action: "SCMP_ACT_ERRNO", errnoRet: 99, args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]}]}' \
		'inside errno 79; inside errno 170; inside errno 135 8; inside errno 135 0xffffffff; grep Seccomp: /proc/self/status'
	is "$(tr '\n\t' '  ' <<<"$output")" "121 1 99 ok Seccomp: 2 "
	in_container '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 77, syscalls: [{names: ["read", "write", "execve", "brk", "mmap", "munmap", "exit", "exit_group", "fstat", "newfstatat", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "mprotect", "getrandom", "readlink", "readlinkat", "ioctl", "lseek", "openat", "close", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getuid", "getpid", "getppid", "getcwd", "stat", "wait4", "waitid", "clone", "vfork", "fork", "geteuid", "getegid", "getgid", "uname", "clone3", "futex", "dup2", "fcntl", "setpgid", "getpgid", "getpgrp", "poll"], action: "SCMP_ACT_ALLOW"}]}' \
		'inside errno 103; inside errno 9999; true'
	is "$output" "77
38"
}

@test "seccomp: the set-up needs nothing of what a filter forbids" {
	in_container '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["setns", "close_range", "fchdir", "openat2", "fsopen", "fsmount", "open_tree", "move_mount", "mount_setattr", "mount", "umount2", "pivot_root", "seccomp", "capset", "setresuid", "setgroups", "prctl", "connect", "accept4", "sendmsg", "recvmsg", "sendto", "recvfrom"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}' 'echo alive'
	is "$output" alive
	sleeper '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["setns", "close_range", "openat2", "prctl", "capset"], action: "SCMP_ACT_ERRNO"}]}'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" echo in
	is "$output" in
	ok oakum delete -f "$C"
}

@test "seccomp KILL ends the program with SIGSYS" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_KILL_PROCESS"}]} | .process.args = ["inside", "errno", "79"]'
	local rc=0
	oakum run -b "$B" "$C" </dev/null || rc=$?
	is $rc 159
}

@test "hooks: six points, in order, with the state on stdin" {
	bundle
	hook='#!/bin/sh\ncat > '"$W"'/hook-$1.json; echo $1 >> '"$W"'/order; echo "E=$E $#" > '"$W"'/env-$1\n'
	printf "$hook" >"$W/hook"
	chmod 755 "$W/hook"
	mkdir -p "$B/rootfs$W"
	edit ".hooks = {
		prestart: [{path: \"$W/hook\", args: [\"hook\", \"prestart\"]}],
		createRuntime: [{path: \"$W/hook\", args: [\"hook\", \"createRuntime\"], env: [\"E=set\", \"PATH=/bin:/usr/bin\"]}],
		createContainer: [{path: \"$W/hook\", args: [\"hook\", \"createContainer\"]}],
		startContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat > /mnt/startContainer.json\"]}],
		poststart: [{path: \"$W/hook\", args: [\"hook\", \"poststart\"]}],
		poststop: [{path: \"$W/hook\", args: [\"hook\", \"poststop\"]}]}"
	ok oakum create -b "$B" "$C"
	is "$(tr '\n' ' ' <"$W/order")" "prestart createRuntime createContainer "
	ok oakum start "$C"
	until_true is_status stopped "$C"
	ok oakum delete "$C"
	is "$(tr '\n' ' ' <"$W/order")" "prestart createRuntime createContainer poststart poststop "
	is "$(cat "$W/env-createRuntime")" "E=set 1"
	for h in prestart createRuntime createContainer; do
		is "$(jq -r '.id + " " + .status + " " + .bundle' "$W/hook-$h.json")" "$C creating $B"
	done
	is "$(jq -r .status "$B/rootfs/mnt/startContainer.json")" created
	is "$(jq -r .status "$W/hook-poststart.json")" running
	is "$(jq -r .status "$W/hook-poststop.json")" stopped
	jq -e '.pid > 1 and .ociVersion' "$W/hook-createRuntime.json"
}

@test "hooks: a failing one names kind, index and status, and nothing is left" {
	for kind in prestart createRuntime createContainer; do
		bundle ".hooks = {$kind: [{path: \"/bin/true\"}, {path: \"/bin/sh\", args: [\"sh\", \"-c\", \"exit 3\"]}]}"
		fails 1 oakum run -b "$B" "$C"
		says "$kind" "1" "3"
	done
	bundle '.hooks = {startContainer: [{path: "/bin/false"}]} | .process.args = ["echo", "must not run"]'
	fails 1 oakum run -b "$B" "$C"
	says startContainer
	is "$output" ""
	sleeper '.hooks = {poststart: [{path: "/bin/false"}]}'
	ok oakum create -b "$B" "$C"
	fails 1 oakum start "$C"
	says poststart
	oakum delete -f "$C"
}

@test "hooks: a timeout is enforced" {
	bundle '.hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}'
	start=$SECONDS
	fails 1 oakum run -b "$B" "$C"
	[ $((SECONDS - start)) -lt 60 ]
	says createRuntime
}

@test "hooks: a failing poststop warns, delete succeeds and the rest run" {
	bundle ".hooks = {poststop: [{path: \"/bin/false\"}, {path: \"/bin/touch\", args: [\"touch\", \"$W/ran\"]}]}"
	ok oakum create -b "$B" "$C"
	ok oakum delete "$C"
	says poststop
	[ -e "$W/ran" ]
}

@test "a terminal in the foreground needs no terminal on stdin" {
	bundle '.process.terminal = true | .process.args = ["inside", "tty"]'
	ok oakum run -b "$B" "$C"
	prints "tty 1 1 1" "onlcr 0"
}

@test "stdio as another user: pipes and files belong to it, /dev/null to nobody new" {
	bundle '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo x > /dev/stdout; echo y > /dev/stderr"]'
	before=$(stat -c '%u:%g %a' /dev/null)
	is "$(oakum run -b "$B" "$C" </dev/null 2>/dev/null | cat)" x
	is "$(stat -c '%u:%g %a' /dev/null)" "$before"
}

@test "a field that is not applied yet is an error with its pointer" {
	bundle '.linux.intelRdt = {closID: "x"}'
	fails 6 oakum run -b "$B" "$C"
	says /linux/intelRdt
}

# As ProcSubset=pid of a systemd unit does it.
# bats test_tags=root:mount
@test "made where /proc has processes alone, it is the same container for those who see all of /proc" {
	! grep -q ' /proc/sys/kernel/random/boot_id ' /proc/self/mountinfo || skip "this machine has a boot id of its own, mounted over the kernel's"
	sleeper
	ok unshare -m --propagation private sh -c 'mount -t proc -o subset=pid proc /proc && exec "$@"' sh \
		"$OAKUM" --root "$ROOT" run -d -b "$B" "$C"
	is "$(status_of)" running
	is "$(jq -r .bootId "$ROOT/$C/state.json")" "$(cat /proc/sys/kernel/random/boot_id)"
	ok oakum exec "$C" true
	ok oakum delete --force "$C"
}
