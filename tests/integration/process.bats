#!/usr/bin/env bats
# The container's process as its configuration has it: directory, environment, user, capabilities, limits, terminal; and what
# a process that is executed beside it has of that.
load ../lib/common

# seen FILTER COMMAND…: the output of a shell command in a container with that configuration.
seen() {
	local filter=$1
	shift
	bundle "$filter | .process.args = [\"sh\", \"-c\", \$ARGS.positional[0]]" "" "$@"
	ok oakum run -b "$B" "$C"
}

# bats test_tags=root:ids
@test "cwd: made also for a read-only root, entered by whom of root and the user may" {
	seen '.root.readonly = true | .process.cwd = "/not/there/yet"' 'pwd; echo x >y || echo read-only'
	is "$output" "/not/there/yet
read-only"
	bundle '.process.cwd = "/bin" | .process.args = ["./echo", "relative"]'
	ok oakum run -b "$B" "$C"
	is "$output" relative
	# Root without CAP_DAC_OVERRIDE cannot enter it; the user, whose it is, can.
	bundle '.process.cwd = "/private" | .process.user = {uid: 1000, gid: 1000} | .process.args = ["pwd"]'
	mkdir -m 700 "$B/rootfs/private"
	chown 1000:1000 "$B/rootfs/private"
	ok oakum run -b "$B" "$C"
	is "$output" /private
	# A user who cannot is put there by root, who can.
	chown 1001:1001 "$B/rootfs/private"
	ok oakum run -b "$B" "$C"
	is "$output" /private
	# In a user namespace whose root may not, and neither may the user: an error.
	bundle '.process.cwd = "/private" | .process.user = {uid: 1000, gid: 1000} | .process.args = ["pwd"] | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'
	chown 0:0 "$B/rootfs/private"
	fails 1 oakum run -b "$B" "$C"
	says /process/cwd EACCES
}

@test "HOME: an empty one is none, from the container's passwd, also through a symlink, never twice" {
	seen '.process.env += ["HOME="]' 'echo "$HOME"; env | grep -c ^HOME='
	is "$output" "/root
1"
	bundle '.process.env += ["HOME=/a", "HOME=/b"] | .process.args = ["cat", "/proc/self/environ"]'
	ok oakum run -b "$B" "$C"
	is "$(tr '\0' '\n' <"$W/stdout" | grep ^HOME=)" HOME=/b
	seen '.process.user = {uid: 4711, gid: 0}' 'echo "$HOME"'
	is "$output" /
	bundle '.process.user = {uid: 12, gid: 0} | .process.args = ["sh", "-c", "echo $HOME"]'
	rm "$B/rootfs/etc/passwd"
	mkdir "$B/rootfs/real"
	echo 'twelve:x:12:0::/home/of/12:/bin/sh' >"$B/rootfs/real/passwd"
	ln -s /real/passwd "$B/rootfs/etc/passwd"
	ok oakum run -b "$B" "$C"
	is "$output" /home/of/12
	rm "$B/rootfs/etc/passwd"
	ok oakum run -b "$B" "$C"
	is "$output" /
}

@test "environment: newlines pass, the last of a name is the only one" {
	seen '.process.env += ["N=one\ntwo", "A=1", "EMPTY=", "A=2"]' 'echo "$N"; cat /proc/self/environ; echo "<$EMPTY>"'
	prints "one
two" "<>"
	is "$(tr '\0' '\n' <"$W/stdout" | grep ^A=)" A=2
	sleeper '.process.env += ["N=one\ntwo"]'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec -e "M=a
b" "$C" sh -c 'echo "$N$M"'
	is "$output" "one
twoa
b"
	ok oakum delete -f "$C"
}

@test "user: all four ids, no other groups by default, additional ones in their order, umask" {
	seen '.process.user = {uid: 7, gid: 8}' 'grep -E "^(Uid|Gid|Groups)" /proc/self/status | tr "\t" " "; umask'
	is "$output" "Uid: 7 7 7 7
Gid: 8 8 8 8
Groups:  
0022"
	bundle '.process.user = {uid: 7, gid: 8, additionalGids: [300, 20, 1000]} | .process.args = ["inside", "ids"]'
	ok oakum run -b "$B" "$C"
	[[ $output == "uid=7 gid=8 groups="* ]]
	is "$(tr ',' '\n' <<<"${output##*=}" | sort -n | tr '\n' ' ')" "20 300 1000 "
	sleeper '.process.user.umask = 7'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec -g 900 -g 30 "$C" id -G
	is "$output" "0 30 900"
	ok oakum exec "$C" sh -c umask
	is "$output" 0007
	jq -n '{args: ["sh", "-c", "umask"], cwd: "/", user: {uid: 0, gid: 0, umask: 63}, env: ["PATH=/bin"]}' >process.json
	ok oakum exec --process process.json "$C"
	is "$output" 0077
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "capabilities: for root and for a user, and what an unprivileged file needs" {
	local all='["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL"]' set
	for set in bounding permitted inheritable; do
		for uid in 0 1000; do
			seen ".process.capabilities = {bounding: [\"CAP_KILL\"], $set: [\"CAP_KILL\"]} | .process.user = {uid: $uid, gid: 0} | .process.noNewPrivileges = false" \
				'grep ^Cap /proc/self/status | sort | tr "\t\n" "  "'
			# Root is given by execve what the bounding set allows (without ambient ones: no set of its own).
			[ $uid = 0 ] && have=20 || have=00
			[ $set = inheritable ] && inherit=20 || inherit=00
			is "$output" "CapAmb: 0000000000000000 CapBnd: 0000000000000020 CapEff: 00000000000000$have CapInh: 00000000000000$inherit CapPrm: 00000000000000$have "
		done
	done
	# A bounding set that is smaller than what is asked for bounds root after execve.
	seen '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_CHOWN"]} | .process.noNewPrivileges = false' 'grep CapEff /proc/self/status'
	is "${output#*$'\t'}" 0000000000000020
	seen ".process.user = {uid: 1000, gid: 1000} | .process.capabilities = {bounding: $all, effective: $all, permitted: $all, inheritable: $all, ambient: $all}" \
		'grep ^Cap /proc/self/status | cut -f2 | sort -u'
	is "$output" 0000000000000023
	# Only with a capability may this user execute the program: asked of the kernel, not guessed before.
	bundle ".process.user = {uid: 1000, gid: 1000} | .process.args = [\"/bin/mine\"] | .process.capabilities = {bounding: $all, effective: $all, permitted: $all, inheritable: $all, ambient: $all}"
	cp "$B/rootfs/bin/inside" "$B/rootfs/bin/mine"
	chmod 700 "$B/rootfs/bin/mine"
	jq '.process.args += ["exit", "7"]' <"$B/config.json" >"$W/c" && cp "$W/c" "$B/config.json"
	rc=0
	oakum run -b "$B" "$C" </dev/null || rc=$?
	is $rc 7
	jq 'del(.process.capabilities)' <"$W/c" >"$B/config.json"
	fails 126 oakum run -b "$B" "$C"
	says "permission denied" /process/args/0
	# Ambient without inheritable: said, and the container runs.
	bundle '.process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"]} | .process.args = ["grep", "^CapAmb", "/proc/self/status"]'
	ok oakum run -b "$B" "$C"
	says "can't raise ambient capability CAP_CHOWN: "
	is "${output#*$'\t'}" 0000000000000000
}

@test "limits: all kinds, soft and hard, for exec too, and a process.json's own" {
	local kinds='["AS","CORE","CPU","DATA","FSIZE","LOCKS","MEMLOCK","MSGQUEUE","NICE","NOFILE","NPROC","RSS","RTPRIO","RTTIME","SIGPENDING","STACK"]'
	bundle ".process.rlimits = ($kinds | map({type: (\"RLIMIT_\" + .), soft: 0, hard: 0}))
		| .process.rlimits |= map(if .type == \"RLIMIT_AS\" or .type == \"RLIMIT_DATA\" or .type == \"RLIMIT_STACK\" or .type == \"RLIMIT_FSIZE\" then .soft = 100000000 | .hard = 200000000
			elif .type == \"RLIMIT_NOFILE\" or .type == \"RLIMIT_CPU\" then .soft = 60 | .hard = 70 else . end)
		| .process.args = [\"cat\", \"/proc/self/limits\"]"
	ok oakum run -b "$B" "$C"
	is "$(grep '^Max address space' <<<"$output" | tr -s ' ')" "Max address space 100000000 200000000 bytes "
	is "$(grep '^Max open files' <<<"$output" | tr -s ' ')" "Max open files 60 70 files "
	is "$(grep '^Max cpu time' <<<"$output" | tr -s ' ')" "Max cpu time 60 70 seconds "
	is "$(grep -cE ' 0 +0 ' <<<"$output")" 10
	sleeper '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}, {type: "RLIMIT_CORE", soft: 1, hard: 2}]'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c 'ulimit -n; ulimit -Hn'
	is "$output" "77
99"
	jq -n '{args: ["sh", "-c", "ulimit -n; ulimit -Hn"], cwd: "/", env: ["PATH=/bin"], rlimits: [{type: "RLIMIT_NOFILE", soft: 12, hard: 34}]}' >process.json
	ok oakum exec --process process.json "$C"
	is "$output" "12
34"
	ok oakum delete -f "$C"
	bundle '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 4000000000}]'
	if ! oakum run -b "$B" "$C" </dev/null 2>"$W/err"; then
		grep -q '/process/rlimits/0: .*RLIMIT_NOFILE' "$W/err"
	fi
}

@test "OOM score: what is asked for, else the caller's, for exec too" {
	seen '.process.oomScoreAdj = 321' 'cat /proc/self/oom_score_adj'
	is "$output" 321
	bundle '.process.args = ["cat", "/proc/self/oom_score_adj"]'
	ok sh -c 'echo 77 >/proc/self/oom_score_adj; exec "$0" "$@"' "$OAKUM" --root "$ROOT" run -b "$B" "$C"
	is "$output" 77
	sleeper '.process.oomScoreAdj = 55'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" cat /proc/self/oom_score_adj
	is "$output" 55
	jq -n '{args: ["cat", "/proc/self/oom_score_adj"], cwd: "/", env: ["PATH=/bin"], oomScoreAdj: 66}' >process.json
	ok oakum exec --process process.json "$C"
	is "$output" 66
	ok oakum delete -f "$C"
}

@test "noNewPrivileges: true, false, and exec has the container's" {
	seen '.process.noNewPrivileges = false' 'grep NoNewPrivs /proc/self/status'
	is "${output#*$'\t'}" 0
	sleeper '.process.noNewPrivileges = true'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" grep NoNewPrivs /proc/self/status
	is "${output#*$'\t'}" 1
	ok oakum delete -f "$C"
}

@test "terminal: sizes from none to the largest, in run and exec; whose it is" {
	local size
	for size in "0 0" "1 1" "24 80" "65535 65535"; do
		bundle ".process.terminal = true | .process.consoleSize = {height: ${size% *}, width: ${size#* }} | .process.args = [\"inside\", \"tty\"]"
		ok oakum run -b "$B" "$C"
		prints "tty 1 1 1" "rows ${size% *} columns ${size#* }"
		case $output in *$'\r'*) false ;; esac
	done
	seen '.process.terminal = true | .process.user = {uid: 1000, gid: 1000}' 'stat -c "%u:%g %a" $(tty); readlink /proc/self/fd/0; stat -c %t:%T /dev/console; test -c /dev/console && echo "$TERM"'
	is "$output" "1000:5 620
/dev/pts/0
88:0
xterm"
	sleeper
	ok oakum run -d -b "$B" "$C"
	jq -n '{args: ["inside", "tty"], cwd: "/", env: ["PATH=/bin"], terminal: true, consoleSize: {height: 11, width: 22}}' >process.json
	ok oakum exec --process process.json "$C"
	prints "tty 1 1 1" "onlcr 0" "rows 11 columns 22"
	ok oakum exec -t -u 1 "$C" sh -c 'stat -c "%u:%g" $(tty); printf "a\nb\n"'
	is "$output" "1:5
a
b"
	ok oakum delete -f "$C"
	# A read-only root without a tmpfs for /dev, in a user namespace.
	bundle '.process.terminal = true | .root.readonly = true | .process.args = ["inside", "tty"] | .mounts |= map(select(.destination != "/dev"))
		| .linux.namespaces += [{type: "user"}] | del(.linux.resources)'
	mkdir -p "$B/rootfs/dev/pts" "$B/rootfs/dev/shm" "$B/rootfs/dev/mqueue"
	ok oakum run -b "$B" "$C"
	prints "tty 1 1 1"
}

@test "terminal: where a person looks on, it is the container's that makes new lines, and nothing is added" {
	bundle '.process.terminal = true | .process.args = ["sh", "-c", "inside tty; stty -opost; printf \"down\\nhere\"; stty opost; echo; echo end"]'
	cat >"$W/at" <<-END
		stty rows 12 cols 34
		"$OAKUM" --root "$ROOT" run -b "$B" "$C"
		stty -a | grep -o -- '-*opost'
	END
	# An input that does not end: the end would reach the container's terminal as a NUL, and be echoed at any moment.
	mkfifo "$W/keys"
	exec 8<>"$W/keys"
	script -qec "sh $W/at" /dev/null <&8 >"$W/screen" 2>&1
	grep -q $'onlcr 1\r$' "$W/screen"
	grep -q $'rows 12 columns 34\r$' "$W/screen"
	# What moves the cursor arrives as it was meant.
	grep -q '^down$' "$W/screen"
	grep -q $'^here\r$' "$W/screen"
	! grep -q $'\r\r' "$W/screen"
	# And the terminal is as it was.
	grep -q $'^opost\r$' "$W/screen"
	# Its output caught by a pipe: plain.
	bundle '.process.terminal = true | .process.args = ["inside", "tty"]'
	script -qec "'$OAKUM' --root '$ROOT' run -b '$B' '$C' | cat >'$W/caught'" /dev/null <&8 >/dev/null 2>&1
	exec 8>&-
	grep -qx "onlcr 0" "$W/caught"
}

# bats test_tags=root:cgroup
@test "exec has what the container has: personality, umask, memory policy, scheduler, I/O priority, seccomp, time" {
	local time=. seen_time
	[ ! -e /proc/self/ns/time ] || time='.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
	sleeper "$time | .linux.personality = {domain: \"LINUX32\"} | .process.user.umask = 54 | .linux.memoryPolicy = {mode: \"MPOL_LOCAL\"}
		| .process.scheduler = {policy: \"SCHED_BATCH\", nice: 3} | .process.ioPriority = {class: \"IOPRIO_CLASS_BE\", priority: 5}
		| .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"getpriority\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 99}]}"
	[ -e /proc/self/numa_maps ] || jq 'del(.linux.memoryPolicy)' <"$B/config.json" >"$W/c" && [ ! -s "$W/c" ] || cp "$W/c" "$B/config.json"
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" sh -c 'uname -m; umask; inside sched; inside errno 140 || :; cut -d. -f1 /proc/uptime'
	prints i686 0066 "policy=3 nice=3 " "io=2:5" "personality=8"
	is "$(sed -n 4p <<<"$output")" 99
	[ ! -e /proc/self/numa_maps ] || prints "memory=4:"
	if [ -e /proc/self/ns/time ]; then
		seen_time=$(tail -n 1 <<<"$output")
		[ "$seen_time" -ge 1000000 ]
	fi
	ok oakum delete -f "$C"
}
