#!/usr/bin/env bats
# Commands that meet, and commands that die.
load ../lib/common

@test "20 creates of one id at once have one winner" {
	sleeper
	for _ in 1 2 3; do
		pids=()
		for n in {1..20}; do
			(rc=0; "$OAKUM" --root "$ROOT" create -b "$B" "$C" </dev/null >/dev/null 2>"$W/err.$n" || rc=$?; echo $rc >"$W/rc.$n") &
			pids+=($!)
		done
		wait "${pids[@]}" || :
		is "$(grep -lx 0 "$W"/rc.* | wc -l)" 1
		is "$(grep -lx 5 "$W"/rc.* | wc -l)" 19 || { cat "$W"/err.*; false; }
		is "$(status_of)" created
		ok oakum delete -f "$C"
	done
}

@test "8 deletes at once: all end, nothing is left" {
	sleeper
	for _ in 1 2 3; do
		ok oakum run -d -b "$B" "$C"
		pids=()
		for n in {1..8}; do
			(rc=0; "$OAKUM" --root "$ROOT" delete -f "$C" </dev/null >/dev/null 2>"$W/err.$n" || rc=$?; echo $rc >"$W/rc.$n") &
			pids+=($!)
		done
		wait "${pids[@]}" || :
		is "$(grep -lx 0 "$W"/rc.[1-8] | wc -l)" 8
		is "$(ls "$ROOT")" ""
	done
}

@test "starts, kills and deletes of one container at once" {
	sleeper
	for _ in {1..10}; do
		ok oakum create -b "$B" "$C"
		pids=()
		for c in start start kill delete state pause resume; do
			timeout 30 "$OAKUM" --root "$ROOT" $c "$C" </dev/null >/dev/null 2>&1 &
			pids+=($!)
		done
		for p in "${pids[@]}"; do
			rc=0
			wait "$p" || rc=$?
			[ $rc -lt 124 ]
		done
		ok oakum delete -f "$C"
	done
}

@test "create SIGKILLed at any moment: delete --force removes all" {
	sleeper
	# A life takes some milliseconds here; the moments go from the first instruction to well after.
	for i in {0..150}; do
		"$OAKUM" --root "$ROOT" create -b "$B" "$C" </dev/null >/dev/null 2>&1 &
		p=$!
		read -r -t "$(printf '0.%06d' $((i * 150 + 1)))" <> <(:) || :
		kill -KILL $p 2>/dev/null || :
		wait $p 2>/dev/null || :
		ok oakum delete --force "$C"
		is "$(cgroups_of "$C")" ""
		[ ! -e "$ROOT/$C" ]
	done
}

# strace kills the program at its N-th system call: every moment, the same each time.
@test "create SIGKILLed at chosen system calls: delete --force removes all" {
	bundle
	strace -o "$W/count" "$OAKUM" --root "$ROOT" create -b "$B" "$C" </dev/null
	total=$(grep -c '(' "$W/count")
	ok oakum delete -f "$C"
	for ((n = total / 4; n <= total; n += 3)); do
		strace -o /dev/null -e inject=all:signal=KILL:when=$n "$OAKUM" --root "$ROOT" create -b "$B" "$C" </dev/null >/dev/null 2>&1 || :
		ok oakum delete --force "$C"
		[ -z "$(cgroups_of "$C")" ] || { echo "killed at call $n"; false; }
	done
}

@test "delete SIGKILLed at chosen system calls: the next one finishes" {
	bundle
	ok oakum create -b "$B" "$C"
	strace -o "$W/count" "$OAKUM" --root "$ROOT" delete -f "$C" </dev/null
	total=$(grep -c '(' "$W/count")
	for ((n = 10; n <= total; n += 4)); do
		ok oakum create -b "$B" "$C"
		strace -o /dev/null -e inject=all:signal=KILL:when=$n "$OAKUM" --root "$ROOT" delete -f "$C" </dev/null >/dev/null 2>&1 || :
		ok oakum delete --force "$C"
		[ -z "$(cgroups_of "$C")" ] || { echo "killed at call $n"; false; }
	done
}

# bats test_tags=root:cgroup
@test "start, pause and kill SIGKILLed at chosen system calls" {
	sleeper
	for c in start pause kill; do
		ok oakum create -b "$B" "$C"
		[ $c = start ] || ok oakum start "$C"
		strace -o "$W/count" "$OAKUM" --root "$ROOT" $c "$C" </dev/null
		total=$(grep -c '(' "$W/count")
		ok oakum delete -f "$C"
		for ((n = 10; n <= total; n += 9)); do
			ok oakum create -b "$B" "$C"
			[ $c = start ] || ok oakum start "$C"
			strace -o /dev/null -e inject=all:signal=KILL:when=$n "$OAKUM" --root "$ROOT" $c "$C" </dev/null >/dev/null 2>&1 || :
			ok oakum delete --force "$C"
		done
	done
}

@test "the container's init killed while it waits: start says so, delete works" {
	sleeper
	ok oakum create -b "$B" "$C"
	kill -KILL "$(pid_of)"
	until_true is_status stopped "$C"
	fails 4 oakum start "$C"
	ok oakum delete "$C"
}

@test "a hook that hangs is bounded by create's SIGKILL, and delete --force ends it" {
	bundle '.hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "30"]}]}'
	"$OAKUM" --root "$ROOT" create -b "$B" "$C" </dev/null >/dev/null 2>&1 &
	p=$!
	until_true pgrep -x sleep >/dev/null
	is_status creating "$C"
	kill -KILL $p
	wait $p || :
	ok oakum delete --force "$C"
}

@test "up SIGKILLed at many moments" {
	sleeper
	for i in {0..60}; do
		"$OAKUM" --root "$ROOT" up -d -b "$B" "$C" </dev/null >/dev/null 2>&1 &
		p=$!
		read -r -t "$(printf '0.%06d' $((i * 400 + 1)))" <> <(:) || :
		kill -KILL $p 2>/dev/null || :
		wait $p 2>/dev/null || :
		ok oakum delete --force "$C"
		# A supervisor that had begun just then takes its own back.
		until_true no_cgroup
	done
}

no_cgroup() { [ -z "$(cgroups_of "$C")" ]; }

# damage HOW: what befalls state.json.
damage() {
	case $1 in
	missing) rm "$ROOT/$C/state.json" ;;
	truncated) truncate -s 300 "$ROOT/$C/state.json" ;;
	*) printf '%s' "$1" >"$ROOT/$C/state.json" ;;
	esac
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "state.json is damaged: the commands say so, and delete --force leaves nothing" {
	local how pid at
	sleeper '.process.args = ["sh", "-c", "sleep 1001 & sleep 1000"]'
	for how in missing truncated '' '{' null '{"id": 7}' garbage; do
		for at in "/else/$C" ''; do
			edit ".linux.cgroupsPath = \"$at\" | if .linux.cgroupsPath == \"\" then del(.linux.cgroupsPath) else . end"
			ok oakum run -d -b "$B" "$C"
			until_true has_processes 2
			pid=$(pid_of)
			damage "$how"
			fails 4 oakum delete "$C"
			says "state.json is damaged"
			fails 4 oakum state "$C"
			[ -d "/proc/$pid" ]
			ok oakum delete --force "$C"
			until_true gone "$pid"
			is "$(cgroups_of "$C")" ""
			[ ! -e "$ROOT/$C" ]
		done
	done
}

# bats test_tags=cgroupfs:disabled
@test "state.json is damaged: delete --force finds who has no cgroup, too" {
	local how kind p
	for kind in pid mount; do
		sleeper '.process.args = ["sh", "-c", "sleep 1001 & sleep 1000"]'
		[ $kind = pid ] || edit '.linux.namespaces |= map(select(.type != "pid"))'
		for how in missing truncated; do
			ok oakum --cgroup-manager disabled run -d -b "$B" "$C"
			until_true has_processes 2
			p=$(oakum ps -f json "$C" | jq -r '.[]')
			damage "$how"
			ok oakum delete --force "$C"
			for p in $p; do until_true gone "$p"; done
		done
	done
}

# bats test_tags=root:cgroup,cgroupfs:path
@test "a creation that ended before its cgroup was its own: who lives there is left alone" {
	local d p trees how
	mapfile -t trees < <(on_v2 && echo /sys/fs/cgroup || find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d)
	sleep 1000 &
	p=$!
	for d in "${trees[@]}"; do
		mkdir "$d/theirs"
		[ ! -e "$d/theirs/cpuset.cpus" ] || on_v2 || for f in cpuset.cpus cpuset.mems; do cat "$d/$f" >"$d/theirs/$f"; done
		echo $p >"$d/theirs/cgroup.procs"
	done
	sleeper
	ok oakum create -b "$B" "$C"
	cp "$ROOT/$C/state.json" "$ROOT/$C/config.json" .
	ok oakum delete --force "$C"
	for how in good garbage missing; do
		mkdir -m 700 "$ROOT/$C"
		jq '.linux.cgroupsPath = "/theirs"' config.json >"$ROOT/$C/config.json"
		case $how in
		good) jq -c '.complete = 0 | del(.init) | .cgroup = "/theirs"' state.json >"$ROOT/$C/state.json" ;;
		garbage) echo '{"cgroup": "/theirs"' >"$ROOT/$C/state.json" ;;
		esac
		"$OAKUM" --root "$ROOT" delete --force "$C" </dev/null 2>said
		[ $how != good ] || grep -q "/theirs is left as it is" said
		[ ! -e "$ROOT/$C" ]
		[ -d /proc/$p ]
		for d in "${trees[@]}"; do grep -qx $p "$d/theirs/cgroup.procs"; done
	done
	# Nor is one of the same path after a boot.
	ok oakum create -b "$B" "$C"
	jq -c '.bootId = "0" | .cgroup = "/theirs"' "$ROOT/$C/state.json" >edited
	ok oakum delete --force "$C"
	mkdir -m 700 "$ROOT/$C"
	cp edited "$ROOT/$C/state.json"
	ok oakum delete "$C"
	for d in "${trees[@]}"; do grep -qx $p "$d/theirs/cgroup.procs"; done
	kill $p
	wait $p || :
	for d in "${trees[@]}"; do rmdir "$d/theirs"; done
}
