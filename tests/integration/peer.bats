#!/usr/bin/env bats
# bats file_tags=root:kernel
# What a program sees of its container is what it sees in runc's, but for what is listed here.
load ../lib/common

# Everything about it that has a name; what differs from run to run is left out.
look() {
	cat <<-'LOOK'
		exec 2>&1
		id; umask; pwd; env | sort | grep -v '^SHLVL='
		grep -e ^Cap -e ^NoNew -e ^Seccomp: -e ^Groups -e ^Uid -e ^Gid -e ^SigIgn -e ^SigBlk -e ^THP -e ^Cpus_allowed: /proc/self/status
		cat /proc/self/limits /proc/self/oom_score_adj /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/personality /proc/self/timens_offsets
		# Id, parent, device and peer group are numbers.
		sed 's/^[0-9]* [0-9]* [0-9]*:[0-9]* //; s/\(shared\|master\):[0-9]*/\1/' /proc/self/mountinfo | sort -k 2
		for d in /dev /dev/pts /dev/shm /dev/mqueue; do echo "$d:"; stat -c '%n %F %a %u:%g %t:%T' $d/* | sort; done
		for l in /dev/*; do [ ! -h $l ] || readlink $l; done
		for f in /proc/kcore /proc/keys /proc/timer_list /proc/scsi /proc/acpi /sys/firmware /proc/sys/kernel /etc/passwd; do echo "$f"; stat -c '%F %t:%T' $f; done
		for f in /proc/sysrq-trigger /proc/sys/kernel/shmmax /proc/irq/default_smp_affinity /sys/kernel/mm/x /etc/new /dev/new /tmp/new; do (: >>$f) && echo "$f written"; done
		hostname; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ping_group_range
		for f in /proc/$$/fd/*; do echo "${f##*/} $(readlink $f | sed 's/\[.*/[]/')"; done
		cut -d ' ' -f 6-8,18,19 /proc/self/stat | sed 's/^[0-9]* \([0-9]* [-0-9]*\)/\1/'
		ip link
		mount -t tmpfs none /mnt; mknod /tmp/node c 1 3; chroot / true; unshare -U true; kill -0 1; echo "$?"
	LOOK
}

# as NAME RUNTIME…: what is seen, in seen.NAME. Runs in the bundle's directory, for those that want that; its input and
# output are pipes, as runc would make them.
as() {
	local name=$1 rc path=/oakum-peer-$C
	[ -z "${OAKUM_MANAGER-}" ] || path=system.slice:oakum-peer:$C
	shift
	jq --arg s "$(look)" '.process.args = ["sh", "-c", $s] | .linux.cgroupsPath = "'"$path"'"' "$B/config.json" >"$W/c"
	mv "$W/c" "$B/config.json"
	rc=$(cd "$B" && : | { "$@" run "$C" 2>&1; echo "status $?" >"$W/status"; } | cat >"$W/seen"; cat "$W/status")
	# The hidden: an own tmpfs of ours has room for nothing and no flag is missing; runc's is what it shares with others, or
	# may be written before it is read-only. The cgroups: ours shows the v2 tree of a hybrid layout as well, and runc 1.1
	# makes none in misc; and ours are the host's, where it mounts them anew. The copy of a directory takes its mode early.
	# The words of an error are each one's own.
	sed -E 's/mode 1777$/mode 755/; s#^(/null|/) (/proc/[a-z/_]*|/sys/firmware|/sys/kernel/mm) .*#hidden \2#
		/ \/sys\/fs\/cgroup(\/unified|\/misc|)( |$)/d; s# cgroup (cgroup|systemd|none) rw# cgroup cgroup rw#; s# master( - cgroup )#\1#; s#( - sysfs sysfs) r[ow]$#\1#
		s#( - tmpfs t rw),mode=755(,inode64|)$#\1\2#; /^(oakum:|time=|runc:)/d' "$W/seen" >"$W/seen.$name"
	echo "$rc" >>"$W/seen.$name"
}

slices() { find /sys/fs/cgroup -maxdepth 2 -type d -name system.slice; }

same() {
	local before slice
	[ -d "$W/as" ] || { mkdir "$W/as" && ln -s "$OAKUM" "$W/as/runc"; }
	bundle "$1"
	before=$(slices)
	as runc runc ${OAKUM_MANAGER:+--systemd-cgroup} --root "$W/runc"
	# It leaves those that it made above a scope in the hierarchies that systemd does not use.
	for slice in $(slices); do
		grep -qxF "$slice" <<<"$before" || rmdir "$slice"
	done
	as oakum "$W/as/runc" --root "$ROOT"
	diff "$W/seen.runc" "$W/seen.oakum" || { echo "with: $1"; false; }
	grep -qx "status ${2-0}" "$W/seen.oakum"
	rm -rf "$B"
}

setup_file() {
	command -v runc >/dev/null || skip "runc is not installed"
}

@test "the process: ids, rights, limits, directory, environment" {
	same .
	same '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 7], umask: 63}'
	same '.process.noNewPrivileges = false | .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_SYS_CHROOT"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}'
	same 'del(.process.capabilities)'
	same '.process.user.uid = 5 | .process.capabilities = (["CAP_KILL"] | {bounding: ., permitted: ., effective: ., inheritable: ., ambient: .})'
	same '.process.cwd = "/made/for/it" | .root.readonly = false | .process.env += ["A=1", "A=2", "HOME="]'
	same '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}] | .process.oomScoreAdj = 300'
	same '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mknod", "mknodat"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}'
}

@test "the files: mounts of every kind, devices, what is hidden" {
	mkdir -p dir/sub
	echo text >dir/file
	ln -s file dir/link
	same '.root.readonly = false'
	same '.mounts += [{destination: "/a/b", type: "bind", source: "'"$W"'/dir", options: ["rbind", "ro", "nosuid"]},
		{destination: "/a/b/sub", type: "tmpfs", source: "t", options: ["size=1m", "mode=700", "noexec"]}] | .root.readonly = false'
	same '.mounts += [{destination: "/dev/random", type: "bind", source: "/dev/urandom", options: ["bind"]},
		{destination: "/dev/log", type: "bind", source: "'"$W"'/dir/file", options: ["bind"]},
		{destination: "/proc/meminfo", type: "bind", source: "'"$W"'/dir/file", options: ["bind", "ro"]}]'
	same '.mounts += [{destination: "/etc", type: "tmpfs", source: "t", options: ["tmpcopyup", "rprivate"]}] | .linux.rootfsPropagation = "rslave"'
	same '.linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 5, fileMode: 432, uid: 3, gid: 4}, {path: "/dev/sub/fifo", type: "p", fileMode: 384}]
		| .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rw"}]'
	same '.linux.maskedPaths = ["/sys/kernel/mm", "/proc/meminfo"] | .linux.readonlyPaths = ["/tmp", "/proc/sys"] | .root.readonly = false'
	same 'del(.linux.maskedPaths, .linux.readonlyPaths)'
}

@test "the names: namespaces, host names, sysctls" {
	same '.hostname = "some.host" | .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shmmax": "12345678"}'
	same 'del(.hostname) | .linux.namespaces |= map(select(.type != "uts" and .type != "ipc"))'
	same '.linux.namespaces += [{type: "cgroup"}]'
	same '.linux.namespaces |= map(select(.type != "pid"))'
}

@test "what cannot be: the same exit status" {
	same '.process.cwd = "/etc/passwd"' 1
	same '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 200, hard: 100}]' 1
	same '.linux.sysctl = {"kernel.nosuch": "1"}' 1
}
