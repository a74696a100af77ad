#!/usr/bin/env bats
# What `oakum plan` says is what create and start do, and saying it does nothing.
load ../lib/common

# bats test_tags=root:cgroup,cgroupfs:helper
@test "nothing is done: no system call that changes anything, not even in the state root" {
	bundle '.linux.resources.memory = {limit: 50000000} | .hooks = {prestart: [{path: "/bin/true"}]}'
	rm -rf "$ROOT"
	strace -f -o "$W/strace" -e trace='!read,write,close,mmap,munmap,mprotect,brk' \
		"$OAKUM" --root "$ROOT" plan "$B" >"$W/plan"
	[ -s "$W/plan" ]
	is "$(grep -E '^[0-9]+ +(clone|clone3|fork|vfork|execve|mkdir|mkdirat|mknod|mknodat|mount|fsmount|fsopen|open_tree|move_mount|symlinkat|link|linkat|unlink|unlinkat|rename|renameat|renameat2|rmdir|chmod|fchmod|chown|fchown|setns|unshare|socket|connect|setxattr|truncate|ftruncate|utimensat|kill|pidfd_send_signal|seccomp|keyctl)\(' "$W/strace" |
		grep -v -E 'execve\("'"$OAKUM"'"|= -1 ' || :)" ""
	is "$(grep -E 'O_(WRONLY|RDWR|CREAT)' "$W/strace" || :)" ""
	[ ! -e "$ROOT" ]
	mkdir -m 700 "$ROOT"
}

# bats test_tags=root:kernel
@test "an ordinary user may ask" {
	bundle
	chmod 755 "$W" "$B"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" plan "$B" >"$W/plan" 2>"$W/err" || :
	grep -q '^  bundle '"$B" "$W/plan"
	is "$(cat "$W/err")" ""
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "the limit files and their values are those that create writes" {
	bundle '.linux.resources.memory = {limit: 52428800, reservation: 20971520} | .linux.resources.pids = {limit: 77}
		| .linux.resources.cpu = {shares: 512, quota: 50000, period: 100000}'
	oakum plan --id "$C" --format json "$B" >"$W/plan"
	ok oakum create -b "$B" "$C"
	n=0
	while IFS=$'\t' read -r file value hierarchy; do
		top=/sys/fs/cgroup
		[ "$hierarchy" = null ] || top=/sys/fs/cgroup/$hierarchy
		is "$(cat "$top/$(basename "$(jq -r '.stages[] | select(.stage == "cgroup").steps[] | select(.do == "make").path' "$W/plan" | xargs dirname)")/$C/$file")" "$value"
		n=$((n + 1))
	done < <(jq -r '.stages[] | select(.stage == "limits").steps[] | select(.do == "write") | [.file, .value, .hierarchy // "null"] | @tsv' "$W/plan")
	[ $n -ge 5 ] || on_v2
	ok oakum delete "$C"
}

@test "the mounts are those inside, in this order" {
	bundle '.mounts += [{destination: "/mnt/a", type: "tmpfs", source: "one", options: ["noexec", "nodev"]},
		{destination: "/mnt/a/b", type: "tmpfs", source: "two", options: ["ro"]}] | .process.args = ["cat", "/proc/self/mountinfo"]'
	oakum plan --format json "$B" | jq -r '.stages[] | select(.stage == "mounts").steps[] | select(.do == "mount" or .do == "bind").target' >"$W/planned"
	ok oakum run -b "$B" "$C"
	awk '$5 != "/" { print $5 }' <<<"$output" | grep -n . >"$W/inside"
	last=0
	while read -r target; do
		at=$(awk -F: -v t="$target" '$2 == t { print $1; exit }' "$W/inside")
		[ -n "$at" ] || { echo "$target is planned and not mounted"; false; }
		[ "$at" -gt $last ] || { echo "$target is mounted earlier than planned"; false; }
		last=$at
	done <"$W/planned"
	[ $last -gt 6 ]
	prints "/mnt/a/b ro," "/mnt/a rw,nodev,noexec"
}

@test "the order: cgroup, namespaces, mounts, hooks, root, program" {
	bundle '.hooks = {createRuntime: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}], poststop: [{path: "/bin/true"}]}'
	ok oakum plan "$B"
	is "$(grep -n -e '^cgroup' -e '^namespaces' -e '^mounts' -e 'hook createRuntime' -e '  pivot' -e '  wait' -e 'hook startContainer' -e '  execute' -e 'hook poststop' <<<"$output" | sed 's/^[0-9]*: *//; s/[ ,].*//' | tr '\n' ' ')" \
		"cgroup namespaces mounts hook pivot wait hook execute hook "
}

@test "the two forms are one description" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd", "chdir"], action: "SCMP_ACT_ERRNO"}]}'
	ok oakum plan "$B"
	grep -q '^  seccomp SCMP_ACT_ALLOW, SCMP_ACT_ERRNO "2 system calls in 1 rules"$' <<<"$output"
	lines=$(grep -c '^  ' <<<"$output")
	ok oakum plan --format json "$B"
	is "$(jq '[.stages[].steps[]] | length' <<<"$output")" "$lines"
	is "$(jq -r '.stages[] | select(.stage == "container").steps[] | select(.do == "root").path' <<<"$output")" "$B/rootfs"
	fails 2 oakum plan --format xml "$B"
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "the name of a scope is a path without --systemd-cgroup, and plan alone says so" {
	bundle '.linux.cgroupsPath = "oakum-test.slice:a:b" | .process.args = ["cat", "/proc/self/cgroup"]'
	ok oakum run -b "$B" "$C"
	is "$errors" ""
	prints ":/oakum-test.slice:a:b"
	ok oakum plan "$B"
	prints '/linux/cgroupsPath: \"oakum-test.slice:a:b\" is a path here; a scope only with --systemd-cgroup'
}

@test "warnings stand in the plan" {
	bundle '.linux.maskedPath = ["/proc/kcore"]'
	ok oakum plan "$B"
	is "$errors" ""
	prints "warnings" '/linux/maskedPath: not known and ignored; did you mean \"maskedPaths\"?'
	fails 3 oakum --strict plan "$B"
	says /linux/maskedPath
	is "$output" ""
}

@test "what create would refuse: the same status, all of it, and the plan where there is one" {
	bundle '.mounts += [{destination: "/mnt/a", type: "bind", source: "/none/a", options: ["bind"]},
		{destination: "/mnt/b", type: "bind", source: "/none/b", options: ["bind"]}]'
	rm -rf "$B/rootfs"
	rc=0
	oakum plan "$B" >"$W/plan" 2>"$W/err" </dev/null || rc=$?
	is $rc 3
	is "$(wc -l <"$W/err")" 3
	grep -q "/root/path: rootfs $B/rootfs: No such file or directory (ENOENT)" "$W/err"
	grep -q "/mounts/7/source: source /none/a" "$W/err"
	grep -q "/mounts/8/source: source /none/b" "$W/err"
	grep -q '^  bind /mnt/b' "$W/plan"
	bundle '.process.cwd = "relative"'
	fails 3 oakum plan "$B"
	says config.json: /process/cwd
	is "$output" ""
	fails 3 oakum plan "$W/none"
	says "$W/none"
	bundle
	fails 2 oakum plan --id a/b "$B"
	(cd "$B" && ok oakum plan)
}
