#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Annotations that mean something to the runtime; all others are shown and nothing else.

load ../lib/common

annotate() { printf '.annotations = (.annotations // {}) + {"%s": "%s"}' "$1" "$2"; }

@test "unknown annotations are shown by state and change nothing" {
	sleeper "$(annotate com.example.x 'a b') | $(annotate run.oci.no_such_thing 1)"
	ok oakum create --bundle "$B" "$C"
	is "$(oakum state "$C" </dev/null | jq -c .annotations)" '{"com.example.x":"a b","run.oci.no_such_thing":"1"}'
	ok oakum delete "$C"
}

@test "run.oci.pidfd_receiver: the socket gets a pidfd of the container's process" {
	sleeper "$(annotate run.oci.pidfd_receiver "$W/pidfd.sock")"
	"$LIB/inside" recvpid "$W/pidfd.sock" >"$W/got" 3>&- &
	local receiver=$!
	until_true test -S "$W/pidfd.sock"
	ok oakum create --bundle "$B" "$C"
	wait $receiver
	is "$(cat "$W/got")" "$(pid_of)"
	ok oakum delete "$C"
	rm -f "$W/pidfd.sock"
}

@test "run.oci.pidfd_receiver: nobody there is an error that names it, and nothing is left" {
	sleeper "$(annotate run.oci.pidfd_receiver "$W/nobody.sock")"
	fails 1 oakum create --bundle "$B" "$C"
	says /annotations/run.oci.pidfd_receiver "connect to the pidfd socket $W/nobody.sock"
}

# bats test_tags=root:ids
@test "run.oci.keep_original_groups: the caller's groups stay, for exec too" {
	sleeper "$(annotate run.oci.keep_original_groups 1) | .process.user.additionalGids = [77]"
	ok setpriv --groups 4,5 "$OAKUM" --root "$ROOT" run -d --bundle "$B" "$C"
	is "$(awk '/^Groups:/ { $1 = ""; print $0 }' "/proc/$(pid_of)/status")" " 4 5"
	ok setpriv --groups 6 "$OAKUM" --root "$ROOT" exec "$C" inside ids
	prints "groups=6"
	# Asked for by name, these are what is wanted.
	ok oakum exec -g 9 "$C" inside ids
	prints groups=9,77
	ok oakum delete --force "$C"
	bundle "$(annotate run.oci.keep_original_groups 0) | .process.user.additionalGids = [77] | .process.args = [\"inside\", \"ids\"]"
	ok setpriv --groups 4,5 "$OAKUM" --root "$ROOT" run --bundle "$B" "$C"
	prints groups=77
}

@test "a handler that is not there is named; none, and a sandbox's, is no handler" {
	bundle "$(annotate run.oci.handler krun)"
	fails 6 oakum run --bundle "$B" "$C"
	says /annotations/run.oci.handler 'no handler "krun"'
	bundle "$(annotate run.oci.handler '') | .process.args = [\"true\"]"
	ok oakum run --bundle "$B" "$C"
	bundle "$(annotate run.oci.handler krun) | $(annotate io.kubernetes.cri.container-type sandbox) | .process.args = [\"true\"]"
	ok oakum run --bundle "$B" "$C"
}

@test "properties of a systemd unit are taken in the form that systemd-run has, and no other" {
	bundle "$(annotate org.systemd.property.CollectMode "'inactive-or-failed'") | .process.args = [\"true\"]"
	ok oakum run --bundle "$B" "$C"
	bundle "$(annotate org.systemd.property.CPUWeight many)"
	fails 3 oakum run --bundle "$B" "$C"
	says /annotations/org.systemd.property.CPUWeight GVariant
}

@test "features: the annotations that an engine should not take from a stranger" {
	ok oakum features
	local list
	list=$(jq -r '.potentiallyUnsafeConfigAnnotations[]' <<<"$output")
	for a in run.oci.hooks.stdout run.oci.pidfd_receiver run.oci.seccomp_bpf_data org.criu.config org.systemd.property.; do
		grep -qxF "$a" <<<"$list"
	done
	! grep -qxF io.kubernetes.cri.container-type <<<"$list"
}

# bats test_tags=root:cgroup
@test "run.oci.delegate-cgroup: the process, and exec's, live in a sub-cgroup below the limits" {
	local limits='.linux.resources.pids = {limit: 50}'
	on_v2 && limits=.
	sleeper "$(annotate run.oci.delegate-cgroup /payload/deep) | $limits"
	ok oakum run -d --bundle "$B" "$C"
	local line dir
	# Where the v2 tree is alone in sight, the other hierarchies know nothing of the container.
	while IFS=: read -r _ _ line; do
		is "${line##*/"$C"}" /payload/deep
	done < <(grep "/$C" "/proc/$(pid_of)/cgroup")
	[ -n "$line" ] || [ -n "$(cgroups_of deep)" ]
	ok oakum exec "$C" sleep 0
	oakum exec "$C" sleep 1000 </dev/null 3>&- &
	until_true sh -c "[ \$(cat $(cgroups_of deep | head -n 1)/cgroup.procs | wc -l) -ge 3 ]"
	if ! on_v2; then
		dir=$(cgroup_dir pids)
		is "$(cat "${dir%/payload/deep}/pids.max") $(cat "$dir/pids.max")" "50 max"
	fi
	ok oakum pause "$C"
	is "$(status_of)" paused
	ok oakum resume "$C"
	ok oakum delete --force "$C"
	wait
	[ -z "$(cgroups_of "$C")" ]
}

# bats test_tags=root:ids
@test "run.oci.delegate-cgroup: root of a user namespace manages what it is given, and not the limits" {
	on_v2 || skip "v1 delegates nothing"
	bundle "$(annotate run.oci.delegate-cgroup payload)"' | .linux.namespaces += [{type: "user"}, {type: "cgroup"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| (.mounts[] | select(.type == "cgroup")).options = ["nosuid", "noexec", "nodev"]
		| .process.args = ["sh", "-c", "cd /sys/fs/cgroup && cat /proc/self/cgroup && mkdir mine && echo 0 >mine/cgroup.procs && cat /proc/self/cgroup; echo 1 >cgroup.freeze"]'
	chmod 755 "$W" "$B"
	local status=0
	oakum run --bundle "$B" "$C" </dev/null >"$W/out" 2>"$W/err" || status=$?
	is "$(grep ^0: "$W/out" | paste -sd' ')" "0::/ 0::/mine"
	[ $status != 0 ]
	grep -q "Permission denied" "$W/err"
	[ -z "$(cgroups_of "$C")" ]
}

@test "run.oci.delegate-cgroup: .. is refused, an empty one is none" {
	bundle "$(annotate run.oci.delegate-cgroup a/../../b)"
	fails 3 oakum run --bundle "$B" "$C"
	says /annotations/run.oci.delegate-cgroup delegate-cgroup '`..` components are not allowed'
	bundle "$(annotate run.oci.delegate-cgroup '') | .process.args = [\"true\"]"
	ok oakum run --bundle "$B" "$C"
}

@test "docs/annotations.md has every annotation that features lists, and no other" {
	local doc=$HERE/../../docs/annotations.md
	ok oakum features
	is "$(sed -n 's/^| `\([a-z.A-Z_0-9-]*\)`.* | yes |$/\1/p' "$doc" | sort)" \
		"$(jq -r '.potentiallyUnsafeConfigAnnotations[]' <<<"$output" | sort)"
}
