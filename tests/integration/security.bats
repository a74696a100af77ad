#!/usr/bin/env bats
# The runtime layer's known attacks, each with a canary that must be unchanged. The canaries are in the
# test's own tmpfs or a sysctl of its own network namespace, never a file that the whole machine shares.
load ../lib/common

# A tree outside the rootfs that an attack would change.
canary() {
	H=$W/H
	mkdir -p "$H/sub"
	echo 5 >"$H/null"
	echo ptmx >"$H/ptmx"
	echo victim >"$H/victim"
	chmod 640 "$H/victim"
	sum_before=$(canary_sum)
}

canary_sum() {
	(cd "$H" && find . -printf '%p %y %m %U:%G %s %T@ %l\n' | sort; find . -type f -exec sha256sum {} + | sort)
}

unharmed() {
	[ "$(canary_sum)" = "$sum_before" ] || { echo "the canary changed:"; diff <(echo "$sum_before") <(canary_sum); false; }
}

# Run, whatever comes of it; the three shapes an attack is tried in.
attempt() {
	"$@" </dev/null >"$W/stdout" 2>"$W/stderr" && rc=0 || rc=$?
	[ $rc -lt 128 ] || [ $rc -ge 255 ] || { echo "died: $rc"; cat "$W/stderr"; return 1; }
}

shapes() {
	attempt oakum run -b "$B" "$C"
	unharmed
	attempt oakum create -b "$B" "$C"
	unharmed
	if [ $rc = 0 ]; then
		attempt oakum start "$C"
		unharmed
		attempt oakum exec "$C" true
		unharmed
	fi
	oakum delete -f "$C" </dev/null
	unharmed
}

no_dev='.mounts |= map(select(.destination | startswith("/dev") | not))'

@test "T-01 /dev in the rootfs is a symlink to the host" {
	canary
	for target in "$H" ../../../../../../../../../../"$H" "$H/victim"; do
		for more in "$no_dev" "$no_dev | .root.readonly = true" \
			"$no_dev | .linux.devices = [{path: \"/dev/ptmx\", type: \"c\", major: 5, minor: 2}]"; do
			bundle "$more"
			rmdir "$B/rootfs/dev"
			ln -s "$target" "$B/rootfs/dev"
			shapes
			rm -rf "$B"
		done
	done
	# A chain of two.
	bundle "$no_dev"
	rmdir "$B/rootfs/dev"
	ln -s mnt/hop "$B/rootfs/dev"
	ln -s "$H" "$B/rootfs/mnt/hop"
	shapes
}

@test "T-02 /proc or /sys in the rootfs is a symlink: refused by name, nothing mounted" {
	for entry in proc sys; do
		for target in realdir / /proc/1/root ../../..; do
			bundle
			rmdir "$B/rootfs/$entry"
			mkdir "$B/rootfs/realdir"
			ln -s "$target" "$B/rootfs/$entry"
			fails 1 oakum run -b "$B" "$C"
			says "/$entry" "must be mounted on ordinary directory"
			is "$(ls -A "$B/rootfs/realdir")" ""
			rm -rf "$B"
		done
	done
}

@test "T-03 the runtime writes no file into the rootfs" {
	canary
	bundle '.process.args = ["true"]'
	mkdir -p "$B/rootfs/run"
	for name in .dockerenv etc/hosts etc/resolv.conf etc/hostname etc/mtab run/.containerenv .oakum .oakum.json x.nspawn; do
		ln -sf "$H/victim" "$B/rootfs/$name"
	done
	touch "$W/stamp"
	read -r -t 0.05 <> <(:) || :
	shapes
	is "$(find "$B/rootfs" -type f -newer "$W/stamp")" ""
}

@test "T-10 the program cannot be reached through /proc/self/exe" {
	before=$(sha256sum "$OAKUM")
	bundle '.process.args = ["/proc/self/exe", "--version"]'
	attempt oakum run -b "$B" "$C"
	is "$(sha256sum "$OAKUM")" "$before"
	bundle '.process.args = ["/mnt/script"]'
	printf '#!/proc/self/exe\n' >"$B/rootfs/mnt/script"
	chmod 755 "$B/rootfs/mnt/script"
	attempt oakum run -b "$B" "$C"
	is "$(sha256sum "$OAKUM")" "$before"

	# A container process that tries to open whatever enters, while execs go by.
	bundle '.process.args = ["inside", "grab", "1000000"] | .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])'
	oakum run -d -b "$B" "$C" </dev/null >/dev/null
	for _ in {1..100}; do
		attempt oakum exec "$C" true
		attempt oakum exec "$C" /proc/self/exe
	done
	ok oakum delete -f "$C"
	is "$(sha256sum "$OAKUM")" "$before"
}

# bats test_tags=root:kernel
@test "T-11 no descriptor of ours or of the caller's reaches the container" {
	bundle '.process.args = ["inside", "fds"]'
	for n in {40..70}; do
		eval "exec $n</"
	done
	ok oakum run -b "$B" "$C"
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 "
	bundle '.process.args = ["sleep", "1000"]'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" inside fds
	is "$(cut -d' ' -f1 <<<"$output" | sort -n | tr '\n' ' ')" "0 1 2 "
	ok oakum delete -f "$C"
	bundle
	ok oakum create -b "$B" "$C"
	for fd in "/proc/$(pid_of)/fd"/*; do
		case $(readlink "$fd") in
		/dev/null | pipe:* | socket:* | anon_inode:* | /dev/pts/* | "$W"/std* | */gate | /proc* | /memfd:*) ;;
		# A procfs that is attached nowhere: it shows the container's own processes.
		/) is "$(stat -L -f -c %T "$fd")" proc ;;
		*) echo "leaked: $fd $(readlink "$fd")"; false ;;
		esac
	done
	ok oakum delete -f "$C"
	for n in {40..70}; do
		eval "exec $n<&-"
	done
}

@test "T-11 a working directory through a descriptor is refused" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	bundle . "$W/other"
	for n in {3..64}; do
		edit ".process.cwd = \"/proc/self/fd/$n\" | .process.args = [\"ls\", \"-a\", \".\"]" "$W/other"
		attempt oakum run -b "$W/other" "${C}b"
		[ $rc != 0 ] || { echo "cwd fd $n: $(cat "$W/stdout")"; false; }
		attempt oakum exec --cwd "/proc/self/fd/$n" "$C" ls -a .
		[ $rc != 0 ] || { echo "exec cwd fd $n: $(cat "$W/stdout")"; false; }
	done 7</ 8<"$W"
	ok oakum delete -f "$C"
}

@test "T-12 what enters a container cannot be opened from inside" {
	# The host's pid namespace and root: the strongest position from which to look.
	bundle '.process.args = ["inside", "grab", "1500"]
		| .process.capabilities |= map_values(["CAP_DAC_OVERRIDE", "CAP_KILL"]) | .process.capabilities.ambient = []'
	oakum run -d -b "$B" "$C" </dev/null >"$W/grabbed"
	while [ ! -s "$W/grabbed" ]; do
		"$OAKUM" --root "$ROOT" exec "$C" true </dev/null >/dev/null 2>&1 || break
	done
	until_true test -s "$W/grabbed"
	is "$(cat "$W/grabbed")" "exe 0 mem 0 fd 0"
	ok oakum delete -f "$C"
}

# bats test_tags=root:devices
@test "T-20 masked paths with a false /dev/null" {
	canary
	for kind in symlink file fifo zero; do
		for mount in bind none; do
			bundle '.linux.maskedPaths += ["/etc/passwd"] | .process.args = ["sh", "-c", "echo out; wc -c < /etc/passwd"]'
			mkdir "$W/dev"
			case $kind in
			symlink) ln -s "$H/null" "$W/dev/null" ;;
			file) echo fake >"$W/dev/null" ;;
			fifo) mkfifo "$W/dev/null" ;;
			zero) mknod "$W/dev/null" c 1 5 ;;
			esac
			if [ $mount = bind ]; then
				edit "$no_dev | .mounts += [{destination: \"/dev\", type: \"bind\", source: \"$W/dev\", options: [\"rbind\"]}]"
			else
				edit "$no_dev"
				rmdir "$B/rootfs/dev"
				cp -a "$W/dev" "$B/rootfs/dev"
			fi
			attempt timeout 30 "$OAKUM" --root "$ROOT" run -b "$B" "$C"
			unharmed
			# If it ran, the mask is a true null and stdout is the caller's.
			[ $rc != 0 ] || is "$(cat "$W/stdout")" "out
0"
			oakum delete -f "$C" </dev/null
			rm -rf "$B" "$W/dev"
		done
	done
}

@test "T-20b stdio is never re-opened through the rootfs' /dev/null" {
	canary
	bundle "$no_dev"' | .process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo out; inside fds"]'
	rmdir "$B/rootfs/dev"
	mkdir "$B/rootfs/dev"
	ln -s "$H/null" "$B/rootfs/dev/null"
	for how in '</dev/null >/dev/null' '</dev/null | cat' '</dev/null >file' '<&- >&-'; do
		(eval "\"\$OAKUM\" --root \"\$ROOT\" run -b \"\$B\" \"\$C\" 2>err $how") || :
		unharmed
		oakum delete -f "$C" </dev/null
	done
	is "$(stat -c %u:%g /dev/null)" 0:0
}

@test "T-21 a false /proc: what is written goes to the kernel, or the container is refused" {
	bundle '.process.oomScoreAdj = 123 | .linux.sysctl = {"net.ipv4.ip_default_ttl": "77"}'
	mkdir -p "$W/proc/self/attr" "$W/proc/sys/net/ipv4"
	for f in self/oom_score_adj self/setgroups self/uid_map self/gid_map self/attr/exec self/attr/current sys/net/ipv4/ip_default_ttl; do
		: >"$W/proc/$f"
	done
	for order in \
		".mounts |= map(if .destination == \"/proc\" then {destination: \"/proc\", type: \"bind\", source: \"$W/proc\", options: [\"bind\"]} else . end)" \
		".mounts += [{destination: \"/proc\", type: \"bind\", source: \"$W/proc\", options: [\"bind\"]}]" \
		".mounts |= ([{destination: \"/proc\", type: \"bind\", source: \"$W/proc\", options: [\"bind\"]}] + .)" \
		".mounts += [{destination: \"/proc/self\", type: \"tmpfs\", source: \"t\"}]" \
		".mounts += [{destination: \"/proc/sys\", type: \"bind\", source: \"$W/proc/sys\", options: [\"bind\"]}]"; do
		cp "$B/config.json" "$W/keep.json"
		edit "$order"
		edit '.process.args = ["sh", "-c", "mkdir -p /tmp/p; mount -t proc p /tmp/p 2>/dev/null; cat /tmp/p/self/oom_score_adj /proc/self/oom_score_adj 2>/dev/null; true"]'
		attempt oakum run -b "$B" "$C"
		is "$(find "$W/proc" -type f -size +0)" ""
		oakum delete -f "$C" </dev/null
		cp "$W/keep.json" "$B/config.json"
	done
	edit '.process.args = ["cat", "/proc/self/oom_score_adj", "/proc/sys/net/ipv4/ip_default_ttl"]'
	ok oakum run -b "$B" "$C"
	is "$output" "123
77"
	is "$(cat /proc/sys/net/ipv4/ip_default_ttl)" 64
}

@test "T-22 /dev/console is never made through a symlink" {
	canary
	bundle '.process.terminal = true | .process.args = ["stat", "-c", "%t", "/dev/console"]'
	edit "$no_dev"
	rmdir "$B/rootfs/dev"
	mkdir "$B/rootfs/dev"
	ln -s "$H/created" "$B/rootfs/dev/console"
	attempt oakum run -b "$B" "$C"
	unharmed
	[ ! -e "$H/created" ]
	oakum delete -f "$C" </dev/null
	bundle '.process.terminal = true | .process.args = ["stat", "-c", "%t", "/dev/console"]' "$W/plain"
	attempt oakum run -b "$W/plain" "$C"
	is "$(tr -d '\r' <"$W/stdout")" 88
}

@test "T-24 cgroups cannot be changed from inside unless they were delegated" {
	bundle '.process.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]) | .process.noNewPrivileges = false |
		.process.args = ["sh", "-c", "for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/escape 2>/dev/null && echo made $d; (echo x > $d/release_agent) 2>/dev/null && echo agent $d; (echo 0 > $d/cgroup.procs) 2>/dev/null && echo joined $d; done; true"]'
	ok oakum run -b "$B" "$C"
	is "$output" ""
	is "$(find /sys/fs/cgroup -name escape)" ""
}

# bats test_tags=root:kernel
@test "T-30 exec --user: digits in range or an error" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	for good in 0 1 65534 4294967294 0:0 5:6 4294967294:4294967294; do
		ok oakum exec --user "$good" "$C" inside ids
		u=${good%%:*} g=0
		case $good in *:*) g=${good##*:} ;; esac
		prints "uid=$u gid=$g "
	done
	for bad in 01 +1 -1 0x1 1abc " 1" "1 " "1:" ":5" "" 4294967295 4294967296 99999999999 18446744073709551617 root "1:2:3" "1:x" '١' 1:4294967295 1:4294967296; do
		rc=0
		oakum exec --user "$bad" "$C" inside ids </dev/null >"$W/out" 2>"$W/err" || rc=$?
		[ $rc = 255 ] || [ $rc = 2 ] || { echo "'$bad' gave $rc: $(cat "$W/out")"; false; }
		[ ! -s "$W/out" ]
	done
	for bad in 01 4294967296 -1 x 4294967295; do
		fails 255 oakum exec -g "$bad" "$C" inside ids || fails 2 oakum exec -g "$bad" "$C" inside ids
	done
	ok oakum delete -f "$C"
}

@test "T-31 capabilities are what was asked, inheritable is empty, or the container is refused" {
	sleeper '.process.capabilities = {bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]} | .process.noNewPrivileges = false'
	ok oakum run -d -b "$B" "$C"
	ok oakum exec --cap CAP_NET_RAW "$C" grep ^Cap /proc/self/status
	is "$(awk '{ print $1 $2 }' <<<"$output")" "CapInh:0000000000000000
CapPrm:0000000000002001
CapEff:0000000000002001
CapBnd:0000000000002001
CapAmb:0000000000000000"
	ok oakum exec "$C" grep CapInh /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output")" 0000000000000000
	ok oakum delete -f "$C"
	# Ambient without permitted cannot be had; smaller in silence it must not be.
	bundle '.process.capabilities = {bounding: ["CAP_CHOWN"], permitted: [], effective: [], inheritable: [], ambient: ["CAP_CHOWN"]} | .process.args = ["grep", "CapAmb", "/proc/self/status"]'
	attempt oakum run -b "$B" "$C"
	[ $rc != 0 ] || grep -qi ambient "$W/stderr"
}

@test "T-40 a racer swaps directory and symlink at the destination" {
	canary
	bundle
	mkdir -p "$B/rootfs/vol/d/mid/leaf"
	ln -s "$H" "$B/rootfs/vol/l"
	(
		cd "$B/rootfs/vol" || exit
		while [ ! -e "$W/stop" ]; do
			mv -T d x 2>/dev/null; mv -T l d 2>/dev/null; mv -T d l 2>/dev/null; mv -T x d 2>/dev/null
		done
	) &
	racer=$!
	for type in tmpfs proc mqueue; do
		edit ".mounts = [.mounts[0:7][], {destination: \"/vol/d/mid/leaf\", type: \"$type\", source: \"$type\"}, {destination: \"/vol/d/new/leaf\", type: \"$type\", source: \"$type\"}]"
		for _ in {1..40}; do
			attempt oakum run -b "$B" "$C"
			is "$(grep -c "$H" /proc/self/mountinfo)" 0
		done
	done
	edit ".mounts = [.mounts[0:7][], {destination: \"/vol/d/mid/file\", type: \"bind\", source: \"$B/config.json\", options: [\"bind\"]}]"
	for _ in {1..40}; do
		attempt oakum run -b "$B" "$C"
	done
	touch "$W/stop"
	wait $racer || :
	unharmed
}

@test "T-41 sources on the host may go through symlinks" {
	mkdir "$W/real"
	echo through >"$W/real/file"
	ln -s "$W/real" "$W/link"
	bundle ".mounts += [{destination: \"/mnt/x\", type: \"bind\", source: \"$W/link\", options: [\"bind\"]}] | .process.args = [\"cat\", \"/mnt/x/file\"]"
	ok oakum run -b "$B" "$C"
	is "$output" through
}

@test "T-51 large but legal, and too large" {
	bundle '.process.env += [range(20000) | "V\(.)=x"] | .process.args = ["sh", "-c", "env | wc -l"]'
	ok oakum run -b "$B" "$C"
	[ "$output" -ge 20000 ]
	bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(341) | {containerID: (. * 2), hostID: (100000 + . * 2), size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	attempt oakum run -b "$B" "$C"
	[ $rc != 0 ] && [ $rc -lt 128 ]
	grep -q /linux/uidMappings "$W/stderr"
	bundle '.mounts += [range(300) | {destination: "/mnt/m\(.)", type: "tmpfs", source: "t"}] | .process.args = ["sh", "-c", "grep -c /mnt/m /proc/self/mountinfo"]'
	ok oakum run -b "$B" "$C"
	is "$output" 300
}

@test "T-52 annotations change nothing, but those that features lists" {
	bundle '.annotations = ([range(100) | {key: "run.oci.x\(.)", value: "../../x"}] + [range(100) | {key: "org.criu.y\(.)", value: "%s%n"}] | from_entries)
		| .annotations["run.oci.hooks.stdout.x"] = "/run/state/hooked" | .process.args = ["echo", "same"]'
	ok oakum run -b "$B" "$C"
	is "$output" same
	[ ! -e /run/state/hooked ]
	# What has an effect on the host is on the list, and an engine may take it out.
	edit '.annotations = {"run.oci.hooks.stdout": "/run/state/hooked"} | .hooks = {createRuntime: [{path: "/bin/true"}]}'
	ok oakum run -b "$B" "$C"
	[ -e /run/state/hooked ]
	rm /run/state/hooked
	ok oakum features
	jq -e '.potentiallyUnsafeConfigAnnotations | index("run.oci.hooks.stdout")' <<<"$output"
}

@test "T-60 a state root prepared by somebody else" {
	canary
	sleeper
	for trap in symlink fifo hardlink; do
		mkdir -m 700 -p "$ROOT/$C"
		case $trap in
		symlink) ln -s "$H/victim" "$ROOT/$C/state.json" ;;
		fifo) mkfifo "$ROOT/$C/state.json" ;;
		hardlink) rmdir "$ROOT/$C"; ln -s "$H" "$ROOT/$C" ;;
		esac
		for c in state start kill pause resume delete "exec $C true" ps; do
			case $c in
			exec*) attempt timeout 30 "$OAKUM" --root "$ROOT" $c ;;
			*) attempt timeout 30 "$OAKUM" --root "$ROOT" $c "$C" ;;
			esac
			[ $rc != 0 ] && [ $rc != 124 ]
			unharmed
		done
		attempt timeout 30 "$OAKUM" --root "$ROOT" create -b "$B" "$C"
		[ $rc != 0 ] && [ $rc != 124 ]
		attempt timeout 30 "$OAKUM" --root "$ROOT" list
		[ $rc != 124 ]
		attempt timeout 30 "$OAKUM" --root "$ROOT" delete --force "$C"
		[ $rc != 124 ]
		unharmed
		rm -rf "${ROOT:?}/$C"
	done
	ok oakum create -b "$B" "$C"
	is "$(find "$ROOT/$C" -perm /077 ! -type l)" ""
	ok oakum delete -f "$C"
}

# bats test_tags=root:ids
@test "T-61 setuid: refused before anything is read" {
	cp "$OAKUM" "$W/suid"
	chown 0:0 "$W/suid"
	chmod 4755 "$W/suid"
	chmod 755 "$W"
	rc=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$W/suid" list </dev/null >/run/tmp/suid.out 2>&1 || rc=$?
	cat /run/tmp/suid.out
	grep -qi "set-user\|setuid" /run/tmp/suid.out
	rm /run/tmp/suid.out
	[ $rc != 0 ]
}

@test "T-62 no abstract socket; the supervisor's is not reachable from a container or another user" {
	bundle '.linux.namespaces |= map(select(.type != "network")) | .process.args = ["sh", "-c", "cat /proc/net/unix; sleep 1000"]'
	ok oakum up -d -b "$B" "$C"
	until_true bash -c "\"$OAKUM\" --root \"$ROOT\" logs $C | grep -q Inode"
	is "$(oakum logs "$C" </dev/null | grep -c ' @.*oakum')" 0
	sup=$(awk '/^PPid/ { print $2 }' "/proc/$(pid_of)/status")
	for fd in /proc/"$sup"/fd/*; do
		chmod 711 "$W" 2>/dev/null
		is "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$LIB/inside" connect "$fd/ctl" 2>/dev/null | grep -c ok)" 0
	done
	ok oakum down --timeout 0 "$C"
}

@test "T-71 what runs is what was asked: ids, capabilities, limits, seccomp, mounts" {
	bundle '.process.user = {uid: 12, gid: 34, additionalGids: [56], umask: 18} | .process.oomScoreAdj = 50 |
		.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]} |
		.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}, {type: "RLIMIT_FSIZE", soft: 1000000, hard: 2000000}] |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]} |
		.process.args = ["sh", "-c", "cat /proc/self/status /proc/self/limits /proc/self/oom_score_adj; umask"]'
	ok oakum run -b "$B" "$C"
	grep -q $'^Uid:\t12\t12\t12\t12$' <<<"$output"
	grep -q $'^Gid:\t34\t34\t34\t34$' <<<"$output"
	grep -q $'^Groups:\t56 *$' <<<"$output"
	for s in Inh Prm Eff Bnd Amb; do
		grep -q $'^Cap'$s$':\t0000000000000020$' <<<"$output"
	done
	grep -q $'^NoNewPrivs:\t1$' <<<"$output"
	grep -q $'^Seccomp:\t2$' <<<"$output"
	grep -Eq '^Max open files +50 +60 ' <<<"$output"
	grep -Eq '^Max file size +1000000 +2000000 ' <<<"$output"
	grep -qx 50 <<<"$output"
	is "$(tail -1 <<<"$output")" 0022
}

@test "device paths with dots stay inside" {
	for path in /dev/../../host/zz /dev/../mnt/zz; do
		bundle ".linux.devices = [{path: \"$path\", type: \"c\", major: 1, minor: 5}]"
		fails 3 oakum run -b "$B" "$C"
		says /linux/devices/0/path
	done
	[ ! -e "$W/host" ]
}

@test "the host's mount namespace is never touched without one of its own" {
	bundle '.linux.namespaces |= map(select(.type != "mount"))'
	before=$(sort /proc/self/mountinfo)
	attempt oakum run -b "$B" "$C"
	is "$(sort /proc/self/mountinfo)" "$before"
}
