# setup.sh
#	  What the benches share, for bash scripts to source: three hospitals and
#	  a research node with as many rows as one likes, and a stopwatch.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/script/servers.sh"
hospitals="charite lmu gemelli"
nodes="$hospitals research"

build()
{
	local log=$root/log/bench.log
	mkdir -p "$root/log"
	{
		make -s --no-print-directory -C "$root" -j"$(nproc)" all &&
			as_root make -s --no-print-directory -C "$root" install
	} >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
}

# bench_start: the servers, with durable commits, as anywhere.
bench_start()
{
	servers_begin
	cat >"$dir/settings" <<-END
		shared_buffers = 256MB
		max_wal_size = 4GB
	END
	# Who reads over postgres_fdw, for the comparison.
	echo "nodes research reader" >"$dir/ident"
	# shellcheck disable=SC2086
	servers_start $nodes
}

# bench_load TABLE ROWS: at every hospital, different patients.
bench_load()
{
	local table=$1 rows=$2 site=0 node pids=()
	for node in $hospitals; do
		sql "$node" -o /dev/null <<-END &
			CREATE TABLE $table (patient_id integer PRIMARY KEY, sex smallint NOT NULL, stage smallint NOT NULL,
				age integer NOT NULL, weight integer NOT NULL);
			SELECT setseed(0.$site);
			INSERT INTO $table SELECT i * 3 + $site, 1 + floor(random() * 2), 1 + floor(random() * 4),
				20 + floor(random() * 70), 45 + floor(random() * 60) FROM generate_series(1, $rows) i;
			VACUUM ANALYZE $table;
		END
		pids+=($!)
		site=$((site + 1))
	done
	for node in $hospitals; do
		wait "${pids[0]}" || return 1
		pids=("${pids[@]:1}")
	done
}

# bench_publish TABLE...: creates the nodes and the foreign tables.
bench_publish()
{
	local node table
	# shellcheck disable=SC2086
	nodes_create $nodes && nodes_introduce $nodes || return 1
	for node in $hospitals; do
		for table in "$@"; do
			sql "$node" -o /dev/null -c "SELECT secmed.publish('$table', patient => 'patient_id',
				domains => '{\"sex\": [1, 2], \"stage\": {\"min\": 1, \"max\": 4}}')" || return 1
		done
	done
	sql research -c "CREATE SCHEMA consortium" \
		-c "CREATE SERVER consortium FOREIGN DATA WRAPPER secmed
			OPTIONS (sites 'charite, lmu, gemelli', parties 'charite, lmu, gemelli')" \
		-c "IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium"
}

# race RUNS QUERY...: one session, three rounds to warm up, then the queries by
# turns; prints one line for each query: median, smallest, largest in ms.
race()
{
	local runs=$1 query
	shift
	{
		printf '\\timing on\n\\o /dev/null\n'
		for ((i = 0; i < runs + 3; i++)); do
			for query in "$@"; do
				printf '%s;\n' "$query"
			done
		done
	} | sql research >"$dir/times" || return 1
	perl -ne '
		BEGIN { $queries = pop; $skip = 3 * $queries }
		next unless /^Time: ([\d.]+) ms/;
		push @{ $time[$n % $queries] }, $1 if $n >= $skip;
		$n++;
		END {
			for (@time) {
				my @t = sort { $a <=> $b } @$_;
				printf "%.2f %.2f %.2f\n", ($t[$#t / 2] + $t[@t / 2]) / 2, $t[0], $t[-1];
			}
		}' "$dir/times" $#
}
