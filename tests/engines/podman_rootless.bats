#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# podman of a user who is not root, made for these tests, with ranges of subordinate ids. Where systemd is booted, his
# own systemd is podman's cgroup manager.
. "$BATS_TEST_DIRNAME/common.bash"

NEEDS="podman conmon newuidmap"
ROOT=/run/tmp/engine/none
I=localhost/box:1
USER_ID=60123
# The user's, and what podman keeps there as long as its namespace lives (podman's pause process).
RUNTIME=/run/user/$USER_ID
THEIRS+=" $RUNTIME/libpod"
[ -z "${OAKUM_MANAGER-}" ] || THEIRS+=" $RUNTIME/systemd"

engine_lacks() { [ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || echo "no user namespaces here"; }

# systemd's login manager comes with the first user.
engine_first() {
	[ -n "${OAKUM_MANAGER-}" ] || return 0
	add_user
	systemctl start user@$USER_ID.service
	remove_user
}

add_user() {
	# An x would have PAM look into /etc/shadow.
	echo "oakum-user:*:$USER_ID:$USER_ID::$E/home:/bin/sh" >>/etc/passwd
	echo "oakum-user:x:$USER_ID:" >>/etc/group
	echo "oakum-user:700000:65536" >>/etc/subuid
	echo "oakum-user:700000:65536" >>/etc/subgid
}

remove_user() {
	systemctl stop user@$USER_ID.service user-runtime-dir@$USER_ID.service user-$USER_ID.slice
	sed -i '/^oakum-user:/d' /etc/passwd /etc/group /etc/subuid /etc/subgid
}

delegated() { grep -qw "$1" "/sys/fs/cgroup/user.slice/user-$USER_ID.slice/user@$USER_ID.service/cgroup.controllers"; }

engine_start() {
	add_user
	mkdir -p "$E/home" /etc/containers
	chmod 755 "$E" /run/tmp
	if [ -n "${OAKUM_MANAGER-}" ]; then systemctl start user@$USER_ID.service; else mkdir -p -m 700 "$RUNTIME"; fi
	doc "podman containers.conf" >"$E/containers.conf" || return 1
	sed -i 's/^\[engine\]$/&\ncgroup_manager = "'"${OAKUM_MANAGER-cgroupfs}"'"\nevents_logger = "file"\ninfra_image = "localhost\/pause:1"/' "$E/containers.conf"
	# No more than he has.
	files=$(unprivileged bash -c 'ulimit -Hn') processes=$(unprivileged bash -c 'ulimit -Hu')
	[ "$processes" != unlimited ] && [ "$processes" -lt 32768 ] || processes=32768
	printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\nnetns = "none"\n' "$files" "$files" $processes $processes >>"$E/containers.conf"
	# podman's own limit needs a controller that may not be delegated to him; without systemd it sets none.
	[ -z "${OAKUM_MANAGER-}" ] || delegated pids || echo 'pids_limit = 0' >>"$E/containers.conf"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	cp -a "$FIXTURE/rootfs" "$E/rootfs"
	chown -R $USER_ID:$USER_ID "$E/home" "$E/rootfs"
	chown $USER_ID:$USER_ID "$RUNTIME"
	tar -C "$E/rootfs" --numeric-owner --owner 0 --group 0 -c . | pod import --change CMD=sh - "$I" >"$E/import.log" 2>&1
	tar -C "$E/rootfs" --numeric-owner --owner 0 --group 0 -c . | pod import --change 'CMD ["sleep", "100000"]' - localhost/pause:1 >>"$E/import.log" 2>&1
	is "$(pod info --format '{{.Host.OCIRuntime.Name}} {{.Host.Security.Rootless}} {{.Host.CgroupManager}}')" \
		"oakum true ${OAKUM_MANAGER-cgroupfs}" || return 1
	pod run --rm "$I" true
}

engine_stop() {
	local rc=0 pid
	pod rm -f -a -t 0 >/dev/null
	rm -rf "$RUNTIME/oakum/.cache"
	rmdir "$RUNTIME/oakum" || rc=1
	# The process that keeps podman's namespaces.
	pid=$(cat "$RUNTIME"/libpod/tmp/pause.pid 2>/dev/null) && kill -KILL "$pid" && until_true gone "$pid"
	umount -l "$RUNTIME"/netns 2>/dev/null || :
	[ -z "${OAKUM_MANAGER-}" ] || remove_user
	rm -rf --one-file-system "$RUNTIME"
	[ -n "${OAKUM_MANAGER-}" ] || rmdir /run/user 2>/dev/null || :
	rm -rf --one-file-system /run/libpod /run/containers
	return $rc
}

engine_sweep() { pod rm -f -a -t 0; pod pod rm -f -a; }

as_user() {
	setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env -i -C "$E/home" PATH="$PATH" HOME="$E/home" USER=oakum-user XDG_RUNTIME_DIR="$RUNTIME" \
		CONTAINERS_CONF="$E/containers.conf" "$@"
}

# Out of the tests' cgroup his systemd may not move a process: there podman has to be started by it.
unprivileged() {
	local unit=()
	[ -z "${OAKUM_MANAGER-}" ] || unit=(systemd-run --user --quiet --pipe --wait --collect -p KillMode=process --working-directory "$E/home" -E PATH -E HOME -E CONTAINERS_CONF)
	as_user "${unit[@]}" "$@"
}

pod() { unprivileged podman --storage-driver vfs --cgroup-manager "${OAKUM_MANAGER-cgroupfs}" "$@"; }

removed() { until_true pod rm -f -t 0 "$@" >/dev/null; }
inits() { pod inspect -f '{{.State.Pid}}' "$1"; }

@test "run: output, status, ids, and what a program that is none says" {
	gives 0 pod run --rm "$I" sh -c 'echo hello; id -u; cat /proc/self/uid_map'
	prints hello
	is "$(awk 'NR == 3 { print $1, $2, $3 }' <<<"$output")" "0 $USER_ID 1"
	is "$(awk 'NR == 4 { print $1, $2, $3 }' <<<"$output")" "1 700000 65536"
	gives 42 pod run --rm "$I" sh -c 'exit 42'
	gives 127 pod run --rm "$I" nosuch
	says "executable file not found in \$PATH"
	is "$(echo in | pod run --rm -i "$I" cat)" in
}

@test "run -d, logs, exec, stop, start, kill, rm; its state is in the user's runtime directory" {
	gives 0 pod run -d --name "$C" "$I" sh -c 'trap "exit 5" TERM; echo first; while :; do sleep 0.1; done'
	is "$(find "$RUNTIME/oakum" -mindepth 1 -maxdepth 1 -type d -not -name .cache | wc -l)" 1
	[ ! -e /run/oakum ]
	until_true has_logged pod first
	is "$(stat -c %u "/proc/$(inits "$C")")" $USER_ID
	gives 3 pod exec "$C" sh -c 'exit 3'
	gives 0 pod exec --user 5:6 "$C" sh -c 'echo $(id -u):$(id -g)'
	is "$output" "5:6"
	gives 0 pod exec -t "$C" tty
	prints /dev/pts/
	gives 0 pod stop -t 20 "$C"
	is "$(pod inspect -f '{{.State.ExitCode}}' "$C")" 5
	gives 0 pod start "$C"
	gives 0 pod kill "$C"
	gives 0 pod wait "$C"
	is "$output" 137
	gives 0 pod rm "$C"
}

@test "userns: keep-id, a mapping of one's own" {
	gives 0 pod run --rm --userns keep-id "$I" sh -c 'id -u; touch /tmp/x && stat -c %u /tmp/x'
	is "$output" "$USER_ID"$'\n'"$USER_ID"
	gives 0 pod run --rm --uidmap 0:1:1000 --gidmap 0:1:1000 "$I" sh -c 'id -u; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map'
	# In the words of podman's own namespace, in which the user is 0 and the ranges begin at 1.
	is "$output" $'0\n0 1 1000'
}

@test "mounts: volumes, tmpfs, read-only, no capability, a seccomp profile" {
	mkdir -m 777 "$W/v"
	chmod 755 "$W"
	gives 0 pod run --rm -v "$W/v:/v" --tmpfs /t "$I" sh -c 'echo x >/v/x; echo y >/t/y; stat -c %u /v/x'
	is "$output" 0
	is "$(stat -c %u "$W/v/x")" $USER_ID
	gives 1 pod run --rm --read-only "$I" touch /x
	gives 0 pod run --rm --cap-drop all "$I" grep CapEff /proc/self/status
	prints 0000000000000000
	gives 0 pod run --rm "$I" grep Seccomp: /proc/self/status
	prints 2
}

@test "two containers of a pod share its namespaces" {
	gives 0 pod pod create --name "p$C" --share ipc,uts,pid
	gives 0 pod run -d --pod "p$C" --name "a$C" "$I" sleep 1000
	gives 0 pod run --rm --pod "p$C" "$I" sh -c 'ps | grep -c "sleep 1000"'
	[ "$output" -ge 1 ]
	gives 0 pod pod stop -t 1 "p$C"
	gives 0 pod pod rm -f "p$C"
}

without_monitor() { ! pgrep -x conmon >/dev/null; }

@test "limits, at the start and changed" {
	[ -n "${OAKUM_MANAGER-}" ] || skip "nothing is delegated to this user"
	delegated memory || skip "no memory controller is delegated to a user here"
	gives 0 pod run -d --name "$C" --pids-limit 50 --memory 64m "$I" sleep 1000
	dir=$(cgroup_of "$(inits "$C")" "")
	case $dir in */"user@$USER_ID.service/user.slice/libpod-"*.scope*) ;; *) echo "$dir"; false ;; esac
	is "$(cat "$dir/pids.max" "$dir/memory.max")" $'50\n67108864'
	is "$(as_user systemctl --user show -P MemoryMax "$(basename "${dir%/container}")")" 67108864
	gives 0 pod update --memory 32m "$C"
	is "$(cat "$dir/memory.max")" 33554432
	gives 0 pod rm -f -t 0 "$C"
	[ ! -e "$dir" ]
	# podman does not wait for its monitor, nor for what that calls.
	until_true without_monitor
}
