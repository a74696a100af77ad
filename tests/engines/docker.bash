# SPDX-License-Identifier: LGPL-2.1-or-later
# dockerd for a file of tests: what it keeps is private since /run, /etc and /var/lib are. Its configuration is
# that of docs/engines.md.
# shellcheck shell=bash disable=SC2034,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

NEEDS="dockerd docker containerd containerd-shim-runc-v2 iptables"
IMAGE=box:1
# Connections are closed when they have been idle, names of network namespaces go once a minute; and what a daemon that
# is started anew makes anew.
THEIRS+=" /run/docker/netns /var/run/docker.sock /run/docker/libnetwork /run/docker/unmount-on-shutdown"
# Where the shim has the runtime keep its state, whatever the runtime's name.
ROOT=/run/docker/runtime-runc/moby

# docker_config JQ-FILTER BLOCK…: its configuration: these blocks of docs/engines.md, the later over the earlier, and
# what keeps it to itself; the filter may change it.
docker_config() {
	local filter=$1 block
	shift
	[ -z "${OAKUM_MANAGER-}" ] || filter+=' | .["exec-opts"] = ["native.cgroupdriver=systemd"]'
	has_bridges || filter+=' | .bridge = "none"'
	for block; do doc "$block"; done | jq -s --arg data "$E/docker" "add + {\"data-root\": \$data, \"storage-driver\": \"overlay2\"} | $filter" >"$E/daemon.json"
}

docker_start() {
	start dockerd env PATH="${DOCKER_PATH-$PATH}" dockerd --config-file "$E/daemon.json"
	until_true answers
}

answers() { docker version >/dev/null 2>&1; }

# docker_image [NAME [COMMAND…]]
docker_image() {
	image "$E/image.tar" "${1-$IMAGE}" "${@:2}"
	docker load -q -i "$E/image.tar"
	rm "$E/image.tar"
}

engine_stop() {
	local rc=0 dev
	stop dockerd || rc=1
	umount /run/docker/netns/* 2>/dev/null || :
	# A daemon that was killed leaves its root mounted.
	! mountpoint -q "$E/docker" || umount -l "$E/docker"
	# By the name of runc, oakum is called without a state root: its own must be empty but for compiled filters.
	rm -rf /run/oakum/.cache
	[ ! -d /run/oakum ] || rmdir /run/oakum || rc=1
	rm -rf --one-file-system /run/adduser /run/docker /run/docker.* /run/containerd /run/xtables.lock
	# Its bridges; their namespace goes with the enclosure.
	for dev in docker0 docker_gwbridge; do
		ip link delete "$dev" 2>/dev/null || :
	done
	return $rc
}

engine_sweep() {
	local ids
	ids=$(docker ps -a -q)
	# shellcheck disable=SC2086
	[ -z "$ids" ] || docker rm -f -v $ids
}

# box OPTION… IMAGE COMMAND…: docker run, with what every test wants.
box() { docker run --runtime oakum --name "$C" "$@"; }

# lives OPTION…: container $C, detached, that prints and sleeps until a signal ends it.
lives() {
	gives 0 box -d "$@" "$IMAGE" sh -c 'trap "exit 9" TERM; echo out; echo err >&2; echo up >/tmp/up; while :; do sleep 1000 & wait $!; done'
	until_true docker exec "$C" test -e /tmp/up
}

# ends: container $C gone.
ends() { gives 0 docker rm -f -v "$C"; }

shows() { docker inspect -f "{{$1}}" "${2-$C}"; }
is_now() { [ "$(shows .State.Status "${2-$C}")" = "$1" ]; }
docker_pid() { shows .State.Pid "$@"; }
