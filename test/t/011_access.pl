# 011_access.pl
#	  What a crash leaves open is closed as PostgreSQL knows it; prepared
#	  transactions, refused logins, and a standby.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep);

my $cluster = PostgreSQL::Test::Cluster->new('alpha');
$cluster->init(extra => [qw(--no-locale -E UTF8)], allows_streaming => 1);
$cluster->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'secmed'
max_prepared_transactions = 10
restart_after_crash = on
log_statement = none
END
$cluster->start;
$cluster->safe_psql('postgres', 'CREATE DATABASE alpha');

sub run { return $cluster->safe_psql('alpha', shift) }

run(<<'END');
CREATE EXTENSION secmed;
CREATE ROLE peer LOGIN PASSWORD 'right' IN ROLE secmed_peer;
CREATE ROLE shut LOGIN PASSWORD 'right' IN ROLE secmed_peer;
CREATE ROLE other LOGIN PASSWORD 'right';
CREATE TABLE trial (id integer PRIMARY KEY, stage integer);
INSERT INTO trial SELECT i, 1 FROM generate_series(1, 100) i;
SELECT secmed.create_node('alpha');
CREATE TABLE visit (id integer);
SELECT secmed.publish('trial', patient => 'id');
SELECT secmed.publish('visit');
END

# How the actions with these words in their statement ended, oldest first.
sub endings
{
	my ($words) = @_;
	return join ' ', map { s/ /_/r } split /\n/, run(<<"END");
SELECT coalesce(CASE i.kind WHEN 'access' THEN i.outcome ELSE c.outcome END, 'open')
  FROM secmed.audit i LEFT JOIN secmed.audit c ON c.run = i.run AND c.kind = 'closed'
   AND i.counters[1] BETWEEN c.counters[1] AND coalesce(c.counters[3], c.counters[1])
 WHERE i.kind IN ('intent', 'change', 'access') AND i.statement LIKE '%$words%' AND i.statement NOT LIKE '%coalesce%'
 ORDER BY i.seq;
END
}

sub ends
{
	my ($words, $wanted, $about) = @_;
	my $found;
	Secmed::within(10, sub { ($found = endings($words)) eq $wanted });
	is($found, $wanted, $about);
}

sub crash
{
	$cluster->kill9;
	for (1 .. 100)
	{
		last if $cluster->start(fail_ok => 1);
		sleep 0.1;
		$cluster->stop('fast', fail_ok => 1);
	}
}

# A crash ---------------------------------------------------------------------

run("BEGIN; UPDATE trial SET stage = 2 /* done */ WHERE id = 1; COMMIT");
my @open;
for my $sql ("BEGIN; UPDATE trial SET stage = 3 /* open write */; SELECT 'now', pg_sleep(100)",
	"SELECT 'now' /* open read */, pg_sleep(100) FROM trial",
	"BEGIN; ALTER TABLE visit ADD COLUMN age integer /* open change */; SELECT 'now', pg_sleep(100)")
{
	push @open, IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster->connstr('alpha'), '-c', $sql ], '>', '/dev/null', '2>', '/dev/null');
	my ($mark) = $sql =~ m{/\* (.*?) \*/};
	ok(Secmed::within(10, sub { endings("/* $mark */") eq 'open' }), "$mark: the intent is durable");
}
run(<<'END');
BEGIN;
INSERT INTO trial VALUES (201, 1) /* prepared one */;
PREPARE TRANSACTION 'one';
BEGIN;
INSERT INTO trial VALUES (202, 1) /* prepared two */;
PREPARE TRANSACTION 'two';
BEGIN;
INSERT INTO trial VALUES (203, 1) /* prepared three */;
PREPARE TRANSACTION 'three';
END
crash();
$_->finish for @open;
run('SELECT count(*) FROM trial');
ends('/* open write */', 'aborted', 'a change that a crash stopped was aborted');
ends('/* open read */', 'unknown', 'of a read nobody knows');
ends('/* open change */', 'aborted', 'a command that a crash stopped was aborted');
ends('/* done */', 'committed', 'what had ended is not told of again');
is(endings('/* prepared one */'), 'open', 'what is prepared has not ended');
is(run("SELECT counters[2] FROM secmed.audit WHERE kind = 'restart' ORDER BY seq DESC LIMIT 1"), '3', 'the restart says how many were closed');
is(run('SELECT ok FROM secmed.verify_ledger()'), 't', 'the ledger is whole');

run("COMMIT PREPARED 'one'");
ends('/* prepared one */', 'committed', 'COMMIT PREPARED closes it');
run("ROLLBACK PREPARED 'two'");
ends('/* prepared two */', 'aborted', 'ROLLBACK PREPARED does');
like(endings('PREPARED'), qr/committed committed$/, 'and who said so is on record');

# Committed, and nobody was left to write it down: as in a crash right after.
$cluster->stop;
{
	my ($out, $err);
	IPC::Run::run([ 'postgres', '--single', '-D', $cluster->data_dir, 'alpha' ], '<', \"COMMIT PREPARED 'three'\n", '>', \$out, '2>', \$err);
	like("$out$err", qr/the ledger does not confirm what you do/, 'without the server nothing is recorded');
}
$cluster->start;
run('SELECT count(*) FROM trial');
ends('/* prepared three */', 'committed', 'the next start finds out that it was committed');
is(run('SELECT count(*) FROM trial WHERE id IN (201, 202, 203)'), '2', 'as the rows say');

# A restart alone opens and closes nothing.
$cluster->restart;
run('SELECT count(*) FROM trial');
sleep 0.2;
is(run("SELECT counters[2] FROM secmed.audit WHERE kind = 'restart' ORDER BY seq DESC LIMIT 1"), '0', 'a clean restart closes nothing')
  or diag run("SELECT kind, counters, outcome FROM secmed.audit WHERE kind IN ('restart', 'closed') ORDER BY seq DESC LIMIT 10");

# Killing one session is a crash of all.
{
	my $reader = IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster->connstr('alpha'), '-c', "SELECT /* killed */ pg_sleep(100) FROM trial" ],
		'>', '/dev/null', '2>', '/dev/null');
	Secmed::within(10, sub { endings('/* killed */') eq 'open' });
	kill 'KILL', run("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT /* killed */%'");
	$reader->finish;
	$cluster->poll_query_until('alpha', 'SELECT true');
	run('SELECT count(*) FROM trial');
	ends('/* killed */', 'unknown', 'a session that was killed');
	$reader = IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster->connstr('alpha'), '-c', "SELECT /* ended */ pg_sleep(100) FROM trial" ],
		'>', '/dev/null', '2>', '/dev/null');
	Secmed::within(10, sub { endings('/* ended */') eq 'open' });
	run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT /* ended */%'");
	$reader->finish;
	ends('/* ended */', 'failed_57P01', 'a session that was ended by the administrator');
}

# Refused logins ----------------------------------------------------------------

unlink $cluster->data_dir . '/pg_hba.conf';
$cluster->append_conf('pg_hba.conf', "local all shut reject\nlocal all peer,other scram-sha-256\nlocal all all trust\nlocal replication all trust\n");
$cluster->reload;

sub login
{
	my ($role, $password) = @_;
	local $ENV{PGPASSWORD} = $password;
	my ($ret) = $cluster->psql('alpha', 'SELECT 1', connstr => $cluster->connstr('alpha') . " user=$role");
	return $ret == 0;
}

ok(login('peer', 'right'), 'a peer logs in');
ok(!login('other', 'wrong'), 'who has nothing to do with secmed fails to');
ok(!login('peer', 'wrong'), "a peer's wrong password");
my $logins = "SELECT actor, outcome, counters[1], statement FROM secmed.audit WHERE kind = 'login' ORDER BY seq";
Secmed::within(5, sub { run($logins) ne '' });
is(run($logins), 'peer|refused|1|from [local]', 'is on record, and only that');
my $began = time;
login('peer', 'wrong') for 1 .. 20;
cmp_ok(time - $began, '<', 10, 'many of them take no longer');
is(run($logins), 'peer|refused|1|from [local]', 'and make no entry each');
$cluster->restart;				# which forgets when the last was told
ok(!login('shut', 'right'), 'who is turned away by pg_hba.conf');
Secmed::within(5, sub { run($logins) =~ /shut/ });
is(run($logins), "peer|refused|1|from [local]\nshut|refused|1|from [local]", 'is on record');

# A standby --------------------------------------------------------------------

my $standby = PostgreSQL::Test::Cluster->new('standby');
$cluster->backup('b');
$standby->init_from_backup($cluster, 'b', has_streaming => 1);
$standby->start;
$cluster->wait_for_catchup($standby);
my ($ret, $out, $err) = $standby->psql('alpha', 'SELECT count(*) FROM trial');
isnt($ret, 0, 'published tables are not read on a standby');
like($err, qr/published tables can't be read on a standby/, 'which says why');
is($standby->safe_psql('alpha', 'EXPLAIN (COSTS OFF) SELECT * FROM trial'), 'Seq Scan on trial', 'EXPLAIN is no reading');
is($standby->safe_psql('alpha', 'SELECT ok FROM secmed.verify_ledger()'), 't', 'its ledger can be verified');
is($standby->safe_psql('alpha', 'SET secmed.standby_reads = allow; SELECT count(*) FROM trial'), '102', 'unless a superuser says so');
($ret, $out, $err) = $standby->psql('alpha', 'SET secmed.standby_reads = allow', connstr => $standby->connstr('alpha') . ' user=other');
isnt($ret, 0, 'and nobody else');
$standby->stop;

is(run('SELECT ok FROM secmed.verify_ledger()'), 't', 'the ledger is whole');
$cluster->stop;
done_testing();
