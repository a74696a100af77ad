#!/usr/bin/env bats
# Where mounts go, what they are made of and in which order; looked at from inside, and at what is left
# in the rootfs.
load ../lib/common

userns='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'

# in_container FILTER SCRIPT: run SCRIPT by sh in a container whose bundle FILTER has changed; one that
# is in $B already is kept.
in_container() {
	[ -n "${KEEP-}" ] || bundle
	cp "$B/config.json" "$B/kept"
	edit "$1"
	jq --arg s "$2" '.process.args = ["sh", "-c", $s]' "$B/config.json" >"$B/new"
	mv "$B/new" "$B/config.json"
	ok oakum run -b "$B" "$C"
	mv "$B/kept" "$B/config.json"
}

# The rootfs' directories belong to root of the user namespace; files are linked and stay.
own_rootfs() { find "$B/rootfs" -xdev -type d -exec chown 100000:100000 {} +; }

mounted_on() { awk -v at="$1" '$5 == at' <<<"$output" | grep -q .; }

# tree SRC: mounts on SRC, SRC/sub and SRC/sub/deep.
tree() {
	mkdir -p "$1"
	mount -t tmpfs -o rw,suid,dev,exec,mode=755 tree "$1"
	mkdir "$1/sub"
	mount -t tmpfs -o rw,suid,dev,exec,mode=755 sub "$1/sub"
	mkdir "$1/sub/deep"
	mount -t tmpfs -o rw,suid,dev,exec,mode=755 deep "$1/sub/deep"
}

flags_of() { awk -v at="$1" '$5 == at { print "," $6 "," }' <<<"$output"; }

# flagged WORD PATH…: each mount has the flag; WORD with '-': none has it.
flagged() {
	local word=${1#-} want=${1%%[a-z]*} at
	shift
	for at; do
		case $(flags_of "$at") in
		*",$word,"*) [ "$want" != - ] || { echo "$at has $word"; return 1; } ;;
		*) [ "$want" = - ] || { echo "$at lacks $word: $(flags_of "$at")"; return 1; } ;;
		esac
	done
}

# bats test_tags=root:mount
@test "recursive attributes: the top mount or the whole tree" {
	tree "$W/src"
	mount -o remount,bind,strictatime "$W/src/sub"
	mounts='{destination: "/mnt", type: "tmpfs", source: "t"}'
	for words in ro rro ro,rro rro,rw rnosuid rnodev rnoexec rnosymfollow rnoatime rstrictatime rrelatime rnodiratime ratime rnorelatime rnostrictatime; do
		mounts="$mounts, {destination: \"/mnt/$words\", type: \"bind\", source: \"$W/src\", options: [\"rbind\", \"${words//,/\",\"}\"]}"
	done
	mounts="$mounts, {destination: \"/mnt/both\", type: \"bind\", source: \"$W/src\", options: [\"rbind\", \"bind\"]}"
	in_container ".mounts += [$mounts]" 'cat /proc/self/mountinfo'
	umount -R "$W/src"
	flagged ro /mnt/ro /mnt/rro /mnt/rro/sub /mnt/rro/sub/deep /mnt/ro,rro /mnt/ro,rro/sub/deep /mnt/rro,rw/sub
	flagged rw /mnt/ro/sub /mnt/ro/sub/deep /mnt/rro,rw
	for word in nosuid nodev noexec nosymfollow noatime nodiratime; do
		flagged $word /mnt/r$word /mnt/r$word/sub /mnt/r$word/sub/deep
	done
	flagged -relatime /mnt/rstrictatime /mnt/rstrictatime/sub /mnt/rstrictatime/sub/deep
	flagged -noatime /mnt/rstrictatime /mnt/rstrictatime/sub/deep
	for word in rrelatime ratime rnorelatime rnostrictatime; do
		flagged relatime /mnt/$word /mnt/$word/sub /mnt/$word/sub/deep
	done
	# Of the two words, the one that means more.
	mounted_on /mnt/both/sub/deep
}

# bats test_tags=root:kernel
@test "destinations: relative, with doubled slashes, missing; modes and set-gid of what is made" {
	bundle
	mkdir src
	mkdir -m 2775 "$B/rootfs/shared"
	chgrp 77 "$B/rootfs/shared"
	touch file
	KEEP=yes
	umask 077
	in_container ".mounts += [
		{destination: \"relative/place\", type: \"bind\", source: \"$W/src\", options: [\"bind\"]},
		{destination: \"//mnt///double//slash/\", type: \"bind\", source: \"$W/src\", options: [\"rbind\"]},
		{destination: \"/mnt/none\", type: \"none\", source: \"$W/src\", options: [\"bind\"]},
		{destination: \"/mnt/typeless\", source: \"$W/src\", options: [\"rbind\"]},
		{destination: \"/shared/a/b\", type: \"tmpfs\", source: \"t\", options: [\"ro\"]},
		{destination: \"/shared/c/file\", type: \"bind\", source: \"$W/file\", options: [\"bind\"]}]" 'cat /proc/self/mountinfo'
	umask 022
	for at in /relative/place /mnt/double/slash /mnt/none /mnt/typeless /shared/a/b /shared/c/file; do
		mounted_on $at
	done
	is "$(stat -c %a:%g "$B/rootfs/shared" "$B/rootfs/shared/a" "$B/rootfs/shared/a/b" "$B/rootfs/shared/c" "$B/rootfs/relative" "$B/rootfs/relative/place")" "2775:77
2755:77
2755:77
2755:77
755:0
755:0"
	is "$(stat -c '%F %a' "$B/rootfs/shared/c/file")" "regular empty file 644"
}

@test "destinations behind symlinks: absolute, relative, dangling, in the middle and at the end" {
	bundle
	mkdir src
	echo content >file
	cd "$B/rootfs"
	mkdir -p usr/share/zoneinfo real
	touch usr/share/zoneinfo/Rome
	ln -s /usr/share/zoneinfo/Rome etc/localtime
	ln -s /nowhere/foo/bar jump
	ln -s /jump/baz/hosts etc/chain
	ln -s /tmp/late-file etc/late-file
	ln -s ../../../../tmp/late-dir etc/late-dir
	ln -s /real link
	cd "$W"
	KEEP=yes
	in_container ".mounts += [
		{destination: \"/etc/localtime\", type: \"bind\", source: \"$W/file\", options: [\"bind\", \"ro\"]},
		{destination: \"/etc/chain\", type: \"bind\", source: \"$W/file\", options: [\"bind\"]},
		{destination: \"/etc/late-file\", type: \"bind\", source: \"$W/file\", options: [\"bind\"]},
		{destination: \"/etc/late-dir\", type: \"bind\", source: \"$W/src\", options: [\"bind\"]},
		{destination: \"/link/below/it\", type: \"tmpfs\", source: \"t\", options: [\"ro\"]}]" 'cat /proc/self/mountinfo; cat /etc/localtime /etc/chain /etc/late-file; ls -d /etc/late-dir/.'
	for at in /usr/share/zoneinfo/Rome /nowhere/foo/bar/baz/hosts /tmp/late-file /tmp/late-dir /real/below/it; do
		mounted_on $at
	done
	is "$(tail -4 <<<"$output")" $'content\ncontent\ncontent\n/etc/late-dir/.'
	[ -f "$B/rootfs/nowhere/foo/bar/baz/hosts" ] && [ -f "$B/rootfs/tmp/late-file" ] && [ -d "$B/rootfs/tmp/late-dir" ]
	[ ! -e /nowhere ] && [ ! -e /tmp/late-file ] && [ ! -e /tmp/late-dir ]
}

# bats test_tags=root:ids
@test "links and crun's words for them, with and without a user namespace" {
	echo inside-the-file >file
	ln -s "$W/file" link
	ln -s point-to-nowhere broken
	for filter in . "$userns"; do
		bundle
		ln -s point-to-nowhere "$B/rootfs/target"
		ln -s point-to-nowhere "$B/rootfs/target2"
		own_rootfs
		KEEP=yes
		in_container "$filter | .mounts += [
			{destination: \"/target\", type: \"bind\", source: \"$W/link\", options: [\"bind\", \"dest-nofollow\", \"src-nofollow\"]},
			{destination: \"/target2\", type: \"bind\", source: \"$W/link\", options: [\"bind\", \"dest-nofollow\"]},
			{destination: \"/a/sym/link\", type: \"bind\", source: \"$W/broken\", options: [\"rbind\", \"copy-symlink\"]},
			{destination: \"/a/file\", type: \"bind\", source: \"$W/link\", options: [\"rbind\"]}]" \
			'readlink /target; cat /target2; readlink /a/sym/link; cat /a/file'
		is "$output" "$W/file
inside-the-file
point-to-nowhere
inside-the-file"
		KEEP=
		rm -rf "$B"
	done
	# A link that belongs to proc is no place.
	for words in '"dest-nofollow", "src-nofollow"' '"dest-nofollow"'; do
		bundle ".mounts += [{destination: \"/proc/self\", type: \"bind\", source: \"$W/broken\", options: [\"bind\", \"src-nofollow\", $words]}]"
		fails 1 oakum run -b "$B" "$C"
		says "/mounts/7" "/proc/self"
	done
	bundle ".mounts += [{destination: \"/proc/self\", type: \"bind\", source: \"$W/broken\", options: [\"bind\", \"copy-symlink\"]}]"
	fails 1 oakum run -b "$B" "$C"
	says "/mounts/7" "/proc/self"
}

# bats test_tags=root:ids
@test "sources of every kind: file, directory, FIFO, socket; plain, ro and rro" {
	mkdir dir
	touch regular
	mkfifo fifo
	"$LIB/inside" notified "$W/socket" 1 >/dev/null &
	until_true test -S socket
	mounts='{destination: "/mnt", type: "tmpfs", source: "t"}'
	for kind in regular dir fifo socket; do
		for word in private ro rro; do
			mounts="$mounts, {destination: \"/mnt/$kind-$word\", type: \"bind\", source: \"$W/$kind\", options: [\"bind\", \"$word\"]}"
		done
	done
	for filter in . "$userns"; do
		in_container "$filter | .mounts += [$mounts]" 'cd /mnt; stat -c "%n %F" *; cat /proc/self/mountinfo'
		for word in private ro rro; do
			prints "dir-$word directory" "fifo-$word fifo" "socket-$word socket" "regular-$word regular empty file"
		done
		for kind in regular dir fifo socket; do
			flagged ro /mnt/$kind-ro /mnt/$kind-rro
			flagged rw /mnt/$kind-private
		done
	done
	NOTIFY_SOCKET=$W/socket "$LIB/inside" notify end
	wait
}

# bats test_tags=root:kernel
@test "sources that only the host's root can reach, in a user namespace" {
	mkdir -p closed/deeper/dir hidden/dir
	echo one >closed/deeper/dir/content
	echo two >hidden/dir/content
	echo three >hidden/file
	ln -s "$W/closed/deeper/dir" hidden/link
	chmod 0000 closed
	chmod 0700 hidden closed/deeper
	sleeper "$userns | .mounts += [
		{destination: \"/mnt\", type: \"bind\", source: \"$W/closed/deeper/dir\", options: [\"bind\", \"ro\"]},
		{destination: \"/vol\", type: \"bind\", source: \"$W/hidden/link\", options: [\"rbind\"]},
		{destination: \"/var\", type: \"bind\", source: \"$W/hidden/dir\", options: [\"rbind\", \"rprivate\"]},
		{destination: \"/etc/hosts\", type: \"bind\", source: \"$W/hidden/file\", options: [\"bind\"]}]"
	ok oakum run -d -b "$B" "$C"
	ok oakum exec "$C" cat /mnt/content /vol/content /var/content /etc/hosts
	is "$output" $'one\none\ntwo\nthree'
	ok oakum delete -f "$C"
	chmod 700 closed
}

# Mounts on mounts, some of them from the container's own tree, the last of all that was made before.
mount_order() {
	local filter=$1 idmap=$2 root=$B/rootfs
	mkdir -p bind/a/x bind/b/y bind/c/z
	for d in a/x b/y c/z; do
		echo $d >"bind/$d/file"
		ln -s "${d%/*}" "bind/sym-${d%/*}"
	done
	chmod o-rwx bind
	bundle
	mkdir "$B/rootfs/final"
	own_rootfs
	if [ -n "$idmap" ]; then
		# One map a mount: what is mapped already cannot be mapped again.
		mount -t tmpfs -o mode=750 bind "$W/bind.new"
		cp -a bind/. bind.new/
	fi
	KEEP=yes
	in_container "$filter | .mounts += [
		{destination: \"/mnt\", type: \"bind\", source: \"$W/bind${idmap:+.new}/a\", options: [\"bind\", \"rprivate\"]},
		{destination: \"/mnt/x\", type: \"bind\", source: \"$W/bind${idmap:+.new}/sym-b\", options: [\"bind\", \"rprivate\"]},
		{destination: \"/mnt/x/y\", type: \"bind\", source: \"$W/bind${idmap:+.new}/c\", options: [\"bind\", \"rprivate\"]},
		{destination: \"/mnt/x/y/z\", type: \"bind\", source: \"$W/bind${idmap:+.new}/sym-a\", options: [\"bind\", \"rprivate\"]},
		{destination: \"$root/mnt/x/y/z/x\", type: \"bind\", source: \"$root/mnt/x\", options: [\"rbind\", \"rprivate\"] $idmap},
		{destination: \"$root/mnt/x/y/z\", type: \"bind\", source: \"$root/mnt/x/y\", options: [\"rbind\", \"rprivate\"] $idmap},
		{destination: \"$root/final\", type: \"bind\", source: \"$root/mnt\", options: [\"rbind\", \"rprivate\"] $idmap}]" \
		'cat /final/x/y/z/z/x/y/z/x/file; stat -c %u:%g /final'
	is "$(sed -n 1p <<<"$output")" a/x
	[ -z "$idmap" ] || umount "$W/bind.new"
}

# bats test_tags=root:ids
@test "mounts are made in their order: sources on earlier mounts, behind symlinks" {
	mount_order . ''
}

# bats test_tags=root:ids
@test "mounts are made in their order in a user namespace" {
	mount_order "$userns" ''
}

# bats test_tags=root:ids
@test "mounts are made in their order: sources on earlier mounts are id-mapped" {
	maps_tmpfs
	mkdir bind.new
	mount_order . ', uidMappings: [{containerID: 0, hostID: 100000, size: 65536}], gidMappings: [{containerID: 0, hostID: 100000, size: 65536}]'
	is "$(sed -n 2p <<<"$output")" 100000:100000
}

# bats test_tags=root:ids
@test "mounts are made in their order: sources on earlier mounts are id-mapped in a user namespace" {
	maps_tmpfs
	mkdir bind.new
	mount_order "$userns" ', uidMappings: [{containerID: 0, hostID: 100000, size: 65536}], gidMappings: [{containerID: 0, hostID: 100000, size: 65536}]'
	is "$(sed -n 2p <<<"$output")" 0:0
}

# bats test_tags=root:ids
@test "a tmpfs has the mode of what it hides, the one asked for, or 1777" {
	bundle
	mkdir "$B/rootfs/odd" "$B/rootfs/sticky" "$B/rootfs/asked"
	chmod 0712 "$B/rootfs/odd"
	chmod 7710 "$B/rootfs/sticky"
	chmod 0710 "$B/rootfs/asked"
	for filter in . "$userns"; do
		rm -rf "$B/rootfs/new"
		own_rootfs
		KEEP=yes in_container "$filter | .mounts += [
			{destination: \"/odd\", type: \"tmpfs\", source: \"t\", options: [\"ro\"]},
			{destination: \"/sticky\", type: \"tmpfs\", source: \"t\", options: [\"nosuid\"]},
			{destination: \"/asked\", type: \"tmpfs\", source: \"t\", options: [\"mode=1500\", \"size=128k\"]},
			{destination: \"/new/one\", type: \"tmpfs\", source: \"t\", options: [\"rw\", \"nodev\"]}]" \
			'stat -c %a /odd /sticky /asked /new/one; cat /proc/self/mountinfo'
		is "$(head -4 <<<"$output")" $'712\n7710\n1500\n1777'
		grep ' /asked ' <<<"$output" | grep -q 'mode=1500'
		grep ' /asked ' <<<"$output" | grep -q 'size=128k'
		[ -z "$(grep ' /new/one ' <<<"$output" | grep mode=)" ]
		is "$(stat -c %a "$B/rootfs/new" "$B/rootfs/new/one" "$B/rootfs/asked")" $'755\n755\n710'
	done
}

# bats test_tags=root:ids
@test "tmpcopyup: content, modes, owners and links; into a read-only one; not of the root" {
	bundle
	mkdir -p "$B/rootfs/up/dir"
	echo text >"$B/rootfs/up/file"
	chmod 777 "$B/rootfs/up/dir"
	chown 5:6 "$B/rootfs/up/file"
	chmod 4755 "$B/rootfs/up/file"
	chmod 1733 "$B/rootfs/up"
	ln -s file "$B/rootfs/up/link"
	mkfifo "$B/rootfs/up/fifo"
	KEEP=yes
	umask 077
	in_container '.mounts += [{destination: "/up", type: "tmpfs", source: "t", options: ["tmpcopyup", "ro"]}]' \
		'cd /up; stat -c "%n %a %u:%g %F" . dir file link fifo; cat link; touch x 2>&1; ls -A dir | wc -l'
	umask 022
	is "$output" ". 1733 0:0 directory
dir 777 0:0 directory
file 4755 5:6 regular file
link 777 0:0 symbolic link
fifo 644 0:0 fifo
text
touch: x: Read-only file system
0"
	is "$(ls "$B/rootfs/up" | tr '\n' ' ')" "dir fifo file link "
	edit '.mounts = [{destination: "/", type: "tmpfs", source: "t", options: ["tmpcopyup"]}] + .mounts'
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/0" tmpcopyup
}

@test "a bind and a tmpfs on the root" {
	bundle
	mkdir other
	cp -a "$B/rootfs/." other/
	echo other >other/mark
	KEEP=yes
	in_container ".mounts = [{destination: \"/\", type: \"bind\", source: \"$W/other\", options: [\"bind\"]}] + .mounts" 'cat /mark; ls /proc/self/exe'
	is "$(head -1 <<<"$output")" other
}

# bats test_tags=root:devices
@test "a read-only /dev has its devices" {
	in_container '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end) | .linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 5}]' \
		'cat /proc/self/mountinfo; stat -c %t:%T /dev/null /dev/own; readlink /dev/fd; touch /dev/x 2>&1; echo x >/dev/null && echo written; [ -e /dev/pts/ptmx ] && echo pts'
	flagged ro /dev
	prints $'1:3\n1:5\n/proc/self/fd' "Read-only file system" written pts
}

@test "an overlay of the host's directories" {
	mkdir lower upper work
	echo lower >lower/file
	in_container ".mounts += [{destination: \"/mnt\", type: \"overlay\", source: \"overlay\", options: [\"lowerdir=$W/lower\", \"upperdir=$W/upper\", \"workdir=$W/work\"]}]" \
		'cat /mnt/file; echo new >/mnt/file; cat /mnt/file'
	is "$output" $'lower\nnew'
	is "$(cat lower/file upper/file)" $'lower\nnew'
}

@test "without /proc, /sys and /sys/fs/cgroup a container runs, too; /proc is 0555" {
	in_container 'del(.mounts[] | select(.destination == "/proc" or (.destination | startswith("/sys"))))' 'ls /proc /sys | wc -l; echo alive'
	prints alive
	in_container '.mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = []' 'echo alive'
	is "$output" alive
	bundle
	chmod 0700 "$B/rootfs/proc"
	KEEP=yes in_container . 'stat -c %a /proc'
	is "$output" 555
}

@test "an unknown word: an error for a bind, the kernel's affair for a file system" {
	bundle '.mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "nosuchword"]}]'
	fails 3 oakum run -b "$B" "$C"
	says /mounts/7/options/1 nosuchword
	bundle '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["nosuchword=7"]}]'
	fails 1 oakum run -b "$B" "$C"
	says /mounts/7 nosuchword
	bundle '.mounts += [{destination: "/mnt", type: "nosuchfs", source: "t"}]'
	fails 6 oakum run -b "$B" "$C"
	says /mounts/7 nosuchfs
}

@test "a file system's own options reach it" {
	in_container '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["nr_inodes=50", "size=64k", "uid=7", "gid=8", "silent", "iversion", "lazytime", "noacl", "rasync", "rnomand"]}]' \
		'grep " /mnt " /proc/self/mountinfo; stat -c %u:%g /mnt'
	prints nr_inodes=50 size=64k lazytime $'\n7:8'
}
