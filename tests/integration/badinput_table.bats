#!/usr/bin/env bats
# Bundles that are bad in one way each: the status, the place that is named, and nothing left. Texts that are no JSON, every
# type in every place and every end of a range are in tests/unit/test_badinput_*.c; what a person types in badinput_cli.bats.
load ../lib/common
load ../lib/cases

@test "config.json: what it is as a file" {
	cases <<-'T'
		3 | config.json; No such file or directory (ENOENT) | . #! rm config.json
		3 | config.json | . #! rm config.json; mkdir config.json
		3 | config.json | . #! rm config.json; mkfifo config.json
		3 | config.json | . #! rm config.json; ln -s /dev/zero config.json
		3 | config.json; No such device or address (ENXIO) | . #! rm config.json; exec perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("config.json")) or die'
		3 | config.json; Too many levels of symbolic links (ELOOP) | . #! rm config.json; ln -s config.json config.json
		3 | config.json; No such file or directory (ENOENT) | . #! ln -sf none config.json
		3 | config.json; 16777216 bytes | . #! truncate -s 17M config.json
		3 | config.json:1:1; the file is empty | . #! : >config.json
		3 | config.json; found 'x' | . #! echo x >>config.json
		3 | config.json | . #! cat config.json config.json >two; mv two config.json
		3 | config.json:1:1; byte order mark | . #! printf '\xef\xbb\xbf' | cat - config.json >bom; mv bom config.json
		3 | config.json; unexpected end of file | . #! truncate -s 300 config.json
		3 | config.json:1:1; expected an object, found null | . #! echo null >config.json
		3 | config.json:1; JSON has no comments | . #! { echo '/* no */'; cat config.json; } >new; mv new config.json
		3 | config.json; given twice | . #! sed -i '1a "hostname": "a",' config.json
		3 | config.json; nest | . #! { printf '{"annotations": '; head -c 100000 /dev/zero | tr '\0' '['; } >config.json
	T
}

# bats test_tags=root:mount
@test "config.json: on a file system whose server is dead" {
	make_fuse
	bundle
	exec 8<>/dev/fuse || skip "no FUSE here"
	mv "$B/rootfs" "$W/rootfs"
	mount -i -t fuse -o fd=8,rootmode=40000,user_id=0,group_id=0 fuse "$B"
	exec 8>&-
	fails 3 timeout 30 "$OAKUM" --root "$ROOT" create -b "$B" "$C"
	says "Transport endpoint is not connected (ENOTCONN)"
	umount "$B"
}

# bats test_tags=root:ids
@test "config.json: unreadable" {
	bundle
	mkdir -m 700 "$W/u"
	chown 65534 "$W/u"
	chmod 711 "$W"
	chmod 600 "$B/config.json"
	fails 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$OAKUM" --root "$W/u" create -b "$B" "$C"
	says config.json "Permission denied (EACCES)"
}

@test "process" {
	cases <<-'T'
		3 | /process: missing | del(.process)
		3 | /process/args; expected an array of strings, found the string "/bin/true"; did you mean ["/bin/true"]? | .process.args = "/bin/true"
		3 | /process/args/0; expected a string, found the number 5 | .process.args = [5]
		3 | /process/args/1; found null | .process.args = ["sh", null]
		3 | /process/args; must not be empty | .process.args = []
		3 | /process/args: missing | del(.process.args)
		3 | /process/args/0 | .process.args = [""]
		3 | /process/args/1; 131072 bytes | .process.args += ["x" * 131072]
		3 | /process/args; more than 65536 items | .process.args = [range(70000) | "x"]
		3 | /process/cwd: missing | del(.process.cwd)
		3 | /process/cwd; expected an absolute path | .process.cwd = "a"
		3+ | /process/cwd; Too many levels of symbolic links (ELOOP) | .process.cwd = "/proc/self/fd/7"
		0 | | .process.user = {uid: 1000, gid: 1000} | .process.cwd = "/p" #! mkdir -m 700 rootfs/p
		3 | /process/cwd; 5001 bytes | .process.cwd = "/" + "x" * 5000
		3+ | /process/cwd; "/etc/passwd"; Not a directory (ENOTDIR) | .process.cwd = "/etc/passwd"
		3 | /process/user/uid; found the string | .process.user.uid = "0"
		3 | /process/user/uid; 4294967296 is out of range (0..4294967294) | .process.user.uid = 4294967296
		3 | /process/user/uid; 4294967295 is out of range | .process.user.uid = 4294967295
		3 | /process/user/umask; 512 is out of range (0..511) | .process.user.umask = 512
		3 | /process/user/additionalGids; more than 65536 items | .process.user.additionalGids = [range(65537)]
		0 | | .process.user.username = "root"
		3 | /process/terminal; expected true or false | .process.terminal = "x"
		2 | /process/terminal; use --console-socket | .process.terminal = true
		0 | | .process.consoleSize = {height: 0, width: 0}
		3 | /process/consoleSize/height; 65536 is out of range (0..65535) | .process.consoleSize = {height: 65536, width: 1}
		3 | /process/env/2; NAME=VALUE; without '=' | .process.env += ["JUNK"]
		3 | /process/env/2; without a name | .process.env += ["=x"]
		3 | /process/env/2 | .process.env += [""]
		0 | | .process.env += ["A=1", "A=2"]
		0 | | .process.env += ["A=" + ("x" * 131069)]
		3 | /process/env/2; 131072 bytes are more than the 131071 | .process.env += ["A=" + ("x" * 131070)]
		3 | /process/env; args and env take | .process.env += [range(60) | "A\(.)=" + ("x" * 131000)]
		3 | /process/rlimits/0/type; RLIMIT_BOGUS | .process.rlimits = [{type: "RLIMIT_BOGUS", soft: 1, hard: 1}]
		3 | /process/rlimits/0; soft 20 is above hard 10 (RLIMIT_NOFILE) | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 20, hard: 10}]
		3 | /process/rlimits/1; RLIMIT_NOFILE is given twice | .process.rlimits += .process.rlimits
		6 | /process/rlimits/0; RLIMIT_NOFILE; Operation not permitted (EPERM); fs.nr_open | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 9999999999}]
		3 | /process/oomScoreAdj; out of range | .process.oomScoreAdj = 1000000000000000000000000000000
		3 | /process/oomScoreAdj; 1001 is out of range (-1000..1000) | .process.oomScoreAdj = 1001
		6 | /process/selinuxLabel; SELinux is not enabled | .process.selinuxLabel = "system_u:system_r:svirt_t:s0"
		3 | /process/scheduler/policy; SCHED_FROB | .process.scheduler = {policy: "SCHED_FROB"}
		3 | /process/scheduler/nice; 20 is out of range (-20..19) | .process.scheduler = {policy: "SCHED_OTHER", nice: 20}
		3 | /process/ioPriority/class; IOPRIO_CLASS_NONE | .process.ioPriority = {class: "IOPRIO_CLASS_NONE", priority: 1}
		3 | /process/ioPriority/priority; 8 is out of range (0..7) | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}
		3 | /process/execCPUAffinity/initial | .process.execCPUAffinity = {initial: "x"}
	T
}

# bats test_tags=root:ids
@test "process: what runs" {
	cases run <<-'T'
		127 | /process/args/0; "/bin/nope"; no such file or directory | .process.args = ["/bin/nope"]
		127 | /process/args/0; its #! line names /none | .process.args = ["/p"] #! printf '#!/none\n' >rootfs/p; chmod 755 rootfs/p
		126 | /process/args/0; exec format error | .process.args = ["/p"] #! printf '\0' >rootfs/p; chmod 755 rootfs/p
		126 | /process/args/0; permission denied; it is a directory | .process.args = ["/bin"]
		126 | /process/args/0; permission denied; chmod +x | .process.args = ["/etc/passwd"]
		126 | /process/args/0; does not let 1000:0 execute it | .process.user.uid = 1000 | .process.args = ["/p"] #! printf '#!/bin/sh\n' >rootfs/p; chmod 700 rootfs/p
	T
}

@test "capabilities" {
	cases <<-'T'
		0 | warning: ; /process/capabilities/bounding/0; CAP_BOGUS | .process.capabilities.bounding = ["CAP_BOGUS"]
		0 | | .process.capabilities.bounding = ["cap_kill", "KILL", "CAP_KILL"]
		0 | warning: ; /process/capabilities/ambient; CAP_CHOWN: not both permitted and inheritable | .process.capabilities.ambient = ["CAP_CHOWN"]
		3 | /process/capabilities/effective/0; CAP_CHOWN cannot be effective without being permitted | .process.capabilities.effective = ["CAP_CHOWN"]
		3 | /process/capabilities/effective/3; CAP_CHOWN | .process.capabilities.effective += ["CAP_CHOWN"]
		3 | /process/capabilities/bounding; expected an array | .process.capabilities.bounding = "all"
		3 | /process/capabilities/effective/0; expected a string | .process.capabilities.effective = [7]
	T
	cases run <<-'T'
		1 | /process/capabilities/inheritable; not in the bounding set: CAP_CHOWN; (EPERM) | .process.capabilities.inheritable = ["CAP_CHOWN"]
	T
}

@test "root and top" {
	cases <<-'T'
		3 | /root: missing | del(.root)
		3 | /root/path: missing | .root = {}
		3 | /root/path; nope; No such file or directory (ENOENT) | .root.path = "nope"
		3 | /root/path; must not be empty | .root.path = ""
		3 | /root/path; Not a directory (ENOTDIR) | .root.path = "config.json"
		3 | /root/path; Not a directory (ENOTDIR) | .root.path = "fifo" #! mkfifo fifo
		3 | /root/path; Too many levels of symbolic links (ELOOP) | .root.path = "loop" #! ln -s loop loop
		3 | /root/path; No such file or directory (ENOENT) | .root.path = "dangling" #! ln -s none dangling
		3 | /root/path; No such file or directory (ENOENT) | .root.path = "../../etc/none"
		3 | /root/path; File name too long (ENAMETOOLONG) | .root.path = "a" * 5000
		3 | /root/path; File name too long (ENAMETOOLONG) | .root.path = "a/" * 3000
		3 | /root/path; the host's root | .root.path = "/"
		3 | /root/path; the host's root | .root.path = "../../../../../.."
		0 | | .root.path = "link" #! ln -s rootfs link
		0 | | .root.path = "./rootfs/../rootfs/."
		3 | /root/readonly | .root.readonly = "yes"
		3 | /ociVersion: missing | del(.ociVersion)
		3 | /ociVersion; "9.0.0" | .ociVersion = "9.0.0"
		3 | /ociVersion; "banana" | .ociVersion = "banana"
		3 | /ociVersion; "1.0" | .ociVersion = "1.0"
		3 | /ociVersion | .ociVersion = 1
		3 | /hostname; 300 bytes | .hostname = "a" * 300
		3 | /hostname; needs a uts namespace | .linux.namespaces |= map(select(.type != "uts"))
		3 | /domainname; 100 bytes | .domainname = "a" * 100
		3 | /annotations/a; expected a string | .annotations = {a: 5}
		3 | /annotations/; must not be empty | .annotations = {"": "x"}
		0 | | .annotations = {big: ("x" * 1000000)}
		0 | warning: ; /linux/maskedPath; did you mean "maskedPaths" | .linux.maskedPath = []
	T
}

# bats test_tags=root:mount
@test "root: mounted noexec, mounted read-only, full" {
	bundle
	mount --bind "$B/rootfs" "$B/rootfs"
	mount -o remount,bind,noexec "$B/rootfs"
	fails 126 oakum run -b "$B" "$C"
	says "/process/args/0: exec /bin/true: permission denied; the file system it is on is mounted noexec"
	mount -o remount,bind,exec,ro "$B/rootfs"
	ok oakum run -b "$B" "$C"
	edit '.process.cwd = "/none"'
	fails 3 oakum run -b "$B" "$C"
	says /process/cwd '"/none"' "Read-only file system (EROFS)"
	edit '.process.cwd = "/" | .mounts += [{destination: "/none/x", type: "tmpfs"}]'
	fails 1 oakum run -b "$B" "$C"
	says /mounts/7 /none/x "Read-only file system (EROFS)"
	umount "$B/rootfs"
	mount -t tmpfs -o nr_inodes=12,mode=755 full "$B/rootfs"
	mkdir "$B/rootfs"/{bin,proc,dev,sys}
	cp "$FIXTURE/rootfs/bin/busybox" "$B/rootfs/bin/true"
	while mkdir "$B/rootfs/$((n++))" 2>/dev/null; do :; done
	fails 1 oakum run -b "$B" "$C"
	says /mounts/7 /none/x "No space left on device (ENOSPC)"
	umount "$B/rootfs"
}

@test "root: deleted while a container is being made" {
	bundle '.hooks = {createRuntime: [{path: "/bin/rm", args: ["rm", "-rf", "'"$B"'/rootfs"]}]}'
	fails 1 oakum create -b "$B" "$C"
	says "pivot: /root/path: " "No such file or directory (ENOENT); it was deleted meanwhile"
	is "$(cgroups_of "$C")" ""
}

# bats test_tags=root:mount
@test "recursive attributes on a kernel that has none" {
	bundle '.mounts += [{destination: "/mnt/x", type: "bind", source: "/tmp", options: ["rbind", "rro"]}]'
	fails 6 "$LIB/without" mount_setattr "$OAKUM" --root "$ROOT" create -b "$B" "$C"
	says "/mounts/7: " "mount_setattr(2) (Linux 5.12)"
	is "$(cgroups_of "$C")" ""
}

@test "one root for two containers" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum run -d -b "$B" other
	ok oakum delete --force other
	is "$(status_of)" running
	ok oakum delete --force "$C"
}

# bats test_tags=root:mount
@test "mounts" {
	cases <<-'T'
		3 | /mounts/7/destination: missing | .mounts += [{type: "tmpfs", source: "x"}]
		3 | /mounts/7/destination; must not be empty | .mounts += [{destination: "", type: "tmpfs", source: "x"}]
		3 | /mounts/7; File name too long (ENAMETOOLONG) | .mounts += [{destination: ("/x" * 3000), type: "tmpfs", source: "x"}]
		1 | /mounts/7; File name too long (ENAMETOOLONG) | .mounts += [{destination: ("/" + "x" * 300), type: "tmpfs", source: "x"}]
		0 | | .mounts += [{destination: "mnt/x", type: "tmpfs", source: "x"}]
		0 | | .mounts += [{destination: "../../mnt", type: "tmpfs", source: "x"}]
		0 | | .mounts += [{destination: "/proc", type: "tmpfs", source: "x"}, {destination: "/mnt", type: "tmpfs"}, {destination: "/mnt", type: "tmpfs"}]
		0 | | .mounts += [{destination: "/proc/sys", type: "tmpfs", source: "x"}, {destination: "/sys/kernel", type: "tmpfs", source: "x"}]
		1 | /mounts/7; /sys/kernel/frob; Read-only file system (EROFS) | .mounts += [{destination: "/sys/kernel/frob", type: "tmpfs", source: "x"}]
		1 | /mounts/7; /etc/passwd/x; Not a directory (ENOTDIR) | .mounts += [{destination: "/etc/passwd/x", type: "tmpfs", source: "x"}]
		1 | /mounts/7; /loop/x; Too many levels of symbolic links (ELOOP) | .mounts += [{destination: "/loop/x", type: "tmpfs", source: "x"}] #! ln -s loop rootfs/loop
		127 | /process/args/0; /bin/true | .mounts += [{destination: "/", type: "tmpfs", source: "x"}]
		3 | /mounts/7/type: missing | .mounts += [{destination: "/mnt", source: "x"}]
		6 | /mounts/7; bogusfs; No such device (ENODEV) | .mounts += [{destination: "/mnt", type: "bogusfs", source: "x"}]
		3 | /mounts/7/source: missing | .mounts += [{destination: "/mnt", type: "bind", options: ["bind"]}]
		3 | /mounts/7/source: missing | .mounts += [{destination: "/mnt", type: "bind", source: "", options: ["bind"]}]
		3 | /mounts/7/source; U+0000 | .mounts += [{destination: "/mnt", type: "bind", source: "x\u0000y", options: ["bind"]}]
		3 | /mounts/7/source; /nonexistent-src; No such file or directory (ENOENT) | .mounts += [{destination: "/mnt", type: "bind", source: "/nonexistent-src", options: ["bind"]}]
		3 | /mounts/7/options/1; frobnicate; unknown for a bind mount | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "frobnicate"]}]
		3 | /mounts/7/options/1; mode=zz | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "mode=zz"]}]
		3 | /mounts/7/options/1; tmpcopyup; for tmpfs only | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "tmpcopyup"]}]
		1 | /mounts/7; frobnicate; Unknown parameter; (EINVAL) | .mounts += [{destination: "/mnt", type: "tmpfs", source: "x", options: ["frobnicate"]}]
		1 | /mounts/7; "size=zzz"; (EINVAL) | .mounts += [{destination: "/mnt", type: "tmpfs", source: "x", options: ["size=zzz"]}]
		1 | /mounts/7; Argument list too long (E2BIG) | .mounts += [{destination: "/mnt", type: "tmpfs", source: "x", options: ["size=" + ("1" * 5000)]}]
		1 | /mounts/7; "hidepid=9"; (EINVAL) | .mounts += [{destination: "/mnt", type: "proc", source: "proc", options: ["hidepid=9"]}]
		1 | /mounts/7; "lowerdir=/none" | .mounts += [{destination: "/mnt", type: "overlay", source: "o", options: ["lowerdir=/none"]}]
		0 | | .mounts += [{destination: "/mnt", type: "tmpfs", source: "x", options: ["", "ro", "rw", "rslave", "shared"]}]
		3 | /mounts/7/options/0 | .mounts += [{destination: "/mnt", type: "tmpfs", source: "x", options: [7]}]
		3 | /mounts/7; needs uidMappings and gidMappings | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "idmap"]}]
		3 | /mounts/7/gidMappings: missing | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind"], uidMappings: [{containerID: 0, hostID: 0, size: 1}]}]
		1 | /mounts/7; /etc/passwd on /etc; Is a directory (EISDIR); a file goes on a file | .mounts += [{destination: "/etc", type: "bind", source: "/etc/passwd", options: ["bind"]}]
		1 | /mounts/7; /tmp on /etc/passwd; Not a directory (ENOTDIR); a directory goes on a directory | .mounts += [{destination: "/etc/passwd", type: "bind", source: "/tmp", options: ["bind"]}]
		3 | /mounts; 10000 members are more than the 4096 allowed | .mounts = [range(10000) | {destination: "/mnt/x", type: "tmpfs", source: "x"}]
	T
}

# bats test_tags=root:ids
@test "namespaces and mappings" {
	cases <<-'T'
		3 | /linux/namespaces/5/type; found the string "frob" | .linux.namespaces += [{type: "frob"}]
		3 | /linux/namespaces/5; namespace pid is given twice | .linux.namespaces += [{type: "pid"}]
		3 | /linux/namespaces/1/path; /proc/self/ns/ipc is an ipc namespace, expected network | .linux.namespaces[1].path = "/proc/self/ns/ipc"
		3 | /linux/namespaces/1/path; No such file or directory (ENOENT) | .linux.namespaces[1].path = "/none"
		3 | /linux/namespaces/0/path; /etc/passwd is not a namespace, expected pid | .linux.namespaces[0].path = "/etc/passwd"
		3 | /linux/namespaces/0/path; expected an absolute path | .linux.namespaces[0].path = "relative"
		3 | /linux/namespaces/4/path; that oakum itself is in | .linux.namespaces[4].path = "/proc/self/ns/mnt"
		3 | /hostname; the host would be renamed | .linux.namespaces[3].path = "/proc/self/ns/uts"
		0 | | .linux.namespaces[1].path = "/proc/self/ns/net" | .linux.namespaces[0].path = "/proc/self/ns/pid"
		0 | no mount namespace in /linux/namespaces | .linux = {} | del(.hostname)
		0 | no mount namespace in /linux/namespaces | del(.linux) | del(.hostname)
		3 | /linux/uidMappings; needs a user namespace | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		3 | /linux/gidMappings: missing | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		3 | /linux/uidMappings/0/size; 0 is out of range | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 0}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1}]
		3 | /linux/uidMappings/0; go beyond 4294967294 | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 4294967294, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1}]
		3 | /linux/uidMappings/1; container ids 5-14 overlap those of entry 0 (0-9) | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 10}, {containerID: 5, hostID: 100, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 10}]
		3 | /linux/uidMappings; 341 members are more than the 340 allowed | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(341) | {containerID: ., hostID: ., size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 10}]
		3 | /process/user/uid; 0 is not mapped | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 5, hostID: 5, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 10}]
		3 | /linux/timeOffsets; needs a time namespace | .linux.timeOffsets = {monotonic: {secs: 1}}
		3 | /linux/timeOffsets/monotonic/secs; out of range | .linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 99999999999999}}
		3 | /linux/timeOffsets/frob; monotonic or boottime | .linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {frob: {secs: 1}}
		3 | /linux/netDevices/a~1b; not the name of a network device | .linux.netDevices = {"a/b": {}}
		3 | /linux/netDevices/none0 | .linux.netDevices = {none0: {}}
	T
}

@test "devices, sysctls, paths, seccomp and the rest of linux" {
	cases <<-'T'
		3 | /linux/devices/0/type; found the string "z" | .linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 3}]
		3 | /linux/devices/0/path; ".." component | .linux.devices = [{path: "/dev/../../x", type: "c", major: 1, minor: 3}]
		3 | /linux/devices/0/path; expected an absolute path | .linux.devices = [{path: "relative", type: "c", major: 1, minor: 3}]
		3 | /linux/devices/0/path; expected the path of a file | .linux.devices = [{path: "/", type: "c", major: 1, minor: 3}]
		3 | /linux/devices/0/major: missing; /linux/devices/0/minor: missing | .linux.devices = [{path: "/dev/x", type: "c"}]
		3 | /linux/devices/0/major; 4096 is out of range (0..4095) | .linux.devices = [{path: "/dev/x", type: "c", major: 4096, minor: 3}]
		3 | /linux/devices/0/minor; 1048576 is out of range | .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 1048576}]
		3 | /linux/devices/1; another device in entry 0 | .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3}, {path: "/dev/x", type: "c", major: 1, minor: 5}]
		3 | /linux/sysctl/vm.swappiness; not a namespaced sysctl | .linux.sysctl = {"vm.swappiness": "1"}
		3 | /linux/sysctl | .linux.sysctl = {"net.../../kernel.core_pattern": "x"}
		3 | /linux/sysctl/kernel.hostname; use /hostname instead | .linux.sysctl = {"kernel.hostname": "x"}
		3 | /linux/sysctl/; not the name of a sysctl | .linux.sysctl = {"": "1"}
		3 | the same sysctl is given twice | .linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "0"}
		3 | /linux/sysctl/net.ipv4.ip_forward; needs a namespace of type network | .linux.namespaces |= map(select(.type != "network")) | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
		1 | /linux/sysctl/net.ipv4.ip_forward; Invalid argument (EINVAL) | .linux.sysctl = {"net.ipv4.ip_forward": "frob"}
		6 | /linux/sysctl/net.none.such; no such sysctl | .linux.sysctl = {"net.none.such": "1"}
		0 | | .linux.sysctl = {"net/ipv4/ip_forward": "1"}
		3 | /linux/maskedPaths/0; expected an absolute path | .linux.maskedPaths = ["x"]
		3 | /linux/maskedPaths/0; 5001 bytes are more than the 4095 of a path | .linux.maskedPaths = ["/" + "x" * 5000]
		0 | | .linux.maskedPaths = ["/none", "/etc/passwd/x", "/../etc"] | .linux.readonlyPaths = ["/none"]
		3 | /linux/readonlyPaths/0; expected an absolute path | .linux.readonlyPaths = ["x"]
		3 | /linux/rootfsPropagation; sideways | .linux.rootfsPropagation = "sideways"
		3 | /linux/personality/domain; LINUX99 | .linux.personality = {domain: "LINUX99"}
		3 | /linux/personality/flags | .linux.personality = {domain: "LINUX", flags: ["FROB"]}
		3 | /linux/intelRdt/closID; "a/b" | .linux.intelRdt = {closID: "a/b"}
		3 | /linux/mountLabel; expected a string | .linux.mountLabel = 5
		6 | /linux/mountLabel; SELinux is not enabled | .linux.mountLabel = "system_u:object_r:x:s0"
		3 | /linux/memoryPolicy/mode; MPOL_FROB | .linux.memoryPolicy = {mode: "MPOL_FROB"}
		3 | /linux/memoryPolicy; requires at least 1 node | .linux.memoryPolicy = {mode: "MPOL_BIND"}
		3 | /linux/seccomp/defaultAction; SCMP_ACT_BOGUS | .linux.seccomp = {defaultAction: "SCMP_ACT_BOGUS"}
		3 | /linux/seccomp/defaultAction; SCMP_ACT_NOTIFY | .linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"}
		3 | /linux/seccomp/architectures/0; SCMP_ARCH_FROB | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_FROB"]}
		3 | /linux/seccomp/flags/0; FROB | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["FROB"]}
		3 | /linux/seccomp/syscalls/0/names; at least one | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [], action: "SCMP_ACT_ERRNO"}]}
		3 | /linux/seccomp/syscalls/0/errnoRet; has no meaning for SCMP_ACT_KILL | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_KILL", errnoRet: 1}]}
		3 | /linux/seccomp/listenerPath; needs it | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_NOTIFY"}]}
		3 | /linux/seccomp/syscalls/0/args/0/op; SCMP_CMP_BOGUS | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 0, op: "SCMP_CMP_BOGUS"}]}]}
		3 | /linux/seccomp/syscalls/0/args/0/index; 7 is out of range (0..5) | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", args: [{index: 7, value: 0, op: "SCMP_CMP_EQ"}]}]}
		3+ | /linux/seccomp/syscalls; instructions, the kernel takes 4096; merge rules | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(1100) | {names: ["getpid"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: (. * 4294967296 + .), op: "SCMP_CMP_EQ"}]}]}
		3 | /annotations/run.oci.seccomp_bpf_data; 4096 instructions | .annotations = {"run.oci.seccomp_bpf_data": ("AAAAAAAAAAA" * 4100)}
		3 | /linux/seccomp/syscalls; 9000 members | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(9000) | {names: ["read"], action: "SCMP_ACT_ERRNO"}]}
		0 | | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["frob"], action: "SCMP_ACT_ERRNO"}]}
	T
}

@test "seccomp: what forbids the program to begin, and what does not" {
	cases run <<-'T'
		126 | /process/args/0; (EPERM); the seccomp profile may forbid execve | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: "SCMP_ACT_ERRNO"}]}
		0 | | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["write"], action: "SCMP_ACT_KILL_PROCESS"}]}
	T
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "cgroupsPath" {
	cases <<-'T'
		3 | /linux/cgroupsPath; no usable path | .linux.cgroupsPath = "/"
		3 | /linux/cgroupsPath; ".." component | .linux.cgroupsPath = "/a//../b"
		3 | /linux/cgroupsPath; newline | .linux.cgroupsPath = "/a\nb"
		3 | /linux/cgroupsPath; 6000 bytes | .linux.cgroupsPath = "/x" * 3000
		3 | /linux/cgroupsPath; File name too long (ENAMETOOLONG) | .linux.cgroupsPath = "/x" * 1000
		0 | | .linux.cgroupsPath = "oakum-test.slice:b:c"
		1 | /linux/cgroupsPath; (ENOTDIR) | .linux.cgroupsPath = "/cgroup.procs/x"
	T
}

# bats test_tags=root:cgroup
@test "resources that the kernel refuses" {
	need_controllers memory pids cpuset io hugetlb
	cases <<-'T'
		1 | /linux/resources/memory/limit | .linux.resources.memory = {limit: 4096}
		1 | /linux/resources/pids/limit; (EINVAL); up to 4194304 | .linux.resources.pids = {limit: 99999999999}
		1 | /linux/resources/cpu/cpus; 900; its parent cgroup has CPUs | .linux.resources.cpu = {cpus: "900"}
		1 | /linux/resources/cpu/mems; 900; its parent cgroup has memory nodes | .linux.resources.cpu = {mems: "900"}
		1 | /linux/resources/blockIO/throttleReadBpsDevice; 99:99; (ENODEV); no block device here | .linux.resources.blockIO = {throttleReadBpsDevice: [{major: 99, minor: 99, rate: 5}]}
		6 | /linux/resources/hugepageLimits; 3MB; /sys/kernel/mm/hugepages | .linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 0}]
	T
	on_v2 || cases <<-'T'
		1 | /linux/resources/memory/swap; (EINVAL); give both | .linux.resources.memory = {swap: 1048576}
	T
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || return 0
	cases <<-'T'
		1 | /linux/resources/cpu/realtimeRuntime; (EINVAL); its parent cgroup has | .linux.resources.cpu = {realtimeRuntime: 950000, realtimePeriod: 1000000}
	T
}

# bats test_tags=root:cgroup
@test "resources" {
	cases <<-'T'
		3 | /linux/resources/memory/limit; expected an integer | .linux.resources.memory = {limit: "1M"}
		3 | /linux/resources/memory/limit; -2 is out of range | .linux.resources.memory = {limit: -2}
		3 | /linux/resources/memory/limit; out of range | .linux.resources.memory = {limit: 9223372036854775808}
		3 | /linux/resources/memory/swap; is below limit | .linux.resources.memory = {limit: 2097152, swap: 1048576}
		3 | /linux/resources/memory/swappiness; 101 is out of range (0..100) | .linux.resources.memory = {swappiness: 101}
		3 | /linux/resources/cpu/quota; at least 1000 microseconds | .linux.resources.cpu = {quota: 1}
		3 | /linux/resources/cpu/period; 1000..1000000 | .linux.resources.cpu = {period: 1}
		3 | /linux/resources/cpu/cpus; list of numbers | .linux.resources.cpu = {cpus: "0-99999"}
		3 | /linux/resources/cpu/idle; 5 is out of range (0..1) | .linux.resources.cpu = {idle: 5}
		3 | /linux/resources/devices/0/access; r, w and m | .linux.resources.devices = [{allow: false, access: "x"}]
		3 | /linux/resources/devices/0/type; a, b or c | .linux.resources.devices = [{allow: true, type: "z", access: "rwm"}]
		3 | /linux/resources/blockIO/weight; 5 is out of range (10..1000) | .linux.resources.blockIO = {weight: 5}
		3 | /linux/resources/unified/..~1x; CONTROLLER.VALUE | .linux.resources.unified = {"../x": "1"}
		3 | /linux/resources/unified/cgroup.procs; is not a limit | .linux.resources.unified = {"cgroup.procs": "1"}
		6 | /linux/resources/unified/frob.max | .linux.resources.unified = {"frob.max": "x"}
	T
}

@test "hooks: kind, index, path and what happened" {
	cases <<-'T'
		1 | error running createRuntime hook #0; /hooks/createRuntime/0; /nope; ENOENT | .hooks = {createRuntime: [{path: "/nope"}]}
		1 | error running prestart hook #1; /hooks/prestart/1; /etc; EACCES | .hooks = {prestart: [{path: "/bin/true"}, {path: "/etc"}]}
		1 | createContainer hook #0; /hooks/createContainer/0; /etc/passwd; EACCES | .hooks = {createContainer: [{path: "/etc/passwd"}]}
		3 | /hooks/createRuntime/0/path; expected an absolute path | .hooks = {createRuntime: [{path: "bin/true"}]}
		3 | /hooks/poststop/0/path: missing | .hooks = {poststop: [{}]}
		3 | /hooks/poststop/0/path; 5001 bytes | .hooks = {poststop: [{path: ("/" + "x" * 5000)}]}
		1 | hook #1; exit status 3; oops | .hooks = {createRuntime: [{path: "/bin/true"}, {path: "/bin/sh", args: ["sh", "-c", "echo oops >&2; exit 3"]}]}
		1 | /hooks/createRuntime/0; killed by SIGKILL: oops | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "echo oops >&2; kill -9 $$"]}]}
		1 | /hooks/createRuntime/0; killed by SIGTERM | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "kill $$"]}]}
		1 | /hooks/createRuntime/0; /bin/sleep: killed after its timeout of 1 s; longer timeout | .hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}
		3 | /hooks/createRuntime/0/timeout; 0 is out of range | .hooks = {createRuntime: [{path: "/bin/true", timeout: 0}]}
		3 | /hooks/createRuntime/0/timeout; -5 is out of range | .hooks = {createRuntime: [{path: "/bin/true", timeout: -5}]}
		3 | /hooks/createRuntime/0/timeout; 2147483648 is out of range | .hooks = {createRuntime: [{path: "/bin/true", timeout: 2147483648}]}
		3 | /hooks/createRuntime/0/timeout; expected an integer | .hooks = {createRuntime: [{path: "/bin/true", timeout: 1.5}]}
		3 | /hooks/createRuntime/0/env/0; NAME=VALUE | .hooks = {createRuntime: [{path: "/bin/true", env: ["x"]}]}
		0 | | .hooks = {frob: [{path: "/bin/true"}]}
		1 | hook #119; exit status 1 | .hooks = {createRuntime: ([range(119) | {path: "/bin/true"}] + [{path: "/bin/false"}, {path: "/none"}])}
		3 | /hooks/createRuntime; 5000 members are more than | .hooks = {createRuntime: [range(5000) | {path: "/bin/true"}]}
		1 | /hooks/createRuntime/0; exit status 9; run it by hand | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "exec <&-; exit 9"]}]} | .annotations = {a: ("x" * 500000)}
	T
	cases run <<-'T'
		1 | startContainer hook #0; /hooks/startContainer/0; /none; ENOENT | .hooks = {startContainer: [{path: "/none"}]}
		1 | poststart hook #0; /hooks/poststart/0; exit status 1 | .hooks = {poststart: [{path: "/bin/false"}]}
		0 | warning: ; /hooks/poststop/0; /none; ENOENT | .hooks = {poststop: [{path: "/none"}]}
	T
}
