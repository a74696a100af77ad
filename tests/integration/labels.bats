#!/usr/bin/env bats
# AppArmor profiles and SELinux labels: applied where the kernel has the module, an error where it has not.
load ../lib/common

selinux() { [ "$(stat -f -c %t /sys/fs/selinux 2>/dev/null)" = f97cff8c ]; }

@test "an AppArmor profile" {
	bundle '.process.apparmorProfile = "oakum-test-nobody-has-this" | .process.args = ["true"]'
	if apparmor; then
		fails 1 oakum run -b "$B" "$C"
		says /process/apparmorProfile ENOENT apparmor_parser
	else
		fails 6 oakum run -b "$B" "$C"
		says /process/apparmorProfile "AppArmor is not enabled" "the kernel's command line"
	fi
	# Everybody has "unconfined".
	bundle '.process.apparmorProfile = "unconfined" | .process.args = ["true"]'
	ok oakum run -b "$B" "$C"
}

# profile NAME RULE: loads one that allows all but for RULE.
profile() {
	mountpoint -q /sys/kernel/security || mount -t securityfs security /sys/kernel/security
	printf 'profile %s flags=(attach_disconnected,mediate_deleted) {\n%s\ndeny %s,\n}\n' "$1" \
		'file, capability, network, signal, ptrace, mount, umount, pivot_root, unix, dbus, change_profile,' "$2" >"$W/$1"
	apparmor_parser --replace --skip-cache "$W/$1"
}

@test "an AppArmor profile confines the program, and what exec starts" {
	apparmor || skip "AppArmor is not enabled in this kernel (tests/vm/run has one where it is)"
	command -v apparmor_parser >/dev/null || skip "apparmor_parser is not installed"
	local mounted=
	! mountpoint -q /sys/kernel/security || mounted=1
	local look='cat /proc/1/attr/current; cat /proc/self/attr/current; cat /etc/passwd >/dev/null; cat /etc/group >/dev/null; true' user
	profile oakum-test-first "/etc/passwd r"
	profile oakum-test-second "/etc/group r"
	for user in . '.linux.namespaces += [{type: "user"}]'; do
		bundle "$user | $SLEEPS"' | .process.apparmorProfile = "oakum-test-first"'
		ok oakum run -d -b "$B" "$C"
		is "$(cat "/proc/$(pid_of)/attr/current")" "oakum-test-first (enforce)"
		ok oakum exec "$C" sh -c "$look"
		is "$output" "oakum-test-first (enforce)
oakum-test-first (enforce)"
		says "can't open '/etc/passwd': Permission denied"
		[[ $errors != */etc/group* ]]
		ok oakum exec --apparmor oakum-test-second "$C" sh -c "$look"
		is "$output" "oakum-test-first (enforce)
oakum-test-second (enforce)"
		says "can't open '/etc/group': Permission denied"
		[[ $errors != */etc/passwd* ]]
		ok oakum exec --apparmor unconfined "$C" cat /proc/self/attr/current
		is "$output" unconfined
		ok oakum delete -f "$C"
	done
	apparmor_parser --remove "$W/oakum-test-first"
	apparmor_parser --remove "$W/oakum-test-second"
	[ -n "$mounted" ] || umount /sys/kernel/security
}

# A policy cannot be taken away again: only where there is none, as in a guest.
@test "SELinux labels stand on the program, what exec starts, its keyring and its mounts" {
	[ -d /sys/fs/selinux ] && [ "$(tr -d '\0\n' </proc/self/attr/current)" = kernel ] || skip "SELinux without a policy is not the security module of this machine (tests/vm/run -a security=selinux)"
	command -v checkpolicy >/dev/null || skip "checkpolicy is not installed"
	local domain=system_u:system_r:container_t type=system_u:object_r:container_file_t
	"$BATS_TEST_DIRNAME/../lib/selinux-policy" "$W/policy"
	mount -t selinuxfs selinux /sys/fs/selinux
	cat "$W/policy" >/sys/fs/selinux/load
	sleeper ".process.selinuxLabel = \"$domain\" | .linux.mountLabel = \"$type\""
	ok oakum run -d -b "$B" "$C"
	is "$(tr -d '\0' <"/proc/$(pid_of)/attr/current")" "$domain"
	ok oakum exec "$C" sh -c 'cat /proc/self/attr/current /proc/self/attr/keycreate | tr "\0" "\n"; grep -c context= /proc/self/mountinfo; grep -E " /dev(/shm|/pts)? " /proc/self/mountinfo; >/dev/shm/new'
	grep -qx "$domain" <<<"$output"
	is "$(grep -c -E " /dev(/shm|/pts)? .*context=\"?$type" <<<"$output")" 3
	is "$(stat -c %C "/proc/$(pid_of)/root/dev/shm/new")" "$type"
	ok oakum exec --process-label system_u:system_r:kernel_t "$C" cat /proc/self/attr/current
	is "$(tr -d '\0' <"$W/stdout")" system_u:system_r:kernel_t
	fails 255 oakum exec --process-label a:b:c "$C" true
	says "the loaded policy does not know this context"
	ok oakum delete -f "$C"
	bundle '.process.selinuxLabel = "system_u:system_r:nobody_t"'
	fails 1 oakum run -b "$B" "$C"
	says /process/selinuxLabel EINVAL "the loaded policy does not know this context"
	umount /sys/fs/selinux
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
	apparmor || says /process/apparmorProfile "AppArmor is not enabled"
	selinux || fails 255 oakum exec --process-label a:b:c "$C" true
	selinux || says "SELinux is not enabled"
	ok oakum exec --apparmor unconfined "$C" true
	ok oakum delete -f "$C"
}
