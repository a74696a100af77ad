#!/usr/bin/env bats
# Network devices of the host handed over: the enclosure has a network namespace of its own.
load ../lib/common

# A device that nobody else has: a dummy, or one end of a pair.
dummy() {
	ip link add "$1" type dummy 2>/dev/null || ip link add "$1" type veth peer name "p-$1" 2>/dev/null ||
		skip "neither dummy nor veth network devices in this kernel"
	! ip link show "p-$1" >/dev/null 2>&1 || ip link set "p-$1" up
}

gone_from_host() { ! ip link show "$1" >/dev/null 2>&1; }

@test "moved, renamed, up, with MAC, MTU and its addresses of global scope" {
	dummy dum0
	ip link set dum0 address 00:11:22:33:44:55 mtu 1789 up
	ip addr add 169.254.169.77/32 dev dum0 scope link
	ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev dum0
	ip addr add 10.1.1.1 peer 10.1.1.2/32 dev dum0
	ip -6 addr add 2001:db8::77/64 dev dum0 nodad
	sleeper '.linux.netDevices = {dum0: {name: "ctr0"}}'
	ok oakum run -d -b "$B" "$C"
	gone_from_host dum0
	ok nsenter -n -t "$(pid_of)" ip addr show dev ctr0
	prints "mtu 1789" "00:11:22:33:44:55" "inet 10.9.8.7/24 brd 10.9.8.255 scope global" "inet 10.1.1.1 peer 10.1.1.2/32" \
		"inet6 2001:db8::77/64 scope global" ",UP"
	[[ $output != *169.254* ]]
	ok oakum delete -f "$C"
	# A virtual device ends with the namespace.
	gone_from_host dum0
}

@test "under its own name, in a user namespace, and in a namespace that is joined and stays" {
	dummy dum1
	ip addr add 10.9.9.9/16 dev dum1
	sleeper '.linux.netDevices = {dum1: {}} | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'
	ok oakum run -d -b "$B" "$C"
	ok nsenter -n -t "$(pid_of)" ip addr show dev dum1
	prints "inet 10.9.9.9/16"
	ok oakum delete -f "$C"
	dummy dum2
	touch netns
	unshare --net=netns true
	sleeper ".linux.netDevices = {dum2: {name: \"in2\"}} | .linux.namespaces |= map(if .type == \"network\" then .path = \"$W/netns\" else . end)"
	ok oakum run -d -b "$B" "$C"
	ok oakum delete -f "$C"
	ok nsenter --net=netns ip link show in2
	umount netns
}

@test "a failed creation gives the device back as it was" {
	dummy dum3
	ip link set dum3 mtu 1400 up
	ip addr add 10.7.7.7/24 dev dum3
	ip -6 addr add 2001:db8::9/64 dev dum3 nodad
	bundle '.linux.netDevices = {dum3: {name: "x"}} | .hooks.createRuntime = [{path: "/bin/false"}]'
	fails 1 oakum create -b "$B" "$C"
	ok ip addr show dev dum3
	prints "mtu 1400" ",UP" "10.7.7.7/24" "2001:db8::9/64"
	# The second cannot go: the first comes back too.
	dummy dum4
	bundle '.linux.netDevices = {dum3: {name: "same"}, nowhere: {}}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/netDevices/nowhere ENODEV
	ok ip addr show dev dum3
	prints "10.7.7.7/24"
	# The first process has ended, and with it its namespace but for our hold on it.
	bundle '.linux.netDevices = {dum3: {name: "x"}} | .process.args = ["/no/such/program"]'
	fails 127 oakum create -b "$B" "$C"
	ok ip addr show dev dum3
	prints "mtu 1400" ",UP" "10.7.7.7/24" "2001:db8::9/64"
	ip link del dum3
	ip link del dum4
}

@test "names that are taken or no names, and no namespace to move to" {
	dummy dum5
	touch netns
	unshare --net=netns sh -c "ip link add taken type dummy 2>/dev/null || ip link add taken type veth peer name other"
	bundle ".linux.netDevices = {dum5: {name: \"taken\"}} | .linux.namespaces |= map(if .type == \"network\" then .path = \"$W/netns\" else . end)"
	fails 1 oakum create -b "$B" "$C"
	says /linux/netDevices/dum5 "taken"
	ok ip link show dum5
	umount netns
	bundle '.linux.netDevices = {dum5: {}} | .linux.namespaces |= map(select(.type != "network"))'
	fails 3 oakum create -b "$B" "$C"
	says /linux/netDevices "network namespace"
	# The host's own by its path is none of the container's own either.
	bundle '.linux.netDevices = {dum5: {}} | .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)'
	fails 3 oakum create -b "$B" "$C"
	says /linux/netDevices "network namespace"
	for name in a/b a:b a%x a%d%d 1234567890123456; do
		bundle ".linux.netDevices = {dum5: {name: \"$name\"}}"
		fails 3 oakum create -b "$B" "$C"
		says /linux/netDevices/dum5/name
	done
	bundle '.linux.netDevices = {dum5: {name: "with space"}}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/netDevices/dum5/name
	ip link del dum5
}

@test "a name with a number that is free" {
	dummy dum6
	dummy dum7
	ip addr add 10.3.3.3/24 dev dum7 noprefixroute
	touch netns
	unshare --net=netns sh -c "ip link add num0 type dummy 2>/dev/null || ip link add num0 type veth peer name other"
	sleeper ".linux.netDevices = {dum6: {name: \"num%d\"}, dum7: {name: \"num%d\"}} | .linux.namespaces |= map(if .type == \"network\" then .path = \"$W/netns\" else . end)"
	ok oakum run -d -b "$B" "$C"
	ok nsenter --net=netns ip addr show dev num2
	prints "10.3.3.3/24" noprefixroute ",UP"
	ok nsenter --net=netns ip link show dev num1
	ok oakum delete -f "$C"
	umount netns
}
