# 014_restore.pl
#	  A ledger that comes back older than it was: from a copy of the data
#	  directory, as a standby that had fallen behind, or not at all.  It signs
#	  nothing, gets its entries back from those who hold them, and goes on.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep);

my $tool = "$FindBin::RealBin/secmed";
my @nodes = qw(charite lmu gemelli);
my $c = Secmed->new(sites => [@nodes], coordinator => 'charite', conf => <<'END');
secmed.checkpoint_interval = 200ms
secmed.heartbeat_interval = 1h
secmed.startup_wait = 5s
wal_level = replica
max_wal_senders = 4
END
my %cluster = %{ $c->{cluster} };

sub certified
{
	my ($node) = @_;
	return Secmed::within(20, sub {
		$c->run($node, 'SELECT (SELECT max(size) FROM secmed.ledger_certified) = (SELECT max(size) FROM secmed.ledger_checkpoint)') eq 't';
	});
}

sub append
{
	my ($node, $n) = @_;
	return $c->run($node, "SELECT count(secmed.append_note('note')) FROM generate_series(1, $n)");
}

my $exports = 0;
sub verify
{
	my ($node) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir . "/$node" . $exports++;
	for my $row (split /\n/, $c->run($node, "SELECT path, encode(content, 'hex') FROM secmed.export_ledger()"))
	{
		my ($path, $hex) = split /\|/, $row;
		make_path(dirname("$dir/$path"));
		open my $file, '>:raw', "$dir/$path" or die "$dir/$path: $!";
		print $file pack('H*', $hex);
		close $file;
	}
	my ($out, $err);
	IPC::Run::run([ $tool, 'verify', $dir ], '>', \$out, '2>', \$err);
	is($? >> 8, 0, "$node: what is exported is verified") or diag "$out$err";
	return "$out$err";
}

# It takes no entry and signs nothing; then it does, with all that was there.
sub refuses_and_recovers
{
	my ($node, $about, $size, $hash) = @_;
	my ($ret, $out, $err) = $cluster{$node}->psql($node, "SELECT secmed.append_note('a second history')");
	isnt($ret, 0, "$about takes no entry");
	like($err, qr/entries of this ledger|holds/, 'and says why') or diag $err;
	my $signed = $c->run($node, 'SELECT max(size) FROM secmed.ledger_checkpoint');
	sleep 1;
	is($c->run($node, 'SELECT max(size) FROM secmed.ledger_checkpoint'), $signed, 'nor does it sign');
	recovers($node, $about, $size, $hash);
}

sub recovers
{
	my ($node, $about, $size, $hash) = @_;
	my ($ret, $out, $err) = $cluster{$node}->psql($node, 'CALL secmed.recover_ledger()');
	is($ret, 0, "$about recovers") or diag $err;
	is($c->run($node, "SELECT encode(sha256(entry), 'hex') FROM secmed.ledger WHERE seq = $size - 1"), $hash, 'every entry that was held is back');
	append($node, 3);
	ok(certified($node), 'it goes on, and that is certified')
	  or diag $c->run($node, 'SELECT * FROM secmed.witness');
	$c->ledger_is_whole($node);
	verify($node);
	is($c->run($_, 'SELECT count(*) FROM secmed.fork'), 0, "$_ has seen no fork") for @nodes;
}

sub head
{
	my ($node) = @_;
	ok(certified($node), "$node is certified");
	return split /\|/, $c->run($node, "SELECT size, encode(sha256(entry), 'hex') FROM secmed.ledger, (SELECT max(size) AS size FROM secmed.ledger_certified) s WHERE seq = size - 1");
}

$c->run($_, 'CALL secmed.set_witnesses()') for @nodes;
append('lmu', 20);
ok(certified($_), "$_: what it signs is certified") for @nodes;
my ($ret, $out, $err) = $cluster{lmu}->psql('lmu', 'CALL secmed.recover_ledger()');
like($err, qr/the ledger is not behind/, 'a ledger that is whole is not recovered');

# A restart -------------------------------------------------------------------

$cluster{lmu}->restart;
is(append('lmu', 1), 1, 'after a restart it goes on');

# An old copy of the data directory ------------------------------------------

my $copy = PostgreSQL::Test::Utils::tempdir . '/copy';
$cluster{lmu}->stop;
system_or_bail('cp', '-a', $cluster{lmu}->data_dir, $copy);
$cluster{lmu}->start;
append('lmu', 300);
my ($size, $hash) = head('lmu');
$cluster{lmu}->stop;
system_or_bail('rm', '-rf', $cluster{lmu}->data_dir);
rename $copy, $cluster{lmu}->data_dir or die "rename: $!";
$cluster{lmu}->start;
refuses_and_recovers('lmu', 'an old copy', $size, $hash);
like($c->run('lmu', 'SELECT note FROM secmed.certified LIMIT 1'), qr{^secmed\.secmed/lmu/[0-9a-f-]+/12\n}, 'under an epoch that nobody has used');

# Its countersigning key is another now: the others take it into their policy.
$c->run('charite', 'CALL secmed.set_witnesses()');
append('charite', 1);
ok(certified('charite'), 'others countersign with its new key');

# A standby that had fallen behind -------------------------------------------

$cluster{lmu}->append_conf('pg_hba.conf', "local replication all trust\n");
$cluster{lmu}->reload;
$cluster{lmu}->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($cluster{lmu}, 'base', has_streaming => 1);
# The test's copy lets others read the keys, which the node would not use then.
chmod 0600, glob $standby->data_dir . '/secmed/*';
$standby->start;
$cluster{lmu}->wait_for_catchup($standby);
$standby->stop;
append('lmu', 40);
($size, $hash) = head('lmu');
$cluster{lmu}->stop;
$standby->start;
$standby->promote;
$cluster{lmu} = $c->{cluster}{lmu} = $standby;
refuses_and_recovers('lmu', 'a stale standby', $size, $hash);

# Nothing is left -------------------------------------------------------------

append('gemelli', 30);
($size, $hash) = head('gemelli');
$cluster{gemelli}->safe_psql('postgres', 'DROP DATABASE gemelli WITH (FORCE)');
$cluster{gemelli}->safe_psql('postgres', 'CREATE DATABASE gemelli');
$c->create_node('gemelli');
for my $other (qw(charite lmu))
{
	$c->run($other, "SELECT secmed.remove_peer('gemelli')");
	$c->introduce($other, 'gemelli');
	$c->introduce('gemelli', $other);
}
recovers('gemelli', 'a lost database', $size, $hash);
cmp_ok($c->run('gemelli', 'SELECT count(*) FROM secmed.ledger_aside'), '>=', 4, 'what it began meanwhile is put aside');

done_testing();
