/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the table in tests/unit/test_badinput_types.c: what readers of their own take (first
 * column of values) or refuse (second) besides what follows from the generic ones, in the seeds and
 * places that two patterns of fnmatch(3) say. With a last member the value is good in its place,
 * and the error it brings about stands there.
 */
/* clang-format off */
	/* Good in its place, but what is effective is not permitted any more. */
	{"full*", "*/capabilities/permitted", NUL | LIST, 0, "*/capabilities/effective/0"},
	{"full*", "*/capabilities/permitted/[0-9]", EMPTY | X, 0, "*/capabilities/effective/[0-9]"},
	/* Lists that may be empty. */
	{"*", "*/additionalGids", LIST, 0, NULL},
	{"*", "*/env", LIST, 0, NULL},
	{"*", "*/capabilities/*[a-z]", LIST, 0, NULL},
	{"*", "*/rlimits", LIST, 0, NULL},
	{"*", "*/scheduler/flags", LIST, 0, NULL},
	{"*(config)", "/mounts/[02]/[ug]idMappings", LIST, 0, NULL},
	{"dead*", "/linux/[ug]idMappings", LIST, 0, NULL},
	{"*(config)", "/linux/devices", LIST, 0, NULL},
	{"*(config)", "/linux/seccomp/architectures", LIST, 0, NULL},
	{"*(config)", "/linux/seccomp/flags", LIST, 0, NULL},
	{"*(config)", "/linux/memoryPolicy/flags", LIST, 0, NULL},
	{"*(config)", "/linux/personality/flags", LIST, 0, NULL},
	/* Objects that may be empty. */
	{"*", "*/capabilities", OBJECT, 0, NULL},
	{"*", "*/user", OBJECT, 0, NULL}, /* a warning */
	/* A capability that nobody knows is a warning. */
	{"*", "*/capabilities/*/[0-9]", EMPTY | X, 0, NULL},
	{"*(config)", "/annotations", OBJECT, 0, NULL},
	{"*(config)", "/linux/sysctl", OBJECT, 0, NULL},
	{"*(config)", "/linux/timeOffsets", OBJECT, 0, NULL},
	{"*(config)", "/linux/timeOffsets/*[ce]", NUL | OBJECT, 0, NULL},
	{"*(config)", "/linux/netDevices", OBJECT, 0, NULL},
	{"*(config)", "/linux/netDevices/*[0-9]", NUL, 0, NULL},
	{"*(config)", "/linux/intelRdt", OBJECT, 0, NULL},
	{"*(config)", "/linux/intelRdt/schemata", LIST, 0, NULL},
	{"*(config)", "/linux/intelRdt/*chema", EMPTY, 0, NULL},
	{"*(config)", "/linux/netDevices/*[0-9]", OBJECT, 0, NULL},
	{"*(config)", "/linux/netDevices/*/name", EMPTY | X, 0, NULL}, /* "": its own */
	{"*", "*/memory", OBJECT, 0, NULL},
	{"*", "*/cpu", OBJECT, 0, NULL},
	{"*", "*/rdma", OBJECT, 0, NULL},
	{"*", "*/unified", OBJECT, 0, NULL},
	{"*(resources)", "", OBJECT, 0, NULL},
	/* Any text is an argument; a program must have a name. */
	{"*(config)", "/process/args/0", X, 0, NULL},
	{"*(process)", "/args/0", X, 0, NULL},
	{"*", "*/args/[1-9]", EMPTY | X, 0, NULL},
	{"*(config)", "/hooks/*/args/0", EMPTY | X, 0, NULL},
	/* A group's number. */
	{"*", "*/additionalGids/[0-9]", ZERO, 0, NULL},
	/* "" is "not given". */
	{"*(config)", "/hostname", EMPTY, 0, NULL},
	{"full*", "/hostname", X, 0, NULL},
	{"*(config)", "/domainname", EMPTY, 0, NULL},
	{"*(config)", "/linux/rootfsPropagation", EMPTY, 0, NULL},
	{"*(config)", "/linux/cgroupsPath", EMPTY | X, 0, NULL}, /* relative: below the default */
	{"*(config)", "/linux/seccomp/listenerPath", EMPTY, 0, NULL},
	{"*", "*/devices/[0-9]/access", EMPTY, 0, NULL},
	{"*", "*esources/devices/[0-9]/type", EMPTY, 0, NULL},
	{"*(resources)", "/devices/[0-9]/type", EMPTY, 0, NULL},
	/* Values of maps are any text. */
	{"*(config)", "/annotations/*", EMPTY | X, 0, NULL},
	{"*(config)", "/linux/sysctl/[nf]*", EMPTY | X, 0, NULL},
	{"*", "*/unified/*", EMPTY | X, 0, NULL},
	/* What words mean depends on the file system: judged with the plan. */
	{"*(config)", "/mounts/*/options/[0-9]", EMPTY | X, 0, NULL},
	/* A system call that this kernel has not is left out. */
	{"*(config)", "/linux/seccomp/syscalls/*/names/[0-9]", X, 0, NULL},
	/* Engines write 0 for "not set". */
	{"*", "*/weight", ZERO, 0, NULL},
	{"*", "*/leafWeight", ZERO, 0, NULL},
	{"*", "*/priorities/0/name", X, 0, NULL},
	{"dead*", "/linux/namespaces", LIST, 0, NULL},
	/* Words that are looked up. */
	{"*(config)", "/linux/namespaces/*/type", 0, EMPTY | X, NULL},
	{"*(config)", "/linux/namespaces/*/path", 0, X, NULL},
	/* Required by what stands beside. */
	{"*(config)", "/mounts/[02]/type", 0, NUL | EMPTY, NULL},
	{"*(config)", "/mounts/1/source", 0, NUL | EMPTY, NULL},
	{"*(config)", "/mounts/1/[ug]idMappings", 0, NUL | LIST, NULL},
	{"full*", "/linux/[ug]idMappings", 0, NUL | LIST, NULL},
	{"*(config)", "/linux/devices/0/m??or", 0, NUL, NULL},
	{"dead*", "*/scheduler/runtime", 0, ZERO, NULL},
	/* Good in its place, and another place is not any more. */
	{"dead*", "*/scheduler/runtime", NUL, 0, "*/scheduler"},
	{"dead*", "*/scheduler/deadline", NUL, 0, "*/scheduler"},
	{"dead*", "*/scheduler/deadline", ZERO, 0, "*/scheduler/runtime"},
	{"full*", "*/scheduler/priority", NUL | ZERO, 0, "*/scheduler/policy"},
	{"*", "*/rlimits/0/hard", ZERO, 0, "*/rlimits/0"},
	{"full*", "/domainname", X, 0, "/linux/sysctl/kernel.domainname"},
	{"full*", "/linux", NUL | OBJECT, 0, "/hostname"},
	{"full*", "/linux/namespaces", NUL | LIST, 0, "/hostname"},
	{"*(config)", "/linux/uidMappings/0/hostID", ZERO, 0, "/linux/uidMappings/1"},
	{"*(config)", "/linux/uidMappings/1/containerID", ZERO, 0, "/linux/uidMappings/1"},
	{"*(config)", "/linux/memoryPolicy/mode", NUL, 0, "/linux/memoryPolicy"},
	{"*(config)", "/linux/memoryPolicy/nodes", NUL | EMPTY, 0, "/linux/memoryPolicy"},
	/* clang-format on */
