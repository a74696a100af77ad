#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a container does with its own part of the cgroup tree, where it may write there.
load ../lib/common

# v2 as the container sees it: the tree itself, or beside those of v1. Without it any other will do, unless v2 is asked
# for.
writable() {
	bundle '.process.args = ["sleep", "1000"] | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .mounts |= (map(select(.destination != "/sys/fs/cgroup")) + [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid", "noexec", "nodev"]}])'
	V2=/sys/fs/cgroup
	on_v2 || V2=/sys/fs/cgroup/unified
	[ ! -e $V2/cgroup.controllers ] || return 0
	[ "${1-}" != v2 ] || skip "no cgroup2 hierarchy is mounted"
	V2=/sys/fs/cgroup/pids
}

@test "sub-cgroups made inside, with processes in them: seen, signalled, paused and removed" {
	local pid
	writable
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c "mkdir -p $V2/a/b && for i in 1 2 3; do sleep 1000 & echo \$! >$V2/a/b/cgroup.procs; done"
	ok oakum ps -f json "$C"
	is "$(jq length <<<"$output")" 4
	ok oakum pause "$C"
	pid=$(jq 'max' <<<"$output")
	ok oakum resume "$C"
	ok oakum kill --all "$C" TERM
	until_true alone
	ok oakum delete --force "$C"
}
alone() { [ "$(oakum ps -f json "$C" | jq length)" = 1 ]; }

@test "threaded children: the process is listed, paused, killed and its cgroups removed" {
	writable v2
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c "mkdir $V2/t $V2/t/u && echo threaded >$V2/t/cgroup.type && echo threaded >$V2/t/u/cgroup.type && cat $V2/cgroup.type $V2/t/u/cgroup.type"
	is "$output" $'domain threaded\nthreaded'
	ok oakum exec "$C" sh -c "sleep 1000 & echo \$! >$V2/t/u/cgroup.threads && cat $V2/t/u/cgroup.threads"
	[ "$output" ]
	ok oakum ps -f json "$C"
	is "$(jq length <<<"$output")" 2
	ok oakum pause "$C"
	is "$(oakum state "$C" | jq -r .status)" paused
	ok oakum resume "$C"
	ok oakum exec "$C" true
	ok oakum kill --all "$C" KILL
	ok oakum delete "$C"
	# And without a word before.
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c "mkdir $V2/t && echo threaded >$V2/t/cgroup.type; sleep 1000 & echo \$! >$V2/t/cgroup.threads"
	ok oakum delete --force "$C"
}

# bats test_tags=root:cgroup,cgroupfs:path,root:kernel
@test "below a threaded cgroup a container's is threaded too, and goes without the controllers of domains" {
	local top=/sys/fs/cgroup domain=/thr-$C
	on_v2 || top=/sys/fs/cgroup/unified
	[ -e $top/cgroup.controllers ] || skip "no cgroup2 hierarchy is mounted"
	mkdir -p $top$domain/t
	echo threaded >$top$domain/t/cgroup.type
	sleeper "del(.linux.resources) | .linux.cgroupsPath = \"$domain/t/x/$C\""
	ok oakum run -d -b "$B" "$C"
	is "$(cat $top$domain/t/x/$C/cgroup.type)" threaded
	grep -qx "$(pid_of)" $top$domain/t/x/$C/cgroup.threads
	ok oakum exec -d "$C" sleep 1000
	until_true has_processes 3
	ok oakum pause "$C"
	is "$(oakum state "$C" | jq -r .status)" paused
	ok oakum resume "$C"
	ok oakum kill --all "$C" KILL
	ok oakum delete "$C"
	if on_v2 && has_controller hugetlb; then
		edit '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 0}]'
		fails 6 oakum run -b "$B" "$C"
		says /linux/resources/hugepageLimits "$domain/t/x/$C is threaded, where controller hugetlb cannot be"
	fi
	[ ! -e $top$domain/t/x ]
	rmdir $top$domain/t $top$domain
}

@test "a child that the container has frozen stands in nobody's way" {
	writable v2
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c "mkdir $V2/f; sleep 1000 & echo \$! >$V2/f/cgroup.procs; echo 1 >$V2/f/cgroup.freeze"
	ok oakum pause "$C"
	ok oakum resume "$C"
	ok oakum kill --all "$C" KILL
	ok oakum delete --force "$C"
}
