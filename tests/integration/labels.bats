#!/usr/bin/env bats
# AppArmor profiles and SELinux labels: applied where the kernel has the module, an error where it has not.
load ../lib/common

apparmor() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }
selinux() { [ "$(stat -f -c %t /sys/fs/selinux 2>/dev/null)" = f97cff8c ]; }

@test "an AppArmor profile" {
	bundle '.process.apparmorProfile = "oakum-test-nobody-has-this" | .process.args = ["true"]'
	if apparmor; then
		fails 1 oakum run -b "$B" "$C"
		says /process/apparmorProfile ENOENT apparmor_parser
	else
		fails 6 oakum run -b "$B" "$C"
		says /process/apparmorProfile "AppArmor is not enabled"
	fi
	# Everybody has "unconfined".
	bundle '.process.apparmorProfile = "unconfined" | .process.args = ["true"]'
	ok oakum run -b "$B" "$C"
}

@test "SELinux labels of the process and of mounts" {
	! selinux || skip "what a label means is the policy's affair"
	bundle '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	fails 6 oakum run -b "$B" "$C"
	says /process/selinuxLabel "SELinux is not enabled"
	bundle '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	fails 6 oakum run -b "$B" "$C"
	says /linux/mountLabel "SELinux is not enabled"
	bundle '.linux.mountLabel = "" | .process.selinuxLabel = "" | .process.args = ["true"]'
	ok oakum run -b "$B" "$C"
}

@test "exec with a label of its own" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	apparmor || fails 255 oakum exec --apparmor oakum-test "$C" true
	apparmor || says "AppArmor is not enabled"
	selinux || fails 255 oakum exec --process-label a:b:c "$C" true
	selinux || says "SELinux is not enabled"
	ok oakum exec --apparmor unconfined "$C" true
	ok oakum delete -f "$C"
}
