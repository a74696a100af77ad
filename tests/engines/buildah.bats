#!/usr/bin/env bats
# buildah's RUN steps through the runtime, with the command of docs/engines.md.
. "$BATS_TEST_DIRNAME/common.bash"

NEEDS="buildah"
ROOT=/run/tmp/engine/none

engine_start() {
	mkdir -p /etc/containers
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	cp -a "$FIXTURE/rootfs" "$E/context" && printf 'FROM scratch\nCOPY . /\nENV PATH=/bin\n' >"$E/Containerfile"
	buildah_ bud --isolation chroot -t localhost/box:1 -f "$E/Containerfile" "$E/context" >"$E/image.log" 2>&1 || return 1
	# The first container brings what stays.
	buildah_ from --name warm localhost/box:1 >/dev/null
	buildah_ run --isolation oci --runtime "$OAKUM" --network none warm true && buildah_ rm warm >/dev/null
}

engine_stop() {
	buildah_ rm -a >/dev/null 2>&1
	rm -rf --one-file-system /run/oakum /run/containers /run/libpod /run/buildah* /run/lock/* 2>/dev/null || :
	! mountpoint -q /run/netns || umount -l /run/netns
	rm -rf /run/netns
}

engine_sweep() { buildah_ rm -a; }

buildah_() {
	buildah --root "$E/root" --runroot "$E/runroot" --storage-driver vfs "$@"
}

# built FILE: what the page says, with private directories.
built() {
	local command
	command=$(doc "buildah bud")
	command=${command#buildah}
	eval "buildah_ ${command% .} -f $1 --network none ."
}

@test "RUN steps, with their output, environment, user and failure" {
	cat >Containerfile <<-'END'
		FROM localhost/box:1
		ENV X=y
		RUN echo "step $X" >/made && id -u >>/made
		USER 5:6
		RUN id -u >/tmp/user
		WORKDIR /tmp
		RUN pwd >where && cat /proc/self/cgroup | head -c 1 >/dev/null
	END
	gives 0 built Containerfile
	container=$(buildah_ from localhost/built)
	dir=$(buildah_ mount "$container")
	is "$(cat "$dir/made")" $'step y\n0'
	is "$(cat "$dir/tmp/user")" 5
	is "$(cat "$dir/tmp/where")" /tmp
	buildah_ umount "$container" >/dev/null
	buildah_ rm "$container" >/dev/null
	printf 'FROM localhost/box:1\nRUN exit 7\n' >Containerfile
	gives 7 built Containerfile || gives 1 built Containerfile
	says "exit status 7"
	printf 'FROM localhost/box:1\nRUN ["/no/such"]\n' >Containerfile
	! built Containerfile >/dev/null 2>&1
}

@test "RUN with mounts: bind, cache, tmpfs" {
	echo data >input
	cat >Containerfile <<-'END'
		FROM localhost/box:1
		RUN --mount=type=bind,source=input,target=/in cat /in >/seen
		RUN --mount=type=tmpfs,target=/scratch grep -c " /scratch " /proc/mounts >>/seen
		RUN --mount=type=cache,target=/cache,id=oakum echo kept >/cache/file
		RUN --mount=type=cache,target=/cache,id=oakum cat /cache/file >>/seen
	END
	gives 0 built Containerfile
	container=$(buildah_ from localhost/built)
	gives 0 buildah_ run --isolation oci --runtime "$OAKUM" --network none "$container" cat /seen
	is "$output" $'data\n1\nkept'
	gives 0 buildah_ rm "$container"
}

@test "buildah run: a command, its status, a user, a volume" {
	container=$(buildah_ from localhost/box:1)
	gives 0 buildah_ run --isolation oci --runtime "$OAKUM" --network none "$container" sh -c 'echo hello'
	is "$output" hello
	gives 42 buildah_ run --isolation oci --runtime "$OAKUM" --network none "$container" sh -c 'exit 42' ||
		gives 1 buildah_ run --isolation oci --runtime "$OAKUM" --network none "$container" sh -c 'exit 42'
	mkdir vol
	gives 0 buildah_ run --isolation oci --runtime "$OAKUM" --network none --user 5:6 -v "$W/vol:/v:ro" "$container" sh -c 'id -u; touch /v/x || echo read-only'
	prints 5 read-only
	gives 0 buildah_ rm "$container"
}
