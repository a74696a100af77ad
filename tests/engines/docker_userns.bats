#!/usr/bin/env bats
# docker with its containers in a user namespace (--userns-remap), on oakum.
load docker

engine_start() {
	docker_config '. + {"userns-remap": "default"}' docker docker-default
	docker_start
	docker_image
	docker run --rm "$IMAGE" true
}

@test "root is nobody outside: its maps, its files, its volume, its exec" {
	lives --oom-score-adj 100 -v kept:/kept --tmpfs /t
	pid=$(docker_pid)
	read -r inside outside size <"/proc/$pid/uid_map"
	is "$inside" 0
	[ "$outside" -gt 0 ]
	[ "$size" -ge 65536 ]
	is "$(stat -c %u "/proc/$pid")" "$outside"
	gives 0 docker exec "$C" sh -c 'id -u; cat /proc/self/oom_score_adj; touch /kept/file /t/file; stat -c %u /kept/file /t/file /root /dev/shm; echo >/dev/null && echo written'
	is "$output" $'0\n100\n0\n0\n0\n0\nwritten'
	is "$(stat -c %u "$(docker volume inspect -f '{{.Mountpoint}}' kept)/file")" "$outside"
	gives 0 docker exec -u 1000 "$C" id -u
	is "$output" 1000
	gives 0 docker exec -t "$C" sh -c 'test -t 1 && stat -c %u "$(tty)"'
	is "${output%$'\r'}" 0
	ends
	gives 0 docker volume rm kept
}

@test "limits, pause, stop; and a network of its own" {
	lives --pids-limit 50 -m 64m
	pid=$(docker_pid)
	on_v2 || is "$(<"$(cgroup_of "$pid" pids)/pids.max")" 50
	on_v2 || is "$(<"$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 67108864
	gives 0 docker pause "$C"
	frozen "$pid"
	gives 0 docker unpause "$C"
	gives 0 docker exec "$C" ip -o -4 addr show eth0
	prints "$(shows .NetworkSettings.IPAddress)"
	gives 0 docker stop -t 20 "$C"
	is "$(shows .State.ExitCode)" 9
	ends
}

@test "two containers that share their namespaces, the user namespace among them" {
	lives
	gives 0 docker run --rm --runtime oakum --pid "container:$C" --network "container:$C" "$IMAGE" sh -c 'cat /proc/1/comm; cat /proc/self/uid_map; readlink /proc/self/ns/net'
	is "$(head -n 1 <<<"$output")" sh
	prints "$(readlink "/proc/$(docker_pid)/ns/net")"
	ends
}

@test "--userns host: out of it" {
	gives 0 docker run --rm --userns host "$IMAGE" readlink /proc/self/ns/user
	is "$output" "$(readlink /proc/self/ns/user)"
}
