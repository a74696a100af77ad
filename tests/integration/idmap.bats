#!/usr/bin/env bats
# Id-mapped mounts: whose file it is, asked inside the container and on the host behind the mount.
load ../lib/common

# A tree on a tmpfs of its own, since not every file system can be id-mapped.
setup_tree() {
	mkdir -p src
	mount -t tmpfs -o mode=755 tree src
	mkdir src/sub
	mount -t tmpfs -o mode=755 sub src/sub
	echo x >src/file
	echo x >src/sub/file
	chown 0:0 src/file src/sub/file
	echo y >src/other
	chown 5:6 src/other
}

teardown_tree() { umount -R src; }

userns='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'

# mapped FILTER MOUNT COMMAND: run COMMAND in a container with the mount of src on /mnt.
mapped() {
	bundle "$1 | .mounts += [{destination: \"/mnt\", source: \"$W/src\"} + $2] | .process.args = [\"sh\", \"-c\", \"$3\"]"
	chown 100000:100000 "$B/rootfs/tmp" 2>/dev/null || :
	ok oakum run -b "$B" "$C"
}

@test "a mapping of its own, without a user namespace" {
	setup_tree
	mapped . '{options: ["rbind"], uidMappings: [{containerID: 0, hostID: 100000, size: 10}], gidMappings: [{containerID: 0, hostID: 200000, size: 10}]}' \
		'stat -c %u:%g /mnt/file /mnt/other /mnt/sub/file'
	is "$output" $'100000:200000\n100005:200006\n0:0'
	mapped . '{options: ["rbind", "ridmap"], uidMappings: [{containerID: 0, hostID: 100000, size: 10}], gidMappings: [{containerID: 0, hostID: 200000, size: 10}]}' \
		'stat -c %u:%g /mnt/file /mnt/sub/file'
	is "$output" $'100000:200000\n100000:200000'
	teardown_tree
}

@test "the container's own mapping: idmap the top, ridmap the tree" {
	setup_tree
	mapped "$userns" '{options: ["rbind", "idmap"]}' 'stat -c %u:%g /mnt/file /mnt/other /mnt/sub/file'
	is "$output" $'0:0\n5:6\n65534:65534'
	mapped "$userns" '{options: ["rbind", "ridmap"]}' 'stat -c %u:%g /mnt/file /mnt/sub/file'
	is "$output" $'0:0\n0:0'
	# What is written belongs on the disk to the id it was mapped from.
	mapped "$userns" '{options: ["bind", "idmap"]}' 'echo z >/mnt/new'
	is "$(stat -c %u:%g src/new)" 0:0
	teardown_tree
}

@test "an id that the mapping does not have cannot write" {
	setup_tree
	chmod 1777 src
	mapped . '{options: ["bind"], uidMappings: [{containerID: 0, hostID: 5000, size: 1}], gidMappings: [{containerID: 0, hostID: 5000, size: 1}]}' \
		'echo z >/mnt/new || true'
	says "too large"
	[ ! -e src/new ]
	teardown_tree
}

@test "crun's form in the option, absolute and relative to the container" {
	setup_tree
	mapped . '{options: ["bind", "idmap=uids=0-1000-2#5-2000-1;gids=0-3000-10"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'1000:3000\n2000:3006'
	mapped "$userns" '{options: ["bind", "idmap=uids=@0-7-6;gids=@0-8-7"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'7:8\n12:14'
	bundle ".mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap=uids=0-1\"]}]"
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7" "uids=A-B-N"
	teardown_tree
}

@test "a source relative to the bundle, the same source twice, and one that an earlier mount brings" {
	setup_tree
	mkdir -p "$B"
	bundle "$userns | .mounts += [
		{destination: \"/mnt\", source: \"../src\", options: [\"bind\", \"idmap\"]},
		{destination: \"/vol\", source: \"../src\", options: [\"bind\"], uidMappings: [{containerID: 0, hostID: 100077, size: 9}], gidMappings: [{containerID: 0, hostID: 100077, size: 9}]},
		{destination: \"/var\", source: \"$W/src\", options: [\"rbind\"]},
		{destination: \"/root\", source: \"rootfs/var/sub\", options: [\"bind\", \"idmap\"]}]
		| .process.args = [\"stat\", \"-c\", \"%u:%g\", \"/mnt/file\", \"/vol/file\", \"/var/file\", \"/root/file\"]"
	ok oakum run -b "$B" "$C"
	is "$output" $'0:0\n77:77\n65534:65534\n0:0'
	teardown_tree
}

@test "in a user namespace that is joined by path" {
	setup_tree
	sleeper "$userns"
	ok oakum run -d -b "$B" "$C"
	bundle "$userns | .linux.namespaces |= map(if .type == \"user\" then .path = \"/proc/$(pid_of)/ns/user\" else . end) | del(.linux.uidMappings, .linux.gidMappings)
		| .mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap\"]}] | .process.args = [\"stat\", \"-c\", \"%u:%g\", \"/mnt/other\"]" "$W/second"
	ok oakum run -b "$W/second" "$C-2"
	is "$output" 5:6
	ok oakum delete -f "$C"
	teardown_tree
}

@test "what cannot be id-mapped is an error with its pointer" {
	mkdir src
	bundle ".mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap\"]}]"
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7" "user namespace"
	bundle '.mounts += [{destination: "/mnt", source: "/proc", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	fails 6 oakum run -b "$B" "$C"
	says "/mounts/7" "cannot be id-mapped"
	bundle '.mounts += [{destination: "/mnt", source: "/tmp", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7/gidMappings"
	bundle '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["idmap"]}]'
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7/options/0" "bind mounts only"
}

@test "src-nofollow, dest-nofollow, copy-symlink" {
	echo target >target
	ln -s "$W/target" link
	bundle ".mounts += [{destination: \"/mnt/copied\", source: \"$W/link\", options: [\"bind\", \"copy-symlink\"]},
		{destination: \"/mnt/plain\", source: \"$W/target\", options: [\"bind\", \"copy-symlink\"]}]
		| .process.args = [\"sh\", \"-c\", \"readlink /mnt/copied; cat /mnt/plain; grep -c /mnt/ /proc/self/mountinfo\"]"
	ok oakum run -b "$B" "$C"
	is "$output" "$W/target"$'\ntarget\n1'
	# Onto the link itself, not onto what it points to.
	bundle ".mounts += [{destination: \"/mnt/link\", source: \"$W/target\", options: [\"bind\", \"dest-nofollow\"]}]
		| .process.args = [\"sh\", \"-c\", \"cat /mnt/link /etc/pointed\"]"
	ln -s /etc/pointed "$B/rootfs/mnt/link"
	echo below >"$B/rootfs/etc/pointed"
	ok oakum run -b "$B" "$C"
	is "$output" $'target\nbelow'
	rm -f "$B/rootfs/mnt/link" "$B/rootfs/etc/pointed"
	# A door of /proc is no place.
	bundle ".mounts += [{destination: \"/proc/self/exe\", source: \"$W/target\", options: [\"bind\", \"dest-nofollow\"]}]"
	fails 1 oakum run -b "$B" "$C"
	says "/mounts/7" EPERM
}

@test "what the source forbids stays forbidden in a user namespace" {
	mkdir src
	mount -t tmpfs -o mode=755 tree src
	mount -o remount,bind,ro,nodev,nosuid,noatime src
	look='.process.args = ["sh", "-c", "grep \" /mnt \" /proc/self/mounts | cut -d\" \" -f4"]'
	for options in '"bind"' '"bind", "noexec"' '"rbind", "nosuid", "norelatime"'; do
		bundle "$userns | .mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [$options]}] | $look"
		ok oakum run -b "$B" "$C"
		[[ ",$output," == *,ro,*nosuid,*nodev,*noatime,* ]]
	done
	for options in '"bind", "rw"' '"bind", "dev"' '"bind", "suid"' '"bind", "strictatime"' '"bind", "nodiratime"'; do
		bundle "$userns | .mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [$options]}]"
		fails 1 oakum run -b "$B" "$C"
		says "/mounts/7" "Operation not permitted" "user namespace"
	done
	# Without one, what is asked for is done, and what is not asked for is cleared with it.
	bundle ".mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"rw\", \"noexec\", \"atime\"]}] | $look"
	ok oakum run -b "$B" "$C"
	is "${output%,mode=*}" rw,noexec,noatime
	umount src
}

@test "a destination as the host sees it, below the root" {
	mkdir src
	bundle
	edit ".mounts += [{destination: \"$B/rootfs/mnt\", source: \"$W/src\", options: [\"bind\"]}] | .process.args = [\"grep\", \"-c\", \" /mnt \", \"/proc/self/mountinfo\"]"
	ok oakum run -b "$B" "$C"
	is "$output" 1
}
