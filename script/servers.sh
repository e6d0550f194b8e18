# servers.sh
#	  Throwaway PostgreSQL servers on loopback, each of them a secmed node.
#	  For bash scripts to source: demo, check, the benches.
#
#     servers_begin                 a folder, and the promise to remove it
#     servers_start NAME...         one server each, TLS, database NAME
#     nodes_create NAME...          CREATE EXTENSION, create_node; anybody may ask freely
#     nodes_introduce NAME...       everybody's card to everybody
#     sql NAME [psql arguments]     psql as that server's superuser
#     as_root COMMAND...            with sudo, unless one is root
#
# Everything lives in $dir, which belongs to the user that runs the servers:
# oneself, or postgres for root, because initdb refuses root.  Whatever ends
# the script stops the servers and removes $dir.  A PID appended to $children
# is ended too.  $port[NAME] is where a server listens, $call[NAME] where
# others reach it.

pg_bin=$("${PG_CONFIG:-pg_config}" --bindir)
PATH=$pg_bin:$PATH
for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do
	[ "$variable" = PG_CONFIG ] || unset "$variable"
done
export LC_ALL=C.UTF-8

declare -A port call
children=()
dir=

as_server()
{
	if [ "$(id -u)" = 0 ]; then
		(cd "$dir" && runuser -u postgres -- "$@")
	else
		(cd "$dir" && "$@")
	fi
}

# What needs root: installing.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo env PG_CONFIG="$pg_bin/pg_config" "$@"
	fi
}

servers_begin()
{
	dir=$(mktemp -d /tmp/secmed.XXXXXX)
	trap servers_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir "$dir/tls" "$dir/data"
	cp "$root"/test/data/* "$dir/data"
	server_owns "$dir"
}

server_owns()
{
	[ "$(id -u)" != 0 ] || chown -R postgres: "$@"
}

servers_end()
{
	local status=$? lock
	set +e
	trap - EXIT
	trap '' INT TERM HUP
	[ ${#children[@]} = 0 ] || kill "${children[@]}" 2>/dev/null
	wait
	find "$dir" -name postmaster.pid | while read -r lock; do
		as_server pg_ctl -D "$(dirname "$lock")" -m immediate -w stop >/dev/null 2>&1
	done
	rm -rf "$dir"
	exit $status
}

# Ports that are free now, one for each argument.
free_ports()
{
	perl -MIO::Socket::INET -e '
		my @held = map { IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die $@ } 1 .. shift;
		print $_->sockport, "\n" for @held' $#
}

# servers_start NAME...: settings common to all in $dir/settings, if there.
servers_start()
{
	local name free pids=()
	"$root/script/certificates" "$dir/tls" "$@"
	server_owns "$dir/tls"
	mapfile -t free < <(free_ports "$@")
	for name in "$@"; do
		port[$name]=${free[0]}
		call[$name]=${free[0]}
		free=("${free[@]:1}")
	done
	for name in "$@"; do
		server_start "$name" "$@" >"$dir/$name.start" 2>&1 &
		pids+=($!)
	done
	for name in "$@"; do
		wait "${pids[0]}" || { cat "$dir/$name.start" "$dir/$name.log"; return 1; } >&2
		pids=("${pids[@]:1}")
	done
}

# server_start NAME ALL...: a server that lets in whoever can enter $dir, and
# over TLS the nodes ALL, by their certificates.
server_start()
{
	local name=$1 data=$dir/$1 other
	shift
	as_server initdb -D "$data" -U postgres -A trust --no-locale -E UTF8 || return 1
	cat >>"$data/postgresql.conf" <<-END
		listen_addresses = '127.0.0.1'
		port = ${port[$name]}
		unix_socket_directories = '$dir'
		cluster_name = '$name'
		log_line_prefix = '%m [%p] %q%u@%d '
		ssl = on
		ssl_cert_file = '$dir/tls/$name.crt'
		ssl_key_file = '$dir/tls/$name.key'
		ssl_ca_file = '$dir/tls/ca.crt'
		shared_preload_libraries = 'secmed'
	END
	[ ! -f "$dir/settings" ] || cat "$dir/settings" >>"$data/postgresql.conf"
	cat >"$data/pg_hba.conf" <<-END
		local    all  all                trust
		hostssl  all  all  127.0.0.1/32  cert map=nodes
	END
	for other in "$@"; do
		echo "nodes $other node"
	done >"$data/pg_ident.conf"
	[ ! -f "$dir/ident" ] || cat "$dir/ident" >>"$data/pg_ident.conf"
	as_server pg_ctl -D "$data" -l "$dir/$name.log" -w -t 60 start || return 1
	psql -Xq -h "$dir" -p "${port[$name]}" -U postgres -d postgres -c "CREATE DATABASE $name"
}

sql()
{
	local name=$1
	shift
	psql -X -q -v ON_ERROR_STOP=1 -h "$dir" -p "${port[$name]}" -U postgres -d "$name" "$@"
}

# How FROM reaches TO.
conninfo()
{
	echo "host=localhost hostaddr=127.0.0.1 port=${call[$2]} dbname=$2 user=node" \
		"sslmode=verify-full sslrootcert=$dir/tls/ca.crt" \
		"sslcert=$dir/tls/$1.crt sslkey=$dir/tls/$1.key"
}

nodes_create()
{
	local name
	for name in "$@"; do
		sql "$name" -o /dev/null -c "CREATE EXTENSION secmed" \
			-c "CREATE ROLE node LOGIN IN ROLE secmed_peer" \
			-c "SELECT secmed.create_node('$name')" -c "SELECT secmed.set_mode('adhoc')" \
			-c "SELECT secmed.set_disclosure('', repeats => 0)" || return 1
	done
}

nodes_introduce()
{
	local here there
	local -A card
	for here in "$@"; do
		card[$here]=$(sql "$here" -At -c "SELECT secmed.node_card()") || return 1
	done
	for here in "$@"; do
		for there in "$@"; do
			[ "$here" = "$there" ] ||
				echo "SELECT secmed.add_peer('${card[$there]}', '$(conninfo "$here" "$there")');"
		done | sql "$here" -o /dev/null || return 1
	done
}
