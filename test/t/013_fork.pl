# 013_fork.pl
#	  A node that lies about its ledger: what is wrong is refused with its number
#	  (c2sp.org/tlog-witness), two histories are proven, everybody hears of it, and
#	  nothing is done with that node until somebody lets it in again.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep);

my $tool = "$FindBin::RealBin/secmed";
my $c = Secmed->new(sites => [qw(charite lmu mallory)], parties => [qw(charite lmu gemelli)],
	coordinator => 'charite', one_cluster => 1, conf => <<'END');
secmed.checkpoint_interval = 200ms
secmed.heartbeat_interval = 1s
END
my $cluster = $c->{cluster}{lmu};
my @honest = qw(charite lmu gemelli);
$c->load_lung_at('charite', 'charite', 'charite');
$c->load_lung_at('lmu', 'lmu', 'lmu');
$c->load_lung_at('mallory', 'mallory', 'gemelli');
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;
$c->run('charite', q{CALL secmed.set_witnesses('{lmu, gemelli}')});
$c->run('lmu', q{CALL secmed.set_witnesses('{charite, gemelli}')});
$c->run('gemelli', q{CALL secmed.set_witnesses('{charite, lmu}')});

my $forger = "$FindBin::RealBin/forger";
ok(-x $forger, "$forger is there (make -f test/core.mk players)");
my $key = $cluster->data_dir . '/secmed/' . $c->run('mallory', 'SELECT oid FROM pg_database WHERE datname = current_database()') . '.key';

# What a node answers to what mallory says: one line for each.
sub says
{
	my ($node, @lines) = @_;
	my ($out, $err);
	my $in = join '', map { "$_\n" } @lines;
	IPC::Run::run([ $forger, $c->conninfo('mallory', $node), $key, $c->{card}{$node} ], '<', \$in, '>', \$out, '2>', \$err);
	diag $err if $err;
	return split /\n/, $out;
}

sub answers
{
	my ($about, $node, $line, $expected) = @_;
	my ($answer) = says($node, $line);
	like($answer // '', $expected, $about);
}

# What is refused -------------------------------------------------------------

answers('a first checkpoint is countersigned', 'charite', 'a 40', qr{^200 40 — secmed\.secmed/charite/cosigner });
answers('also by another', 'gemelli', 'a 40', qr/^200 40 /);
answers('and again', 'charite', 'a 40', qr/^200 40 /);
answers('one changed entry', 'charite', 'a 60 flipped', qr/^422 40 /);
answers('two exchanged', 'charite', 'a 60 swapped', qr/^422 40 /);
answers('one missing', 'charite', 'a 60 missing', qr/^403 40 /);
answers('not signed', 'charite', 'a 60 unsigned', qr/^403 40 /);
answers('signed with another key', 'charite', 'a 60 wrong-key', qr/^403 40 /);
answers('another ledger', 'charite', 'a 60 other-ledger', qr/^403 40 .*another ledger/);
answers('the ledger of another node', 'charite', 'a 60 other-node', qr/^403 40 .*another node/);
answers('entries that are held', 'charite', 'a 60 from-0', qr/^409 40 /);
answers('a smaller checkpoint', 'charite', 'a 30', qr/^409 40 /);
answers('what was sent before the last question', 'charite', 'a 60 old-turn', qr/^409 40 /);
answers('too many entries', 'charite', 'a 60 too-many', qr/^SM013 /);
answers('a note that is too long', 'charite', 'a 60 long-note', qr/^SM013 /);
answers('no question', 'charite', 'bytes', qr/^SM013 /);
answers('a proof of nothing', 'charite', 'fork 30 40', qr/^200/);
answers('somebody else\'s checkpoint that agrees', 'charite', 'gossip a 30', qr/^200/);
answers('nothing of that is kept', 'charite', 'head', qr/^200 40$/);
answers('and the next one is countersigned', 'charite', 'a 50', qr/^200 50 /);
is($c->run($_, 'SELECT count(*) FROM secmed.fork'), 0, "$_ accuses nobody") for @honest;
my ($ret, $out, $err) = $c->ask('SELECT count(*) FROM consortium.trial');
is($ret, 0, 'runs are done with mallory') or diag $err;

# Two histories ---------------------------------------------------------------

answers('lmu is shown another history', 'lmu', 'b 70', qr/^200 70 /);
for my $node (@honest)
{
	ok(Secmed::within(15, sub {
		$c->run($node, "SELECT count(*) FROM secmed.fork WHERE site = 'mallory'") > 0;
	}), "$node has the proof");
	ok(Secmed::within(5, sub {
		$c->run($node, "SELECT count(*) FROM secmed.audit WHERE kind = 'fork' AND outcome = 'fork' AND object LIKE 'secmed.eu/mallory/%'") > 0;
	}), "$node has written it down");
	answers("$node countersigns nothing more of it", $node, 'a 90', qr/^423 /);
}
($ret, $out, $err) = $c->ask('SELECT count(*) FROM consortium.trial');
isnt($ret, 0, 'no run is done with it');
like($err, qr/SM021.*node "mallory" has signed two histories/s, 'and the error says why') or diag $err;

# Anybody can check it.
my $dir = PostgreSQL::Test::Utils::tempdir;
my ($hex) = split /\n/, $c->run('gemelli', "SELECT encode(content, 'hex') FROM secmed.fork_proofs()");
append_to_file("$dir/proof", pack 'H*', $hex);
append_to_file("$dir/policy", 'log ' . $c->run('gemelli', "SELECT convicted FROM secmed.fork WHERE site = 'mallory'") . "\nquorum none\n");
IPC::Run::run([ $tool, 'verify', '--policy', "$dir/policy", "$dir/proof" ], '>', \$out, '2>', \$err);
is($? >> 8, 0, 'the proof is checked without the node') or diag "$out$err";

# A witness that countersigns both is convicted alike.
my $cosigner = $cluster->data_dir . '/secmed/' . $c->run('lmu', 'SELECT oid FROM pg_database WHERE datname = current_database()') . '.cosigner.key';
answers('a proof against a witness', 'gemelli', "fork 80 85 lmu $cosigner", qr/^200/);
is($c->run('gemelli', "SELECT count(*) FROM secmed.fork WHERE site = 'lmu'"), 1, 'convicts the witness');

# Letting in again -------------------------------------------------------------

($ret, $out, $err) = $cluster->psql('charite', "SELECT secmed.unfreeze('gemelli', 2, 'because')");
like($err, qr/is not frozen/, 'only who is frozen is let in again');
($ret, $out, $err) = $cluster->psql('charite', "SELECT secmed.unfreeze('mallory', 0, 'because')");
like($err, qr/from an epoch on/, 'from an epoch on');
$c->run('charite', "SELECT secmed.unfreeze('mallory', 2, 'its disk was restored twice; see ticket 7')");
is($c->run('charite', "SELECT revealed FROM secmed.audit WHERE kind = 'fork' AND outcome = 'lifted'"),
	'its disk was restored twice; see ticket 7', 'the ledger says why');
answers('the old epoch has ended', 'charite', 'a 90', qr/^403 0 .*epoch that was ended/);
answers('the new one begins', 'charite', 'c 90', qr/^200 90 /);
($ret, $out, $err) = $c->ask('SELECT count(*) FROM consortium.trial');
like($err, qr/SM021/, 'other nodes decide for themselves');
$c->ledger_is_whole($_) for @honest;

done_testing();
