# 012_mirror.pl
#	  Three nodes hold and countersign each other's ledgers: what is certified,
#	  how soon, with one of them down, after crashes, under new keys; and what is
#	  exported is verified without them.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep time);

my $tool = "$FindBin::RealBin/secmed";
my @nodes = qw(charite lmu gemelli);
my $c = Secmed->new(sites => [@nodes], coordinator => 'charite', conf => <<'END');
secmed.checkpoint_interval = 200ms
secmed.heartbeat_interval = 1s
secmed.startup_wait = 3s
secmed.ledger_segment = 256
END
my %cluster = %{ $c->{cluster} };

# All that is signed is certified.
sub certified
{
	my ($node, $seconds) = @_;
	return Secmed::within($seconds // 15, sub {
		$c->run($node, 'SELECT (SELECT max(size) FROM secmed.ledger_certified) = (SELECT max(size) FROM secmed.ledger_checkpoint)') eq 't';
	});
}

sub append
{
	my ($node, $n) = @_;
	return $c->run($node, "SELECT count(secmed.append_note('note')) FROM generate_series(1, $n)");
}

# Exports all ledgers, and what the tool says of them beside each other.
my $exports = 0;
sub verify
{
	my @dirs;
	for my $node (@nodes)
	{
		my $dir = PostgreSQL::Test::Utils::tempdir . "/$node" . $exports++;
		for my $row (split /\n/, $c->run($node, "SELECT path, encode(content, 'hex') FROM secmed.export_ledger()"))
		{
			my ($path, $hex) = split /\|/, $row;
			make_path(dirname("$dir/$path"));
			open my $file, '>:raw', "$dir/$path" or die "$dir/$path: $!";
			print $file pack('H*', $hex);
			close $file;
		}
		push @dirs, $dir;
	}
	my ($out, $err);
	IPC::Run::run([ $tool, 'verify', @dirs ], '>', \$out, '2>', \$err);
	return ($? >> 8, "$out$err");
}

# Witnesses ------------------------------------------------------------------

# Old entries of lmu are archived before gemelli becomes its witness.
my $archive = PostgreSQL::Test::Utils::tempdir . '/archive';
mkdir $archive;
$c->run('lmu', q{CALL secmed.set_witnesses('{charite}')});
append('lmu', 600);
for my $node (@nodes)
{
	$cluster{$node}->append_conf('postgresql.conf', 'secmed.ledger_segment = 1048576');
	$cluster{$node}->reload;
}
ok(Secmed::within(15, sub { $c->run('lmu', 'SELECT max(size) > 600 FROM secmed.ledger_certified') eq 't' }), 'lmu: one witness holds it');
$c->run('lmu', "SELECT secmed.archive_ledger(512, '$archive')");
$c->run($_, 'CALL secmed.set_witnesses()') for @nodes;
ok(Secmed::within(10, sub {
	$c->run('lmu', "SELECT problem FROM secmed.witness WHERE name = 'gemelli'") =~ /archived/;
}), 'who joins later needs what is archived') or diag $c->run('lmu', 'SELECT * FROM secmed.witness');
$cluster{lmu}->append_conf('postgresql.conf', "secmed.archive_directory = '$archive'");
$cluster{lmu}->reload;
ok(certified($_), "$_: what it signs is certified") for @nodes;
is($c->run('lmu', "SELECT string_agg(name, ' ' ORDER BY name) FROM secmed.witness WHERE size IS NOT NULL"), 'charite gemelli', 'by the other two');
like($c->run('lmu', 'SELECT note FROM secmed.certified LIMIT 1'), qr{^secmed\.secmed/lmu/.*/cosigner }s, 'with their countersignatures');

# From commit to quorum: the interval, and what it takes.
my @took;
for (1 .. 9)
{
	sleep 0.25;					# so that the interval is over
	my $said = $c->run('lmu', <<'END');
SET secmed.ledger_mode = quorum;
SELECT clock_timestamp() AS began \gset
SELECT secmed.append_note('quorum');
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1000;
END
	push @took, $said =~ /([\d.]+)\s*$/;
}
my $median = (sort { $a <=> $b } @took)[4];
diag(sprintf 'from append to quorum: %.1f ms in the median of 9 (checkpoint interval 200 ms)', $median);
cmp_ok($median, '<', 1000, 'an entry is certified soon');

# Idle ledgers rest: quoted heads are not quoted again.
ok(Secmed::within(20, sub {
	my @before = map { $c->run($_, 'SELECT max(seq) FROM secmed.ledger') } @nodes;
	sleep 2.5;
	my @after = map { $c->run($_, 'SELECT max(seq) FROM secmed.ledger') } @nodes;
	# Looking leaves an entry itself, and that one is certified and quoted.
	return !grep { $after[$_] - $before[$_] > 8 } 0 .. 2;
}), 'idle ledgers quote each other and rest');
cmp_ok($c->run('lmu', "SELECT count(*) FROM secmed.audit WHERE kind = 'head'"), '>', 0, 'heads of others are quoted');

# One is down ----------------------------------------------------------------

$cluster{gemelli}->stop('immediate');
append('lmu', 50);
ok(certified('lmu'), 'with one down the others certify');
append('lmu', 9000);
$cluster{gemelli}->start;
ok(certified('lmu'), 'and go on');
ok(Secmed::within(30, sub {
	$c->run('gemelli', "SELECT size FROM secmed.mirror WHERE site = 'lmu'") == $c->run('lmu', 'SELECT max(size) FROM secmed.ledger_checkpoint');
}), 'when it is back it catches up by itself') or diag $c->run('lmu', 'SELECT * FROM secmed.witness');
is($c->run('gemelli', "SELECT count(*) = max(seq) + 1 AND max(seq) + 1 >= 9050 FROM secmed.mirror_entry e JOIN secmed.mirror m ON m.id = e.mirror WHERE site = 'lmu'"), 't', 'with every entry');
ok(certified('gemelli'), 'and is certified itself');

# Crashes, anywhere between what is stored and what is signed.
for my $round (1 .. ($ENV{SECMED_LONG} ? 30 : 2))
{
	my $append = IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster{lmu}->connstr('lmu'),
		'-c', "SELECT count(secmed.append_note('x')) FROM generate_series(1, 1000000)" ], '>', '/dev/null', '2>', '/dev/null');
	sleep 0.5 + rand;
	my $victim = $round % 2 ? 'gemelli' : 'lmu';
	$cluster{$victim}->kill9;
	sleep 0.3;
	$append->kill_kill;
	for (1 .. 100)
	{
		last if $cluster{$victim}->start(fail_ok => 1);
		sleep 0.1;
		$cluster{$victim}->stop('fast', fail_ok => 1);
	}
	ok($cluster{$victim}->poll_query_until($victim, 'SELECT true'), "round $round: $victim is there again");
	append('lmu', 1);
	ok(certified('lmu', 30), "round $round: what was signed is certified")
	  or diag $c->run('lmu', 'SELECT * FROM secmed.witness');
}
is($c->run($_, 'SELECT count(*) FROM secmed.fork'), 0, "$_: no crash looks like a fork") for @nodes;

# Keys -----------------------------------------------------------------------

$c->run('lmu', 'CALL secmed.rotate_log_key()');
append('lmu', 1);
ok(certified('lmu'), 'a new log key is certified');
ok(Secmed::within(10, sub {
	$c->run('lmu', 'SELECT note FROM secmed.certified LIMIT 1') =~ m{^secmed\.secmed/lmu/[0-9a-f-]+/2\n};
}), 'under the next epoch');
$c->run('charite', 'CALL secmed.rotate_cosigner_key()');
append('lmu', 1);
ok(certified('lmu'), 'a new countersigning key holds beside the old one');
$c->run('lmu', 'CALL secmed.set_witnesses()');
append('lmu', 1);
ok(certified('lmu'), 'and alone when it is in the policy');
$c->run('lmu', 'CALL secmed.rotate_log_key(compromised => true)');
append('lmu', 1);
ok(certified('lmu'), 'a revoked log key needs the witnesses only');
$c->ledger_is_whole($_) for @nodes;

# No head is quoted while one after the other is exported.
for my $node (@nodes)
{
	$cluster{$node}->append_conf('postgresql.conf', "secmed.heartbeat_interval = 1h");
	$cluster{$node}->reload;
}
sleep 1.5;
ok(certified($_), "$_ is certified") for @nodes;
my ($status, $said) = verify();
is($status, 0, 'all of it is verified without the nodes') or diag $said;
like($said, qr/compared with exports given/, 'with what they say of each other');

# No quorum ------------------------------------------------------------------

$cluster{$_}->stop for qw(charite gemelli);
my ($ret, $out, $err) = $cluster{lmu}->psql('lmu', "SET secmed.node_timeout = '1s'; SET secmed.ledger_mode = quorum; SELECT secmed.append_note('x')");
like($err, qr/is not certified/, 'without witnesses nothing is certified');
is(append('lmu', 1), 1, 'and entries are appended all the same');

done_testing();
