# 006_tamper.pl
#	  What a DBA does to the ledger is seen: an entry edited, removed, put
#	  elsewhere, or a body changed in the side table.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, one_cluster => 1);
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;
$c->ask('SELECT count(*) FROM consortium.trial') for 1 .. 3;

# Superusers are refused like everybody.
for my $statement ("UPDATE secmed.ledger SET entry = entry", 'DELETE FROM secmed.ledger', 'TRUNCATE secmed.ledger',
	'INSERT INTO secmed.ledger SELECT seq + 1000, entry FROM secmed.ledger')
{
	my ($ret, $out, $err) = $c->{cluster}{lmu}->psql('lmu', $statement);
	isnt($ret, 0, "refused: $statement");
	like($err, qr/ledger/, 'with a reason');
}
my ($whole, $entries) = split /\|/, $c->run('lmu', 'SELECT ok, entries FROM secmed.verify_ledger()');
is($whole, 't', 'the ledger is whole');

# ... unless they take the guard away.  Each change is undone with its session.
my ($victim) = $c->audit('lmu', 'seq', "kind = 'decision'");
my $last = $entries - 1;

sub found
{
	my ($about, $change, $bad) = @_;
	my $out = $c->run('lmu', <<"END");
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
$change;
SELECT ok, bad_seq, reason <> '' FROM secmed.verify_ledger();
ROLLBACK;
END
	# An entry that is itself well-formed is found by the one after it.
	my $next = $bad =~ /^\d+$/ ? $bad + 1 : $bad;
	like($out, qr/^f\|($bad|$next)\|t$/, "$about: entry $bad or its successor is named");
}

found('an entry edited', "UPDATE secmed.ledger SET entry = set_byte(entry, length(entry) - 40, get_byte(entry, length(entry) - 40) # 1)
	WHERE seq = $victim", $victim);
found('one bit in its hash of the one before', "UPDATE secmed.ledger SET entry = set_bit(entry, 200, 1 - get_bit(entry, 200))
	WHERE seq = $victim", $victim);
found('an entry removed', "DELETE FROM secmed.ledger WHERE seq = $victim", $victim);
found('an entry removed and the rest moved up', "DELETE FROM secmed.ledger WHERE seq = $victim;
	UPDATE secmed.ledger SET seq = seq + 500000 WHERE seq > $victim; UPDATE secmed.ledger SET seq = seq - 500001 WHERE seq > 500000", $victim);
found('two entries exchanged', "UPDATE secmed.ledger SET entry = (SELECT o.entry FROM secmed.ledger o
	WHERE o.seq = 2 * $victim + 1 - ledger.seq) WHERE seq IN ($victim, $victim + 1)", $victim);
found("bytes that are not canonical", "UPDATE secmed.ledger SET entry = entry || '\\x00' WHERE seq = $victim", $victim);
found('an entry made up at the end', "INSERT INTO secmed.ledger SELECT $last + 1000, entry FROM secmed.ledger WHERE seq = $last", '\\d+');

my ($body) = split /\n/, $c->run('lmu', 'SELECT seq FROM secmed.ledger_payload ORDER BY seq');
found('the statement on record changed', "UPDATE secmed.ledger_payload SET payload = 'SELECT harmless' WHERE seq = $body", $body);

# A body may be erased (it may hold a patient's details); the chain stays whole.
is($c->run('lmu', "BEGIN; DELETE FROM secmed.ledger_payload WHERE seq = $body; SELECT ok FROM secmed.verify_ledger(); ROLLBACK"),
	't', 'a body erased: the chain is whole');

# After all that the node still works, and its ledger grows.
my ($ret, $out, $err) = $c->ask('SELECT count(*) FROM consortium.trial');
is($out, '228', 'the consortium works') or diag $err;
cmp_ok($c->audit('lmu', 'seq', "kind = 'outcome' AND seq >= $entries"), '==', 1, 'and is on record');
$c->ledger_is_whole('lmu');

# A restart, and a crash, lose nothing that was acknowledged.
my $cluster = $c->{cluster}{lmu};
my $before = $c->run('lmu', 'SELECT count(*) FROM secmed.ledger');
$cluster->stop('immediate');
$cluster->start;
cmp_ok($c->run('lmu', 'SELECT count(*) FROM secmed.ledger'), '>=', $before, 'a crash loses no entry');
$c->ledger_is_whole('lmu');
($ret, $out, $err) = $c->ask('SELECT count(*) FROM consortium.trial');
is($out, '228', 'and the consortium works again') or diag $err;

done_testing();
