#!/usr/bin/env bats
# What doctor says of a bundle is what run then does, also where the host has been spoilt; and it
# changes nothing.
load ../lib/common

# agree STATUS [COMMAND…]: doctor and run of $B both end with STATUS; COMMAND goes in front of them.
agree() {
	local want=$1 rc=0
	shift
	"$@" "$OAKUM" --root "$ROOT" doctor --id "$C" "$B" >"$W/report" 2>"$W/err" </dev/null || rc=$?
	[ $rc = "$want" ] || { echo "doctor ended with $rc, not $want:"; cat "$W/report" "$W/err"; return 1; }
	is "$(cat "$W/err")" ""
	if [ "$want" = 0 ]; then
		! grep '^  fails' "$W/report"
	else
		grep -q '^  fails' "$W/report"
	fi
	rc=0
	"$@" "$OAKUM" --root "$ROOT" run -b "$B" "$C" >"$W/out" 2>"$W/err" </dev/null || rc=$?
	[ $rc = "$want" ] || { echo "run ended with $rc, not $want:"; cat "$W/err"; echo "doctor said:"; grep fails "$W/report"; return 1; }
}

# reports TEXT…: the last report has each.
reports() {
	local text
	for text; do
		grep -qF -e "$text" "$W/report" || { echo "the report lacks '$text':"; cat "$W/report"; return 1; }
	done
}

@test "a good bundle: nothing fails, and nothing is done" {
	bundle '.linux.namespaces += [{type: "cgroup"}] | .hooks = {prestart: [{path: "/bin/true"}]}
		| .mounts += [{destination: "/new/dir", type: "tmpfs"}, {destination: "/vol", type: "bind", source: "data", options: ["bind"]},
		{destination: "/vol/inner", type: "tmpfs"}] | .process.cwd = "/made/for/it" | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	mkdir "$B/data"
	find "$B" -printf '%p %C@ %m %u:%g\n' | sort >"$W/was"
	rm -rf "$ROOT"
	ok oakum doctor "$B"
	prints "rehearsal: namespaces, ids, mounts"
	[ ! -e "$ROOT" ]
	find "$B" -printf '%p %C@ %m %u:%g\n' | sort | diff "$W/was" -
	is "$(find /sys/fs/cgroup -name doctor)" ""
	mkdir -m 700 "$ROOT"
	agree 0
}

@test "the host alone: each finding has its verdict, as JSON too" {
	ok oakum doctor
	prints "  has     openat2" "cgroups" "state root"
	lines=$(grep -c '^  ' <<<"$output")
	ok oakum doctor --format json
	is "$(jq '[.areas[].findings[]] | length' <<<"$output")" "$lines"
	is "$(jq -r '[.areas[].findings[].verdict] | unique - ["has", "lacks", "note"] | length' <<<"$output")" 0
	is "$(jq -r '.areas[] | select(.area == "kernel").findings[0] | .what + " " + (.detail | split(",")[0])' <<<"$output")" "Linux $(uname -r)"
}

@test "a bad configuration, a missing root, missing sources: 3" {
	bundle '.process.cwd = "relative" | .process.user.uid = -1'
	agree 3
	reports "config.json:" /process/cwd /process/user/uid
	bundle '.mounts += [{destination: "/a", type: "bind", source: "/none/a", options: ["bind"]}]'
	agree 3
	reports "/mounts/7/source: source /none/a"
	bundle
	rm -rf "$B/rootfs"
	agree 3
	reports "/root/path: rootfs $B/rootfs: No such file"
}

# bats test_tags=root:cgroup
@test "fields that this host cannot satisfy, one by one" {
	while read -r status pointer filter; do
		bundle "$filter"
		agree "$status" || { echo "with: $filter"; false; }
		reports "$pointer"
	done <<-'T'
		6 /mounts/7 .mounts += [{destination: "/mnt/x", type: "nosuchfs", source: "x"}]
		1 /mounts/7 .mounts += [{destination: "/mnt/x", type: "tmpfs", source: "x", options: ["size=zzz"]}]
		1 /linux/sysctl/net.ipv4.ip_forward .linux.sysctl = {"net.ipv4.ip_forward": "frob"}
		3 /linux/netDevices/nosuch0 .linux.netDevices = {nosuch0: {}}
		1 /hooks/createRuntime/0 .hooks = {createRuntime: [{path: "/none/hook"}]}
		1 /hooks/poststart/0 .hooks = {poststart: [{path: "/none/hook"}]}
		127 /process/args/0 .process.args = ["/bin/nope"]
		127 /process/args/0 .process.args = ["nope"]
		126 /process/args/0 .process.args = ["/etc/passwd"]
		126 /process/args/0 .process.args = ["/bin"]
		3 /linux/cgroupsPath .linux.cgroupsPath = "/a/../b"
		1 /linux/devices/0 .linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]
		1 /mounts/7 .mounts += [{destination: "/mnt/x", type: "overlay", source: "o", options: ["lowerdir=/none"]}]
		1 /mounts/7 .mounts += [{destination: "/mnt/x", type: "fuse", source: "x", options: ["rootmode=40000", "user_id=0", "group_id=0"]}]
		126 RLIMIT_STACK .process.args += [range(60000) | "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"]
		1 /annotations/run.oci.pidfd_receiver .annotations = {"run.oci.pidfd_receiver": "/dev/null"}
	T
	bundle '.linux.resources.rdma = {mlx5_0: {hcaHandles: 1}}'
	agree "$(in_kernel rdma && echo 1 || echo 6)"
	reports /linux/resources/rdma
	bundle '.process.apparmorProfile = "frob"'
	agree "$(apparmor && echo 1 || echo 6)"
	reports /process/apparmorProfile
	bundle '.mounts += [{destination: "/mnt/x", type: "overlay", source: "o", options: ["lowerdir=/bin:/etc"]}] | .process.args += [range(50000) | "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"]'
	agree 0
}

@test "hooks of every kind, and the files for their output" {
	while read -r status pointer filter; do
		bundle "$filter"
		[ -p "$B/fifo" ] || { mkfifo "$B/fifo" && ln -s out "$B/link"; }
		agree "$status" || { echo "with: $filter"; false; }
		reports "$pointer"
	done <<-'T'
		1 /hooks/prestart/0 .hooks = {prestart: [{path: "/etc/passwd"}]}
		1 /hooks/createContainer/1 .hooks = {createContainer: [{path: "/bin/true"}, {path: "/none/hook"}]}
		1 /hooks/startContainer/1 .hooks = {startContainer: [{path: "/bin/true"}, {path: "/none/hook"}]}
		1 /hooks/startContainer/0 .hooks = {startContainer: [{path: "/etc/passwd"}]} | .process.user.uid = 1000
		1 /annotations/run.oci.hooks.stdout .hooks = {createRuntime: [{path: "/bin/true"}]} | .annotations = {"run.oci.hooks.stdout": "none/out"}
		1 /annotations/run.oci.hooks.stderr .hooks = {startContainer: [{path: "/bin/true"}]} | .annotations = {"run.oci.hooks.stderr": "fifo"}
		1 /annotations/run.oci.hooks.stderr .hooks = {poststart: [{path: "/bin/true"}]} | .annotations = {"run.oci.hooks.stderr": "link"}
	T
	bundle '.hooks = {startContainer: [{path: "/bin/true"}]} | .annotations = {"run.oci.hooks.stdout": "out", "run.oci.hooks.stderr": "'"$B"'/rootfs/err"}'
	ok oakum doctor "$B"
	[ ! -e "$B/out" ] && [ ! -e "$B/rootfs/err" ]
	agree 0
	[ -e "$B/out" ]
}

# What the filter answers to execve(2) and to what startContainer hooks need is tried in the rehearsal, with nothing executed.
@test "a seccomp profile that keeps the program, or its hooks, from being executed" {
	while read -r status text calls action hooks; do
		bundle '.hooks = {startContainer: ['"$hooks"']} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ("'"$calls"'" | split(",")), action: "SCMP_ACT_'"${action%:*}"'"}]}'
		[[ $action != *:* ]] || edit '.linux.seccomp.syscalls[0].errnoRet = '"${action#*:}"
		agree "$status" || { echo "with: $calls $action $hooks"; false; }
		[ "$status" = 0 ] || reports "${text//_/ }"
		is "$(grep -c 'fails' "$W/report")" "$((status != 0))"
	done <<-'T'
		126 /process/args/0:_exec_/bin/true:_Operation_not_permitted_(EPERM) execve ERRNO
		127 /process/args/0 execve ERRNO:2
		126 EFAULT execve ERRNO:14
		126 /process/args/0 execve ERRNO:0
		126 ENOSYS execve TRACE
		126 /linux/seccomp:_the_seccomp_profile_kills execve KILL
		126 and_from_saying_so execve,sendmsg,write ERRNO
		1 /hooks/startContainer/0 execve ERRNO {path:"/bin/true"}
		1 fork:_Operation_not_permitted clone,clone3,fork,vfork ERRNO {path:"/bin/true"}
		1 ended_before_its_program clone,clone3,fork,vfork KILL {path:"/bin/true"}
		0 - socket,execveat KILL
		0 - ptrace ERRNO {path:"/bin/true"}
	T
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO"}'
	agree 126
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a cgroup named like a file" {
	bundle '.linux.cgroupsPath = "/cgroup.procs"'
	agree 1
	reports /linux/cgroupsPath
}

# bats test_tags=root:cgroup
@test "limits that no cgroup of this machine takes, one by one" {
	need_controllers memory cpu cpuset pids io hugetlb
	[ -d /sys/kernel/mm/hugepages ] || skip "no huge pages here"
	local weight=1
	on_v2 || [ -e /sys/fs/cgroup/blkio/blkio.bfq.io_service_bytes ] || weight=6
	while read -r status pointer filter; do
		bundle "$filter"
		[ "$status" != weight ] || status=$weight
		agree "$status" || { echo "with: $filter"; false; }
		reports "$pointer"
	done <<-'T'
		1 /linux/resources/memory/limit .linux.resources.memory = {limit: 65536}
		1 /linux/resources/pids/limit .linux.resources.pids = {limit: 99999999999}
		1 /linux/resources/pids/limit .linux.resources.pids = {limit: 1} | .hooks = {startContainer: [{path: "/bin/true"}]}
		1 /linux/resources/cpu/burst .linux.resources.cpu = {quota: 50000, burst: 60000}
		1 /linux/resources/cpu/cpus .linux.resources.cpu = {cpus: "900"}
		1 /linux/resources/cpu/mems .linux.resources.cpu = {mems: "900"}
		1 /linux/resources/blockIO .linux.resources.blockIO = {throttleReadBpsDevice: [{major: 99, minor: 99, rate: 5}]}
		weight /linux/resources/blockIO .linux.resources.blockIO = {weightDevice: [{major: 99, minor: 99, weight: 100}]}
		6 /linux/resources/hugepageLimits .linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 0}]
		1 /annotations/run.oci.delegate-cgroup .annotations = {"run.oci.delegate-cgroup": "cgroup.procs"}
		1 /annotations/run.oci.delegate-cgroup .annotations = {"run.oci.delegate-cgroup": "./cgroup.procs/x"}
	T
	# Whether run succeeds with so little is a matter of luck.
	bundle '.linux.resources.memory = {limit: 200000}'
	ok oakum doctor "$B"
	prints "note    memory limit: with 200000 bytes"
	bundle '.linux.resources.pids = {limit: 4194304} | .linux.resources.cpu = {cpus: "0", mems: "0"} | .linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 0}]
		| .annotations = {"run.oci.delegate-cgroup": "cgroup.proc"}'
	agree 0
}

# bats test_tags=root:cgroup
@test "unified: values and files that the kernel does not have" {
	local known
	grep -q ' cgroup2 ' /proc/self/mounts || skip "no cgroup2 hierarchy is mounted"
	known=$(cat "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)/cgroup.controllers")
	while read -r controller status key value; do
		[[ " core $known " == *" $controller "* ]] || continue
		bundle "del(.linux.resources) | .linux.resources.unified = {\"$key\": \"$value\"}"
		agree "$status" || { echo "with: $key $value"; false; }
		[ "$status" = 0 ] || reports "/linux/resources/unified/$key"
	done <<-'T'
		core 0 cgroup.max.depth max
		core 1 cgroup.max.depth -4
		core 1 cgroup.max.descendants 5x
		core 3 cgroup.nonsense 5
		hugetlb 0 hugetlb.2MB.max 4M
		hugetlb 1 hugetlb.2MB.max 4Q
		memory 0 memory.high 900M
		memory 1 memory.high lots
		memory 1 memory.oom.group 2
		memory 6 memory.nonsense 1
		cpu 1 cpu.weight 0
		cpu 1 cpu.weight 10001
		cpu 0 cpu.weight.nice -20
		cpu 1 cpu.weight.nice -21
		pids 1 pids.max none
	T
}

# The ids of the root's files are not mapped: what root of the namespace may do in it, a covered root has to show as it is.
# bats test_tags=root:ids
@test "a user namespace whose root is a stranger to the root file system" {
	local user='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | '
	while read -r status pointer filter; do
		bundle "$user $filter"
		mkdir -p "$B/rootfs/tmp"
		chmod 1777 "$B/rootfs/tmp"
		agree "$status" || { echo "with: $filter"; false; }
		[ "$status" != 0 ] || pointer="rehearsal: namespaces, ids, mounts"
		reports "$pointer"
	done <<-'T'
		0 - .mounts += [{destination: "/tmp/x", type: "tmpfs"}]
		0 - .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3}]
		1 /mounts/7 .mounts += [{destination: "/new", type: "tmpfs"}]
		1 /mounts/7 .mounts += [{destination: "/etc/new", type: "tmpfs"}]
		1 /process/cwd .process.cwd = "/new"
		127 /process/args/0 .process.args = ["/none"]
		3 /linux/devices/0/uid .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3, uid: 99999}]
	T
}

@test "a program of another machine, one whose interpreter is missing" {
	bundle '.process.args = ["/p"]'
	printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0' >"$B/rootfs/p"
	head -c 100 /dev/zero >>"$B/rootfs/p"
	chmod 755 "$B/rootfs/p"
	[ "$(uname -m)" = x86_64 ] || skip "the made file is for aarch64"
	agree 126
	reports "the program is for aarch64, this machine is x86_64"
	printf '#!/none/such\n' >"$B/rootfs/p"
	agree 127
	reports "its #! line names /none/such"
}

@test "a limit above our own hard one" {
	bundle '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 100}]'
	agree 0
	bundle '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1000000, hard: 1000000}]'
	(ulimit -Hc 4 && agree 6 setpriv --bounding-set -sys_resource)
	reports /process/rlimits/0
}

@test "a poststop hook that is missing is a warning, as delete gives" {
	bundle '.hooks = {poststop: [{path: "/none/hook"}]}'
	agree 0
	reports "note    delete will warn: /hooks/poststop/0: error running poststop hook #0: execute /none/hook"
}

# bats test_tags=cgroupfs:helper
@test "max_user_namespaces is 0" {
	bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type != "cgroup"))'
	inner() {
		unshare --user --map-root-user --mount --pid --fork --mount-proc sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh "$@"
	}
	agree 1 inner
	reports "lacks   a new user namespace: /proc/sys/user/max_user_namespaces (0) is reached" "ENOSPC"
}

# bats test_tags=root:cgroup
@test "a cgroup hierarchy that is not mounted, and one mounted read-only" {
	# A controller that this machine has in v2, whatever v1 has taken.
	if on_v2; then
		dir=/sys/fs/cgroup limit='hugepageLimits = [{pageSize: "2MB", limit: 0}]' pointer=/linux/resources/hugepageLimits
		grep -qw hugetlb $dir/cgroup.controllers || skip "no controller hugetlb in v2 here"
	else
		dir=/sys/fs/cgroup/pids limit='pids = {limit: 20}' pointer=/linux/resources/pids
	fi
	bundle ".linux.resources.$limit"' | .mounts |= map(select(.type != "cgroup"))'
	agree 0
	unmounted() {
		unshare --mount sh -c 'umount -l "$0" && { [ ! -e /sys/fs/cgroup/unified ] || umount -l /sys/fs/cgroup/unified; } && exec "$@"' $dir "$@"
	}
	agree 6 unmounted
	reports $pointer
	read_only() {
		unshare --mount sh -c 'mount -o remount,bind,ro "$0" && exec "$@"' $dir "$@"
	}
	agree 1 read_only
	reports EROFS "$dir is mounted read-only"
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a cgroup that is in use" {
	sleeper '.linux.cgroupsPath = "/taken"'
	ok oakum run -d -b "$B" other
	edit '.process.args = ["true"]'
	agree 4
	reports "container's cgroup is not empty"
	ok oakum delete --force other
}

# bats test_tags=root:mount
@test "the state root: every number of free inodes, too little space, not ours" {
	bundle
	mkdir "$W/small"
	for n in 1 2 3 4 5 6 7 8; do
		mount -t tmpfs -o nr_inodes=$n,mode=700 small "$W/small"
		rc=0 want=0
		"$OAKUM" --root "$W/small" doctor "$B" >"$W/report" </dev/null || rc=$?
		"$OAKUM" --root "$W/small" run -b "$B" "$C" >/dev/null 2>"$W/err" </dev/null || want=$?
		[ $rc = $want ] || { echo "with $n inodes doctor says $rc, run $want"; cat "$W/report" "$W/err"; umount "$W/small"; false; }
		[ $rc = 0 ] || reports "free inodes" ENOSPC
		umount "$W/small"
	done
	[ $rc = 0 ]
	mount -t tmpfs -o size=4k,mode=700 small "$W/small"
	head -c 4096 /dev/zero >"$W/small/full"
	fails 1 "$OAKUM" --root "$W/small" run -b "$B" "$C"
	rc=0
	"$OAKUM" --root "$W/small" doctor "$B" >"$W/report" </dev/null || rc=$?
	is $rc 1
	reports "free bytes" ENOSPC
	umount "$W/small"
	ln -s "$ROOT" "$W/link"
	rc=0
	"$OAKUM" --root "$W/link" doctor >"$W/report" </dev/null || rc=$?
	is $rc 6
	reports "$W/link"
}

# bats test_tags=root:cgroup
@test "an older kernel: openat2, the new mount calls and close_range are gone" {
	bundle
	agree 0 "$LIB/without" openat2
	reports "lacks   openat2 (Linux 5.6): paths are walked component by component"
	agree 0 "$LIB/without" fsopen,fspick,fsconfig,fsmount,open_tree,move_mount,mount_setattr
	reports "lacks   new mount calls (fsopen) (Linux 5.2)" "lacks   mount_setattr (Linux 5.12)"
	agree 0 "$LIB/without" close_range
	reports "lacks   close_range (Linux 5.9)"
}

@test "a kernel without clone3" {
	bundle
	agree 6 "$LIB/without" clone3
	reports "clone3: no container can be made" "Linux 5.3"
}

# bats test_tags=root:ids
@test "an ordinary user" {
	bundle
	chmod 755 "$W" "$B"
	mkdir -m 700 "$W/u"
	chown 65534 "$W/u"
	rc=0 want=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$W/u/r" doctor "$B" >"$W/report" 2>&1 </dev/null || rc=$?
	setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$W/u/r" run -b "$B" "$C" >"$W/out" 2>&1 </dev/null || want=$?
	[ $rc = $want ] || { echo "doctor says $rc, run $want"; cat "$W/report" "$W/out"; false; }
}

# bats test_tags=root:ids
@test "id ranges without newuidmap" {
	bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| .linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "cgroup" and .type != "sysfs" and .type != "mqueue")) | del(.linux.resources)'
	chmod 755 "$W" "$B"
	mkdir -m 700 "$W/u"
	chown 65534 "$W/u"
	mkdir "$W/empty"
	cp "$OAKUM" "$W/oakum"
	rc=0 want=0
	as() { env PATH="$W/empty" /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups "$W/oakum" --root "$W/u/r" --cgroup-manager disabled "$@" </dev/null; }
	as doctor "$B" >"$W/report" 2>&1 || rc=$?
	as run -b "$B" "$C" >"$W/out" 2>&1 || want=$?
	[ $rc = $want ] && [ $rc != 0 ] || { echo "doctor says $rc, run $want"; cat "$W/report" "$W/out"; false; }
	reports "lacks   newuidmap: not in the PATH" /linux/uidMappings
}
