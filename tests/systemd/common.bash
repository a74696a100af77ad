# SPDX-License-Identifier: LGPL-2.1-or-later
# What every bats file here loads: the words of tests/lib/common.bash under a real systemd, which makes and
# removes cgroups of its own all the time. So the leak check is another one: no unit, no cgroup and no
# process of ours is left, and the state root is empty.
# shellcheck shell=bash disable=SC2034

[ -d /run/systemd/system ] || { echo "these tests need systemd as init (tests/systemd/run)" >&2; exit 1; }
export OAKUM_ENCLOSED=systemd
mkdir -p /run/tmp /run/state
# shellcheck source=tests/lib/common.bash
source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.bash"
FIXTURE=/run/tmp/fixture

setup() {
	untraced
	C=t${BATS_TEST_NUMBER}
	W=$(mktemp -d /run/tmp/test.XXXXXX)
	B=$W/bundle
	mkdir -p -m 700 "$ROOT"
	cd "$W" || return 1
	fixture
	UNIT=$(unit_prefix)-$C.scope
}

# Where a container without a cgroupsPath goes: the state root is part of the name.
unit_prefix() {
	[ -s /run/tmp/prefix ] || "$OAKUM" --root "$ROOT" --systemd-cgroup plan --format json "$FIXTURE" </dev/null |
		jq -r '.. | .unit? // empty' | sed 's/-[^-]*\.scope$//' >/run/tmp/prefix
	cat /run/tmp/prefix
}

left() {
	find "$ROOT" -mindepth 1 -not -path "$ROOT/.cache*" 2>/dev/null || :
	systemctl list-units --all --plain --no-legend '*oakum*.scope' "*$C*" | sed 's/ .*//'
	find /sys/fs/cgroup -mindepth 1 -type d \( -name '*oakum*' -o -name "*$C*" \)
	grep -lx -e oakum-scope -e oakum-systemd /proc/[0-9]*/comm 2>/dev/null || :
}

# unit NAME: a unit file of this test's, from stdin.
unit() {
	cat >"/run/systemd/system/$1"
	echo "$1" >>"$W/units"
	systemctl daemon-reload
}

take_units() {
	local name
	[ -e "$W/units" ] || return 0
	while read -r name; do
		systemctl stop "$name" 2>/dev/null || :
		systemctl reset-failed "$name" 2>/dev/null || :
		rm -f "/run/systemd/system/$name"
	done <"$W/units"
	# Slices stay until they are told.
	systemctl stop oakum.slice 'system-oakumtest*.slice' 2>/dev/null || :
	systemctl daemon-reload
}

nothing_left() { [ -z "$(left)" ]; }

teardown() {
	local rc=0
	take_units
	if [ -n "${BATS_TEST_COMPLETED-}" ] && ! until_true nothing_left >/dev/null; then
		echo "left behind:"
		left
		rc=1
	fi
	if [ $rc != 0 ] || [ -z "${BATS_TEST_COMPLETED-}" ]; then
		for id in "$ROOT"/*/; do
			id=${id%/}
			"$OAKUM" --root "$ROOT" delete --force "${id##*/}" </dev/null >/dev/null 2>&1 || :
		done
		systemctl stop '*oakum*.scope' "*$C*.scope" 'oakumtest*.slice' 2>/dev/null || :
		rm -rf "$ROOT"
	fi
	cd /
	rm -rf --one-file-system "$W"
	return $rc
}

# The program with systemd as its manager.
sd() { oakum --systemd-cgroup "$@"; }

# shows PROPERTY VALUE: what systemd says of the container's unit.
property() { systemctl show --property="$1" --value "${2-$UNIT}"; }
shows() {
	local now
	now=$(property "$1" "${3-$UNIT}")
	[ "$now" = "$2" ] || { echo "$1 is '$now', not '$2'"; return 1; }
}

# The directory of a unit: in the v2 tree, or in v1 the one in which systemd counts processes.
directory() {
	local tree=/sys/fs/cgroup
	on_v2 || tree=/sys/fs/cgroup/systemd
	echo "$tree$(property ControlGroup "${1-$UNIT}")"
}

# Nodes that no rule names by itself. Whether the kernel has such devices or not: who may not open one is told so.
NODES='.linux.devices = [{path: "/dev/hpet", type: "c", major: 10, minor: 228, fileMode: 438}, {path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 438}]'
# What opening it says, in $said: nothing, or why not; fails where nobody can try.
try_device() { said=$(oakum exec "$C" sh -c "(: <$1) 2>&1; :" </dev/null); }
opens() { try_device "$1" && [[ $said != *"not permitted"* ]]; }
denied() { try_device "$1" && [[ $said == *"not permitted"* ]]; }

# The v2 tree, or the tree of this v1 controller, has it at its top.
need() {
	if on_v2; then
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers || skip "no $1 controller in this v2 tree"
	else
		[ -d "/sys/fs/cgroup/$1" ] || skip "no $1 controller in v1"
	fi
}
