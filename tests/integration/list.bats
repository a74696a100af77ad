#!/usr/bin/env bats
# list, ps, spec, features, --version, --help and the global options.
load ../lib/common

@test "list: a table sorted by id" {
	sleeper
	ok oakum list
	is "$(head -1 <<<"$output" | tr -s ' ')" "$(echo 'ID PID STATUS BUNDLE CREATED OWNER')"
	ok oakum create -b "$B" "${C}b"
	ok oakum run -d -b "$B" "${C}a"
	ok oakum list
	is "$(wc -l <<<"$output")" 3
	is "$(awk 'NR > 1 { print $1, $3, $4 }' <<<"$output")" "${C}a running $B
${C}b created $B"
	is "$(awk 'NR == 2 { print $2 }' <<<"$output")" "$(pid_of "${C}a")"
	ok oakum delete -f "${C}a"
	ok oakum delete -f "${C}b"
}

@test "list -q and --quiet" {
	sleeper
	ok oakum create -b "$B" "${C}b"
	ok oakum create -b "$B" "${C}a"
	ok oakum list -q
	is "$output" "${C}a
${C}b"
	ok oakum list --quiet
	is "$(wc -l <<<"$output")" 2
	ok oakum delete -f "${C}a"
	ok oakum delete -f "${C}b"
}

@test "list --format json: one line, keys in runc's order" {
	sleeper
	ok oakum list --format json
	[ "$output" = "[]" ] || [ "$output" = null ]
	ok oakum create -b "$B" "$C"
	ok oakum list --format=json
	is "$(wc -l <<<"$output")" 1
	is "$(jq -r '.[0] | keys_unsorted | .[0:7] | join(" ")' <<<"$output")" "ociVersion id pid status bundle rootfs created"
	[ "$(jq -c . <<<"$output")" = "$output" ]
	fails 2 oakum list --format yaml
	ok oakum delete -f "$C"
}

@test "list: a root that was named and is not there fails, the default one does not" {
	fails 1 "$OAKUM" --root "$W/none" list
	says "$W/none"
	ok "$OAKUM" list
}

@test "list: one bad container does not hide the others" {
	sleeper
	ok oakum create -b "$B" "$C"
	mkdir -m 700 "$ROOT/bad"
	echo '{' >"$ROOT/bad/state.json"
	output=$(oakum list 2>"$W/stderr" </dev/null) || :
	grep -q "^$C " <<<"$output"
	grep -q bad "$W/stderr"
	# The ids alone are what there is to be deleted.
	output=$(oakum list -q </dev/null)
	prints bad
	prints "$C"
	ok oakum delete -f bad
	ok oakum delete -f "$C"
}

@test "ps: json, table, and arguments for ps(1)" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum ps -f json "$C"
	is "$(jq -c 'map(type) | unique' <<<"$output")" '["number"]'
	jq -e --argjson p "$(pid_of)" 'index($p) != null' <<<"$output"
	ok oakum ps "$C"
	is "$(head -1 <<<"$output" | tr -s ' ')" "UID PID PPID C STIME TTY TIME CMD"
	grep -q "$(pid_of)" <<<"$output"
	ok oakum ps "$C" -e -x
	is "$(head -1 <<<"$output" | tr -s ' ' | sed 's/^ //')" "PID TTY STAT TIME COMMAND"
	ok oakum ps "$C" -- -o pid,args
	is "$(head -1 <<<"$output" | xargs)" "PID COMMAND"
	ok oakum ps "$C" --
	is "$(head -1 <<<"$output" | tr -s ' ')" "UID PID PPID C STIME TTY TIME CMD"
	ok oakum ps --format table "$C"
	fails 2 oakum ps --format yaml "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	ok oakum ps "$C"
	ok oakum delete "$C"
	fails 4 oakum ps "$C"
}

pids_of() { "$OAKUM" --root "$ROOT" ps "$C" "$@" </dev/null | tail -n +2 | awk '{ print $1 }' | sort -n | xargs; }

# bats test_tags=root:cgroup
@test "ps: all of its processes and no other, wherever in the cgroup and whoever made them" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum exec -d "$C" sleep 2000
	until_true eval '[ "$(oakum ps -f json "$C" </dev/null | jq length)" = 3 ]'
	# One in a sub-cgroup of every hierarchy, made by somebody else.
	local dir made=() moved
	moved=$(oakum ps -f json "$C" </dev/null | jq '.[-1]')
	for dir in $(cgroups_of "$C"); do
		case $dir in */cpuset/*) continue ;; esac
		mkdir "$dir/below" && made+=("$dir/below")
		echo "$moved" >"$dir/below/cgroup.procs"
	done
	is "$(pids_of -o pid,comm)" "$(oakum ps -f json "$C" </dev/null | jq '.[]' | xargs)"
	is "$(pids_of -e -o pid,args --sort=-pid)" "$(pids_of -o pid)"
	[[ " $(pids_of -o pid) " == *" $moved "* ]]
	is "$(oakum ps "$C" -o uid,pid </dev/null | sed 1d | awk '{ print $1 }' | sort -u)" "$(id -u)"
	ok oakum pause "$C"
	is "$(pids_of -o pid | wc -w)" 3
	ok oakum delete -f "$C"
}

@test "ps: what ps(1) does not take is an error, and so is a list without pids, or no ps(1)" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	local rc=0 words
	for words in --nonsense "-f json"; do
		rc=0
		# shellcheck disable=SC2086
		oakum ps "$C" $words </dev/null >out 2>err || rc=$?
		is $rc 2
		grep -q "ps(1) failed with status 1: .* stand before the ID" err
		is "$(cat out)" ""
	done
	fails 2 oakum ps "$C" -o comm
	says "no column PID"
	fails 6 env PATH=/nowhere "$OAKUM" --root "$ROOT" ps "$C"
	says "no ps(1)" "--format json"
	ok env PATH=/nowhere "$OAKUM" --root "$ROOT" ps -f json "$C"
	ok oakum delete -f "$C"
}

@test "spec writes a config.json that runs" {
	mkdir -p "$B"
	cp -al "$FIXTURE/rootfs" "$B/rootfs"
	cd "$B"
	ok oakum spec
	jq -e '.root.readonly and .process.terminal and .process.args == ["sh"] and .process.noNewPrivileges
		and (.process.capabilities.inheritable // [] | length) == 0
		and (.linux.maskedPaths | length) > 3 and (.linux.readonlyPaths | length) > 3
		and ([.linux.namespaces[].type] | contains(["pid", "network", "ipc", "uts", "mount"]))' config.json
	fails 5 oakum spec
	says config.json
	edit '.process.terminal = false | .process.args = ["echo", "from spec"]'
	ok oakum run "$C"
	is "$output" "from spec"
}

@test "spec --bundle and --rootless" {
	mkdir "$W/there"
	ok oakum spec --bundle "$W/there"
	jq -e .ociVersion "$W/there/config.json"
	mkdir "$W/rootless"
	ok oakum spec --rootless -b "$W/rootless"
	jq -e '[.linux.namespaces[].type] | index("user")' "$W/rootless/config.json"
	jq -e '.linux.uidMappings[0].size == 1 and (.linux.resources // {} | length) == 0' "$W/rootless/config.json"
}

@test "what spec and state write is valid by the schema of the specification" {
	local schema=$BATS_TEST_DIRNAME/../lib/schema rc=0 step
	ok oakum spec -b "$W"
	"$schema" config-schema.json "$W/config.json" || rc=$?
	[ $rc != 77 ] || skip "golang-github-opencontainers-specs-dev or python3-jsonschema is not installed"
	[ $rc = 0 ]
	jq '.process.cwd = 1 | .linux.namespaces[0].type = "x"' "$W/config.json" >"$W/bad.json"
	"$schema" config-schema.json "$W/bad.json" || rc=$?
	is $rc 1
	ok oakum spec --rootless -f rootless.json -b "$W"
	ok "$schema" config-schema.json "$W/rootless.json"
	sleeper
	for step in "create -b $B $C" "start $C" "kill $C KILL"; do
		# shellcheck disable=SC2086
		ok oakum $step
		[[ $step != kill* ]] || until_true is_status stopped "$C"
		ok oakum state "$C"
		echo "$output" >"$W/state.json"
		ok "$schema" state-schema.json "$W/state.json"
	done
	is "$(jq -r .status "$W/state.json")" stopped
	ok oakum delete "$C"
}

@test "features" {
	ok oakum features
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax and (.hooks | index("createRuntime"))
		and (.mountOptions | index("rbind")) and (.linux.namespaces | index("pid"))
		and (.linux.capabilities | index("CAP_SYS_ADMIN")) and .linux.cgroup.v1 == true
		and (.linux.seccomp.actions | index("SCMP_ACT_ERRNO")) and (.linux.seccomp.operators | index("SCMP_CMP_EQ"))' <<<"$output"
	is "$(jq -r '.annotations["io.github.seccomp.libseccomp.version"]' <<<"$output")" "$(pkg-config --modversion libseccomp)"
}

@test "--version and -v" {
	ok oakum --version
	prints "oakum version" "spec: "
	ok oakum -v
}

@test "--help, help of each command, and an unknown command" {
	ok oakum --help
	for c in create start state kill delete run exec list ps pause resume spec features up down attach logs wait; do
		ok oakum --help
		prints "$c"
		ok oakum "$c" --help
		prints "$c"
		ok oakum "$c" -h
	done
	fails 2 oakum frobnicate
	says frobnicate
	fails 2 oakum
}

@test "as crun: -V, -? and --usage, which it has from argp, and the first lines of its help" {
	ln -s "$OAKUM" crun
	ln -s "$OAKUM" runc
	for option in --version -v -V; do
		ok ./crun "$option"
		is "$(head -n 1 <<<"$output")" "crun version $("$OAKUM" --version | sed -n '1s/.* //p')"
	done
	for option in --help -h '-?' --usage; do
		ok ./crun "$option"
		is "${output%% [*}" "Usage: crun"
		ok ./crun delete "$option"
		is "$(head -n 1 <<<"$output")" "Usage: crun [OPTION...] delete CONTAINER"
	done
	ok ./crun exec --help
	is "$(head -n 1 <<<"$output")" "Usage: crun [OPTION...] exec CONTAINER cmd"
	ok ./crun mounts --help
	is "$(head -n 1 <<<"$output")" "Usage: crun [OPTION...] mounts [add|remove] CONTAINER FILE"
	fails 1 ./crun run -V
	fails 1 ./runc -V
	fails 1 ./runc --usage
	fails 2 oakum --usage
	fails 2 oakum -V
}

@test "features: the commit is that of --version, where crun has it" {
	ok oakum --version
	commit=$(sed -n 's/^commit: //p' <<<"$output")
	[ -n "$commit" ]
	ok oakum features
	is "$(jq -r '.annotations["run.oci.crun.commit"]' <<<"$output")" "$commit"
	is "$(jq -r '.annotations["io.oakum.commit"]' <<<"$output")" "$commit"
}

@test "unknown options, missing and surplus arguments are usage errors" {
	fails 2 oakum --frob list
	says --frob
	fails 2 oakum list --frob
	fails 2 oakum state
	fails 2 oakum state a b
	fails 2 oakum start
	fails 2 oakum create
	fails 2 oakum kill
	fails 2 oakum create --pid-file
	fails 2 oakum run --preserve-fds nine x
	fails 2 oakum run --preserve-fds -1 x
	fails 2 oakum run --preserve-fds 4294967297 x
}

@test "--log takes errors as text and as JSON, and stderr still has them" {
	fails 4 oakum --log "$W/log" state none
	grep -q 'level=error' "$W/log"
	fails 4 oakum --log "$W/json" --log-format json state none
	jq -e '.level == "error" and .msg and .time' "$W/json"
	fails 2 oakum --log-format junk list
	fails 1 oakum --log "$W/none/log" list
	says "$W/none/log"
}

@test "--debug goes to stderr, or to the log alone" {
	bundle
	oakum --debug run -b "$B" "$C" </dev/null 2>"$W/err"
	grep -q level=debug "$W/err"
	ok oakum --debug --log "$W/log" run -b "$B" "$C"
	is "$errors" ""
	grep -q level=debug "$W/log"
	ok oakum --debug --log "$W/json" --log-format json run -b "$B" "$C"
	grep -q '"level":"debug"' "$W/json"
	ok oakum --log-level debug --log "$W/log2" run -b "$B" "$C"
	grep -q level=debug "$W/log2"
	fails 2 oakum --log-level loud list
}

@test "--cgroup-manager, --systemd-cgroup, --rootless" {
	bundle
	ok oakum --cgroup-manager cgroupfs run -b "$B" "$C"
	fails 2 oakum --cgroup-manager frob list
	for r in auto true false; do
		ok oakum --rootless "$r" list
	done
	fails 2 oakum --rootless perhaps list
	# There is no systemd here, and the error says so (tests/systemd has one).
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere XDG_RUNTIME_DIR=/nowhere
	fails 6 oakum --systemd-cgroup run -b "$B" "$C"
	if [ -n "${OAKUM_ROOTLESS-}" ]; then
		says systemd "open the user's bus" DBUS_SESSION_BUS_ADDRESS
	else
		says systemd "open the system bus" --cgroup-manager=cgroupfs
	fi
	fails 6 oakum --cgroup-manager=systemd run -b "$B" "$C"
	fails 6 env OAKUM_SYSTEMD_HELPER=/nowhere "$OAKUM" --root "$ROOT" --systemd-cgroup run -b "$B" "$C"
	says "/nowhere: No such file" OAKUM_SYSTEMD_HELPER
}

@test "--cgroup-manager disabled makes no cgroup" {
	sleeper 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup"))'
	ok oakum --cgroup-manager disabled run -d -b "$B" "$C"
	is "$(cgroups_of "$C")" ""
	is "$(status_of)" running
	ok oakum kill "$C" KILL
	ok oakum delete "$C"
}
