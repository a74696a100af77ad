#!/usr/bin/env bats
# docker with oakum as one of its runtimes.
load docker

engine_start() {
	docker_config . docker
	docker_start
	docker_image
	# What the first container alone makes: directories that the daemon keeps.
	C=first
	box --rm "$IMAGE" true
	box --rm --network host "$IMAGE" true
}

# sees OPTION… -- SCRIPT: run SCRIPT by sh in a container with these options; what it prints is in $output.
sees() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	gives "${STATUS-0}" box --rm "${options[@]}" "$IMAGE" sh -c "$2"
}

@test "run: output, both streams, input, and the exit status" {
	gives 7 box --rm "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
	is "$output" out
	is "$errors" err
	is "$(echo typed | box --rm -i "$IMAGE" cat)" typed
	is "$(box --rm "$IMAGE" head -c 5000000 /dev/zero | wc -c)" 5000000
}

@test "run -it: a terminal" {
	printf 'echo typed $((6*7)); test -t 0 && echo is-a-tty\nexit 5\n' |
		script -qec "docker run --runtime oakum --rm -it $IMAGE sh" /dev/null | tr -d '\r' >"$W/out" || :
	grep '^typed 42' "$W/out"
	grep '^is-a-tty' "$W/out"
}

@test "run -d: inspect, logs, top, stats; stop, start, restart, kill, rm" {
	lives
	is "$(shows .HostConfig.Runtime)" oakum
	pid=$(docker_pid)
	is "$pid" "$(pid_of "$(shows .Id)")"
	gives 0 docker logs "$C"
	is "$output/$errors" out/err
	gives 0 docker top "$C" -o pid,comm
	grep -qE "^$pid +sh$" <<<"$output"
	gives 0 docker stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$C"
	on_v2 || is "${output%% *}" 2
	gives 0 docker stop -t 20 "$C"
	is "$(shows .State.ExitCode)" 9
	gives 0 docker start "$C"
	[ "$(docker_pid)" != "$pid" ]
	pid=$(docker_pid)
	gives 0 docker restart -t 20 "$C"
	[ "$(docker_pid)" != "$pid" ]
	gives 0 docker kill "$C"
	until_true is_now exited
	is "$(shows .State.ExitCode)" 137
	gives 0 docker rm "$C"
}

@test "exec: status, streams, user, directory, environment, terminal, detached" {
	lives
	gives 3 docker exec "$C" sh -c 'echo out; echo err >&2; exit 3'
	is "$output/$errors" out/err
	gives 0 docker exec -u 1000:1001 -w /tmp -e A=b "$C" sh -c 'id -u; id -g; pwd; echo $A'
	is "$output" $'1000\n1001\n/tmp\nb'
	is "$(echo typed | docker exec -i "$C" cat)" typed
	gives 0 docker exec -t "$C" sh -c 'test -t 1 && echo is-a-tty'
	prints is-a-tty
	gives 0 docker exec -d "$C" sh -c 'echo done >/tmp/done; sleep 1000'
	until_true docker exec "$C" test -e /tmp/done
	gives 0 docker top "$C" -o pid,comm
	is "$(grep -c " sleep$" <<<"$output")" 2
	ends
}

@test "exec: 20 at a time" {
	lives
	pids=()
	for i in {1..20}; do
		docker exec "$C" sh -c "echo I am $i; exit $i" >"$W/said.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in {1..20}; do
		rc=0
		wait "${pids[i - 1]}" || rc=$?
		is "$rc $(<"$W/said.$i")" "$i I am $i"
	done
	ends
}

@test "pause and unpause: the kernel's word, and docker's" {
	lives
	pid=$(docker_pid)
	gives 0 docker pause "$C"
	frozen "$pid"
	is "$(shows .State.Status)" paused
	gives 1 docker exec "$C" true
	says "is paused, unpause the container before exec"
	gives 0 docker unpause "$C"
	! frozen "$pid"
	is "$(shows .State.Status)" running
	gives 0 docker exec "$C" true
	gives 0 docker pause "$C"
	ends
}

@test "--init: tini is pid 1, reaps, and passes signals on" {
	gives 0 box -d --init "$IMAGE" sh -c 'trap "exit 9" TERM; (sleep 0.01 & exec sleep 0.02) & echo up >/tmp/up; while :; do sleep 1000 & wait $!; done'
	until_true docker exec "$C" test -e /tmp/up
	is "$(docker exec "$C" cat /proc/1/comm)" docker-init
	until_true no_zombie
	gives 0 docker stop -t 20 "$C"
	is "$(shows .State.ExitCode)" 9
	ends
}

no_zombie() { ! docker exec "$C" cat /proc/[0-9]*/stat 2>/dev/null | grep -q ') Z '; }

@test "--restart on-failure: again and again, as often as was said" {
	gives 0 box -d --restart on-failure:3 "$IMAGE" sh -c 'exit 3'
	until_true restarted 3
	until_true is_now exited
	is "$(shows .State.ExitCode)" 3
	is "$(shows .RestartCount)" 3
	ends
}

restarted() { [ "$(shows .RestartCount)" -ge "$1" ]; }
alive_again() { is_now running && [ "$(docker_pid)" != "$1" ] && docker exec "$C" true; }

@test "--restart always: back when its process is killed, not when it is stopped" {
	lives --restart always
	pid=$(docker_pid)
	kill -KILL "$pid"
	until_true alive_again "$pid"
	[ "$(shows .RestartCount)" -ge 1 ]
	gives 0 docker stop -t 20 "$C"
	is "$(shows .State.Status)" exited
	ends
}

@test "limits: in the cgroup's own files, and updated while it lives" {
	need_controllers memory
	lives -m 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 50
	is "$(limit memory memory.limit_in_bytes memory.max)" 67108864
	unit_has "$(docker_pid)" MemoryMax 67108864
	unit_has "$(docker_pid)" TasksMax 50
	is "$(limit memory memory.soft_limit_in_bytes memory.low)" 33554432
	is "$(limit cpu cpu.cfs_quota_us cpu.max)" "$(on_v2 && echo 50000 100000 || echo 50000)"
	on_v2 || is "$(limit cpu cpu.shares)" 512
	is "$(limit cpuset cpuset.cpus cpuset.cpus)" 0
	is "$(limit pids pids.max pids.max)" 50
	gives 0 docker update -m 128m --memory-swap 256m --cpus 0.25 --pids-limit 60 "$C"
	is "$(limit memory memory.limit_in_bytes memory.max)" 134217728
	unit_has "$(docker_pid)" MemoryMax 134217728
	unit_has "$(docker_pid)" CPUQuotaPerSecUSec 250ms
	is "$(limit cpu cpu.cfs_quota_us cpu.max)" "$(on_v2 && echo 25000 100000 || echo 25000)"
	is "$(limit pids pids.max pids.max)" 60
	is "$(limit cpuset cpuset.cpus cpuset.cpus)" 0
	# Paused it takes them as well, and stays so; what docker shows is what we do.
	gives 0 docker pause "$C"
	gives 0 docker update --pids-limit 70 --cpu-shares 256 "$C"
	is "$(limit pids pids.max pids.max)" 70
	on_v2 || is "$(limit cpu cpu.shares)" 256
	is "$(status_of "$(shows .Id)")" paused
	gives 0 oakum events --stats "$(shows .Id)"
	is "$(jq -c '.data | [.memory.usage.limit, .pids.limit]' <<<"$output")" "[134217728,70]"
	gives 0 docker unpause "$C"
	gives 0 docker stats --no-stream --format '{{.MemUsage}}' "$C"
	prints "/ 128MiB"
	gives 1 docker update -m 1b "$C"
	is "$(limit memory memory.limit_in_bytes memory.max)" 134217728
	ends
	STATUS=2 sees --pids-limit 10 -- 'for i in $(seq 20); do sleep 5 & done 2>&1'
	prints "can't fork"
}

limit() {
	local dir
	dir=$(cgroup_of "$(docker_pid)" "$1")
	if on_v2; then cat "$dir/$3"; else cat "$dir/$2"; fi
}

@test "memory that runs out: 137, and docker knows why" {
	need_controllers memory
	gives 137 box -m 20m "$IMAGE" sh -c 'x=a; while :; do x=$x$x; done'
	is "$(shows .State.ExitCode)" 137
	# With systemd it may not know, whatever the runtime: the cgroup goes before the shim has read what it counts.
	may_be_unknown 1 || is "$(shows .State.OOMKilled)" true
	ends
	# Killed, but not for want of memory.
	lives -m 20m
	gives 0 docker kill "$C"
	until_true is_now exited
	is "$(shows .State.OOMKilled) $(shows .State.ExitCode)" "false 137"
	ends
}

@test "a user, capabilities, no new privileges, seccomp, a read-only root" {
	sees --user 1000:1001 --group-add 5 -- 'id -u; id -g; id -G'
	is "$output" $'1000\n1001\n1001 5'
	sees --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges -- 'grep -E "Cap(Prm|Eff|Bnd)|NoNew" /proc/self/status'
	is "$output" $'CapPrm:\t0000000000000001\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1'
	STATUS=1 sees --read-only -- 'touch /x'
	says "Read-only file system"
	sees -- 'grep Seccomp: /proc/self/status; unshare -m true 2>&1 || :'
	is "$(head -n 1 <<<"$output")" $'Seccomp:\t2'
	prints "Operation not permitted"
	sees --security-opt seccomp=unconfined -- 'grep Seccomp: /proc/self/status'
	is "$output" $'Seccomp:\t0'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}' >"$W/profile.json"
	STATUS=1 sees --security-opt seccomp="$W/profile.json" -- 'mkdir /x'
	says "Function not implemented"
	[ "$(wc -c </proc/timer_list)" -gt 0 ]
	sees -- 'wc -c </proc/timer_list; (echo 1 >/proc/sys/vm/drop_caches) 2>&1 || :'
	is "$(head -n 1 <<<"$output")" 0
	prints "Read-only file system"
}

@test "devices, limits of the process, tmpfs, volumes, sysctls, shared memory, names" {
	# Without a driver: what opens is refused later (ENXIO) than what may not be opened (EPERM).
	mknod /dev/dull c 240 7
	sees --device /dev/dull:/dev/dim:r --ulimit nofile=1000:2000 --tmpfs /t:size=1m,mode=700 --sysctl net.ipv4.ip_forward=0 \
		--shm-size 10m --hostname name --oom-score-adj 100 -e A=b -w /made/for/it -- \
		'stat -c %t:%T /dev/dim; ulimit -Sn; ulimit -Hn; grep " /t " /proc/mounts | cut -d " " -f 1,3; cat /proc/sys/net/ipv4/ip_forward
		df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2; hostname; cat /proc/self/oom_score_adj; echo $A; pwd
		(: </dev/dim) 2>&1; (: >/dev/dim) 2>&1 || :'
	rm /dev/dull
	is "$(head -n 10 <<<"$output")" $'f0:7\n1000\n2000\ntmpfs tmpfs\n0\n10240\nname\n100\nb\n/made/for/it'
	grep -q 'dim: No such device or address' <<<"$output"
	grep -q 'dim: Operation not permitted' <<<"$output"
	mkdir "$W/dir"
	echo there >"$W/dir/file"
	STATUS=1 sees -v "$W/dir:/dir:ro" -v kept:/kept -- 'cat /dir/file; echo written >/kept/file; touch /dir/x'
	is "$output" there
	says "Read-only file system"
	sees -v kept:/kept -v "$W/dir/file:/one" -- 'cat /kept/file; cat /one; echo changed >/one'
	is "$output" $'written\nthere'
	is "$(<"$W/dir/file")" changed
	gives 0 docker volume rm kept
}

@test "the exit statuses that docker reads out of the runtime's words" {
	gives 127 box --rm "$IMAGE" nonesuch
	says 'OCI runtime create failed: create ' '"nonesuch": executable file not found in $PATH'
	gives 127 box --rm "$IMAGE" /none/such
	says 'OCI runtime create failed: create ' /none/such "no such file or directory"
	gives 127 box --rm "$IMAGE" ./none
	says "no such file or directory"
	gives 126 box --rm "$IMAGE" /etc/passwd
	says /etc/passwd "permission denied"
	gives 126 box --rm "$IMAGE" /etc
	says /etc "permission denied"
	gives 125 box --rm --sysctl net.ipv4.nonesuch=1 "$IMAGE" true
	says 'OCI runtime create failed: create ' net.ipv4.nonesuch
	lives
	gives 126 docker exec "$C" nonesuch
	# On standard output, as docker has it.
	prints 'OCI runtime exec failed: exec ' '"nonesuch": executable file not found in $PATH'
	gives 126 docker exec "$C" /etc/passwd
	prints /etc/passwd "permission denied"
	gives 126 docker exec -w /none/such "$C" true
	prints /process/cwd /none/such
	ends
}

@test "a program without its interpreter: docker passes on what is missing" {
	mkdir "$W/bin"
	printf '#!/none/such\n' >"$W/bin/script"
	chmod 755 "$W/bin/script"
	gives 127 box --rm -v "$W/bin:/b" "$IMAGE" /b/script
	says /none/such "no such file or directory"
}

@test "two containers that share a pid, a network and an ipc namespace" {
	need_bridges
	lives --ipc shareable
	gives 0 docker run --rm --runtime oakum --pid "container:$C" --network "container:$C" --ipc "container:$C" "$IMAGE" \
		sh -c 'cat /proc/1/comm; for n in pid net ipc; do readlink /proc/self/ns/$n; done; ip -o -4 addr show eth0'
	is "$(head -n 1 <<<"$output")" sh
	pid=$(docker_pid)
	for ns in pid net ipc; do
		prints "$(readlink "/proc/$pid/ns/$ns")"
	done
	prints "$(shows .NetworkSettings.IPAddress)"
	gives 0 docker run -d --name "$C.two" --runtime oakum --pid "container:$C" --network "container:$C" "$IMAGE" sleep 2000
	gives 0 docker exec "$C" ps
	prints "sleep 2000"
	# Without a pid namespace of its own, what it leaves behind is to be ended, too.
	gives 0 docker rm -f "$C.two"
	gives 0 docker exec "$C" ps
	case $output in *"sleep 2000"*) false ;; esac
	ends
}

@test "namespaces of the host, and a cgroup namespace" {
	sees --pid host --network host --ipc host --uts host -- 'for n in pid net ipc uts; do readlink /proc/self/ns/$n; done'
	is "$output" "$(for n in pid net ipc uts; do readlink /proc/self/ns/$n; done)"
	sees --cgroupns private -- 'cat /proc/self/cgroup'
	is "$(grep -v ':/$' <<<"$output" || :)" ""
	if [ -n "${OAKUM_MANAGER-}" ]; then
		sees --cgroupns host --cgroup-parent shelf.slice -- 'cat /proc/self/cgroup'
		grep -qE ':/shelf.slice/docker-[0-9a-f]{64}.scope$' <<<"$output"
		systemctl stop shelf.slice
	else
		sees --cgroupns host --cgroup-parent /shelf -- 'cat /proc/self/cgroup'
		grep -qE ':/shelf/[0-9a-f]{64}$' <<<"$output"
	fi
}

@test "networks: a name that is resolved, a port that is published" {
	need_bridges
	gives 0 docker network create "$C"
	gives 0 box -d --network "$C" -p 127.0.0.1:8080:80 "$IMAGE" sh -c 'mkdir /w; echo page >/w/index.html; exec httpd -f -p 80 -h /w'
	until_true fetched http://127.0.0.1:8080/
	gives 0 docker run --rm --runtime oakum --network "$C" "$IMAGE" wget -q -O - "http://$C/"
	is "$output" page
	ends
	gives 0 docker network rm "$C"
}

fetched() { [ "$(busybox wget -q -O - "$1" 2>/dev/null)" = page ]; }

@test "cp: into it and out of it, running and stopped" {
	lives
	echo mine >"$W/file"
	gives 0 docker cp "$W/file" "$C:/tmp/file"
	gives 0 docker exec "$C" cat /tmp/file
	is "$output" mine
	gives 0 docker stop -t 20 "$C"
	gives 0 docker cp "$C:/tmp/file" "$W/back"
	is "$(<"$W/back")" mine
	ends
}

@test "a health check: its exec decides" {
	lives --health-cmd 'test ! -e /ill' --health-interval 300ms --health-retries 1
	until_true healthy healthy
	gives 0 docker exec "$C" touch /ill
	until_true healthy unhealthy
	ends
}

healthy() { [ "$(shows .State.Health.Status)" = "$1" ]; }

@test "12 containers at once: all come, all go" {
	for i in {1..12}; do
		docker run -d --runtime oakum --name "$C.$i" "$IMAGE" sleep 1000 >/dev/null 3>&- &
		pids[i]=$!
	done
	for i in {1..12}; do
		wait "${pids[i]}"
	done
	is "$(docker ps -q | wc -l)" 12
	gives 0 docker rm -f $(docker ps -q)
}

@test "the shim killed: docker says it has ended, nothing of ours stays" {
	lives
	id=$(shows .Id)
	kill -KILL "$(awk '/^PPid:/ { print $2 }' "/proc/$(docker_pid)/status")"
	until_true is_now exited
	until_true gone_from_root "$id"
	is "$(cgroups_of "$id")" ""
	ends
	theirs /run/containerd/s/*
}

gone_from_root() { [ ! -e "$ROOT/$1" ]; }
