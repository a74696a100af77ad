#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manager of a user: for who is not root, and for root who says so. An account that every machine has
# stands for the user.
load common

UID_OF=$(id -u daemon)

setup_file() {
	systemctl start "user@$(id -u daemon).service" user@0.service
}

teardown_file() {
	systemctl stop "user@$(id -u daemon).service" user@0.service
}

as_user() {
	setpriv --reuid "$UID_OF" --regid "$UID_OF" --clear-groups env -u DBUS_SESSION_BUS_ADDRESS HOME=/ \
		"XDG_RUNTIME_DIR=/run/user/$UID_OF" "$@"
}

# Where systemd counts a process.
own_cgroup() { awk -F: '$1 == 0 || $2 == "name=systemd" { print $3 }' "/proc/$1/cgroup" | grep -v '^/$' | sort -u; }
gone() { [ ! -e "/proc/$1" ]; }

@test "a container of a user lives in a scope of his manager" {
	local pid
	[ -S "/run/user/$UID_OF/bus" ] || skip "users have no bus here (dbus-user-session)"
	mkdir "$W/home"
	cp -a "$FIXTURE/rootfs" "$W/home/rootfs"
	chown -R "$UID_OF:$UID_OF" "$W/home"
	chmod 755 "$W" /run/tmp
	cd "$W/home"
	ok as_user "$OAKUM" spec --rootless
	edit '.process.terminal = false | .process.args = ["sleep", "1000"] | .mounts |= map(select(.destination | startswith("/sys") | not))' "$W/home"
	ok as_user "$OAKUM" --systemd-cgroup run -d -b "$W/home" "$C"
	pid=$(as_user "$OAKUM" state "$C" | jq .pid)
	is "$(own_cgroup "$pid")" \
		"/user.slice/user-$UID_OF.slice/user@$UID_OF.service/user.slice/oakum-$C.scope"
	is "$(as_user systemctl --user show --property=Slice --value "oakum-$C.scope")" user.slice
	is "$(as_user "$OAKUM" state "$C" | jq -r '."systemd-scope"')" "oakum-$C.scope"
	# exec is moved there by the manager as well, before its program runs.
	ok as_user "$OAKUM" exec -d --pid-file "$W/home/pid" "$C" sleep 1000
	is "$(own_cgroup "$(<"$W/home/pid")")" "$(own_cgroup "$pid")"
	ok as_user "$OAKUM" exec --tty=false "$C" sh -c 'grep -e ^0 -e systemd /proc/self/cgroup'
	is "$(sed 's/.*://' <<<"$output" | grep -v "oakum-$C.scope\|^/$" || :)" ""
	fails 255 as_user env XDG_RUNTIME_DIR=/nowhere "$OAKUM" --root "/run/user/$UID_OF/oakum" exec "$C" true
	says "user's bus"
	ok as_user "$OAKUM" kill --all "$C" KILL
	until_true gone "$(<"$W/home/pid")"
	ok as_user "$OAKUM" delete --force "$C"
	is "$(as_user systemctl --user show --property=LoadState --value "oakum-$C.scope")" not-found
	rmdir "/run/user/$UID_OF/oakum/.cache" 2>/dev/null || :
}

@test "root may ask the manager of a session, found by either variable" {
	[ -S /run/user/0/bus ] || skip "users have no bus here (dbus-user-session)"
	sleeper '.linux.cgroupsPath = ":prefix:'"$C"'"'
	export XDG_RUNTIME_DIR=/run/user/0
	ok sd --rootless true run -d -b "$B" "$C"
	is "$(systemctl --user show --property=Slice --value "prefix-$C.scope")" user.slice
	ok oakum exec "$C" true
	# The state knows whose unit it is.
	ok oakum delete --force "$C"
	is "$(systemctl --user show --property=LoadState --value "prefix-$C.scope")" not-found
	export XDG_RUNTIME_DIR=/nowhere DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus
	ok sd --rootless true run -d -b "$B" "$C"
	ok oakum delete --force "$C"
	export DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere
	fails 6 sd --rootless true run -d -b "$B" "$C"
	says "open the user's bus" DBUS_SESSION_BUS_ADDRESS
}

@test "a user's service: ready, in its unit's cgroup, its status the container's, and nothing left" {
	local name=oakumtest-$C.service unit limit
	[ -S "/run/user/$UID_OF/bus" ] || skip "users have no bus here (dbus-user-session)"
	on_v2 || skip "users get no cgroups in v1"
	mkdir "$W/home"
	cp -a "$FIXTURE/rootfs" "$W/home/rootfs"
	chown -R "$UID_OF:$UID_OF" "$W/home"
	chmod 755 "$W" /run/tmp
	cd "$W/home"
	ok as_user "$OAKUM" spec --rootless
	# shellcheck disable=SC2016
	edit '.process.terminal = false | .process.args = ["sh", "-c", "trap \"exit 6\" USR1; trap \"exit 0\" TERM; inside notify READY=1; while :; do sleep 1000 & wait $!; done"] | .mounts |= map(select(.destination | startswith("/sys") | not))' "$W/home"
	# Where this tree has that controller.
	if grep -qw pids /sys/fs/cgroup/cgroup.controllers; then limit=30; edit ".linux.resources.pids.limit = $limit" "$W/home"; fi
	unit=/run/user/$UID_OF/systemd/user/$name
	as_user mkdir -p "${unit%/*}"
	for who in runtime container; do
		as_user sh -c "cat >$unit" <<-END
			[Service]
			Type=notify
			NotifyAccess=all
			Delegate=yes
			KillMode=mixed
			ExecStart=$OAKUM up --rm --replace --cgroup unit --sdnotify $who -b $W/home $C
		END
		[ $who != runtime ] || sed -i '/NotifyAccess/d' "$unit"
		ok as_user systemctl --user daemon-reload
		ok as_user systemctl --user start "$name"
		is "$(as_user systemctl --user is-active "$name")" active
		is "$(sed -n 's/^0:://p' "/proc/$(as_user "$OAKUM" state "$C" | jq .pid)/cgroup")" \
			"$(as_user systemctl --user show -P ControlGroup "$name")/container"
		is "$(cat "/sys/fs/cgroup$(as_user systemctl --user show -P ControlGroup "$name")/container/pids.max" 2>/dev/null)" "${limit-}"
		ok as_user "$OAKUM" exec "$C" true
		ok as_user systemctl --user stop "$name"
		is "$(as_user systemctl --user show -P Result "$name")" success
		ok as_user systemctl --user start "$name"
		until_true catches USR1 "$(as_user "$OAKUM" state "$C" | jq .pid)"
		ok as_user "$OAKUM" kill "$C" USR1
		until_true has_failed "$name"
		is "$(as_user systemctl --user show -P ExecMainStatus "$name")" 6
		as_user systemctl --user reset-failed "$name"
	done
	is "$(find "/run/user/$UID_OF/oakum" -mindepth 1 -not -path '*/.cache*')" ""
	rm "$unit"
	rmdir "/run/user/$UID_OF/oakum/.cache" 2>/dev/null || :
}
has_failed() { [ "$(as_user systemctl --user is-active "$1")" = failed ]; }
