#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A service that is stopped, started, restarted and crashed in every part of it, with daemon-reload in
# between: each time it comes back with what it may open, and at the end nothing is left. OAKUM_ROUNDS says how
# often (40), OAKUM_SEED what happens.
load common

# The kernel's own count of what is held, and ours.
held() {
	find /run/state /run/oakum /dev/shm -mindepth 1 -not -path '*/.cache*' 2>/dev/null | wc -l
	find /sys/fs/cgroup -mindepth 1 -type d | grep -c -v -e '/init\.scope' -e 'systemd-.*\.service$' || :
	wc -l </proc/self/mountinfo
	systemctl list-units --all --plain --no-legend | grep -c -e "$C" -e oakum- || :
}

one() { oakum state "$C" 2>/dev/null | jq -e "select(.status == \"running\") | .pid" 2>/dev/null; }
# A new incarnation: other than the one whose init was $1.
again() { local now; now=$(one) && [ "$now" ] && [ "$now" != "$1" ] && [ "$(property ActiveState)" = active ]; }

crash() {
	local main
	main=$(property MainPID)
	case $1 in
	init) kill -KILL "$(one)" ;;
	supervisor) kill -KILL "$(pgrep -P "$main")" ;;
	up) kill -KILL "$main" ;;
	all) systemctl kill -s KILL "$UNIT" ;;
	both) kill -KILL "$main" "$(pgrep -P "$main")" ;;
	esac
}

@test "started, stopped, restarted and crashed, with daemon-reload in between" {
	local rounds=${OAKUM_ROUNDS-40} i was before what
	local actions=(stop restart init supervisor up all both ask reload reload)
	RANDOM=${OAKUM_SEED-1}
	sleeper "$NODES"' | .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	UNIT=oakumtest-$C.service
	unit "$UNIT" <<-END
		[Unit]
		StartLimitIntervalSec=0
		[Service]
		Type=notify
		Delegate=yes
		KillMode=mixed
		Restart=always
		RestartSec=0
		ExecStart=$OAKUM --root $ROOT up --replace --rm --cgroup unit --log-driver none -b $B $C
		ExecStopPost=-$OAKUM --root $ROOT delete --force $C
	END
	ok systemctl start "$UNIT"
	ok systemctl stop "$UNIT"
	before=$(held)
	ok systemctl start "$UNIT"
	for ((i = 0; i < rounds; i++)); do
		what=${actions[RANDOM % ${#actions[@]}]}
		was=$(one) || {
			echo "round $i, after $what: it does not run"
			oakum state "$C" || :
			systemctl status "$UNIT"
			return 1
		}
		case $what in
		stop) ok systemctl stop "$UNIT"; ok systemctl start "$UNIT" ;;
		restart) ok systemctl restart "$UNIT" ;;
		ask) ok oakum kill "$C" TERM ;;
		reload) ok systemctl daemon-reload ;;
		*) crash "$what" ;;
		esac
		[ "$what" = reload ] || until_true again "$was" || {
			echo "round $i, $what: it has not come back"
			systemctl status "$UNIT"
			return 1
		}
		opens /dev/fuse || { echo "round $i, $what: /dev/fuse is denied"; return 1; }
		denied /dev/hpet || { echo "round $i, $what: /dev/hpet is not denied"; return 1; }
	done
	ok systemctl stop "$UNIT"
	is "$(held)" "$before"
	is "$(left | grep -v -e "^$UNIT\$")" ""
}
