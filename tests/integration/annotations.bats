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
	until_true 5 test -S "$W/pidfd.sock"
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
