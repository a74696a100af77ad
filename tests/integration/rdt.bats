#!/usr/bin/env bats
# Classes of cache and memory bandwidth, where there are any: else the words for it. What happens in
# resctrl is tests/unit/test_rdt.c's and test_rdt_state.c's, with a directory in its place.
load ../lib/common

@test "intelRdt without resctrl says what is missing, and leaves nothing" {
	! grep -qw resctrl /proc/filesystems || skip "this kernel has resctrl"
	local rdt
	for rdt in '{}' '{closID: "gold"}' '{l3CacheSchema: "L3:0=f"}' '{schemata: ["MB:0=50"]}' '{enableMonitoring: true}'; do
		bundle ".linux.intelRdt = $rdt"
		fails 6 oakum create -b "$B" "$C"
		says "/linux/intelRdt: this kernel or this CPU has no resctrl: No such device (ENODEV)" "Linux 4.10" CONFIG_X86_CPU_RESCTRL cat_l3
		gone_container
	done
}

gone_container() { [ ! -e "$ROOT/$C" ]; }

@test "intelRdt in resctrl: a class of the container's own, exec in it, gone at the end" {
	local top
	top=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "resctrl") print $5 }' /proc/self/mountinfo)
	[ -n "$top" ] || skip "no resctrl is mounted"
	sleeper '.linux.intelRdt = {enableMonitoring: true}'
	ok oakum run -d -b "$B" "$C"
	grep -qx "$(pid_of)" "$top/$C/tasks"
	grep -qx "$(pid_of)" "$top/$C/mon_groups/$C/tasks"
	ok oakum exec "$C" true
	ok oakum delete -f "$C"
	[ ! -e "$top/$C" ]
}

@test "intelRdt: lines and names that are none" {
	bundle '.linux.intelRdt = {closID: "a/b"}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/closID a/b
	bundle '.linux.intelRdt = {closID: "mon_data"}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/closID "something else of that name"
	bundle '.linux.intelRdt = {memBwSchema: "L3:0=f"}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/memBwSchema MB:
	bundle '.linux.intelRdt = {memBwSchema: "MB:0=1\nMB:1=2"}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/memBwSchema "one line"
	bundle '.linux.intelRdt = {l3CacheSchema: "all of it"}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/l3CacheSchema
	bundle '.linux.intelRdt = {schemata: ["L3:0=f", "MB:0=1\nMB:1=2"]}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/schemata/1
	bundle '.linux.intelRdt = {schemata: ["L3:0=" + ("f" * 4000)]}'
	fails 3 oakum create -b "$B" "$C"
	says /linux/intelRdt/schemata "at once"
	bundle '.linux.intelRdt = {l3CacheSchema: "L3:0=f"}'
	fails 2 oakum create -b "$B" info
	says /linux/intelRdt '"info"'
}

@test "update of the shares without resctrl says what is missing, and changes nothing" {
	! grep -qw resctrl /proc/filesystems || skip "this kernel has resctrl"
	sleeper
	ok oakum run -d -b "$B" "$C"
	for option in "--l3-cache-schema=L3:0=f" "--mem-bw-schema=MB:0=50"; do
		fails 6 oakum update "$option" "$C"
		says "update $C: this kernel or this CPU has no resctrl" "Linux 4.10"
	done
	if ! on_v2; then
		# systemd gives a scope a limit of its own.
		limit=$(cat "$(cgroup_dir pids)/pids.max")
		fails 6 oakum update --mem-bw-schema MB:0=50 --pids-limit 5 "$C"
		is "$(cat "$(cgroup_dir pids)/pids.max")" "$limit"
	fi
	fails 3 oakum update --mem-bw-schema L3:0=f "$C"
	says /memBwSchema MB:
	fails 3 oakum update --l3-cache-schema all "$C"
	says /l3CacheSchema
	ok oakum delete -f "$C"
}

@test "update of the shares in resctrl: a class for who had none, with all of its threads" {
	local top mask
	top=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "resctrl") print $5 }' /proc/self/mountinfo)
	[ -n "$top" ] || skip "no resctrl is mounted"
	[ -e "$top/info/L3/cbm_mask" ] || skip "this CPU does not divide its L3 cache"
	mask=$(cat "$top/info/L3/cbm_mask")
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum update --l3-cache-schema "L3:0=$mask" "$C"
	grep -q "L3:0=$mask" "$top/$C/schemata"
	is "$(sort "$top/$C/tasks")" "$(oakum ps -f json "$C" | jq '.[]' | sort)"
	ok oakum delete -f "$C"
	[ ! -e "$top/$C" ]
}

@test "features lists what is applied" {
	ok oakum features
	is "$(jq -c .linux.intelRdt <<<"$output")" '{"enabled":true,"schemata":true,"monitoring":true}'
	is "$(jq -c .linux.netDevices <<<"$output")" '{"enabled":true}'
	is "$(jq -c '.linux.memoryPolicy.modes | sort' <<<"$output")" \
		'["MPOL_BIND","MPOL_DEFAULT","MPOL_INTERLEAVE","MPOL_LOCAL","MPOL_PREFERRED","MPOL_PREFERRED_MANY","MPOL_WEIGHTED_INTERLEAVE"]'
	is "$(jq -c '.linux.memoryPolicy.flags | sort' <<<"$output")" \
		'["MPOL_F_NUMA_BALANCING","MPOL_F_RELATIVE_NODES","MPOL_F_STATIC_NODES"]'
}
