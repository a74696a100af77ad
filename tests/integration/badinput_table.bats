#!/usr/bin/env bats
# Bad bundles that the peers accept in silence or refuse without a place: the status, what is named,
# and nothing left, case by case.
load ../lib/common

# cases: lines "STATUS | TEXT; TEXT… | JQ-FILTER" on stdin; each is created, and nothing may be left of it.
cases() {
	local status texts filter rc n=0 bad=0
	while IFS='|' read -r status texts filter; do
		status=${status// /}
		n=$((n + 1)) rc=0
		bundle "$filter"
		oakum create -b "$B" "$C" </dev/null >"$W/stdout" 2>"$W/stderr" || rc=$?
		[ $rc = "$status" ] || { echo "status $rc, not $status:$filter: $(cat "$W/stderr")"; bad=1; }
		while read -r text; do
			[ -z "$text" ] || grep -qF -e "$text" "$W/stderr" || { echo "'$text' is not in the answer to$filter: $(cat "$W/stderr")"; bad=1; }
		done < <(tr ';' '\n' <<<"$texts" | sed 's/^ *//; s/ *$//')
		if [ $rc = 0 ]; then
			oakum delete --force "$C" </dev/null
		else
			[ ! -e "$ROOT/$C" ] && [ -z "$(cgroups_of "$C")" ] || { echo "something is left of$filter"; bad=1; }
		fi
	done
	[ $n -gt 3 ] && [ $bad = 0 ]
}

@test "process" {
	cases <<-'T'
		3 | /process/args; expected an array of strings, found the string "/bin/true"; did you mean ["/bin/true"]? | .process.args = "/bin/true"
		3 | /process/args/0; expected a string, found the number 5 | .process.args = [5]
		3 | /process/args/1; found null | .process.args = ["sh", null]
		3 | /process/args; must not be empty | .process.args = []
		3 | /process/cwd: missing | del(.process.cwd)
		3 | /process/cwd; expected an absolute path | .process.cwd = "a"
		3 | /process/cwd | .process.cwd = "/proc/self/fd/7"
		3 | /process/user/uid; found the string | .process.user.uid = "0"
		3 | /process/user/uid; 4294967296 is out of range (0..4294967294) | .process.user.uid = 4294967296
		3 | /process/user/uid; 4294967295 is out of range | .process.user.uid = 4294967295
		3 | /process/terminal; expected true or false | .process.terminal = "x"
		3 | /process: missing | del(.process)
		3 | /process/env/2; NAME=VALUE | .process.env += ["JUNK"]
		3 | /process/env; bytes | .process.env += ["A=" + ("x" * 3000000)]
		3 | /process/rlimits/0/type; RLIMIT_BOGUS | .process.rlimits = [{type: "RLIMIT_BOGUS", soft: 1, hard: 1}]
		3 | /process/rlimits/0; soft 20 is above hard 10 (RLIMIT_NOFILE) | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 20, hard: 10}]
		3 | /process/rlimits/1; RLIMIT_NOFILE is given twice | .process.rlimits += .process.rlimits
		0 | warning: ; /process/capabilities/bounding/0; CAP_BOGUS | .process.capabilities.bounding = ["CAP_BOGUS"]
		127 | /process/args/0; "/bin/nope"; no such file or directory | .process.args = ["/bin/nope"]
		126 | /process/args/0; permission denied; it is a directory | .process.args = ["/bin"]
		3 | /process/oomScoreAdj; out of range | .process.oomScoreAdj = 1000000000000000000000000000000
		6 | /process/apparmorProfile | .process.apparmorProfile = "bogus"
	T
}

@test "root, top and mounts" {
	cases <<-'T'
		3 | /root: missing | del(.root)
		3 | /root/path; nope; No such file or directory (ENOENT) | .root.path = "nope"
		3 | /root/path; must not be empty | .root.path = ""
		3 | /root/path; Not a directory (ENOTDIR) | .root.path = "config.json"
		3 | /ociVersion: missing | del(.ociVersion)
		3 | /ociVersion; "9.0.0" | .ociVersion = "9.0.0"
		3 | /ociVersion; "banana" | .ociVersion = "banana"
		3 | /hostname; 300 bytes | .hostname = "a" * 300
		3 | /mounts/7/source; /nonexistent-src; No such file or directory | .mounts += [{destination: "/mnt", type: "bind", source: "/nonexistent-src", options: ["bind"]}]
		3 | /mounts/7/options/1; frobnicate; unknown for a bind mount | .mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "frobnicate"]}]
		6 | /mounts/7; bogusfs | .mounts += [{destination: "/mnt", type: "bogusfs", source: "x"}]
		3 | /mounts/7/destination: missing | .mounts += [{type: "tmpfs", source: "x"}]
		3 | /mounts/7/type: missing | .mounts += [{destination: "/mnt", source: "x"}]
	T
}

@test "linux" {
	cases <<-'T'
		3 | /linux/namespaces/5/type; found the string "frob" | .linux.namespaces += [{type: "frob"}]
		3 | /linux/namespaces/5; namespace pid is given twice | .linux.namespaces += [{type: "pid"}]
		3 | /linux/namespaces/1/path; /proc/self/ns/ipc is an ipc namespace, expected network | .linux.namespaces[1].path = "/proc/self/ns/ipc"
		3 | /linux/namespaces/1/path; No such file or directory | .linux.namespaces[1].path = "/none"
		3 | /linux/uidMappings; needs a user namespace | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		3 | /linux/uidMappings/1; container ids 5-14 overlap those of entry 0 (0-9) | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 10}, {containerID: 5, hostID: 100, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 10}]
		3 | /linux/uidMappings; 341 members are more than the 340 allowed | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(341) | {containerID: ., hostID: ., size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 10}]
		3 | /linux/sysctl/vm.swappiness; not a namespaced sysctl | .linux.sysctl = {"vm.swappiness": "1"}
		3 | /linux/sysctl | .linux.sysctl = {"net.../../kernel.core_pattern": "x"}
		1 | /linux/sysctl/net.ipv4.ip_forward; Invalid argument (EINVAL) | .linux.sysctl = {"net.ipv4.ip_forward": "frob"}
		3 | /linux/seccomp/defaultAction; SCMP_ACT_BOGUS | .linux.seccomp = {defaultAction: "SCMP_ACT_BOGUS"}
		3 | /linux/seccomp/syscalls/0/args/0/op; SCMP_CMP_BOGUS | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 0, op: "SCMP_CMP_BOGUS"}]}]}
		3 | /linux/seccomp/syscalls/0/args/0/index; 7 is out of range (0..5) | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", args: [{index: 7, value: 0, op: "SCMP_CMP_EQ"}]}]}
		3 | /linux/devices/0/type; found the string "z" | .linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 3}]
		3 | /linux/devices/0/path; ".." component | .linux.devices = [{path: "/dev/../../x", type: "c", major: 1, minor: 3}]
		3 | /linux/rootfsPropagation; sideways | .linux.rootfsPropagation = "sideways"
		3 | /linux/personality/domain; LINUX99 | .linux.personality = {domain: "LINUX99"}
		3 | /linux/resources/memory/limit; expected an integer | .linux.resources.memory = {limit: "1M"}
		3 | /linux/resources/memory/swap; is below limit | .linux.resources.memory = {limit: 2097152, swap: 1048576}
	T
}

@test "hooks: kind, index, path and what happened" {
	cases <<-'T'
		1 | error running createRuntime hook #0; /hooks/createRuntime/0; /nope; ENOENT | .hooks = {createRuntime: [{path: "/nope"}]}
		3 | /hooks/createRuntime/0/path; expected an absolute path | .hooks = {createRuntime: [{path: "bin/true"}]}
		1 | hook #1; exit status 3; oops | .hooks = {createRuntime: [{path: "/bin/true"}, {path: "/bin/sh", args: ["sh", "-c", "echo oops >&2; exit 3"]}]}
		1 | /hooks/createRuntime/0; /bin/sleep: killed after its timeout of 1 s | .hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}
		3 | /hooks/createRuntime/0/timeout; -5 is out of range | .hooks = {createRuntime: [{path: "/bin/true", timeout: -5}]}
		3 | /hooks/createRuntime/0/timeout; expected an integer | .hooks = {createRuntime: [{path: "/bin/true", timeout: 1.5}]}
	T
}
