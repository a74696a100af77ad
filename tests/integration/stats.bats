#!/usr/bin/env bats
# The table of what containers use: against the kernel's files, on a terminal and on a pipe.
load ../lib/common

# An id beside $C, with a bundle of its own.
also() {
	bundle '.process.args = ["sleep", "1000"]' "$W/$1"
	ok oakum run -d -b "$W/$1" "$1"
}

row() { awk -v id="$1" '$1 == id { print; exit }' "${2-$W/stdout}"; }

@test "stats --no-stream shows all that run or are paused, and no other" {
	sleeper
	ok oakum stats --no-stream
	is "$(wc -l <"$W/stdout")" 1
	ok oakum run -d -b "$B" "$C"
	also a-paused
	also b-stopped
	bundle '' "$W/c-created"
	ok oakum create -b "$W/c-created" c-created
	ok oakum pause a-paused
	ok oakum kill b-stopped KILL
	until_true is_status stopped b-stopped
	ok oakum stats --no-stream
	is "$(awk '{ print $1 }' "$W/stdout" | xargs)" "ID a-paused $C"
	ok oakum stats --no-stream c-created "$C"
	is "$(awk '{ print $1 }' "$W/stdout" | xargs)" "ID c-created $C"
	fails 4 oakum stats --no-stream b-stopped
	says "container not running"
	fails 4 oakum stats --no-stream "$C" nobody
	says "nobody: container does not exist"
	for id in "$C" a-paused b-stopped c-created; do ok oakum delete -f "$id"; done
}

@test "the numbers are the kernel's" {
	need_controllers memory
	sleeper '.linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 31} | .linux.resources.cpu = {quota: 20000, period: 100000} |
		.process.args = ["sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=8 2>/dev/null; touch /tmp/ready; while :; do :; done"]'
	ok oakum run -d -b "$B" "$C"
	until_true [ -e "$B/rootfs/tmp/ready" ]
	ok oakum stats --no-stream --format json "$C"
	is "$(wc -l <"$W/stdout")" 1
	is "$(jq -r '.[0] | "\(.id) \(.memory_limit) \(.pids) \(.pids_limit)"' <<<"$output")" "$C 67108864 1 31"
	# A fifth of a CPU, give or take what a busy machine does.
	[ "$(jq '.[0].cpu_percent | floor' <<<"$output")" -ge 5 ]
	[ "$(jq '.[0].cpu_percent | floor' <<<"$output")" -le 40 ]
	# The eight megabytes in shared memory are in use.
	[ "$(jq '.[0].memory' <<<"$output")" -gt 8388608 ]
	[ "$(jq '.[0].memory' <<<"$output")" -lt 20000000 ]
	is "$(jq '.[0].network_received' <<<"$output")" 0
	ok oakum stats --no-stream "$C"
	[[ $(row "$C") =~ ^$C\ +[0-9]+\.[0-9]\ +[0-9.]+MiB\ /\ 64\.0MiB\ +[0-9]+\.[0-9]\ +1\ /\ 31\ +0B\ /\ 0B\ +[0-9.]+[KM]?i?B\ /\ [0-9.]+[KM]?i?B ]] || { row "$C"; false; }
	ok oakum delete -f "$C"
}

@test "one that is named twice is shown once" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	ok oakum stats --no-stream --format json "$C" "$C"
	is "$(jq -c '[length, .[0].cpu_percent != null]' <<<"$output")" "[1,true]"
	ok oakum delete -f "$C"
}

@test "without a limit and without a network of its own it says so" {
	local pids=null
	sleeper '.linux.namespaces |= map(select(.type != "network")) | del(.linux.resources.memory, .linux.resources.pids) |
		.mounts |= map(if .destination == "/sys" then .type = "bind" | .source = "/sys" | .options = ["rbind", "ro"] else . end)'
	ok oakum run -d -b "$B" "$C"
	ok oakum stats --no-stream --format json
	# systemd has one of its own for those that say nothing.
	[ -z "${OAKUM_MANAGER-}" ] || ! has_controller pids || pids=$(systemctl show -P DefaultTasksMax)
	is "$(jq -c '.[0] | [.memory_limit, .pids_limit, .network_received, .network_sent]' <<<"$output")" "[null,$pids,null,null]"
	ok oakum stats --no-stream
	[[ $(row "$C") == *" / - "*" - / - "* ]] || { row "$C"; false; }
	ok oakum delete -f "$C"
}

@test "on a pipe one table follows another, with who comes and without who goes" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	"$OAKUM" --root "$ROOT" stats --interval 50ms >tables 2>errors </dev/null 3>&- &
	local watcher=$!
	until_true eval '[ "$(grep -c "^ID " tables)" -ge 2 ]'
	also newcomer
	until_true grep -q "^newcomer " tables
	ok oakum delete -f newcomer
	until_true eval 'tail -n 1 tables | grep -q "^$C "'
	ok oakum delete -f "$C"
	until_true eval 'tail -n 1 tables | grep -q "^ID "'
	kill $watcher
	wait $watcher || :
	is "$(cat errors)" ""
	! grep -q $'\033' tables || { echo "control sequences on a pipe"; false; }
}

@test "stats of named containers ends with the last of them" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	also other
	"$OAKUM" --root "$ROOT" stats --interval 50ms --format json "$C" other >tables 2>errors </dev/null 3>&- &
	local watcher=$!
	until_true grep -q other tables
	ok oakum delete -f other
	until_true eval '[ "$(tail -n 1 tables | jq -r "map(.id) | join(\" \")")" = "$C" ]'
	ok oakum delete -f "$C"
	wait $watcher
	is "$(cat errors)" ""
	is "$(jq -r 'type' tables | sort -u)" array
}

# Has it been drawn that often?
drawn() { [ "$(grep -o $'\033\\[H' seen | wc -l)" -ge "$1" ]; }

@test "on a terminal the table is drawn over the last one, and cut to its size" {
	sleeper
	ok oakum run -d -b "$B" "$C"
	for n in 1 2 3 4; do also "more$n"; done
	cat >look <<-LOOK
		stty rows 4 cols 30
		echo \$\$ >pid
		exec "$OAKUM" --root "$ROOT" stats --interval 100ms
	LOOK
	script -fqec "sh look" seen </dev/null >/dev/null 3>&- &
	until_true drawn 5
	kill "$(<pid)"
	wait $! || :
	# One clearing, many returns to the corner, three rows each of at most 30 columns.
	is "$(grep -o $'\033\\[2J' seen | wc -l)" 1
	awk 'BEGIN { RS = "\033\\[H" } NR == 3 { print }' seen | tr -d '\r' | sed 's/\x1b\[[0-9]*[JK]//g' | grep -v '^$' >one
	is "$(wc -l <one)" 3
	is "$(awk '{ print $1 }' one | xargs)" "ID more1 more2"
	[ "$(awk '{ print length }' one | sort -n | tail -n 1)" -le 30 ]
	for id in "$C" more1 more2 more3 more4; do ok oakum delete -f "$id"; done
}

@test "stats refuses an interval of nothing and an unknown format" {
	fails 2 oakum stats --interval 0
	fails 2 oakum stats --interval 1h30
	says "not a duration"
	fails 2 oakum stats --format yaml
	says "table"
}
