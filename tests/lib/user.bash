# SPDX-License-Identifier: LGPL-2.1-or-later
# The unprivileged user that tests run as: for tests/lib/enclosure and tests/systemd/inside.
# shellcheck shell=bash

# make_user ranges|single: oakum-test, with subordinate ids or without; nobody outside knows him: files over those
# of the host.
make_user() {
	local file
	mkdir -p /run/etc /run/user/31000 /run/home
	for file in passwd group subuid subgid; do
		[ -e /etc/$file ] || { echo "/etc/$file is missing (uidmap)" >&2; exit 125; }
		cp /etc/$file /run/etc/$file
	done
	# Without a line in /etc/shadow, which PAM would look for at an x.
	echo "oakum-test:*:31000:31000::/run/home:/bin/sh" >>/run/etc/passwd
	echo "oakum-test:x:31000:" >>/run/etc/group
	: >/run/etc/subuid
	: >/run/etc/subgid
	if [ "$1" = ranges ]; then
		# Two ranges, by name and by number, and other ones for gids.
		printf '%s\n' nobody:900000:65536 oakum-test:200000:1000 31000:300000:65536 >/run/etc/subuid
		printf '%s\n' nobody:900000:65536 oakum-test:400000:1000 31000:500000:65536 >/run/etc/subgid
	fi
	for file in passwd group subuid subgid; do
		mount --bind /run/etc/$file /etc/$file
	done
	chown 31000:31000 /run/user/31000 /run/home /run/state
	chmod 700 /run/user/31000 /run/home
}
