# 002_failures.pl
#	  A node that dies, hangs, moved, or changed its key or its table: the error
#	  names it, in time, the session stays usable and every ledger has it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep);

my $TIMEOUT = 4;
my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, conf => "secmed.node_timeout = '${TIMEOUT}s'");
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->load_slow;
$c->import_tables;

my $good = 'SELECT count(*), sum(age) FROM consortium.trial';
my $session = $c->session;
works('at first');

sub works
{
	my ($when) = @_;
	my ($out, $err) = Secmed::timed($session, $good);
	is($out, '228|14238', "the session works $when") or diag $err;
}

# The last query failed in time with an error that names the node; the nodes
# that can still write have the outcome on record.
sub failed_well
{
	my ($about, $node, $sqlstate, $out, $err, $seconds, @alive) = @_;
	like($err, qr/ERROR:\s+($sqlstate):/, "$about: an error of its kind");
	like($err, qr/\b$node\b/, "$about: it names $node") or diag $err;
	is($out, '', "$about: no answer");
	cmp_ok($seconds, '<', $TIMEOUT + 2, "$about: in time");
	my $run = $c->last_run('research');
	for my $name (@alive)
	{
		next unless $name eq 'research' || $c->audit($name, 'seq', "run = '$run'");
		ok($c->has_outcome($name, $run), "$about: $name has the outcome");
		unlike(join('', $c->audit($name, 'outcome', "run = '$run' AND kind = 'outcome'")),
			qr/^(ok|released)/, "$about: and it is no success");
	}
}

# kill -9 of a hospital's backend in mid-query -------------------------------

for my $round (1 .. ($ENV{SECMED_LONG} ? 20 : 1))
{
	my $about = 'kill -9 in mid-query';
	my $killed = Secmed::meanwhile(sub {
		Secmed::within(20, sub { $c->served('lmu', 'active') });
		sleep 0.3;
		return kill 'KILL', $c->served('lmu', 'active');
	});
	my ($out, $err, $seconds) = Secmed::timed($session, $c->slow(3));
	cmp_ok(($killed->())[0], '>', 0, "$about: lmu was at work");
	ok($c->{cluster}{lmu}->poll_query_until('lmu', 'SELECT true'), "$about: lmu recovers");
	failed_well($about, 'lmu', 'SM010', $out, $err, $seconds, qw(charite gemelli research));
	works('after it');
	$c->ledger_is_whole('lmu');
}

# SIGSTOP: alive, but silent -------------------------------------------------

for my $node (qw(gemelli charite))
{
	my $about = "$node hangs";
	my @frozen = $c->served($node);
	cmp_ok(scalar(@frozen), '>', 0, "$about: the session has its connections");
	kill 'STOP', @frozen;
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	kill 'CONT', @frozen;
	failed_well($about, $node, 'SM010', $out, $err, $seconds, grep { $_ ne $node } @hospitals, 'research');
	works("after $about");
}

# A server that is not there -------------------------------------------------

{
	my $about = 'a stopped server';
	$c->{cluster}{gemelli}->stop('fast');
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'gemelli', 'SM010', $out, $err, $seconds, 'research');
	$c->{cluster}{gemelli}->start;
	works('after it has started again');
}

# Another key ----------------------------------------------------------------

{
	my $about = 'a node that answers with another key';
	my $card = $c->{card}{gemelli};
	my ($real, $false) = map { $c->conninfo('research', $_) } qw(gemelli lmu);
	$c->run('research', "SELECT secmed.remove_peer('gemelli'); SELECT secmed.add_peer('$card', '$false')");
	my $fresh = $session;
	$session = $c->session;
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'gemelli', 'SM011', $out, $err, $seconds, 'research');
	$c->run('research', "SELECT secmed.remove_peer('gemelli'); SELECT secmed.add_peer('$card', '$real')");
	works('when it is itself again');
	$session->quit;
	$session = $fresh;
	works('in the other session');
}

{
	my $about = 'a node that does not know who asks';
	$c->run('lmu', "SELECT secmed.remove_peer('research')");
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'lmu', 'SM011|SM012', $out, $err, $seconds, 'research');
	$c->introduce('lmu', 'research');
	works('after they have been introduced');
}

# Another table --------------------------------------------------------------

{
	my $about = 'a missing table';
	$c->run('lmu', "SELECT secmed.unpublish('trial')");
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'lmu', 'SM003|SM015', $out, $err, $seconds, @hospitals, 'research');
	$c->publish_at('lmu', 'clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
	works('after it is published again');
}

{
	my $about = 'a column of another type';
	$c->run('lmu', "SELECT secmed.unpublish('trial');
		CREATE VIEW clinic.trial_text AS SELECT patient_id, inst, time, status, age::numeric AS age, sex, ph_ecog,
			ph_karno, pat_karno, meal_cal, wt_loss FROM clinic.trial");
	$c->publish_at('lmu', 'clinic.trial_text', 'trial', $Secmed::LUNG_OPTIONS);
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'lmu', 'SM015', $out, $err, $seconds, @hospitals, 'research');
	like($err, qr/\bage\b/, "$about: and the column");
	$c->run('lmu', "SELECT secmed.unpublish('trial')");
	$c->publish_at('lmu', 'clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
	works('after it is the same again');
}

# A row that can't be worked with --------------------------------------------

{
	my $about = 'a division by zero in a row';
	my ($out, $err, $seconds) = Secmed::timed($session, 'SELECT sum(1 / wt_loss) FROM consortium.trial');
	like($err, qr/ERROR:\s+SM004:/, "$about: one general error");
	unlike($err, qr/division by zero/, "$about: without its message");
	works('after it');
}

# The DBA takes the key away -------------------------------------------------

{
	my $about = 'a lost key file';
	my ($key) = glob $c->{cluster}{lmu}->data_dir . '/secmed/*.key';
	rename $key, "$key.away" or die "$key: $!";
	my $fresh = $session;
	$session = $c->session;
	my ($out, $err, $seconds) = Secmed::timed($session, $good);
	failed_well($about, 'lmu', 'SM030|SM010', $out, $err, $seconds, 'research');
	rename "$key.away", $key or die "$key: $!";
	works('after it is back');
	$session->quit;
	$session = $fresh;
}

$c->ledger_is_whole($_) for @hospitals, 'research';
$session->quit;
done_testing();
