#!/usr/bin/env bats
# Mounts as engines ask for them, on a host whose mounts are shared (as systemd makes them).
load ../lib/common

# shared_host COMMAND…: with every mount of a private copy of the host's mounts shared.
shared_host() {
	unshare -m --propagation private sh -c 'mount --make-rshared / && exec "$@"' sh "$@"
}

# with_volume ROOTFS-PROPAGATION OPTION SCRIPT: the lines of mountinfo of a volume, outside and inside.
with_volume() {
	mkdir -p "$W/volume"
	bundle ".linux.rootfsPropagation = \"$1\" | .mounts += [{destination: \"/mnt\", type: \"bind\", source: \"$W/volume\", options: [\"rbind\", \"$2\"]}]
		| .process.capabilities |= with_entries(.value += [\"CAP_SYS_ADMIN\"] | .value |= unique) | .process.args = [\"sh\", \"-c\", \"${3-true}; grep -w /mnt /proc/self/mountinfo\"]"
	ok shared_host sh -c 'mount -t tmpfs v "$1" && mkdir "$1/sub" && : | "$2" --root "$3" run -b "$4" "$5" && echo host && cat /proc/self/mountinfo' \
		sh "$W/volume" "$OAKUM" "$ROOT" "$B" "$C"
	inside=$(sed -n 1p <<<"$output")
	outside=$(sed -n '/^host/,$p' <<<"$output")
}

peers() { grep -o "$1:[0-9]*" <<<"$2" | head -1; }

# bats test_tags=root:kernel
@test "mounts: a shared volume is in the host's peer group, and mounts in it reach the host" {
	for p in shared rshared; do
		with_volume $p $p 'mount -t tmpfs inner /mnt/sub'
		is "$(peers shared "$inside")" "$(peers shared "$(grep " $W/volume " <<<"$outside")")"
		grep -q " $W/volume/sub " <<<"$outside"
		# Nothing else of the container did.
		[ -z "$(grep -F "$B" <<<"$outside")" ]
	done
}

# bats test_tags=root:kernel
@test "mounts: rootfsPropagation leaves each mount its own propagation" {
	with_volume rslave shared
	case $inside in *shared:*master:*) ;; *) false ;; esac
	with_volume rshared rslave
	case $inside in *shared:*) false ;; *master:*) ;; *) false ;; esac
	with_volume rshared rprivate
	case $inside in *shared:* | *master:*) false ;; esac
}
