#!/usr/bin/env bats
# User namespaces in every form, and other namespaces that are joined beside one.
load ../lib/common

maps='.linux.namespaces += [{type: "user"}] |
	.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'

# by_path TYPE PATH: the jq filter that gives the namespace this path, the entry made if need be.
by_path() {
	echo ".linux.namespaces |= (map(select(.type != \"$1\")) + [{type: \"$1\", path: \"$2\"}])"
}

# hold UNSHARE-ARG…: a process in new namespaces, its pid in $holder; ended by `let_go`.
hold() {
	unshare "$@" --fork sleep 1000 &
	parent=$!
	until_true is_held
}

is_held() {
	holder=$(tr -d ' ' </proc/$parent/task/$parent/children) && [ -n "$holder" ] && grep -qs '^sleep' "/proc/$holder/comm"
}

# hold_user SIZE UNSHARE-ARG…: the same with a user namespace of SIZE ids.
hold_user() {
	local size=$1
	shift
	hold --user "$@"
	echo "0 100000 $size" >"/proc/$holder/uid_map"
	echo "0 200000 $size" >"/proc/$holder/gid_map"
}

let_go() {
	kill -KILL "$holder"
	wait "$parent" || :
}

maps_of() { tr -s ' ' <"/proc/$1/$2" | sed 's/^ //' | tr '\n' ';'; }

# bats test_tags=root:ids
@test "several ranges, uids and gids differ" {
	in_container '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 5000, size: 1}, {containerID: 2000, hostID: 300000, size: 10}] |
		.linux.gidMappings = [{containerID: 0, hostID: 400000, size: 100}, {containerID: 100, hostID: 7, size: 1}] |
		.process.user = {uid: 1000, gid: 100, additionalGids: [5, 99]}' \
		'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; inside ids; cat /proc/self/setgroups'
	is "$output" " 0 100000 1000
 1000 5000 1
 2000 300000 10
 0 400000 100
 100 7 1
uid=1000 gid=100 groups=5,99
allow"
}

# bats test_tags=root:kernel
@test "without mappings root has everybody" {
	in_container '.linux.namespaces += [{type: "user"}]' 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; readlink /proc/self/ns/user; stat -c %u /proc/self'
	is "$(sed -n 1,2p <<<"$output")" " 0 0 4294967295
 0 0 4294967295"
	[ "$(sed -n 3p <<<"$output")" != "$(readlink /proc/self/ns/user)" ]
	is "$(sed -n 4p <<<"$output")" 0
}

# bats test_tags=root:ids
@test "files, terminals and devices belong to the container's ids" {
	in_container "$maps | .process.user = {uid: 7, gid: 8} | .process.terminal = true" 'touch /tmp/mine; stat -c "%u:%g" /tmp/mine /dev/null $(readlink /proc/self/fd/0); stat -c %t:%T /dev/zero'
	is "$(tr -d '\r' <<<"$output")" "7:8
65534:65534
7:5
1:5"
	is "$(stat -c %u:%g "$B/rootfs/tmp/mine")" 100007:200008
}

# bats test_tags=root:ids
@test "message queues belong to the container's root, in an ipc namespace of its own" {
	in_container "$maps" 'stat -c "%u:%g" /dev/mqueue /dev/shm; readlink /proc/self/ns/ipc'
	is "$(head -n 2 <<<"$output" | xargs)" "0:0 0:0"
	[ "$(tail -n 1 <<<"$output")" != "$(readlink /proc/self/ns/ipc)" ]
	sleeper "$maps"
	ok oakum run -d -b "$B" "$C"
	bundle "$(by_path user "/proc/$(pid_of)/ns/user") | .process.args = [\"stat\", \"-c\", \"%u:%g\", \"/dev/mqueue\"]" "$W/second"
	ok oakum run -b "$W/second" "$C-second"
	is "$output" 0:0
	ok oakum delete -f "$C"
}

# bats test_tags=root:ids
@test "joined by path: the target's maps, its files, exec and kill" {
	sleeper "$maps"
	ok oakum run -d -b "$B" "$C"
	bundle "$(by_path user "/proc/$(pid_of)/ns/user") | .process.args = [\"sh\", \"-c\", \"trap 'exit 0' TERM; touch /tmp/mine; while :; do sleep 1000 & wait; done\"] | .process.user = {uid: 3, gid: 4}" "$W/second"
	ok oakum run -d -b "$W/second" "$C-second"
	is "$(readlink "/proc/$(pid_of "$C-second")/ns/user")" "$(readlink "/proc/$(pid_of)/ns/user")"
	is "$(maps_of "$(pid_of "$C-second")" uid_map) $(maps_of "$(pid_of "$C-second")" gid_map)" "0 100000 65536; 0 200000 65536;"
	until_true test -e "$W/second/rootfs/tmp/mine"
	is "$(stat -c %u:%g "$W/second/rootfs/tmp/mine")" 100003:200004
	ok oakum exec -u 9:10 "$C-second" sh -c 'inside ids; tr -s " " </proc/self/uid_map'
	is "$output" "uid=9 gid=10 groups=
 0 100000 65536"
	ok oakum delete -f "$C-second"
	is "$(status_of)" running
	ok oakum delete -f "$C"
}

# bats test_tags=root:ids
@test "joined user and pid namespaces: kill ends this one, the other stays" {
	sleeper "$maps"
	ok oakum run -d -b "$B" "$C"
	p=$(pid_of)
	bundle "$(by_path user "/proc/$p/ns/user") | $(by_path pid "/proc/$p/ns/pid") | .process.args = [\"sleep\", \"1000\"]" "$W/second"
	ok oakum run -d -b "$W/second" "$C-second"
	is "$(readlink "/proc/$(pid_of "$C-second")/ns/pid")" "$(readlink "/proc/$p/ns/pid")"
	ok oakum exec "$C" ps
	prints "sleep 1000"
	ok oakum kill "$C-second" KILL
	until_true is_status stopped "$C-second"
	is "$(status_of)" running
	ok oakum delete "$C-second"
	ok oakum delete -f "$C"
}

# bats test_tags=root:kernel
@test "a joined user namespace beside a network namespace that is not its own" {
	hold --net --uts --ipc
	nets=$holder netsparent=$parent
	hold_user 65536
	in_container "del(.hostname) | del(.mounts[] | select(.type == \"mqueue\")) | $(by_path user /proc/$holder/ns/user) | $(by_path network /proc/$nets/ns/net) | $(by_path uts /proc/$nets/ns/uts) | $(by_path ipc /proc/$nets/ns/ipc)" \
		'for n in user net uts ipc; do readlink /proc/self/ns/$n; done; tr -s " " </proc/self/uid_map'
	is "$output" "$(readlink /proc/$holder/ns/user; for n in net uts ipc; do readlink /proc/$nets/ns/$n; done)
 0 100000 65536"
	let_go
	holder=$nets parent=$netsparent
	let_go
}

# bats test_tags=root:kernel
@test "a joined user namespace beside one that it owns" {
	hold_user 65536 --net --uts
	in_container "del(.hostname) | $(by_path uts /proc/$holder/ns/uts) | $(by_path network /proc/$holder/ns/net) | $(by_path user /proc/$holder/ns/user)" \
		'for n in user net uts; do readlink /proc/self/ns/$n; done'
	is "$output" "$(for n in user net uts; do readlink /proc/$holder/ns/$n; done)"
	let_go
}

# bats test_tags=root:cgroup
@test "a new user namespace beside joined ones of the host's, and exec finds them" {
	hold --net --uts --ipc --cgroup --time --pid
	# Its message queues belong to somebody who is not root in here.
	sleeper "del(.hostname) | del(.mounts[] | select(.type == \"mqueue\")) | $maps | $(by_path network /proc/$holder/ns/net) | $(by_path uts /proc/$holder/ns/uts) | $(by_path ipc /proc/$holder/ns/ipc) |
		$(by_path cgroup /proc/$holder/ns/cgroup) | $(by_path time /proc/$holder/ns/time) | $(by_path pid /proc/$holder/ns/pid)"
	ok oakum run -d -b "$B" "$C"
	is "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of)/status")" 100000
	want=$(for n in net uts ipc cgroup time pid; do readlink /proc/$holder/ns/$n; done)
	is "$(for n in net uts ipc cgroup time pid; do readlink "/proc/$(pid_of)/ns/$n"; done)" "$want"
	ok oakum exec "$C" sh -c 'for n in net uts ipc cgroup time pid; do readlink /proc/self/ns/$n; done'
	is "$output" "$want"
	ok oakum delete -f "$C"
	let_go
}

# bats test_tags=root:kernel
@test "a namespace file that is mounted elsewhere" {
	hold --net
	touch "$W/netns"
	mount --bind /proc/$holder/ns/net "$W/netns"
	in_container "$(by_path network "$W/netns")" 'readlink /proc/self/ns/net'
	is "$output" "$(readlink /proc/$holder/ns/net)"
	in_container "$maps | $(by_path network "$W/netns")" 'readlink /proc/self/ns/net'
	is "$output" "$(readlink /proc/$holder/ns/net)"
	umount "$W/netns"
	let_go
}

# bats test_tags=root:kernel
@test "the host's network and pid namespaces by path are shared ones" {
	in_container "$(by_path network /proc/1/ns/net) | $(by_path pid /proc/1/ns/pid)" 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid'
	is "$output" "$(readlink /proc/self/ns/net)
$(readlink /proc/self/ns/pid)"
	in_container "$maps | $(by_path network /proc/1/ns/net)" 'readlink /proc/self/ns/net'
	is "$output" "$(readlink /proc/self/ns/net)"
	# All of it dies, as in any shared pid namespace.
	bundle "$(by_path pid /proc/1/ns/pid) | .process.args = [\"sh\", \"-c\", \"sleep 1001 & sleep 1002\"]"
	ok oakum run -d -b "$B" "$C"
	ok oakum kill "$C" KILL
	until_true is_status stopped "$C"
	until_true bash -c '! grep -qsx "sleep.100[12]" <(cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" "\n")'
	ok oakum delete "$C"
}

# bats test_tags=root:kernel
@test "what would change the host's own namespaces is refused, naming the field" {
	name=$(hostname)
	mounts=$(wc -l </proc/self/mountinfo)
	bundle "$(by_path mount /proc/1/ns/mnt)"
	fails 3 oakum run -b "$B" "$C"
	says /linux/namespaces/4/path "mount namespace"
	bundle ".linux.namespaces += [{type: \"user\", path: \"/proc/self/ns/user\"}]"
	fails 3 oakum run -b "$B" "$C"
	says /linux/namespaces/5/path "user namespace"
	bundle "$(by_path uts /proc/1/ns/uts)"
	fails 3 oakum run -b "$B" "$C"
	says /hostname
	bundle "$(by_path network /proc/1/ns/net) | .linux.sysctl = {\"net.ipv4.ip_default_ttl\": \"77\"}"
	fails 3 oakum run -b "$B" "$C"
	says /linux/sysctl/net.ipv4.ip_default_ttl
	is "$(hostname) $(wc -l </proc/self/mountinfo)" "$name $mounts"
	[ "$(cat /proc/sys/net/ipv4/ip_default_ttl)" != 77 ]
	fails 4 oakum state "$C"
}

@test "paths that are none, of another kind, or no namespace: the pointer, for every kind" {
	for kind in pid network ipc uts mount user cgroup time; do
		other=net
		[ $kind != network ] || other=ipc
		bundle "$(by_path $kind /none) | del(.hostname)"
		at=$(jq ".linux.namespaces | map(.type) | index(\"$kind\")" "$B/config.json")
		fails 3 oakum run -b "$B" "$C"
		says "/linux/namespaces/$at/path" ENOENT
		edit "$(by_path $kind /proc/self/ns/$other)"
		fails 3 oakum run -b "$B" "$C"
		says "/linux/namespaces/$at/path" "expected $kind"
		edit "$(by_path $kind /etc/passwd)"
		fails 3 oakum run -b "$B" "$C"
		says "/linux/namespaces/$at/path" "not a namespace"
	done
	fails 4 oakum state "$C"
}

# bats test_tags=root:kernel
@test "a process that the joined user namespace does not map" {
	hold_user 10
	bundle "$(by_path user /proc/$holder/ns/user) | .process.user = {uid: 10, gid: 0}"
	fails 3 oakum run -b "$B" "$C"
	says /process/user/uid 10
	bundle "$(by_path user /proc/$holder/ns/user) | .process.user = {uid: 0, gid: 0, additionalGids: [1, 10]}"
	fails 3 oakum run -b "$B" "$C"
	says /process/user/additionalGids/1
	let_go
}

# bats test_tags=root:ids
@test "mappings that the kernel refuses name their member" {
	bundle "$maps"' | .linux.uidMappings = [range(0; 340) | {containerID: (. * 2), hostID: (1000 + . * 2), size: 1}] | .process.args = ["sh", "-c", "wc -l </proc/self/uid_map"]'
	ok oakum run -b "$B" "$C"
	is "$output" 340
	bundle "$maps"' | .linux.uidMappings += [{containerID: 10, hostID: 500000, size: 5}]'
	fails 3 oakum run -b "$B" "$C"
	says /linux/uidMappings/1 overlap
	bundle "$maps"' | .linux.gidMappings += [{containerID: 65536, hostID: 200010, size: 5}]'
	fails 3 oakum run -b "$B" "$C"
	says /linux/gidMappings/1 overlap
}

# bats test_tags=root:kernel
@test "a time namespace in a joined user namespace" {
	hold_user 65536
	in_container "$(by_path user /proc/$holder/ns/user) | .linux.namespaces += [{type: \"time\"}] | .linux.timeOffsets = {boottime: {secs: 86400}}" \
		'tr -s " " </proc/self/timens_offsets; readlink /proc/self/ns/user; readlink /proc/self/ns/time'
	is "$(sed -n 1,3p <<<"$output")" "monotonic 0 0
boottime 86400 0
$(readlink /proc/$holder/ns/user)"
	[ "$(sed -n 4p <<<"$output")" != "$(readlink /proc/self/ns/time)" ]
	let_go
}

# bats test_tags=root:kernel
@test "a joined mount namespace" {
	hold --mount
	in_container "$(by_path mount /proc/$holder/ns/mnt)" 'readlink /proc/self/ns/mnt; echo $$'
	is "$output" "$(readlink /proc/$holder/ns/mnt)
1"
	let_go
}

# bats test_tags=root:kernel
@test "a namespace that is gone before it is joined, a pid namespace whose init is dead" {
	hold --pid
	touch "$W/pidns"
	mount --bind /proc/$holder/ns/pid "$W/pidns"
	let_go
	bundle "$(by_path pid "$W/pidns")"
	fails 1 oakum run -b "$B" "$C"
	bundle "$maps | $(by_path pid "$W/pidns")"
	fails 1 oakum run -b "$B" "$C"
	umount "$W/pidns"
}
