# 024_privacy_budget.pl
#	  What noise spends: runs that race for the last of a budget, runs that are
#	  broken off or crash once it is spent, and a coordinator that would rather have no noise.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, one_cluster => 1);
my $keys = PostgreSQL::Test::Utils::tempdir;
$c->load_lung;
$c->publish('clinic.trial', 'trial', "$Secmed::LUNG_OPTIONS, columns => '{patient_id, sex, age, status, ph_ecog}'");
$c->import_tables;

# A contract -----------------------------------------------------------------

my %person = (ada => [ '--organisation', 'Uni', '--role', 'analyst', '--node', 'research' ], vera => [ '--organisation', 'Board', '--role', 'vetter' ],
	(map { ("owner_$_" => [ '--organisation', $_, '--role', 'owner' ]) } @hospitals));
my %identity = map { Secmed::tool('', 'keygen', '--person', $_, "$keys/$_"); ($_ => Secmed::tool('', 'identity', "$keys/$_", @{ $person{$_} })) }
  sort keys %person;
my $founders = join ', ', map { "\$doc\$$identity{$_}\$doc\$" } sort keys %identity;
$c->run($_, "SELECT secmed.admit_founders($founders)") for @hospitals, 'research';
$c->run('research', "SELECT secmed.bind_identity(secmed.fingerprint_text(fingerprint), 'alice') FROM secmed.identity WHERE name = 'ada'");
my $ada = $c->run('lmu', "SELECT encode(fingerprint, 'hex') FROM secmed.identity WHERE name = 'ada'");

# Drafts with SQL, signs with the tool, and gives it to all.
sub done
{
	my ($who, $draft) = @_;
	my $signed = Secmed::tool($c->run('research', "SET search_path = consortium; SET ROLE alice; SELECT $draft"), 'sign', "$keys/$who", '-');
	return $c->run('research', "SELECT secmed.submit_document(\$doc\$$signed\$doc\$)");
}

my $contract = done('ada', qq{secmed.draft_contract('many', 'How many', 'How many?', 'SELECT count(*) FROM trial',
	legal_basis => 'GDPR', terms => 'T', patients_min => 11, vetters => 1, noise => '{"rho": 0.5}')});
done('ada', "secmed.draft_contract_act('propose', 'many')");
done('vera', "secmed.draft_contract_act('vet', 'many', meaning => 'approval')");
done("owner_$_", "secmed.draft_contract_act('sign', 'many', node => '$_')") for @hospitals;
done('ada', "secmed.draft_contract_act('accept', 'many')");
$c->run('research', 'SELECT secmed.exchange_documents()');
is($c->run($_, 'SELECT state FROM secmed.contract'), 'active', "the contract is active at $_") for @hospitals;

my $run = "SELECT n FROM secmed.run('many') AS t(n bigint)";
my $spent = q{SELECT rho || ' ' || spent || ' ' || runs FROM secmed.budget};
$c->run($_, "SELECT secmed.set_budget('trial', 100)") for qw(lmu gemelli);

# Two runs at a time ---------------------------------------------------------

# Four are held back where they would take it; there is enough for two.
$c->run('charite', "SELECT secmed.set_budget('trial', 1)");
my $holder = $c->{cluster}{charite}->background_psql('charite');
$holder->query_safe('BEGIN; SELECT FROM secmed.budget_limit FOR UPDATE');
my @asked = map { Secmed::meanwhile(sub { my ($ret, $out, $err) = $c->ask("$run;"); return $ret == 0 ? 'answered' : $err =~ /ERROR:\s+(SM\d+)/ ? $1 : $err }) } 1 .. 4;
ok(Secmed::within(10, sub { 4 == $c->run('charite',
	"SELECT count(*) FROM pg_stat_activity WHERE datname = 'charite' AND usename = 'node' AND wait_event_type = 'Lock'") }),
	'four runs want the same budget at once');
$holder->query_safe('COMMIT');
$holder->quit;
is(join(' ', sort map { $_->() } @asked), 'SM049 SM049 answered answered', 'two are answered, and two refused');
is($c->run('charite', $spent), '1.000000 1.000000 2', 'and no more is spent than there was');
is(join(' ', $c->audit('charite', "outcome", "kind = 'budget'")), 'spent spent', 'the ledger tells of two');
like(($c->ask("$run;"))[2], qr/ERROR:\s+SM049: .*budget of table "trial" at site "charite" is spent.*rho of 0.500000, and 0.000000/s,
	'then it is spent');

# Broken off -----------------------------------------------------------------

my %oid = map { split /\|/ } split /\n/, $c->run('research', 'SELECT datname, oid FROM pg_database');

sub says
{
	my ($site, @words) = @_;
	my @cards = @{ $c->{card} }{ $site, (grep { $_ ne $site } @hospitals), 'research' };
	my ($in, $out, $err) = (join("\t", @words) . "\n", '', '');
	IPC::Run::run [ "$FindBin::RealBin/coordinator", $c->conninfo('research', $site),
		$c->{cluster}{research}->data_dir . "/secmed/$oid{research}.key", @cards ], \$in, \$out, \$err, IPC::Run::timeout(30);
	die "coordinator: $err" if $err ne '';
	return $out;
}

my @under = (contract => $contract, identity => $ada, requester => 'alice', sql => 'SELECT count(*) FROM secmed_published.trial r1');
my $before = $c->run('lmu', 'SELECT spent FROM secmed.budget');
says('lmu', @under, then => 'failure');
is($c->run('lmu', "SELECT spent - $before FROM secmed.budget"), '0.500000', 'a coordinator that breaks off once the site has shared has spent it');
like(says('charite', @under), qr/^SM049/, 'and can\'t ask a site whose budget is spent');

# No noise, please -----------------------------------------------------------

# In mode adhoc the site answers the question without a contract: under thresholds, without noise.
like(says('lmu', @under, drop => 1, then => 'inputs'), qr/^SM013: site "lmu" and party "lmu" were asked under different contracts/,
	'what was shared for an answer with noise is not computed on without');
$c->run('lmu', "SELECT secmed.set_mode('contracts')");
like(says('lmu', requester => 'alice', identity => $ada, sql => 'SELECT count(*) FROM secmed_published.trial r1'), qr/^SM041/,
	'and without the contract there is no answer in mode contracts');
$c->run('lmu', "SELECT secmed.set_mode('adhoc')");

# Crash ----------------------------------------------------------------------

# Once charite has spent it, another site still works on its part.
$c->run('charite', "SELECT secmed.set_budget('trial', 1.5)");
my $late = $c->{cluster}{gemelli}->background_psql('gemelli');
$late->query_safe('BEGIN; LOCK TABLE clinic.trial IN ACCESS EXCLUSIVE MODE');
my $lost = Secmed::meanwhile(sub { my ($ret, $out) = $c->ask("$run;"); return $ret == 0 ? "answered $out" : 'failed' });
ok(Secmed::within(10, sub { $c->run('charite', $spent) eq '1.500000 1.500000 3' }), 'charite has spent the last of its budget');
$c->{cluster}{charite}->stop('immediate');
eval { $late->quit };
is(join(' ', $lost->()), 'failed', 'the run is lost in a crash');
$c->{cluster}{charite}->start;
is($c->run('charite', $spent), '1.500000 1.500000 3', 'what it has spent stays spent');
like(($c->ask("$run;"))[2], qr/ERROR:\s+SM049: /, 'and there is no other run for it');
is((sort $c->audit('charite', "counters[1]", "kind = 'budget'"))[-1], '500000', 'nor is it missing on the ledger');
is(scalar(my @told = $c->audit('charite', 'seq', "kind = 'budget'")), 3, 'which has all three');
$c->ledger_is_whole('charite');

done_testing();
