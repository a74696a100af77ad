# SPDX-License-Identifier: LGPL-2.1-or-later
# containerd for a file of tests: its root, state and socket are private since /run is; `launch` and `lives`
# make tasks on the program under test.
# shellcheck shell=bash disable=SC2034,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

NEEDS="containerd ctr containerd-shim-runc-v2"
# Where the shim has the runtime keep its state: a directory for each namespace of containerd.
ROOT=/run/containerd/runc/default
SOCKET=/run/containerd/containerd.sock

# containerd_config [BLOCK]: its configuration, with a block of docs/engines.md that begins with the version; or without.
containerd_config() {
	echo "root = \"$E/root\""
	echo 'state = "/run/containerd/state"'
	if [ $# -gt 0 ]; then doc "$1"; else echo 'version = 2'; fi
}

containerd_start() {
	[ -e "$E/config.toml" ] || containerd_config >"$E/config.toml"
	# By the name of runc, too, it is the program under test that is called.
	mkdir -p "$E/bin"
	ln -sf "$OAKUM" "$E/bin/runc"
	start containerd env PATH="$E/bin:$PATH" containerd -c "$E/config.toml"
	until_true answers
}

answers() { ctr version >/dev/null 2>&1; }

# containerd_image NAMESPACE [NAME [COMMAND…]]
containerd_image() {
	local namespace=$1
	shift
	image "$E/image.tar" "$@"
	ctr -n "$namespace" image import "$E/image.tar"
	rm "$E/image.tar"
}

engine_stop() {
	stop containerd
	rm -rf --one-file-system /run/containerd
}

engine_sweep() {
	local id
	for id in $(ctr container ls -q); do
		ctr task kill -s KILL -a "$id"
		until_true stopped "$id"
		ctr container rm "$id"
	done
}

# launch CTR-RUN-OPTION… IMAGE ID COMMAND…
launch() {
	local options=() id=$C i
	if [ -n "${OAKUM_MANAGER-}" ]; then
		# It stands behind the image.
		for ((i = 2; i < $#; i++)); do
			[ "${!i}" != "$IMAGE" ] || id=${*:i+1:1}
		done
		options=(--runc-systemd-cgroup --cgroup "system.slice:ctr:$id")
	fi
	# What ctr asks for by itself needs a controller that this v2 hierarchy may not have.
	has_controller cpu || options+=(--cpu-shares 0)
	ctr run --runc-binary "$OAKUM" "${options[@]}" "$@"
}

# lives [OPTION…]: task $C, detached, that sleeps until a signal ends it.
lives() {
	gives 0 launch -d "$@" "$IMAGE" "$C" sh -c 'trap "exit 9" TERM; echo up >/up; while :; do sleep 1000 & wait $!; done'
	until_true ctr task exec --exec-id "up$RANDOM" "$C" test -e /up
}

# ends: the end of task $C and of its container, as the seed of the leak: delete alone.
ends() {
	gives 0 ctr task kill -s SIGKILL "$C"
	until_true stopped "$C"
	gives 0 ctr container delete "$C"
}

task_pid() { ctr task ls | awk -v id="$1" '$1 == id { print $2 }'; }
task_status() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
task_is() { [ "$(task_status "$C")" = "$1" ]; }
stopped() { case $(task_status "$1") in STOPPED | "") ;; *) return 1 ;; esac; }
shim_pid() { awk '/^PPid:/ { print $2 }' "/proc/$(task_pid "$1")/status"; }
