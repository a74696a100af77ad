#!/usr/bin/env bats
# Kubernetes' side of containerd: pods through the Container Runtime Interface, with the runtime handler of
# docs/engines.md.
load containerd

ROOT=/run/containerd/runc/k8s.io
PAUSE=docker.io/library/pause:1

engine_lacks() {
	python3 -c 'import grpc, google.protobuf' 2>/dev/null || echo "python3-grpcio is not installed"
	has_controller cpu || echo "a pod has cpu shares, and no controller cpu is in this v2 hierarchy"
}

engine_start() {
	{
		containerd_config containerd-cri | sed "${OAKUM_MANAGER:+s/SystemdCgroup = false/SystemdCgroup = true/}"
		cat <<-END
			[plugins."io.containerd.grpc.v1.cri"]
			  sandbox_image = "$PAUSE"
			  disable_apparmor = true
			  restrict_oom_score_adj = true
			[plugins."io.containerd.grpc.v1.cri".cni]
			  bin_dir = "/usr/lib/cni"
			  conf_dir = "$E/cni"
		END
	} >"$E/config.toml"
	mkdir -p "$E/cni"
	cat >"$E/cni/10-test.conflist" <<-'END'
		{"cniVersion": "0.4.0", "name": "test", "plugins": [
			{"type": "bridge", "bridge": "pods0", "isGateway": true, "ipam": {"type": "host-local",
				"dataDir": "/run/tmp/engine/ipam", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}]}
	END
	containerd_start
	containerd_image k8s.io
	containerd_image k8s.io "$PAUSE" sleep 2147483647
	# What the first pod alone makes: directories that containerd keeps.
	W=$E C=first
	HANDLER=$(handler)
	mkdir -p /run/netns
	pod
	started one . sleep 1000
	no_pod
}

engine_stop() {
	stop containerd
	rm -rf --one-file-system /run/containerd /run/netns
	ip link delete pods0 2>/dev/null || :
	# Slices stay until they are told.
	[ -z "${OAKUM_MANAGER-}" ] || systemctl stop pods.slice
}

# The name that a RuntimeClass of docs/engines.md gives to the runtime.
handler() { doc runtimeclass | awk '$1 == "handler:" { print $2 }'; }

cri() {
	local method=$1
	shift
	"$ENGINES/cri" "$SOCKET" "$method" "$@"
}

# asks METHOD JSON: must succeed; the answer in $output.
asks() { gives 0 cri "$@"; }

# pod [JQ-FILTER [JQ-OPTION…]]: a sandbox in the host's network, unless the filter changes it; its id is in $POD.
pod() {
	CONFIG=$(jq -n -c --arg name "$C" --arg logs "$W/logs" '{
		metadata: {name: $name, uid: $name, namespace: "default"}, log_directory: $logs,
		linux: ({security_context: {namespace_options: {network: 2, pid: 1}}}
			+ if env.OAKUM_MANAGER then {cgroup_parent: "pods.slice"} else {} end)
	}' | jq -c "${1:-.}")
	asks RunPodSandbox "$(jq -n -c --argjson config "$CONFIG" --arg handler "${HANDLER-$(handler)}" '{config: $config, runtime_handler: $handler}')"
	POD=$(jq -r .pod_sandbox_id <<<"$output")
}

no_pod() {
	asks StopPodSandbox "{\"pod_sandbox_id\": \"$POD\"}"
	asks RemovePodSandbox "{\"pod_sandbox_id\": \"$POD\"}"
}

# container NAME JQ-FILTER COMMAND…: made, not started; its id is in $ID.
container() {
	local name=$1 filter=$2
	shift 2
	asks CreateContainer "$(jq -n -c --arg pod "$POD" --argjson sandbox "$CONFIG" --arg name "$name" --arg image "$IMAGE" '{
		pod_sandbox_id: $pod, sandbox_config: $sandbox,
		config: {metadata: {name: $name}, image: {image: $image}, command: $ARGS.positional, log_path: "\($name).log",
			linux: {security_context: {namespace_options: $sandbox.linux.security_context.namespace_options}}}
	}' --args -- "$@" | jq -c "$filter")"
	ID=$(jq -r .container_id <<<"$output")
}

started() {
	container "$@"
	asks StartContainer "{\"container_id\": \"$ID\"}"
}

# executes STATUS COMMAND…: by ExecSync; stdout in $output.
executes() {
	local want=$1
	shift
	asks ExecSync "$(jq -n -c --arg id "$ID" '{container_id: $id, cmd: $ARGS.positional}' --args -- "$@")"
	is "$(jq .exit_code <<<"$output")" "$want"
	output=$(jq -r '.stdout | @base64d' <<<"$output")
}

ends() {
	asks StopContainer "{\"container_id\": \"$ID\", \"timeout\": ${1-0}}"
	asks ContainerStatus "{\"container_id\": \"$ID\"}"
	status=$(jq -r '.status | "\(.state) \(.exit_code) \(.reason)"' <<<"$output")
	asks RemoveContainer "{\"container_id\": \"$ID\"}"
}

engine_sweep() {
	local id
	for id in $(ctr -n k8s.io container ls -q); do
		cri StopContainer "{\"container_id\": \"$id\"}" || cri StopPodSandbox "{\"pod_sandbox_id\": \"$id\"}"
		cri RemoveContainer "{\"container_id\": \"$id\"}" || cri RemovePodSandbox "{\"pod_sandbox_id\": \"$id\"}"
	done
}

@test "a pod's life: sandbox, container, exec, log, stop, remove" {
	pod
	is "$(status_of "$POD")" running
	started one . sh -c 'trap "exit 9" TERM; echo logged; while :; do sleep 1000 & wait $!; done'
	is "$(status_of "$ID")" running
	asks ContainerStatus "{\"container_id\": \"$ID\"}"
	is "$(jq .status.state <<<"$output")" 1
	executes 5 sh -c 'echo from inside; exit 5'
	is "$output" "from inside"
	until_true grep -q ' stdout F logged$' "$W/logs/one.log"
	ends 10
	is "$status" "2 9 Error"
	no_pod
	is "$(ls "$ROOT")" ""
}

@test "a pod with a network of its own, shared by its containers; each its own processes" {
	need_bridges
	[ -x /usr/lib/cni/bridge ] || skip "containernetworking-plugins is not installed"
	pod '.linux.security_context.namespace_options.network = 0 | .hostname = "podname"'
	network=$(readlink "/proc/$(pid_of "$POD")/ns/net")
	[ "$network" != "$(readlink /proc/self/ns/net)" ]
	for name in one two; do
		started $name . sleep 1000
		pid=$(pid_of "$ID")
		is "$(readlink "/proc/$pid/ns/net")" "$network"
		for ns in ipc uts; do
			is "$(readlink "/proc/$pid/ns/$ns")" "$(readlink "/proc/$(pid_of "$POD")/ns/$ns")"
		done
		[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink "/proc/$(pid_of "$POD")/ns/pid")" ]
		executes 0 sh -c 'hostname; ip -o -4 addr show eth0'
		is "$(head -n 1 <<<"$output")" podname
		prints " inet 10.88."
	done
	no_pod
}

@test "a pod whose containers share its processes, and one that joins another's" {
	pod '.linux.security_context.namespace_options.pid = 0'
	started one . sleep 1000
	is "$(readlink "/proc/$(pid_of "$ID")/ns/pid")" "$(readlink "/proc/$(pid_of "$POD")/ns/pid")"
	executes 0 ps
	prints "sleep 2147483647" "sleep 1000"
	target=$ID
	started two ".config.linux.security_context.namespace_options = {network: 2, pid: 3, target_id: \"$target\"}" sleep 2000
	executes 0 ps
	prints "sleep 1000" "sleep 2000"
	no_pod
}

@test "limits, their update, and the statistics" {
	need_controllers memory
	local parent=/pods/burstable
	[ -z "${OAKUM_MANAGER-}" ] || parent=pods-burstable.slice
	pod ".linux.cgroup_parent = \"$parent\""
	started one '.config.linux.resources = {memory_limit_in_bytes: 33554432, cpu_period: 100000, cpu_quota: 50000, cpu_shares: 512}' sleep 1000
	is "$(limit memory memory.limit_in_bytes memory.max)" 33554432
	is "$(limit cpu cpu.cfs_quota_us cpu.max)" "$(on_v2 && echo 50000 100000 || echo 50000)"
	asks UpdateContainerResources "{\"container_id\": \"$ID\", \"linux\": {\"memory_limit_in_bytes\": 67108864, \"cpu_quota\": 25000, \"cpu_period\": 100000}}"
	is "$(limit memory memory.limit_in_bytes memory.max)" 67108864
	unit_has "$(pid_of "$ID")" MemoryMax 67108864
	is "$(limit cpu cpu.cfs_quota_us cpu.max)" "$(on_v2 && echo 25000 100000 || echo 25000)"
	[ "$(limit cpu cpu.shares cpu.weight)" = "$(on_v2 && echo 59 || echo 512)" ]
	asks ContainerStats "{\"container_id\": \"$ID\"}"
	[ "$(jq -r .stats.memory.working_set_bytes.value <<<"$output")" -gt 0 ]
	[ "$(jq -r .stats.cpu.usage_core_nano_seconds.value <<<"$output")" -gt 0 ]
	no_pod
	[ -z "${OAKUM_MANAGER-}" ] || systemctl stop pods-burstable.slice
}

# limit CONTROLLER V1-FILE V2-FILE
limit() {
	local dir
	dir=$(cgroup_of "$(pid_of "$ID")" "$1")
	case $dir in */pods/burstable/"$ID" | /sys/fs/cgroup/pods.slice/pods-burstable.slice/cri-containerd-"$ID".scope) ;; *) echo "$dir"; return ;; esac
	if on_v2; then cat "$dir/$3"; else cat "$dir/$2"; fi
}

@test "the security context: user, capabilities, read-only root, no new privileges, mounts" {
	mkdir "$W/volume"
	echo there >"$W/volume/file"
	pod
	started one ".config.linux.security_context += {run_as_user: {value: 1000}, readonly_rootfs: true, no_new_privs: true,
			capabilities: {drop_capabilities: [\"ALL\"]}}
		| .config.envs = [{key: \"A\", value: \"b\"}] | .config.working_dir = \"/tmp\"
		| .config.mounts = [{container_path: \"/vol\", host_path: \"$W/volume\", readonly: true}]" sleep 1000
	executes 0 sh -c 'id -u; pwd; echo $A; cat /vol/file; grep -E "CapBnd|NoNew" /proc/self/status'
	is "$output" $'1000\n/tmp\nb\nthere\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1'
	executes 1 touch /vol/x
	executes 1 touch /tmp/x
	no_pod
}

@test "a program that is not there: at start, and by exec" {
	pod
	container one . nonesuch
	gives 1 cri StartContainer "{\"container_id\": \"$ID\"}"
	says "OCI runtime create failed: create $ID: " '"nonesuch": executable file not found in $PATH'
	asks ContainerStatus "{\"container_id\": \"$ID\"}"
	is "$(jq -r '.status | "\(.state) \(.exit_code) \(.reason)"' <<<"$output")" "2 128 StartError"
	asks RemoveContainer "{\"container_id\": \"$ID\"}"
	started two . sleep 1000
	gives 1 cri ExecSync "{\"container_id\": \"$ID\", \"cmd\": [\"nonesuch\"]}"
	says "OCI runtime exec failed: exec $ID: " '"nonesuch": executable file not found in $PATH'
	no_pod
}

@test "exec that takes too long is ended" {
	pod
	started one . sleep 1000
	gives 1 cri ExecSync "{\"container_id\": \"$ID\", \"cmd\": [\"sleep\", \"77\"], \"timeout\": 1}"
	says DEADLINE_EXCEEDED
	executes 0 ps
	case $output in *"sleep 77"*) false ;; esac
	no_pod
}

@test "stop: TERM, and KILL where that is not enough" {
	pod
	started one . inside ignore
	ends 1
	is "$status" "2 137 Error"
	no_pod
}

@test "the sandbox killed from outside: the pod is still taken away whole" {
	pod
	started one . sleep 1000
	kill -KILL "$(pid_of "$POD")" "$(pid_of "$ID")"
	# Stopped, or taken away already; and containerd has heard of both.
	until_true is_over
	until_true is_exited
	no_pod
}

is_exited() { [ "$(cri ContainerStatus "{\"container_id\": \"$ID\"}" | jq .status.state)" = 2 ]; }
is_over() { [ "$(status_of "$POD" 2>/dev/null)" != running ]; }

@test "a handler that is not configured is refused" {
	config=$(jq -n -c --arg name "$C" '{config: {metadata: {name: $name, uid: $name, namespace: "default"}}, runtime_handler: "other"}')
	gives 1 cri RunPodSandbox "$config"
	says 'no runtime for "other" is configured'
}
