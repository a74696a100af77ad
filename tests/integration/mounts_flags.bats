#!/usr/bin/env bats
# The flags that mounts end up with: what the words ask for, what a bind's source brings, what a user
# namespace may not lift. Asked of the container's own mountinfo.
load ../lib/common

userns='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | del(.linux.resources)'

# A tmpfs whose mount has no flag at all but $2, and strict access times if $2 says nothing of them.
source_with() {
	mkdir -p "$W/src/$1"
	mount -t tmpfs -o rw,suid,dev,exec,diratime,strictatime,mode=755 source "$W/src/$1"
	mount -o remount,bind,diratime,strictatime "$W/src/$1"
	[ -z "$2" ] || mount -o "remount,bind,$2" "$W/src/$1"
}

# A row: the source's flags, the options of the bind, what it must have and (-) not have without a user
# namespace and with one. EPERM: refused. "=": as without. ".": not asked.
table() {
	cat <<-'EOF'
	ro,noexec,nosymfollow,nodiratime bind                     ro,noexec,nosymfollow,nodiratime,-rw             =
	ro,noexec,nosymfollow,nodiratime bind,dev                 rw,nodiratime,-ro,-noexec,-nosymfollow           ro,noexec,nodiratime,-rw,-nosymfollow
	ro                               bind,nosuid,nodev,rprivate rw,nosuid,nodev                                ro,nosuid,nodev
	ro                               bind,rw,nosuid,nodev,rprivate rw,nosuid,nodev,-ro                         EPERM
	nosuid,nodev,noexec,noatime      bind,dev,suid,exec,atime rw,noatime,-nosuid,-nodev,-noexec                EPERM
	nodev,nosuid,noatime             bind,suid                rw,noatime,-nosuid,-nodev                        EPERM
	nodev                            bind,dev                 rw,-nodev                                        EPERM
	noexec                           bind,exec                rw,-noexec                                       EPERM
	nosuid                           rbind,rsuid              rw,-nosuid                                       EPERM
	ro                               rbind,rrw                rw                                               EPERM
	nodev,nosuid,noexec,noatime      bind,ro                  ro,noatime,-nosuid,-nodev,-noexec                ro,nosuid,nodev,noexec,noatime
	nodev,nosymfollow                bind,ro,symfollow        ro,-nodev,-nosymfollow                           ro,nodev,-nosymfollow
	nodev,nosymfollow                bind,rw                  rw,-nodev,-nosymfollow                           rw,nodev,-nosymfollow
	nodev,nosuid,noatime             bind,ro,exec             ro,noatime,-noexec,-nosuid,-nodev                ro,nosuid,nodev,noatime,-noexec
	nodev                            bind,rslave              nodev                                            =
	noatime                          bind                     noatime,-relatime                                =
	noatime                          bind,norelatime          noatime,-relatime                                =
	noatime                          bind,atime               noatime,-relatime                                =
	noatime                          bind,relatime            relatime,-noatime                                EPERM
	noatime                          bind,nodiratime          relatime,nodiratime,-noatime                     EPERM
	noatime                          bind,strictatime         -relatime,-noatime,-nodiratime                   EPERM
	noatime                          bind,nodiratime,strictatime nodiratime,-noatime,-relatime                 EPERM
	noatime                          bind,nodiratime,norelatime relatime,nodiratime,-noatime                   EPERM
	noatime,nodiratime               bind                     noatime,nodiratime                               =
	noatime,nodiratime               bind,norelatime          noatime,nodiratime                               =
	noatime,nodiratime               bind,atime               noatime,nodiratime                               =
	nodiratime                       bind                     relatime,nodiratime                              =
	nodiratime                       bind,strictatime         -relatime,-noatime,-nodiratime                   EPERM
	nodiratime                       bind,noatime             noatime                                          EPERM
	nodiratime                       bind,diratime            nodiratime                                       =
	nodiratime                       bind,norelatime          nodiratime                                       =
	relatime                         bind                     relatime                                         =
	relatime                         bind,norelatime          relatime                                         =
	relatime                         bind,strictatime         -relatime,-noatime                               EPERM
	relatime                         bind,noatime             noatime                                          EPERM
	relatime                         bind,nodiratime          relatime,nodiratime                              EPERM
	strictatime                      bind                     -relatime,-noatime,-nodiratime                   =
	strictatime                      bind,nostrictatime       -relatime,-noatime,-nodiratime                   =
	strictatime                      bind,relatime            relatime                                         EPERM
	strictatime                      bind,noatime             noatime,-relatime                                EPERM
	strictatime                      bind,nodiratime          nodiratime,relatime                              EPERM
	EOF
}

# check WHERE WANT: against the flags of the mount on WHERE in $output.
check() {
	local flags word
	flags=$(awk -v at="$1" '$5 == at { print $6 }' <<<"$output")
	[ -n "$flags" ] || { echo "nothing is mounted on $1"; return 1; }
	for word in ${2//,/ }; do
		case ,$flags, in
		*",${word#-},"*) [ "${word#-}" = "$word" ] || { echo "$3: '$flags' has ${word#-}"; return 1; } ;;
		*) [ "${word#-}" != "$word" ] || { echo "$3: '$flags' lacks $word"; return 1; } ;;
		esac
	done
}

json_words() { printf '["%s"]' "${1//,/\",\"}"; }

# Which column of the table: 3 without a user namespace, 4 with.
run_table() {
	local n=0 mounts='' have options alone inside want
	local -a rows=()
	mapfile -t rows < <(table)
	for row in "${rows[@]}"; do
		read -r have options alone inside <<<"$row"
		source_with $n "$have"
		n=$((n + 1))
	done
	bundle "$2"
	n=0
	for row in "${rows[@]}"; do
		read -r have options alone inside <<<"$row"
		want=$alone
		[ "$1" = 3 ] || [ "$inside" = = ] || want=$inside
		if [ "$want" = EPERM ]; then
			jq --arg s "$W/src/$n" --argjson o "$(json_words "$options")" '.mounts += [{destination: "/mnt", type: "bind", source: $s, options: $o}]' "$B/config.json" >"$W/refused.json"
			fails 1 oakum run --config "$W/refused.json" -b "$B" "$C"
			says "/mounts/7" "Operation not permitted" || { echo "row: $row"; return 1; }
		else
			mounts="$mounts{destination: \"/mnt/$n\", type: \"bind\", source: \"$W/src/$n\", options: $(json_words "$options")},"
		fi
		n=$((n + 1))
	done
	edit ".mounts += [{destination: \"/mnt\", type: \"tmpfs\", source: \"t\"}, ${mounts%,}] | .process.args = [\"cat\", \"/proc/self/mountinfo\"]"
	ok oakum run -b "$B" "$C"
	n=0
	for row in "${rows[@]}"; do
		read -r have options alone inside <<<"$row"
		want=$alone
		[ "$1" = 3 ] || [ "$inside" = = ] || want=$inside
		[ "$want" = EPERM ] || check /mnt/$n "$want" "row $row"
		umount "$W/src/$n"
		n=$((n + 1))
	done
}

# bats test_tags=root:mount
@test "the flags of a bind: what is asked for, else the source's" {
	run_table 3 .
}

# bats test_tags=root:mount
@test "the flags of a bind in a user namespace: what the source forbids stays, or the mount is refused" {
	run_table 4 "$userns"
}

# every_word FILTER: each word on a directory, a file and a tmpfs.
every_word() {
	local word flag mounts=''
	mkdir "$W/dir"
	mount -t tmpfs -o rw,suid,dev,exec,mode=755 source "$W/dir"
	touch "$W/dir/file"
	mkdir "$W/dir/sub"
	for word in ro rro rw nosuid suid noexec exec nodev dev nosymfollow rnosuid rnodev rnoexec; do
		mounts="$mounts{destination: \"/mnt/dir-$word\", type: \"bind\", source: \"$W/dir/sub\", options: [\"bind\", \"rprivate\", \"$word\"]},
			{destination: \"/mnt/file-$word\", type: \"bind\", source: \"$W/dir/file\", options: [\"bind\", \"rprivate\", \"$word\"]},
			{destination: \"/mnt/fs-$word\", type: \"tmpfs\", source: \"t\", options: [\"$word\"]},"
	done
	# In a user namespace a bind cannot have another kind of access time than its source.
	for word in relatime noatime strictatime nodiratime sync dirsync rsync rdirsync; do
		mounts="$mounts{destination: \"/mnt/fs-$word\", type: \"tmpfs\", source: \"t\", options: [\"$word\"]},"
	done
	mounts="$mounts{destination: \"/mnt/dir-relatime\", type: \"bind\", source: \"$W/dir/sub\", options: [\"bind\", \"relatime\"]},
		{destination: \"/mnt/file-relatime\", type: \"bind\", source: \"$W/dir/file\", options: [\"bind\", \"relatime\"]},"
	bundle "$1 | .mounts += [{destination: \"/mnt\", type: \"tmpfs\", source: \"t\"}, ${mounts%,}] | .process.args = [\"cat\", \"/proc/self/mountinfo\"]"
	ok oakum run -b "$B" "$C"
	umount "$W/dir"
	for what in dir file fs; do
		for word in ro nosuid noexec nodev nosymfollow relatime; do
			check /mnt/$what-$word $word $what-$word
		done
		check /mnt/$what-rro ro $what-rro
		for word in nosuid nodev noexec; do
			check /mnt/$what-r$word $word $what-r$word
		done
		check /mnt/$what-rw rw $what-rw
		for word in suid exec dev; do
			check /mnt/$what-$word -no$word,rw $what-$word
		done
	done
	check /mnt/fs-noatime noatime,-relatime fs-noatime
	check /mnt/fs-strictatime -noatime,-relatime fs-strictatime
	check /mnt/fs-nodiratime nodiratime,relatime fs-nodiratime
	for word in sync dirsync; do
		for prefix in '' r; do
			awk -v at=/mnt/fs-$prefix$word '$5 == at { for (i = 7; $i != "-"; i++); print $(i + 3) }' <<<"$output" | grep -qw $word
		done
	done
}

# bats test_tags=root:mount
@test "each word on a directory, a file and a tmpfs" {
	every_word .
}

# bats test_tags=root:mount
@test "each word on a directory, a file and a tmpfs in a user namespace" {
	every_word "$userns"
}
