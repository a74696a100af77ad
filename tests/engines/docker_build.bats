#!/usr/bin/env bats
# oakum as the default runtime of docker: builds, and a daemon that comes and goes.
load docker

# BuildKit calls runc, by that name.
DOCKER_PATH=$E/bin:$PATH

engine_start() {
	docker_config '. + {"live-restore": false}' docker docker-default
	mkdir -p "$E/bin"
	ln -s "$OAKUM" "$E/bin/runc"
	docker_start
	docker_image
	docker run --rm "$IMAGE" true
	docker run --rm --network host "$IMAGE" true
	context "$E/warm"
	DOCKER_BUILDKIT=1 docker build -t warm "$E/warm"
}

# context DIR: what is built: every form of RUN, and a user.
context() {
	mkdir -p "$1"
	echo "from the context" >"$1/file"
	cat >"$1/Dockerfile" <<-END
		FROM $IMAGE
		COPY file /file
		RUN cat /file && echo built >/made && cat /proc/self/cgroup
		RUN ["sh", "-c", "test -e /made && hostname"]
		ENV A=b
		WORKDIR /work
		RUN pwd && echo \$A >here
		USER 1000
		RUN id -u && ! touch /x
		CMD cat /made here
	END
}

# A daemon that was started anew, and the containerd it manages.
DAEMONS='process [0-9]+ (dockerd|containerd) |socket [0-9]+ '

@test "it is the default, for all that docker runs" {
	is "$(docker info -f '{{.DefaultRuntime}}')" oakum
	gives 0 docker run -d --name "$C" "$IMAGE" sleep 1000
	is "$(shows .HostConfig.Runtime)" oakum
	is "$(status_of "$(shows .Id)")" running
	ends
}

@test "docker build, the classic builder: each RUN is a container of ours" {
	context "$W/context"
	DOCKER_BUILDKIT=0 gives 0 docker build --no-cache -t "$C" "$W/context"
	# On v2 docker gives each a cgroup namespace.
	if on_v2; then prints "from the context" 0::/; else prints "from the context" :/docker/; fi
	gives 0 docker run --rm "$C"
	is "$output" $'built\nb'
	printf 'FROM %s\nRUN exit 7\n' "$IMAGE" >"$W/context/Dockerfile"
	DOCKER_BUILDKIT=0 gives 7 docker build --no-cache "$W/context"
	says "returned a non-zero code: 7"
	printf 'FROM %s\nRUN ["nonesuch"]\n' "$IMAGE" >"$W/context/Dockerfile"
	DOCKER_BUILDKIT=0 gives 1 docker build --no-cache "$W/context"
	says '"nonesuch": executable file not found in $PATH'
	docker rm $(docker ps -a -q)
	docker rmi -f "$C"
	docker image prune -f
}

@test "docker build, BuildKit: oakum by the name of runc" {
	context "$W/context"
	DOCKER_BUILDKIT=1 gives 0 docker build --no-cache --progress plain -t "$C" "$W/context"
	# With systemd's driver too BuildKit asks for no scope: what would be its name is a path.
	if [ -n "${OAKUM_MANAGER-}" ]; then
		says "from the context" :/system.slice:docker:
	else
		says "from the context" buildkit/
	fi
	gives 0 docker run --rm "$C"
	is "$output" $'built\nb'
	printf 'FROM %s\nRUN exit 7\n' "$IMAGE" >"$W/context/Dockerfile"
	DOCKER_BUILDKIT=1 gives 1 docker build --no-cache --progress plain "$W/context"
	says "exit code: 7"
	docker rmi -f "$C"
}

@test "dockerd --add-runtime: the option of the command line takes the same" {
	jq 'del(.runtimes, ."default-runtime")' "$E/daemon.json" >"$W/daemon.json"
	stop dockerd
	option=$(sed -n 's/.*`dockerd \(--add-runtime [^`]*\)`.*/\1/p' "$DOC")
	start dockerd dockerd --config-file "$W/daemon.json" ${option/\/usr\/local\/bin\/oakum/$OAKUM}
	until_true answers
	is "$(docker info -f '{{.DefaultRuntime}}')" runc
	gives 0 box --rm "$IMAGE" echo hello
	is "$output" hello
	stop dockerd
	docker_start
	anew "$DAEMONS"
}

@test "the daemon stopped and started: what is always to run comes back" {
	lives --restart always
	pid=$(docker_pid)
	stop dockerd
	until_true gone "$pid"
	docker_start
	until_true alive_again "$pid"
	ends
	anew "$DAEMONS"
}

alive_again() { is_now running && [ "$(docker_pid)" != "$1" ] && docker exec "$C" true; }

@test "live-restore: the container goes on without the daemon, and is known again" {
	jq '."live-restore" = true' "$E/daemon.json" >"$W/daemon.json"
	cp "$E/daemon.json" "$W/as-it-was"
	cp "$W/daemon.json" "$E/daemon.json"
	kill -HUP "$(<"$E/dockerd.pid")"
	until_true reloaded true
	lives
	pid=$(docker_pid)
	stop dockerd
	[ -d "/proc/$pid" ]
	docker_start
	is "$(docker_pid) $(shows .State.Status)" "$pid running"
	gives 0 docker exec "$C" echo still here
	is "$output" "still here"
	gives 0 docker stop -t 20 "$C"
	is "$(shows .State.ExitCode)" 9
	ends
	cp "$W/as-it-was" "$E/daemon.json"
	kill -HUP "$(<"$E/dockerd.pid")"
	until_true reloaded false
	anew "$DAEMONS"
}

reloaded() { [ "$(docker info -f '{{.LiveRestoreEnabled}}')" = "$1" ]; }

@test "the daemon killed and started: its containers are ended, nothing of ours stays" {
	lives
	pid=$(docker_pid)
	kill -KILL "$(<"$E/dockerd.pid")"
	until_true gone "$(<"$E/dockerd.pid")"
	rm "$E/dockerd.pid"
	[ -d "/proc/$pid" ]
	docker_start
	until_true is_now exited
	until_true gone "$pid"
	ends
	anew "$DAEMONS"
}
