#!/usr/bin/env bats
# podman, the way its users call it, with the configuration of docs/engines.md.
. "$BATS_TEST_DIRNAME/common.bash"

NEEDS="podman conmon"
# podman keeps the runtime's state below its own temporary directory.
ROOT=/run/tmp/engine/none
I=localhost/box:1

engine_start() {
	doc "podman containers.conf" >"$E/containers.conf" || return 1
	# The limits of the caller are what they are: nobody here may raise them.
	sed -i 's/^\[engine\]$/&\nevents_logger = "file"\ninfra_image = "localhost\/pause:1"/' "$E/containers.conf"
	# Where systemd is booted, it is podman's default.
	[ -n "${OAKUM_MANAGER-}" ] || sed -i 's/^\[engine\]$/&\ncgroup_manager = "cgroupfs"/' "$E/containers.conf"
	printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=32768:32768"]\nnetns = "none"\n' "$(ulimit -Hn)" "$(ulimit -Hn)" >>"$E/containers.conf"
	# Its own limit needs a controller that this v2 hierarchy may not have.
	has_controller pids || echo 'pids_limit = 0' >>"$E/containers.conf"
	mkdir -p /etc/containers
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	tar -C "$FIXTURE/rootfs" --numeric-owner --owner 0 --group 0 -c . | pod import --change CMD=sh - "$I" >"$E/import.log" 2>&1
	tar -C "$FIXTURE/rootfs" --numeric-owner --owner 0 --group 0 -c . | pod import --change 'CMD ["sleep", "100000"]' - localhost/pause:1 >>"$E/import.log" 2>&1
	is "$(pod info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}} {{.Host.CgroupManager}}')" \
		"oakum $OAKUM ${OAKUM_MANAGER-cgroupfs}" || return 1
	# The first container brings what stays: a parent cgroup, a mount of the storage, our state root.
	pod run --rm --network none "$I" true
}

engine_stop() {
	local rc=0
	pod rm -f -a -t 0 >/dev/null
	# podman calls the runtime without a state root: ours must be empty but for compiled filters.
	rm -rf /run/oakum/.cache
	rmdir /run/oakum || rc=1
	# Slices stay until they are told.
	[ -z "${OAKUM_MANAGER-}" ] || systemctl stop machine.slice
	# What podman keeps there, and the directories it makes for controllers that are not mounted.
	! mountpoint -q /run/netns || umount -l /run/netns
	rm -rf --one-file-system /run/libpod /run/containers /run/netns /run/lock/libpod*
	find /sys/fs/cgroup -depth -path '*/libpod_parent*' \( -type f -name tasks -delete -o -type d -exec rmdir {} \; \) 2>/dev/null || :
	return $rc
}

engine_sweep() { pod rm -f -a -t 0; pod pod rm -f -a; }

pod() {
	CONTAINERS_CONF=$E/containers.conf podman --root "$E/root" --runroot "$E/runroot" --tmpdir "$E/libpod" --storage-driver vfs "$@"
}

# podman unmounts a container's /dev/shm twice at once, by rm and by its own clean-up, and one of them may find it
# busy, whatever the runtime.
removed() { until_true pod rm -f -t 0 "$@" >/dev/null; }

# What stands in the cgroup of a container, v1 or v2.
limit() {
	local dir
	dir=$(cgroup_of "$(pod inspect -f '{{.State.Pid}}' "$1")" "$2")
	cat "$dir/$(on_v2 && echo "$4" || echo "$3")"
}

@test "run: output, status, signal, and what a program that is none says" {
	gives 0 pod run --rm "$I" echo hello
	is "$output" hello
	gives 42 pod run --rm "$I" sh -c 'exit 42'
	gives 127 pod run --rm "$I" nosuch
	says "executable file not found in \$PATH"
	gives 127 pod run --rm "$I" /no/such
	says "no such file or directory"
	gives 126 pod run --rm "$I" /etc/passwd
	says "permission denied"
	is "$(echo in | pod run --rm -i "$I" cat)" in
}

@test "run -d, logs, exec, pause, unpause, stop, rm" {
	gives 0 pod run -d --name "$C" "$I" sh -c 'trap "exit 5" TERM; echo first; while :; do sleep 0.1; done'
	until_true has_logged pod first
	gives 0 pod exec "$C" sh -c 'echo $PATH; id -u'
	prints /bin
	gives 0 pod exec --user 5:6 --workdir /tmp --env X=y "$C" sh -c 'echo $(id -u):$(id -g) $PWD $X'
	is "$output" "5:6 /tmp y"
	gives 3 pod exec "$C" sh -c 'exit 3'
	gives 127 pod exec "$C" nosuch
	gives 0 pod exec -t "$C" tty
	prints /dev/pts/
	gives 0 pod pause "$C"
	frozen "$(pod inspect -f '{{.State.Pid}}' "$C")"
	gives 0 pod unpause "$C"
	gives 0 pod top "$C"
	prints "sleep 0.1"
	gives 0 pod stats --no-stream "$C"
	prints "$C"
	gives 0 pod stop -t 20 "$C"
	is "$(pod inspect -f '{{.State.ExitCode}}' "$C")" 5
	gives 0 pod start "$C"
	gives 0 pod restart -t 20 "$C"
	gives 0 pod kill "$C"
	gives 0 pod wait "$C"
	is "$output" 137
	gives 0 pod rm "$C"
}

@test "a terminal, in the foreground" {
	gives 0 script -qec "$(declare -f pod); E=$E; pod run --rm -it $I sh -c 'tty; stty size'" /dev/null
	prints /dev/pts/0
}

@test "limits, at the start and changed" {
	need_controllers memory
	gives 0 pod run -d --name "$C" --pids-limit 50 --memory 64m --cpus 0.5 --cpu-shares 512 "$I" sleep 1000
	is "$(limit "$C" pids pids.max pids.max)" 50
	is "$(limit "$C" memory memory.limit_in_bytes memory.max)" 67108864
	pid=$(pod inspect -f '{{.State.Pid}}' "$C")
	unit_has "$pid" TasksMax 50
	unit_has "$pid" MemoryMax 67108864
	unit_has "$pid" CPUQuotaPerSecUSec 500ms
	unit_has "$pid" Delegate yes
	on_v2 && is "$(limit "$C" cpu - cpu.max)" "50000 100000" || is "$(limit "$C" cpu cpu.cfs_quota_us -)" 50000
	gives 0 pod update --memory 32m "$C"
	is "$(limit "$C" memory memory.limit_in_bytes memory.max)" 33554432
	gives 0 pod pause "$C"
	gives 0 pod update --cpu-shares 300 "$C"
	on_v2 || is "$(limit "$C" cpu cpu.shares)" 300
	is "$(limit "$C" memory memory.limit_in_bytes memory.max)" 33554432
	gives 0 pod unpause "$C"
	removed "$C"
}

@test "user namespaces: host, mappings, auto ranges" {
	gives 0 pod run --rm --userns host "$I" cat /proc/self/uid_map
	prints 4294967295
	! mountpoint -q /sys/kernel || skip "podman cannot take away what systemd-nspawn mounts in /sys"
	gives 0 pod run --rm --uidmap 0:100000:65536 --gidmap 0:200000:65536 "$I" sh -c 'cat /proc/self/uid_map /proc/self/gid_map; touch /made; stat -c %u:%g /made'
	prints "100000      65536" "200000      65536" "0:0"
	gives 0 pod run -d --name "$C" --uidmap 0:100000:65536 "$I" sleep 1000
	is "$(stat -c %u "/proc/$(pod inspect -f '{{.State.Pid}}' "$C")")" 100000
	gives 0 pod exec "$C" id -u
	is "$output" 0
	removed "$C"
}

@test "capabilities, no-new-privileges, seccomp" {
	gives 0 pod run --rm --cap-drop all --cap-add net_raw "$I" grep -E 'Cap(Eff|Bnd)' /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output" | sort -u)" 0000000000002000
	gives 0 pod run --rm --security-opt no-new-privileges "$I" grep NoNewPrivs /proc/self/status
	prints 1
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}' >profile.json
	gives 1 pod run --rm --security-opt seccomp="$W/profile.json" "$I" mkdir /tmp/x
	says "No space left"
	gives 0 pod run --rm --privileged "$I" grep CapBnd /proc/self/status
	[[ $output != *00000000a80425fb ]]
}

@test "read-only, tmpfs, volumes, devices, sysctls, host name, ulimits" {
	gives 1 pod run --rm --read-only "$I" touch /x
	says "Read-only file system"
	gives 0 pod run --rm --read-only --tmpfs /t:size=1m "$I" sh -c 'touch /t/x; grep " /t " /proc/mounts'
	prints size=1024k
	mkdir vol
	echo data >vol/file
	gives 1 pod run --rm -v "$W/vol:/v:ro,rslave" "$I" touch /v/x
	gives 0 pod run --rm -v "$W/vol:/v" "$I" sh -c 'cat /v/file; echo more >/v/made'
	is "$(cat vol/made)" more
	gives 0 pod run --rm --device /dev/zero:/dev/other:r "$I" sh -c 'head -c 3 /dev/other | wc -c'
	is "$output" 3
	gives 0 pod run --rm --network none --sysctl net.ipv4.ip_forward=1 --hostname foo --ulimit nofile=100:100 --ulimit nproc=100:100 "$I" sh -c 'cat /proc/sys/net/ipv4/ip_forward; hostname; ulimit -n'
	is "$output" $'1\nfoo\n100'
	gives 0 pod run --rm --shm-size 2m "$I" df -k /dev/shm
	prints 2048
}

@test "--init, --pid host, another's namespaces" {
	[ -e /usr/libexec/podman/catatonit ] || skip "catatonit is not installed"
	gives 0 pod run --rm --init "$I" ps
	prints "/run/podman-init"
	gives 0 pod run -d --name "$C" "$I" sleep 1000
	gives 0 pod run --rm --pid "container:$C" --ipc "container:$C" --network "container:$C" "$I" ps
	prints "sleep 1000"
	gives 0 pod run --rm --pid host "$I" sh -c '[ $$ != 1 ]'
	removed "$C"
}

@test "pods: shared namespaces, pause, kube" {
	gives 0 pod pod create --name "$C"
	gives 0 pod run -d --pod "$C" --name "$C-1" "$I" sleep 1001
	gives 0 pod run -d --pod "$C" --name "$C-2" "$I" sleep 1002
	is "$(pod exec "$C-1" readlink /proc/self/ns/net)" "$(pod exec "$C-2" readlink /proc/self/ns/net)"
	gives 0 pod pod pause "$C"
	gives 0 pod pod unpause "$C"
	pod generate kube "$C" >pod.yaml 2>/dev/null
	gives 0 pod pod rm -f -t 0 "$C"
	gives 0 pod play kube --network none pod.yaml
	is "$(pod ps --filter "pod=$C" --format '{{.Names}}' | wc -l)" 3
	gives 0 pod play kube --down pod.yaml
	gives 0 pod pod rm -f -a
}

@test "health, restart on failure, events, cp" {
	gives 0 pod run -d --name "$C" --health-interval disable --health-cmd 'test -e /tmp/well' "$I" sleep 1000
	gives 1 pod healthcheck run "$C"
	echo yes >well
	gives 0 pod cp well "$C:/tmp/well"
	gives 0 pod healthcheck run "$C"
	gives 0 pod cp "$C:/tmp/well" back
	is "$(cat back)" yes
	removed "$C"
	gives 0 pod run -d --name "$C" --restart on-failure:2 "$I" sh -c 'exit 3'
	until_true restarted "$C" 2
	removed "$C"
}

restarted() { [ "$(pod inspect -f '{{.RestartCount}} {{.State.Status}}' "$1")" = "$2 exited" ]; }

@test "30 containers at once come and go" {
	local pids=()
	for i in {1..30}; do
		pod run -d --name "$C-$i" "$I" sleep 1000 >/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	is "$(pod ps -q | wc -l)" 30
	gives 0 pod rm -f -t 0 -a
}
