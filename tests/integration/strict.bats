#!/usr/bin/env bats
# What a configuration has and nobody knows: ignored with a debug line or a warning, refused with --strict.
load ../lib/common

@test "an unknown member is ignored; a debug line names it" {
	bundle '.process.frobnicate = 5 | .linux.resources.memory = {kernel: -1}'
	ok oakum run -b "$B" "$C"
	is "$errors" ""
	ok oakum --debug run -b "$B" "$C"
	says "config.json:" "/process/frobnicate: not known and ignored" "/linux/resources/memory/kernel: deprecated and ignored"
}

@test "a member that is nearly a known one is ignored with a warning" {
	bundle '.linux.maskedPath = ["/proc/kcore"]'
	ok oakum run -b "$B" "$C"
	says "oakum: warning: config.json:" '/linux/maskedPath: not known and ignored; did you mean "maskedPaths"?'
	ok oakum --log-level error run -b "$B" "$C"
	is "$errors" ""
}

@test "a required member under a wrong name is pointed at" {
	bundle '.process.arg = .process.args | del(.process.args)'
	fails 3 oakum create -b "$B" "$C"
	says "/process/args: missing" 'did you mean it by "arg" at '
}

@test "a newer minor version of the specification is accepted with a note" {
	for version in 1.0.0 1.0.2-dev 1.1.0 1.2.1 1.3.0; do
		bundle ".ociVersion = \"$version\""
		ok oakum --strict run -b "$B" "$C"
		is "$errors" ""
	done
	bundle '.ociVersion = "1.9.0"'
	ok oakum run -b "$B" "$C"
	is "$errors" ""
	ok oakum --debug run -b "$B" "$C"
	says "/ociVersion: newer than the 1.3.x"
	fails 3 oakum --strict run -b "$B" "$C"
	says "/ociVersion: newer than the 1.3.x"
}

@test "--strict: every one of them is an error, before anything has been done" {
	bundle '.process.frobnicate = 5 | .linux.maskedPath = [] | .process.capabilities.bounding += ["CAP_TELEPORT"]'
	local rc=0
	oakum --strict create -b "$B" "$C" </dev/null 2>"$W/err" || rc=$?
	is $rc 3
	is "$(wc -l <"$W/err")" 3
	for p in /process/frobnicate /linux/maskedPath /process/capabilities/bounding/3; do
		grep -q "config.json:[0-9]*:[0-9]*: $p: .*; refused because of --strict" "$W/err"
	done
	is "$(side_effects "$OAKUM" --strict --root "$ROOT" create -b "$B" "$C" | grep -v -e vfork)" ""
	bundle
	ok oakum --strict run -b "$B" "$C"
}

# bats test_tags=root:cgroup
@test "--strict: process.json of exec and the resources of update too" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	echo '{"args": ["true"], "cwd": "/", "frob": 1}' >"$W/p.json"
	ok oakum exec -p "$W/p.json" "$C"
	is "$errors" ""
	fails 255 oakum --strict exec -p "$W/p.json" "$C"
	says p.json:1 "/frob: not known and ignored" "because of --strict"
	echo '{"pidz": {"limit": 20}}' >"$W/r.json"
	ok oakum update -r "$W/r.json" "$C"
	says r.json:1 '/pidz: not known and ignored; did you mean "pids"?'
	fails 3 oakum --strict update -r "$W/r.json" "$C"
	says r.json:1 "/pidz: not known"
	ok oakum delete --force "$C"
}

@test "members in another case are the same members, as engines decode them; twice is an error" {
	bundle '.process.Args = ["/bin/echo", "found"] | del(.process.args) | .Hostname = .hostname | del(.hostname)'
	ok oakum --strict run -b "$B" "$C"
	is "$output" found
	sed -i 's/"Args"/"args": ["true"], "Args"/' "$B/config.json"
	fails 3 oakum create -b "$B" "$C"
	says '/process/Args: given twice, first as "args" at '
	bundle '.linux.resources.hugepageLimits = [{pagesize: "2MB", pageSize: "1GB", limit: 0}]'
	fails 3 oakum create -b "$B" "$C"
	says /linux/resources/hugepageLimits/0/page "given twice"
}
