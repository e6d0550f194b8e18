# 015_shared_writes.pl
#	  A change of a shared table reaches all three parties or none, whoever
#	  crashes when; and what a crash leaves behind resolves itself.
#
# A crash is pg_ctl stop -m immediate: no process gets to do anything more.  To
# meet a step in the middle, a lock holds up what comes next:
#
#	  secmed.shared_done              a party has staged, and can't ask for the fate
#	  the table of shares, SHARE      it knows the fate, and can't apply
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;
use Time::HiRes qw(time sleep);

my @parties = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@parties, conf => "secmed.node_timeout = '5s'\n");
$c->run($_, "SELECT secmed.allow_shared('research')") for @parties;
my ($ret, $out, $err) = $c->ask(<<'END');
CREATE SERVER consortium FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu, gemelli', parties 'charite, lmu, gemelli');
CREATE FOREIGN TABLE consortium.t (patient bigint NOT NULL, name varchar(4), alive boolean) SERVER consortium OPTIONS (kind 'shared');
INSERT INTO consortium.t SELECT i, i, i % 2 = 0 FROM generate_series(1, 10) i;
END
is($ret, 0, 'a shared table with ten rows') or diag $err;

sub crash { $c->{cluster}{$_}->stop('immediate') for @_ }
sub start { $c->{cluster}{$_}->start for @_ }
sub staged { return $c->run(shift, 'SELECT count(*) FROM secmed.shared_staged') }
sub rows { return $c->run(shift, 'SELECT count(*) FROM secmed_shared.t') }

# A session of a superuser that holds a lock until it goes, or the server crashes.
sub hold
{
	my ($name, $lock) = @_;
	my $session = $c->{cluster}{$name}->background_psql($name, on_error_stop => 0);
	$session->query("BEGIN; LOCK TABLE $lock;");
	return $session;
}

sub finish { my ($session) = @_; eval { $session->quit }; }

# By themselves, without anybody's help: the copies agree, and have so many rows.
sub all_have
{
	my ($n, $about) = @_;
	my $left = sub { return grep { staged($_) != 0 || rows($_) != $n } @parties };
	ok(Secmed::within(30, sub { !$left->() }), "$about: $n rows at all three, nothing staged")
	  or diag join ' ', map { "$_: " . rows($_) . ' rows, ' . staged($_) . ' staged' } @parties;
	my ($ret, $out, $err) = $c->ask("SELECT bool_and(ok) FROM secmed.check_shared('consortium.t')");
	is($out, 't', "$about: and they are one table") or diag $err;
}

all_have(10, 'at the beginning');

# The coordinator ------------------------------------------------------------

my $session = $c->session;
$session->query('BEGIN; INSERT INTO consortium.t VALUES (11);');
is(staged($_), 1, "$_ has staged the row") for @parties;
crash('research');
finish($session);
start('research');
all_have(10, 'the coordinator crashed before it committed');

my @holds = map { hold($_, 'secmed.shared_done') } @parties;
($ret, $out, $err) = $c->ask('INSERT INTO consortium.t SELECT i FROM generate_series(11, 20) i');
is($ret, 0, 'a row that no party can resolve') or diag $err;
crash('research');
finish($_) for @holds;
sleep 0.5;
is(staged($_) . rows($_), 110, "$_ keeps what it does not know about") for @parties;
$out = $c->run('lmu', 'SELECT * FROM secmed.resolve_writes()');
is($out, '0|0|0', 'asking does not help while the coordinator is away');
start('research');
all_have(20, 'the coordinator crashed when it had committed');

# A party --------------------------------------------------------------------

$session = $c->session;
$session->query('BEGIN; INSERT INTO consortium.t VALUES (21);');
crash('lmu');
$session->query('COMMIT;');
finish($session);
start('lmu');
all_have(21, 'a party crashed when it had staged');

my $hold = hold('gemelli', 'secmed_shared.t IN SHARE MODE');
($ret, $out, $err) = $c->ask('INSERT INTO consortium.t SELECT i FROM generate_series(22, 30) i');
is($ret, 0, 'rows that one party can\'t apply yet') or diag $err;
ok(Secmed::within(10, sub { rows('charite') == 30 && rows('lmu') == 30 }), 'the others have applied them');
ok(Secmed::within(10, sub { $c->run('gemelli', "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'secmed_shared.t'::regclass") }),
	'it is in the middle of applying them');
crash('gemelli');
finish($hold);
start('gemelli');
all_have(30, 'a party crashed while it applied');

crash('charite');
($ret, $out, $err) = $c->ask('INSERT INTO consortium.t VALUES (31)');
like($err, qr/SM010.*charite/s, 'a party that is away is an error');
start('charite');
all_have(30, 'a party was away');

# Two chunks, and a crash between them.
my $inserting = Secmed::meanwhile(sub {
	my ($ret, $out, $err) = $c->ask('INSERT INTO consortium.t SELECT i FROM generate_series(1, 8193) i
		WHERE i < 8193 OR pg_sleep(3) IS NOT NULL');
	return $err =~ /SM010/ ? 'SM010' : "no error: $err";
});
ok(Secmed::within(15, sub { staged('lmu') == 1 }), 'the first chunk is staged');
crash('lmu');
is(($inserting->())[0], 'SM010', 'a party crashed between two chunks: an error');
start('lmu');
all_have(30, 'a party crashed between two chunks');

# A party that stands still is given up; when it wakes up, it learns that.
$session = $c->session;
$session->query('SET secmed.node_timeout = 1000; INSERT INTO consortium.t VALUES (31);');
all_have(31, 'before a party stands still');
my ($pid) = $c->served('lmu');
kill 'STOP', $pid;
my (undef, $error) = Secmed::timed($session, 'INSERT INTO consortium.t VALUES (32);');
kill 'CONT', $pid;
like($error, qr/SM010.*did not answer within 1 s/s, 'a party that stands still is an error');
finish($session);
all_have(31, 'a party stood still');

# Everybody ------------------------------------------------------------------

@holds = map { hold($_, 'secmed.shared_done') } @parties;
($ret, $out, $err) = $c->ask('INSERT INTO consortium.t VALUES (32)');
is($ret, 0, 'a row before all of them crash') or diag $err;
crash(@parties, 'research');
finish($_) for @holds;
start(@parties, 'research');
all_have(32, 'everybody crashed');

# New shares -----------------------------------------------------------------

my $generation = $c->run('lmu', "SELECT generation FROM secmed.shared_table");
$hold = hold('lmu', 'secmed_shared.t IN SHARE MODE');
($ret, $out, $err) = $c->ask("SELECT secmed.refresh('consortium.t')");
is($ret, 0, 'new shares') or diag $err;
ok(Secmed::within(10, sub { $c->run('charite', 'SELECT generation FROM secmed.shared_table') ne $generation }), 'one party has them');
crash('lmu');
finish($hold);
start('lmu');
all_have(32, 'a party crashed while it got new shares');
isnt($c->run('lmu', 'SELECT generation FROM secmed.shared_table'), $generation, 'it has them now');

# Backup ---------------------------------------------------------------------

my @tables = ('secmed_shared.t', 'secmed.shared_staged', 'secmed.shared_table', 'secmed.shared_allowed');
my $contents = join ' || ', map { "(SELECT count(*) || md5(string_agg(x::text, ',' ORDER BY x::text)) FROM $_ x)" } @tables;
my $lmu = $c->{cluster}{lmu};
my $dump = $lmu->data_dir . '/lmu.dump';
@holds = (hold('lmu', 'secmed.shared_done IN SHARE MODE'), hold('lmu', 'secmed_shared.t IN SHARE MODE'));
($ret, $out, $err) = $c->ask('INSERT INTO consortium.t VALUES (33)');
is($ret, 0, 'a row that is staged in the dump') or diag $err;
my $before = $c->run('lmu', "SELECT $contents");
like($before, qr/^32\w{32}1\w{32}1/, 'all but the staged row is in the table');
$lmu->command_ok([ 'pg_dump', '-f', $dump, 'lmu' ], 'a dump of a party');
finish($_) for @holds;
all_have(33, 'after the dump');
$lmu->safe_psql('postgres', 'CREATE DATABASE copy');
$lmu->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $lmu->connstr('copy'), '-f', $dump, '-o', '/dev/null' ], 'comes back');
is($lmu->safe_psql('copy', "SELECT $contents"), $before, 'with all shares, and what was staged');

$c->ledger_is_whole($_) for @parties, 'research';
done_testing();
