#!/usr/bin/env bats
# oakum mounts: binds and tmpfs more, or less, in a container that lives; seen from inside.
load ../lib/common

user='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
	| .mounts |= map(select(.destination != "/sys/fs/cgroup"))'

# inside COMMAND…: its output in $output.
inside() { ok oakum exec "$C" "$@"; }
mounted() { inside cat /proc/self/mountinfo; awk -v at="$1" '$5 == at' <<<"$output"; }
inside_host() { "$LIB/inside" "$@"; }
mounts() { jq -n "$1" >"$W/mounts.json"; }

# What the peers' own test does, and more.
add_and_remove() {
	sleeper "$1"
	[ "$1" = . ] || chown 100000:100000 "$B/rootfs"
	ok oakum run -d -b "$B" "$C"
	mkdir -p "$W/data/sub" "$W/tree"
	echo here >"$W/data/file"
	mount -t tmpfs inner "$W/data/sub"
	echo below >"$W/data/sub/file"
	mounts '[{destination: "/new/dir", type: "bind", source: "'"$W"'/data", options: ["bind", "ro"]},
		{destination: "/new/tree", source: "'"$W"'/data", options: ["rbind"]},
		{destination: "/new/scratch", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=711"]},
		{destination: "/new/one", type: "bind", source: "'"$W"'/data/file", options: ["bind", "nosuid"]}]'
	ok oakum mounts add "$C" "$W/mounts.json"
	is "$errors$output" ""
	inside cat /new/dir/file /new/one /new/tree/sub/file
	is "$output" "here
here
below"
	oakum exec "$C" sh -c 'echo no >/new/dir/file' </dev/null >/dev/null 2>"$W/err" && false
	grep -q "Read-only file system" "$W/err"
	inside ls /new/dir/sub
	is "$output" ""
	inside sh -c 'echo yes >/new/scratch/file; stat -c %a /new/scratch; df -k /new/scratch | tail -n 1'
	grep -q '^711$' <<<"$output"
	[[ $output =~ \ 64\ .*/new/scratch ]]
	[[ $(mounted /new/one) == *nosuid* ]]
	# Nothing of it is to be seen outside, and nothing of it propagates.
	! grep -q "/new/" /proc/self/mountinfo
	inside sh -c 'grep " /new/" /proc/self/mountinfo | grep -c shared: || true'
	is "$output" 0
	ok oakum mounts remove "$C" "$W/mounts.json"
	inside sh -c 'grep -c " /new/" /proc/self/mountinfo || true; ls /new/dir /new/tree; wc -c </new/one'
	is "$(tr -s '\n' ' ' <<<"$output")" "0 /new/dir: /new/tree: 0 "
	fails 1 oakum mounts remove "$C" "$W/mounts.json"
	says ": /3: " "nothing is mounted on /new/one"
	umount "$W/data/sub"
	ok oakum delete -f "$C"
}

# bats test_tags=root:mount
@test "a directory, a tree, a file and a tmpfs come and go" {
	add_and_remove .
}

# bats test_tags=root:mount
@test "a directory, a tree, a file and a tmpfs come and go in a user namespace" {
	chmod 711 "$W"
	add_and_remove "$user"
}

# bats test_tags=root:mount
@test "also in a container that waits, one that is paused, from standard input and a relative source" {
	sleeper
	mkdir "$B/data"
	echo near >"$B/data/file"
	ok oakum create -b "$B" "$C"
	echo '[{"destination": "a", "source": "data", "options": ["bind"]}]' | oakum mounts add "$C" -
	is "$(status_of)" created
	ok oakum start "$C"
	inside cat /a/file
	is "$output" near
	ok oakum pause "$C"
	mounts '[{destination: "/b", source: "data", options: ["bind"]}]'
	ok oakum mounts add "$C" "$W/mounts.json"
	is "$(status_of)" paused
	ok oakum resume "$C"
	inside cat /b/file
	is "$output" near
	ok oakum delete -f "$C"
}

# bats test_tags=root:mount
@test "an id-mapped source shows the ids of the container" {
	maps_tmpfs
	sleeper "$user"
	chown 100000:100000 "$B/rootfs"
	mkdir "$W/data"
	touch "$W/data/file"
	chown 7:8 "$W/data/file"
	ok oakum run -d -b "$B" "$C"
	mounts '[{destination: "/own", source: "'"$W"'/data", options: ["bind", "idmap"]},
		{destination: "/given", source: "'"$W"'/data", options: ["bind"], uidMappings: [{containerID: 7, hostID: 100001, size: 1}], gidMappings: [{containerID: 8, hostID: 100002, size: 1}]},
		{destination: "/plain", source: "'"$W"'/data", options: ["bind"]}]'
	ok oakum mounts add "$C" "$W/mounts.json"
	inside stat -c %u:%g /own/file /given/file /plain/file
	is "$(tr '\n' ' ' <<<"$output")" "7:8 1:2 65534:65534 "
	ok oakum delete -f "$C"
}

# bats test_tags=root:mount
@test "a link in the container leads nowhere else" {
	sleeper
	mkdir "$W/data" "$W/bait"
	ln -s "$W/bait" "$B/rootfs/door"
	ln -s ../../../../../../../../../../../.. "$B/rootfs/up"
	ok oakum run -d -b "$B" "$C"
	mounts '[{destination: "/door/x", source: "'"$W"'/data", options: ["bind"]}, {destination: "/up'"$W"'/bait/y", type: "tmpfs"}]'
	ok oakum mounts add "$C" "$W/mounts.json"
	is "$(ls "$W/bait")" ""
	[ -n "$(mounted "$W/bait/x")" ]
	[ -n "$(mounted "$W/bait/y")" ]
	ok oakum mounts remove "$C" "$W/mounts.json"
	ok oakum delete -f "$C"
}

# bats test_tags=root:mount
@test "a file system in the container that never answers costs ten seconds, not for ever" {
	local pid
	make_fuse
	[ "$(inside_host open /dev/fuse rw)" = ok ] || skip "no fuse in this kernel"
	sleeper
	mkdir "$B/rootfs/mute"
	ok oakum run -d -b "$B" "$C"
	mkfifo "$W/hold"
	nsenter -t "$(pid_of)" -m /bin/inside mute /mute 8 8<>/dev/fuse <"$W/hold" >"$W/said" 3>&- &
	pid=$!
	exec 9>"$W/hold"
	until_true grep -q . "$W/said"
	is "$(<"$W/said")" ok
	mounts '[{destination: "/before", type: "tmpfs"}, {destination: "/mute/below", type: "tmpfs"}]'
	fails 1 timeout 60 "$OAKUM" --root "$ROOT" mounts add "$C" "$W/mounts.json"
	says "does not come back" ETIMEDOUT
	exec 9>&-
	wait $pid
	# It was killed in the middle: what it had made stays, and can be taken away.
	mounts '[{destination: "/before", type: "tmpfs"}]'
	ok oakum mounts remove "$C" "$W/mounts.json"
	ok oakum delete -f "$C"
}

# bats test_tags=root:mount
@test "when one cannot be added, none is" {
	sleeper
	mkdir "$W/data"
	ok oakum run -d -b "$B" "$C"
	mounts '[{destination: "/one", type: "tmpfs"}, {destination: "/two", source: "'"$W"'/data", options: ["bind"]}, {destination: "/etc/passwd/three", type: "tmpfs"}]'
	fails 1 oakum mounts add "$C" "$W/mounts.json"
	says /2 "/etc/passwd/three" ENOTDIR
	is "$(mounted /one)$(mounted /two)" ""
	mounts '[{destination: "/one", type: "tmpfs"}, {destination: "/two", source: "'"$W"'/nowhere", options: ["bind"]}]'
	fails 1 oakum mounts add "$C" "$W/mounts.json"
	says /1 nowhere ENOENT
	is "$(mounted /one)" ""
	ok oakum delete -f "$C"
}

@test "what is refused: other kinds, the root, bad files, containers that are not there or do not run" {
	fails 2 oakum mounts
	fails 2 oakum mounts add "$C"
	fails 4 oakum mounts add "$C" /dev/null
	sleeper
	ok oakum create -b "$B" "$C"
	fails 2 oakum mounts change "$C" /dev/null
	says "add or remove"
	for entry in '{destination: "/p", type: "proc", source: "proc"}' '{destination: "/p", type: "cgroup", source: "cgroup"}' \
		'{destination: "/proc", options: ["remount", "ro"]}' '{destination: "/p", type: "sysfs"}'; do
		mounts "[$entry]"
		fails 6 oakum mounts add "$C" "$W/mounts.json"
		says ": /0: " "only binds and tmpfs"
	done
	mounts '[{destination: "/x", type: "tmpfs"}, {destination: "/..", type: "tmpfs"}]'
	fails 3 oakum mounts add "$C" "$W/mounts.json"
	says /1 "the root"
	mounts '[{destination: "/x", source: "/", options: ["bind", "nosuchword"]}]'
	fails 3 oakum mounts add "$C" "$W/mounts.json"
	says /0 nosuchword
	mounts '[{type: "tmpfs"}]'
	fails 3 oakum mounts add "$C" "$W/mounts.json"
	says "mounts.json:2:3: /0/destination: missing"
	mounts '{mounts: []}'
	fails 3 oakum mounts add "$C" "$W/mounts.json"
	echo '[' >"$W/mounts.json"
	fails 3 oakum mounts add "$C" "$W/mounts.json"
	fails 1 oakum mounts add "$C" "$W/nowhere.json"
	says ENOENT
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	mounts '[{destination: "/x", type: "tmpfs"}]'
	fails 4 oakum mounts add "$C" "$W/mounts.json"
	says "not running"
	ok oakum delete "$C"
}
