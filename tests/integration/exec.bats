#!/usr/bin/env bats
load ../lib/common

running() {
	sleeper "${1-.}"
	ok oakum run -d -b "$B" "$C"
}

@test "exec passes output, stdin and status on" {
	running
	ok oakum exec "$C" echo hello
	is "$output" hello
	is "$(echo through | oakum exec "$C" cat)" through
	fails_status 1 oakum exec "$C" false
	fails_status 42 oakum exec "$C" sh -c 'exit 42'
	fails_status 137 oakum exec "$C" sh -c 'kill -9 $$'
	ok oakum delete -f "$C"
}

fails_status() {
	local want=$1 rc=0
	shift
	"$@" </dev/null || rc=$?
	is $rc "$want"
}

@test "what fails before the program runs is 255, not found 127, not executable 126" {
	running
	fails 255 oakum exec nobody true
	says nobody
	fails 255 oakum exec --pid-file "$W/none/pid" "$C" true
	fails 127 oakum exec "$C" /bin/nope
	says /bin/nope "no such file or directory"
	fails 127 oakum exec -d "$C" nope
	says nope "executable file not found"
	fails 126 oakum exec "$C" /etc/passwd
	says /etc/passwd "permission denied"
	ok oakum delete -f "$C"
}

@test "exec --cwd" {
	running
	ok oakum exec --cwd /bin "$C" pwd
	is "$output" /bin
	fails 255 oakum exec --cwd /none "$C" pwd
	says /none
	ok oakum delete -f "$C"
}

@test "exec --env adds to the container's environment" {
	running '.process.env += ["FROM=config"]'
	ok oakum exec -e A=1 --env B=2 --env=C=3 "$C" env
	grep -qx A=1 <<<"$output"
	grep -qx B=2 <<<"$output"
	grep -qx C=3 <<<"$output"
	grep -qx FROM=config <<<"$output"
	grep -qx HOME=/root <<<"$output"
	fails 255 oakum exec -e JUNK "$C" env
	ok oakum delete -f "$C"
}

@test "exec --user and --additional-gids" {
	running
	ok oakum exec --user 1000:1001 "$C" inside ids
	is "$output" "uid=1000 gid=1001 groups="
	ok oakum exec -u 65535:65535 -g 7 --additional-gids 8 "$C" inside ids
	is "$output" "uid=65535 gid=65535 groups=7,8"
	ok oakum exec -u 1000 "$C" sh -c 'echo $HOME'
	is "$output" /
	ok oakum exec -u 0 "$C" sh -c 'echo $HOME'
	is "$output" /root
	ok oakum delete -f "$C"
}

@test "exec --cap and --no-new-privs" {
	running '.process.noNewPrivileges = false'
	ok oakum exec --cap CAP_SYS_PTRACE "$C" grep Cap /proc/self/status
	for set in CapBnd CapEff CapPrm; do
		value=$(awk -v s="$set:" '$1 == s { print $2 }' <<<"$output")
		[ $((0x$value >> 19 & 1)) = 1 ]
	done
	is "$(awk '$1 == "CapInh:" { print $2 }' <<<"$output")" 0000000000000000
	ok oakum exec "$C" grep NoNewPrivs /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output")" 0
	ok oakum exec --no-new-privs "$C" grep NoNewPrivs /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output")" 1
	fails 255 oakum exec --cap CAP_FROB "$C" true
	ok oakum delete -f "$C"
}

@test "exec --process" {
	running
	cat >"$W/process.json" <<-J
	{"args": ["sh", "-c", "env; id -u; id -G; pwd"], "cwd": "/bin", "env": ["ONLY=this", "PATH=/bin"], "user": {"uid": 5, "gid": 6, "additionalGids": [8, 9]}}
	J
	ok oakum exec --process "$W/process.json" "$C"
	prints ONLY=this HOME=/ "6 8 9" /bin
	case $output in *TERM=*) false ;; esac
	echo '{"args": ["echo", "least"], "cwd": "/"}' >"$W/process.json"
	ok oakum exec -p "$W/process.json" "$C"
	fails 255 oakum exec -p "$W/none.json" "$C"
	echo '{' >"$W/process.json"
	fails 255 oakum exec -p "$W/process.json" "$C"
	ok oakum delete -f "$C"
}

@test "exec --detach, --pid-file, --pidfd-socket" {
	running
	ok oakum exec -d --pid-file "$W/pid" "$C" sleep 1000
	is "$output$errors" ""
	pid=$(cat "$W/pid")
	[ "$pid" != "$(pid_of)" ]
	jq -e --argjson p "$pid" 'index($p) != null' <<<"$(oakum ps -f json "$C")"
	"$LIB/inside" recvpid "$W/pidfd" >"$W/out" &
	receiver=$!
	until_true test -S "$W/pidfd"
	ok oakum exec -d --pid-file "$W/pid2" --pidfd-socket "$W/pidfd" "$C" sleep 1000
	wait $receiver
	is "$(cat "$W/out")" "$(cat "$W/pid2")"
	ok oakum delete -f "$C"
}

@test "exec --tty: a pty of the container's, ONLCR off, owned by the user" {
	running
	ok oakum exec --tty "$C" inside tty
	prints "tty 1 1 1" "onlcr 0"
	case $output in *$'\r'*) false ;; esac
	ok oakum exec -t "$C" readlink /proc/self/fd/0
	case $output in /dev/pts/*) ;; *) false ;; esac
	ok oakum exec -t --user 1 "$C" sh -c 'stat -c "%u %g" $(readlink /proc/self/fd/0)'
	is "$output" "1 5"
	ok oakum delete -f "$C"
}

@test "exec --console-socket" {
	running
	"$LIB/inside" recvfd "$W/console" >"$W/out" &
	receiver=$!
	until_true test -S "$W/console"
	ok oakum exec -d -t --console-socket "$W/console" "$C" inside tty
	wait $receiver || :
	output=$(<"$W/out")
	prints "terminal 1" "tty 1 1 1"
	ok oakum delete -f "$C"
}

@test "exec --preserve-fds" {
	running
	ok oakum exec --preserve-fds 2 "$C" cat /proc/self/fd/4 3<"$B" 4<"$B/config.json"
	prints ociVersion
	ok oakum exec "$C" inside fds 3<"$B" 4<"$B/config.json"
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 "
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "exec into created, stopped and paused containers" {
	sleeper
	ok oakum create -b "$B" "$C"
	ok oakum exec "$C" echo early
	is "$output" early
	is "$(status_of)" created
	ok oakum start "$C"
	ok oakum pause "$C"
	fails 255 oakum exec "$C" true
	says "cannot exec in a paused container"
	oakum exec --ignore-paused "$C" echo late >"$W/out" </dev/null &
	waiting=$!
	read -r -t 0.3 <> <(:) || :
	[ ! -s "$W/out" ]
	ok oakum resume "$C"
	wait $waiting
	is "$(cat "$W/out")" late
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	fails 255 oakum exec "$C" true
	ok oakum delete "$C"
}

@test "exec lands in the container's cgroups and namespaces" {
	running
	ok oakum exec "$C" cat /proc/self/cgroup
	inner=$output
	ok oakum exec "$C" cat /proc/1/cgroup
	is "$inner" "$output"
	for ns in pid net ipc uts mnt; do
		a=$(oakum exec "$C" readlink /proc/self/ns/$ns </dev/null)
		is "$a" "$(readlink "/proc/$(pid_of)/ns/$ns")"
	done
	ok oakum delete -f "$C"
}

@test "exec: umask, rlimits and seccomp of the container hold" {
	running '.process.user.umask = 63 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}] |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", errnoRet: 121}]}'
	ok oakum exec "$C" sh -c 'umask; ulimit -n; ulimit -Hn'
	is "$output" "0077
77
99"
	fails_status 1 oakum exec "$C" inside errno 79
	is "$(oakum exec "$C" inside errno 79 </dev/null)" 121
	ok oakum delete -f "$C"
}

@test "exec does not change the owner of the caller's /dev/null" {
	running
	before=$(stat -c '%u:%g %a' /dev/null)
	ok oakum exec -u 1000:1000 "$C" true
	is "$(stat -c '%u:%g %a' /dev/null)" "$before"
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "exec --cgroup: a sub-cgroup, and what is refused" {
	running
	for dir in $(cgroups_of "$C"); do
		mkdir "$dir/sub"
		[ ! -e "$dir/sub/cpuset.cpus" ] || { cat "$dir/cpuset.cpus" >"$dir/sub/cpuset.cpus"; cat "$dir/cpuset.mems" >"$dir/sub/cpuset.mems"; } 2>/dev/null || :
	done
	ok oakum exec --cgroup sub "$C" cat /proc/self/cgroup
	prints "/sub"
	fails 255 oakum exec --cgroup ../other "$C" true
	says "../other"
	fails 255 oakum exec --cgroup none "$C" true
	ok oakum delete -f "$C"
}

# bats test_tags=root:cgroup
@test "exec --cgroup: sub-cgroups, by controller where there are several, and what is refused" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	fails 255 oakum exec --cgroup .. "$C" true
	says "bad sub cgroup path" '`..` components are not allowed'
	fails 255 oakum exec --cgroup a/../../b "$C" true
	says "bad sub cgroup path"
	fails 255 oakum exec --cgroup nonexistent "$C" true
	says " adding pid " "/nonexistent/cgroup.procs: no such file or directory"
	fails 255 oakum exec --cgroup whaaat:/ "$C" true
	says "unknown controller whaaat"
	ok oakum exec --cgroup / "$C" cat /proc/self/cgroup
	is "$output" "$(cat "/proc/$(pid_of)/cgroup")"
	if on_v2; then
		mkdir "$(cgroup_dir pids)/sub"
		ok oakum exec --cgroup sub "$C" cat /proc/self/cgroup
		prints "/$(cgroup_name)/sub"
	else
		mkdir "$(cgroup_dir pids)/sub" "$(cgroup_dir freezer)/deep" "$(cgroup_dir freezer)/deep/er"
		fails 255 oakum exec --cgroup freezer:nonexistent "$C" true
		says " adding pid "
		ok oakum exec --cgroup pids:sub --cgroup freezer:deep/er "$C" cat /proc/self/cgroup
		grep -q ":pids:.*/$(cgroup_name)/sub\$" <<<"$output"
		prints "/$(cgroup_name)/deep/er"
		is "$(grep -c "/$(cgroup_name)\$" <<<"$output")" "$(($(wc -l <<<"$output") - 2))"
		# Wherever there is one of that name.
		ok oakum exec --cgroup sub "$C" cat /proc/self/cgroup
		is "$(grep -c "/$(cgroup_name)/sub\$" <<<"$output")" 1
	fi
	ok oakum delete -f "$C"
}

# systemd does the same with a scope.
removed() { [ ! -e "$1" ] || rmdir "$1"; }

# bats test_tags=root:cgroup
@test "exec in v2: where the container's cgroup takes no process, or is gone, that of its init; and no other when one is asked for" {
	local v2=/sys/fs/cgroup dir
	on_v2 || v2=$v2/unified
	[ -e $v2/cgroup.controllers ] || skip "no cgroup2 hierarchy is mounted here"
	sleeper '.process.args = ["sh", "-c", "while :; do sleep 1000; done"]'
	ok oakum run -d -b "$B" "$C"
	dir=$v2$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	# in_cgroup DIRECTORY EXEC-OPTION…: the kernel's own list of it has the command.
	in_cgroup() {
		local want=$1
		shift
		ok oakum exec -d --pid-file exec.pid "$@" "$C" sleep 1000 </dev/null
		grep -qx "$(cat exec.pid)" "$want/cgroup.procs" || { cat "/proc/$(cat exec.pid)/cgroup"; return 1; }
		kill -KILL "$(cat exec.pid)"
		until_true gone_from "$want/cgroup.procs"
	}
	give_hugetlb() { echo +hugetlb >"$dir/cgroup.subtree_control"; }
	all_to() { local pids pid; pids=$(<"$1/cgroup.procs"); for pid in $pids; do echo "$pid" >"$2/cgroup.procs"; done; }
	gone_from() { ! grep -qx "$(cat exec.pid)" "$1"; }
	mkdir "$dir/init"
	# It and its sleep.
	all_to "$dir" "$dir/init"
	in_cgroup "$dir"
	if grep -qw hugetlb "$dir/cgroup.controllers"; then
		# Who has just died may still be in it.
		until_true give_hugetlb
		in_cgroup "$dir/init"
		in_cgroup "$dir/init" --cgroup init
		if on_v2; then
			fails 255 oakum exec --cgroup / "$C" true
			says " adding pid " " to cgroups" "evice or resource busy"
		fi
		echo -hugetlb >"$dir/cgroup.subtree_control"
	fi
	# The container has moved out of it, and it is removed.
	mkdir $v2/elsewhere
	all_to "$dir/init" $v2/elsewhere
	until_true removed "$dir/init"
	until_true removed "$dir"
	in_cgroup $v2/elsewhere
	if on_v2; then
		fails 255 oakum exec --cgroup / "$C" true
		says " adding pid " " to cgroups" ENOENT
	fi
	ok oakum delete -f "$C"
	rmdir $v2/elsewhere
}
