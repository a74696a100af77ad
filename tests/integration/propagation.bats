#!/usr/bin/env bats
# Which peer groups the container's mounts are in, on hosts whose mounts are shared or private; and what
# of the container's mounting reaches the host.
load ../lib/common

userns='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'
mapped='uidMappings: [{containerID: 0, hostID: 100000, size: 65536}], gidMappings: [{containerID: 0, hostID: 100000, size: 65536}]'
may_mount='.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"] | .value |= unique)'

# on_host rshared|rprivate SCRIPT [ARG…]: SCRIPT in a private copy of the host's mounts, all of them so.
on_host() {
	local kind=$1 script=$2
	shift 2
	unshare -m --propagation private sh -c "mount --make-$kind / && $script" sh "$@" >"$W/stdout" 2>"$W/stderr" </dev/null || {
		cat "$W/stdout" "$W/stderr"
		return 1
	}
	output=$(<"$W/stdout")
}

# The optional fields of the mount on $1 in the part of $output that $2 names.
peers_of() {
	awk -v at="$1" -v part="${2-inside}" '/^(inside|host)$/ { now = $1 } now == part && $5 == at { for (i = 7; $i != "-"; i++) printf "%s ", $i; print "" }' <<<"$output"
}

mounted() { awk -v at="$1" -v part="$2" '/^(inside|host)$/ { now = $1 } now == part && $5 == at' <<<"$output" | grep -q .; }

not_mounted() {
	if mounted "$@"; then
		echo "mounted: $*"
		return 1
	fi
}

# group KIND FIELDS: the number behind "KIND:".
group() { grep -o "$1:[0-9]*" <<<"$2" | head -1 | cut -d: -f2; }

run_it='echo inside; : | "$1" --root "$2" run -b "$3" "$4" && echo host && cat /proc/self/mountinfo'

# A rootfs with a mount below it, and what the root is made by PROPAGATION.
with_root() {
	local kind=$1
	bundle "$2 | $may_mount | .mounts += [{destination: \"/mnt\", type: \"tmpfs\", source: \"t\"}] | .process.args = [\"sh\", \"-c\", \"mount -t tmpfs inner /vol/inner; cat /proc/self/mountinfo\"]"
	on_host "$kind" "mount -t tmpfs v \"\$3/rootfs/vol\" && mkdir \"\$3/rootfs/vol/inner\" && $run_it" "$OAKUM" "$ROOT" "$B" "$C"
}

# bats test_tags=root:kernel
@test "rootfsPropagation, each value, on a shared host" {
	for value in private rprivate; do
		with_root rshared ".linux.rootfsPropagation = \"$value\""
		is "$(peers_of / | tr -d ' ')" ""
		is "$(peers_of /vol | tr -d ' ')" ""
	done
	for value in slave rslave; do
		with_root rshared ".linux.rootfsPropagation = \"$value\""
		case $(peers_of /) in master:[0-9]*\ ) ;; *) peers_of /; false ;; esac
		is "$(group master "$(peers_of /vol)")" "$(group shared "$(peers_of "$B/rootfs/vol" host)")"
		case $(peers_of /vol) in *shared:*) false ;; esac
	done
	for value in unbindable runbindable; do
		with_root rshared ".linux.rootfsPropagation = \"$value\""
		is "$(peers_of /)" "unbindable "
	done
	for value in private rslave unbindable; do
		not_mounted "$B/rootfs/vol/inner" host
	done
	# A shared root is a group of its own; what the rootfs had mounted stays in the host's.
	for value in shared rshared; do
		with_root rshared ".linux.rootfsPropagation = \"$value\""
		case $(peers_of /) in shared:[0-9]*\ ) ;; *) peers_of /; false ;; esac
		[ -z "$(grep -w "$(peers_of / | tr -d ' ')" <<<"$(sed -n '/^host$/,$p' <<<"$output")")" ]
		is "$(peers_of /vol)" "$(peers_of "$B/rootfs/vol" host)"
		mounted "$B/rootfs/vol/inner" host
		# What was mounted for the container is its own.
		is "$(peers_of /mnt | tr -d ' ')" ""
		[ -z "$(grep -F "$B/rootfs/mnt" <<<"$(sed -n '/^host$/,$p' <<<"$output")")" ]
	done
	with_root rshared .
	case $(peers_of /) in *shared:*) false ;; esac
}

# bats test_tags=root:kernel
@test "rootfsPropagation on a private host" {
	for value in private slave rslave; do
		with_root rprivate ".linux.rootfsPropagation = \"$value\""
		is "$(peers_of / | tr -d ' ')" ""
	done
	with_root rprivate '.linux.rootfsPropagation = "unbindable"'
	is "$(peers_of /)" "unbindable "
	with_root rprivate '.linux.rootfsPropagation = "shared"'
	case $(peers_of /) in shared:*) ;; *) false ;; esac
	is "$(peers_of /vol)$(peers_of "$B/rootfs/vol" host)" ""
	with_root rprivate '.linux.rootfsPropagation = "rshared"'
	case $(peers_of /vol) in shared:*) ;; *) false ;; esac
	is "$(peers_of "$B/rootfs/vol" host)" ""
	not_mounted "$B/rootfs/vol/inner" host
}

@test "rootfsPropagation without a mount namespace, and one that nobody knows" {
	bundle '.linux.rootfsPropagation = "rslave" | .linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .root.readonly = false'
	fails 3 oakum run -b "$B" "$C"
	says /linux/rootfsPropagation "mount namespace"
	bundle '.linux.rootfsPropagation = "sideways"'
	fails 3 oakum run -b "$B" "$C"
	says /linux/rootfsPropagation sideways
}

# with_volume FILTER MOUNT: a volume on /mnt, into which the container mounts; all submounts alike.
with_volume() {
	mkdir -p "$W/volume"
	bundle "$1 | $may_mount | .mounts += [{destination: \"/mnt\", type: \"bind\", source: \"$W/volume\"} + $2] | .process.args = [\"sh\", \"-c\", \"mount -t tmpfs inner /mnt/inner || echo refused; cat /proc/self/mountinfo\"]"
	chmod 755 "$W"
	on_host "${3-rshared}" "mount -t tmpfs v \"$W/volume\" && mkdir \"$W/volume/inner\" \"$W/volume/sub\" && mount -t tmpfs s \"$W/volume/sub\" && $run_it" "$OAKUM" "$ROOT" "$B" "$C"
	mounted /mnt/inner inside
}

# bats test_tags=root:kernel
@test "a bind that says nothing does not reach the host, whoever opens its source" {
	maps_tmpfs
	for filter in . "$userns"; do
		for mount in '{options: ["bind"]}' '{options: ["rbind"]}' "{options: [\"bind\"], $mapped}" "{options: [\"rbind\", \"ridmap\"], $mapped}"; do
			with_volume "$filter" "$mount"
			case $(peers_of /mnt) in *shared:*) echo "$mount: $(peers_of /mnt)"; false ;; esac
			case $(peers_of /mnt/sub) in *shared:*) echo "$mount: $(peers_of /mnt/sub)"; false ;; esac
			not_mounted "$W/volume/inner" host
		done
	done
}

# bats test_tags=root:kernel
@test "a bind's own word: private, slave, shared; the top or the tree" {
	maps_tmpfs
	for filter in . "$userns"; do
		for more in '' ", $mapped"; do
			with_volume "$filter" "{options: [\"rbind\", \"rprivate\"] $more}"
			is "$(peers_of /mnt | tr -d ' ')$(peers_of /mnt/sub | tr -d ' ')" ""
			not_mounted "$W/volume/inner" host
			with_volume "$filter" "{options: [\"rbind\", \"private\"] $more}"
			is "$(peers_of /mnt | tr -d ' ')" ""
			case $(peers_of /mnt/sub) in *shared:*) false ;; master:*) ;; *) false ;; esac
			for word in slave rslave; do
				with_volume "$filter" "{options: [\"rbind\", \"$word\"] $more}"
				is "$(peers_of /mnt)" "master:$(group shared "$(peers_of "$W/volume" host)") "
				is "$(peers_of /mnt/sub)" "master:$(group shared "$(peers_of "$W/volume/sub" host)") "
				not_mounted "$W/volume/inner" host
			done
			for word in shared rshared; do
				with_volume "$filter" "{options: [\"rbind\", \"$word\"] $more}"
				case $(peers_of /mnt) in shared:*master:*) ;; *) peers_of /mnt; false ;; esac
				is "$(group master "$(peers_of /mnt)")" "$(group shared "$(peers_of "$W/volume" host)")"
				not_mounted "$W/volume/inner" host
			done
			case $(peers_of /mnt/sub) in shared:*master:*) ;; *) false ;; esac
			for word in unbindable runbindable; do
				with_volume "$filter" "{options: [\"bind\", \"$word\"] $more}"
				is "$(peers_of /mnt)" "unbindable "
			done
		done
	done
}

# bats test_tags=root:kernel
@test "a shared bind below a shared root stays in its source's peer group" {
	for filter in . "$userns"; do
		for root in shared rshared; do
			with_volume "$filter | .linux.rootfsPropagation = \"$root\"" "{options: [\"rbind\", \"$root\"]}"
			is "$(group shared "$(peers_of /mnt)")" "$(group shared "$(peers_of "$W/volume" host)")"
			mounted "$W/volume/inner" host
		done
		with_volume "$filter | .linux.rootfsPropagation = \"shared\"" '{options: ["rbind", "rprivate"]}'
		is "$(peers_of /mnt | tr -d ' ')" ""
		not_mounted "$W/volume/inner" host
	done
}

# bats test_tags=root:kernel
@test "on a private host nothing is in a group that nobody asked for" {
	for filter in . "$userns"; do
		with_volume "$filter" '{options: ["rbind"]}' rprivate
		is "$(peers_of /mnt | tr -d ' ')" ""
		with_volume "$filter" '{options: ["rbind", "rshared"]}' rprivate
		case $(peers_of /mnt) in shared:*master:*) false ;; shared:*) ;; *) false ;; esac
		not_mounted "$W/volume/inner" host
	done
}
