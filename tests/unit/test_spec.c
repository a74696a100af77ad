/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bad configurations: each is refused with the place of the mistake and words that name it. */
#include "test_spec.h"

struct bad {
	const char *at, *value;	    /* NULL: the member is removed */
	const char *pointer, *text; /* expected; pointer NULL: as @at */
};

static const struct bad bad[] = {
	/* the top */
	{"", "null", NULL, "expected an object, found null"},
	{"", "[]", NULL, "expected an object, found an array"},
	{"", "\"x\"", NULL, "found the string \"x\""},
	{"", "7", NULL, "found the number 7"},
	{"", "{}", "/ociVersion", "missing"},
	{"/ociVersion", NULL, NULL, "missing"},
	{"/ociVersion", "null", NULL, "missing"},
	{"/ociVersion", "\"\"", NULL, "expected a version"},
	{"/ociVersion", "\"0.1.0\"", NULL, "1.x.y"},
	{"/ociVersion", "\"2.0.0\"", NULL, "1.x.y"},
	{"/ociVersion", "\"1.0\"", NULL, "expected a version"},
	{"/ociVersion", "\"banana\"", NULL,
	 "expected a version (1.3.0), found the string \"banana\""},
	{"/ociVersion", "\"1.0.0-\"", NULL, "expected a version"},
	{"/ociVersion", "\"1.0.0x\"", NULL, "expected a version"},
	{"/ociVersion", "1.3", NULL, "expected a string, found the number 1.3"},
	{"/root", NULL, NULL, "missing"},
	{"/root", "\"rootfs\"", NULL, "expected an object"},
	{"/root/path", NULL, NULL, "missing"},
	{"/root/path", "\"\"", NULL, "must not be empty"},
	{"/root/path", "[]", NULL, "expected a string, found an array"},
	{"/root/readonly", "\"yes\"", NULL, "expected true or false, found the string \"yes\""},
	{"/root/readonly", "1", NULL, "expected true or false, found the number 1"},
	{"/hostname", "5", NULL, "expected a string"},
	{"/hostname", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", NULL,
	 "65 bytes are more than the 64"},
	{"/domainname", "[]", NULL, "expected a string"},
	{"/annotations", "[]", NULL, "expected an object"},
	{"/annotations/new", "5", NULL, "expected a string"},
	{"/annotations/", "\"x\"", NULL, "must not be empty"},
	{"/Hostname", "\"other\"", NULL, "given twice, first as \"hostname\""},
	/* process */
	{"/process", NULL, NULL, "missing"},
	{"/process", "[]", NULL, "expected an object"},
	{"/process/terminal", "\"true\"", NULL, "expected true or false"},
	{"/process/consoleSize", "[]", NULL, "expected an object"},
	{"/process/consoleSize/height", "65536", NULL, "65536 is out of range (0..65535)"},
	{"/process/consoleSize/width", "-1", NULL, "-1 is out of range (0..65535)"},
	{"/process/consoleSize/width", NULL, NULL, "missing"},
	{"/process/user", "0", NULL, "expected an object"},
	{"/process/user/uid", "4294967296", NULL, "4294967296 is out of range (0..4294967294)"},
	{"/process/user/uid", "4294967295", NULL, "4294967295 is out of range (0..4294967294)"},
	{"/process/user/uid", "-1", NULL, "-1 is out of range"},
	{"/process/user/uid", "\"0\"", NULL, "expected an integer, found the string \"0\""},
	{"/process/user/uid", "1.5", NULL, "expected an integer, found the number 1.5"},
	{"/process/user/uid", "1000000000000000000000000000000", NULL, "out of range"},
	{"/process/user/uid", "1e400", NULL, ""},
	{"/process/user/uid", "true", NULL, "expected an integer, found true"},
	{"/process/user/gid", "4294967295", NULL, "out of range"},
	{"/process/user/umask", "512", NULL, "512 is out of range (0..511)"},
	{"/process/user/additionalGids", "5", NULL, "expected an array"},
	{"/process/user/additionalGids/1", "4294967295", NULL, "out of range"},
	{"/process/user/additionalGids/1", "null", NULL, "expected an integer, found null"},
	{"/process/user/uid", "2000", NULL, "2000 is not mapped by /linux/uidMappings"},
	{"/process/user/gid", "70000", NULL, "70000 is not mapped by /linux/gidMappings"},
	{"/process/user/additionalGids/0", "70000", NULL, "not mapped"},
	{"/process/args", NULL, NULL, "missing"},
	{"/process/args", "null", NULL, "missing"},
	{"/process/args", "[]", NULL, "must not be empty"},
	{"/process/args", "\"/bin/true\"", NULL,
	 "expected an array of strings, found the string \"/bin/true\""},
	{"/process/args", "{}", NULL, "expected an array of strings, found an object"},
	{"/process/args", "[5]", "/process/args/0", "expected a string, found the number 5"},
	{"/process/args", "[null]", "/process/args/0", "expected a string, found null"},
	{"/process/args", "[\"\"]", "/process/args/0", "must not be empty"},
	{"/process/args/2", "[\"x\"]", NULL, "expected a string, found an array"},
	{"/process/env/1", "\"JUNK\"", NULL,
	 "expected NAME=VALUE, found the string \"JUNK\" without '='"},
	{"/process/env/1", "\"\"", NULL, "expected NAME=VALUE"},
	{"/process/env/1", "\"=x\"", NULL, "without a name"},
	{"/process/env/1", "1", NULL, "expected a string"},
	{"/process/env", "{\"A\":\"1\"}", NULL, "expected an array"},
	{"/process/cwd", NULL, NULL, "missing"},
	{"/process/cwd", "\"\"", NULL, "must not be empty"},
	{"/process/cwd", "\"work\"", NULL, "expected an absolute path, found the string \"work\""},
	{"/process/capabilities", "[]", NULL, "expected an object"},
	{"/process/capabilities/bounding", "\"CAP_KILL\"", NULL, "expected an array"},
	{"/process/capabilities/permitted/0", "7", NULL, "expected a string"},
	{"/process/capabilities/ambient", "{}", NULL, "expected an array"},
	{"/process/rlimits", "{}", NULL, "expected an array"},
	{"/process/rlimits/0", "5", NULL, "expected an object"},
	{"/process/rlimits/0/type", "\"RLIMIT_BOGUS\"", NULL, "RLIMIT_BOGUS"},
	{"/process/rlimits/0/type", "\"nofile\"", NULL, "resource limit"},
	{"/process/rlimits/0/type", NULL, NULL, "missing"},
	{"/process/rlimits/0/soft", NULL, NULL, "missing"},
	{"/process/rlimits/0/hard", NULL, NULL, "missing"},
	{"/process/rlimits/0/hard", "18446744073709551616", NULL, "out of range"},
	{"/process/rlimits/0/soft", "-1", NULL, "out of range"},
	{"/process/rlimits/0/soft", "5000", "/process/rlimits/0",
	 "soft 5000 is above hard 4096 (RLIMIT_NOFILE)"},
	{"/process/rlimits/1/type", "\"RLIMIT_NOFILE\"", "/process/rlimits/1",
	 "RLIMIT_NOFILE is given twice"},
	{"/process/noNewPrivileges", "\"no\"", NULL, "expected true or false"},
	{"/process/oomScoreAdj", "1001", NULL, "1001 is out of range (-1000..1000)"},
	{"/process/oomScoreAdj", "-1001", NULL, "-1001 is out of range (-1000..1000)"},
	{"/process/oomScoreAdj", "99999999999999999999", NULL, "out of range"},
	{"/process/apparmorProfile", "1", NULL, "expected a string"},
	{"/process/selinuxLabel", "1", NULL, "expected a string"},
	/* mounts */
	{"/mounts", "{}", NULL, "expected an array"},
	{"/mounts/0", "\"proc\"", NULL, "expected an object"},
	{"/mounts/0/destination", NULL, NULL, "missing"},
	{"/mounts/0/destination", "\"\"", NULL, "must not be empty"},
	{"/mounts/0/destination", "5", NULL, "expected a string"},
	{"/mounts/0/type", NULL, NULL, "missing: needed without the options bind and rbind"},
	{"/mounts/0/type", "false", NULL, "expected a string, found false"},
	{"/mounts/1/source", NULL, NULL, "missing: a bind mount needs one"},
	{"/mounts/1/options", "\"ro\"", NULL, "expected an array of strings"},
	{"/mounts/1/options/1", "3", NULL, "expected a string"},
	{"/mounts/1/uidMappings", "[{\"containerID\":0}]", "/mounts/1/uidMappings/0/hostID",
	 "missing"},
	{"/mounts/1/uidMappings", "[{\"containerID\":0,\"hostID\":1,\"size\":1}]",
	 "/mounts/1/gidMappings", "the other mapping is given"},
	{"/mounts/1/gidMappings", "[{\"containerID\":0}]", "/mounts/1/gidMappings/0/hostID",
	 "missing"},
	/* hooks */
	{"/hooks", "[]", NULL, "expected an object"},
	{"/hooks/prestart", "{}", NULL, "expected an array"},
	{"/hooks/prestart/0/path", NULL, NULL, "missing"},
	{"/hooks/createRuntime/1/path", "\"bin/true\"", NULL, "expected an absolute path"},
	{"/hooks/createRuntime/0/path", "\"\"", NULL, "must not be empty"},
	{"/hooks/createRuntime/0/args", "\"b\"", NULL, "expected an array"},
	{"/hooks/createRuntime/0/env/0", "\"K\"", NULL, "NAME=VALUE"},
	{"/hooks/createRuntime/0/timeout", "0", NULL, "0 is out of range (1..2147483647)"},
	{"/hooks/createRuntime/0/timeout", "-5", NULL, "-5 is out of range"},
	{"/hooks/createRuntime/0/timeout", "1.5", NULL, "expected an integer"},
	{"/hooks/createRuntime/0/timeout", "2147483648", NULL, "out of range"},
	{"/hooks/createContainer", "[5]", "/hooks/createContainer/0", "expected an object"},
	{"/hooks/startContainer", "[{}]", "/hooks/startContainer/0/path", "missing"},
	{"/hooks/poststart", "[null]", "/hooks/poststart/0", "expected an object, found null"},
	{"/hooks/poststop/0/path", "{}", NULL, "expected a string"},
	/* namespaces and mappings */
	{"/linux", "[]", NULL, "expected an object"},
	{"/linux/namespaces", "{}", NULL, "expected an array"},
	{"/linux/namespaces/0/type", "\"frob\"", NULL, "found the string \"frob\""},
	{"/linux/namespaces/0/type", NULL, NULL, "missing"},
	{"/linux/namespaces/0/type", "\"mount\"", "/linux/namespaces/4",
	 "namespace mount is given twice"},
	{"/linux/namespaces/1/path", "\"run/netns\"", NULL, "expected an absolute path"},
	{"/linux/namespaces/1/path", "5", NULL, "expected a string"},
	{"/linux/namespaces",
	 "[{\"type\":\"user\"},{\"type\":\"mount\"},{\"type\":\"network\"},"
	 "{\"type\":\"ipc\"}]",
	 "/hostname", "needs a uts namespace"},
	{"/linux/namespaces/5", NULL, "/linux/uidMappings", "needs a user namespace"},
	{"/linux/uidMappings", "{}", NULL, "expected an array"},
	{"/linux/uidMappings", NULL, NULL, "missing: /linux/gidMappings is given"},
	{"/linux/gidMappings", "[]", NULL, "missing: /linux/uidMappings is given"},
	{"/linux/uidMappings/0/size", "0", NULL, "0 is out of range (1..4294967295)"},
	{"/linux/uidMappings/0/size", NULL, NULL, "missing"},
	{"/linux/uidMappings/0/hostID", NULL, NULL, "missing"},
	{"/linux/uidMappings/0/containerID", "4294967295", NULL, "out of range"},
	{"/linux/uidMappings/0/size", "4294967295", "/linux/uidMappings/0", "go beyond 4294967294"},
	{"/linux/uidMappings/1/containerID", "999", "/linux/uidMappings/1",
	 "container ids 999-999 overlap those of entry 0 (0-999)"},
	{"/linux/uidMappings/1/hostID", "100999", "/linux/uidMappings/1",
	 "host ids 100999-100999 overlap those of entry 0 (100000-100999)"},
	/* devices */
	{"/linux/devices/0/path", NULL, NULL, "missing"},
	{"/linux/devices/0/path", "\"dev/fuse\"", NULL, "expected an absolute path"},
	{"/linux/devices/0/path", "\"/dev/../etc/x\"", NULL, "\"..\" component"},
	{"/linux/devices/0/path", "\"/\"", NULL, "path of a file"},
	{"/linux/devices/0/type", "\"z\"", NULL, "expected c, b, u or p, found the string \"z\""},
	{"/linux/devices/0/type", "\"cc\"", NULL, "expected c, b, u or p"},
	{"/linux/devices/0/type", "\"\"", NULL, "expected c, b, u or p"},
	{"/linux/devices/0/major", "4096", NULL, "4096 is out of range (0..4095)"},
	{"/linux/devices/0/minor", "1048576", NULL, "out of range (0..1048575)"},
	{"/linux/devices/0/minor", NULL, NULL, "missing"},
	{"/linux/devices/0/major", "null", NULL, "missing"},
	{"/linux/devices/0/fileMode", "-1", NULL, "out of range"},
	{"/linux/devices/0/uid", "4294967295", NULL, "out of range"},
	{"/linux/devices/2/path", "\"/dev/fuse\"", "/linux/devices/2",
	 "/dev/fuse is another device in entry 0"},
	/* resources */
	{"/linux/resources", "5", NULL, "expected an object"},
	{"/linux/resources/devices/0/allow", NULL, NULL, "missing"},
	{"/linux/resources/devices/0/allow", "\"no\"", NULL, "expected true or false"},
	{"/linux/resources/devices/1/type", "\"p\"", NULL, "expected a, b or c"},
	{"/linux/resources/devices/1/access", "\"rx\"", NULL, "letters r, w and m"},
	{"/linux/resources/devices/1/major", "-2", NULL, "-2 is out of range (-1..4095)"},
	{"/linux/resources/memory/limit", "\"1G\"", NULL, "expected an integer"},
	{"/linux/resources/memory/limit", "-2", NULL, "out of range"},
	{"/linux/resources/memory/limit", "9223372036854775808", NULL, "out of range"},
	{"/linux/resources/memory/swap", "999999", NULL, "999999 is below limit 1000000"},
	{"/linux/resources/memory/swappiness", "101", NULL, "out of range (0..100)"},
	{"/linux/resources/memory/disableOOMKiller", "1", NULL, "expected true or false"},
	{"/linux/resources/cpu/shares", "-1", NULL, "out of range"},
	{"/linux/resources/cpu/period", "100", NULL, "100 is out of range (1000..1000000"},
	{"/linux/resources/cpu/period", "1000001", NULL, "out of range"},
	{"/linux/resources/cpu/quota", "999", NULL, "999 is out of range"},
	{"/linux/resources/cpu/idle", "2", NULL, "out of range (0..1)"},
	{"/linux/resources/cpu/cpus", "\"0-99999\"", NULL, "list of numbers"},
	{"/linux/resources/cpu/cpus", "\"3-1\"", NULL, "list of numbers"},
	{"/linux/resources/cpu/cpus", "\"0,\"", NULL, "list of numbers"},
	{"/linux/resources/cpu/cpus", "\"a\"", NULL, "list of numbers"},
	{"/linux/resources/cpu/mems", "0", NULL, "expected a string"},
	{"/linux/resources/cpu/realtimeRuntime", "\"1\"", NULL, "expected"},
	{"/linux/resources/cpu/realtimePeriod", "-1", NULL, "out of range"},
	{"/linux/resources/pids/limit", "-2", NULL, "out of range"},
	{"/linux/resources/blockIO/weight", "9", NULL, "9 is out of range (10..1000)"},
	{"/linux/resources/blockIO/leafWeight", "1001", NULL, "out of range"},
	{"/linux/resources/blockIO/weightDevice", "[{\"minor\":0,\"weight\":100}]",
	 "/linux/resources/blockIO/weightDevice/0/major", "missing"},
	{"/linux/resources/blockIO/throttleReadBpsDevice", "[{\"major\":8,\"minor\":0}]",
	 "/linux/resources/blockIO/throttleReadBpsDevice/0/rate", "missing"},
	{"/linux/resources/blockIO/throttleWriteIOPSDevice",
	 "[{\"major\":8,\"minor\":-1,\"rate\":1}]",
	 "/linux/resources/blockIO/throttleWriteIOPSDevice/0/minor", "out of range"},
	{"/linux/resources/hugepageLimits", "[{\"limit\":1}]",
	 "/linux/resources/hugepageLimits/0/pageSize", "missing"},
	{"/linux/resources/hugepageLimits", "[{\"pageSize\":\"2MB/../x\",\"limit\":1}]",
	 "/linux/resources/hugepageLimits/0/pageSize", "such as 2MB"},
	{"/linux/resources/network", "{\"classID\":4294967296}", "/linux/resources/network/classID",
	 "out of range"},
	{"/linux/resources/network", "{\"priorities\":[{\"name\":\"a b\",\"priority\":1}]}",
	 "/linux/resources/network/priorities/0/name", "no blanks"},
	{"/linux/resources/rdma", "{\"mlx\":{}}", "/linux/resources/rdma/mlx", "hcaHandles"},
	{"/linux/resources/rdma", "{\"m/x\":{\"hcaHandles\":1}}", "/linux/resources/rdma/m~1x",
	 "not the name"},
	{"/linux/resources/unified", "{\"memoryhigh\":\"1\"}",
	 "/linux/resources/unified/memoryhigh", "has not the form CONTROLLER.VALUE `memoryhigh`"},
	{"/linux/resources/unified", "{\"memory.high/../x\":\"1\"}",
	 "/linux/resources/unified/memory.high~1..~1x", "has not the form"},
	{"/linux/resources/unified", "{\"cgroup.procs\":\"1\"}",
	 "/linux/resources/unified/cgroup.procs", "not a limit"},
	{"/linux/resources/unified", "{\"memory.high\":1}", "/linux/resources/unified/memory.high",
	 "expected a string"},
	/* the rest of linux */
	{"/linux/cgroupsPath", "\"/a/../../b\"", NULL, "\"..\" component"},
	{"/linux/cgroupsPath", "{}", NULL, "expected a string"},
	{"/linux/sysctl", "[]", NULL, "expected an object"},
	{"/linux/sysctl/vm.swappiness", "\"1\"", NULL, "not a namespaced sysctl"},
	{"/linux/sysctl/kernel.hostname", "\"x\"", NULL, "use /hostname instead"},
	{"/linux/sysctl/kernel~1hostname", "\"x\"", NULL, "use /hostname instead"},
	{"/linux/sysctl/kernel.domainname", "\"other\"", NULL, "contradicts /domainname"},
	{"/linux/sysctl/net.ipv4.ip_forward", "1", NULL, "expected a string"},
	{"/linux/sysctl/net~1ipv4~1ip_forward", "\"1\"", NULL, "given twice"},
	{"/linux/sysctl/net.~1~1~1kernel~1core_pattern", "\"x\"", NULL, "not the name of a sysctl"},
	{"/linux/sysctl/net~1..~1kernel~1core_pattern", "\"x\"", NULL, "not the name of a sysctl"},
	{"/linux/sysctl/net..kernel", "\"x\"", NULL, "not the name of a sysctl"},
	{"/linux/sysctl/net", "\"x\"", NULL, "not the name of a sysctl"},
	{"/linux/sysctl/", "\"x\"", NULL, "not the name of a sysctl"},
	{"/linux/sysctl/kernel.msgsub.x", "\"x\"", NULL, "not a namespaced sysctl"},
	{"/linux/sysctl/fs.baz", "\"x\"", NULL, "not a namespaced sysctl"},
	{"/linux/namespaces/2", NULL, "/linux/sysctl/kernel~1shmmax",
	 "needs a namespace of type ipc"},
	{"/linux/namespaces/1", NULL, "/linux/sysctl/net.ipv4.ip_forward", "of type network"},
	{"/linux/maskedPaths", "\"/proc/kcore\"", NULL, "expected an array of strings"},
	{"/linux/maskedPaths/0", "\"proc/kcore\"", NULL, "expected an absolute path"},
	{"/linux/readonlyPaths/1", "\"\"", NULL, "must not be empty"},
	{"/linux/readonlyPaths/1", "null", NULL, "expected a string"},
	{"/linux/rootfsPropagation", "\"sideways\"", NULL, "found the string \"sideways\""},
	{"/linux/mountLabel", "[]", NULL, "expected a string"},
	{"/linux/intelRdt", "[]", NULL, "expected an object"},
	{"/linux/intelRdt/closID", "5", NULL, "expected a string"},
	{"/linux/intelRdt/l3CacheSchema", "\"half\"", NULL, "expected a line such as L3:0=ff"},
	{"/linux/intelRdt/memBwSchema", "\"L3:0=f\"", NULL, "begins with MB:"},
	{"/linux/intelRdt/memBwSchema", "\"MB:0=1\\nMB:1=2\"", NULL, "one line"},
	{"/linux/intelRdt/memBwSchema", "\"MB:\"", NULL, "one line"},
	{"/linux/intelRdt/schemata", "\"L3:0=f\"", NULL, "expected an array"},
	{"/linux/intelRdt/schemata", "[\"L3:0=f\",\"\"]", "/linux/intelRdt/schemata/1", "one line"},
	{"/linux/intelRdt/schemata", "[\":0=f\"]", "/linux/intelRdt/schemata/0", "one line"},
	{"/linux/intelRdt/enableMonitoring", "1", NULL, "expected true or false"},
	{"/linux/personality", "{\"domain\":\"LINUX99\"}", "/linux/personality/domain",
	 "expected LINUX or LINUX32"},
	{"/linux/personality", "{\"domain\":\"LINUX\",\"flags\":[\"X\"]}",
	 "/linux/personality/flags", "no flag"},
	{"/linux/netDevices", "{\"eth0\":{\"name\":\"a b\"}}", "/linux/netDevices/eth0/name",
	 "not the name of a network device"},
	{"/linux/netDevices", "{\"eth%d\":{}}", "/linux/netDevices/eth%d", "not the name"},
	{"/linux/netDevices", "{\"abcdefghijklmnop\":{}}", "/linux/netDevices/abcdefghijklmnop",
	 "not the name"},
	{"/linux/netDevices", "{\"eth0\":{\"name\":\"lo\"}}", "/linux/netDevices/eth0",
	 "lo of its own"},
	{"/linux/netDevices", "{\"eth0\":{},\"eth1\":{\"name\":\"eth0\"}}",
	 "/linux/netDevices/eth1", "given already"},
	{"/linux/timeOffsets", "{\"boottime\":{\"secs\":5}}", NULL, "needs a time namespace"},
	{"/linux/timeOffsets", "{\"realtime\":{\"secs\":5}}", "/linux/timeOffsets/realtime",
	 "expected the clock monotonic or boottime"},
	{"/linux/timeOffsets", "{\"monotonic\":{\"nanosecs\":1000000000}}",
	 "/linux/timeOffsets/monotonic/nanosecs", "out of range"},
	{"/linux/timeOffsets", "{\"monotonic\":{\"secs\":-9223372037}}",
	 "/linux/timeOffsets/monotonic/secs", "out of range"},
	{"/linux/timeOffsets", "[5]", NULL, "expected an object"},
	{"/linux/timeOffsets/monotonic", "7", NULL, "expected an object"},
	{"/linux/memoryPolicy", "{}", NULL, "invalid memory policy mode"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_X\"}", "/linux/memoryPolicy/mode",
	 "invalid memory policy mode"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"0-7\"}", NULL,
	 "mode requires 0 nodes but got 8"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"\"}", NULL,
	 "at least 1 node"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_BIND\",\"nodes\":\"99999999\"}",
	 "/linux/memoryPolicy/nodes", "invalid memory policy node"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-\"}",
	 "/linux/memoryPolicy/nodes", "invalid memory policy node"},
	{"/linux/memoryPolicy", "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_X\"]}",
	 "/linux/memoryPolicy/flags/0", "invalid memory policy flag"},
	{"/linux/memoryPolicy",
	 "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\","
	 "\"MPOL_F_RELATIVE_NODES\"]}",
	 NULL, "exclude each other"},
	{"/linux/memoryPolicy",
	 "{\"mode\":\"MPOL_PREFERRED\",\"flags\":[\"MPOL_F_NUMA_BALANCING\"]}", NULL,
	 "flags without nodes"},
	{"/process/scheduler", "{}", "/process/scheduler/policy", "missing"},
	{"/process/scheduler", "{\"policy\":\"SCHED_X\"}", "/process/scheduler/policy",
	 "unknown scheduling policy"},
	{"/process/scheduler", "{\"policy\":\"SCHED_ISO\"}", "/process/scheduler/policy",
	 "no kernel has"},
	{"/process/scheduler", "{\"policy\":\"SCHED_OTHER\",\"nice\":20}",
	 "/process/scheduler/nice", "out of range (-20..19)"},
	{"/process/scheduler", "{\"policy\":\"SCHED_OTHER\",\"priority\":1}",
	 "/process/scheduler/priority", "belongs to SCHED_FIFO"},
	{"/process/scheduler", "{\"policy\":\"SCHED_FIFO\"}", "/process/scheduler/policy",
	 "needs a priority"},
	{"/process/scheduler", "{\"policy\":\"SCHED_BATCH\",\"runtime\":5}", NULL,
	 "belong to SCHED_DEADLINE"},
	{"/process/scheduler", "{\"policy\":\"SCHED_BATCH\",\"flags\":[\"X\"]}",
	 "/process/scheduler/flags/0", "unknown scheduler flag"},
	{"/process/scheduler", "{\"policy\":\"SCHED_DEADLINE\"}", NULL,
	 "sched_setattr: `SCHED_DEADLINE` requires `runtime`"},
	{"/process/scheduler", "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000}", NULL,
	 "requires `deadline`"},
	{"/process/scheduler", "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":0,\"deadline\":5}",
	 "/process/scheduler/runtime", "runtime must be greater than 0"},
	{"/process/scheduler", "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5,\"deadline\":50}",
	 "/process/scheduler/runtime", "runtime `5` must be between `1024`"},
	{"/process/scheduler", "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000,\"deadline\":4000}",
	 "/process/scheduler/runtime", "must be <="},
	{"/process/scheduler",
	 "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000,\"deadline\":6000,\"period\":5500}",
	 "/process/scheduler/deadline", "must be <="},
	{"/process/ioPriority", "{\"class\":\"IOPRIO_CLASS_X\"}", "/process/ioPriority/class",
	 "unknown I/O priority class"},
	{"/process/ioPriority", "{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
	 "/process/ioPriority/priority", "out of range (0..7)"},
	{"/process/execCPUAffinity", "{\"initial\":\"1-\"}", "/process/execCPUAffinity/initial",
	 "list of numbers"},
	/* seccomp */
	{"/linux/seccomp/defaultAction", NULL, NULL, "missing"},
	{"/linux/seccomp/defaultAction", "\"SCMP_ACT_BOGUS\"", NULL, "unknown action"},
	{"/linux/seccomp/defaultAction", "\"SCMP_ACT_NOTIFY\"", "/linux/seccomp/defaultErrnoRet",
	 "1 has no meaning for SCMP_ACT_NOTIFY"},
	{"/linux/seccomp/defaultAction", "\"SCMP_ACT_NOTIFY\"", NULL, "as default action"},
	{"/linux/seccomp/defaultAction", "\"SCMP_ACT_ALLOW\"", "/linux/seccomp/defaultErrnoRet",
	 "1 has no meaning for SCMP_ACT_ALLOW"},
	{"/linux/seccomp/defaultErrnoRet", "4096", NULL, "4096 is out of range (0..4095)"},
	{"/linux/seccomp/architectures/0", "\"SCMP_ARCH_Z80\"", NULL, "unknown architecture"},
	{"/linux/seccomp/flags/0", "\"LOG\"", NULL, "unknown flag"},
	{"/linux/seccomp/listenerPath", "\"run/agent\"", NULL, "expected an absolute path"},
	{"/linux/seccomp/listenerPath", "\"@agent\"", NULL, "expected an absolute path"},
	{"/linux/seccomp/listenerPath", "5", NULL, "expected a string"},
	{"/linux/seccomp/listenerMetadata", "{}", NULL, "expected a string"},
	{"/linux/seccomp/syscalls", "{}", NULL, "expected an array"},
	{"/linux/seccomp/syscalls/0/names", NULL, NULL, "missing"},
	{"/linux/seccomp/syscalls/0/names", "[]", NULL, "at least one"},
	{"/linux/seccomp/syscalls/0/names/1", "\"\"", NULL, "must not be empty"},
	{"/linux/seccomp/syscalls/0/action", "\"ALLOW\"", NULL, "unknown action"},
	{"/linux/seccomp/syscalls/0",
	 "{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}",
	 "/linux/seccomp/syscalls/0/names/1", "cannot be used for the write syscall"},
	{"/linux/seccomp/syscalls/0/errnoRet", "1", NULL, "1 has no meaning for SCMP_ACT_ALLOW"},
	{"/linux/seccomp/syscalls/1/errnoRet", "5000", NULL, "5000 is out of range (0..4095)"},
	{"/linux/seccomp/syscalls/1/args/0/index", "6", NULL, "6 is out of range (0..5)"},
	{"/linux/seccomp/syscalls/1/args/0/index", NULL, NULL, "missing"},
	{"/linux/seccomp/syscalls/1/args/0/value", "-1", NULL, "out of range"},
	{"/linux/seccomp/syscalls/1/args/0/op", "\"SCMP_CMP_BOGUS\"", NULL, "unknown operator"},
	{"/linux/seccomp/syscalls/1/args/0/op", NULL, NULL, "missing"},
};

static int parse(const char *text, size_t size, struct arena *arena, struct spec_errors *errors)
{
	struct spec *spec = NULL;
	int r = spec_parse(text, size, "config.json", arena, &spec, errors);

	if (r == 0)
		assert_non_null(spec);
	else
		assert_null(spec);
	return r;
}

static bool has_error(const struct spec_errors *errors, const char *pointer, const char *text)
{
	for (size_t i = 0; i < errors->n; i++)
		if (str_eq(errors->v[i].pointer, pointer) && strstr(errors->v[i].text, text))
			return true;
	return false;
}

static void check_bad(const struct bad *b)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	const char *pointer = b->pointer ? b->pointer : b->at;
	const char *text = spoil(good_config, b->at, b->value, &arena);
	bool unapplied = strstr(b->text, "not applied yet");

	if (parse(text, strlen(text), &arena, &errors) != -EINVAL)
		fail_msg("%s = %s was accepted", b->at, b->value);
	if (!has_error(&errors, pointer, b->text))
		fail_msg("%s = %s: got %s: %s", b->at, b->value, errors.v[0].pointer,
			 errors.v[0].text);
	for (size_t i = 0; i < errors.n; i++) {
		assert_true(errors.v[i].line > 0 && errors.v[i].column > 0);
		assert_int_equal(errors.v[i].kind, unapplied ? ERR_UNSUPPORTED : ERR_CONFIG);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_bad(&bad[i]);
}

/* Broken JSON is one error with its place. */
static void test_syntax(void **state)
{
	static const char *const broken[] = {
		"",
		" \n",
		"{",
		"{\"ociVersion\"",
		"{\"a\":1,}",
		"{} {}",
		"{}x",
		"\xef\xbb\xbf{}",
		"{\"a\":1,\"a\":2}",
		"{'a':1}",
		"{\"a\":NaN}",
		"{\"a\":01}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\xff\"}",
		"{/* */}",
		"{\"a\":\"\t\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct spec_errors errors;

		if (parse(broken[i], strlen(broken[i]), &arena, &errors) == 0)
			fail_msg("%s was accepted", broken[i]);
		assert_int_equal(errors.n, 1);
		assert_int_equal(errors.v[0].kind, ERR_CONFIG);
		assert_true(errors.v[0].line > 0);
	}
}

static void test_truncated(void **state)
{
	size_t size = strlen(good_config);

	(void)state;
	for (size_t i = 0; i < size - 1; i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct spec_errors errors;
		char *copy = malloc(i + 1); /* its own block, so that a read beyond it is seen */

		memcpy(copy, good_config, i);
		if (parse(copy, i, &arena, &errors) == 0 &&
		    strspn(good_config + i, " \n") != size - i)
			fail_msg("accepted when cut after %zu bytes", i);
		free(copy);
	}
}

/* Any byte may be anything; only the outcome must be an answer. */
static void test_mutated(void **state)
{
	static const char nasty[] = {'\0', '"', '{', '9', '-'};
	char *copy = strdup(good_config);

	(void)state;
	for (size_t i = 0; i < strlen(good_config); i++) {
		for (size_t k = 0; k < sizeof(nasty); k++) {
			AUTO_ARENA struct arena arena = ARENA_INIT;
			struct spec_errors errors;

			copy[i] = nasty[k];
			if (parse(copy, strlen(good_config), &arena, &errors) != 0)
				assert_true(errors.n > 0);
		}
		copy[i] = good_config[i];
	}
	free(copy);
}

static const char *const junk[] = {"null", "true",  "0",  "-1", "1.5",
				   "\"\"", "\"x\"", "[]", "{}", "[null]"};

/* An error belongs to what was spoiled, to its surroundings or to what it contradicts. */
static bool related(const char *a, const char *b)
{
	size_t n = strcspn(a + (*a == '/'), "/") + 1;

	return strncmp(a, b, n) == 0 || str_starts(b, "/hostname") ||
	       str_starts(b, "/domainname") || str_starts(b, "/process/user") ||
	       str_starts(b, "/linux/");
}

static void spoil_types(const struct json *j)
{
	char pointer[256];

	json_pointer(j, pointer, sizeof(pointer));
	for (size_t i = 0; *pointer && i < ARRAY_SIZE(junk); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct spec_errors errors;
		char *text = spoil(good_config, pointer, junk[i], &arena);

		if (parse(text, strlen(text), &arena, &errors) == 0)
			continue;
		assert_true(errors.n > 0);
		for (size_t k = 0; k < errors.n; k++)
			if (!related(pointer, errors.v[k].pointer) || !errors.v[k].text[0])
				fail_msg("%s = %s: %s: %s", pointer, junk[i], errors.v[k].pointer,
					 errors.v[k].text);
	}
	for (const struct json *c = j->child; c; c = c->next)
		spoil_types(c);
}

static void test_types(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;

	(void)state;
	spoil_types(parse_json(good_config, &arena));
}

static void test_place(void **state)
{
	static const char text[] = "{\n \"ociVersion\": \"1.3.0\",\n \"root\": {\"path\": 5},\n"
				   " \"process\": {\"cwd\": \"/\", \"args\": \"/bin/true\"}\n}\n";
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	char line[1024];

	(void)state;
	assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);
	assert_int_equal(errors.n, 2);
	assert_int_equal(errors.total, 2);
	assert_int_equal(errors.v[0].line, 3);
	assert_int_equal(errors.v[0].column, 19);
	assert_int_equal(errors.v[1].line, 4);
	assert_int_equal(errors.v[1].column, 34);
	assert_string_equal(errors.v[1].hint, "did you mean [\"/bin/true\"]?");
	(void)err_format(&errors.v[1], line, sizeof(line));
	assert_non_null(strstr(line, "4:34: /process/args: expected an array of strings, "
				     "found the string \"/bin/true\""));
}

/* All are counted; the first ones of the file are kept, in its order. */
static void test_many(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	char list[1024] = "[0", *text;

	(void)state;
	for (int i = 1; i < 100; i++)
		strcat(list, ",0");
	strcat(list, "]");
	text = spoil(good_config, "/process/args", list, &arena);
	text = spoil(text, "/ociVersion", NULL, &arena);
	assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);
	assert_int_equal(errors.total, 101);
	assert_int_equal(errors.n, SPEC_MAX_ERRORS);
	assert_string_equal(errors.v[0].pointer, "/ociVersion");
	assert_string_equal(errors.v[1].pointer, "/process/args/0");
	assert_string_equal(errors.v[19].pointer, "/process/args/18");
}

struct limit {
	const char *at, *member, *text;
	size_t most;
};

static char *repeat(const char *member, size_t n, struct arena *arena)
{
	size_t size = n * (strlen(member) + 16) + 3;
	struct strbuf b;

	strbuf_init(&b, arena_alloc(arena, size), size);
	strbuf_addc(&b, *member == '"' ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&b, ',');
		if (*member == '"')
			strbuf_fmt(&b, "\"k%zu\":\"\"", i);
		else
			strbuf_add(&b, member);
	}
	strbuf_addc(&b, *member == '"' ? '}' : ']');
	return b.p;
}

static void test_limits(void **state)
{
	static const struct limit limits[] = {
		{"/mounts", "{\"destination\":\"/x\",\"type\":\"tmpfs\"}", "4097 members are more",
		 4096},
		{"/hooks/poststop", "{\"path\":\"/x\"}", "4097 members are more", 4096},
		{"/annotations", "\"", "1025 members are more", 1024},
		{"/process/user/additionalGids", "5", "65537 members are more", 65536},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct spec_errors errors;
		char *value = repeat(limits[i].member, limits[i].most, &arena);
		char *text = spoil(good_config, limits[i].at, value, &arena);

		if (parse(text, strlen(text), &arena, &errors) != 0)
			fail_msg("%s: %s", errors.v[0].pointer, errors.v[0].text);
		value = repeat(limits[i].member, limits[i].most + 1, &arena);
		text = spoil(good_config, limits[i].at, value, &arena);
		assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);
		if (limits[i].most < JSON_MAX_ITEMS &&
		    !has_error(&errors, limits[i].at, limits[i].text))
			fail_msg("%s: %s", errors.v[0].pointer, errors.v[0].text);
	}
}

/* An extent too many for the kernel, and arguments that no execve(2) takes. */
static void test_kernel_limits(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	struct strbuf b;
	char *text;

	(void)state;
	strbuf_init(&b, arena_alloc(&arena, 8u << 20), 8u << 20);
	strbuf_add(&b, "[{\"containerID\":0,\"hostID\":0,\"size\":1001}");
	for (unsigned i = 1; i < 341; i++)
		strbuf_fmt(&b, ",{\"containerID\":%u,\"hostID\":%u,\"size\":1}", 1000 + i,
			   1000 + i);
	strbuf_add(&b, "]");
	text = spoil(good_config, "/linux/uidMappings", b.p, &arena);
	assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);
	assert_true(has_error(&errors, "/linux/uidMappings", "341 members are more than the 340"));

	strbuf_init(&b, b.p, b.size);
	strbuf_add(&b, "[\"A=");
	for (size_t i = 0; i < 2u << 20; i++)
		strbuf_addc(&b, 'x');
	strbuf_add(&b, "\"]");
	text = spoil(good_config, "/process/env", b.p, &arena);
	assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);

	strbuf_init(&b, b.p, b.size);
	strbuf_add(&b, "[\"A0=x\"");
	for (size_t i = 1; i < 60000; i++)
		strbuf_fmt(&b, ",\"A%zu=%0100d\"", i, 0);
	strbuf_add(&b, "]");
	text = spoil(good_config, "/process/env", b.p, &arena);
	assert_int_equal(parse(text, strlen(text), &arena, &errors), -EINVAL);
	assert_true(has_error(&errors, "/process/env", "more than the 6291456"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),	      cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_types),	      cmocka_unit_test(test_place),
		cmocka_unit_test(test_many),	      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kernel_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
