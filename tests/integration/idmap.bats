#!/usr/bin/env bats
# Id-mapped mounts: whose file it is, asked inside the container and on the host behind the mount.
load ../lib/common

# A tree on a tmpfs of its own, since not every file system can be id-mapped.
setup_tree() {
	maps_tmpfs
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

# bats test_tags=root:mount
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

# bats test_tags=root:mount
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

# bats test_tags=root:mount
@test "an id that the mapping does not have cannot write" {
	setup_tree
	chmod 1777 src
	mapped . '{options: ["bind"], uidMappings: [{containerID: 0, hostID: 5000, size: 1}], gidMappings: [{containerID: 0, hostID: 5000, size: 1}]}' \
		'echo z >/mnt/new || true'
	says "too large"
	[ ! -e src/new ]
	teardown_tree
}

# bats test_tags=root:mount
@test "crun's form in the option, absolute and relative to the container" {
	setup_tree
	mapped . '{options: ["bind", "idmap=uids=0-1000-2#5-2000-1;gids=0-3000-10"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'1000:3000\n2000:3006'
	mapped "$userns" '{options: ["bind", "idmap=uids=@0-7-6;gids=@0-8-7"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'7:8\n12:14'
	# Nothing behind the sign, and a kind that is left out: the container's own mapping.
	mapped "$userns" '{options: ["bind", "idmap="]}' 'stat -c %u:%g /mnt/other'
	is "$output" 5:6
	mapped "$userns" '{options: ["bind", "idmap=uids=@0-40-9"]}' 'stat -c %u:%g /mnt/other'
	is "$output" 45:6
	bundle ".mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap=uids=0-1\"]}]"
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7" "uids=A-B-N"
	teardown_tree
}

# bats test_tags=root:mount
@test "a relative mapping over several ranges of the container's" {
	setup_tree
	ranges='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1}, {containerID: 1, hostID: 200000, size: 100}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'
	mapped "$ranges" '{options: ["bind", "idmap=uids=@0-0-101;gids=@5-0-3"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'0:65534\n5:1'
	bundle "$ranges | .mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap=uids=@0-101-1;gids=0-1-1\"]}]"
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7" "user namespace maps" "@0-101-1"
	# As far as the container's goes, and with a sign, as in crun's own tests.
	mapped "$ranges" '{options: ["bind", "idmap=uids=@4-100-10;gids=+0-200000-10"]}' 'stat -c %u:%g /mnt/file /mnt/other'
	is "$output" $'65534:1\n65534:7'
	teardown_tree
}

# bats test_tags=root:mount
@test "several ranges, several mounts of one source, behind a symlink, with propagation" {
	setup_tree
	ln -s "$W/src" link
	for i in 100:211 101:222 102:233; do
		touch src/${i%:*}
		chown $i src/${i%:*}
	done
	stat='stat -c %u:%g'
	three='uidMappings: [{containerID: 100, hostID: 101000, size: 1}, {containerID: 101, hostID: 102000, size: 1}, {containerID: 102, hostID: 103000, size: 1}],
		gidMappings: [{containerID: 210, hostID: 101100, size: 10}, {containerID: 220, hostID: 102200, size: 10}, {containerID: 230, hostID: 103300, size: 10}]'
	for filter in . "$userns"; do
		off=100000
		[ "$filter" != . ] || off=0
		mapped "$filter | .mounts += [{destination: \"/vol\", source: \"$W/link\", options: [\"bind\"], uidMappings: [{containerID: 100, hostID: 107000, size: 3}], gidMappings: [{containerID: 211, hostID: 108000, size: 30}]},
			{destination: \"var\", source: \"$W/src\", options: [\"rbind\", \"shared\", \"ro\"], $three},
			{destination: \"/root\", source: \"$W/src\", options: [\"bind\"]}]" "{options: [\"bind\"], $three}" \
			"$stat /mnt/10?; $stat /vol/10?; $stat /var/10?; $stat /root/100; grep ' /var ' /proc/self/mountinfo"
		is "$(head -9 <<<"$output")" "$(for i in 101000:101100 102000:102200 103000:103300; do echo $i; done | awk -F: -v o=$off '{ print $1 - o ":" $2 - o + (NR == 1 ? 1 : NR == 2 ? 2 : 3) }'
		for i in 107000:108000 107001:108011 107002:108022; do echo $i; done | awk -F: -v o=$off '{ print $1 - o ":" $2 - o }'
		for i in 101000:101101 102000:102202 103000:103303; do echo $i; done | awk -F: -v o=$off '{ print $1 - o ":" $2 - o }')"
		if [ "$filter" = . ]; then is "$(sed -n 10p <<<"$output")" 100:211; else is "$(sed -n 10p <<<"$output")" 65534:65534; fi
		tail -1 <<<"$output" | grep -q 'ro,.*idmapped shared:'
	done
	teardown_tree
}

# bats test_tags=root:mount
@test "what is written through a mapping that the writer is not in" {
	setup_tree
	chmod 777 src
	# The container's root is nobody on this mount.
	mapped "$userns" '{options: ["bind"], uidMappings: [{containerID: 0, hostID: 100050, size: 10}], gidMappings: [{containerID: 0, hostID: 100050, size: 10}]}' \
		'touch /mnt/new; stat -c %u:%g /mnt/file'
	prints 50:50
	says "too large"
	[ ! -e src/new ]
	teardown_tree
}

# bats test_tags=root:mount
@test "with twenty descriptors, more mounts than that" {
	setup_tree
	mounts=
	for i in $(seq 40); do
		mounts="$mounts{destination: \"/mnt/i$i\", source: \"$W/src\", options: [\"bind\", \"idmap\"]}, {destination: \"/mnt/b$i\", source: \"$W/src\", options: [\"bind\"]},
			{destination: \"/mnt/o$i\", source: \"$W/src\", options: [\"bind\"], uidMappings: [{containerID: 0, hostID: 100007, size: 10}], gidMappings: [{containerID: 0, hostID: 100007, size: 10}]},"
	done
	bundle "$userns | .mounts += [{destination: \"/mnt\", type: \"tmpfs\", source: \"t\"}, ${mounts%,}] | .process.args = [\"sh\", \"-c\", \"stat -c %u:%g /mnt/*/file | sort | uniq -c; ulimit -n\"]
		| .process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: 20, hard: 20}]"
	# In v1 a cgroup has a descriptor in each hierarchy.
	ok bash -c 'ulimit -n $1; shift; exec "$@"' bash $(on_v2 && echo 20 || echo 40) "$OAKUM" --root "$ROOT" run -b "$B" "$C"
	is "$(tr -s ' ' <<<"$output")" " 40 0:0
 40 65534:65534
 40 7:7
20"
	teardown_tree
}

# bats test_tags=root:mount
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

# bats test_tags=root:mount
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

# bats test_tags=root:kernel
@test "what cannot be id-mapped is an error with its pointer" {
	mkdir src
	bundle ".mounts += [{destination: \"/mnt\", source: \"$W/src\", options: [\"bind\", \"idmap\"]}]"
	fails 3 oakum run -b "$B" "$C"
	says "/mounts/7" "user namespace"
	bundle '.mounts += [{destination: "/mnt", source: "/proc", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	fails 6 oakum run -b "$B" "$C"
	says "/mounts/7" "proc cannot be id-mapped"
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

# bats test_tags=root:mount
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
