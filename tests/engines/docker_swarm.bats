#!/usr/bin/env bats
# docker in swarm mode, one node in the enclosure's own network: a service on oakum that is kept whole.
#
# A service cannot name a runtime, so it is the default one. IPVS, which an ingress port or a virtual
# address needs, not every kernel has: names are resolved to the replicas themselves (dnsrr).
load docker

# What the daemon made for the swarm's networks goes with them, in its own time.
THEIRS="$THEIRS /run/docker/swarm"

engine_start() {
	docker_config . docker docker-default
	docker_start
	docker_image
	docker run --rm "$IMAGE" true
	docker run --rm --network host "$IMAGE" true
	docker swarm init --advertise-addr 127.0.0.1
	docker swarm leave --force
}

replicas() { [ "$(docker service ls --filter name="$1" --format '{{.Replicas}}')" = "$2/$2" ]; }
running() { [ "$(docker ps -q | wc -l)" = "$1" ]; }
none_left() { [ -z "$(docker ps -a -q)" ]; }

# hit N: N different running containers are killed, by a signal to their process.
hit() {
	local id
	for id in $(docker ps -q --no-trunc | shuf -n "$1"); do
		kill -KILL "$(docker_pid "$id")"
		echo "$id"
	done
}

@test "a service of 20, killed at random, comes back whole; nothing is left when the node leaves" {
	address=$(ip -o -4 addr show docker0 | awk '{ sub("/.*", "", $4); print $4 }')
	gives 0 docker swarm init --advertise-addr "$address" --task-history-limit 1
	gives 0 docker network create -d overlay --attachable inner
	gives 0 docker service create --detach --no-resolve-image --name crew --network inner --endpoint-mode dnsrr \
		--restart-delay 0s --stop-grace-period 1s --replicas 5 --limit-memory 32m "$IMAGE" sleep 100000
	until_true replicas crew 5
	gives 0 docker service scale --detach crew=20
	within=120 until_true replicas crew 20
	until_true running 20
	is "$(docker inspect -f '{{.HostConfig.Runtime}}' $(docker ps -q) | sort -u)" oakum
	is "$(ls "$ROOT" | wc -l)" 20
	on_v2 || is "$(<"$(cgroup_of "$(docker_pid "$(docker ps -q | head -n 1)")" memory)/memory.limit_in_bytes")" 33554432
	# Every replica has an address under the one name.
	gives 0 docker run --rm --network inner "$IMAGE" nslookup crew
	is "$(grep -c '^Address: 10\.' <<<"$output")" 20

	for round in 1 2 3; do
		killed=$(hit 7)
		is "$(wc -l <<<"$killed")" 7
		until_true none_of_them
		within=120 until_true replicas crew 20
		until_true running 20
	done
	gives 0 docker service ps --filter desired-state=running --format '{{.CurrentState}}' crew
	is "$(grep -c '^Running' <<<"$output")" 20

	gives 0 docker swarm leave --force
	until_true none_left
	until_true no_task
	is "$(ls "$ROOT")" ""
	is "$(find /sys/fs/cgroup -type d -path '*/docker/*')" ""
}

none_of_them() {
	local id
	for id in $killed; do
		[ -z "$(docker ps -q --no-trunc --filter "id=$id")" ] || return 1
	done
}

no_task() { [ -z "$(ls "$ROOT")$(pgrep containerd-shim || :)" ]; }

@test "a service is updated and rolled back, a replica at a time" {
	gives 0 docker swarm init --advertise-addr 127.0.0.1 --task-history-limit 1
	gives 0 docker service create --detach --no-resolve-image --name crew --network host --restart-delay 0s --stop-grace-period 1s --replicas 3 \
		--update-delay 0s --update-monitor 1s --env A=first "$IMAGE" sleep 100000
	until_true replicas crew 3
	gives 0 docker service update --no-resolve-image --env-add A=second crew
	is "$(for id in $(docker ps -q); do docker exec "$id" sh -c 'echo $A'; done | sort | uniq -c | tr -s ' ')" " 3 second"
	gives 0 docker service rollback crew
	is "$(for id in $(docker ps -q); do docker exec "$id" sh -c 'echo $A'; done | sort | uniq -c | tr -s ' ')" " 3 first"
	gives 0 docker service rm crew
	until_true none_left
	gives 0 docker swarm leave --force
	until_true no_task
}
