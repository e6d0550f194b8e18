# Secmed.pm
#	  Consortia of real clusters for the TAP tests.
#
#     my $c = Secmed->new(sites => [qw(charite lmu gemelli)]);
#     $c->load_lung;
#     $c->publish('clinic.trial', 'trial', $options);
#     $c->import_tables;
#     $c->same_answer('SELECT ... FROM consortium.trial', 'what it is about');
#
# Every node is a database of its own name, in a cluster of its own or, with
# one_cluster, all in one.  Its roles: node (as whom others log in), alice (an
# analyst), auditor.  A folder that the servers can read holds the test data:
# ../data.
package Secmed;

use strict;
use warnings;
use FindBin;
use IPC::Run ();

use Answers qw(differences);
use File::Basename qw(dirname);
use File::Spec;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $here = dirname(File::Spec->rel2abs(__FILE__));
our $DATA = File::Spec->catdir($here, File::Spec->updir, 'data');

our $LUNG_OPTIONS = q{patient => 'patient_id', min_patients => 5,
	domains => '{"sex": [1, 2], "status": [1, 2], "ph_ecog": [0, 1, 2, 3, null]}'};

=pod

new(sites => [...], parties => [the sites], coordinator => 'research',
    transport => 'socket' | 'tcp' | 'tls', one_cluster => 0, conf => '', others => [])

Starts the nodes and introduces everyone to everyone.  tcp is without TLS.

=cut

sub new
{
	my ($class, %option) = @_;
	my $self = bless {
		coordinator => 'research', transport => 'socket', one_cluster => 0, conf => '', others => [],
		parties => [ @{ $option{sites} }[ 0 .. 2 ] ],
		%option
	}, $class;
	my %seen;
	$self->{nodes} = [ grep { !$seen{$_}++ } @{ $self->{sites} }, @{ $self->{parties} }, $self->{coordinator}, @{ $self->{others} } ];
	$self->{tls_dir} = PostgreSQL::Test::Utils::tempdir;
	system_or_bail("$here/../../script/certificates", $self->{tls_dir}, @{ $self->{nodes} })
	  if $self->{transport} eq 'tls';
	$self->start_clusters;
	$self->create_node($_) for @{ $self->{nodes} };
	$self->introduce($_) for @{ $self->{nodes} };
	return $self;
}

sub start_clusters
{
	my ($self) = @_;
	my $shared = $self->{one_cluster} ? $self->start_cluster('all') : undef;
	for my $name (@{ $self->{nodes} })
	{
		$self->{cluster}{$name} = $shared // $self->start_cluster($name);
		$self->{cluster}{$name}->safe_psql('postgres', "CREATE DATABASE $name");
	}
}

sub start_cluster
{
	my ($self, $name) = @_;
	my $cluster = PostgreSQL::Test::Cluster->new($name);
	$cluster->init(extra => [qw(--no-locale -E UTF8)]);
	$cluster->append_conf('postgresql.conf', <<"END");
shared_preload_libraries = 'secmed'
restart_after_crash = on
log_statement = none
max_connections = 200
max_worker_processes = 128
$self->{conf}
END
	$self->open_tcp($cluster, $name) if $self->{transport} ne 'socket';
	$cluster->start;
	return $cluster;
}

# Nodes come over TCP: with their certificates over TLS, or without any.
sub open_tcp
{
	my ($self, $cluster, $name) = @_;
	my $tls = $self->{tls_dir};
	my $hba = "local all all trust\n";
	$cluster->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
	if ($self->{transport} eq 'tls')
	{
		$cluster->append_conf('postgresql.conf', <<"END");
ssl = on
ssl_cert_file = '$tls/$name.crt'
ssl_key_file = '$tls/$name.key'
ssl_ca_file = '$tls/ca.crt'
END
		$hba .= "hostssl all node 127.0.0.1/32 cert map=nodes\n";
		$cluster->append_conf('pg_ident.conf', join '', map { "nodes $_ node\n" } @{ $self->{nodes} });
	}
	else
	{
		$hba .= "hostnossl all node 127.0.0.1/32 trust\n";
	}
	unlink $cluster->data_dir . '/pg_hba.conf';
	$cluster->append_conf('pg_hba.conf', $hba);
}

sub create_node
{
	my ($self, $name) = @_;
	$self->run($name, <<"END");
CREATE EXTENSION secmed;
DO \$\$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'node') THEN
		CREATE ROLE node LOGIN IN ROLE secmed_peer;
		CREATE ROLE alice LOGIN IN ROLE secmed_analyst;
		CREATE ROLE auditor LOGIN IN ROLE secmed_auditor;
	END IF;
END \$\$;
SELECT secmed.create_node('$name');
SELECT secmed.set_mode('adhoc');
SELECT secmed.set_disclosure('', differencing => 'none', repeats => 0);
CREATE SCHEMA consortium AUTHORIZATION alice;
END
	$self->{card}{$name} = $self->run($name, 'SELECT secmed.node_card()');
}

# What the command-line tool prints, given this as its input.
sub tool
{
	my ($in, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ "$FindBin::RealBin/secmed", @arguments ], '<', \$in, '>', \$out, '2>', \$err) or die "secmed @arguments: $err";
	return $out;
}

# All other nodes, and itself, become known to a node; or one other.
sub introduce
{
	my ($self, $name, @others) = @_;
	@others = @{ $self->{nodes} } unless @others;
	$self->run($name, join '', map {
		"SELECT secmed.add_peer('$self->{card}{$_}', '" . $self->conninfo($name, $_) . "');\n"
	} @others);
}

# How one node reaches another.
sub conninfo
{
	my ($self, $from, $to) = @_;
	my $cluster = $self->{cluster}{$to};
	my $tls = $self->{tls_dir};
	my $tcp = 'host=localhost hostaddr=127.0.0.1';
	my %address = (
		socket => 'host=' . $cluster->host,
		tcp => "$tcp sslmode=disable",
		tls => "$tcp sslmode=verify-full sslrootcert=$tls/ca.crt sslcert=$tls/$from.crt sslkey=$tls/$from.key");
	return "$address{$self->{transport}} port=" . $cluster->port . " dbname=$to user=node";
}

# The superuser's statements at a node; dies if one fails.
sub run
{
	my ($self, $name, $sql) = @_;
	return $self->{cluster}{$name}->safe_psql($name, $sql);
}

# Loads everybody's lung patients, and all of them into a database "pooled".
sub load_lung
{
	my ($self) = @_;
	$self->load_lung_at($_, $_, $_) for @{ $self->{sites} };
	$self->create_pooled;
	$self->load_lung_at($self->{coordinator}, 'pooled', 'pooled');
	$self->pooled_view('clinic.trial', 'trial');
}

sub load_lung_at
{
	my ($self, $name, $database, $hospital) = @_;
	$self->{cluster}{$name}->safe_psql($database, "\\i $DATA/load.sql",
		extra_params => [ '-v', "data=$DATA", '-v', "hospital=$hospital" ]);
}

# A database that is no node, where all rows are in one place to compare with.
sub create_pooled
{
	my ($self) = @_;
	my $cluster = $self->{cluster}{ $self->{coordinator} };
	$cluster->safe_psql('postgres', 'CREATE DATABASE pooled');
	$cluster->safe_psql('pooled', 'CREATE SCHEMA consortium');
}

sub pooled
{
	my ($self, $sql) = @_;
	return $self->{cluster}{ $self->{coordinator} }
	  ->safe_psql('pooled', $sql, extra_params => [ '-P', 'null=NULL' ]);
}

sub pooled_view
{
	my ($self, $relation, $name) = @_;
	$self->pooled("CREATE VIEW consortium.$name AS TABLE $relation");
}

sub publish
{
	my ($self, $relation, $name, $options) = @_;
	$self->publish_at($_, $relation, $name, $options) for @{ $self->{sites} };
}

sub publish_at
{
	my ($self, $site, $relation, $name, $options) = @_;
	$self->run($site, "SELECT secmed.publish('$relation', as_name => '$name', $options)");
}

# The server "consortium" and its foreign tables, made by the analyst.
sub import_tables
{
	my ($self) = @_;
	my ($sites, $parties) = map { join ', ', @$_ } @$self{qw(sites parties)};
	my ($ret, $out, $err) = $self->ask(<<"END");
CREATE SERVER consortium FOREIGN DATA WRAPPER secmed OPTIONS (sites '$sites', parties '$parties');
IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium;
END
	is($ret, 0, 'the analyst imports what the sites publish') or diag $err;
}

# The analyst's statements: (exit code, stdout, stderr).
sub ask
{
	my ($self, $sql, %params) = @_;
	my $name = $self->{coordinator};
	my $cluster = $self->{cluster}{$name};
	return $cluster->psql($name, $sql, connstr => $cluster->connstr($name) . ' user=alice',
		extra_params => [ '-P', 'null=NULL', '-v', 'VERBOSITY=verbose' ], %params);
}

# A session of the analyst that stays open.
sub session
{
	my ($self) = @_;
	my $name = $self->{coordinator};
	my $session = $self->{cluster}{$name}->background_psql($name, on_error_stop => 0,
		extra_params => [ '-U', 'alice', '-v', 'VERBOSITY=verbose' ]);
	$session->set_query_timer_restart;
	return $session;
}

# One statement in a session: (stdout, stderr, seconds).
sub timed
{
	my ($session, $sql) = @_;
	$session->{stderr} = '';
	my $began = time;
	my $out = $session->query($sql);
	my $seconds = time - $began;
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return ($out, $err, $seconds);
}

# secmed's answer equals PostgreSQL's on the pooled rows (of another query, if
# small groups are withheld).
sub same_answer
{
	my ($self, $query, $about, $pooled) = @_;
	$pooled //= $query;
	my ($ret, $answer, $err) = $self->ask($query);
	return fail($about), diag("$query\n$err") if $ret != 0;
	my @found = differences($self->pooled("$pooled \\gdesc"), $answer, $self->pooled($pooled));
	ok(!@found, $about) or diag join "\n", $query, @found;
	return $answer;
}

# A column of a node's audit view; the auditor reads it.
sub audit
{
	my ($self, $name, $expression, $where) = @_;
	my $cluster = $self->{cluster}{$name};
	my ($ret, $out, $err) = $cluster->psql($name,
		"SELECT $expression FROM secmed.audit WHERE $where ORDER BY seq",
		connstr => $cluster->connstr($name) . ' user=auditor');
	die "audit at $name: $err" if $ret != 0;
	return split /\n/, $out;
}

# The last run that a node's ledger tells of.
sub last_run
{
	my ($self, $name) = @_;
	return ($self->audit($name, 'run', "kind = 'request'"))[-1];
}

# Does the node's ledger tell how the run ended?  Waits a little: a node that
# was cancelled writes it down after the analyst has the error.
sub has_outcome
{
	my ($self, $name, $run) = @_;
	return within(5, sub { $self->audit($name, 'seq', "run = '$run' AND kind = 'outcome'") });
}

sub ledger_is_whole
{
	my ($self, $name) = @_;
	is($self->run($name, 'SELECT ok FROM secmed.verify_ledger()'), 't', "$name\'s ledger is whole");
}

# What nodes run for others at a node now: process ids.
sub served
{
	my ($self, $name, $state) = @_;
	my $where = $state ? "AND state = '$state'" : '';
	return split /\n/, $self->run($name,
		"SELECT pid FROM pg_stat_activity WHERE usename = 'node' AND datname = '$name' $where");
}

# True as soon as the condition holds, false after so many seconds.
sub within
{
	my ($seconds, $condition) = @_;
	my $until = time + $seconds;
	while (!$condition->())
	{
		return 0 if time > $until;
		sleep 0.02;
	}
	return 1;
}

# Runs a function in a process of its own while the test goes on; what it
# returns is what the function that meanwhile() returns gives.
sub meanwhile
{
	my ($function) = @_;
	pipe(my $read, my $write) or die "pipe: $!";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		# No END blocks here: they would stop the servers.
		my @result = eval { $function->() };
		print $write join(' ', $@ || @result);
		close $write;
		POSIX::_exit(0);
	}
	close $write;
	return sub {
		my $result = do { local $/; <$read> };
		waitpid $pid, 0;
		return split ' ', $result;
	};
}

# Stops all servers and removes them.
sub remove
{
	my ($self) = @_;
	my %seen;
	for my $cluster (grep { !$seen{$_}++ } values %{ $self->{cluster} })
	{
		$cluster->stop;
		$cluster->clean_node;
	}
}

# A published table whose rows take as long to look at as one likes: the query
# on it is slow($seconds).
sub load_slow
{
	my ($self) = @_;
	my $rows = 100_000;
	for my $site (@{ $self->{sites} })
	{
		$self->run($site, <<"END");
CREATE TABLE public.slow AS SELECT id, 1 AS work FROM generate_series(1, $rows) id;
ALTER TABLE public.slow ADD PRIMARY KEY (id), ALTER work SET NOT NULL;
ANALYZE public.slow;
END
	}
	$self->publish('public.slow', 'slow', q{patient => 'id', min_patients => 5});
	my $began = time;
	$self->run($self->{sites}[0],
		"SELECT count(*) FROM public.slow WHERE id > $rows - 500 AND " . slow_condition(2000));
	$self->{slow_rate} = 2000 * 500 / (time - $began);
	$self->{slow_rows} = $rows;
}

sub slow_condition { return sprintf "md5(repeat(id::text, %d)) <> ''", shift }

# A query that keeps every site busy for about so long.
sub slow
{
	my ($self, $seconds) = @_;
	my $work = 1 + int($self->{slow_rate} * $seconds / $self->{slow_rows});
	return 'SELECT count(*) FROM consortium.slow WHERE ' . slow_condition($work);
}

1;
