# 003_cancel.pl
#	  Whoever loses patience, analyst or hospital, stops every node within a
#	  second.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;
use Time::HiRes qw(time sleep);

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, conf => "secmed.node_timeout = '60s'");
$c->load_slow;
$c->import_tables;
my $session = $c->session;
my $good = 'SELECT count(*) FROM consortium.slow';
my $all = @hospitals * $c->{slow_rows};

# The analyst's backend.
my ($backend) = Secmed::timed($session, 'SELECT pg_backend_pid()');

# Every hospital is at work for the analyst; none is.
sub busy { return @hospitals == grep { $c->served($_, 'active') } @hospitals }
sub idle { return !grep { $c->served($_, 'active') } @hospitals }

# Starts a long query, waits until every hospital works on it, runs $stop, and
# measures until no hospital works any more.
sub stopped_by
{
	my ($about, $expected, $stop) = @_;
	my ($out, $err) = Secmed::timed($session, $good);
	is($out, $all, "$about: the session works") or diag $err;
	my $watch = Secmed::meanwhile(sub {
		my $busy = Secmed::within(30, \&busy);
		sleep 0.3;
		my $began = time;
		$stop->();
		my $idle = Secmed::within(10, \&idle);
		return ($busy, $idle, time - $began);
	});
	# psql itself ends at Ctrl-C.
	(undef, $err) = eval { Secmed::timed($session, $c->slow(20)) };
	$err //= $session->{stderr};
	my ($busy, $idle, $seconds) = $watch->();
	ok($busy, "$about: every hospital was at work");
	ok($idle, "$about: every hospital has stopped");
	# The looks at the hospitals take their time too.
	cmp_ok($seconds, '<', 1.2, "$about: within a second");
	like($err, $expected, "$about: the analyst is told") if $expected;
	my $run = $c->last_run('research');
	for my $node (@hospitals, 'research')
	{
		ok($c->has_outcome($node, $run), "$about: $node has it on record");
	}
}

for my $round (1 .. ($ENV{SECMED_LONG} ? 20 : 2))
{
	stopped_by('pg_cancel_backend', qr/canceling statement due to user request/,
		sub { $c->run('research', "SELECT pg_cancel_backend($backend)") });
}

# Ctrl-C in psql.
stopped_by('Ctrl-C', qr/canceling statement due to user request/, sub { $session->{run}->signal('INT') });
$session = $c->session;
($backend) = Secmed::timed($session, 'SELECT pg_backend_pid()');

Secmed::timed($session, "SET statement_timeout = '1500ms'");
{
	my $began = time;
	my (undef, $err) = Secmed::timed($session, $c->slow(20));
	like($err, qr/canceling statement due to statement timeout/, 'statement_timeout: the analyst is told');
	cmp_ok(time - $began, '<', 3, 'statement_timeout: in time');
	ok(Secmed::within(1.2, \&idle), 'statement_timeout: every hospital has stopped');
}
Secmed::timed($session, 'RESET statement_timeout');

# A hospital's DBA cancels what the hospital runs: the analyst learns who did.
stopped_by("a hospital's DBA", qr/\blmu\b/,
	sub { $c->run('lmu', "SELECT pg_cancel_backend($_)") for $c->served('lmu', 'active') });

# The analyst's session ends without a word.
{
	my $other = $c->session;
	my ($pid) = Secmed::timed($other, 'SELECT pg_backend_pid()');
	$other->{stdin} .= $c->slow(20) . ";\n";
	$other->{run}->pump_nb;
	ok(Secmed::within(30, \&busy), 'a lost analyst: every hospital was at work');
	$c->run('research', "SELECT pg_terminate_backend($pid)");
	ok(Secmed::within(1.2, \&idle), 'a lost analyst: every hospital has stopped');
	eval { $other->quit };
}

my ($out) = Secmed::timed($session, $good);
is($out, $all, 'the session works at last');
$c->ledger_is_whole($_) for @hospitals, 'research';
$session->quit;
done_testing();
